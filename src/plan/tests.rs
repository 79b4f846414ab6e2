//! One test for each rule of planning.

mod addresses;
mod cluster;
pub(crate) mod fixture;
mod order;
mod retention;
pub(crate) mod schema;
mod speed;
mod text;
mod verbs;

use super::*;
use fixture::{World, done, http, https, walkthrough};

#[test]
fn what_is_as_it_should_be_needs_nothing() {
    let mut world = walkthrough();
    world.pods("web", 700);
    world.serve("second", &http(&["web", "echo"]));
    let observed = world.observed();
    assert_eq!(observed.graph, world.translation.desired);
    let plan = plan(&world.translation, &observed);
    assert!(plan.is_empty() && plan.blocked.is_empty() && plan.leaks.is_empty(), "{plan}");
}

#[test]
fn equal_input_gives_an_equal_plan() {
    let world = walkthrough();
    let mut other = World::new();
    other.node_port("echo", 30001);
    other.serve("test", &https(&["echo"], &[("tls", "b")]));
    let observed = other.observed();
    let (one, two) = (plan(&world.translation, &observed), plan(&world.translation, &observed));
    assert_eq!(format!("{one:?}"), format!("{two:?}"));
    assert_eq!(
        order(&one).iter().map(|at| at.index()).collect::<Vec<_>>(),
        (0..one.graph.node_count()).collect::<Vec<_>>(),
        "changes are numbered in their order"
    );
}

#[test]
fn an_address_is_known_when_the_cloud_has_named_it() {
    let world = walkthrough();
    let after = done(&Observed::default(), &plan(&world.translation, &Observed::default()));
    let of = |kind, name| after.facts[&fixture::id(kind, name)].address;
    assert_eq!(of(crate::model::Kind::Address, "ip-test"), Some([203, 0, 113, 1].into()));
    assert_eq!(of(crate::model::Kind::ForwardingRule, "fr-test-443"), Some([203, 0, 113, 1].into()));
    let without = simulate(&Observed::default(), &plan(&world.translation, &Observed::default()));
    assert_eq!(without.facts[&fixture::id(crate::model::Kind::Address, "ip-test")].address, None);
}

#[test]
fn what_is_pending_shrinks_to_nothing() {
    let mut before = World::new();
    before.pods("web", 3);
    before.serve("test", &https(&["web"], &[("tls", "a")]));
    let mut after = World::new();
    after.node_port("echo", 30001);
    after.pods("web", 2);
    after.serve("test", &https(&["web", "echo"], &[("tls", "b")]));
    after.serve("second", &http(&["echo"]));
    let mut observed = before.observed();
    let plan = plan(&after.translation, &observed);
    let mut left = plan.pending(&observed).len();
    assert_eq!(
        left,
        plan.graph.node_count() - 1,
        "at first all is pending; of the url map's two updates the last"
    );
    let mut warmed = false;
    for at in order(&plan) {
        step(&mut observed, &plan.graph[at], |_| None);
        let warms = !warmed && plan.graph[at].id == fixture::id(crate::model::Kind::UrlMap, "um-test");
        warmed |= warms;
        left -= usize::from(!warms);
        assert_eq!(plan.pending(&observed).len(), left);
    }
    assert_eq!(left, 0);
}
