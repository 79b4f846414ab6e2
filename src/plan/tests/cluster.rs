//! What the cluster's own resources allow: widened first, narrowed last, and never narrowed while somebody may need it.

use std::collections::BTreeSet;

use crate::model::{Firewall, Kind, Node};
use crate::plan::plan;
use crate::translate::Disposition;

use super::fixture::{World, changed, http, id, steps, tamper, walkthrough};

fn ports(ports: &[u16]) -> World {
    let mut world = World::new();
    for port in ports {
        world.node_port(&format!("s{port}"), *port);
        world.serve(&format!("l{port}"), &http(&[&format!("s{port}")]));
    }
    world
}

#[test]
fn opening_takes_one_call() {
    let plan = plan(&ports(&[30001, 30002]).translation, &ports(&[30001]).observed());
    assert_eq!(changed(&plan, "fw"), ["patch allowed.ports: 30001 -> 30001, 30002"]);
    assert_eq!(
        changed(&plan, "ig"),
        ["setNamedPorts namedPorts: port30001:30001 -> port30001:30001, port30002:30002"]
    );
}

#[test]
fn closing_takes_one_call_at_the_end() {
    let mut world = ports(&[30001]);
    world.dispose("l30002", Disposition::TearDown);
    let plan = plan(&world.translation, &ports(&[30001, 30002]).observed());
    assert_eq!(changed(&plan, "fw"), ["patch allowed.ports: 30001, 30002 -> 30001"]);
    // Of what is left to wait for, nothing waits for the firewall rule.
    let fw = plan.graph.node_indices().find(|at| plan.graph[*at].id == id(Kind::Firewall, "fw")).unwrap();
    assert_eq!(plan.graph.neighbors(fw).count(), 0);
    assert_eq!(
        plan.graph.neighbors_directed(fw, petgraph::Direction::Incoming).count(),
        plan.graph.node_count() - 1
    );
}

#[test]
fn opening_and_closing_takes_two_calls() {
    let mut world = ports(&[30002]);
    world.dispose("l30001", Disposition::TearDown);
    let plan = plan(&world.translation, &ports(&[30001]).observed());
    assert_eq!(
        changed(&plan, "fw"),
        ["patch allowed.ports: 30001 -> 30001, 30002", "patch allowed.ports: 30001, 30002 -> 30002"]
    );
}

/// A load balancer that is left alone may need any port that is open now.
#[test]
fn nothing_is_closed_while_something_is_left_alone() {
    let plan = plan(&ports(&[30002]).translation, &ports(&[30001]).observed());
    assert_eq!(changed(&plan, "fw"), ["patch allowed.ports: 30001 -> 30001, 30002"]);
    assert_eq!(
        changed(&plan, "ig"),
        ["setNamedPorts namedPorts: port30001:30001 -> port30001:30001, port30002:30002"]
    );
}

#[test]
fn tags_are_as_asked_for_even_while_something_is_left_alone() {
    let mut world = ports(&[30001]);
    let observed = ports(&[30001, 30002]).observed();
    let firewall = world
        .translation
        .desired
        .reference::<Firewall>(&crate::model::Scope::Global, &super::fixture::name("fw"))
        .unwrap();
    world.translation.desired.change(&firewall, |firewall| firewall.target_tags = ["node".into()].into());
    let plan = plan(&world.translation, &observed);
    assert_eq!(changed(&plan, "fw"), ["patch targetTags: (none) -> node"]);
}

#[test]
fn a_range_that_holds_a_port_is_not_opened_twice() {
    let world = walkthrough();
    let mut observed = world.observed();
    tamper(&mut observed.graph, &id(Kind::Firewall, "fw"), |node| {
        if let Node::Firewall(firewall) = node {
            firewall.ports = BTreeSet::from([(30000, 32767)]);
        }
    });
    assert_eq!(
        changed(&plan(&world.translation, &observed), "fw"),
        ["patch allowed.ports: 30000-32767 -> 30001"]
    );
}

#[test]
fn a_zone_without_nodes_keeps_its_empty_group() {
    let world = walkthrough();
    let mut observed = world.observed();
    let here = super::fixture::zonal(Kind::InstanceGroup, 'a', "ig");
    let there = super::fixture::zonal(Kind::InstanceGroup, 'b', "ig");
    observed.graph.put(there, observed.graph.entry(&here).unwrap().clone());
    assert!(steps(&plan(&world.translation, &observed)).is_empty());
}
