//! New programs under traffic.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use emulator::dataplane::program::{
    Destination, HeaderAction, HostPattern, HostRule, PathMatcher, Rules, UrlMap,
};
use http::StatusCode;
use tokio::task::JoinSet;

use crate::backends::Backend;
use crate::client::{Http1, get, get_http2, try_get};
use crate::programs::{
    everything_to, frontend, group, group_id, map_id, plain, service, service_id, with_service,
};
use crate::rig::{DEADLINE, Rig, eventually, free_socket};

/// Many programs, each changing something, while clients of every kind keep asking. No request may fail.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_request_fails_while_programs_change() {
    let rig = Arc::new(Rig::new());
    let front = free_socket();
    let (one, two, three) =
        (Backend::start("one").await, Backend::start("two").await, Backend::start("three").await);
    let base = {
        let mut program = plain(front, &[one.socket, two.socket]);
        program.backend_services.insert(service_id("other"), {
            let mut other = service();
            other.backends[0].group = group_id("g2");
            other
        });
        program.groups.insert(group_id("g2"), group(&[three.socket]));
        // Reached through a host that nobody asks for, so that it is warm.
        program.url_maps.insert(map_id("m"), Arc::new(both("web", "other")));
        program
    };
    rig.apply(base.clone()).await;
    rig.wait_healthy("web", "g1", 2).await;
    rig.wait_healthy("other", "g2", 1).await;

    let stop = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicUsize::new(0));
    let mut clients = JoinSet::new();
    for kind in 0..6 {
        let (stop, answered) = (stop.clone(), answered.clone());
        clients.spawn(async move {
            let mut kept = Http1::connect(front).await.unwrap();
            while !stop.load(Ordering::Relaxed) {
                let answer = match kind % 3 {
                    0 => kept.get("h", "/").await.unwrap(),
                    1 => try_get(front, "h", "/").await.unwrap(),
                    _ => get_http2(front, "h", "/").await,
                };
                assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
                answered.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    // As long as it takes until enough was asked meanwhile.
    for round in 0_u64.. {
        if round >= 300 && answered.load(Ordering::Relaxed) >= 300 {
            break;
        }
        if let Some(client) = clients.try_join_next() {
            panic!("a client ended before the others: {client:?}");
        }
        let mut program = base.clone();
        if round % 2 == 1 {
            program.url_maps.insert(map_id("m"), Arc::new(both("other", "web")));
        }
        if round % 3 == 1 {
            program.frontends.push(frontend("second", free_socket()));
        }
        if round % 5 == 1 {
            // Endpoints come that nobody listens on: unhealthy, so never used.
            program.groups.insert(group_id("g1"), group(&[one.socket, free_socket(), two.socket]));
        }
        let program = with_service(program, |service| service.timeout = Duration::from_secs(30 + round % 7));
        rig.apply(program).await;
    }
    stop.store(true, Ordering::Relaxed);
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
}

/// Everything to one service, another one kept warm behind a host of its own.
fn both(service: &str, warm: &str) -> UrlMap {
    UrlMap {
        id: map_id("m"),
        host_rules: vec![HostRule {
            hosts: vec![HostPattern::Exact { host: "warm.invalid".to_owned(), port: None }],
            path_matcher: "warm".to_owned(),
        }],
        path_matchers: [(
            "warm".to_owned(),
            PathMatcher {
                rules: Rules::Paths(Vec::new()),
                default: Destination::to_service(service_id(warm)),
                headers: HeaderAction::default(),
            },
        )]
        .into(),
        default: Destination::to_service(service_id(service)),
        headers: HeaderAction::default(),
    }
}

#[tokio::test]
async fn a_request_to_an_endpoint_that_is_taken_out_has_the_draining_time() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    let drained = |draining, endpoints: &[_]| {
        with_service(plain(front, endpoints), |service| service.draining = draining)
    };
    // None: cut at once.
    rig.serve(drained(Duration::ZERO, &[backend.socket]), "web", 1).await;
    let running = tokio::spawn(get(front, "h", "/hold"));
    backend.state.held.notified().await;
    rig.apply(drained(Duration::ZERO, &[])).await;
    assert_eq!(
        tokio::time::timeout(DEADLINE, running).await.unwrap().unwrap().status,
        StatusCode::BAD_GATEWAY
    );

    // Enough: it finishes, and nothing new goes there.
    rig.serve(drained(DEADLINE, &[backend.socket]), "web", 1).await;
    let running = tokio::spawn(get(front, "h", "/hold"));
    backend.state.held.notified().await;
    rig.apply(drained(DEADLINE, &[])).await;
    assert_eq!(get(front, "h", "/").await.status, StatusCode::BAD_GATEWAY);
    assert!(!running.is_finished());
    backend.state.release.add_permits(1);
    assert_eq!(running.await.unwrap().status, StatusCode::OK);

    // Too little: cut when it is over.
    let short = Duration::from_millis(100);
    rig.serve(drained(short, &[backend.socket]), "web", 1).await;
    let running = tokio::spawn(get(front, "h", "/hold"));
    backend.state.held.notified().await;
    let begun = std::time::Instant::now();
    rig.apply(drained(short, &[])).await;
    assert_eq!(
        tokio::time::timeout(DEADLINE, running).await.unwrap().unwrap().status,
        StatusCode::BAD_GATEWAY
    );
    assert!(begun.elapsed() >= short);
}

#[tokio::test]
async fn a_request_runs_on_when_its_service_is_no_longer_reached() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    let mut program = plain(front, &[backend.socket]);
    rig.serve(program.clone(), "web", 1).await;
    let running = tokio::spawn(get(front, "h", "/hold"));
    backend.state.held.notified().await;
    program.url_maps.insert(map_id("m"), everything_to(Destination::Unprogrammed("closed".to_owned())));
    program.backend_services.clear();
    rig.apply(program).await;
    assert_eq!(get(front, "h", "/").await.status, StatusCode::NOT_FOUND);
    assert!(!running.is_finished());
    backend.state.release.add_permits(1);
    assert_eq!(running.await.unwrap().status, StatusCode::OK);
    // Its connection is not kept for a service that is gone.
    eventually("the backend's connections to end", || Arc::strong_count(&backend.state) == 2).await;
}
