//! Which requests move, and what is waited for.

use super::*;
use crate::model::{Kind, Scope};
use crate::plan::plan;
use crate::plan::tests::fixture::{World, done, http, https, id, name, steps, tamper, waits};

struct Maps(Graph);

impl Maps {
    fn to(&mut self, service: &str) -> Destination {
        Destination::Service(self.0.foreign(Scope::Global, name(service)))
    }

    /// `host path service`, each; a path of `-` is the host's default, a host of `-` the map's.
    fn map(&mut self, rules: &[&str]) -> UrlMap {
        let mut map = UrlMap { default: Destination::Other("nothing".into()), hosts: Vec::new() };
        for rule in rules {
            let [host, path, service] = rule.split(' ').collect::<Vec<_>>().try_into().unwrap();
            let to = self.to(service);
            if host == "-" {
                map.default = to;
                continue;
            }
            if map.hosts.last().is_none_or(|last| last.hosts != [host]) {
                let matcher = PathMatcher {
                    name: host.to_owned(),
                    default: map.default.clone(),
                    path_rules: Vec::new(),
                };
                map.hosts.push(HostRoutes { hosts: vec![host.to_owned()], matcher });
            }
            let matcher = &mut map.hosts.last_mut().unwrap().matcher;
            if path == "-" {
                matcher.default = to;
            } else {
                matcher.path_rules.push(PathRule { paths: vec![path.to_owned()], destination: to });
            }
        }
        map
    }
}

/// As `service<place, place`.
fn moved(from: &[&str], to: &[&str]) -> Vec<String> {
    let mut maps = Maps(Graph::default());
    let (from, to) = (maps.map(from), maps.map(to));
    let text = |destination: &Destination| match destination {
        Destination::Service(service) => service.name().to_string(),
        other => format!("{other:?}"),
    };
    moves(&from, &to)
        .into_iter()
        .map(|(id, before)| {
            format!("{}<{}", id.name, before.into_iter().map(text).collect::<Vec<_>>().join(","))
        })
        .collect()
}

#[test]
fn requests_move_where_another_rule_answers_them() {
    assert_eq!(moved(&["- - a"], &["- - a"]), Vec::<String>::new());
    assert_eq!(moved(&["- - a"], &["- - b"]), ["b<a"]);
    // A new host, or path, takes over from whoever answered by default.
    assert_eq!(moved(&["- - a"], &["- - a", "h.x - b"]), ["b<a"]);
    assert_eq!(moved(&["- - a", "h.x - b"], &["- - a", "h.x - b", "h.x /c/* c"]), ["c<b"]);
    // One that goes hands back.
    assert_eq!(moved(&["- - a", "h.x - b"], &["- - a"]), ["a<b"]);
    // The longest pattern wins, so a shorter one takes over only the rest.
    assert_eq!(moved(&["- - a", "h.x /p/q/* b"], &["- - a", "h.x /p/* c", "h.x /p/q/* b"]), ["c<a"]);
    assert_eq!(moved(&["- - a", "h.x /p/* c", "h.x /p/q b"], &["- - a", "h.x /p/* c"]), ["c<b"]);
    // A prefix that covers everything leaves nothing to the default.
    assert_eq!(moved(&["- - a", "h.x /* b"], &["- - a", "h.x /* b", "h.x - c"]), Vec::<String>::new());
    // Hosts: exact, then the longest wildcard, then any.
    assert_eq!(moved(&["- - a", "*.x - b"], &["- - a", "*.x - b", "h.x - c"]), ["c<b"]);
    assert_eq!(moved(&["- - a", "*.x - b"], &["- - a", "*.x - b", "*.y.x - c"]), ["c<b"]);
    assert_eq!(moved(&["- - a", "* - b"], &["- - c", "* - b"]), Vec::<String>::new());
}

#[test]
fn a_warm_host_rule_moves_nothing_and_is_known_again() {
    let mut maps = Maps(Graph::default());
    let map = maps.map(&["- - a", "h.x /p/* b"]);
    let Destination::Service(new) = maps.to("gclb1-0a1b2c3d-default-web-80-pods-wxvydfu6qqgk") else {
        panic!()
    };
    let warm = map.warming([&new]);
    assert!(moves(&map, &warm).is_empty() && moves(&warm, &map).is_empty());
    assert_eq!(warm.warm().collect::<Vec<_>>(), [&new]);
    assert_eq!(warm.hosts.last().unwrap().hosts, ["wxvydfu6qqgk.warm.gclb.invalid"]);
    assert_eq!(warm.warming([]), map);
    assert!(Node::UrlMap(warm).references().contains(&new.id()));
}

/// From a load balancer for `web` alone to one with node ports and pods behind it.
fn switched() -> (World, Observed) {
    let mut before = World::new();
    before.node_port("echo", 30001);
    before.serve("test", &http(&["echo"]));
    let mut after = World::new();
    after.pods("web", 3);
    after.serve("test", &http(&["web"]));
    (after, before.observed())
}

#[test]
fn what_takes_over_requests_is_warmed_waited_for_and_only_then_used() {
    let (after, observed) = switched();
    let plan = plan(&after.translation, &observed);
    let chain = ["create bs-web", "patch um-test", "await bs-web"];
    for two in chain.windows(2) {
        assert!(waits(&plan, (two[0], 0), (two[1], 0)), "{two:?}: {plan}");
    }
    assert!(waits(&plan, ("attach 3 neg-web", 0), ("await bs-web", 0)));
    assert!(
        !waits(&plan, ("attach 3 neg-web", 0), ("patch um-test", 0)),
        "probing needs members, warming does not"
    );
    assert!(waits(&plan, ("await bs-web", 0), ("patch um-test", 1)));
    assert!(waits(&plan, ("patch um-test", 1), ("delete bs-echo", 0)));
    let end = done(&observed, &plan);
    let Some(Node::UrlMap(map)) = end.graph.entry(&id(Kind::UrlMap, "um-test")).map(|entry| &entry.node)
    else {
        panic!()
    };
    assert_eq!(map.warm().count(), 0, "nothing warm is left");
}

#[test]
fn what_is_known_to_be_well_is_not_waited_for() {
    let mut before = World::new();
    before.pods("web", 3);
    before.pods("api", 3);
    before.serve("test", &http(&["web"]));
    before.serve("other", &http(&["api"]));
    let mut after = before.clone();
    after.translation.desired.remove(&id(Kind::UrlMap, "um-test"));
    after.serve("test", &http(&["web", "api"]));
    let mut observed = before.observed();
    assert_eq!(
        steps(&plan(&after.translation, &observed)),
        ["await bs-api", "patch um-test"],
        "it is probed, but not known"
    );
    observed.health.insert(id(Kind::BackendService, "bs-api"), Wellness::Well);
    assert_eq!(steps(&plan(&after.translation, &observed)), ["patch um-test"]);
    // Once nothing leads there any more, it is not probed either.
    observed.graph.remove(&id(Kind::ForwardingRule, "fr-other-80"));
    assert!(steps(&plan(&after.translation, &observed)).contains(&"await bs-api".to_owned()));
}

#[test]
fn nobody_is_waited_for_in_vain() {
    let (after, mut observed) = switched();
    // The old one answers nobody.
    observed.health.insert(id(Kind::BackendService, "bs-echo"), Wellness::Unwell);
    assert!(!steps(&plan(&after.translation, &observed)).contains(&"await bs-web".to_owned()));
    // The new one has no members.
    let (_, observed) = switched();
    let mut empty = World::new();
    empty.pods("web", 0);
    empty.serve("test", &http(&["web"]));
    assert!(!steps(&plan(&empty.translation, &observed)).contains(&"await bs-web".to_owned()));
    // No request comes by that map.
    let mut unreached = observed.clone();
    unreached.graph.remove(&id(Kind::ForwardingRule, "fr-test-80"));
    let (after, _) = switched();
    assert!(!steps(&plan(&after.translation, &unreached)).contains(&"await bs-web".to_owned()));
}

#[test]
fn what_was_answered_404_is_served_at_once() {
    let mut before = World::new();
    before.pods("web", 3);
    before.serve("test", &http(&["web"]));
    let mut observed = before.observed();
    let map = id(Kind::UrlMap, "um-test");
    tamper(&mut observed.graph, &map, |node| {
        if let Node::UrlMap(UrlMap { default, .. }) = node
            && let Destination::Service(behind) = default.clone()
        {
            *default = Destination::NotFound { behind };
        }
    });
    assert_eq!(steps(&plan(&before.translation, &observed)), ["patch um-test"]);
}

#[test]
fn a_redirect_answers_too() {
    let mut before = World::new();
    before.pods("web", 3);
    before.serve("test", &https(&["web"], &[("tls", "a")]));
    let mut observed = before.observed();
    let (map, redirect) = (id(Kind::UrlMap, "um-test"), id(Kind::UrlMap, "um-test-redirect"));
    let Node::UrlMap(redirect) = observed.graph.entry(&redirect).unwrap().node.clone() else { panic!() };
    tamper(&mut observed.graph, &map, |node| *node = Node::UrlMap(redirect));
    assert_eq!(
        steps(&plan(&before.translation, &observed)),
        ["patch um-test", "await bs-web", "patch um-test"]
    );
}

/// What waits holds up itself alone.
#[test]
fn the_rest_of_the_url_map_does_not_wait() {
    let mut before = World::new();
    before.pods("web", 3);
    before.pods("api", 3);
    before.pods("old", 3);
    before.serve("test", &http(&["web", "old", "api"]));
    let mut observed = before.observed();
    for service in ["bs-web", "bs-api"] {
        observed.health.insert(id(Kind::BackendService, service), Wellness::Well);
    }
    // `/old/*` goes to a new service now, and `/api/*` goes away.
    let mut after = World::new();
    after.pods("web", 3);
    after.pods("new", 3);
    after.serve("test", &http(&["web", "new"]));
    let map = id(Kind::UrlMap, "um-test");
    tamper(&mut after.translation.desired, &map, |node| {
        if let Node::UrlMap(map) = node {
            map.hosts[0].matcher.path_rules[0].paths = vec!["/old/*".into()];
        }
    });
    let plan = plan(&after.translation, &observed);
    let fields = crate::plan::tests::fixture::changed(&plan, "um-test");
    assert_eq!(
        fields,
        [
            "patch hosts[*].paths[/api/*]: bs-api -> (none)",
            "patch warm[bs-new]: (none) -> probed",
            "patch hosts[*].paths[/old/*]: bs-old -> bs-new",
            "patch warm[bs-new]: probed -> (none)",
        ]
    );
    assert!(!waits(&plan, ("await bs-new", 0), ("delete bs-api", 0)));
    assert!(waits(&plan, ("await bs-new", 0), ("delete bs-old", 0)));
}

/// A plan that is begun again half-way goes on there: at every step what is left is what was left.
#[test]
fn half_way_it_goes_on_where_it_was() {
    let (after, observed) = switched();
    let whole = plan(&after.translation, &observed);
    let mut now = observed;
    let order = crate::plan::order(&whole);
    for (nth, at) in order.iter().enumerate() {
        crate::plan::step(&mut now, &whole.graph[*at], |_| None);
        let mut left = steps(&whole)[nth + 1..].to_vec();
        let mut again = steps(&plan(&after.translation, &now));
        left.sort();
        again.sort();
        assert_eq!(again, left, "after {nth}");
    }
}

#[test]
fn a_move_that_is_no_longer_asked_for_leaves_nothing_warm() {
    let (after, observed) = switched();
    let whole = plan(&after.translation, &observed);
    let mut now = observed.clone();
    for at in crate::plan::order(&whole) {
        if matches!(whole.graph[at].action, crate::plan::Action::AwaitHealthy { .. }) {
            break;
        }
        crate::plan::step(&mut now, &whole.graph[at], |_| None);
    }
    let mut before = World::new();
    before.node_port("echo", 30001);
    before.serve("test", &http(&["echo"]));
    let back = plan(&before.translation, &now);
    assert!(waits(&back, ("patch um-test", 0), ("delete bs-web", 0)), "{back}");
    assert_eq!(done(&now, &back).graph, observed.graph);
}
