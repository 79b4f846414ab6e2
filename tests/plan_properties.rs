//! Properties of every plan, over random small clusters.
//!
//! The worlds are drawn with the graph's own API and know nothing of `translate`. What the cloud holds is what an earlier plan for
//! another world has made, wholly or in part, with changes by other hands: so the plans that are checked here begin wherever a
//! crash, a half-done deletion or a person at the console may leave off.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "plan_properties/world.rs"]
mod world;

use std::collections::BTreeSet;

use gclb::model::{
    Backend, BackendService, Destination, Entry, Firewall, Graph, Group, Holder, Kind, Node, Observed,
    ResourceId, Scope, Target, Unknown, UrlMap, Wellness,
};
use gclb::plan::{Action, Change, Plan, Verb, check, dangling, plan, simulate, step};
use gclb::translate::{Disposition, Translation};
use petgraph::Direction;
use proptest::collection::vec;
use proptest::prelude::*;

use world::{LoadBalancer, World, is_foreign, key, name, serve, world};

/// Makes the changes of a plan one after another in an order that its edges allow and `choices` picks; `look` sees each state, and
/// the change that led to it.
fn walk(
    observed: &Observed,
    plan: &Plan,
    choices: &[usize],
    mut look: impl FnMut(&Observed, &Observed, &Change),
) -> Observed {
    let graph = &plan.graph;
    let mut waits: Vec<usize> =
        graph.node_indices().map(|at| graph.neighbors_directed(at, Direction::Incoming).count()).collect();
    let mut ready: Vec<_> = graph.node_indices().filter(|at| waits[at.index()] == 0).collect();
    let mut state = observed.clone();
    let mut choices = choices.iter().copied().cycle();
    while !ready.is_empty() {
        let at = ready.swap_remove(choices.next().unwrap_or(0) % ready.len());
        let before = state.clone();
        step(&mut state, &graph[at], |_| None);
        look(&before, &state, &graph[at]);
        for then in graph.neighbors_directed(at, Direction::Outgoing) {
            waits[then.index()] -= 1;
            if waits[then.index()] == 0 {
                ready.push(then);
            }
        }
    }
    state
}

/// What the cloud holds after so many changes towards a world.
fn partly(world: &World, choices: &[usize], changes: usize) -> Observed {
    let plan = plan(&world.translation(), &Observed::default());
    let mut states = vec![Observed::default()];
    walk(&Observed::default(), &plan, choices, |_, state, _| states.push(state.clone()));
    states.swap_remove(changes.min(states.len() - 1))
}

/// Somebody's hand on one of the resources.
fn tamper(observed: &mut Observed, which: usize) {
    let Some((id, entry)) = observed.graph.entries().nth(which % observed.graph.len().max(1)) else { return };
    let (id, Entry { mark, mut node }) = (id.clone(), entry.clone());
    match &mut node {
        Node::Firewall(firewall) => firewall.ports = [(1, 9)].into(),
        Node::InstanceGroup(group) => {
            group.named_ports = [("x".into(), 1)].into();
            group.members.pop_first();
        }
        Node::NetworkEndpointGroup(group) => {
            group.members.known_mut().unwrap().pop_first();
        }
        Node::HealthCheck(check) => check.interval_seconds = 1,
        Node::BackendService(service) => {
            service.policy.timeout_seconds = 1;
            service.backends.pop();
        }
        Node::UrlMap(map) => map.hosts.clear(),
        Node::SslCertificate(_)
        | Node::TargetHttpProxy(_)
        | Node::TargetHttpsProxy(_)
        | Node::Address(_)
        | Node::ForwardingRule(_) => {}
    }
    observed.graph.put(id, Entry { mark, node });
}

/// Somebody deletes one of the resources, whoever points at it. (Without its address a forwarding rule needs consent to anything.)
fn delete(observed: &mut Observed, which: usize) {
    let ids = || observed.graph.entries().map(|(id, _)| id).filter(|id| id.kind != Kind::Address);
    let Some(id) = ids().nth(which % ids().count().max(1)).cloned() else { return };
    observed.graph.remove(&id);
    observed.facts.remove(&id);
}

/// What an earlier world has left, wholly or in part, and then changed by others.
#[derive(Debug, Clone)]
struct Cloud {
    world: World,
    choices: Vec<usize>,
    changes: usize,
    tampered: Vec<usize>,
    deleted: Vec<usize>,
}

fn cloud() -> impl Strategy<Value = Cloud> {
    let changes = prop_oneof![Just(usize::MAX), 0..60_usize];
    (world(), choices(), changes, vec(any::<usize>(), 0..3), vec(any::<usize>(), 0..3)).prop_map(
        |(world, choices, changes, tampered, deleted)| Cloud { world, choices, changes, tampered, deleted },
    )
}

impl Cloud {
    fn observed(&self) -> Observed {
        let mut observed = partly(&self.world, &self.choices, self.changes);
        for which in &self.tampered {
            tamper(&mut observed, *which);
        }
        for which in &self.deleted {
            delete(&mut observed, *which);
        }
        observed
    }
}

/// Which of the changes that could come next does come next.
fn choices() -> impl Strategy<Value = Vec<usize>> {
    vec(0..1000_usize, 1..16)
}

/// Rare combinations are what matters here, so more cases than usual; what failed once becomes a test of its own beside the code.
fn cases() -> ProptestConfig {
    ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() }
}

/// All that must hold of any plan, whatever the input.
fn sound(translation: &Translation, observed: &Observed, choices: &[usize]) -> (Plan, Observed) {
    let plan = plan(translation, observed);
    assert_eq!(check(&plan, &translation.desired, observed), [], "{plan}");
    // What could not be seen or was deleted by hand, but is pointed at by something that was not.
    let unseen: BTreeSet<ResourceId> = dangling(&observed.graph).into_iter().map(|(_, at)| at).collect();
    let after = walk(observed, &plan, choices, |before, state, change| {
        for (id, at) in dangling(&state.graph) {
            let is_known = unseen.contains(&at) || is_foreign(&at);
            assert!(is_known, "{id} points at {at}, which is not there, after {change:?}");
        }
        // Those two calls name a policy and nothing else.
        let names_only_a_policy = matches!(
            &change.action,
            Action::Update { verb: Verb::SetSecurityPolicy | Verb::SetSslPolicy, .. }
        );
        if let Action::Create(node) | Action::Update { to: node, .. } = &change.action
            && !names_only_a_policy
        {
            for at in node.references() {
                let is_there = state.graph.contains(at)
                    || is_foreign(at)
                    || observed.taken.contains(at)
                    || !observed.can_tell(at);
                assert!(is_there, "{change:?} points at {at}, which is not there\n{plan}");
            }
        }
        if change.action == Action::Delete {
            let users: Vec<_> = before
                .graph
                .entries()
                .filter(|(_, entry)| entry.node.references().contains(&&change.id))
                .collect();
            assert!(users.is_empty(), "{} is deleted while in use by {users:?}", change.id);
        }
        assert!(!observed.taken.contains(&change.id) && !is_foreign(&change.id), "{} is not ours", change.id);
    });
    assert_eq!(after.graph, simulate(observed, &plan).graph, "every order leads to the same");
    (plan, after)
}

fn left_alone(translation: &Translation, holder: &Holder) -> bool {
    match holder {
        Holder::LoadBalancer(key) => translation
            .load_balancers
            .get(key)
            .is_none_or(|translated| translated.disposition == Disposition::Keep),
        Holder::Service { .. } | Holder::Secret(_) | Holder::Cluster => false,
    }
}

/// What is to be left alone in the cloud, with all that it uses now.
fn kept(translation: &Translation, observed: &Observed, after: &Observed) -> BTreeSet<ResourceId> {
    let roots: Vec<_> = observed
        .graph
        .entries()
        .filter(|(_, entry)| left_alone(translation, &entry.mark.holder))
        .map(|(id, _)| id)
        .collect();
    for id in &roots {
        assert!(after.graph.contains(id), "{id} should be left alone");
    }
    after.graph.closure(roots)
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn what_is_as_it_should_be_needs_nothing(world in world()) {
        let translation = world.translation();
        let observed = Observed { graph: translation.desired.clone(), ..Observed::default() };
        let plan = plan(&translation, &observed);
        prop_assert!(plan.is_empty() && plan.blocked.is_empty() && plan.leaks.is_empty(), "{plan}");
    }

    #[test]
    fn a_plan_leads_where_it_should(
        world in world(), cloud in cloud(), choices in choices(),
    ) {
        let (translation, observed) = (world.translation(), cloud.observed());
        let (plan, after) = sound(&translation, &observed, &choices);
        if translation.load_balancers.is_empty() {
            prop_assert!(plan.is_empty());
            return Ok(());
        }
        prop_assert!(plan.blocked.is_empty(), "{plan}");

        let kept = kept(&translation, &observed, &after);
        for (id, entry) in after.graph.entries() {
            let expected = translation.desired.contains(id) || kept.contains(id) || entry.mark.holder == Holder::Cluster;
            prop_assert!(expected, "{id} should be gone");
        }
        for id in &kept {
            if !translation.desired.contains(id) {
                prop_assert_eq!(after.graph.entry(id), observed.graph.entry(id));
            }
        }
        // Everything desired is there, and as it should be: but what the cluster shares may allow more for those left alone.
        let again = gclb::plan::plan(&translation, &after);
        prop_assert!(again.is_empty(), "not all was done: {again}");
        for (id, entry) in translation.desired.entries() {
            let now = after.graph.entry(id);
            match (now.map(|now| &now.node), &entry.node) {
                (Some(Node::Firewall(now)), Node::Firewall(wanted)) => {
                    prop_assert!(now.ports.is_superset(&wanted.ports));
                    prop_assert!(!kept.is_empty() || now.ports == wanted.ports);
                }
                (Some(Node::InstanceGroup(now)), Node::InstanceGroup(wanted)) => {
                    prop_assert!(wanted.named_ports.iter().all(|(name, port)| now.named_ports.get(name) == Some(port)));
                    prop_assert!(!kept.is_empty() || now.named_ports == wanted.named_ports);
                    prop_assert_eq!(&now.members, &wanted.members);
                }
                _ => prop_assert_eq!(now, Some(entry)),
            }
        }
        let only_cluster = after.graph.entries().all(|(_, entry)| entry.mark.holder == Holder::Cluster);
        prop_assert!(!only_cluster || after.graph.is_empty(), "nothing is left behind: {:?}", after.graph);
    }

    #[test]
    fn an_emptied_api_server_changes_nothing(cloud in cloud()) {
        let plan = plan(&Translation::default(), &cloud.observed());
        prop_assert!(plan.is_empty(), "{plan}");
    }

    /// Whatever could not be seen, and whoever has taken names: nothing breaks, nothing strange is touched, and it settles.
    #[test]
    fn blindness_and_taken_names_do_no_harm(
        world in world(),
        cloud in cloud(),
        taken in vec(any::<usize>(), 0..3),
        unknown in vec((any::<usize>(), prop_oneof![Just(None), Just(Some("global")), Just(Some("zones/z-0"))]), 0..3),
        choices in choices(),
    ) {
        let translation = world.translation();
        let mut observed = cloud.observed();
        let absent: Vec<ResourceId> = translation
            .desired
            .entries()
            .map(|(id, _)| id.clone())
            .filter(|id| !observed.graph.contains(id))
            .collect();
        for which in taken {
            observed.taken.extend(absent.get(which % absent.len().max(1)).cloned());
        }
        for (kind, scope) in unknown {
            let kind = Kind::ALL[kind % Kind::ALL.len()];
            observed.unknown.insert(Unknown { kind, scope: scope.map(Into::into) });
            let unseen: Vec<_> = observed.graph.entries().map(|(id, _)| id.clone()).filter(|id| !observed.can_tell(id)).collect();
            for id in unseen {
                observed.graph.remove(&id);
            }
        }
        let (plan, after) = sound(&translation, &observed, &choices);
        for change in plan.graph.node_weights().filter(|change| change.action.is_call()) {
            prop_assert!(observed.can_tell(&change.id) , "{} could not be seen", change.id);
        }
        let again = gclb::plan::plan(&translation, &after);
        prop_assert!(again.is_empty(), "first {plan}\nthen {again}");
    }

    /// Nobody who is served now is cut off by a change: whatever answers keeps answering until it is torn down.
    #[test]
    fn no_request_is_lost_on_the_way(
        before in world(), after in world(), choices in choices(),
    ) {
        let observed = partly(&before, &[0], usize::MAX);
        let translation = after.translation();
        let served = |lb: &u8| matches!(
            (before.load_balancers.get(lb), after.load_balancers.get(lb)),
            (Some(LoadBalancer::Serve { .. }), Some(LoadBalancer::Serve { .. } | LoadBalancer::Keep) | None)
        );
        let lbs: Vec<u8> = (0..4).filter(served).collect();
        let plan = plan(&translation, &observed);
        let end = simulate(&observed, &plan);
        // A service that loses all its pods has nobody to serve, whatever we do.
        let always_manned = |lb: &u8| {
            let reached = observed.graph.closure([&front(*lb, 80), &front(*lb, 443)]);
            manned(&observed.graph, *lb) && manned(&end.graph, *lb) && reached.iter().all(|id| is_manned(&end.graph, id))
        };
        walk(&observed, &plan, &choices, |_, state, change| {
            for lb in &lbs {
                assert_eq!(trouble(&state.graph, *lb), None, "load balancer {lb}, after {change:?}\n{plan}");
                let served = !always_manned(lb) || manned(&state.graph, *lb);
                assert!(served, "load balancer {lb} has nobody to serve after {change:?}\n{plan}");
            }
        });
    }

    /// Requests that somebody answers are sent elsewhere only when somebody answers there, and that is waited for only where it can
    /// come about.
    #[test]
    fn requests_move_only_to_what_is_well(
        before in world(), after in world(), choices in choices(),
    ) {
        let observed = partly(&before, &[0], usize::MAX);
        let translation = after.translation();
        let plan = plan(&translation, &observed);
        let end = simulate(&observed, &plan);
        let lbs: Vec<u8> = (0..4).filter(|lb| observed.graph.contains(&front(*lb, 80))).collect();
        walk(&observed, &plan, &choices, |was, is, change| {
            if let Action::AwaitHealthy { map, .. } = &change.action {
                let fronts = lbs.iter().flat_map(|lb| [front(*lb, 80), front(*lb, 443)]).collect::<Vec<_>>();
                let reached = was.graph.closure(&fronts);
                assert!(reached.contains(map) && reached.contains(&change.id), "{} is not probed\n{plan}", change.id);
                assert!(is_manned(&was.graph, &change.id), "{} has nobody to become well\n{plan}", change.id);
            }
            for lb in &lbs {
                for ((path, from), (_, to)) in answers(&was.graph, *lb).into_iter().zip(answers(&is.graph, *lb)) {
                    let (Destination::Service(from), Destination::Service(to)) = (&from, &to) else { continue };
                    let protected = is_manned(&observed.graph, from.id()) && is_manned(&end.graph, to.id());
                    let well = is.health.get(to.id()) == Some(&Wellness::Well);
                    assert!(from == to || !protected || well, "load balancer {lb}: {path} moves from {from:?} to {to:?} too early\n{plan}");
                }
            }
        });
    }

    /// Wherever a plan is broken off, another one goes on there: it does what was left, and nothing that was done already.
    #[test]
    fn a_plan_that_is_broken_off_is_gone_on_with(
        before in world(), after in world(), choices in choices(), done in any::<usize>(),
    ) {
        let observed = partly(&before, &[0], usize::MAX);
        let translation = after.translation();
        let whole = plan(&translation, &observed);
        let done = done % (whole.graph.node_count() + 1);
        let (mut now, mut left) = (observed.clone(), Vec::new());
        let mut nth = 0;
        let end = walk(&observed, &whole, &choices, |_, state, change| {
            nth += 1;
            if nth == done {
                now = state.clone();
            }
            if nth > done {
                left.push((change.id.clone(), change.action.word()));
            }
        });
        let rest = plan(&translation, &now);
        let waits = rest.graph.node_weights().any(|change| matches!(change.action, Action::AwaitHealthy { .. }));
        for change in rest.graph.node_weights() {
            let what = (change.id.clone(), change.action.word());
            match left.iter().position(|left| *left == what) {
                Some(at) => drop(left.swap_remove(at)),
                // How requests are moved depends on what answers at that moment, which the plan itself changes: there may be more to
                // wait for than at the start, and they may be moved one by one where that was only possible together.
                None => prop_assert!(
                    waits && (what.1 == "await_healthy" || change.id.kind == Kind::UrlMap && what.1 == "update"),
                    "{what:?} is done again after {done} changes of\n{whole}\nas\n{rest}"
                ),
            }
        }
        prop_assert_eq!(simulate(&now, &rest).graph, end.graph);
    }

    /// One of two load balancers goes: what the other uses is not even touched.
    #[test]
    fn what_another_uses_is_not_touched(mut world in world(), stays in serve(), goes in serve(), choices in choices()) {
        world.load_balancers = [(0, stays.clone()), (1, goes)].into();
        let observed = partly(&world, &[0], usize::MAX);
        world.load_balancers.insert(1, LoadBalancer::TearDown);
        let translation = world.translation();
        let used = translation.desired.closure(translation.desired.entries().filter(|(_, entry)| entry.mark.holder == Holder::LoadBalancer(key(0))).map(|(id, _)| id));
        let (plan, after) = sound(&translation, &observed, &choices);
        for change in plan.graph.node_weights() {
            let narrowed = change.mark.holder == Holder::Cluster && change.action != Action::Delete;
            prop_assert!(narrowed || !used.contains(&change.id), "{change:?}");
        }
        prop_assert_eq!(only(&after.graph, &used), only(&translation.desired, &used));
        prop_assert_eq!(after.held_by(&key(1)).count(), 0);
    }
}

fn only(graph: &Graph, ids: &BTreeSet<ResourceId>) -> Graph {
    let mut some = Graph::default();
    for (id, entry) in graph.entries().filter(|(id, _)| ids.contains(id)) {
        some.put(id.clone(), entry.clone());
    }
    some
}

/// Whether every backend service of a load balancer that requests go to has a member.
fn manned(graph: &Graph, lb: u8) -> bool {
    let routed = without_warm_rules(graph);
    routed.closure([&front(lb, 80), &front(lb, 443)]).iter().all(|id| is_manned(graph, id))
}

/// The graph as requests see it.
fn without_warm_rules(graph: &Graph) -> Graph {
    let mut routed = graph.clone();
    for (id, mark, map) in graph.of::<UrlMap>().filter(|(_, _, map)| map.warm().next().is_some()) {
        let node = Node::UrlMap(map.warming([]));
        routed.put(id.clone(), Entry { mark: mark.clone(), node });
    }
    routed
}

/// Where a request to a load balancer goes that is not redirected: for each of some paths.
fn answers(graph: &Graph, lb: u8) -> Vec<(String, Destination)> {
    let map = ResourceId { kind: Kind::UrlMap, scope: Scope::Global, name: name(format!("um-{lb}")) };
    let Some(Node::UrlMap(map)) = graph.entry(&map).map(|entry| &entry.node) else { return Vec::new() };
    let kinds = ["np", "neg"].iter();
    let named =
        kinds.flat_map(|kind| (0..world::SERVICES).map(move |service| format!("/bs-{kind}-{service}")));
    named
        .chain(["/".to_owned()])
        .map(|path| {
            // The worlds have one host rule, for every host, and exact paths.
            let rules = map.routes().next().map(|host| &host.matcher);
            let rule =
                rules.and_then(|rules| rules.path_rules.iter().find(|rule| rule.paths.contains(&path)));
            let default = rules.map_or(&map.default, |rules| &rules.default);
            let to = rule.map_or(default, |rule| &rule.destination).clone();
            (path, to)
        })
        .collect()
}

/// Whether it is not a backend service without a member.
fn is_manned(graph: &Graph, id: &ResourceId) -> bool {
    match graph.entry(id).map(|entry| &entry.node) {
        Some(Node::BackendService(service)) => members(graph, service) > 0,
        _ => true,
    }
}

fn front(lb: u8, port: u16) -> ResourceId {
    ResourceId { kind: Kind::ForwardingRule, scope: Scope::Global, name: name(format!("fr-{lb}-{port}")) }
}

fn members(graph: &Graph, service: &BackendService) -> usize {
    let count = |backend: &Backend| match &backend.group {
        Group::Instances(group) => graph.get(group).map_or(0, |group| group.members.len()),
        Group::Endpoints(group) => graph.get(group).map_or(0, |group| group.members.count().unwrap_or(0)),
        Group::Other(_) => 0,
    };
    service.backends.iter().map(count).sum()
}

/// Why a request to port 80 of a load balancer, or to 443 where it answers that, would get nowhere.
fn trouble(graph: &Graph, lb: u8) -> Option<String> {
    let graph = &without_warm_rules(graph);
    let Some(Entry { node: Node::ForwardingRule(rule), .. }) = graph.entry(&front(lb, 80)) else {
        return Some("port 80 does not answer".into());
    };
    let Target::Http(proxy) = &rule.target else { return Some("port 80 is not plain".into()) };
    let map = graph.get(&graph.get(proxy)?.url_map)?;
    if map.redirects_to_https() && !graph.contains(&front(lb, 443)) {
        return Some("port 80 redirects to a port that does not answer".into());
    }
    let reached = graph.closure([&front(lb, 80), &front(lb, 443)]);
    let firewall = graph.of::<Firewall>().next()?.2;
    let open = |port: u16| firewall.ports.iter().any(|(first, last)| (*first..=*last).contains(&port));
    for id in &reached {
        let Some(Entry { node: Node::BackendService(service), .. }) = graph.entry(id) else { continue };
        for backend in &service.backends {
            match (&backend.group, &service.port_name) {
                (Group::Instances(group), Some(port_name)) => {
                    match graph.get(group)?.named_ports.get(port_name) {
                        Some(port) if open(*port) => {}
                        Some(port) => return Some(format!("port {port} of {id} is closed")),
                        None => return Some(format!("{port_name} of {id} is not named in {}", group.id())),
                    }
                }
                (Group::Endpoints(_), None) => {
                    if !open(8080) {
                        return Some("port 8080 is closed".into());
                    }
                }
                other => return Some(format!("{id} has {other:?}")),
            }
        }
    }
    None
}
