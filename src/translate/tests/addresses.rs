use std::net::IpAddr;

use serde_json::{Value, json};

use super::world::*;
use crate::ingress::{GLOBAL_STATIC_IP, REGIONAL_STATIC_IP};
use crate::model::{
    AddressBinding, AddressHeld, AddressReach, AddressUser, ForeignFacts, ForeignHeld, ForeignId,
    ForeignKind, ForwardingRule, Kind, LoadBalancerHeld, Lookup, ResourceId, Scope,
};
use crate::naming;
use crate::problem::{Reason, Severity};
use crate::snapshot::Snapshot;
use crate::translate::{Disposition, Translation, translate};

const NUMBER: &str = "203.0.113.200";
const FIELD: &str = "metadata.annotations[kubernetes.io/ingress.global-static-ip-name]";

fn named(snapshot: &mut Snapshot, annotations: Value) -> Translation {
    add_ingress(snapshot, "test", annotations, json!({"defaultBackend": to("web")}));
    translate(snapshot)
}

fn global(name: &str) -> Value {
    json!({GLOBAL_STATIC_IP: name})
}

fn foreign(name: &str) -> ForeignId {
    ForeignId::global(ForeignKind::Address, super::world::name(name))
}

fn know(snapshot: &mut Snapshot, name: &str, lookup: Lookup) {
    let ForeignHeld::Known(known) = &mut snapshot.held.foreign else { panic!("{:?}", snapshot.held.foreign) };
    known.insert(foreign(name), lookup);
}

fn address(number: &str, users: Vec<AddressUser>) -> Lookup {
    Lookup::Found(ForeignFacts::Address { number: number.parse().ok(), reach: AddressReach::External, users })
}

fn serves_at(snapshot: &mut Snapshot, name: &str, number: &str, ports: &[(u16, AddressHeld)]) {
    let own = ports.iter().any(|(_, address)| *address == AddressHeld::Own);
    let held = LoadBalancerHeld {
        address: number.parse().ok(),
        has_own_address: own,
        may_be_reached: true,
        ports: ports.iter().cloned().collect(),
        ..LoadBalancerHeld::default()
    };
    snapshot.held.load_balancers.insert(load_balancer(name), held);
}

/// The address of each port, in short: `own`, the name of another, or a number.
fn bound(translation: &Translation) -> Vec<(u16, String)> {
    let own = naming::address(&crate::model::ClusterId::new("0a1b2c3d").unwrap(), &load_balancer("test"));
    let mut bound: Vec<(u16, String)> = frontends(translation)
        .forwarding_rules
        .iter()
        .map(|rule| {
            let ForwardingRule { address, port, .. } = at(translation, rule);
            let address = match address {
                AddressBinding::Reserved(address) if *address.name() == own => "own".to_owned(),
                AddressBinding::Reserved(address) => address.name().to_string(),
                AddressBinding::Literal(number) => number.to_string(),
            };
            (*port, address)
        })
        .collect();
    bound.sort_unstable();
    bound
}

fn at_80(address: &str) -> Vec<(u16, String)> {
    vec![(80, address.to_owned())]
}

#[test]
fn an_address_that_is_there_is_used_and_none_is_made() {
    for key in [GLOBAL_STATIC_IP, REGIONAL_STATIC_IP] {
        let mut snapshot = world();
        know(&mut snapshot, "web-ip", address(NUMBER, vec![]));
        let translation = named(&mut snapshot, json!({key: " web-ip "}));
        assert_eq!(problems(&translation), []);
        assert_eq!(bound(&translation), at_80("web-ip"));
        assert_eq!(count(&translation, Kind::Address), 0);
        assert_eq!(translation.lookups, [foreign("web-ip")].into());
        assert_eq!(crate::plan::dangling(&translation.desired), []);
    }
}

#[test]
fn a_new_load_balancer_waits_for_its_address_and_nothing_is_half_made() {
    type Known = Option<Lookup>;
    let failed = Lookup::Failed { why: "no right to".to_owned() };
    let cases: [(Known, Reason, &str); 3] = [
        (
            Some(Lookup::Missing),
            Reason::StaticAddressNotFound,
            "gcloud compute addresses create web-ip --global",
        ),
        (Some(failed), Reason::NotLookedUp, "could not be looked up: no right to"),
        (None, Reason::NotLookedUp, "has not been looked up yet"),
    ];
    for (known, reason, text) in cases {
        let mut snapshot = world();
        if let Some(lookup) = known {
            know(&mut snapshot, "web-ip", lookup);
        }
        let translation = named(&mut snapshot, global("web-ip"));
        assert_eq!(problems(&translation), [(Severity::Rejected, reason, FIELD)]);
        let message = &problems_of(&translation)[0].message;
        assert!(message.contains(text) && message.contains("before that is mended"), "{message}");
        assert_eq!(test_of(&translation).disposition, Disposition::Keep);
        assert!(translation.desired.is_empty(), "not even what serves");
        assert_eq!(translation.lookups, [foreign("web-ip")].into());
    }
}

#[test]
fn one_that_serves_stays_where_it_is_and_all_else_goes_on() {
    for lookup in [None, Some(Lookup::Missing), Some(Lookup::Failed { why: "down".to_owned() })] {
        let mut snapshot = world();
        if let Some(lookup) = lookup.clone() {
            know(&mut snapshot, "web-ip", lookup);
        }
        serves_at(&mut snapshot, "test", "203.0.113.1", &[(80, AddressHeld::Own)]);
        let translation = named(&mut snapshot, global("web-ip"));
        assert_eq!(bound(&translation), at_80("own"));
        assert_eq!(problems(&translation)[0].0, Severity::Degraded);
        assert!(problems_of(&translation)[0].message.contains("stays at the address that it has"));

        // After a restart nothing is known of the address that it has but its number.
        serves_at(&mut snapshot, "test", NUMBER, &[(80, AddressHeld::Number(NUMBER.parse().unwrap()))]);
        let translation = named(&mut snapshot, global("web-ip"));
        assert_eq!(bound(&translation), at_80(NUMBER), "{lookup:?}");
        assert_eq!(count(&translation, Kind::Address), 0);
    }
}

#[test]
fn an_address_that_nobody_names_any_more_stays_in_use() {
    let mut snapshot = world();
    let id = ResourceId { kind: Kind::Address, scope: Scope::Global, name: name("web-ip") };
    for (held, is) in
        [(AddressHeld::Foreign(id), "web-ip"), (AddressHeld::Number(NUMBER.parse().unwrap()), NUMBER)]
    {
        serves_at(&mut snapshot, "test", NUMBER, &[(80, held)]);
        let translation = named(&mut snapshot, global(""));
        assert_eq!((bound(&translation), problems(&translation)), (at_80(is), vec![]));
        assert!(translation.lookups.is_empty());
    }
    // But one whose own address was exchanged by somebody is to have its own again.
    serves_at(&mut snapshot, "test", NUMBER, &[(80, AddressHeld::Number(NUMBER.parse().unwrap()))]);
    snapshot.held.load_balancers.get_mut(&load_balancer("test")).unwrap().has_own_address = true;
    assert_eq!(bound(&named(&mut snapshot, json!({}))), at_80("own"));
}

#[test]
fn what_cannot_be_read_is_no_name() {
    let both = json!({GLOBAL_STATIC_IP: "a", REGIONAL_STATIC_IP: "b"});
    for (annotations, text) in [(both, "Both"), (global("Web_IP"), "cannot be the name")] {
        let mut snapshot = world();
        let translation = named(&mut snapshot, annotations);
        assert_eq!(problems(&translation), [(Severity::Rejected, Reason::AnnotationInvalid, FIELD)]);
        assert!(problems_of(&translation)[0].message.contains(text));
        assert!(translation.lookups.is_empty() && translation.desired.is_empty());
    }
}

#[test]
fn an_address_of_another_sort_cannot_be_used() {
    let internal = Lookup::Found(ForeignFacts::Address {
        number: "10.0.0.9".parse().ok(),
        reach: AddressReach::Internal,
        users: vec![],
    });
    let ours = naming::address(&crate::model::ClusterId::new("0a1b2c3d").unwrap(), &load_balancer("other"));
    for (name, lookup, text) in [
        ("web-ip", internal, "internal"),
        ("web-ip", address("2001:db8::1", vec![]), "IPv6"),
        (ours.as_str(), address(NUMBER, vec![]), "gclb reserves"),
    ] {
        let mut snapshot = world();
        know(&mut snapshot, name, lookup);
        let translation = named(&mut snapshot, global(name));
        assert_eq!(problems(&translation), [(Severity::Rejected, Reason::StaticAddressUnusable, FIELD)]);
        assert!(problems_of(&translation)[0].message.contains(text), "{text}");
    }
}

#[test]
fn a_port_that_somebody_else_has_is_not_taken() {
    let user = |ports| AddressUser { path: "global/forwardingRules/by-hand".to_owned(), ports };
    for (ports, free) in [(Some((80, 80)), false), (Some((443, 443)), true), (None, false)] {
        let mut snapshot = world();
        know(&mut snapshot, "web-ip", address(NUMBER, vec![user(ports)]));
        let translation = named(&mut snapshot, global("web-ip"));
        if free {
            assert_eq!(problems(&translation), []);
        } else {
            assert_eq!(problems(&translation), [(Severity::Rejected, Reason::StaticAddressUnusable, FIELD)]);
            assert!(problems_of(&translation)[0].message.contains("global/forwardingRules/by-hand"));
        }
    }
}

#[test]
fn of_two_load_balancers_with_one_address_whoever_has_it_keeps_it() {
    let mut snapshot = world();
    know(&mut snapshot, "web-ip", address(NUMBER, vec![]));
    add_ingress(&mut snapshot, "another", global("web-ip"), json!({"defaultBackend": to("web")}));
    let translation = named(&mut snapshot, global("web-ip"));
    assert_eq!(problems(&translation), [(Severity::Rejected, Reason::StaticAddressUnusable, FIELD)]);
    let message = &problems_of(&translation)[0].message;
    assert!(message.contains("the load balancer ingress/default/another"), "{message}");

    let id = foreign("web-ip").resource().unwrap();
    serves_at(&mut snapshot, "test", NUMBER, &[(80, AddressHeld::Foreign(id))]);
    let translation = translate(&snapshot);
    assert_eq!((bound(&translation), problems(&translation)), (at_80("web-ip"), vec![]));
    assert_eq!(translation.claimants[&key("another")].problems[0].reason, Reason::StaticAddressUnusable);
}

#[test]
fn where_there_is_no_cloud_to_ask_it_is_taken_to_exist() {
    let mut snapshot = world();
    snapshot.held.foreign = ForeignHeld::Assumed;
    let translation = named(&mut snapshot, global("web-ip"));
    assert_eq!(problems(&translation), [(Severity::Note, Reason::NotLookedUp, FIELD)]);
    assert_eq!(bound(&translation), at_80("web-ip"));
    // The number that it has may well be that of the name; its own address is certainly another.
    let number: IpAddr = NUMBER.parse().unwrap();
    for (held, is) in [(AddressHeld::Number(number), NUMBER), (AddressHeld::Own, "web-ip")] {
        serves_at(&mut snapshot, "test", NUMBER, &[(80, held)]);
        assert_eq!(bound(&named(&mut snapshot, global("web-ip"))), at_80(is));
    }
}

#[test]
fn in_a_group_the_first_that_names_one_decides() {
    let mut snapshot = world();
    know(&mut snapshot, "web-ip", address(NUMBER, vec![]));
    let member = |order: &str, address: &str| {
        let mut annotations = json!({"gclb.dev/group": "front", "gclb.dev/group-order": order});
        if !address.is_empty() {
            annotations[GLOBAL_STATIC_IP] = json!(address);
        }
        annotations
    };
    let spec = json!({"defaultBackend": to("web")});
    add_ingress(&mut snapshot, "a", member("0", ""), spec.clone());
    add_ingress(&mut snapshot, "b", member("1", "web-ip"), spec.clone());
    add_ingress(&mut snapshot, "c", member("2", "other-ip"), spec);
    let translation = translate(&snapshot);
    let reasons = |object: &str| -> Vec<Reason> {
        translation.claimants[&key(object)].problems.iter().map(|problem| problem.reason).collect()
    };
    assert_eq!((reasons("a"), reasons("b")), (vec![], vec![]));
    assert_eq!(reasons("c"), [Reason::GroupConflict]);
    assert_eq!(translation.lookups, [foreign("web-ip")].into());
    let rule = only::<ForwardingRule>(&translation);
    assert!(
        matches!(&rule.address, AddressBinding::Reserved(address) if address.name().as_str() == "web-ip")
    );

    know(&mut snapshot, "web-ip", Lookup::Missing);
    let translation = translate(&snapshot);
    assert!(translation.desired.is_empty());
    for (object, field) in [("a", "metadata"), ("b", FIELD)] {
        let [problem] = &translation.claimants[&key(object)].problems[..] else { panic!("{object}") };
        assert_eq!(
            (problem.reason, problem.field.as_str()),
            (Reason::StaticAddressNotFound, field),
            "{object}"
        );
    }
}
