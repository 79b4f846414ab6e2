use serde_json::{Value, json};

use super::world::*;
use crate::model::{
    Address, AddressBinding, Destination, ForwardingRule, Kind, PathRule, Redirect, RedirectCode, Scheme,
    Target, TargetHttpProxy, UrlMap,
};
use crate::problem::{Reason, Severity};
use crate::snapshot::Snapshot;
use crate::translate::{Disposition, Translation, translate};

const VALID: &str = "2027-01-01T00:00:00Z";

fn kinds(translation: &Translation) -> Vec<(Kind, usize)> {
    let kinds = Kind::ALL.into_iter().map(|kind| (kind, count(translation, kind)));
    kinds.filter(|(_, count)| *count > 0).collect()
}

#[test]
fn the_walkthrough() {
    let mut snapshot = world();
    add_secret(&mut snapshot, "tls", VALID);
    let spec = json!({"defaultBackend": to("web"), "tls": [{"secretName": "tls"}]});
    let translation = translated(&mut snapshot, spec);
    assert_eq!(problems(&translation), []);
    assert_eq!(
        kinds(&translation),
        [
            (Kind::Firewall, 1),
            (Kind::InstanceGroup, 2),
            (Kind::HealthCheck, 1),
            (Kind::BackendService, 1),
            (Kind::UrlMap, 2),
            (Kind::SslCertificate, 1),
            (Kind::TargetHttpProxy, 1),
            (Kind::TargetHttpsProxy, 1),
            (Kind::Address, 1),
            (Kind::ForwardingRule, 2),
        ]
    );
    let serves = frontends(&translation);
    let _: &Address = only(&translation);
    let (address, _, _) = translation.desired.of::<Address>().next().unwrap();
    let rules: Vec<&ForwardingRule> =
        serves.forwarding_rules.iter().map(|rule| at(&translation, rule)).collect();
    assert_eq!(rules.iter().map(|rule| rule.port).collect::<Vec<_>>(), [80, 443]);
    for rule in &rules {
        assert!(matches!(&rule.address, AddressBinding::Reserved(at) if at.id() == address));
        assert_eq!(rule.scheme, Scheme::ExternalManaged);
    }
    let Target::Http(plain) = &rules[0].target else { panic!("{:?}", rules[0]) };
    let redirect: &UrlMap = at(&translation, &at(&translation, plain).url_map);
    let moved = Redirect { https: true, code: RedirectCode::MovedPermanently };
    assert_eq!(*redirect, UrlMap { default: Destination::Redirect(moved), hosts: vec![] });
    let Target::Https(tls) = &rules[1].target else { panic!("{:?}", rules[1]) };
    let main: &UrlMap = at(&translation, &at(&translation, tls).url_map);
    assert!(matches!(main.default, Destination::Service(_)));
    assert_eq!(serves.uses.len(), translation.desired.len(), "it uses everything there is");
}

#[test]
fn port_80_does_what_the_settings_say() {
    let with = |annotations: Value| {
        let mut snapshot = world();
        add_secret(&mut snapshot, "tls", VALID);
        let spec = json!({"defaultBackend": to("web"), "tls": [{"secretName": "tls"}]});
        add_ingress(&mut snapshot, "test", annotations, spec);
        translate(&snapshot)
    };
    let serves = with(json!({"gclb.dev/redirect": "false"}));
    assert_eq!(count(&serves, Kind::UrlMap), 1, "both ports share the map");
    assert_eq!(count(&serves, Kind::ForwardingRule), 2);
    let refuses = with(json!({"gclb.dev/allow-http": "false"}));
    assert_eq!(count(&refuses, Kind::TargetHttpProxy), 0);
    assert_eq!(count(&refuses, Kind::ForwardingRule), 1);
    let redirects = with(json!({"gclb.dev/redirect": "308"}));
    let proxy: &TargetHttpProxy = only(&redirects);
    let Destination::Redirect(redirect) = &at(&redirects, &proxy.url_map).default else {
        panic!("no redirect")
    };
    assert_eq!(redirect.code, RedirectCode::PermanentRedirect);
}

#[test]
fn rules_become_patterns_and_share_rules_by_destination() {
    let mut snapshot = world();
    add_service(&mut snapshot, "api", Some(30081));
    let path = |path_type: &str, path: &str, service: &str| json!({"pathType": path_type, "path": path, "backend": to(service)});
    let translation = translated(
        &mut snapshot,
        json!({"defaultBackend": to("web"), "rules": [
            {"host": "b.example.com", "http": {"paths": [path("Prefix", "/", "web")]}},
            {"host": "*.example.com"},
            {"host": "a.example.com", "http": {"paths": [
                path("Prefix", "/api", "api"),
                path("Exact", "/api", "web"),
                path("Prefix", "/v2/", "api"),
                path("ImplementationSpecific", "/files/*", "web"),
                path("ImplementationSpecific", "", "web"),
            ]}},
        ]}),
    );
    assert_eq!(problems(&translation), []);
    let map: &UrlMap = only(&translation);
    let hosts: Vec<_> = map.hosts.iter().map(|host| host.hosts.join(",")).collect();
    assert_eq!(hosts, ["a.example.com", "b.example.com", "*.example.com"]);
    let lines = |rules: &[PathRule]| -> Vec<String> {
        rules
            .iter()
            .map(|PathRule { paths, destination }| match destination {
                Destination::Service(service) => {
                    format!("{} {}", paths.join(" "), &service.name().as_str()[23..26])
                }
                other => format!("{other:?}"),
            })
            .collect()
    };
    assert_eq!(lines(&map.hosts[0].matcher.path_rules), ["/* /api /files/* web", "/api/* /v2 /v2/* api"]);
    assert_eq!(lines(&map.hosts[1].matcher.path_rules), ["/* web"]);
    assert_eq!(map.hosts[2].matcher.path_rules, []);
    assert_eq!(map.hosts[2].matcher.default, map.default);
}

#[test]
fn without_a_default_backend_the_rest_is_answered_404() {
    let mut snapshot = world();
    let translation = translated(
        &mut snapshot,
        json!({"rules": [{"host": "a.example.com", "http": {"paths": [
            {"pathType": "Prefix", "path": "/", "backend": to("web")},
        ]}}]}),
    );
    assert_eq!(problems(&translation), []);
    let map: &UrlMap = only(&translation);
    let Destination::NotFound { behind } = &map.default else { panic!("{:?}", map.default) };
    assert_eq!(at(&translation, behind).backends, []);
    assert_eq!(at(&translation, behind).health_check, None);
    assert_eq!(map.hosts[0].matcher.default, map.default);
}

#[test]
fn rules_beyond_what_a_url_map_takes_are_refused_as_a_whole() {
    let paths = |count: usize| -> Vec<Value> {
        let tail = "x".repeat(900);
        let path =
            |n: usize| json!({"pathType": "Exact", "path": format!("/{n:04}{tail}"), "backend": to("web")});
        (0..count).map(path).collect()
    };
    let mut snapshot = world();
    let spec = |count| json!({"rules": [{"http": {"paths": paths(count)}}]});
    assert_eq!(problems(&translated(&mut snapshot, spec(1000))), []);
    let translation = translated(&mut snapshot, spec(1200));
    assert_eq!(problems(&translation), [(Severity::Rejected, Reason::UrlMapTooLarge, "spec.rules")]);
    let message = &problems_of(&translation)[0].message;
    assert!(message.contains("about 1067 KB") && message.contains("at most 1024 KB"), "{message}");
    assert_eq!(test_of(&translation).disposition, Disposition::Keep);
    assert_eq!(count(&translation, Kind::UrlMap), 0);
    assert_eq!(count(&translation, Kind::InstanceGroup), 2, "what it uses stays");
    assert_eq!(count(&translation, Kind::Firewall), 1, "what it uses stays reachable");
}

#[test]
fn an_object_on_its_way_out_is_torn_down_and_a_stranger_is_not_seen() {
    let with = |metadata: Value, class: &str| -> (Snapshot, Translation) {
        let mut snapshot = world();
        let mut object = json!({
            "metadata": {"namespace": "default", "name": "test"},
            "spec": {"ingressClassName": class, "defaultBackend": to("web")},
        });
        for (key, value) in metadata.as_object().unwrap() {
            object["metadata"][key] = value.clone();
        }
        let ingress = serde_json::from_value(object).unwrap();
        snapshot.ingresses.insert(key("test"), std::sync::Arc::new(ingress));
        let translation = translate(&snapshot);
        (snapshot, translation)
    };
    let finalizers = json!(["gclb.dev/ingress"]);
    let going = json!({"finalizers": finalizers, "deletionTimestamp": "2026-05-31T00:00:00Z"});
    let (_, translation) = with(going, "gclb");
    assert_eq!(test_of(&translation).disposition, Disposition::TearDown);
    assert!(translation.desired.is_empty(), "nothing of it is wanted");

    let (_, translation) = with(json!({}), "nginx");
    assert!(translation.load_balancers.is_empty());
    assert!(translation.desired.is_empty());

    let (_, translation) = with(json!({"finalizers": finalizers}), "gone");
    assert_eq!(test_of(&translation).disposition, Disposition::Keep);
    assert_eq!(
        problems(&translation),
        [(Severity::Rejected, Reason::ClassNotFound, "spec.ingressClassName")]
    );
    assert_eq!(count(&translation, Kind::BackendService), 1, "what it uses stays");
}
