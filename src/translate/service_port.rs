//! From a backend as a load balancer names it to what can be reached: a node port, or pods.
//!
//! A Service is *container-native* when its annotation `cloud.google.com/neg` says `{"ingress": true}`: its pods are reached directly.
//! Otherwise it is reached at the port that it opens on every node. A Service that is neither cannot be reached.
//!
//! A backend that cannot be resolved still gets a backend service, without backends, under the name that it will have once it
//! is mended: so its own requests fail, loudly, and nothing else is touched.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::custom_resource::backend_config::BackendConfigSpec;
use crate::load_balancer::{Backend, BackendPort};
use crate::model::{BackendProtocol, HealthCheck, ObjectKey};
use crate::naming::BackendMode;
use crate::snapshot::{NEG_ANNOTATION as NEG, PodEndpoint, Service, ServicePort, Snapshot};

use super::{app_protocol, backend_config, health_check, readiness_probe};
use crate::problem::{Problem, Reason};

/// A port of a Service, and how it is reached.
#[derive(Debug, Clone)]
pub(super) struct Resolved<'a> {
    pub(super) service: ObjectKey,
    /// Its number; only where it could not be found it is what the load balancer named.
    pub(super) port: BackendPort,
    /// The name of that port, by which endpoints are found; empty where it has none.
    pub(super) port_name: String,
    pub(super) reach: Reach<'a>,
    pub(super) protocol: BackendProtocol,
    /// As its annotation names it.
    pub(super) health_check_path: Option<String>,
    /// The health check that the readiness probe of its pods yields.
    pub(super) readiness: Option<HealthCheck>,
    /// Its BackendConfig, where it has one; what is wrong where it cannot be had.
    pub(super) config: Result<Option<&'a BackendConfigSpec>, Problem>,
    /// Why it cannot be reached.
    pub(super) fault: Option<Fault>,
    /// What is wrong with the Service otherwise.
    pub(super) problems: Vec<Problem>,
}

/// Where requests go.
#[derive(Debug, Clone)]
pub(super) enum Reach<'a> {
    /// To the nodes, at this port.
    NodePort(u16),
    /// To these pods.
    Pods(Vec<&'a PodEndpoint>),
    /// Nowhere; the mode is the one that the Service will most likely have once it is mended.
    Nowhere(BackendMode),
}

/// Why a backend cannot be reached.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub(super) reason: Reason,
    /// Below the field that names the backend.
    pub(super) below: &'static str,
    /// What is wrong.
    pub(super) what: String,
    /// What to do.
    pub(super) remedy: String,
}

impl Resolved<'_> {
    pub(super) const fn mode(&self) -> BackendMode {
        match self.reach {
            Reach::NodePort(_) => BackendMode::InstanceGroups,
            Reach::Pods(_) => BackendMode::NetworkEndpointGroups,
            Reach::Nowhere(mode) => mode,
        }
    }
}

/// Resolves a backend as far as the snapshot allows.
pub(super) fn resolve<'a>(snapshot: &'a Snapshot, backend: &Backend) -> Resolved<'a> {
    let Backend { service: key, port: asked } = backend;
    let unresolved = |mode, fault| Resolved {
        service: key.clone(),
        port: asked.clone(),
        port_name: String::new(),
        reach: Reach::Nowhere(mode),
        protocol: BackendProtocol::Http,
        health_check_path: None,
        readiness: None,
        config: Ok(None),
        fault: Some(fault),
        problems: Vec::new(),
    };
    let Some(service) = snapshot.services.get(key) else {
        return unresolved(
            BackendMode::InstanceGroups,
            Fault {
                reason: Reason::ServiceNotFound,
                below: "service.name",
                what: format!("There is no Service {key}."),
                remedy: "Create it, or name another Service.".to_owned(),
            },
        );
    };
    let (neg, mut problems) = container_native(key, service);
    let mode = if neg { BackendMode::NetworkEndpointGroups } else { BackendMode::InstanceGroups };
    let (health_check_path, problem) = health_check::path(key, service);
    problems.extend(problem);
    let Some(port) = find(service, asked) else {
        let fault = no_such_port(key, service, asked);
        return Resolved { health_check_path, problems, ..unresolved(mode, fault) };
    };
    let (reach, fault) = reach(snapshot, key, service, port, neg);
    let (protocol, problem) = app_protocol::of(key, service, port);
    problems.extend(problem);
    let config = backend_config::of(snapshot, key, service, port);
    problems.extend(config.as_ref().err().cloned());
    let (readiness, problem) = readiness_probe::health_check(snapshot, key, port, protocol);
    problems.extend(problem);
    Resolved {
        service: key.clone(),
        port: BackendPort::Number(port.port),
        port_name: port.name.clone(),
        reach,
        protocol,
        health_check_path,
        readiness,
        config,
        fault,
        problems,
    }
}

fn reach<'a>(
    snapshot: &'a Snapshot,
    key: &ObjectKey,
    service: &Service,
    port: &ServicePort,
    neg: bool,
) -> (Reach<'a>, Option<Fault>) {
    if !port.tcp {
        let fault = Fault {
            reason: Reason::ServiceNotReachable,
            below: "service.port",
            what: format!("Port {} of Service {key} is not TCP, and HTTP needs TCP.", port.port),
            remedy: "Name a TCP port of the Service.".to_owned(),
        };
        let mode = if neg { BackendMode::NetworkEndpointGroups } else { BackendMode::InstanceGroups };
        return (Reach::Nowhere(mode), Some(fault));
    }
    if neg {
        let endpoints = snapshot.endpoints.get(key).and_then(|endpoints| endpoints.by_port.get(&port.name));
        return (Reach::Pods(endpoints.into_iter().flatten().collect()), None);
    }
    if let (true, Some(node_port)) = (service.opens_node_ports, port.node_port) {
        return (Reach::NodePort(node_port), None);
    }
    let fault = Fault {
        reason: Reason::ServiceNotReachable,
        below: "service.name",
        what: format!(
            "Service {key} is of type {} and opens no node port for port {}, and it is not container-native, so the load balancer \
             cannot reach it.",
            service.kind, port.port
        ),
        remedy: format!(
            "Either set its spec.type to NodePort, or annotate it with {NEG}: '{{\"ingress\": true}}', where pods have addresses that \
             the VPC network knows (alias ranges)."
        ),
    };
    (Reach::Nowhere(BackendMode::InstanceGroups), Some(fault))
}

fn find<'s>(service: &'s Service, asked: &BackendPort) -> Option<&'s ServicePort> {
    // Two ports may share a number, one of them UDP.
    let fits = |port: &&ServicePort| match asked {
        BackendPort::Number(number) => port.port == *number,
        BackendPort::Name(name) => port.name == *name,
    };
    let ports = || service.ports.iter().filter(fits);
    ports().find(|port| port.tcp).or_else(|| ports().next())
}

fn no_such_port(key: &ObjectKey, service: &Service, asked: &BackendPort) -> Fault {
    let (below, asked) = match asked {
        BackendPort::Number(number) => ("service.port.number", format!("{number}")),
        BackendPort::Name(name) => ("service.port.name", format!("{name:?}")),
    };
    let ports: Vec<String> = service
        .ports
        .iter()
        .map(|port| match port.name.as_str() {
            "" => port.port.to_string(),
            name => format!("{} ({name})", port.port),
        })
        .collect();
    let remedy = if ports.is_empty() {
        "Add the port to the Service; it has none.".to_owned()
    } else {
        format!("Name one of those that it has: {}.", ports.join(", "))
    };
    Fault {
        reason: Reason::ServicePortNotFound,
        below,
        what: format!("Service {key} has no port {asked}."),
        remedy,
    }
}

/// Whether the pods are to be reached directly. An annotation that cannot be read stands for whatever can serve: node ports where the
/// Service opens some, else the pods. An edit that went wrong should not take a Service off the air.
fn container_native(key: &ObjectKey, service: &Service) -> (bool, Vec<Problem>) {
    let Some(text) = &service.neg_annotation else { return (false, Vec::new()) };
    let why = match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(fields)) => match fields.get("ingress") {
            None => return (false, Vec::new()),
            Some(Value::Bool(value)) => return (*value, Vec::new()),
            Some(other) => format!("its \"ingress\" is {other}, not true or false"),
        },
        Ok(other) => format!("{other} is not a JSON object"),
        Err(error) => format!("{text:?} is not JSON ({error})"),
    };
    let (neg, until) = if service.opens_node_ports {
        (false, "Until it can be read, the Service is reached at its node ports.")
    } else {
        (true, "The Service opens no node ports, so it is taken to be container-native.")
    };
    let problem = Problem::degraded(
        Reason::NegAnnotationInvalid,
        format!("Service {key}: metadata.annotations[{NEG}]"),
        format!(
            "The annotation {NEG} of Service {key} cannot be read: {why}. {until} Write '{{\"ingress\": true}}' to reach its pods directly, or \
             remove the annotation to use node ports."
        ),
    );
    (neg, vec![problem])
}

/// Every port of the given kind, once.
pub(super) fn node_ports<'r, 'a: 'r>(resolved: impl Iterator<Item = &'r Resolved<'a>>) -> BTreeSet<u16> {
    resolved
        .filter_map(|resolved| match resolved.reach {
            Reach::NodePort(port) => Some(port),
            Reach::Pods(_) | Reach::Nowhere(_) => None,
        })
        .collect()
}
