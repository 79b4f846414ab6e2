//! Backend services, their groups and health checks.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::json::{canonical, collection, field, items, link, port, seconds, text, texts};
use super::{Resources, affinity, backend_bucket, custom_headers, health_check, logging, security_policy};
use crate::dataplane::program::{
    Backend, BackendProtocol, BackendService, Capacity, Group, NamedPort, NetworkEndpoints, Program,
};
use crate::dataplane::resource_id::{BackendServiceId, GroupId, HealthCheckId, InstanceId, NetworkId};

/// The API's default for `timeoutSec`.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// Adds a backend service with its groups and its health check, unless it is there already.
pub(super) fn compile(resources: &impl Resources, id: &BackendServiceId, program: &mut Program) {
    if program.backend_services.contains_key(id) {
        return;
    }
    let path = id.as_str();
    let Some(body) = resources.get(path) else {
        program.problem(path, "is named by a URL map but does not exist: its requests find no backend");
        return;
    };
    match collection(path) {
        "backendServices" => {}
        "backendBuckets" => return backend_bucket::compile(resources, id, body, program),
        other => return program.problem(path, format!("is one of {other}, to which no request can go")),
    }
    report_unserved(path, body, program);

    let mut backends = Vec::new();
    for backend in items(body, "backends") {
        let Some(group_path) = link(backend, "group") else {
            program.problem(path, "has a backend without a group");
            continue;
        };
        let group = GroupId::new(group_path);
        let capacity = capacity(backend);
        compile_group(resources, &group, program);
        backends.push(Backend { group, capacity });
    }
    let health_check = texts(body, "healthChecks").next().map(canonical).map(HealthCheckId::new);
    match &health_check {
        None => program.problem(path, "has no health check: none of its endpoints becomes healthy"),
        Some(check) => health_check::compile(resources, check, program),
    }
    let service = BackendService {
        protocol: protocol(path, body, program),
        port_name: text(body, "portName").unwrap_or("http").to_owned(),
        timeout: seconds(body, "timeoutSec").filter(|timeout| !timeout.is_zero()).unwrap_or(DEFAULT_TIMEOUT),
        draining: field(body, "connectionDraining")
            .and_then(|draining| seconds(draining, "drainingTimeoutSec"))
            .unwrap_or_default(),
        affinity: affinity::compile(path, body, program),
        headers: custom_headers::compile(path, body, program),
        guard: security_policy::guard(resources, path, body, program),
        logging: logging::compile(body),
        backends,
        health_check,
    };
    program.backend_services.insert(id.clone(), service);
}

/// A scaler that is not there is 1; one that is above 0 never rounds down to nothing.
fn capacity(backend: &Value) -> Capacity {
    let Some(scaler) = field(backend, "capacityScaler").and_then(Value::as_f64) else {
        return Capacity::WHOLE;
    };
    if scaler <= 0.0 {
        return Capacity::DRAINED;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 1 and 1000")]
    let per_mille = (scaler * 1000.0).round().clamp(1.0, 1000.0) as u32;
    Capacity { per_mille }
}

fn protocol(path: &str, body: &Value, program: &mut Program) -> BackendProtocol {
    match text(body, "protocol") {
        None | Some("HTTP") => BackendProtocol::Http,
        Some("HTTPS") => BackendProtocol::Https,
        Some("HTTP2") => BackendProtocol::Http2,
        Some("H2C" | "GRPC") => BackendProtocol::H2c,
        Some(other) => {
            program
                .problem(path, format!("speaks {other} to its backends, which is not served; HTTP is used"));
            BackendProtocol::Http
        }
    }
}

/// Settings that change what a client sees and that this data plane does not act on.
fn report_unserved(path: &str, body: &Value, program: &mut Program) {
    // Either consistent hash is as good as the other: with an affinity, requests of one key go to one endpoint.
    let keyed = text(body, "sessionAffinity").is_some_and(|affinity| affinity != "NONE");
    let served = |policy: &str| policy == "ROUND_ROBIN" || keyed && matches!(policy, "MAGLEV" | "RING_HASH");
    if text(body, "localityLbPolicy").is_some_and(|policy| !served(policy)) {
        program.problem(path, "asks for a locality policy, which is not served; requests go round robin");
    }
    if text(body, "compressionMode").is_some_and(|mode| mode != "DISABLED") {
        program.problem(path, "asks for compression, which is not served");
    }
    for (name, what) in [("outlierDetection", "outlier detection"), ("circuitBreakers", "circuit breakers")] {
        let set = match field(body, name) {
            None => false,
            Some(Value::Array(items)) => !items.is_empty(),
            Some(_) => true,
        };
        if set {
            program.problem(path, format!("has {what}, which is not served"));
        }
    }
    for (name, what) in [("enableCDN", "Cloud CDN"), ("iap", "Identity-Aware Proxy")] {
        let on = match field(body, name) {
            Some(Value::Bool(on)) => *on,
            Some(object) => super::json::flag(object, "enabled"),
            None => false,
        };
        if on {
            program.problem(path, format!("has {what} on, which is not served"));
        }
    }
}

fn compile_group(resources: &impl Resources, id: &GroupId, program: &mut Program) {
    if program.groups.contains_key(id) {
        return;
    }
    let path = id.as_str();
    let Some(body) = resources.get(path) else {
        program.problem(path, "is a backend's group but does not exist: it has no endpoints");
        return;
    };
    let group = match collection(path) {
        "instanceGroups" => Group::Instances {
            named_ports: items(body, "namedPorts")
                .filter_map(|named| {
                    Some(NamedPort { name: text(named, "name")?.to_owned(), port: port(named, "port")? })
                })
                .collect(),
            members: resources
                .group_members(path)
                .iter()
                .map(|member| InstanceId::new(canonical(member)))
                .collect(),
        },
        "networkEndpointGroups" => {
            let endpoints: Arc<[_]> = resources.network_endpoints(path).into();
            match text(body, "networkEndpointType") {
                None | Some("GCE_VM_IP_PORT") => Group::NetworkEndpoints(NetworkEndpoints::OnInstances {
                    network: link(body, "network").map(NetworkId::new),
                    endpoints,
                }),
                Some("NON_GCP_PRIVATE_IP_PORT") => {
                    Group::NetworkEndpoints(NetworkEndpoints::Outside(endpoints))
                }
                Some(other) => {
                    program.problem(
                        path,
                        format!("is of type {other}, which is not served: it has no endpoints"),
                    );
                    return;
                }
            }
        }
        other => {
            program.problem(path, format!("is one of {other}, which cannot be a backend's group"));
            return;
        }
    };
    program.groups.insert(id.clone(), group);
}
