use std::sync::Arc;

use super::*;
use crate::cloud::Executed;
use crate::cloud::fixture::{Scripted, change, id, mark, seen};
use crate::model::{BackendProtocol, Entry, Facts, Kind, Scheme};
use crate::plan::Action;

fn service() -> BackendService {
    BackendService {
        scheme: Scheme::ExternalManaged,
        protocol: BackendProtocol::Http,
        port_name: None,
        backends: Vec::new(),
        health_check: None,
        policy: crate::model::BackendPolicy::default(),
    }
}

/// A cloud whose services all have this health, and a mirror that knows `new` and `old`.
fn world(healthy: usize, total: usize) -> (Arc<Scripted>, Mirror) {
    let (cloud, mirror) = (Arc::new(Scripted::default()), Mirror::default());
    *cloud.health.lock().unwrap() = ServiceHealth { healthy, total };
    for name in ["new", "old"] {
        let (id, node) = (id(Kind::BackendService, name), service().into_node());
        let seen = seen(&id, Entry { mark: mark(), node: node.clone() }, Facts::default());
        mirror.wrote(&change(id, Action::Create(node)), Executed::Present(seen));
    }
    (cloud, mirror)
}

/// Asks every second until it is over, or has been waited for for long.
async fn wait(cloud: &Scripted, mirror: &Mirror, instead_of: &[&str]) -> (Answer, Duration) {
    let (began, waits) = (Instant::now(), Waits::default());
    let instead_of = instead_of.iter().map(|name| id(Kind::BackendService, name)).collect();
    loop {
        let answer = ask(&id(Kind::BackendService, "new"), &instead_of, cloud, mirror, &waits).await;
        if !matches!(answer, Answer::NotYet { long: false, .. }) {
            return (answer, began.elapsed());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_well_is_waited_for_no_longer() {
    let (cloud, mirror) = world(3, 3);
    assert_eq!(wait(&cloud, &mirror, &[]).await, (Answer::Over, Duration::ZERO));
    assert_eq!(mirror.observed().health[&id(Kind::BackendService, "new")], Wellness::Well);
    assert_eq!(cloud.asked(), ["health new"]);
}

#[tokio::test(start_paused = true)]
async fn the_rest_is_waited_for_only_while_more_become_well() {
    let (cloud, mirror) = world(1, 100);
    assert_eq!(wait(&cloud, &mirror, &[]).await, (Answer::Over, SETTLED));
}

#[tokio::test(start_paused = true)]
async fn what_does_not_become_well_is_said_to_be_waited_for() {
    let (cloud, mirror) = world(0, 2);
    let (answer, took) = wait(&cloud, &mirror, &[]).await;
    let Answer::NotYet { message, long: true } = answer else { panic!("{answer:?}") };
    assert!(message.contains("0 of 2 backends"), "{message}");
    assert_eq!(took, LONG);
    assert_eq!(mirror.observed().health[&id(Kind::BackendService, "new")], Wellness::Unwell);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_waited_for_where_nobody_answers_anyway() {
    let (cloud, mirror) = world(0, 2);
    assert_eq!(wait(&cloud, &mirror, &["old"]).await, (Answer::Over, Duration::ZERO));
    assert_eq!(mirror.observed().health[&id(Kind::BackendService, "old")], Wellness::Unwell);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_known_is_neither_well_nor_unwell() {
    let (cloud, mirror) = world(0, 0);
    let (answer, _) = wait(&cloud, &mirror, &["old"]).await;
    assert!(matches!(answer, Answer::NotYet { long: true, .. }));
    assert!(mirror.observed().health.is_empty());
}
