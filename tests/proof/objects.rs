//! Kubernetes objects, as short as they can be written.

use std::sync::OnceLock;

use gclb::model::ObjectKey;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::{Ingress, IngressClass};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::{Value, json};

use crate::cloud::{PROJECT, zone_of};

const NAMESPACE: &str = "default";

/// Of an object that is called `web` in these tests, or `press/web` where it is in another namespace than most.
pub(crate) fn key(name: &str) -> ObjectKey {
    let (namespace, name) = name.split_once('/').unwrap_or((NAMESPACE, name));
    ObjectKey::new(namespace, name)
}

/// What an object is called in these tests.
pub(crate) fn called(metadata: &ObjectMeta) -> String {
    let name = metadata.name.clone().unwrap();
    match metadata.namespace.as_deref() {
        None | Some(NAMESPACE) => name,
        Some(namespace) => format!("{namespace}/{name}"),
    }
}

pub(crate) fn class() -> IngressClass {
    from(json!({"metadata": {"name": "gclb"}, "spec": {"controller": "gclb.dev/ingress"}}))
}

pub(crate) fn ingress(name: &str, annotations: &Value, spec: &Value) -> Ingress {
    let mut spec = spec.clone();
    spec["ingressClassName"] = json!("gclb");
    let ObjectKey { namespace, name } = key(name);
    from(
        json!({"metadata": {"name": name, "namespace": namespace, "annotations": annotations}, "spec": spec}),
    )
}

/// A host's paths, each with the Service and port behind it.
pub(crate) fn rule(host: &str, paths: &[(&str, &str, u16)]) -> Value {
    let paths: Vec<Value> = paths
        .iter()
        .map(|(path, service, port)| json!({"path": path, "pathType": "Prefix", "backend": backend(service, *port)}))
        .collect();
    json!({"host": host, "http": {"paths": paths}})
}

pub(crate) fn backend(service: &str, port: u16) -> Value {
    json!({"service": {"name": service, "port": {"number": port}}})
}

/// How a Service is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reached {
    AtNodes,
    AtPods,
}

pub(crate) fn service(name: &str, port: u16, node_port: u16, reached: Reached) -> core::Service {
    let (annotations, kind, node_port) = match reached {
        Reached::AtNodes => (json!({}), "NodePort", json!(node_port)),
        Reached::AtPods => (json!({"cloud.google.com/neg": "{\"ingress\": true}"}), "ClusterIP", Value::Null),
    };
    let ObjectKey { namespace, name } = key(name);
    from(json!({"metadata": {"name": name, "namespace": namespace, "annotations": annotations},
        "spec": {"type": kind, "ports": [{"port": port, "nodePort": node_port}]}}))
}

/// Pods by number: number 257 is 10.1.1.1, on the second node.
pub(crate) fn slice(service: &str, pods: &[u16]) -> EndpointSlice {
    let endpoints: Vec<Value> = pods
        .iter()
        .map(|pod| {
            let [node, low] = pod.to_be_bytes();
            json!({"addresses": [format!("10.1.{node}.{low}")], "nodeName": format!("node-{}", node + 1)})
        })
        .collect();
    let ObjectKey { namespace, name } = key(service);
    from(json!({"metadata": {"name": name, "namespace": namespace,
            "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4", "ports": [{"name": "", "port": 8080}], "endpoints": endpoints}))
}

/// Whether a node may take traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readiness {
    Ready,
    NotReady,
}

pub(crate) fn node(name: &str, readiness: Readiness) -> core::Node {
    let ready = if readiness == Readiness::Ready { "True" } else { "False" };
    from(json!({"metadata": {"name": name},
        "spec": {"providerID": format!("gce://{PROJECT}/{}/{name}", zone_of(name))},
        "status": {"conditions": [{"type": "Ready", "status": ready}]}}))
}

/// Certificate and key in PEM form. The same number is the same pair, whoever asks.
pub(crate) fn key_pair(number: usize) -> &'static (String, String) {
    const PAIRS: usize = 4;
    static MADE: OnceLock<Vec<(String, String)>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let pair = |_| {
            let key = rcgen::KeyPair::generate().unwrap();
            let names = vec!["a.example.com".to_owned(), "b.example.com".to_owned()];
            let certificate = rcgen::CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
            (certificate.pem(), key.serialize_pem())
        };
        (0..PAIRS).map(pair).collect()
    });
    &made[number % PAIRS]
}

pub(crate) fn from<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}
