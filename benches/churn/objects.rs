//! The cluster: its nodes, a Service that is reached at its pods, and an Ingress before it.

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::{Ingress, IngressClass};
use serde_json::{Value, json};

pub(crate) const PROJECT: &str = "bench";
pub(crate) const CLUSTER_ID: &str = "0a1b2c3d";
pub(crate) const ZONES: [&str; 3] = ["us-central1-a", "us-central1-b", "us-central1-c"];
/// Pods of one node; while they roll over there are up to twice as many.
const PODS_OF_A_NODE: usize = 100;

pub(crate) struct Setting {
    pub(crate) class: IngressClass,
    pub(crate) ingress: Ingress,
    pub(crate) service: core::Service,
    pub(crate) nodes: Vec<core::Node>,
}

/// One pod. Those of the second generation take the places of those of the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pod {
    pub(crate) number: usize,
    pub(crate) second: bool,
    pub(crate) ready: bool,
    pub(crate) terminating: bool,
}

impl Pod {
    fn node(self) -> usize {
        self.number / PODS_OF_A_NODE
    }

    pub(crate) fn zone(self) -> &'static str {
        zone_of(self.node())
    }

    pub(crate) fn address(self) -> String {
        let last = self.number % PODS_OF_A_NODE + 1 + if self.second { PODS_OF_A_NODE } else { 0 };
        format!("10.100.{}.{last}", self.node())
    }
}

fn zone_of(node: usize) -> &'static str {
    ZONES[node % ZONES.len()]
}

fn nodes(pods: usize) -> std::ops::Range<usize> {
    assert!(pods <= 255 * PODS_OF_A_NODE, "there are no more addresses than that");
    0..pods.div_ceil(PODS_OF_A_NODE)
}

/// What the cloud is told of.
pub(crate) fn instances(pods: usize) -> impl Iterator<Item = Value> {
    nodes(pods).map(|node| {
        json!({
            "project": PROJECT, "zone": zone_of(node), "name": format!("node-{node}"),
            "address": format!("10.99.0.{}", node + 1), "aliasRanges": [format!("10.100.{node}.0/24")],
        })
    })
}

pub(crate) fn setting(pods: usize) -> Setting {
    let node = |node: usize| {
        object(json!({
            "metadata": {"name": format!("node-{node}")},
            "spec": {"providerID": format!("gce://{PROJECT}/{}/node-{node}", zone_of(node))},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        }))
    };
    Setting {
        class: object(json!({"metadata": {"name": "gclb"}, "spec": {"controller": "gclb.dev/ingress"}})),
        ingress: object(json!({
            "metadata": {"name": "main", "namespace": "default", "uid": "1", "resourceVersion": "1"},
            "spec": {"ingressClassName": "gclb", "defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}},
        })),
        service: object(json!({
            "metadata": {"name": "web", "namespace": "default",
                "annotations": {"cloud.google.com/neg": "{\"ingress\": true}"}},
            "spec": {"type": "ClusterIP", "ports": [{"port": 80}]},
        })),
        nodes: nodes(pods).map(node).collect(),
    }
}

pub(crate) fn slice(number: usize, pods: &[Pod]) -> EndpointSlice {
    let endpoints: Vec<Value> = pods
        .iter()
        .map(|pod| {
            json!({
                "addresses": [pod.address()], "nodeName": format!("node-{}", pod.node()),
                "conditions": {"ready": pod.ready && !pod.terminating, "serving": pod.ready, "terminating": pod.terminating},
            })
        })
        .collect();
    object(json!({
        "metadata": {"name": format!("web-{number}"), "namespace": "default",
            "labels": {"kubernetes.io/service-name": "web"}},
        "addressType": "IPv4", "ports": [{"name": "", "port": 8080}], "endpoints": endpoints,
    }))
}

fn object<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}
