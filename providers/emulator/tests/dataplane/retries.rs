//! Requests that are sent again.

use std::time::{Duration, Instant};

use emulator::dataplane::program::{
    BackendProtocol, ProbePort, Program, RetryCondition, RetryPolicy, RouteAction, Scheme,
};
use http::StatusCode;
use tokio::net::TcpListener;

use crate::backends::Backend;
use crate::client::{get, post};
use crate::programs::{acting, everything_to, managed, map_id, plain, with_check, with_service};
use crate::rig::{Rig, free_socket, own_address};

fn policy(retries: u32, conditions: &[RetryCondition]) -> RetryPolicy {
    RetryPolicy { retries, per_try: None, conditions: conditions.to_vec() }
}

fn retrying(mut program: Program, retry: RetryPolicy, timeout: Option<Duration>) -> Program {
    let action = RouteAction { retry: Some(retry), timeout, ..RouteAction::default() };
    program.url_maps.insert(map_id("m"), everything_to(acting(action)));
    managed(program)
}

#[tokio::test]
async fn answers_are_retried_as_often_as_allowed_with_the_whole_body() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    let with = |retry| retrying(plain(front, &[backend.socket]), retry, None);
    rig.serve(with(policy(2, &[RetryCondition::ServerError])), "web", 1).await;

    backend.fail_next(&[503, 500]);
    let answer = post(front, "h", "/x", "the body").await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "one"));
    assert_eq!(backend.bodies(), ["the body"; 3]);

    backend.fail_next(&[503, 503, 503, 503]);
    assert_eq!(post(front, "h", "/x", "").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(backend.requests().len(), 6, "once and two retries");

    // Too large to be kept: sent once.
    backend.fail_next(&[503]);
    let large = "x".repeat(100_000);
    assert_eq!(post(front, "h", "/x", large.clone()).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(backend.bodies().last(), Some(&large));
    assert_eq!(backend.requests().len(), 7);

    rig.apply(with(policy(2, &[RetryCondition::GatewayError]))).await;
    backend.fail_next(&[500]);
    assert_eq!(get(front, "h", "/x").await.status, StatusCode::INTERNAL_SERVER_ERROR, "no gateway error");

    let mut classic = with(policy(2, &[RetryCondition::ServerError]));
    for frontend in &mut classic.frontends {
        frontend.scheme = Scheme::Classic;
    }
    rig.apply(classic).await;
    backend.fail_next(&[503]);
    assert_eq!(get(front, "h", "/x").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn another_endpoint_is_tried_when_one_cannot_be_reached() {
    let front = free_socket();
    let (rig, one, two) = (Rig::new(), Backend::start("one").await, Backend::start("two").await);
    let program = plain(front, &[one.socket, two.socket]);
    // Probes go elsewhere, so that the dead endpoint counts as healthy.
    let probed = Backend::start("probed").await;
    let program = with_check(program, |check| check.port = ProbePort::Fixed(probed.socket.port()));
    let all = Backend::start_at(one.socket.ip(), probed.socket.port()).await;
    let other = Backend::start_at(two.socket.ip(), probed.socket.port()).await;
    let retry = policy(1, &[RetryCondition::ConnectFailure]);
    rig.serve(retrying(program.clone(), retry, None), "web", 2).await;
    drop(one);
    for _ in 0..6 {
        assert_eq!(get(front, "h", "/x").await.body, "two");
    }
    rig.apply(managed(program)).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(get(front, "h", "/x").await.status.as_u16());
    }
    assert!(
        statuses.contains(&502) && statuses.contains(&200),
        "without a policy nothing is retried: {statuses:?}"
    );
    drop((all, other));
}

#[tokio::test]
async fn each_try_has_its_time_and_all_of_them_together_have_theirs() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    let per_try = Duration::from_millis(200);
    let with = |retries, timeout| {
        let retry =
            RetryPolicy { per_try: Some(per_try), ..policy(retries, &[RetryCondition::GatewayError]) };
        retrying(plain(front, &[backend.socket]), retry, timeout)
    };
    rig.serve(with(1, None), "web", 1).await;
    let begun = Instant::now();
    assert_eq!(get(front, "h", "/hold").await.status, StatusCode::GATEWAY_TIMEOUT);
    assert!(begun.elapsed() >= 2 * per_try);
    assert_eq!(backend.requests().len(), 2);

    let whole = per_try * 3;
    rig.apply(with(1000, Some(whole))).await;
    let begun = Instant::now();
    assert_eq!(get(front, "h", "/hold").await.status, StatusCode::GATEWAY_TIMEOUT);
    assert!(begun.elapsed() >= whole);
    let sent = backend.requests().len() - 2;
    assert!((2..=3).contains(&sent), "{sent}");
}

#[tokio::test]
async fn a_refused_stream_is_sent_again() {
    let listener = TcpListener::bind((own_address(), 0)).await.unwrap();
    let socket = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let mut refused = 0;
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let mut connection = h2::server::handshake(stream).await.unwrap();
            while let Some(Ok((_, mut answer))) = connection.accept().await {
                if refused == 0 {
                    refused += 1;
                    answer.send_reset(h2::Reason::REFUSED_STREAM);
                } else {
                    answer.send_response(http::Response::new(()), true).unwrap();
                }
            }
        }
    });
    let (rig, front) = (Rig::new(), free_socket());
    let probed = Backend::start_at(socket.ip(), 0).await;
    let program = with_service(plain(front, &[socket]), |service| service.protocol = BackendProtocol::H2c);
    let program = with_check(program, |check| check.port = ProbePort::Fixed(probed.socket.port()));
    rig.serve(retrying(program, policy(1, &[RetryCondition::RefusedStream]), None), "web", 1).await;
    assert_eq!(get(front, "h", "/x").await.status, StatusCode::OK);
    server.abort();
}
