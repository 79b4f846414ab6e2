//! What stays: the ownership rule, the brake on mass deletion, and what could not be seen.

use std::collections::BTreeSet;

use crate::model::{Graph, Holder, Kind, Node, Observed, ResourceId, Unknown};
use crate::plan::{Action, Block, Plan, plan};
use crate::translate::{Disposition, Translation};

use super::fixture::{
    World, done, http, https, id, key, mark, service_holder, steps, tamper, walkthrough, zonal, zone,
};

fn deleted(plan: &Plan) -> BTreeSet<ResourceId> {
    let deletes = plan.graph.node_weights().filter(|change| change.action == Action::Delete);
    deletes.map(|change| change.id.clone()).collect()
}

fn blocks(plan: &Plan) -> Vec<(String, &Block)> {
    plan.blocked.iter().map(|blocked| (blocked.id.name.to_string(), &blocked.why)).collect()
}

/// Two load balancers that share the Service `echo`; `test` has `tls` besides, `second` has `web`.
fn two() -> World {
    let mut world = walkthrough();
    world.pods("web", 2);
    world.serve("second", &http(&["echo", "web"]));
    world
}

#[test]
fn an_emptied_api_server_deletes_nothing() {
    let observed = two().observed();
    let plan = plan(&Translation::default(), &observed);
    assert!(plan.is_empty(), "{plan}");
    assert_eq!(plan.leaks, [key("second"), key("test")]);
}

#[test]
fn not_even_what_nothing_points_at_goes_with_an_emptied_api_server() {
    let mut world = World::new();
    world.node_port("echo", 30001);
    let observed = Observed { graph: world.translation.desired, ..Observed::default() };
    assert!(plan(&Translation::default(), &observed).is_empty());
}

#[test]
fn a_load_balancer_whose_object_vanished_is_left_alone_and_reported() {
    let mut world = World::new();
    world.pods("web", 2);
    world.node_port("echo", 30001);
    world.serve("second", &http(&["echo", "web"]));
    let plan = plan(&world.translation, &two().observed());
    assert!(plan.is_empty(), "{plan}");
    assert_eq!(plan.leaks, [key("test")]);
}

/// What the vanished one uses is used, even where nobody else does.
#[test]
fn what_a_vanished_load_balancer_uses_stays_with_it() {
    let mut world = World::new();
    world.pods("web", 2);
    world.serve("second", &http(&["web"]));
    let plan = plan(&world.translation, &two().observed());
    assert_eq!(deleted(&plan), [].into());
    assert_eq!(steps(&plan), ["await bs-web", "patch um-second"]);
}

#[test]
fn a_refused_input_keeps_the_last_good_load_balancer() {
    let mut world = World::new();
    world.pods("web", 2);
    world.serve("second", &http(&["web"]));
    world.dispose("test", Disposition::Keep);
    let plan = plan(&world.translation, &two().observed());
    assert_eq!(deleted(&plan), [].into());
    assert_eq!(steps(&plan), ["await bs-web", "patch um-second"]);
    assert!(plan.leaks.is_empty());
}

#[test]
fn teardown_takes_what_is_its_own_and_leaves_what_is_shared() {
    let mut world = World::new();
    world.pods("web", 2);
    world.node_port("echo", 30001);
    world.serve("second", &http(&["echo", "web"]));
    world.dispose("test", Disposition::TearDown);
    let plan = plan(&world.translation, &two().observed());
    let names: Vec<String> = deleted(&plan).iter().map(|id| id.name.to_string()).collect();
    assert_eq!(
        names,
        [
            "um-test",
            "um-test-redirect",
            "cert-tls-a",
            "thp-test",
            "thsp-test",
            "ip-test",
            "fr-test-443",
            "fr-test-80"
        ]
    );
    assert_eq!(plan.graph.node_count(), names.len(), "nothing else is touched: {plan}");
}

#[test]
fn shared_things_go_when_the_last_user_does() {
    let mut world = World::new();
    world.node_port("echo", 30001);
    world.serve("test", &https(&["echo"], &[("tls", "a")]));
    world.dispose("second", Disposition::TearDown);
    let plan = plan(&world.translation, &two().observed());
    let names: Vec<String> = deleted(&plan).iter().map(|id| id.name.to_string()).collect();
    assert_eq!(
        names,
        ["neg-web", "hc-web", "bs-web", "um-second", "thp-second", "ip-second", "fr-second-80"]
    );
}

#[test]
fn the_clusters_own_things_go_with_the_very_last() {
    let mut world = World::new();
    world.dispose("test", Disposition::TearDown);
    world.dispose("second", Disposition::TearDown);
    let observed = two().observed();
    let plan = plan(&world.translation, &observed);
    assert_eq!(deleted(&plan).len(), observed.graph.len());
    assert!(done(&observed, &plan).graph.is_empty());
}

#[test]
fn the_clusters_own_things_stay_while_anything_does() {
    let mut world = World::new();
    world.dispose("test", Disposition::TearDown);
    // `second` has vanished: it is left alone, with the firewall rule that lets its traffic in.
    let plan = plan(&world.translation, &two().observed());
    let deleted = deleted(&plan);
    for id in [id(Kind::Firewall, "fw"), zonal(Kind::InstanceGroup, 'a', "ig")] {
        assert!(!deleted.contains(&id), "{id}");
    }
    assert!(deleted.contains(&id(Kind::ForwardingRule, "fr-test-80")));
    assert!(!deleted.contains(&id(Kind::BackendService, "bs-echo")), "second still uses it");
}

/// The certificate that stays in use when its Secret is lost is in no desired graph, but something desired points at it.
#[test]
fn what_something_desired_points_at_stays() {
    let world = walkthrough();
    let observed = world.observed();
    let mut lost = world.clone();
    let certificate = id(Kind::SslCertificate, "cert-tls-a");
    lost.translation.desired.remove(&certificate);
    let held: crate::model::Ref<crate::model::SslCertificate> =
        lost.translation.desired.foreign(certificate.scope.clone(), certificate.name.clone());
    assert_eq!(held.id(), &certificate);
    let plan = plan(&lost.translation, &observed);
    assert!(plan.is_empty() && plan.blocked.is_empty(), "{plan}");
}

#[test]
fn a_name_that_is_taken_blocks_it_and_what_needs_it_and_nothing_else() {
    let mut world = walkthrough();
    world.pods("web", 1);
    world.serve("second", &http(&["web"]));
    let observed = Observed { taken: [id(Kind::BackendService, "bs-echo")].into(), ..Observed::default() };
    let plan = plan(&world.translation, &observed);
    let needs = |name: &str| Block::DependsOn(id(Kind::BackendService, name));
    let blocked = blocks(&plan);
    assert_eq!(blocked[0], ("bs-echo".into(), &Block::NameTaken));
    assert!(blocked.contains(&("um-test".into(), &needs("bs-echo"))));
    let names: BTreeSet<&str> = blocked.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["bs-echo", "um-test", "thsp-test", "fr-test-443"].into());
    let steps = steps(&plan);
    assert!(steps.contains(&"create fr-second-80".to_owned()));
    assert!(!steps.iter().any(|step| step.ends_with(" bs-echo")));
}

#[test]
fn a_resource_that_is_marked_as_held_for_something_else_is_somebody_elses() {
    let world = walkthrough();
    let mut observed = world.observed();
    let service = id(Kind::BackendService, "bs-echo");
    let mut entry = observed.graph.remove(&service).unwrap();
    entry.mark = mark(service_holder("another"));
    if let Node::BackendService(service) = &mut entry.node {
        service.policy.timeout_seconds = 1;
    }
    observed.graph.put(service.clone(), entry);
    let plan = plan(&world.translation, &observed);
    assert!(plan.is_empty(), "{plan}");
    assert_eq!(blocks(&plan), [("bs-echo".into(), &Block::NameTaken)]);
}

/// An update that cannot be made keeps what it would have let go.
#[test]
fn what_a_blocked_update_still_points_at_stays() {
    let mut before = World::new();
    before.node_port("echo", 30001);
    before.serve("test", &http(&["echo"]));
    let mut observed = before.observed();
    observed.taken.insert(id(Kind::HealthCheck, "hc-web"));
    let mut after = World::new();
    after.pods("web", 1);
    after.serve("test", &http(&["web"]));
    let plan = plan(&after.translation, &observed);
    assert_eq!(deleted(&plan), [].into());
    let names: BTreeSet<String> = blocks(&plan).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["hc-web", "bs-web", "um-test"].map(String::from).into());
    assert_eq!(steps(&plan), ["create neg-web", "attach 1 neg-web"]);
}

/// While the way to the new is blocked, the old front stays too.
#[test]
fn an_old_part_waits_for_its_blocked_replacement() {
    let mut without = World::new();
    without.node_port("echo", 30001);
    without.serve("test", &http(&["echo"]));
    let mut observed = walkthrough().observed();
    // Port 80 cannot cease to redirect, so port 443 must not go.
    tamper(&mut observed.graph, &id(Kind::ForwardingRule, "fr-test-80"), |node| {
        if let Node::ForwardingRule(rule) = node {
            rule.port = 8080;
        }
    });
    let plan = plan(&without.translation, &observed);
    let waits = Block::DependsOn(id(Kind::ForwardingRule, "fr-test-80"));
    assert!(blocks(&plan).contains(&("fr-test-443".into(), &waits)), "{plan}");
    assert!(!deleted(&plan).contains(&id(Kind::ForwardingRule, "fr-test-443")));
}

fn unseen(kind: Kind, scope: Option<&str>) -> BTreeSet<Unknown> {
    [Unknown { kind, scope: scope.map(Into::into) }].into()
}

#[test]
fn nothing_is_made_where_nothing_could_be_seen() {
    let mut world = World::new();
    world.pods("web", 2);
    world.serve("test", &http(&["web"]));
    let observed =
        Observed { unknown: unseen(Kind::NetworkEndpointGroup, Some("zones/z-a")), ..Observed::default() };
    let plan = plan(&world.translation, &observed);
    assert_eq!(blocks(&plan)[0], ("neg-web".into(), &Block::Unseen));
    let needs = Block::DependsOn(zonal(Kind::NetworkEndpointGroup, 'a', "neg-web"));
    assert!(blocks(&plan).contains(&("bs-web".into(), &needs)));
    assert!(steps(&plan).contains(&"create hc-web".to_owned()), "what does not depend on it goes on");
    assert!(!steps(&plan).iter().any(|step| step.ends_with("neg-web") || step.ends_with("bs-web")));
}

/// A zone that did not answer stops nothing in a load balancer that is there already.
#[test]
fn what_something_seen_points_at_is_there_even_unseen() {
    let mut world = World::new();
    world.pods("web", 2);
    world.serve("test", &http(&["web"]));
    let mut observed = world.observed();
    observed.graph.remove(&zonal(Kind::NetworkEndpointGroup, 'a', "neg-web"));
    observed.unknown = unseen(Kind::NetworkEndpointGroup, Some("zones/z-a"));
    tamper(&mut observed.graph, &id(Kind::BackendService, "bs-web"), |node| {
        if let Node::BackendService(service) = node {
            service.policy.timeout_seconds = 5;
        }
    });
    let plan = plan(&world.translation, &observed);
    assert_eq!(steps(&plan), ["patch bs-web"]);
    assert_eq!(blocks(&plan), [("neg-web".into(), &Block::Unseen)]);
}

#[test]
fn nothing_is_deleted_that_something_unseen_may_point_at() {
    let mut world = World::new();
    world.node_port("echo", 30001);
    world.serve("test", &https(&["echo"], &[("tls", "a")]));
    world.dispose("second", Disposition::TearDown);
    let mut observed = two().observed();
    observed.unknown = unseen(Kind::UrlMap, None);
    observed.graph.remove(&id(Kind::UrlMap, "um-second"));
    let plan = plan(&world.translation, &observed);
    let deleted = deleted(&plan);
    for stays in [
        id(Kind::BackendService, "bs-web"),
        id(Kind::HealthCheck, "hc-web"),
        zonal(Kind::NetworkEndpointGroup, 'a', "neg-web"),
    ] {
        assert!(!deleted.contains(&stays), "{stays}");
    }
    assert!(deleted.contains(&id(Kind::ForwardingRule, "fr-second-80")), "its front is all seen");
    assert!(blocks(&plan).contains(&("bs-web".into(), &Block::Unseen)));
}

#[test]
fn nothing_unseen_is_deleted() {
    let mut world = World::new();
    world.dispose("test", Disposition::TearDown);
    let mut observed = walkthrough().observed();
    observed.unknown = unseen(Kind::Address, Some("global"));
    let plan = plan(&world.translation, &observed);
    assert!(!deleted(&plan).contains(&id(Kind::Address, "ip-test")));
    assert!(!deleted(&plan).contains(&id(Kind::Firewall, "fw")), "something may be left that needs it");
    assert!(deleted(&plan).contains(&id(Kind::BackendService, "bs-echo")));
}

#[test]
fn a_second_desired_zone_is_no_reason_to_touch_the_first() {
    let mut world = walkthrough();
    let observed = world.observed();
    let graph: &mut Graph = &mut world.translation.desired;
    let group = graph.entry(&zonal(Kind::InstanceGroup, 'a', "ig")).unwrap().clone();
    graph.put(ResourceId { scope: zone('b'), ..zonal(Kind::InstanceGroup, 'a', "ig") }, group);
    let plan = plan(&world.translation, &observed);
    assert_eq!(steps(&plan), ["create ig", "add 2 ig"]);
    assert!(plan.graph.node_weights().all(|change| change.id.scope == zone('b')));
    assert_eq!(plan.graph.node_weights().next().unwrap().mark.holder, Holder::Cluster);
}
