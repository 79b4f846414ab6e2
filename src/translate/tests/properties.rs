//! Properties that hold for any input. That a URL map routes as Kubernetes says is held in `tests/routing.rs`, against the emulator.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use super::world::*;
use crate::model::{Observed, UrlMap};
use crate::plan::{plan, simulate};
use crate::snapshot::Snapshot;
use crate::translate::{Translation, translate, translate_beside};

const SERVICES: [&str; 4] = ["web", "api", "shop", "files"];

/// One path of one host, as an Ingress has it.
#[derive(Debug, Clone, PartialEq)]
struct Rule {
    host: &'static str,
    path_type: &'static str,
    path: String,
    service: &'static str,
}

impl Rule {
    fn to_json(&self) -> Value {
        let Self { host, path_type, path, service } = self;
        json!({"host": host, "http": {"paths": [
            {"pathType": path_type, "path": path, "backend": to(service)},
        ]}})
    }
}

const HOSTS: [&str; 3] = ["", "a.example.com", "*.example.com"];

/// Few enough that rules and requests meet often.
fn segments() -> impl Strategy<Value = String> {
    prop::collection::vec(select(vec!["a", "aa"]), 0..3).prop_map(|parts| parts.join("/"))
}

fn rule() -> impl Strategy<Value = Rule> {
    let path = prop_oneof![
        (select(vec!["Exact", "Prefix", "ImplementationSpecific"]), segments(), any::<bool>()).prop_map(
            |(path_type, path, slash)| {
                let slash = if slash && !path.is_empty() { "/" } else { "" };
                (path_type, format!("/{path}{slash}"))
            }
        ),
        segments().prop_map(|path| {
            ("ImplementationSpecific", if path.is_empty() { "/*".to_owned() } else { format!("/{path}/*") })
        }),
        Just(("ImplementationSpecific", String::new())),
    ];
    (select(HOSTS.to_vec()), path, select(SERVICES.to_vec()))
        .prop_map(|(host, (path_type, path), service)| Rule { host, path_type, path, service })
}

fn translate_rules(rules: &[Rule], default: Option<&str>) -> Translation {
    translate(&with_rules(rules, default))
}

fn with_rules(rules: &[Rule], default: Option<&str>) -> Snapshot {
    let mut snapshot = world();
    for (service, node_port) in SERVICES.iter().zip(30080..) {
        add_service(&mut snapshot, service, Some(node_port));
    }
    let rules: Vec<Value> = rules.iter().map(Rule::to_json).collect();
    let mut spec = json!({"rules": rules});
    if let Some(default) = default {
        spec["defaultBackend"] = to(default);
    }
    add_ingress(&mut snapshot, "test", json!({}), spec);
    snapshot
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_url_map_is_one_that_the_api_takes(rules in prop::collection::vec(rule(), 0..12)) {
        let translation = translate_rules(&rules, None);
        let map: &UrlMap = only(&translation);
        let mut hosts = std::collections::BTreeSet::new();
        let mut names = std::collections::BTreeSet::new();
        for routes in &map.hosts {
            for host in &routes.hosts {
                prop_assert!(hosts.insert(host.clone()), "{} twice", host);
            }
            prop_assert!(names.insert(routes.matcher.name.clone()));
            let mut paths = std::collections::BTreeSet::new();
            for rule in &routes.matcher.path_rules {
                prop_assert!(!rule.paths.is_empty());
                for path in &rule.paths {
                    prop_assert!(paths.insert(path.clone()), "{} twice", path);
                    prop_assert!(path.starts_with('/'));
                    let star = path.find('*');
                    prop_assert!(star.is_none_or(|at| at + 1 == path.len() && path.ends_with("/*")), "{}", path);
                }
            }
        }
    }

    #[test]
    fn the_order_of_rules_that_do_not_conflict_does_not_matter(
        (rules, shuffled) in subsequence(distinct_rules(), 0..=distinct_rules().len())
            .prop_flat_map(|rules| (Just(rules.clone()), Just(rules).prop_shuffle())),
    ) {
        let one = translate_rules(&rules, Some("web"));
        let other = translate_rules(&shuffled, Some("web"));
        prop_assert_eq!(&one.desired, &other.desired);
        prop_assert_eq!(problems(&one).len(), 0);
    }

    #[test]
    fn nothing_makes_it_panic(spec in any_spec(), annotations in any_annotations(), neg in text(), path in text()) {
        let mut snapshot = world();
        service(&mut snapshot, "web").neg_annotation = Some(neg);
        service(&mut snapshot, "web").health_check_path = Some(path);
        add_secret(&mut snapshot, "tls", "2026-01-01T00:00:00Z");
        add_ingress(&mut snapshot, "test", annotations, spec);
        let translation = translate(&snapshot);
        prop_assert_eq!(translation.load_balancers.len(), 1);
        for problem in problems_of(&translation) {
            prop_assert!(!problem.field.is_empty());
            prop_assert!(problem.message.ends_with('.'), "{}", problem.message);
        }
        // No reference leads out of the graph but to what the cloud holds, and it holds nothing here.
        for (id, entry) in translation.desired.entries() {
            for reference in entry.node.references() {
                prop_assert!(translation.desired.contains(reference), "{} -> {}", id, reference);
            }
        }
        prop_assert_eq!(&translation.desired, &translate(&snapshot).desired);
    }
}

/// No two of them are about the same path of the same host.
fn distinct_rules() -> Vec<Rule> {
    let mut rules = Vec::new();
    for (index, host) in HOSTS.into_iter().enumerate() {
        for (offset, (path_type, path)) in [
            ("Prefix", "/"),
            ("Prefix", "/a"),
            ("Exact", "/a"),
            ("Exact", "/b/"),
            ("ImplementationSpecific", "/c/*"),
        ]
        .into_iter()
        .enumerate()
        {
            let service = SERVICES[(index + offset) % SERVICES.len()];
            rules.push(Rule { host, path_type, path: path.to_owned(), service });
        }
    }
    rules
}

/// Text that is likely to be nearly right, and text that is not.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        select(vec![
            "",
            "/",
            "/*",
            "*",
            "web",
            "tls",
            "http",
            "true",
            "{\"ingress\": true}",
            "{\"ingress\":",
            "gclb",
            "a.example.com",
            "*.example.com",
            "Prefix",
            "Exact",
            "ImplementationSpecific",
            "/a/../b",
            "::1",
        ])
        .prop_map(ToOwned::to_owned),
        "[a-z0-9./*-]{0,12}",
        any::<String>(),
    ]
}

fn any_backend() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => (text(), any::<i32>(), text()).prop_map(|(name, number, port)| {
            json!({"service": {"name": name, "port": {"number": number, "name": port}}})
        }),
        1 => (text(), text()).prop_map(|(kind, name)| json!({"resource": {"kind": kind, "name": name}})),
        1 => Just(json!({})),
        4 => Just(to("web")),
    ]
}

fn any_spec() -> impl Strategy<Value = Value> {
    let path = (text(), text(), any_backend()).prop_map(
        |(path_type, path, backend)| json!({"pathType": path_type, "path": path, "backend": backend}),
    );
    let rule = (prop::option::of(text()), prop::option::of(prop::collection::vec(path, 0..5)))
        .prop_map(|(host, paths)| json!({"host": host, "http": paths.map(|paths| json!({"paths": paths}))}));
    let tls = prop::option::of(text()).prop_map(|secret| json!({"secretName": secret, "hosts": ["x"]}));
    (
        prop::option::of(prop::collection::vec(rule, 0..5)),
        prop::option::of(prop::collection::vec(tls, 0..4)),
        prop::option::of(any_backend()),
    )
        .prop_map(|(rules, tls, default)| json!({"rules": rules, "tls": tls, "defaultBackend": default}))
}

fn any_annotations() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        select(vec!["gclb.dev/redirect", "gclb.dev/allow-http", "gclb.dev/status"])
            .prop_map(ToOwned::to_owned),
        text().prop_map(|text| format!("gclb.dev/{text}")),
    ];
    prop::collection::btree_map(key, text(), 0..4).prop_map(|map| json!(map))
}

#[test]
fn what_the_cloud_holds_just_so_is_shared_and_nothing_else_differs() {
    let rule = |path: &str, service| Rule { host: "", path_type: "Prefix", path: path.to_owned(), service };
    let before = translate_rules(&[rule("/a", "web")], Some("api"));
    let observed = simulate(&Observed::default(), &plan(&before, &Observed::default()));
    let snapshot = with_rules(&[rule("/a", "web"), rule("/b", "shop")], Some("api"));
    let beside = translate_beside(&snapshot, &observed.graph);
    assert_eq!(beside.desired, translate(&snapshot).desired);
    let (mut shared, mut own) = (0, 0);
    for (id, entry) in beside.desired.entries() {
        match observed.graph.entry(id) {
            Some(there) if there == entry => {
                assert!(std::ptr::eq(there, entry), "{id} is there twice");
                shared += 1;
            }
            Some(_) | None => own += 1,
        }
    }
    assert!(shared > 5 && own > 2, "{shared} shared, {own} not");
}
