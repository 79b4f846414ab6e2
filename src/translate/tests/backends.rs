use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::world::*;
use crate::model::{
    BackendProtocol, BackendService, Balancing, Endpoint, Firewall, Group, HealthCheck, InstanceGroup, Kind,
    NetworkEndpointGroup, Probe,
};
use crate::problem::{Reason, Severity};
use crate::snapshot::Snapshot;
use crate::translate::Translation;

type Spoil<'a> = &'a dyn Fn(&mut Snapshot);

/// Translates an Ingress with nothing but a default backend.
fn to_web(snapshot: &mut Snapshot) -> Translation {
    translated(snapshot, json!({"defaultBackend": to("web")}))
}

#[test]
fn a_node_port_is_reached_over_an_instance_group_in_every_zone() {
    let mut snapshot = world();
    add_node(&mut snapshot, "control", "us-central1-c", false);
    let translation = to_web(&mut snapshot);
    assert_eq!(problems(&translation), []);
    let groups: BTreeMap<String, &InstanceGroup> = translation
        .desired
        .of::<InstanceGroup>()
        .map(|(id, _, group)| (id.scope.to_string(), group))
        .collect();
    let members: Vec<_> = groups.iter().map(|(zone, group)| (zone.as_str(), group.members.len())).collect();
    assert_eq!(members, [("zones/us-central1-a", 1), ("zones/us-central1-b", 1), ("zones/us-central1-c", 0)]);
    for group in groups.values() {
        assert_eq!(group.named_ports, BTreeMap::from([("port30080".to_owned(), 30080)]));
        assert_eq!(group.network.as_deref(), Some("default"));
    }
    let service: &BackendService = only(&translation);
    assert_eq!(service.port_name.as_deref(), Some("port30080"));
    assert_eq!(service.backends.len(), 3);
    for backend in &service.backends {
        assert!(matches!(backend.group, Group::Instances(_)));
        assert_eq!(backend.balancing, Balancing::RatePerInstance(1));
    }
    let firewall: &Firewall = only(&translation);
    assert_eq!(firewall.ports, BTreeSet::from([(30080, 30080)]));
    assert_eq!(firewall.source_ranges.len(), 2);
}

#[test]
fn pods_are_reached_over_an_endpoint_group_in_every_zone() {
    let mut snapshot = world();
    make_container_native(&mut snapshot, "web");
    add_node(&mut snapshot, "node-c", "us-central1-c", false);
    add_endpoint(&mut snapshot, "web", "10.4.9.9", "nobody-knows");
    let translation = to_web(&mut snapshot);
    assert_eq!(problems(&translation), []);
    let members: Vec<_> = translation
        .desired
        .of::<NetworkEndpointGroup>()
        .map(|(id, _, group)| {
            (id.scope.to_string(), group.members.known().unwrap().iter().cloned().collect::<Vec<_>>())
        })
        .collect();
    let endpoint = |instance: &str, address: &str| Endpoint {
        instance: instance.into(),
        address: address.parse().unwrap(),
        port: 8080,
    };
    assert_eq!(
        members,
        [
            ("zones/us-central1-a".to_owned(), vec![endpoint("node-a", "10.4.0.5")]),
            ("zones/us-central1-b".to_owned(), vec![endpoint("node-b", "10.4.1.5")]),
            ("zones/us-central1-c".to_owned(), vec![]),
        ]
    );
    let service: &BackendService = only(&translation);
    assert_eq!(service.port_name, None);
    assert_eq!(service.backends.len(), 3);
    assert_eq!(service.backends[0].balancing, Balancing::RatePerEndpoint(1));
    assert_eq!(count(&translation, Kind::InstanceGroup), 0);
    assert_eq!(only::<Firewall>(&translation).ports, BTreeSet::from([(8080, 8080)]));
}

#[test]
fn the_two_modes_never_share_a_backend_service() {
    let mut snapshot = world();
    let before = to_web(&mut snapshot);
    make_container_native(&mut snapshot, "web");
    let after = to_web(&mut snapshot);
    let id = |translation: &Translation| translation.desired.of::<BackendService>().next().unwrap().0.clone();
    assert_ne!(id(&before), id(&after));
}

#[test]
fn a_port_by_name_and_by_number_is_one_port() {
    let mut snapshot = world();
    let by_name = json!({"service": {"name": "web", "port": {"name": "http"}}});
    let translation = translated(
        &mut snapshot,
        json!({"defaultBackend": to("web"), "rules": [{"http": {"paths": [
            {"pathType": "Prefix", "path": "/a", "backend": by_name},
        ]}}]}),
    );
    assert_eq!(problems(&translation), []);
    assert_eq!(count(&translation, Kind::BackendService), 1);
}

#[test]
fn what_cannot_be_resolved_gets_a_backend_service_without_backends() {
    let missing = |snapshot: &mut Snapshot| {
        snapshot.services.remove(&key("web"));
    };
    let no_port = |snapshot: &mut Snapshot| service(snapshot, "web").ports[0].port = 81;
    let unreachable = |snapshot: &mut Snapshot| add_service(snapshot, "web", None);
    let udp = |snapshot: &mut Snapshot| service(snapshot, "web").ports[0].tcp = false;
    let cases: [(Spoil<'_>, Reason, &str, &str); 4] = [
        (&missing, Reason::ServiceNotFound, "service.name", "There is no Service default/web."),
        (
            &no_port,
            Reason::ServicePortNotFound,
            "service.port.number",
            "one of those that it has: 81 (http).",
        ),
        (
            &unreachable,
            Reason::ServiceNotReachable,
            "service.name",
            r#"cloud.google.com/neg: '{"ingress": true}'"#,
        ),
        (&udp, Reason::ServiceNotReachable, "service.port", "is not TCP"),
    ];
    for (spoil, reason, below, says) in cases {
        let mut snapshot = world();
        add_service(&mut snapshot, "other", Some(30081));
        let spec = json!({"defaultBackend": to("other"), "rules": [{"host": "a.example.com", "http": {"paths": [
            {"pathType": "Prefix", "path": "/a", "backend": to("web")},
            {"pathType": "Prefix", "path": "/b", "backend": to("web")},
        ]}}]});
        let good = translated(&mut snapshot, spec.clone());
        spoil(&mut snapshot);
        let translation = translated(&mut snapshot, spec);
        let field = format!("spec.rules[0].http.paths[0].backend.{below}");
        assert_eq!(problems(&translation), [(Severity::Degraded, reason, field.as_str())]);
        let message = &problems_of(&translation)[0].message;
        assert!(message.contains(says), "{message}");
        assert!(message.contains("requests for a.example.com/a (and 1 more path)"), "{message}");
        assert_eq!(frontends(&translation).forwarding_rules, frontends(&good).forwarding_rules);
        // The names are those of a reachable Service, so mending it adds groups and nothing else.
        let names = |translation: &Translation| -> Vec<_> {
            translation.desired.of::<BackendService>().map(|(id, ..)| id.name.clone()).collect()
        };
        assert_eq!(names(&translation), names(&good));
        let without: Vec<_> =
            translation.desired.of::<BackendService>().filter(|(.., s)| s.backends.is_empty()).collect();
        assert_eq!(without.len(), 1);
        assert!(without[0].2.health_check.is_some());
    }
}

#[test]
fn an_annotation_that_cannot_be_read_takes_no_service_off_the_air() {
    for (text, says) in [
        ("{\"ingress\": true", "is not JSON"),
        ("[1]", "is not a JSON object"),
        (r#"{"ingress": "yes"}"#, r#"its "ingress" is "yes""#),
    ] {
        let mut snapshot = world();
        service(&mut snapshot, "web").neg_annotation = Some(text.into());
        let translation = to_web(&mut snapshot);
        let field = "Service default/web: metadata.annotations[cloud.google.com/neg]";
        assert_eq!(problems(&translation), [(Severity::Degraded, Reason::NegAnnotationInvalid, field)]);
        let message = &problems_of(&translation)[0].message;
        assert!(message.contains(says), "{message}");
        assert_eq!(count(&translation, Kind::InstanceGroup), 2, "it opens node ports");

        add_service(&mut snapshot, "web", None);
        service(&mut snapshot, "web").neg_annotation = Some(text.into());
        let translation = to_web(&mut snapshot);
        assert_eq!(problems(&translation), [(Severity::Degraded, Reason::NegAnnotationInvalid, field)]);
        assert_eq!(count(&translation, Kind::NetworkEndpointGroup), 2, "only its pods can serve");
    }
}

#[test]
fn an_annotation_that_says_nothing_of_ingress_changes_nothing() {
    for text in [r#"{"ingress": false}"#, r#"{"exposed_ports": {"80": {}}}"#] {
        let mut snapshot = world();
        service(&mut snapshot, "web").neg_annotation = Some(text.into());
        let translation = to_web(&mut snapshot);
        assert_eq!(problems(&translation), []);
        assert_eq!(count(&translation, Kind::InstanceGroup), 2);
    }
}

#[test]
fn without_usable_nodes_it_is_said_what_a_usable_node_is() {
    let mut snapshot = world();
    for node in snapshot.nodes.values_mut() {
        node.takes_traffic = false;
    }
    let translation = to_web(&mut snapshot);
    assert_eq!(problems(&translation), [(Severity::Degraded, Reason::NodesUnusable, "spec.defaultBackend")]);
    assert_eq!(count(&translation, Kind::InstanceGroup), 2, "groups stay, without members");

    make_container_native(&mut snapshot, "web");
    assert_eq!(
        problems(&to_web(&mut snapshot)),
        [],
        "pods are probed whatever Kubernetes says of their node"
    );
    snapshot.nodes.clear();
    let translation = to_web(&mut snapshot);
    assert_eq!(problems(&translation), [(Severity::Degraded, Reason::NodesUnusable, "spec.defaultBackend")]);
    snapshot.endpoints.clear();
    assert_eq!(problems(&to_web(&mut snapshot)), [], "a Service without pods is not wrong");
}

#[test]
fn no_port_means_no_firewall_rule() {
    // To the API a rule without ports admits every port.
    let mut snapshot = world();
    make_container_native(&mut snapshot, "web");
    snapshot.endpoints.clear();
    let translation = to_web(&mut snapshot);
    assert_eq!(count(&translation, Kind::Firewall), 0);
    assert_eq!(count(&translation, Kind::BackendService), 1);
}

#[test]
fn the_health_check_asks_for_the_path_that_the_service_names() {
    let mut snapshot = world();
    service(&mut snapshot, "web").health_check_path = Some("/healthz".into());
    let translation = to_web(&mut snapshot);
    assert_eq!(problems(&translation), []);
    let asked = |translation: &Translation| only::<HealthCheck>(translation).probe.clone();
    assert_eq!(asked(&translation), Probe::Http { path: "/healthz".into(), host: None });
    for bad in ["healthz", "", "/a b"] {
        service(&mut snapshot, "web").health_check_path = Some(bad.into());
        let translation = to_web(&mut snapshot);
        let field = "Service default/web: metadata.annotations[gclb.dev/health-check-path]";
        assert_eq!(problems(&translation), [(Severity::Degraded, Reason::AnnotationInvalid, field)]);
        assert_eq!(asked(&translation), Probe::Http { path: "/".into(), host: None });
    }
}

#[test]
fn a_service_without_pods_is_asked_as_it_was_before() {
    let mut snapshot = world();
    make_container_native(&mut snapshot, "web");
    add_endpoint(&mut snapshot, "web", "10.4.0.7", "node-1");
    let probe = crate::snapshot::ReadinessProbe {
        asks: crate::snapshot::Asks::Grpc { service: "cart".into() },
        port: crate::snapshot::TargetPort::Number(8080),
        period_seconds: 7,
        timeout_seconds: 2,
        success_threshold: 1,
        failure_threshold: 3,
    };
    let container = crate::snapshot::Container { name: "c".into(), ports: Vec::new(), probe: Some(probe) };
    service(&mut snapshot, "web").ports[0].target_port = crate::snapshot::TargetPort::Number(8080);
    snapshot.probes = Some([(key("web"), [container].into())].into());
    let with_pods = to_web(&mut snapshot);
    let asked = only::<HealthCheck>(&with_pods).clone();
    assert_eq!(asked.probe, Probe::Grpc { service: Some("cart".into()) });

    snapshot.probes = Some([].into());
    snapshot.endpoints.clear();
    assert_eq!(only::<HealthCheck>(&to_web(&mut snapshot)).interval_seconds, 5, "it never was");
    snapshot.held.backends = with_pods.desired.only(&[Kind::BackendService, Kind::HealthCheck]);
    assert_eq!(only::<HealthCheck>(&to_web(&mut snapshot)), &asked);

    // Pods without a probe say that there is none.
    add_endpoint(&mut snapshot, "web", "10.4.0.8", "node-1");
    let without_probe = to_web(&mut snapshot);
    assert_eq!(only::<HealthCheck>(&without_probe).probe, Probe::Http { path: "/".into(), host: None });
}

#[test]
fn the_app_protocol_decides_how_backends_are_spoken_to() {
    let http = |path: &str| Probe::Http { path: path.into(), host: None };
    let https = |path: &str| Probe::Https { path: path.into(), host: None };
    for (word, protocol, probe) in [
        (None, BackendProtocol::Http, http("/")),
        (Some("http"), BackendProtocol::Http, http("/")),
        (Some("HTTPS"), BackendProtocol::Https, https("/")),
        (Some("kubernetes.io/h2c"), BackendProtocol::H2c, http("/")),
        (Some("example.com/unheard-of"), BackendProtocol::Http, http("/")),
    ] {
        let mut snapshot = world();
        service(&mut snapshot, "web").ports[0].app_protocol = word.map(Into::into);
        let translation = to_web(&mut snapshot);
        assert_eq!(only::<BackendService>(&translation).protocol, protocol, "{word:?}");
        assert_eq!(only::<HealthCheck>(&translation).probe, probe, "{word:?}");
    }
}

#[test]
fn load_balancers_share_what_serves() {
    let mut snapshot = world();
    for name in ["one", "two"] {
        add_ingress(&mut snapshot, name, json!({}), json!({"defaultBackend": to("web")}));
    }
    let translation = crate::translate::translate(&snapshot);
    assert_eq!(count(&translation, Kind::BackendService), 1);
    assert_eq!(count(&translation, Kind::HealthCheck), 1);
    assert_eq!(count(&translation, Kind::Firewall), 1);
    assert_eq!(count(&translation, Kind::UrlMap), 2);
    assert_eq!(count(&translation, Kind::Address), 2);
}
