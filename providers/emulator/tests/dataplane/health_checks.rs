//! Probing.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use emulator::Clock;
use emulator::dataplane::program::{
    Destination, HttpProbe, HttpVersion, Payload, Preamble, Probe, ProbePort, Redirect, Transport,
};
use emulator::dataplane::{DataPlaneConfig, EndpointHealth, FirstProbe, HealthState};
use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::backends::Backend;
use crate::client::get;
use crate::programs::{
    check_id, everything_to, group, group_id, health_check, managed, map_id, plain, service, service_id,
    with_check, with_service,
};
use crate::rig::{Rig, config, eventually, free_socket, own_address};

fn all(state: HealthState) -> impl Fn(&[EndpointHealth]) -> bool {
    move |health| !health.is_empty() && health.iter().all(|endpoint| endpoint.state == state)
}

#[tokio::test]
async fn health_follows_the_backend_and_traffic_follows_health() {
    let (rig, one, two, front) =
        (Rig::new(), Backend::start("one").await, Backend::start("two").await, free_socket());
    let program = plain(front, &[one.socket, two.socket]);
    rig.serve(program.clone(), "web", 2).await;

    one.set_healthy(false);
    rig.wait_healthy("web", "g1", 1).await;
    for _ in 0..4 {
        assert_eq!(get(front, "h", "/").await.body, "two");
    }
    two.set_healthy(false);
    let health = rig.wait_health("web", "g1", "none healthy", all(HealthState::Unhealthy)).await;
    assert!(health[0].last_failure.as_deref().unwrap().contains("503"), "{health:?}");
    assert_eq!(get(front, "h", "/").await.status, StatusCode::BAD_GATEWAY, "classic");
    rig.apply(managed(program)).await;
    assert_eq!(get(front, "h", "/").await.status, StatusCode::SERVICE_UNAVAILABLE, "managed");

    one.set_healthy(true);
    rig.wait_healthy("web", "g1", 1).await;
    assert_eq!(get(front, "h", "/").await.body, "one");
}

#[tokio::test]
async fn a_new_endpoint_gets_no_traffic_before_its_threshold() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    // The first probe comes at once, the second never.
    let slow = with_check(plain(front, &[backend.socket]), |check| check.interval = Duration::from_hours(9));
    rig.apply(slow.clone()).await;
    assert_eq!(get(front, "h", "/").await.status, StatusCode::BAD_GATEWAY);
    eventually("the first probe", || !backend.probes().is_empty()).await;
    assert_eq!(rig.plane.health(&service_id("web"), &group_id("g1"))[0].state, HealthState::Unhealthy);
    assert_eq!(get(front, "h", "/").await.status, StatusCode::BAD_GATEWAY);
    // Editing the interval takes effect without waiting the old one out.
    rig.serve(plain(front, &[backend.socket]), "web", 1).await;
    assert_eq!(get(front, "h", "/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_first_probe_can_be_as_late_as_it_can_be_with_google() {
    let clock = Clock::default();
    clock.hold();
    let rig = Rig::with(DataPlaneConfig {
        first_probe: FirstProbe::AfterInterval,
        health_time_scale: 1.0,
        clock: clock.clone(),
        ..config()
    });
    let (backend, front) = (Backend::start("one").await, free_socket());
    let program = with_check(plain(front, &[backend.socket]), |check| {
        check.interval = Duration::from_secs(5);
        check.healthy_threshold = 1;
    });
    rig.apply(program).await;
    clock.step(Duration::from_secs(4)).await;
    assert_eq!(backend.probes().len(), 0);
    assert_eq!(get(front, "h", "/").await.status, StatusCode::BAD_GATEWAY);
    clock.step(Duration::from_secs(1)).await;
    assert_eq!(backend.probes().len(), 1);
    assert_eq!(get(front, "h", "/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_probe_says_who_it_is_and_asks_for_the_endpoints_own_address() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    let program = plain(front, &[backend.socket]);
    rig.serve(program.clone(), "web", 1).await;
    let probe = backend.probes()[0].clone();
    assert_eq!((probe.method.as_str(), probe.uri.as_str()), ("GET", "/healthz"));
    assert_eq!(probe.headers["user-agent"], "GoogleHC/1.0");
    let [_, b, c, d] = match backend.socket {
        SocketAddr::V4(socket) => socket.ip().octets(),
        SocketAddr::V6(_) => unreachable!("tests use IPv4"),
    };
    assert_eq!(probe.headers["host"], format!("10.{b}.{c}.{d}").as_str());

    let program = with_check(program, |check| {
        check.probe = Probe::Http(HttpProbe {
            transport: Transport::Plain,
            version: HttpVersion::Http1,
            host: Some("probe.example".to_owned()),
            path: "/other?x=y".to_owned(),
            response: None,
        });
    });
    rig.apply(program).await;
    eventually("the edited probe", || backend.probes().last().is_some_and(|probe| probe.uri == "/other?x=y"))
        .await;
    assert_eq!(backend.probes().last().unwrap().headers["host"], "probe.example");
}

#[tokio::test]
async fn a_service_is_probed_only_while_a_frontend_reaches_it() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    let clock = Backend::start("clock").await;
    let mut program = plain(front, &[backend.socket]);
    program.backend_services.insert(service_id("clock"), {
        let mut clock = service();
        clock.backends[0].group = group_id("g2");
        clock
    });
    program.groups.insert(group_id("g2"), group(&[clock.socket]));
    rig.serve(program.clone(), "web", 1).await;

    // As the compiler makes it: a service that no URL map reaches is not in the program.
    let mut unreached = program.clone();
    unreached.url_maps.insert(map_id("m"), everything_to(Destination::Redirect(Redirect::default())));
    unreached.backend_services.remove(&service_id("web"));
    rig.apply(unreached).await;
    assert_eq!(rig.plane.health(&service_id("web"), &group_id("g1")), []);
    // The last probe may be under way; nothing comes after it.
    let connections = || backend.state.connections.load(Ordering::Relaxed);
    let after = connections();
    let ticks = clock.probes().len();
    eventually("ten intervals", || clock.probes().len() >= ticks + 10).await;
    assert!(connections() <= after + 1, "ten intervals without a probe");

    // Reached again, it begins again from nothing.
    rig.apply(with_check(program, |check| check.healthy_threshold = 1_000_000)).await;
    assert_eq!(rig.plane.health(&service_id("web"), &group_id("g1"))[0].state, HealthState::Unhealthy);
}

#[tokio::test]
async fn health_outlives_new_programs_but_not_another_health_check() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    let program = plain(front, &[backend.socket]);
    rig.serve(program.clone(), "web", 1).await;
    let state = || rig.plane.health(&service_id("web"), &group_id("g1"))[0].state;

    // An edit of the check in place keeps the state, though this one could never bring it about.
    let edited = with_check(program.clone(), |check| check.healthy_threshold = 1_000_000);
    rig.apply(edited.clone()).await;
    assert_eq!(state(), HealthState::Healthy);
    let more = plain(front, &[backend.socket, own_socket().await]);
    rig.apply(more).await;
    assert_eq!(state(), HealthState::Healthy);

    let mut other = with_service(edited, |service| service.health_check = Some(check_id("another")));
    let check = other.health_checks.remove(&check_id("hc")).unwrap();
    other.health_checks.insert(check_id("another"), check);
    rig.apply(other).await;
    assert_eq!(state(), HealthState::Unhealthy);
}

/// A socket on which nobody listens.
async fn own_socket() -> SocketAddr {
    TcpListener::bind((own_address(), 0)).await.unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn the_probed_port_can_be_another_than_the_serving_port() {
    let (rig, serving, probed, front) =
        (Rig::new(), Backend::start("serving").await, Backend::start("probed").await, free_socket());
    // Probes go to the serving address with the fixed port, so that port must be open there.
    let fixed = TcpListener::bind((serving.socket.ip(), 0)).await.unwrap();
    let port = fixed.local_addr().unwrap().port();
    let forward = tokio::spawn(async move {
        loop {
            let (mut from, _) = fixed.accept().await.unwrap();
            let target = probed.socket;
            tokio::spawn(async move {
                let mut to = tokio::net::TcpStream::connect(target).await.unwrap();
                drop(tokio::io::copy_bidirectional(&mut from, &mut to).await);
            });
        }
    });
    let program = with_check(plain(front, &[serving.socket]), |check| check.port = ProbePort::Fixed(port));
    rig.serve(program, "web", 1).await;
    assert_eq!(serving.probes().len(), 0);
    assert_eq!(get(front, "h", "/").await.body, "serving");
    assert_eq!(rig.plane.health(&service_id("web"), &group_id("g1"))[0].port, serving.socket.port());
    forward.abort();
}

#[tokio::test]
async fn every_kind_of_probe_finds_a_good_backend() {
    let plain_backend = Backend::start("plain").await;
    let tls_backend = Backend::start_tls("tls").await;
    let http = |transport, version, response: Option<&str>| {
        Probe::Http(HttpProbe {
            transport,
            version,
            host: None,
            path: "/healthz".to_owned(),
            response: response.map(str::to_owned),
        })
    };
    let connect = |transport| Probe::Connect { transport, payload: Payload::default() };
    for (backend, probe) in [
        (&plain_backend, http(Transport::Plain, HttpVersion::Http1, Some("is well"))),
        (&plain_backend, connect(Transport::Plain)),
        (&tls_backend, http(Transport::Tls, HttpVersion::Http1, None)),
        (&tls_backend, http(Transport::Tls, HttpVersion::Http2, Some("all"))),
        (&tls_backend, connect(Transport::Tls)),
    ] {
        let (rig, front) = (Rig::new(), free_socket());
        let program = with_check(plain(front, &[backend.socket]), |check| check.probe = probe.clone());
        rig.serve(program, "web", 1).await;
        rig.plane.shutdown().await;
    }
}

#[tokio::test]
async fn every_kind_of_probe_sees_what_is_wrong() {
    let backend = Backend::start("plain").await;
    let http = |response: Option<&str>, transport| {
        Probe::Http(HttpProbe {
            transport,
            version: HttpVersion::Http1,
            host: None,
            path: "/healthz".to_owned(),
            response: response.map(str::to_owned),
        })
    };
    for (probe, failure) in [
        (http(Some("something else"), Transport::Plain), "does not contain"),
        (http(None, Transport::Tls), "starting TLS"),
        (
            Probe::Connect {
                transport: Transport::Plain,
                payload: Payload {
                    request: Some("GET / HTTP/1.0\r\n\r\n".to_owned()),
                    response: Some("SSH-2.0".to_owned()),
                },
            },
            "does not begin",
        ),
        (
            Probe::Grpc { transport: Transport::Plain, service: "x".to_owned() },
            "gRPC health service did not answer SERVING",
        ),
    ] {
        let (rig, front) = (Rig::new(), free_socket());
        rig.apply(with_check(plain(front, &[backend.socket]), |check| check.probe = probe.clone())).await;
        let told = || rig.plane.health(&service_id("web"), &group_id("g1"))[0].last_failure.clone();
        eventually("a failure", || told().is_some()).await;
        assert!(told().unwrap().contains(failure), "{probe:?}: {:?}", told());
    }
    // Nobody listens; and somebody listens but says nothing.
    let silent = TcpListener::bind((own_address(), 0)).await.unwrap();
    for (socket, failure) in
        [(own_socket().await, "connecting to"), (silent.local_addr().unwrap(), "no answer within 50ms")]
    {
        let (rig, front) = (Rig::new(), free_socket());
        rig.apply(with_check(plain(front, &[socket]), |check| check.timeout = Duration::from_millis(50)))
            .await;
        let told = || rig.plane.health(&service_id("web"), &group_id("g1"))[0].last_failure.clone();
        eventually("a failure", || told().is_some()).await;
        assert!(told().unwrap().contains(failure), "{:?}", told());
    }
}

#[tokio::test]
async fn a_tcp_probe_may_exchange_text() {
    let listener = TcpListener::bind((own_address(), 0)).await.unwrap();
    let (rig, front, socket) = (Rig::new(), free_socket(), listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = [0; 4];
            if stream.read_exact(&mut asked).await.is_ok() && &asked == b"ping" {
                drop(stream.write_all(b"pong and more").await);
            }
        }
    });
    let program = with_check(plain(front, &[socket]), |check| {
        check.probe = Probe::Connect {
            transport: Transport::Plain,
            payload: Payload { request: Some("ping".to_owned()), response: Some("pong".to_owned()) },
        };
    });
    rig.serve(program, "web", 1).await;
    server.abort();
}

#[tokio::test]
async fn a_probe_may_begin_with_the_line_of_the_proxy_protocol() {
    let listener = TcpListener::bind((own_address(), 0)).await.unwrap();
    let (rig, front, socket) = (Rig::new(), free_socket(), listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = [0; 23];
            if stream.read_exact(&mut asked).await.is_ok() && &asked == b"PROXY UNKNOWN\r\nGET /hea" {
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                drop(stream.write_all(answer).await);
                // Until the other end closes, so that nothing unread cuts the answer short.
                drop(stream.read_to_end(&mut Vec::new()).await);
            }
        }
    });
    let program = with_check(plain(front, &[socket]), |check| check.preamble = Preamble::ProxyUnknown);
    rig.serve(program, "web", 1).await;
    server.abort();
}

#[tokio::test]
async fn an_address_outside_loopback_is_never_dialled() {
    let (rig, front) = (Rig::new(), free_socket());
    let mut program = plain(front, &[]);
    program.groups.insert(
        group_id("g1"),
        emulator::dataplane::program::Group::NetworkEndpoints(
            emulator::dataplane::program::NetworkEndpoints::Outside(
                [emulator::dataplane::program::NetworkEndpoint {
                    instance: None,
                    address: "192.0.2.1".parse().unwrap(),
                    port: 80,
                }]
                .into(),
            ),
        ),
    );
    program.health_checks.insert(check_id("hc"), health_check());
    rig.apply(program).await;
    let told = || rig.plane.health(&service_id("web"), &group_id("g1"))[0].last_failure.clone();
    eventually("a failure", || told().is_some()).await;
    assert!(told().unwrap().contains("not a loopback address"), "{:?}", told());
}
