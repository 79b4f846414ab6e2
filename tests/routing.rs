//! A URL map routes as Kubernetes says.
//!
//! Random rules are translated. Then every request that the rules could tell apart is routed twice: by a reading of KEP-1453 that knows
//! nothing but the rules, and by the emulator's router, which knows nothing but the URL map. Both must agree.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use emulator::dataplane::program::Scheme;
use emulator::dataplane::program::{NetworkEndpoint, UrlMap as Programmed};
use emulator::dataplane::route::{Circumstances, RequestHead, Routed, route};
use emulator::program::{Resources, compile};
use gclb::model::{
    ClusterId, Destination, Holder, HostRoutes, ObjectKey, PathMatcher, PathRule, UrlMap, Zone,
};
use gclb::snapshot::{Cluster, Node, Service, ServicePort, Snapshot};
use gclb::translate::{Translation, translate};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

const SERVICES: [&str; 4] = ["web", "api", "shop", "files"];
const HOSTS: [&str; 3] = ["", "a.example.com", "*.example.com"];

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
            {"pathType": path_type, "path": path, "backend": backend(service)},
        ]}})
    }

    /// How well the rule's host fits a request's, greater is better.
    fn fits_host(&self, host: &str) -> Option<u8> {
        match self.host {
            "" => Some(0),
            exact if exact == host => Some(2),
            wildcard => {
                // One label and no more (KEP-1453).
                let label = host.strip_suffix(wildcard.strip_prefix('*')?)?;
                (!label.is_empty() && !label.contains('.')).then_some(1)
            }
        }
    }

    /// How well the rule's path fits a request's, greater is better: first how long it is, then whether it is exact.
    fn fits_path(&self, request: &str) -> Option<(usize, u8)> {
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
            // Its meaning is the controller's to choose, and ours is that of the Compute API.
            _ => match self.path.strip_suffix('*') {
                None if self.path.is_empty() => Some((1, 0)),
                None => exact(&self.path),
                Some("/") => Some((1, 0)),
                Some(stem) => request.starts_with(stem).then_some((stem.len(), 1)),
            },
        }
    }
}

/// Where Kubernetes sends a request; of equal rules the first counts. `None`: nowhere.
fn as_kubernetes(
    rules: &[Rule],
    default: Option<&'static str>,
    host: &str,
    path: &str,
) -> Option<&'static str> {
    let Some(best) = rules.iter().filter_map(|rule| rule.fits_host(host)).max() else { return default };
    rules
        .iter()
        .enumerate()
        .filter(|(_, rule)| rule.fits_host(host) == Some(best))
        .filter_map(|(index, rule)| Some((rule.fits_path(path)?, Reverse(index), rule.service)))
        .max()
        .map(|(_, _, service)| service)
        .or(default)
}

fn backend(service: &str) -> Value {
    json!({"service": {"name": service, "port": {"number": 80}}})
}

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

/// Every request that the rules could tell apart, for each kind of host.
fn requests() -> impl Iterator<Item = (&'static str, &'static str)> {
    let paths = [
        "/", "/a", "/a/", "/aa", "/aa/", "/a/a", "/a/a/", "/a/aa", "/aa/a", "/aa/a/", "/aa/aa", "/a/a/a",
        "/aaa",
    ];
    ["a.example.com", "A.Example.COM:80", "b.example.com", "example.com"]
        .into_iter()
        .flat_map(move |host| paths.into_iter().map(move |path| (host, path)))
}

fn translated(rules: &[Rule], default: Option<&str>) -> Translation {
    let class = json!({"metadata": {"name": "gclb"}, "spec": {"controller": gclb::snapshot::CONTROLLER}});
    let rules: Vec<Value> = rules.iter().map(Rule::to_json).collect();
    let mut spec = json!({"ingressClassName": "gclb", "rules": rules});
    if let Some(default) = default {
        spec["defaultBackend"] = backend(default);
    }
    let ingress = json!({"metadata": {"namespace": "default", "name": "test"}, "spec": spec});
    let service = |(name, node_port): (&&str, u16)| {
        let port = ServicePort { node_port: Some(node_port), ..ServicePort::tcp(80) };
        let service = Service::of_type("NodePort", vec![port]);
        (ObjectKey::new("default", *name), Arc::new(service))
    };
    let node =
        Node { instance: "node".to_owned(), zone: Zone("us-central1-a".to_owned()), takes_traffic: true };
    let cluster = Cluster::of(ClusterId::new("0a1b2c3d").unwrap());
    translate(&Snapshot {
        classes: BTreeMap::from([("gclb".to_owned(), Arc::new(serde_json::from_value(class).unwrap()))]),
        ingresses: BTreeMap::from([(
            ObjectKey::new("default", "test"),
            Arc::new(serde_json::from_value(ingress).unwrap()),
        )]),
        services: SERVICES.iter().zip(30080..).map(service).collect(),
        nodes: BTreeMap::from([("node".to_owned(), node)]),
        ..Snapshot::empty(cluster, "2026-06-01T00:00:00Z".parse().unwrap())
    })
}

/// The API's state as far as the emulator's compiler needs it: one forwarding rule, its proxy, and the URL map.
struct State(Vec<(&'static str, Value)>);

impl Resources for State {
    fn list(&self, collection: &str) -> Vec<(&str, &Value)> {
        self.0
            .iter()
            .filter(|(path, _)| path.split('/').any(|part| part == collection))
            .map(|(path, body)| (*path, body))
            .collect()
    }

    fn get(&self, path: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| *known == path).map(|(_, body)| body)
    }

    fn network_endpoints(&self, _group: &str) -> Vec<NetworkEndpoint> {
        Vec::new()
    }

    fn group_members(&self, _group: &str) -> Vec<String> {
        Vec::new()
    }

    fn private_key(&self, _ssl_certificate: &str) -> Option<&str> {
        None
    }
}

fn programmed(translation: &Translation, map: &UrlMap) -> Arc<Programmed> {
    let UrlMap { default, hosts } = map;
    let mut body = led_to(translation, default, "default");
    body["hostRules"] = hosts
        .iter()
        .map(|HostRoutes { hosts, matcher }| json!({"hosts": hosts, "pathMatcher": matcher.name}))
        .collect();
    body["pathMatchers"] = hosts
        .iter()
        .map(|HostRoutes { hosts: _, matcher: PathMatcher { name, default, path_rules } }| {
            let mut matcher = led_to(translation, default, "default");
            matcher["name"] = json!(name);
            matcher["pathRules"] = path_rules
                .iter()
                .map(|PathRule { paths, destination }| {
                    let mut rule = led_to(translation, destination, "");
                    rule["paths"] = json!(paths);
                    rule
                })
                .collect();
            matcher
        })
        .collect();
    let rule = json!({
        "IPAddress": "127.0.0.1", "portRange": "80-80", "IPProtocol": "TCP", "loadBalancingScheme": "EXTERNAL_MANAGED",
        "target": "projects/p/global/targetHttpProxies/proxy",
    });
    let state = State(vec![
        ("projects/p/global/forwardingRules/rule", rule),
        ("projects/p/global/targetHttpProxies/proxy", json!({"urlMap": "projects/p/global/urlMaps/map"})),
        ("projects/p/global/urlMaps/map", body),
    ]);
    let program = compile(&state);
    let mut maps = program.url_maps.into_values();
    maps.next().unwrap_or_else(|| panic!("no URL map: {:?}", program.problems))
}

/// The fields of a destination, in a map or matcher (`default…`) or in a rule. What is answered 404 names no service that the rules name,
/// and that is all that matters here.
fn led_to(translation: &Translation, destination: &Destination, prefix: &str) -> Value {
    let name = match destination {
        Destination::Service(service) => {
            match &translation.desired.entry(service.id()).unwrap().mark.holder {
                Holder::Service { service, port: _ } => service.name.as_str(),
                other => panic!("{other}"),
            }
        }
        Destination::NotFound { behind: _ } => "not-found",
        other => panic!("{other:?}"),
    };
    let field = if prefix.is_empty() { "service".to_owned() } else { format!("{prefix}Service") };
    json!({field: format!("projects/p/global/backendServices/{name}")})
}

fn as_emulator<'a>(map: &'a Programmed, host: &str, path: &str) -> Option<&'a str> {
    let headers = http::HeaderMap::new();
    let request = RequestHead { authority: host, path, query: None, method: "GET", headers: &headers };
    match route(map, &request, &Circumstances::nobodys(Scheme::Classic)) {
        Routed::Forward(forwarding) => Some(forwarding.service.name()).filter(|name| *name != "not-found"),
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
        let translation = translated(&rules, default);
        let maps: Vec<&UrlMap> = translation.desired.of::<UrlMap>().map(|(_, _, map)| map).collect();
        prop_assert_eq!(maps.len(), 1);
        let map = programmed(&translation, maps[0]);
        for (host, path) in requests() {
            // Host names know no case, and a port is not part of them.
            let name = host.to_ascii_lowercase().replace(":80", "");
            let expected = as_kubernetes(&rules, default, &name, path);
            prop_assert_eq!(as_emulator(&map, host, path), expected, "{}{}\n{:#?}", host, path, maps[0]);
        }
    }
}
