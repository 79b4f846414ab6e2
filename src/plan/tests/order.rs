//! What waits for what.

use crate::model::{Endpoint, Kind, Node, Observed};
use crate::plan::{longest_chain, plan};

use super::fixture::{World, http, https, id, key, steps, tamper, waits, walkthrough, zonal};
use crate::translate::Disposition;

#[test]
fn the_walkthrough_is_made_in_five_steps() {
    let world = walkthrough();
    let plan = plan(&world.translation, &Observed::default());
    assert_eq!(longest_chain(&plan), 5);
    let chain =
        ["create hc-echo", "create bs-echo", "create um-test", "create thsp-test", "create fr-test-443"];
    for two in chain.windows(2) {
        assert!(waits(&plan, (two[0], 0), (two[1], 0)), "{two:?}");
    }
    for beside in ["create ip-test", "create cert-tls-a", "create fw"] {
        assert!(waits(&plan, (beside, 0), ("create fr-test-443", 0)), "{beside}");
    }
    for (free, chained) in [
        ("create ip-test", "create thsp-test"),
        ("create fw", "create bs-echo"),
        ("add 2 ig", "create fr-test-443"),
        ("create thp-test", "create fr-test-443"),
    ] {
        assert!(!waits(&plan, (free, 0), (chained, 0)), "{chained} waits for {free} without need");
    }
    assert!(waits(&plan, ("create ig", 0), ("add 2 ig", 0)));
    assert_eq!(
        steps(&plan)[..3],
        ["create ig", "add 2 ig", "create hc-echo"],
        "the longest chains are begun first"
    );
}

#[test]
fn teardown_goes_from_the_front_to_the_back() {
    let mut world = walkthrough();
    let observed = world.observed();
    world.translation.desired = crate::model::Graph::default();
    world.dispose("test", Disposition::TearDown);
    let plan = plan(&world.translation, &observed);
    assert_eq!(plan.graph.node_count(), observed.graph.len(), "nothing is left");
    assert_eq!(longest_chain(&plan), 5);
    for (first, then) in [
        ("delete fr-test-443", "delete thsp-test"),
        ("delete thsp-test", "delete um-test"),
        ("delete thsp-test", "delete cert-tls-a"),
        ("delete um-test", "delete bs-echo"),
        ("delete bs-echo", "delete hc-echo"),
        ("delete bs-echo", "delete ig"),
        ("delete fr-test-80", "delete ip-test"),
        ("delete fr-test-443", "delete ip-test"),
        ("delete fr-test-80", "delete fw"),
        ("delete fr-test-443", "delete fw"),
    ] {
        assert!(waits(&plan, (first, 0), (then, 0)), "{first}, {then}");
    }
}

/// Make before break: the new service is there with its members before traffic is moved to it, and the old one goes after.
#[test]
fn a_url_map_moves_only_to_what_is_there() {
    let mut before = World::new();
    before.node_port("echo", 30001);
    before.serve("test", &http(&["echo"]));
    let observed = before.observed();
    let mut after = World::new();
    after.pods("web", 3);
    after.serve("test", &http(&["web"]));
    let plan = plan(&after.translation, &observed);
    for first in ["create hc-web", "create bs-web", "create neg-web", "attach 3 neg-web"] {
        assert!(waits(&plan, (first, 0), ("patch um-test", 1)), "{first}");
    }
    assert!(waits(&plan, ("patch um-test", 1), ("delete bs-echo", 0)));
    assert!(waits(&plan, ("delete bs-echo", 0), ("delete hc-echo", 0)));
}

#[test]
fn a_new_path_does_not_wait_for_pods_that_come_and_go() {
    let mut before = World::new();
    before.pods("web", 3);
    before.pods("api", 3);
    before.serve("test", &http(&["web"]));
    before.serve("other", &http(&["api"]));
    let observed = before.observed();
    let mut after = World::new();
    after.pods("web", 3);
    after.pods("api", 4);
    after.serve("test", &http(&["web", "api"]));
    after.serve("other", &http(&["api"]));
    let plan = plan(&after.translation, &observed);
    assert!(!waits(&plan, ("attach 1 neg-api", 0), ("patch um-test", 0)));
    assert_eq!(longest_chain(&plan), 1);
}

#[test]
fn a_new_service_behind_a_node_port_waits_for_its_way_to_be_open() {
    let before = {
        let mut world = World::new();
        world.node_port("echo", 30001);
        world.serve("test", &http(&["echo"]));
        world
    };
    let mut after = World::new();
    after.node_port("echo", 30001);
    after.node_port("api", 30002);
    after.serve("test", &http(&["echo", "api"]));
    let plan = plan(&after.translation, &before.observed());
    for first in ["patch fw", "setNamedPorts ig", "create bs-api"] {
        assert!(waits(&plan, (first, 0), ("patch um-test", 1)), "{first}");
    }
    assert!(!waits(&plan, ("setNamedPorts ig", 0), ("create bs-api", 0)));
    assert_eq!(longest_chain(&plan), 4, "health check, backend service, url map (warmed), url map");
}

#[test]
fn a_service_whose_node_port_moves_keeps_both_ports_open_meanwhile() {
    let world = |port| {
        let mut world = World::new();
        world.node_port("echo", port);
        world.serve("test", &http(&["echo"]));
        world
    };
    let plan = plan(&world(30002).translation, &world(30001).observed());
    for (first, then) in [
        (("patch fw", 0), ("patch bs-echo", 0)),
        (("setNamedPorts ig", 0), ("patch bs-echo", 0)),
        (("patch bs-echo", 0), ("setNamedPorts ig", 1)),
        (("patch bs-echo", 0), ("patch fw", 1)),
        (("patch fw", 0), ("patch fw", 1)),
    ] {
        assert!(waits(&plan, first, then), "{first:?}, {then:?}");
    }
}

/// A group that takes the place of another in the same service is filled first.
#[test]
fn a_service_changes_groups_only_when_the_new_one_has_members() {
    let mut world = World::new();
    let service = world.pods("web", 3);
    world.serve("test", &http(&["web"]));
    let observed = world.observed();
    // The pods have moved: the same service, another group.
    let mut moved = World::new();
    let other = moved.pods("moved", 3);
    moved.serve("test", &http(&["moved"]));
    let graph = &mut world.translation.desired;
    let group = moved.translation.desired.get(&other).unwrap().backends.clone();
    let neg = zonal(Kind::NetworkEndpointGroup, 'a', "neg-moved");
    graph.put(neg.clone(), moved.translation.desired.entry(&neg).unwrap().clone());
    graph.remove(&zonal(Kind::NetworkEndpointGroup, 'a', "neg-web"));
    graph.change(&service, |service| service.backends = group);
    let plan = plan(&world.translation, &observed);
    assert!(waits(&plan, ("attach 3 neg-moved", 0), ("patch bs-web", 0)));
    assert!(waits(&plan, ("patch bs-web", 0), ("delete neg-web", 0)));
}

/// Pods or nodes that are all replaced at once: the new ones join first. Where one stays, leaving waits for nobody.
#[test]
fn a_service_is_never_left_without_a_member_in_between() {
    let mut world = World::new();
    world.pods("web", 3);
    world.serve("test", &http(&["web"]));
    let with = |members: &[u8]| {
        let mut observed = world.observed();
        tamper(&mut observed.graph, &zonal(Kind::NetworkEndpointGroup, 'a', "neg-web"), |node| {
            if let Node::NetworkEndpointGroup(group) = node {
                let template = group.members.known().unwrap().first().unwrap().clone();
                group.members = members
                    .iter()
                    .map(|n| Endpoint { address: [10, 0, 0, *n].into(), ..template.clone() })
                    .collect();
            }
        });
        plan(&world.translation, &observed)
    };
    assert!(waits(&with(&[7, 8]), ("attach 3 neg-web", 0), ("detach 2 neg-web", 0)));
    assert!(!waits(&with(&[0, 8]), ("attach 2 neg-web", 0), ("detach 1 neg-web", 0)));
}

#[test]
fn plain_http_redirects_only_while_https_answers() {
    let mut without = World::new();
    without.node_port("echo", 30001);
    without.serve("test", &http(&["echo"]));
    let tls = walkthrough();

    let on = plan(&tls.translation, &without.observed());
    assert!(waits(&on, ("create fr-test-443", 0), ("setUrlMap thp-test", 0)));
    assert!(waits(&on, ("create um-test-redirect", 0), ("setUrlMap thp-test", 0)));

    let off = plan(&without.translation, &tls.observed());
    assert!(waits(&off, ("setUrlMap thp-test", 0), ("delete fr-test-443", 0)));
    assert!(waits(&off, ("setUrlMap thp-test", 0), ("delete um-test-redirect", 0)));
}

#[test]
fn plain_http_does_not_redirect_to_a_rule_that_cannot_be_made() {
    let mut without = World::new();
    without.node_port("echo", 30001);
    without.serve("test", &http(&["echo"]));
    let mut observed = without.observed();
    observed.taken.insert(id(Kind::ForwardingRule, "fr-test-443"));
    let plan = plan(&walkthrough().translation, &observed);
    assert!(!steps(&plan).contains(&"setUrlMap thp-test".to_owned()), "{plan}");
    assert!(plan.blocked.iter().any(|blocked| blocked.id == id(Kind::TargetHttpProxy, "thp-test")));
}

#[test]
fn a_renewed_certificate_is_served_before_the_old_one_goes() {
    let mut renewed = World::new();
    renewed.node_port("echo", 30001);
    renewed.serve("test", &https(&["echo"], &[("tls", "b")]));
    let plan = plan(&renewed.translation, &walkthrough().observed());
    assert_eq!(steps(&plan), ["create cert-tls-b", "setSslCertificates thsp-test", "delete cert-tls-a"]);
    assert_eq!(longest_chain(&plan), 3);
}

/// One forwarding rule that is missing does not wait for a firewall rule that is changed anyway.
#[test]
fn the_firewall_lengthens_no_chain() {
    let world = walkthrough();
    let mut observed = world.observed();
    observed.graph.remove(&id(Kind::ForwardingRule, "fr-test-443"));
    tamper(&mut observed.graph, &id(Kind::Firewall, "fw"), |node| {
        if let Node::Firewall(firewall) = node {
            firewall.ports.clear();
        }
    });
    let plan = plan(&world.translation, &observed);
    assert_eq!(longest_chain(&plan), 1, "{:?}", steps(&plan));
}

#[test]
fn load_balancers_do_not_wait_for_each_other() {
    let mut world = walkthrough();
    world.pods("web", 2);
    world.serve("second", &http(&["web"]));
    let plan = plan(&world.translation, &Observed::default());
    assert_eq!(longest_chain(&plan), 5);
    assert!(!waits(&plan, ("create um-test", 0), ("create fr-second-80", 0)));
    assert!(world.translation.load_balancers.contains_key(&key("second")));
}
