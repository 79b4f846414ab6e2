//! Properties that hold for any input.

use std::cmp::Reverse;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use super::world::*;
use crate::model::{Destination, PathMatcher, UrlMap};
use crate::translate::{Translation, translate};

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

    /// What Kubernetes says of this rule and a request for a path: how well it fits, greater is better.
    fn fits(&self, request: &str) -> Option<(usize, u8)> {
        let exact = |path: &str| (request == path).then_some((path.len(), 2));
        let elements = |text: &str| -> Vec<String> {
            text.split('/').filter(|element| !element.is_empty()).map(ToOwned::to_owned).collect()
        };
        match self.path_type {
            "Exact" => exact(&self.path),
            "Prefix" => {
                let prefix = elements(&self.path);
                let whole: usize = prefix.iter().map(|element| element.len() + 1).sum();
                elements(request).starts_with(&prefix).then_some((whole.max(1), 0))
            }
            // As a URL map has it, which is what ImplementationSpecific means here.
            _ => match self.path.strip_suffix('*') {
                None if self.path.is_empty() => Some((1, 0)),
                None => exact(&self.path),
                Some("/") => Some((1, 0)),
                Some(stem) => request.starts_with(stem).then_some((stem.len(), 1)),
            },
        }
    }
}

const HOSTS: [&str; 3] = ["", "a.example.com", "*.example.com"];

/// Few enough that rules and requests meet often.
fn segments() -> impl Strategy<Value = String> {
    prop::collection::vec(select(vec!["a", "aa"]), 0..3).prop_map(|parts| parts.join("/"))
}

/// Every request that the rules could tell apart, for each kind of host.
fn requests() -> impl Iterator<Item = (&'static str, &'static str)> {
    let paths = [
        "/", "/a", "/a/", "/aa", "/aa/", "/a/a", "/a/a/", "/a/aa", "/aa/a", "/aa/a/", "/aa/aa", "/a/a/a",
        "/aaa",
    ];
    ["a.example.com", "b.example.com", "example.com"]
        .into_iter()
        .flat_map(move |host| paths.into_iter().map(move |path| (host, path)))
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
    let mut snapshot = world();
    for (service, node_port) in SERVICES.iter().zip(30080..) {
        add_service(&mut snapshot, service, Some(node_port));
    }
    let rules: Vec<Value> = rules.iter().map(Rule::to_json).collect();
    let mut spec = json!({"rules": rules});
    if let Some(default) = default {
        spec["defaultBackend"] = to(default);
    }
    translated(&mut snapshot, spec)
}

/// Where Kubernetes sends a request, by the rules of KEP-1453 and no others.
fn as_kubernetes(
    rules: &[Rule],
    default: Option<&'static str>,
    host: &str,
    path: &str,
) -> Option<&'static str> {
    let fits = |rule: &Rule| match rule.host {
        "" => Some(0),
        exact if exact == host => Some(2),
        wildcard => {
            let suffix = wildcard.strip_prefix("*.")?;
            let label = host.strip_suffix(suffix)?.strip_suffix('.')?;
            (!label.is_empty() && !label.contains('.')).then_some(1)
        }
    };
    let Some(best) = rules.iter().filter_map(fits).max() else { return default };
    rules
        .iter()
        .enumerate()
        .filter(|(_, rule)| fits(rule) == Some(best))
        .filter_map(|(index, rule)| Some((rule.fits(path)?, Reverse(index), rule.service)))
        .max()
        .map(|(_, _, service)| service)
        .or(default)
}

/// Where a URL map sends a request: the longest pattern wins; of two with the same text before the asterisk the one without.
fn as_url_map<'m>(map: &'m UrlMap, host: &str, path: &str) -> &'m Destination {
    let rank = |pattern: &str| match pattern.strip_prefix('*') {
        None => (pattern == host).then_some(usize::MAX),
        Some(suffix) => host.ends_with(suffix).then_some(suffix.len()),
    };
    let best = map
        .hosts
        .iter()
        .flat_map(|routes| routes.hosts.iter().map(move |pattern| (pattern, &routes.matcher)))
        .filter_map(|(pattern, matcher)| Some((rank(pattern)?, matcher)))
        .max_by_key(|(rank, _)| *rank);
    let Some((_, PathMatcher { name: _, default, path_rules })) = best else { return &map.default };
    let fits = |pattern: &str| match pattern.strip_suffix('*') {
        Some(stem) => path.starts_with(stem).then_some((stem.len(), 0)),
        None => (pattern == path).then_some((pattern.len(), 1)),
    };
    path_rules
        .iter()
        .flat_map(|rule| rule.paths.iter().map(move |pattern| (pattern, &rule.destination)))
        .filter_map(|(pattern, destination)| Some((fits(pattern)?, destination)))
        .max_by_key(|(rank, _)| *rank)
        .map_or(default, |(_, destination)| destination)
}

fn service_of(translation: &Translation, destination: &Destination) -> Option<String> {
    match destination {
        Destination::Service(service) => {
            match &translation.desired.entry(service.id()).unwrap().mark.holder {
                crate::model::Holder::Service { service, .. } => Some(service.name.clone()),
                other => panic!("{other:?}"),
            }
        }
        Destination::NotFound { .. } => None,
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_url_map_routes_as_kubernetes_says(
        rules in prop::collection::vec(rule(), 0..10),
        default in prop::option::of(select(SERVICES.to_vec())),
    ) {
        let translation = translate_rules(&rules, default);
        let map: &UrlMap = only(&translation);
        for (host, path) in requests() {
            let expected = as_kubernetes(&rules, default, host, path);
            let found = service_of(&translation, as_url_map(map, host, path));
            prop_assert_eq!(found.as_deref(), expected, "{}{}\n{:#?}", host, path, map);
        }
    }

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
        for problem in &test_of(&translation).problems {
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
