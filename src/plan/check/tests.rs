//! Each rule is shown to be able to fail, by a plan that was made well and then spoiled.

use petgraph::graph::NodeIndex;

use super::Violation;
use crate::model::{Kind, Node, Observed, ResourceId, Unknown};
use crate::plan::tests::fixture::{
    World, done, http, id, key, mark, service_holder, tamper, walkthrough, zonal,
};
use crate::plan::{Action, Change, Plan, Verb, plan};
use crate::translate::Disposition;

/// Nothing but what the cloud holds is known of members here.
fn check(plan: &Plan, observed: &Observed) -> Vec<Violation> {
    super::check(plan, &crate::model::Graph::default(), observed)
}

/// A plan for the walkthrough from nothing.
fn new() -> Plan {
    plan(&walkthrough().translation, &Observed::default())
}

/// A plan that takes the walkthrough down, and what the cloud holds.
fn teardown() -> (Plan, Observed) {
    let mut world = walkthrough();
    let observed = world.observed();
    world.translation.desired = crate::model::Graph::default();
    world.dispose("test", Disposition::TearDown);
    (plan(&world.translation, &observed), observed)
}

fn find(plan: &Plan, id: &ResourceId) -> NodeIndex {
    plan.graph.node_indices().find(|at| plan.graph[*at].id == *id).unwrap()
}

fn part(plan: &mut Plan, first: &ResourceId, then: &ResourceId) {
    let edge = plan.graph.find_edge(find(plan, first), find(plan, then)).unwrap();
    plan.graph.remove_edge(edge);
}

fn change(id: &ResourceId, holder: crate::model::Holder, action: Action) -> Change {
    Change { id: id.clone(), mark: mark(holder), action, reason: "planted".into(), seen: None }
}

#[test]
fn sound_plans_break_no_rule() {
    assert_eq!(check(&new(), &Observed::default()), []);
    let (plan, observed) = teardown();
    assert_eq!(check(&plan, &observed), []);
}

#[test]
fn a_circle() {
    let mut plan = new();
    let (service, map) = (id(Kind::BackendService, "bs-echo"), id(Kind::UrlMap, "um-test"));
    let (service, map) = (find(&plan, &service), find(&plan, &map));
    plan.graph.add_edge(map, service, ());
    assert_eq!(check(&plan, &Observed::default()), [Violation::Circle]);
}

#[test]
fn made_before_what_it_points_at() {
    let mut plan = new();
    let (check_id, service) = (id(Kind::HealthCheck, "hc-echo"), id(Kind::BackendService, "bs-echo"));
    part(&mut plan, &check_id, &service);
    assert_eq!(check(&plan, &Observed::default()), [Violation::Dangling { id: service, at: check_id }]);
}

#[test]
fn points_at_what_nobody_makes() {
    let mut plan = new();
    let check_id = id(Kind::HealthCheck, "hc-echo");
    let at = find(&plan, &check_id);
    plan.graph.remove_node(at);
    assert_eq!(
        check(&plan, &Observed::default()),
        [Violation::Dangling { id: id(Kind::BackendService, "bs-echo"), at: check_id }]
    );
}

#[test]
fn deleted_before_what_points_at_it() {
    let (mut plan, observed) = teardown();
    let (map, service) = (id(Kind::UrlMap, "um-test"), id(Kind::BackendService, "bs-echo"));
    part(&mut plan, &map, &service);
    assert_eq!(check(&plan, &observed), [Violation::InUse { id: service, by: map }]);
}

#[test]
fn deleted_while_something_that_stays_points_at_it() {
    let (mut plan, observed) = teardown();
    let map = id(Kind::UrlMap, "um-test");
    let at = find(&plan, &map);
    plan.graph.remove_node(at);
    let violations = check(&plan, &observed);
    assert!(violations.contains(&Violation::InUse { id: id(Kind::BackendService, "bs-echo"), by: map }));
}

#[test]
fn deleted_while_an_update_comes_to_point_at_it() {
    let mut before = World::new();
    before.node_port("echo", 30001);
    before.node_port("api", 30002);
    before.serve("test", &http(&["echo"]));
    before.serve("other", &http(&["api"]));
    let observed = before.observed();
    let mut after = World::new();
    after.node_port("echo", 30001);
    after.node_port("api", 30002);
    after.serve("test", &http(&["echo", "api"]));
    after.dispose("other", Disposition::TearDown);
    let mut plan = plan(&after.translation, &observed);
    assert_eq!(check(&plan, &observed), []);
    let service = id(Kind::BackendService, "bs-api");
    let delete = plan.graph.add_node(change(&service, service_holder("api"), Action::Delete));
    let other = find(&plan, &id(Kind::UrlMap, "um-other"));
    plan.graph.add_edge(other, delete, ());
    assert_eq!(check(&plan, &observed), [Violation::InUse { id: service, by: id(Kind::UrlMap, "um-test") }]);
}

#[test]
fn somebody_elses() {
    let observed = walkthrough().observed();
    let mut plan = Plan::default();
    let stranger = id(Kind::Firewall, "allow-ssh");
    plan.graph.add_node(change(&stranger, crate::model::Holder::Cluster, Action::Delete));
    assert_eq!(check(&plan, &observed), [Violation::NotOurs(stranger)]);

    // Ours, but held for something else than the plan believes.
    let mut plan = Plan::default();
    let ours = id(Kind::Address, "ip-test");
    plan.graph.add_node(change(&ours, crate::model::Holder::Cluster, Action::Delete));
    assert!(check(&plan, &observed).contains(&Violation::NotOurs(ours)));
}

#[test]
fn made_where_something_is_or_may_be() {
    let address = id(Kind::Address, "ip-test");
    let twice = Violation::MadeTwice(address.clone());
    let there = walkthrough().observed();
    let taken = Observed { taken: [address.clone()].into(), ..Observed::default() };
    let unseen =
        Observed { unknown: [Unknown { kind: Kind::Address, scope: None }].into(), ..Observed::default() };
    for observed in [there, taken, unseen] {
        assert!(check(&new(), &observed).contains(&twice));
    }
}

#[test]
fn deleted_though_its_users_could_not_be_seen() {
    let (plan, mut observed) = teardown();
    observed.unknown.insert(Unknown { kind: Kind::UrlMap, scope: None });
    let violations = check(&plan, &observed);
    assert!(violations.contains(&Violation::Unseen(id(Kind::BackendService, "bs-echo"))));
    assert!(violations.contains(&Violation::Unseen(id(Kind::UrlMap, "um-test"))));
    assert!(!violations.contains(&Violation::Unseen(id(Kind::TargetHttpProxy, "thp-test"))));
}

#[test]
fn something_of_a_vanished_load_balancer() {
    let (mut plan, observed) = teardown();
    plan.leaks.push(key("test"));
    let violations = check(&plan, &observed);
    assert!(violations.contains(&Violation::Leaked(id(Kind::ForwardingRule, "fr-test-80"))));
}

#[test]
fn filled_before_it_is_made() {
    let mut plan = new();
    let group = zonal(Kind::InstanceGroup, 'a', "ig");
    let edges: Vec<_> = plan
        .graph
        .edge_indices()
        .filter(|edge| {
            let (first, then) = plan.graph.edge_endpoints(*edge).unwrap();
            plan.graph[first].id == group && plan.graph[then].id == group
        })
        .collect();
    assert_eq!(edges.len(), 1);
    plan.graph.remove_edge(edges[0]);
    assert_eq!(check(&plan, &Observed::default()), [Violation::Unordered(group)]);
}

#[test]
fn batches() {
    let mut world = World::new();
    world.pods("web", 1);
    world.serve("test", &http(&["web"]));
    let observed = world.observed();
    let group = zonal(Kind::NetworkEndpointGroup, 'a', "neg-web");
    let endpoints = |from: u16, count: u16| {
        (from..from + count)
            .map(|port| crate::model::Endpoint {
                instance: "node-1".into(),
                address: [10, 0, 0, 0].into(),
                port,
            })
            .collect::<Vec<_>>()
    };
    let violations = |actions: Vec<Action>| {
        let mut plan = Plan::default();
        for action in actions {
            plan.graph.add_node(change(&group, service_holder("web"), action));
        }
        check(&plan, &observed)
    };
    let size = |members| Violation::BatchSize { id: group.clone(), members };
    let members = Violation::Members(group.clone());
    assert_eq!(violations(vec![Action::AttachEndpoints(endpoints(1, 500))]), []);
    assert_eq!(violations(vec![Action::AttachEndpoints(endpoints(1, 501))]), [size(501)]);
    assert_eq!(violations(vec![Action::DetachEndpoints(Vec::new())]), [size(0)]);
    assert_eq!(
        violations(vec![Action::AttachEndpoints(endpoints(8080, 1))]),
        std::slice::from_ref(&members),
        "in already"
    );
    assert_eq!(
        violations(vec![Action::DetachEndpoints(endpoints(1, 1))]),
        std::slice::from_ref(&members),
        "not in"
    );
    assert_eq!(
        violations(vec![Action::AttachEndpoints(endpoints(1, 2)), Action::AttachEndpoints(endpoints(2, 2))]),
        [members],
        "twice"
    );
    assert!(
        violations(vec![Action::AddInstances(vec!["node-1".into()])])
            .contains(&Violation::Kind(group.clone()))
    );
}

#[test]
fn made_with_members() {
    let mut plan = new();
    let group = zonal(Kind::InstanceGroup, 'a', "ig");
    for change in plan.graph.node_weights_mut() {
        if let Action::Create(Node::InstanceGroup(group)) = &mut change.action {
            group.members.insert("node-9".into());
        }
    }
    assert_eq!(check(&plan, &Observed::default()), [Violation::Members(group)]);
}

#[test]
fn an_update_of_what_cannot_be_changed_or_of_nothing() {
    let observed = walkthrough().observed();
    let rule = id(Kind::ForwardingRule, "fr-test-80");
    let holder = crate::model::Holder::LoadBalancer(key("test"));
    let mut graph = observed.graph.clone();
    tamper(&mut graph, &rule, |node| {
        if let Node::ForwardingRule(rule) = node {
            rule.port = 8080;
        }
    });
    for graph in [&graph, &observed.graph] {
        let to = graph.entry(&rule).unwrap().node.clone();
        let mut plan = Plan::default();
        plan.graph.add_node(change(
            &rule,
            holder.clone(),
            Action::Update { verb: Verb::SetTarget, to, fields: Vec::new() },
        ));
        assert_eq!(check(&plan, &observed), [Violation::Immutable(rule.clone())]);
    }
}

/// A switch from node ports to pods: the plan, what is asked for, and what the cloud holds.
fn switched() -> (Plan, World, Observed) {
    let mut before = World::new();
    before.node_port("echo", 30001);
    before.serve("test", &http(&["echo"]));
    let mut after = World::new();
    after.pods("web", 3);
    after.serve("test", &http(&["web"]));
    let observed = before.observed();
    (plan(&after.translation, &observed), after, observed)
}

/// Every edge of a plan is there for a reason: without it a rule is broken, or another edge says the same.
#[test]
fn requests_moved_to_what_nobody_made_sure_of() {
    let (plan, world, observed) = switched();
    let desired = &world.translation.desired;
    assert_eq!(super::check(&plan, desired, &observed), []);
    let (service, map) = (id(Kind::BackendService, "bs-web"), id(Kind::UrlMap, "um-test"));
    let wait = plan
        .graph
        .node_indices()
        .find(|at| matches!(plan.graph[*at].action, Action::AwaitHealthy { .. }))
        .unwrap();
    let cold = Violation::Cold { map: map.clone(), service: service.clone() };

    // The move does not wait for the wait.
    let mut spoiled = plan.clone();
    spoiled.graph.retain_edges(|graph, edge| graph.edge_endpoints(edge).unwrap().0 != wait);
    assert_eq!(
        super::check(&spoiled, desired, &observed),
        [cold.clone(), Violation::WaitsInVain(service.clone())]
    );
    // There is no wait at all.
    let mut spoiled = plan.clone();
    spoiled.graph.remove_node(wait);
    assert_eq!(super::check(&spoiled, desired, &observed), [cold]);
    // Nothing is warmed before the wait.
    let mut spoiled = plan;
    let warming = find(&spoiled, &map);
    spoiled.graph.retain_edges(|graph, edge| graph.edge_endpoints(edge).unwrap() != (warming, wait));
    assert_eq!(super::check(&spoiled, desired, &observed), [Violation::WaitsInVain(service)]);
}

#[test]
fn only_what_nothing_points_at_is_made_anew() {
    let (_, world, observed) = switched();
    for (kind, name, sound) in
        [(Kind::ForwardingRule, "fr-test-80", true), (Kind::HealthCheck, "hc-echo", false)]
    {
        let id = id(kind, name);
        let entry = observed.graph.entry(&id).unwrap();
        let mut plan = Plan::default();
        let delete = plan.graph.add_node(change(&id, entry.mark.holder.clone(), Action::Delete));
        let create = change(&id, entry.mark.holder.clone(), Action::Create(entry.node.clone()));
        let create = plan.graph.add_node(create);
        assert!(
            check(&plan, &observed).contains(&Violation::MadeTwice(id.clone())),
            "made while it is there"
        );
        plan.graph.add_edge(delete, create, ());
        assert_eq!(check(&plan, &observed).is_empty(), sound, "{id}");
    }
    drop(world);
}

/// In debug builds a plan that breaks a rule does not leave `plan`; here is what would be said.
#[test]
fn violations_read_well() {
    let (service, map) = (id(Kind::BackendService, "bs-echo"), id(Kind::UrlMap, "um-test"));
    let text = Violation::InUse { id: service, by: map }.to_string();
    assert_eq!(text, "backend service bs-echo may be deleted while url map um-test points at it");
    let after = done(&Observed::default(), &new());
    assert_eq!(super::dangling(&after.graph), []);
    let mut broken = after.graph.clone();
    broken.remove(&id(Kind::HealthCheck, "hc-echo"));
    assert_eq!(
        super::dangling(&broken),
        [(id(Kind::BackendService, "bs-echo"), id(Kind::HealthCheck, "hc-echo"))]
    );
}
