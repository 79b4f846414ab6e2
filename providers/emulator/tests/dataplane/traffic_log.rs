//! The log of requests.

use std::time::Duration;

use emulator::dataplane::DataPlaneConfig;
use emulator::dataplane::program::{Force, Guard, Logging, SecurityAction, SecurityMatch, Share};
use emulator::dataplane::traffic_log::{Detail, Entry, Reached};
use http::{Request, StatusCode};
use http_body_util::Empty;

use crate::backends::Backend;
use crate::client::{get, get_http2, send};
use crate::programs::{group_id, plain, rule_id, service_id, with_service};
use crate::rig::{Rig, cloud_address, config, free_socket};
use crate::security_policies::{deny, policy, when};

const ALL: Logging = Logging::Sampled(Share::ALL);

#[tokio::test]
async fn an_entry_says_who_asked_what_and_who_answered() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    let program = with_service(plain(front, &[backend.socket]), |service| {
        service.logging = ALL;
        service.timeout = Duration::from_millis(300);
    });
    rig.serve(program.clone(), "web", 1).await;
    let request =
        Request::get("/a?b=c").header("host", "shop.example").header("user-agent", "t/1").body(Empty::new());
    send(front, request.unwrap()).await.unwrap();
    get_http2(front, "shop.example", "/two").await;
    let late = get(front, "h", "/hold").await;
    assert_eq!(late.status, StatusCode::BAD_GATEWAY);
    backend.set_healthy(false);
    rig.wait_healthy("web", "g1", 0).await;
    get(front, "h", "/").await;

    let entries = rig.plane.traffic().entries_kept();
    let details: Vec<Detail> = entries.iter().map(|entry| entry.detail).collect();
    let expected = [Detail::ByBackend, Detail::ByBackend, Detail::BackendTimeout, Detail::NoHealthyBackend];
    assert_eq!(details, expected);
    let Entry { number, forwarding_rule, backend_service, asked, status, reached, said, .. } = &entries[0];
    assert_eq!((*number, forwarding_rule), (0, &rule_id("f")));
    assert_eq!((backend_service, *status), (&service_id("web"), StatusCode::OK));
    assert_eq!((asked.method.as_str(), asked.url.as_str()), ("GET", "http://shop.example/a?b=c"));
    assert_eq!((asked.protocol.as_str(), asked.user_agent.as_str()), ("HTTP/1.1", "t/1"));
    assert!(asked.client.ip().is_loopback());
    let Some(Reached { group, endpoint }) = reached else { panic!("a backend answered: {entries:?}") };
    assert_eq!(*group, group_id("g1"));
    let socket = backend.socket;
    assert_eq!((endpoint.address, endpoint.port), (cloud_address(socket.ip()), socket.port()));
    assert_eq!(*said, []);
    assert_eq!((entries[1].number, entries[1].asked.protocol.as_str()), (1, "HTTP/2"));
    assert_eq!((entries[2].status, &entries[2].reached), (StatusCode::BAD_GATEWAY, &None));

    rig.plane.traffic().clear();
    get(front, "h", "/").await;
    let numbers: Vec<u64> = rig.plane.traffic().entries_kept().iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, [4], "numbers go on");
}

#[tokio::test]
async fn the_log_has_the_share_that_was_asked_for_and_no_more_than_it_keeps() {
    let rig = Rig::with(DataPlaneConfig { traffic_log: 150, ..config() });
    let (backend, front) = (Backend::start("one").await, free_socket());
    let logging =
        |logging| with_service(plain(front, &[backend.socket]), |service| service.logging = logging);
    rig.serve(logging(Logging::Off), "web", 1).await;
    get(front, "h", "/").await;
    assert_eq!(rig.plane.traffic().entries_kept(), []);
    rig.apply(logging(Logging::Sampled(Share { per_million: 250_000 }))).await;
    for _ in 0..200 {
        get(front, "h", "/").await;
    }
    // Of a fair coin of one in four this misses once in 10^9.
    let logged = rig.plane.traffic().entries_kept().len();
    assert!((15..=90).contains(&logged), "{logged}");
    rig.apply(logging(ALL)).await;
    for _ in 0..200 {
        get(front, "h", "/").await;
    }
    let kept = rig.plane.traffic().entries_kept();
    assert_eq!(kept.len(), 150);
    assert!(kept.windows(2).all(|pair| pair[0].number + 1 == pair[1].number), "the last ones, in order");
}

#[tokio::test]
async fn what_security_policies_said_is_logged_and_what_a_preview_would_have_done() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    let rules = vec![
        (when("request.path == '/tried'"), deny(404), Force::Preview),
        (when("request.path.startsWith('/tr')"), deny(502), Force::Preview),
        (when("request.path == '/never'"), deny(403), Force::Enforced),
        (SecurityMatch::Everybody, SecurityAction::Allow, Force::Enforced),
    ];
    let guard = Guard { edge: None, backend: Some(policy("armor", rules)) };
    let program = with_service(plain(front, &[backend.socket]), |service| {
        service.guard = guard;
        service.logging = ALL;
    });
    rig.serve(program, "web", 1).await;
    for (path, status, detail, said) in [
        ("/", 200, Detail::ByBackend, vec![(40, "ALLOW", Force::Enforced)]),
        ("/never", 403, Detail::DeniedBySecurityPolicy, vec![(30, "DENY", Force::Enforced)]),
        (
            "/tried",
            200,
            Detail::ByBackend,
            vec![(10, "DENY", Force::Preview), (40, "ALLOW", Force::Enforced)],
        ),
    ] {
        assert_eq!(get(front, "h", path).await.status.as_u16(), status, "{path}");
        let entry = rig.plane.traffic().entries_kept().pop().unwrap();
        assert_eq!((entry.status.as_u16(), entry.detail), (status, detail), "{path}");
        let found: Vec<_> = entry.said.iter().map(|said| (said.priority, said.action, said.force)).collect();
        assert_eq!(found, said, "{path}");
    }
}
