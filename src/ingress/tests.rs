// Values made by `json!` read best where they are passed.
#![allow(clippy::needless_pass_by_value)]

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::networking::v1::{Ingress, IngressClass};
use serde_json::{Value, json};

use super::*;
use crate::load_balancer::{
    Backend, BackendPort, DefaultRoute, HostPattern, PathMatch, Place, RouteAction, WeightedBackend,
};
use crate::model::RedirectCode;
use crate::problem::Severity;
use crate::snapshot::{CLASS_ANNOTATION, CONTROLLER};

fn ingress(metadata: Value, spec: Value) -> Ingress {
    let mut object = json!({"metadata": {"namespace": "default", "name": "test"}, "spec": spec});
    for (key, value) in metadata.as_object().unwrap() {
        object["metadata"][key] = value.clone();
    }
    serde_json::from_value(object).unwrap()
}

fn class(name: &str, controller: &str, annotations: Value) -> IngressClass {
    serde_json::from_value(json!({
        "metadata": {"name": name, "annotations": annotations},
        "spec": {"controller": controller},
    }))
    .unwrap()
}

fn ours(annotations: Value) -> IngressClass {
    class("gclb", CONTROLLER, annotations)
}

fn described(spec: Value) -> Described {
    describe(&ingress(json!({}), spec), Some(&ours(json!({}))))
}

fn describe(ingress: &Ingress, class: Option<&IngressClass>) -> Described {
    parts(&nothing(), object(), ingress, class).alone()
}

/// A cluster that holds nothing.
fn nothing() -> Snapshot {
    let cluster = crate::snapshot::Cluster::of(crate::model::ClusterId::new("0a1b2c3d").unwrap());
    Snapshot::empty(cluster, jiff::Timestamp::UNIX_EPOCH)
}

fn object() -> Arc<ObjectKey> {
    Arc::new(ObjectKey::new("default", "test"))
}

fn to(service: &str) -> Value {
    json!({"service": {"name": service, "port": {"number": 80}}})
}

fn path(path_type: &str, path: &str, service: &str) -> Value {
    json!({"pathType": path_type, "path": path, "backend": to(service)})
}

fn reasons(problems: &[Problem]) -> Vec<(Reason, &str)> {
    problems.iter().map(|problem| (problem.reason, problem.field.as_str())).collect()
}

/// The routes of each host, as `host path -> service`.
fn routes(load_balancer: &LoadBalancer) -> Vec<String> {
    let mut lines = Vec::new();
    for host in &load_balancer.hosts {
        for route in &host.routes {
            let kind = match &route.path {
                PathMatch::Exact(_) => "=",
                PathMatch::Prefix(_) => "^",
                PathMatch::Pattern(_) => "~",
            };
            let action = match &route.action {
                RouteAction::Forward(backends) => backends[0].backend.service.name.clone(),
                other => format!("{other:?}"),
            };
            lines.push(format!("{}{kind}{} {action}", host.pattern, route.path));
        }
    }
    lines
}

mod class_of {
    use super::*;

    #[derive(Debug, PartialEq)]
    enum Is {
        Ours,
        NotOurs,
        TearDown,
        Gone,
    }

    fn standing(metadata: Value, class_name: Option<&str>, claim: bool) -> Is {
        let classes = [ours(json!({})), class("nginx", "k8s.io/ingress-nginx", json!({}))]
            .into_iter()
            .map(|class| (class.metadata.name.clone().unwrap(), Arc::new(class)))
            .collect();
        let ingress = ingress(metadata, json!({"ingressClassName": class_name}));
        match class::standing(&ingress, &classes, claim) {
            Standing::Ours(_) => Is::Ours,
            Standing::NotOurs => Is::NotOurs,
            Standing::TearDown => Is::TearDown,
            Standing::ClassGone(problem) => {
                assert_eq!(problem.severity, Severity::Rejected);
                Is::Gone
            }
        }
    }

    fn plain() -> Value {
        json!({})
    }
    fn annotated(class: &str) -> Value {
        json!({"annotations": {CLASS_ANNOTATION: class}})
    }
    fn claimed() -> Value {
        json!({"finalizers": ["somebody.else/too", FINALIZER]})
    }
    fn deleted(finalizer: &str) -> Value {
        json!({"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": [finalizer]})
    }

    #[test]
    fn the_field_or_the_annotation_names_it() {
        assert_eq!(standing(plain(), Some("gclb"), false), Is::Ours);
        assert_eq!(standing(annotated("gclb"), None, false), Is::Ours);
        assert_eq!(standing(annotated("gclb"), Some("nginx"), false), Is::Ours, "the annotation counts");
        assert_eq!(standing(annotated("nginx"), Some("gclb"), false), Is::NotOurs, "the annotation counts");
        assert_eq!(standing(annotated(""), Some("gclb"), false), Is::Ours, "an empty one names nothing");
    }

    #[test]
    fn another_class_is_none_of_our_business() {
        assert_eq!(standing(plain(), Some("nginx"), true), Is::NotOurs);
        assert_eq!(standing(plain(), Some("unheard-of"), true), Is::NotOurs);
        assert_eq!(standing(annotated("gce"), None, true), Is::NotOurs);
    }

    #[test]
    fn classless_ones_are_taken_only_on_request() {
        assert_eq!(standing(plain(), None, false), Is::NotOurs);
        assert_eq!(standing(plain(), None, true), Is::Ours);
    }

    #[test]
    fn only_an_explicit_sign_tears_down() {
        assert_eq!(standing(deleted(FINALIZER), Some("gclb"), false), Is::TearDown);
        assert_eq!(standing(deleted(FINALIZER), Some("unheard-of"), false), Is::TearDown);
        assert_eq!(standing(deleted("somebody.else/too"), Some("gclb"), false), Is::NotOurs);
        assert_eq!(standing(claimed(), Some("nginx"), false), Is::TearDown, "it left for another class");
        assert_eq!(standing(claimed(), Some("unheard-of"), false), Is::Gone, "its class may come back");
        assert_eq!(standing(claimed(), None, false), Is::Gone);
        assert_eq!(standing(claimed(), Some("gclb"), false), Is::Ours);
    }
}

mod settings {
    use super::*;

    fn plain(own: Value, class: Value) -> (PlainHttp, Vec<Problem>) {
        let spec = json!({"tls": [{"secretName": "tls"}], "defaultBackend": to("web")});
        let ingress = ingress(json!({"annotations": own}), spec);
        let Described { plain, problems, .. } = describe(&ingress, Some(&ours(class)));
        (plain, problems)
    }

    #[test]
    fn every_value_is_read() {
        for (value, expected) in [
            ("true", PlainHttp::Redirect(RedirectCode::MovedPermanently)),
            ("301", PlainHttp::Redirect(RedirectCode::MovedPermanently)),
            ("302", PlainHttp::Redirect(RedirectCode::Found)),
            ("303", PlainHttp::Redirect(RedirectCode::SeeOther)),
            ("307", PlainHttp::Redirect(RedirectCode::TemporaryRedirect)),
            ("308", PlainHttp::Redirect(RedirectCode::PermanentRedirect)),
            ("false", PlainHttp::Serve),
            (" 308 ", PlainHttp::Redirect(RedirectCode::PermanentRedirect)),
        ] {
            assert_eq!(plain(json!({REDIRECT: value}), json!({})), (expected, vec![]), "{value}");
            assert_eq!(
                plain(json!({}), json!({REDIRECT: value})),
                (expected, vec![]),
                "{value} of the class"
            );
        }
        assert_eq!(plain(json!({ALLOW_HTTP: "false"}), json!({})).0, PlainHttp::Refuse);
    }

    #[test]
    fn the_ingress_wins_over_its_class_and_the_default_comes_last() {
        let moved = PlainHttp::Redirect(RedirectCode::MovedPermanently);
        assert_eq!(plain(json!({}), json!({})).0, moved);
        assert_eq!(plain(json!({REDIRECT: "true"}), json!({REDIRECT: "false"})).0, moved);
        assert_eq!(plain(json!({REDIRECT: "false"}), json!({REDIRECT: "308"})).0, PlainHttp::Serve);
        assert_eq!(plain(json!({ALLOW_HTTP: "true"}), json!({ALLOW_HTTP: "false"})).0, moved);
        assert_eq!(plain(json!({ALLOW_HTTP: "false", REDIRECT: "302"}), json!({})).0, PlainHttp::Refuse);
    }

    #[test]
    fn an_unreadable_value_is_as_if_it_were_not_there() {
        let (setting, problems) = plain(json!({REDIRECT: "yes"}), json!({REDIRECT: "308"}));
        assert_eq!(setting, PlainHttp::Redirect(RedirectCode::PermanentRedirect));
        assert_eq!(
            reasons(&problems),
            [(Reason::AnnotationInvalid, "metadata.annotations[gclb.dev/redirect]")]
        );
        assert!(problems[0].message.contains("Legal values are true, false, 301, 302, 303, 307 and 308"));
        let (setting, problems) = plain(json!({ALLOW_HTTP: "no"}), json!({ALLOW_HTTP: "never"}));
        assert_eq!(setting, PlainHttp::Redirect(RedirectCode::MovedPermanently));
        assert_eq!(
            reasons(&problems),
            [
                (Reason::AnnotationInvalid, "metadata.annotations[gclb.dev/allow-http]"),
                (Reason::AnnotationInvalid, "IngressClass gclb: metadata.annotations[gclb.dev/allow-http]"),
            ]
        );
    }

    #[test]
    fn a_misspelt_setting_is_noticed_and_foreign_annotations_are_not() {
        let (_, problems) = plain(
            json!({"gclb.dev/redirct": "false", STATUS: "{}", "nginx.ingress.kubernetes.io/rewrite-target": "/"}),
            json!({}),
        );
        assert_eq!(
            reasons(&problems),
            [(Reason::AnnotationInvalid, "metadata.annotations[gclb.dev/redirct]")]
        );
        assert_eq!(problems[0].severity, Severity::Warning);
    }

    #[test]
    fn without_tls_a_redirect_is_pointless_and_a_refusal_leaves_nothing() {
        let read = |annotations| {
            let spec = json!({"defaultBackend": to("web")});
            describe(&ingress(json!({"annotations": annotations}), spec), Some(&ours(json!({})))).wish()
        };
        let (wish, problems) = read(json!({REDIRECT: "308"}));
        assert!(matches!(wish, Wish::Serve(LoadBalancer { frontend: Frontend::Http, .. })));
        assert_eq!(problems[0].severity, Severity::Warning);
        let (wish, problems) = read(json!({ALLOW_HTTP: "false"}));
        assert!(matches!(wish, Wish::Keep(_)));
        assert_eq!(reasons(&problems), [(Reason::NothingToServe, "spec.tls")]);
        assert_eq!(problems[0].severity, Severity::Rejected);
    }
}

mod hosts_and_paths {
    use super::*;

    #[test]
    fn the_same_host_in_two_rules_is_one_host() {
        let Described { load_balancer, problems, .. } = described(json!({"rules": [
            {"host": "a.example.com", "http": {"paths": [path("Prefix", "/one", "one")]}},
            {"host": "b.example.com", "http": {"paths": [path("Prefix", "/", "b")]}},
            {"host": "a.example.com", "http": {"paths": [path("Prefix", "/two", "two")]}},
        ]}));
        assert_eq!(problems, []);
        assert_eq!(
            routes(&load_balancer),
            ["a.example.com^/one one", "a.example.com^/two two", "b.example.com^/ b"]
        );
    }

    #[test]
    fn routes_come_in_the_order_of_precedence() {
        let Described { load_balancer, problems, .. } = described(json!({"rules": [{"http": {"paths": [
            path("Prefix", "/", "root"),
            path("Prefix", "/shop", "shop"),
            path("Exact", "/shop", "door"),
            path("ImplementationSpecific", "/shop/*", "below"),
            path("Exact", "/shop/", "slash"),
            path("Prefix", "/shop/cart/", "cart"),
        ]}}]}));
        assert_eq!(problems, []);
        assert_eq!(
            routes(&load_balancer),
            [
                "*^/shop/cart cart",
                "*=/shop/ slash",
                "*~/shop/* below",
                "*=/shop door",
                "*^/shop shop",
                "*^/ root"
            ]
        );
    }

    #[test]
    fn of_two_equal_paths_the_first_wins() {
        let Described { load_balancer, problems, .. } = described(json!({"rules": [
            {"host": "a.example.com", "http": {"paths": [
                path("Prefix", "/a", "first"),
                path("Prefix", "/a/", "second"),
                path("Prefix", "/a", "first"),
                path("Exact", "/b", "first"),
                path("ImplementationSpecific", "/b", "second"),
                path("Prefix", "/", "first"),
            ]}},
            {"host": "a.example.com", "http": {"paths": [path("ImplementationSpecific", "", "second")]}},
        ]}));
        assert_eq!(
            routes(&load_balancer),
            ["a.example.com=/b first", "a.example.com^/a first", "a.example.com^/ first"]
        );
        assert_eq!(
            reasons(&problems),
            [
                (Reason::PathConflict, "spec.rules[0].http.paths[1].path"),
                (Reason::PathConflict, "spec.rules[0].http.paths[4].path"),
                (Reason::PathConflict, "spec.rules[1].http.paths[0].path"),
            ]
        );
        assert!(
            problems[0].message.contains("spec.rules[0].http.paths[0], which wins"),
            "{}",
            problems[0].message
        );
    }

    #[test]
    fn hosts_of_every_kind_are_read() {
        let patterns = |host: Value| {
            let Described { load_balancer, problems, .. } = described(
                json!({"rules": [{"host": host, "http": {"paths": [path("Prefix", "/", "web")]}}]}),
            );
            assert_eq!(problems, []);
            load_balancer.hosts[0].pattern.clone()
        };
        assert_eq!(patterns(json!(null)), HostPattern::Any);
        assert_eq!(patterns(json!("")), HostPattern::Any);
        assert_eq!(patterns(json!("*")), HostPattern::Any);
        assert_eq!(patterns(json!("a.example.com")), HostPattern::Exact("a.example.com".into()));
        assert_eq!(patterns(json!("*.example.com")), HostPattern::Wildcard("example.com".into()));
        assert_eq!(patterns(json!("localhost")), HostPattern::Exact("localhost".into()));
        assert_eq!(
            patterns(json!("xn--bcher-kva.example")),
            HostPattern::Exact("xn--bcher-kva.example".into())
        );
    }

    #[test]
    fn what_is_no_host_costs_its_own_rule() {
        let label = format!("{}.example.com", "a".repeat(64));
        let long = vec!["a".repeat(63); 5].join(".");
        for (host, says) in [
            ("192.0.2.1", "is an address"),
            ("2001:db8::1", "is an address"),
            ("Shop.example.com", "lower case"),
            ("shop.example.com:8080", "Leave out \":8080\""),
            ("shop_1.example.com", "not a DNS name"),
            ("shop..example.com", "not a DNS name"),
            ("shop.example.com.", "not a DNS name"),
            ("-shop.example.com", "not a DNS name"),
            ("a.*.example.com", "an asterisk may only stand first"),
            ("*shop.example.com", "an asterisk may only stand first"),
            ("*.", "not a DNS name"),
            ("köln.example", "not a DNS name"),
            (&label, "not a DNS name"),
            (&long, "at most 253"),
        ] {
            let Described { load_balancer, problems, .. } = described(json!({"rules": [
                {"host": host, "http": {"paths": [path("Prefix", "/", "bad")]}},
                {"host": "good.example.com", "http": {"paths": [path("Prefix", "/", "good")]}},
            ]}));
            assert_eq!(routes(&load_balancer), ["good.example.com^/ good"]);
            assert_eq!(reasons(&problems), [(Reason::HostInvalid, "spec.rules[0].host")], "{host}");
            assert!(problems[0].message.contains(says), "{host}: {}", problems[0].message);
        }
    }

    #[test]
    fn what_is_no_path_costs_itself_alone() {
        let long = format!("/{}", "a".repeat(1024));
        for (path_type, text, says) in [
            ("Prefix", "shop", "does not begin with a slash. Write \"/shop\""),
            ("Exact", "", "does not begin with a slash"),
            ("Exact", "/a?b=c", "'?'"),
            ("Prefix", "/a#b", "'#'"),
            ("Prefix", "/a b", "' '"),
            ("Exact", "/a/*", "pathType ImplementationSpecific"),
            ("Prefix", "/a*", "Kubernetes takes literally"),
            ("Prefix", "/a//b", "empty elements"),
            ("Exact", "/a/../b", "elements of dots"),
            ("Prefix", "/a/.", "elements of dots"),
            ("Prefix", "/a%2Fb", "encoded slashes"),
            ("ImplementationSpecific", "shop/*", "does not begin with a slash"),
            ("ImplementationSpecific", "/a*", "right after a slash"),
            ("ImplementationSpecific", "/a/*/b", "right after a slash"),
            ("ImplementationSpecific", "/a/**", "right after a slash"),
            ("Regex", "/a", "not a path type"),
            ("Prefix", &long, "at most 1024"),
        ] {
            let Described { load_balancer, problems, .. } = described(json!({"rules": [{"http": {"paths": [
                path(path_type, text, "bad"), path("Prefix", "/good", "good"),
            ]}}]}));
            assert_eq!(routes(&load_balancer), ["*^/good good"]);
            assert_eq!(
                reasons(&problems),
                [(Reason::PathInvalid, "spec.rules[0].http.paths[0].path")],
                "{path_type} {text}"
            );
            assert!(problems[0].message.contains(says), "{path_type} {text}: {}", problems[0].message);
        }
    }

    #[test]
    fn a_rule_without_paths_sends_its_host_to_the_default() {
        let Described { load_balancer, problems, .. } = described(json!({
            "defaultBackend": to("web"), "rules": [{"host": "a.example.com"}],
        }));
        assert_eq!(problems, []);
        assert_eq!(load_balancer.hosts.len(), 1);
        assert_eq!(load_balancer.hosts[0].routes, []);
    }

    #[test]
    fn nothing_to_serve_is_said() {
        let Described { problems, .. } = described(json!({}));
        assert_eq!(reasons(&problems), [(Reason::NothingToServe, "spec")]);
        let Described { problems, .. } = described(json!({"rules": [{"host": "a.example.com"}]}));
        assert_eq!(reasons(&problems), [(Reason::NothingToServe, "spec")]);
    }
}

mod backends_and_certificates {
    use super::*;

    #[test]
    fn a_service_is_named_by_number_or_name() {
        let default = |port: Value| {
            described(json!({"defaultBackend": {"service": {"name": "web", "port": port}}}))
                .load_balancer
                .default
        };
        let forward = |port| {
            let backend = Backend { service: ObjectKey::new("default", "web"), port };
            let place = Place { object: object(), field: "spec.defaultBackend".to_owned() };
            let forward = WeightedBackend { backend, weight: 1, place: place.clone() };
            Some(DefaultRoute { action: RouteAction::Forward(vec![forward]), place })
        };
        assert_eq!(default(json!({"number": 80})), forward(BackendPort::Number(80)));
        assert_eq!(default(json!({"name": "http"})), forward(BackendPort::Name("http".into())));
    }

    #[test]
    fn what_is_no_backend_answers_404_rather_than_something_else() {
        for (backend, reason, below) in [
            (
                json!({"resource": {"kind": "StorageBucket", "name": "icons"}}),
                Reason::BackendUnsupported,
                "resource",
            ),
            (json!({}), Reason::BackendUnsupported, "service"),
            (json!({"service": {"name": "web"}}), Reason::ServicePortNotFound, "service.port"),
            (json!({"service": {"name": "web", "port": {}}}), Reason::ServicePortNotFound, "service.port"),
            (
                json!({"service": {"name": "web", "port": {"number": 70000}}}),
                Reason::ServicePortNotFound,
                "service.port.number",
            ),
        ] {
            let Described { load_balancer, problems, .. } = described(json!({"rules": [{"http": {"paths": [
                {"pathType": "Prefix", "path": "/icons", "backend": backend},
                path("Prefix", "/", "web"),
            ]}}]}));
            assert_eq!(routes(&load_balancer), ["*^/icons NotFound", "*^/ web"]);
            let field = format!("spec.rules[0].http.paths[0].backend.{below}");
            assert_eq!(reasons(&problems), [(reason, field.as_str())]);
        }
    }

    #[test]
    fn certificates_keep_their_order_and_lose_their_doubles() {
        let Described { load_balancer, problems, .. } = described(json!({
            "defaultBackend": to("web"),
            "tls": [
                {"secretName": "b", "hosts": ["b.example.com"]},
                {"secretName": "a"},
                {"secretName": "b"},
                {"hosts": ["c.example.com"]},
                {"secretName": ""},
            ],
        }));
        let Frontend::Https { certificates, plain } = load_balancer.frontend else { panic!("no TLS") };
        let named: Vec<_> =
            certificates.iter().map(|c| (c.source.to_string(), c.place.field.as_str())).collect();
        assert_eq!(
            named,
            [
                ("default/b".to_owned(), "spec.tls[0].secretName"),
                ("default/a".to_owned(), "spec.tls[1].secretName")
            ]
        );
        assert_eq!(plain, PlainHttp::Redirect(RedirectCode::MovedPermanently));
        assert_eq!(
            reasons(&problems),
            [
                (Reason::SecretNotFound, "spec.tls[3].secretName"),
                (Reason::SecretNotFound, "spec.tls[4].secretName")
            ]
        );
    }

    #[test]
    fn only_secrets_of_our_ingresses_are_asked_for() {
        let with = |name: &str, class: &str, secret: &str| {
            let object = json!({
                "metadata": {"namespace": "default", "name": name},
                "spec": {"ingressClassName": class, "tls": [{"secretName": secret}]},
            });
            (ObjectKey::new("default", name), Arc::new(serde_json::from_value::<Ingress>(object).unwrap()))
        };
        let ingresses = BTreeMap::from([with("a", "gclb", "mine"), with("b", "nginx", "theirs")]);
        let classes = BTreeMap::from([("gclb".to_owned(), Arc::new(ours(json!({}))))]);
        let found: Vec<_> = secrets(&classes, &ingresses, false).into_iter().collect();
        assert_eq!(found, [ObjectKey::new("default", "mine")]);
    }
}
