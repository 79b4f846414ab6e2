//! Security policies: who is let through, before a backend is chosen.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use emulator::dataplane::expression::Expression;
use emulator::dataplane::program::{
    Force, Guard, SecurityAction, SecurityMatch, SecurityPolicy, SecurityRule,
};
use emulator::dataplane::resource_id::SecurityPolicyId;
use http::{Request, StatusCode};
use http_body_util::Empty;

use crate::backends::Backend;
use crate::client::{Answer, get_from};
use crate::programs::{plain, with_service};
use crate::rig::{Rig, free_socket};

/// Of these rules, by priority: 10, 20, and so on.
pub(crate) fn policy(name: &str, rules: Vec<(SecurityMatch, SecurityAction, Force)>) -> Arc<SecurityPolicy> {
    let rules = (1..).zip(rules).map(|(place, (matcher, action, force))| SecurityRule {
        priority: place * 10,
        matcher,
        action,
        force,
        headers: Vec::new(),
    });
    let id = SecurityPolicyId::new(format!("projects/p/global/securityPolicies/{name}"));
    Arc::new(SecurityPolicy { id, rules: rules.collect() })
}

pub(crate) fn when(expression: &str) -> SecurityMatch {
    SecurityMatch::Expression(Box::new(Expression::parse(expression).unwrap()))
}

pub(crate) fn deny(status: u16) -> SecurityAction {
    SecurityAction::Deny(StatusCode::from_u16(status).unwrap())
}

async fn ask(client: [u8; 4], front: SocketAddr, path: &str) -> Answer {
    let request = Request::get(path).header("host", "h").body(Empty::new()).unwrap();
    get_from(IpAddr::from(client), front, request).await
}

#[tokio::test]
async fn the_first_rule_that_speaks_of_a_client_decides() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    let ranges =
        |ranges: &[&str]| SecurityMatch::Sources(ranges.iter().map(|range| range.parse().unwrap()).collect());
    let rules = vec![
        (ranges(&["127.81.1.0/24", "127.81.2.7/32"]), SecurityAction::Allow, Force::Enforced),
        (ranges(&["127.81.0.0/16"]), deny(404), Force::Enforced),
        (
            when("request.path.startsWith('/admin') && !has(request.headers['x-key'])"),
            deny(502),
            Force::Enforced,
        ),
        (
            when("request.path == '/old'"),
            SecurityAction::Redirect("https://new.example/".to_owned()),
            Force::Enforced,
        ),
        (when("inIpRange(origin.ip, '127.82.0.0/16')"), SecurityAction::Allow, Force::Enforced),
        (SecurityMatch::Everybody, deny(403), Force::Enforced),
    ];
    let guard = Guard { edge: None, backend: Some(policy("armor", rules)) };
    let open = plain(front, &[backend.socket]);
    rig.serve(with_service(open.clone(), |service| service.guard = guard), "web", 1).await;
    for (client, path, status) in [
        ([127, 81, 1, 5], "/", 200),
        ([127, 81, 2, 7], "/", 200),
        ([127, 81, 2, 8], "/", 404),
        // The first rule speaks of it, so nobody asks the third.
        ([127, 81, 1, 5], "/admin", 200),
        ([127, 82, 0, 1], "/admin/x", 502),
        ([127, 82, 0, 1], "/", 200),
        ([127, 82, 0, 1], "/old", 302),
        ([127, 83, 0, 1], "/", 403),
    ] {
        let before = backend.requests().len();
        let answer = ask(client, front, path).await;
        assert_eq!(answer.status.as_u16(), status, "{client:?} {path}");
        let reached = backend.requests().len() - before;
        assert_eq!(reached, usize::from(status == 200), "{client:?} {path}");
        if status == 302 {
            assert_eq!(answer.header("location"), "https://new.example/");
        }
    }
    // It is the other end of the connection that counts, not what a client claims.
    let request = Request::get("/")
        .header("host", "h")
        .header("x-forwarded-for", "127.81.1.5")
        .body(Empty::new())
        .unwrap();
    assert_eq!(get_from([127, 83, 0, 1].into(), front, request).await.status, StatusCode::FORBIDDEN);
    // Without a policy everybody is let through, at once.
    rig.apply(open).await;
    assert_eq!(ask([127, 83, 0, 1], front, "/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_denial_needs_no_healthy_backend_and_a_preview_denies_nobody() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    let guarded = |endpoints: &[SocketAddr], force| {
        let rules = vec![(SecurityMatch::Everybody, deny(403), force)];
        let guard = Guard { edge: None, backend: Some(policy("armor", rules)) };
        with_service(plain(front, endpoints), |service| service.guard = guard)
    };
    rig.apply(guarded(&[], Force::Enforced)).await;
    assert_eq!(ask([127, 0, 0, 1], front, "/").await.status, StatusCode::FORBIDDEN);
    rig.serve(guarded(&[backend.socket], Force::Preview), "web", 1).await;
    assert_eq!(ask([127, 0, 0, 1], front, "/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_edge_is_asked_first_and_both_must_let_a_request_through() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    let only = |path: &str, status| {
        policy(path, vec![(when(&format!("request.path == '/{path}'")), deny(status), Force::Enforced)])
    };
    let guard = Guard { edge: Some(only("edge", 404)), backend: Some(only("inner", 403)) };
    rig.serve(with_service(plain(front, &[backend.socket]), |service| service.guard = guard), "web", 1).await;
    for (path, status) in [("/edge", 404), ("/inner", 403), ("/", 200)] {
        assert_eq!(ask([127, 0, 0, 1], front, path).await.status.as_u16(), status, "{path}");
    }
}

#[tokio::test]
async fn the_rule_that_lets_a_request_through_may_mark_it() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    let rules = vec![
        (when("request.path == '/tried'"), SecurityAction::Allow, Force::Preview),
        (when("request.path.startsWith('/t')"), SecurityAction::Allow, Force::Enforced),
    ];
    let mut armor = SecurityPolicy::clone(&policy("armor", rules));
    for (rule, value) in armor.rules.iter_mut().zip(["preview", "enforced"]) {
        rule.headers = vec![("x-armor".parse().unwrap(), value.parse().unwrap())];
    }
    let guard = Guard { edge: None, backend: Some(Arc::new(armor)) };
    rig.serve(with_service(plain(front, &[backend.socket]), |service| service.guard = guard), "web", 1).await;
    for (path, marks) in [("/tried", vec!["enforced"]), ("/other", vec!["forged"])] {
        let request = Request::get(path).header("host", "h").header("x-armor", "forged").body(Empty::new());
        assert_eq!(get_from([127, 0, 0, 1].into(), front, request.unwrap()).await.status, StatusCode::OK);
        let seen = backend.requests().pop().unwrap();
        let found: Vec<_> =
            seen.headers.get_all("x-armor").iter().map(|value| value.to_str().unwrap()).collect();
        assert_eq!(found, marks, "{path}");
    }
}
