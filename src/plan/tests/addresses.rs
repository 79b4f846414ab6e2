//! A load balancer moves to an address that is not ours, and away from it.

use crate::model::{
    AddressBinding, AddressReach, ForeignFacts, ForeignId, ForeignKind, ForwardingRule, Graph, Kind, Lookup,
    Node, ObjectKey, Observed, Resource as _, ResourceId, Scope,
};
use crate::plan::{Action, Block, Plan, plan};

use super::fixture::{World, done, http, https, id, name, steps, tamper, waits};

const RULES: [&str; 2] = ["fr-test-80", "fr-test-443"];

/// The same with the forwarding rules at the address `web-ip` of somebody else.
fn at_web_ip(mut world: World) -> World {
    let desired = &mut world.translation.desired;
    for rule in RULES.map(|rule| id(Kind::ForwardingRule, rule)) {
        if !desired.contains(&rule) {
            continue;
        }
        let address = desired.foreign(Scope::Global, name("web-ip"));
        tamper(desired, &rule, |node| {
            if let Node::ForwardingRule(rule) = node {
                rule.address = AddressBinding::Reserved(address);
            }
        });
    }
    desired.remove(&id(Kind::Address, "ip-test"));
    world
}

fn with_tls() -> World {
    let mut world = World::new();
    world.node_port("echo", 30001);
    world.serve("test", &https(&["echo"], &[("tls", "a")]));
    world
}

fn without_tls() -> World {
    let mut world = World::new();
    world.node_port("echo", 30001);
    world.serve("test", &http(&["echo"]));
    world
}

fn reserved(mut observed: Observed) -> Observed {
    let facts = ForeignFacts::Address {
        number: Some([203, 0, 113, 200].into()),
        reach: AddressReach::External,
        users: Vec::new(),
    };
    observed.foreign.insert(ForeignId::global(ForeignKind::Address, name("web-ip")), Lookup::Found(facts));
    observed
}

/// The words of the outages that wait for consent.
fn words(plan: &Plan) -> Vec<&str> {
    let words = plan.blocked.iter().filter_map(|blocked| match &blocked.why {
        Block::Outage { consent, fields: _ } => Some(consent.as_str()),
        _ => None,
    });
    words.collect()
}

fn deleted(plan: &Plan) -> Vec<&ResourceId> {
    let deletes = plan.graph.node_weights().filter(|change| change.action == Action::Delete);
    deletes.map(|change| &change.id).collect()
}

fn consent(world: &mut World, said: &str) {
    world.translation.consents.insert(ObjectKey::new("default", "test"), said.to_owned());
}

#[test]
fn from_nothing_it_is_used_and_never_made() {
    let world = at_web_ip(with_tls());
    let observed = reserved(Observed::default());
    let plan = plan(&world.translation, &observed);
    assert!(!steps(&plan).iter().any(|step| step.contains("ip-test") || step.ends_with("web-ip")), "{plan}");
    let after = done(&observed, &plan);
    assert_eq!(
        after.facts[&id(Kind::ForwardingRule, "fr-test-443")].address,
        Some([203, 0, 113, 200].into())
    );
    assert!(crate::plan::plan(&world.translation, &after).is_empty());
}

#[test]
fn both_ports_move_with_one_consent_and_the_own_address_goes_last() {
    let observed = reserved(with_tls().observed());
    let mut world = at_web_ip(with_tls());
    let waiting = plan(&world.translation, &observed);
    assert!(steps(&waiting).is_empty(), "{waiting}");
    let [first, second] = words(&waiting)[..] else { panic!("{waiting}") };
    assert_eq!(first, second, "one load balancer, one outage");

    consent(&mut world, first);
    let moves = plan(&world.translation, &observed);
    assert_eq!(deleted(&moves).len(), 3, "{moves}");
    for rule in RULES {
        assert!(waits(&moves, (&format!("delete {rule}"), 0), ("delete ip-test", 0)), "{moves}");
    }
    assert!(crate::plan::plan(&world.translation, &done(&observed, &moves)).is_empty());
}

#[test]
fn a_consent_lasts_until_the_last_port_has_moved() {
    let mut observed = reserved(with_tls().observed());
    let mut world = at_web_ip(with_tls());
    let said = words(&plan(&world.translation, &observed))[0].to_owned();
    consent(&mut world, &said);
    // Port 80 has moved, and the controller was restarted.
    let moved = world.translation.desired.entry(&id(Kind::ForwardingRule, RULES[0])).unwrap().clone();
    observed.graph.put(id(Kind::ForwardingRule, RULES[0]), moved);
    let rest = plan(&world.translation, &observed);
    assert!(rest.blocked.is_empty(), "{rest}");
    assert!(steps(&rest).contains(&"create fr-test-443".to_owned()), "{rest}");
}

#[test]
fn while_a_port_waits_no_other_begins_at_the_new_address() {
    let observed = reserved(without_tls().observed());
    let mut world = at_web_ip(with_tls());
    let waiting = plan(&world.translation, &observed);
    assert!(!steps(&waiting).iter().any(|step| step.contains("fr-test")), "{waiting}");
    assert!(
        !steps(&waiting).iter().any(|step| step.contains("thp-test")),
        "nor does port 80 redirect to where nobody answers: {waiting}"
    );
    let said = words(&waiting)[0].to_owned();
    consent(&mut world, &said);
    let moves = plan(&world.translation, &observed);
    assert!(moves.blocked.is_empty(), "{moves}");
    assert!(crate::plan::plan(&world.translation, &done(&observed, &moves)).is_empty());
}

#[test]
fn torn_down_the_address_of_somebody_else_stays() {
    let observed = reserved(at_web_ip(with_tls()).observed());
    let mut world = World::new();
    world.dispose("test", crate::translate::Disposition::TearDown);
    let plan = plan(&world.translation, &observed);
    assert!(!deleted(&plan).iter().any(|id| id.kind == Kind::Address), "{plan}");
    let after = done(&observed, &plan);
    assert!(after.graph.is_empty(), "{plan}");
}

#[test]
fn a_bare_number_that_stays_is_no_difference() {
    let mut world = with_tls();
    let number = AddressBinding::Literal([203, 0, 113, 200].into());
    let literal = |graph: &mut Graph| {
        for rule in RULES {
            tamper(graph, &id(Kind::ForwardingRule, rule), |node| {
                if let Some(rule) = ForwardingRule::from_node(node) {
                    *node = ForwardingRule { address: number.clone(), ..rule.clone() }.into_node();
                }
            });
        }
    };
    let mut observed = world.observed();
    literal(&mut observed.graph);
    literal(&mut world.translation.desired);
    let plan = plan(&world.translation, &observed);
    assert!(plan.blocked.is_empty() && plan.is_empty(), "{plan}");
}
