//! The rules of `v1` Service.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::snapshot::manifests::fault::Faults;
use crate::snapshot::manifests::field::FieldPath;
use crate::snapshot::manifests::names;
use crate::snapshot::manifests::node_port::NODE_PORTS;

const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];

/// A Service.
pub(in crate::snapshot::manifests) fn service(faults: &mut Faults, service: &Service) {
    let default = ServiceSpec::default();
    let spec = service.spec.as_ref().unwrap_or(&default);
    let path = FieldPath::of("spec");
    let kind = spec.type_.as_deref().unwrap_or("ClusterIP");
    if !TYPES.contains(&kind) {
        faults.unsupported(path.child("type"), kind, &TYPES);
    }
    if kind == "ExternalName" && spec.external_name.as_deref().unwrap_or_default().is_empty() {
        faults.required(path.child("externalName"), "", "name the host that the Service stands for");
    }
    let ports = spec.ports.as_deref().unwrap_or_default();
    let headless = spec.cluster_ip.as_deref() == Some("None");
    if ports.is_empty() && !headless && kind != "ExternalName" {
        faults.required(path.child("ports"), "", "name at least one port: ports: [{port: 80}]");
    }
    let (mut seen_names, mut seen_ports, mut seen_node_ports) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (at, port) in ports.iter().enumerate() {
        let path = path.child("ports").index(at);
        let name = port.name.as_deref().unwrap_or_default();
        if name.is_empty() && ports.len() > 1 {
            faults.required(path.child("name"), "", "each of several ports needs a name");
        }
        if !name.is_empty() && !seen_names.insert(name) {
            faults.repeated(path.child("name"), name, "give each port a name of its own");
        }
        check_port(faults, &path, port, kind);
        let protocol = port.protocol.as_deref().unwrap_or("TCP");
        if !seen_ports.insert((port.port, protocol)) {
            faults.repeated(
                path.clone(),
                &format!("{}/{protocol}", port.port),
                "a Service opens each port once",
            );
        }
        if let Some(number) = port.node_port.filter(|number| *number != 0)
            && !seen_node_ports.insert((number, protocol))
        {
            faults.repeated(
                path.child("nodePort"),
                &number.to_string(),
                "a node opens each port for one Service port",
            );
        }
    }
}

fn check_port(faults: &mut Faults, path: &FieldPath, port: &ServicePort, kind: &str) {
    let ServicePort { app_protocol: _, name, node_port, port, protocol, target_port } = port;
    if let Some(name) = name.as_deref().filter(|name| !name.is_empty())
        && let Some(problem) = names::label(name)
    {
        faults.invalid(path.child("name"), name, &problem, "choose another name");
    }
    if let Some(problem) = names::port_number(*port) {
        faults.invalid_number(
            path.child("port"),
            *port,
            problem,
            "write the port at which the Service is reached",
        );
    }
    if let Some(protocol) = protocol.as_deref().filter(|protocol| !PROTOCOLS.contains(protocol)) {
        faults.unsupported(path.child("protocol"), protocol, &PROTOCOLS);
    }
    match target_port {
        Some(IntOrString::Int(number)) => {
            if let Some(problem) = names::port_number(*number) {
                faults.invalid_number(
                    path.child("targetPort"),
                    *number,
                    problem,
                    "write the port at which the pods listen",
                );
            }
        }
        Some(IntOrString::String(name)) => {
            if let Some(problem) = names::port_name(name) {
                let help = match name.parse::<u16>() {
                    Ok(number) => format!("for a number write it without quotes: targetPort: {number}"),
                    Err(_) => "write the name of one of the pods' ports, or its number".to_owned(),
                };
                faults.invalid(path.child("targetPort"), name, &problem, help);
            }
        }
        None => {}
    }
    let Some(number) = node_port.filter(|number| *number != 0) else { return };
    let path = path.child("nodePort");
    if matches!(kind, "ClusterIP" | "ExternalName") {
        let help = "write type: NodePort, or remove the nodePort";
        faults.error(
            crate::snapshot::manifests::Code::Invalid,
            path,
            format!("Forbidden: may not be used when `type` is '{kind}'"),
            help,
        );
    } else if !u16::try_from(number).is_ok_and(|number| NODE_PORTS.contains(&number)) {
        let detail = format!(
            "provided port is not in the valid range. The range of valid ports is {}-{}",
            NODE_PORTS.start(),
            NODE_PORTS.end()
        );
        faults.invalid_number(path, number, &detail, "leave it out to have one chosen");
    }
}
