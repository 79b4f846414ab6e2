use serde_json::{Value, json};

use super::*;
use crate::nodes::object;

fn service() -> Service {
    object(json!({
        "metadata": { "name": "web", "namespace": "shop" },
        "spec": { "type": "NodePort", "ports": [
            { "name": "http", "port": 80, "nodePort": 30080 },
            { "name": "dns", "port": 53, "nodePort": 30053, "protocol": "UDP" },
            { "name": "inner", "port": 81 },
        ]},
    }))
}

fn slice(name: &str, endpoints: &Value) -> Arc<EndpointSlice> {
    Arc::new(object(json!({
        "metadata": {
            "name": name, "namespace": "shop", "labels": { "kubernetes.io/service-name": "web" },
        },
        "addressType": "IPv4",
        "ports": [{ "name": "http", "port": 8080 }, { "name": "inner", "port": 9090 }],
        "endpoints": endpoints,
    })))
}

fn found(slices: &[Arc<EndpointSlice>], on_node: Option<&str>) -> Vec<String> {
    let service = service();
    let port = &service.spec.as_ref().unwrap().ports.as_ref().unwrap()[0];
    endpoints(&service, port, slices, on_node).iter().map(ToString::to_string).collect()
}

#[test]
fn only_tcp_node_ports_count() {
    let spec = service().spec.unwrap();
    let ports: Vec<_> = spec.ports.iter().flatten().map(node_port).collect();
    assert_eq!(ports, [Some(30080), None, None]);
}

#[test]
fn ready_endpoints_of_all_slices_are_used() {
    let endpoints = json!([
        { "addresses": ["10.9.1.2"], "nodeName": "a", "conditions": { "ready": true, "serving": true } },
        { "addresses": ["10.9.2.2"], "nodeName": "b", "conditions": { "ready": false, "serving": true, "terminating": true } },
    ]);
    let unknown = json!([{ "addresses": ["10.9.2.3"], "nodeName": "b" }]);
    let slices = [slice("one", &endpoints), slice("two", &unknown)];
    assert_eq!(found(&slices, None), ["127.9.1.2:8080", "127.9.2.3:8080"]);
    assert_eq!(found(&slices, Some("a")), ["127.9.1.2:8080"]);
}

#[test]
fn terminating_ones_serve_when_there_is_no_other() {
    let endpoints = json!([
        { "addresses": ["10.9.1.2"], "conditions": { "ready": false, "serving": false } },
        { "addresses": ["10.9.2.2"], "conditions": { "ready": false, "serving": true, "terminating": true } },
    ]);
    assert_eq!(found(&[slice("one", &endpoints)], None), ["127.9.2.2:8080"]);
    assert_eq!(found(&[], None), [""; 0]);
}
