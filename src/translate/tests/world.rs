//! A small cluster to translate, changed by each test in what it is about.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::model::{
    CertificateFingerprint, ClusterId, Kind, LoadBalancerKey, ObjectKey, Ref, Resource, ResourceName, Zone,
};
use crate::problem::{Problem, Reason, Severity};
use crate::snapshot::CONTROLLER;
use crate::snapshot::{
    Certificate, CertificateError, Cluster, Node, PodEndpoint, Service, ServiceEndpoints, ServicePort,
    Snapshot,
};
use crate::translate::{Disposition, Frontends, Translated, Translation, translate};

/// Two zones with a node each, our class, and the Service `web` with node port 30080 and a pod on either node.
pub(super) fn world() -> Snapshot {
    let class = json!({"metadata": {"name": "gclb"}, "spec": {"controller": CONTROLLER}});
    let cluster = Cluster::of(ClusterId::new("0a1b2c3d").unwrap());
    let mut snapshot = Snapshot {
        classes: BTreeMap::from([("gclb".into(), Arc::new(serde_json::from_value(class).unwrap()))]),
        ..Snapshot::empty(cluster, "2026-06-01T00:00:00Z".parse().unwrap())
    };
    add_node(&mut snapshot, "node-a", "us-central1-a", true);
    add_node(&mut snapshot, "node-b", "us-central1-b", true);
    add_service(&mut snapshot, "web", Some(30080));
    add_endpoint(&mut snapshot, "web", "10.4.0.5", "node-a");
    add_endpoint(&mut snapshot, "web", "10.4.1.5", "node-b");
    snapshot
}

pub(super) fn key(name: &str) -> ObjectKey {
    ObjectKey::new("default", name)
}

pub(super) fn load_balancer(name: &str) -> LoadBalancerKey {
    LoadBalancerKey::ingress(key(name))
}

pub(super) fn add_node(snapshot: &mut Snapshot, name: &str, zone: &str, takes_traffic: bool) {
    let node = Node { instance: name.into(), zone: Zone(zone.into()), takes_traffic };
    snapshot.nodes.insert(name.into(), node);
}

/// A Service with port 80 named `http`.
pub(super) fn add_service(snapshot: &mut Snapshot, name: &str, node_port: Option<u16>) {
    let kind = if node_port.is_some() { "NodePort" } else { "ClusterIP" };
    let port = ServicePort { name: "http".into(), node_port, ..ServicePort::tcp(80) };
    let service = Service::of_type(kind, vec![port]);
    snapshot.services.insert(key(name), service.into());
}

pub(super) fn service<'s>(snapshot: &'s mut Snapshot, name: &str) -> &'s mut Service {
    std::sync::Arc::make_mut(snapshot.services.get_mut(&key(name)).unwrap())
}

pub(super) fn make_container_native(snapshot: &mut Snapshot, name: &str) {
    service(snapshot, name).neg_annotation = Some(r#"{"ingress": true}"#.into());
}

pub(super) fn add_endpoint(snapshot: &mut Snapshot, service: &str, address: &str, node: &str) {
    let endpoint =
        PodEndpoint { address: address.parse().unwrap(), port: 8080, node: node.into(), ready: true };
    let endpoints: &mut ServiceEndpoints =
        std::sync::Arc::make_mut(snapshot.endpoints.entry(key(service)).or_default());
    endpoints.by_port.entry("http".into()).or_default().insert(endpoint);
}

pub(super) fn add_secret(snapshot: &mut Snapshot, name: &str, not_after: &str) {
    let certificate = Certificate {
        fingerprint: CertificateFingerprint::of(name),
        names: vec![format!("{name}.example.com")],
        not_after: not_after.parse().unwrap(),
    };
    snapshot.secrets.insert(key(name), Ok(certificate));
}

pub(super) fn spoil_secret(snapshot: &mut Snapshot, name: &str) {
    snapshot.secrets.insert(key(name), Err(CertificateError::Mismatch));
}

pub(super) fn name(text: &str) -> ResourceName {
    ResourceName::new(text).unwrap()
}

/// An Ingress of our class.
pub(super) fn add_ingress(snapshot: &mut Snapshot, name: &str, annotations: Value, mut spec: Value) {
    spec["ingressClassName"] = json!("gclb");
    let object = json!({
        "metadata": {"namespace": "default", "name": name, "annotations": annotations},
        "spec": spec,
    });
    snapshot.ingresses.insert(key(name), Arc::new(serde_json::from_value(object).unwrap()));
}

pub(super) fn to(service: &str) -> Value {
    json!({"service": {"name": service, "port": {"number": 80}}})
}

/// An Ingress `test` with this spec, translated.
pub(super) fn translated(snapshot: &mut Snapshot, spec: Value) -> Translation {
    add_ingress(snapshot, "test", json!({}), spec);
    translate(snapshot)
}

pub(super) fn test_of(translation: &Translation) -> &Translated {
    &translation.load_balancers[&load_balancer("test")]
}

pub(super) fn frontends(translation: &Translation) -> &Frontends {
    match &test_of(translation).disposition {
        Disposition::Serve(frontends) => frontends,
        other => panic!("{other:?}"),
    }
}

/// What is wrong with `test`.
pub(super) fn problems_of(translation: &Translation) -> &[Problem] {
    &translation.claimants[&key("test")].problems
}

/// Severity, reason and field of each problem of `test`.
pub(super) fn problems(translation: &Translation) -> Vec<(Severity, Reason, &str)> {
    problems_of(translation)
        .iter()
        .map(|problem| (problem.severity, problem.reason, problem.field.as_str()))
        .collect()
}

/// The only node of its kind.
pub(super) fn only<K: Resource + 'static>(translation: &Translation) -> &K {
    let all: Vec<_> = translation.desired.of::<K>().collect();
    assert_eq!(all.len(), 1, "{:?}", all.iter().map(|(id, ..)| id.to_string()).collect::<Vec<_>>());
    all[0].2
}

pub(super) fn count(translation: &Translation, kind: Kind) -> usize {
    translation.desired.entries().filter(|(id, _)| id.kind == kind).count()
}

pub(super) fn at<'t, K: Resource>(translation: &'t Translation, reference: &Ref<K>) -> &'t K {
    translation.desired.get(reference).unwrap()
}
