use petgraph::graph::NodeIndex;

use super::*;
use crate::model::{
    Address, ClusterId, Destination, Entry, Firewall, Graph, HostRoutes, Mark, Node, ObjectKey, PathMatcher,
    PathRule, Redirect, RedirectCode, Region, Resource as _, ResourceName, Scope, UrlMap, Zone,
};
use crate::plan::{Change, FieldChange, Verb, check};

fn key(name: &str) -> LoadBalancerKey {
    LoadBalancerKey::ingress(ObjectKey::new("default", name))
}

fn of(name: &str) -> Holder {
    Holder::LoadBalancer(key(name))
}

fn service(name: &str) -> Holder {
    Holder::Service { service: ObjectKey::new("default", name), port: "80".to_owned() }
}

fn id(kind: Kind, name: &str) -> ResourceId {
    let scope = match kind {
        Kind::NetworkEndpointGroup => Scope::Zone(Zone("us-central1-a".to_owned())),
        _ => Scope::Global,
    };
    ResourceId { kind, scope, name: ResourceName::new(name).unwrap() }
}

/// A plan that is written down change by change.
#[derive(Default)]
struct Draft(Plan);

impl Draft {
    fn add(&mut self, holder: Holder, id: ResourceId, action: Action, after: &[NodeIndex]) -> NodeIndex {
        let mark = Mark { cluster: ClusterId::new("0a1b2c3d").unwrap(), holder };
        let at = self.0.graph.add_node(Change { id, mark, action, reason: "new".to_owned(), seen: None });
        for before in after {
            self.0.graph.add_edge(*before, at, ());
        }
        at
    }

    /// What exactly is made does not matter to quotas: the kind counts.
    fn make(&mut self, holder: Holder, kind: Kind, name: &str, after: &[NodeIndex]) -> NodeIndex {
        self.add(holder, id(kind, name), Action::Create(Node::Address(Address {})), after)
    }

    fn delete(&mut self, holder: Holder, kind: Kind, name: &str, after: &[NodeIndex]) -> NodeIndex {
        self.add(holder, id(kind, name), Action::Delete, after)
    }

    /// A new load balancer over these backend services.
    fn new_load_balancer(&mut self, name: &str, services: &[NodeIndex]) -> NodeIndex {
        let map = self.make(of(name), Kind::UrlMap, &format!("map-{name}"), services);
        self.make(of(name), Kind::ForwardingRule, &format!("rule-{name}"), &[map])
    }
}

fn quotas(all: &[(&str, u64, u64)]) -> Quotas {
    let by_metric = all.iter().map(|(metric, limit, usage)| {
        ((Place::Global, (*metric).to_owned()), Quota { limit: *limit, usage: *usage })
    });
    Quotas { by_metric: by_metric.collect() }
}

fn look(plan: Plan, quotas: &Quotas, admitted: &BTreeSet<ResourceId>) -> Examined {
    examine(plan, &Observed::default(), quotas, &Rights::default(), admitted)
}

fn left_over(plan: &Plan) -> Vec<&str> {
    order(plan).into_iter().map(|at| plan.graph[at].id.name.as_str()).collect()
}

fn refusals(plan: &Plan) -> Vec<(String, String)> {
    let all = plan.blocked.iter().map(|blocked| (blocked.holder.to_string(), blocked.why.to_string()));
    all.collect()
}

#[test]
fn what_has_room_is_left_as_it_is() {
    let mut draft = Draft::default();
    let web = draft.make(service("web"), Kind::BackendService, "web", &[]);
    draft.new_load_balancer("a", &[web]);
    let examined = look(draft.0.clone(), &quotas(&[("BACKEND_SERVICES", 10, 9)]), &BTreeSet::new());
    assert_eq!(left_over(&examined.plan), left_over(&draft.0));
    assert_eq!(refusals(&examined.plan), []);
    assert_eq!(examined.admitted.len(), 3);
    // What is not known of refuses nothing.
    let examined = look(draft.0.clone(), &Quotas::default(), &BTreeSet::new());
    assert_eq!(left_over(&examined.plan), left_over(&draft.0));
}

#[test]
fn without_room_for_all_of_it_nothing_of_it_is_begun_and_others_go_on() {
    let mut draft = Draft::default();
    let services: Vec<NodeIndex> =
        ["x", "y", "z"].map(|name| draft.make(service(name), Kind::BackendService, name, &[])).into();
    draft.new_load_balancer("big", &services);
    let one = draft.make(service("one"), Kind::BackendService, "one", &[]);
    draft.new_load_balancer("small", &[one]);
    // Members of a group that exists follow their pods all the same.
    draft.add(service("x"), id(Kind::NetworkEndpointGroup, "neg"), Action::AttachEndpoints(Vec::new()), &[]);
    let examined = look(draft.0, &quotas(&[("BACKEND_SERVICES", 10, 9)]), &BTreeSet::new());
    let mut left = left_over(&examined.plan);
    left.sort_unstable();
    assert_eq!(left, ["map-small", "neg", "one", "rule-small"]);
    let refusals = refusals(&examined.plan);
    let [(holder, why)] = &refusals[..] else { panic!("{refusals:?}") };
    assert_eq!(holder, "ingress/default/big");
    for part in ["BACKEND_SERVICES of 10", "room for 1 more", "needs 3 more", "Raise the quota"] {
        assert!(why.contains(part), "{part}: {why}");
    }
    assert_eq!(examined.short_of_quota, [key("big")].into());
}

#[test]
fn what_several_share_is_needed_once_and_made_for_whoever_stays() {
    let mut draft = Draft::default();
    let shared = draft.make(service("shared"), Kind::BackendService, "shared", &[]);
    draft.new_load_balancer("a", &[shared]);
    let more = draft.make(service("more"), Kind::BackendService, "more", &[]);
    draft.new_load_balancer("b", &[shared, more]);
    draft.new_load_balancer("c", &[shared]);
    let examined = look(draft.0, &quotas(&[("BACKEND_SERVICES", 1, 0)]), &BTreeSet::new());
    let mut left = left_over(&examined.plan);
    left.sort_unstable();
    assert_eq!(left, ["map-a", "map-c", "rule-a", "rule-c", "shared"]);
    assert_eq!(examined.short_of_quota, [key("b")].into());
}

#[test]
fn a_replacement_needs_room_for_both() {
    let mut draft = Draft::default();
    let new = draft.make(service("web"), Kind::BackendService, "new", &[]);
    let update = Action::Update { verb: Verb::Patch, to: Node::Address(Address {}), fields: Vec::new() };
    let moved = draft.add(of("a"), id(Kind::UrlMap, "map-a"), update, &[new]);
    draft.delete(service("web"), Kind::BackendService, "old", &[moved]);
    let full = quotas(&[("BACKEND_SERVICES", 5, 5)]);
    let examined = look(draft.0.clone(), &full, &BTreeSet::new());
    assert_eq!(left_over(&examined.plan), [""; 0], "the old one goes on serving");
    let examined = look(draft.0, &quotas(&[("BACKEND_SERVICES", 6, 5)]), &BTreeSet::new());
    assert_eq!(left_over(&examined.plan), ["new", "map-a", "old"]);
}

#[test]
fn a_deletion_gives_room_only_to_what_waits_for_it() {
    let full = quotas(&[("FORWARDING_RULES", 2, 2)]);
    let mut draft = Draft::default();
    let old = draft.delete(of("a"), Kind::ForwardingRule, "old", &[]);
    draft.make(of("a"), Kind::ForwardingRule, "rule-a", &[old]);
    assert!(look(draft.0, &full, &BTreeSet::new()).short_of_quota.is_empty());

    let mut draft = Draft::default();
    draft.delete(of("gone"), Kind::ForwardingRule, "old", &[]);
    draft.make(of("a"), Kind::ForwardingRule, "rule-a", &[]);
    let examined = look(draft.0, &full, &BTreeSet::new());
    assert_eq!(left_over(&examined.plan), ["old"], "the torn down one goes, and then there is room");
    assert_eq!(examined.short_of_quota, [key("a")].into());
}

#[test]
fn who_is_served_already_comes_first() {
    let mut draft = Draft::default();
    let one = draft.make(service("one"), Kind::BackendService, "one", &[]);
    draft.new_load_balancer("a-new", &[one]);
    let two = draft.make(service("two"), Kind::BackendService, "two", &[]);
    let update = Action::Update { verb: Verb::Patch, to: Node::Address(Address {}), fields: Vec::new() };
    draft.add(of("served"), id(Kind::UrlMap, "map"), update, &[two]);
    let examined = look(draft.0, &quotas(&[("BACKEND_SERVICES", 1, 0)]), &BTreeSet::new());
    assert_eq!(left_over(&examined.plan), ["two", "map"]);
}

#[test]
fn whoever_was_let_in_stays_in() {
    let mut draft = Draft::default();
    let web = draft.make(service("web"), Kind::BackendService, "web", &[]);
    draft.new_load_balancer("a", &[web]);
    let first = look(draft.0.clone(), &quotas(&[("BACKEND_SERVICES", 1, 0)]), &BTreeSet::new());
    // By now it is being made, and the project says so.
    let other = draft.make(service("other"), Kind::BackendService, "other", &[]);
    draft.new_load_balancer("b", &[other]);
    let second = look(draft.0, &quotas(&[("BACKEND_SERVICES", 1, 1)]), &first.admitted);
    assert_eq!(second.short_of_quota, [key("b")].into());
    assert_eq!(left_over(&second.plan), ["web", "map-a", "rule-a"]);
}

#[test]
fn zones_count_for_their_region() {
    let mut draft = Draft::default();
    let neg = draft.make(service("web"), Kind::NetworkEndpointGroup, "neg", &[]);
    draft.new_load_balancer("a", &[neg]);
    let region = Place::Region(Region("us-central1".to_owned()));
    let full = Quota { limit: 7, usage: 7 };
    let quotas = Quotas { by_metric: [((region, "NETWORK_ENDPOINT_GROUPS".to_owned()), full)].into() };
    let examined = look(draft.0, &quotas, &BTreeSet::new());
    assert_eq!(left_over(&examined.plan), [""; 0]);
    let (_, why) = &refusals(&examined.plan)[0];
    assert!(why.contains("NETWORK_ENDPOINT_GROUPS of 7 (region us-central1) has room for 0 more"), "{why}");
}

#[test]
fn what_is_too_large_is_not_begun() {
    let redirect = || Destination::Redirect(Redirect { https: true, code: RedirectCode::Found });
    let map = |path: usize| {
        let rule = PathRule { paths: vec!["/".repeat(path)], destination: redirect() };
        let matcher = PathMatcher { name: "m".to_owned(), default: redirect(), path_rules: vec![rule] };
        let hosts = vec![HostRoutes { hosts: vec!["a.example.com".to_owned()], matcher }];
        Node::UrlMap(UrlMap { default: redirect(), hosts })
    };
    for (length, fits) in [(1024, true), (1025, false)] {
        let mut draft = Draft::default();
        let fields = Vec::<FieldChange>::new();
        let update = Action::Update { verb: Verb::Patch, to: map(length), fields };
        let moved = draft.add(of("a"), id(Kind::UrlMap, "map"), update, &[]);
        draft.delete(service("web"), Kind::BackendService, "old", &[moved]);
        let examined = look(draft.0, &Quotas::default(), &BTreeSet::new());
        assert_eq!(left_over(&examined.plan).is_empty(), !fits, "{length}");
        if !fits {
            let (_, why) = &refusals(&examined.plan)[0];
            assert!(why.contains("1025 characters in a path, and Google Cloud takes at most 1024"), "{why}");
        }
    }
}

/// What stays as it is may still be reached by a port that nothing planned needs.
#[test]
fn no_port_is_closed_while_something_waits() {
    let firewall = |ports: &[(u16, u16)]| Firewall {
        network: "default".to_owned(),
        source_ranges: BTreeSet::new(),
        ports: ports.iter().copied().collect(),
        target_tags: BTreeSet::new(),
    };
    let fw = id(Kind::Firewall, "firewall");
    let mark = Mark { cluster: ClusterId::new("0a1b2c3d").unwrap(), holder: Holder::Cluster };
    let mut observed = Observed::default();
    observed
        .graph
        .put(fw.clone(), Entry { mark, node: firewall(&[(30_000, 30_000), (30_001, 30_001)]).into_node() });
    for (ports, refused, stays) in [
        (&[(30_000, 30_000)][..], true, false),
        (&[(30_000, 30_000)][..], false, true),
        (&[(30_000, 30_002)][..], true, true),
    ] {
        let mut draft = Draft::default();
        let to = Node::Firewall(firewall(ports));
        let update = Action::Update { verb: Verb::Patch, to, fields: Vec::new() };
        draft.add(Holder::Cluster, fw.clone(), update, &[]);
        if refused {
            let web = draft.make(service("web"), Kind::BackendService, "web", &[]);
            draft.new_load_balancer("a", &[web]);
        }
        let examined = examine(
            draft.0,
            &observed,
            &quotas(&[("BACKEND_SERVICES", 0, 0)]),
            &Rights::default(),
            &BTreeSet::new(),
        );
        assert_eq!(
            left_over(&examined.plan),
            if stays { vec!["firewall"] } else { vec![] },
            "{ports:?} {refused}"
        );
    }
}

/// The plan keeps its own rules whatever is taken out of it.
#[test]
fn what_is_left_is_a_sound_plan() {
    let mut draft = Draft::default();
    for name in ["a", "b"] {
        draft.make(of(name), Kind::Address, &format!("address-{name}"), &[]);
    }
    let examined = look(draft.0, &quotas(&[("STATIC_ADDRESSES", 1, 0)]), &BTreeSet::new());
    assert_eq!(check(&examined.plan, &Graph::default(), &Observed::default()), []);
    assert_eq!(left_over(&examined.plan), ["address-a"]);
}

#[test]
fn what_is_left_stands_in_its_order() {
    let mut draft = Draft::default();
    draft.make(of("a"), Kind::UrlMap, "map-a", &[]);
    for name in ["b", "c"] {
        draft.make(of(name), Kind::Address, &format!("address-{name}"), &[]);
    }
    let examined = look(draft.0, &quotas(&[("URL_MAPS", 0, 0)]), &BTreeSet::new());
    let numbered: Vec<&str> =
        examined.plan.graph.node_weights().map(|change| change.id.name.as_str()).collect();
    assert_eq!(numbered, ["address-b", "address-c"]);
    assert_eq!(numbered, left_over(&examined.plan));
}

#[test]
fn a_missing_right_holds_up_whom_it_concerns_and_only_what_exists_is_asked_about() {
    let update = || Action::Update {
        verb: Verb::Patch,
        to: Node::UrlMap(UrlMap {
            default: Destination::Redirect(Redirect { https: true, code: RedirectCode::Found }),
            hosts: Vec::new(),
        }),
        fields: Vec::new(),
    };
    let mut draft = Draft::default();
    draft.add(of("old"), id(Kind::UrlMap, "old"), update(), &[]);
    draft.add(of("older"), id(Kind::UrlMap, "older"), update(), &[]);
    let neg = draft.make(service("new"), Kind::NetworkEndpointGroup, "neg", &[]);
    draft.add(
        service("new"),
        id(Kind::NetworkEndpointGroup, "neg"),
        Action::AttachEndpoints(Vec::new()),
        &[neg],
    );
    draft.new_load_balancer("new", &[]);
    draft.delete(service("gone"), Kind::BackendService, "gone", &[]);

    let (maps, services) = ("compute.urlMaps.update", "compute.backendServices.delete");
    let asked = questions(&draft.0, |_| false);
    assert_eq!(
        asked,
        [(id(Kind::BackendService, "gone"), [services].into()), (id(Kind::UrlMap, "old"), [maps].into()),]
            .into()
    );
    assert_eq!(questions(&draft.0, |permission| permission == maps).len(), 1);

    let rights = Rights { lacking: [maps].into() };
    let examined = examine(draft.0, &Observed::default(), &Quotas::default(), &rights, &BTreeSet::new());
    let mut left = left_over(&examined.plan);
    left.sort_unstable();
    assert_eq!(left, ["gone", "map-new", "neg", "neg", "rule-new"]);
    assert_eq!(examined.short_of_rights, [key("old"), key("older")].into());
    assert!(refusals(&examined.plan).iter().all(|(_, why)| why.contains(maps) && why.contains("Grant it")));
}
