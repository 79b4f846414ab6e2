//! Sockets: which frontends listen, and what is left when they end.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use emulator::dataplane::program::{Force, Guard};
use emulator::dataplane::{DataPlane, DataPlaneConfig, RefusalReason, StartError};
use http::StatusCode;
use tokio::net::TcpStream;

use crate::backends::Backend;
use crate::client::{Http1, get, try_get};
use crate::programs::{frontend, plain, rule_id, with_service};
use crate::rig::{DEADLINE, Rig, config, free_socket};
use crate::security_policies::{deny, policy, when};

async fn refuses(socket: SocketAddr) -> bool {
    matches!(TcpStream::connect(socket).await, Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused)
}

#[tokio::test]
async fn a_refused_frontend_says_why_and_the_others_serve() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    let occupied = free_socket();
    let occupant = TcpListener::bind(occupied).unwrap();
    let mut program = plain(front, &[backend.socket]);
    program.frontends.push(frontend("occupied", occupied));
    program.frontends.push(frontend("double", front));
    program.frontends.push(frontend("outside", "192.0.2.1:80".parse().unwrap()));
    let applied = rig.plane.apply(program.clone()).await;

    assert_eq!(applied.listening.len(), 1);
    assert_eq!((applied.listening[0].frontend.clone(), applied.listening[0].address), (rule_id("f"), front));
    let reasons: Vec<_> = applied.refused.iter().map(|refusal| refusal.reason.clone()).collect();
    assert_eq!(
        reasons,
        [RefusalReason::InUse, RefusalReason::TakenBy(rule_id("f")), RefusalReason::NotLoopback]
    );
    assert_eq!(
        applied.refused[0].to_string(),
        format!(
            "occupied cannot listen on {occupied}: another program listens there; stop it, or set a port offset"
        )
    );
    assert_eq!(rig.plane.listeners(), applied);
    rig.wait_healthy("web", "g1", 1).await;
    assert_eq!(get(front, "h", "/").await.status, StatusCode::OK);

    // The next program tries again.
    drop(occupant);
    let applied = rig.plane.apply(program).await;
    assert_eq!(applied.listening.len(), 2);
    assert_eq!(get(occupied, "h", "/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_port_offset_moves_every_frontend_and_redirects_follow() {
    use emulator::dataplane::program::{Destination, Redirect};
    let actual = free_socket();
    let offset = 1000;
    let rig = Rig::with(DataPlaneConfig { port_offset: offset, ..config() });
    let rule = SocketAddr::new(actual.ip(), actual.port() - offset);
    let mut program = plain(rule, &[]);
    let redirect = Redirect { https: true, ..Redirect::default() };
    program.url_maps.insert(
        crate::programs::map_id("m"),
        crate::programs::everything_to(Destination::Redirect(redirect)),
    );
    program.frontends.push(frontend("too-high", SocketAddr::new(actual.ip(), 65_000)));
    let applied = rig.plane.apply(program).await;
    assert_eq!(applied.listening[0].address, actual);
    assert_eq!(applied.refused[0].reason, RefusalReason::OffsetTooLarge { offset });
    let answer = get(actual, "shop.example:1080", "/").await;
    assert_eq!(answer.header("location"), "https://shop.example:1443/");
}

#[tokio::test]
async fn a_removed_frontend_accepts_no_more_but_finishes_what_it_has() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    let mut program = plain(front, &[backend.socket]);
    let stays = free_socket();
    program.frontends.push(frontend("stays", stays));
    rig.serve(program.clone(), "web", 1).await;
    let mut idle = Http1::connect(front).await.unwrap();
    idle.get("h", "/").await.unwrap();
    let running = tokio::spawn(get(front, "h", "/hold"));
    backend.state.held.notified().await;

    program.frontends.remove(0);
    rig.apply(program).await;
    assert!(refuses(front).await);
    assert!(!running.is_finished());
    backend.state.release.add_permits(1);
    assert_eq!(tokio::time::timeout(DEADLINE, running).await.unwrap().unwrap().status, StatusCode::OK);
    assert!(idle.get("h", "/").await.is_err(), "an idle connection is closed");
    assert_eq!(get(stays, "h", "/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_removed_frontend_cuts_what_does_not_finish() {
    let rig = Rig::with(DataPlaneConfig { frontend_drain: Duration::from_millis(50), ..config() });
    let (backend, front) = (Backend::start("one").await, free_socket());
    let mut program = plain(front, &[backend.socket]);
    rig.serve(program.clone(), "web", 1).await;
    let running = tokio::spawn(try_get(front, "h", "/hold"));
    backend.state.held.notified().await;
    program.frontends.clear();
    rig.apply(program).await;
    assert!(tokio::time::timeout(DEADLINE, running).await.unwrap().unwrap().is_err());
}

#[tokio::test]
async fn shutdown_leaves_nothing() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    let program = plain(front, &[backend.socket]);
    rig.serve(program.clone(), "web", 1).await;
    let mut idle = Http1::connect(front).await.unwrap();
    idle.get("h", "/").await.unwrap();
    let running = tokio::spawn(get(front, "h", "/hold"));
    backend.state.held.notified().await;
    backend.state.release.add_permits(1);

    tokio::time::timeout(DEADLINE, rig.plane.shutdown()).await.unwrap();
    assert_eq!(running.await.unwrap().status, StatusCode::OK, "what ran was finished within the grace");
    assert!(refuses(front).await);
    assert!(idle.get("h", "/").await.is_err());
    TcpListener::bind(front).expect("the port is free again");

    let applied = rig.plane.apply(program).await;
    assert_eq!(applied.refused[0].reason, RefusalReason::ShutDown);
    assert!(refuses(front).await);
}

#[tokio::test]
async fn dropping_closes_the_sockets_too() {
    let front = free_socket();
    let rig = Rig::new();
    rig.apply(plain(front, &[])).await;
    drop(rig);
    let wait = async {
        while !refuses(front).await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, wait).await.expect("the listener to go");
}

#[tokio::test]
async fn it_dials_from_loopback_only() {
    let outside = DataPlaneConfig { dial_from: Some("192.0.2.1".parse().unwrap()), ..config() };
    assert!(matches!(DataPlane::start(outside), Err(StartError::DialFrom { .. })));

    let address = crate::rig::own_address();
    let rig = Rig::with(DataPlaneConfig { dial_from: Some(address.into()), ..config() });
    let listener = tokio::net::TcpListener::bind((crate::rig::own_address(), 0)).await.unwrap();
    rig.apply(plain(free_socket(), &[listener.local_addr().unwrap()])).await;
    let (_, peer) = tokio::time::timeout(DEADLINE, listener.accept()).await.unwrap().unwrap();
    assert_eq!(peer.ip(), address);
}

#[tokio::test]
async fn a_frontend_may_listen_on_ipv6() {
    let Ok(listener) = std::net::TcpListener::bind((std::net::Ipv6Addr::LOCALHOST, 0)) else {
        assert!(std::env::var_os("CI").is_none(), "this machine has no IPv6 loopback address");
        return;
    };
    let front = listener.local_addr().unwrap();
    drop(listener);
    let (rig, backend) = (Rig::new(), Backend::start("one").await);
    let rules =
        vec![(when("inIpRange(origin.ip, '::1') && request.path == '/no'"), deny(403), Force::Enforced)];
    let guard = Guard { edge: None, backend: Some(policy("armor", rules)) };
    let program = with_service(plain(front, &[backend.socket]), |service| service.guard = guard);
    rig.serve(program, "web", 1).await;
    assert_eq!(get(front, "[::1]", "/").await.body, "one");
    assert_eq!(backend.requests()[0].headers["x-forwarded-for"], "::1,::1");
    assert_eq!(get(front, "h", "/no").await.status, StatusCode::FORBIDDEN);
}
