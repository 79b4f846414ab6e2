//! What the API server adds to a Service: defaults and node ports.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{World, about};
use crate::model::ObjectKey;
use crate::snapshot::manifests::diagnostic::{Code, DiagnosticSeverity};
use crate::snapshot::manifests::node_port::NodePorts;
use crate::snapshot::manifests::object::Object;

/// Services by name, each with the object that it came from.
pub(super) type Given<'a> = BTreeMap<ObjectKey, (&'a Object, Service)>;

impl World {
    /// Defaults first, then the node ports that are asked for by number, then those that are not. A Service that asks for a port that
    /// another has is refused, as the API server would.
    pub(super) fn supply_node_ports<'a>(&mut self, mut given: Given<'a>) -> Given<'a> {
        let mut ports = NodePorts::default();
        given.retain(|_, (object, service)| {
            default(service);
            let spec = service.spec.get_or_insert_default();
            let mut asked: Vec<u16> = Vec::new();
            for number in spec.ports.iter().flatten().filter_map(|port| port.node_port) {
                // TCP and UDP of one Service may share a number.
                if let Ok(number) = u16::try_from(number)
                    && number != 0
                    && !asked.contains(&number)
                {
                    asked.push(number);
                }
            }
            let refused: Vec<u16> = asked.into_iter().filter(|number| !ports.take(*number)).collect();
            for number in &refused {
                let message = format!(
                    "spec.ports[].nodePort: Invalid value: {number}: provided port is already allocated"
                );
                let help =
                    "leave the nodePort out to have one chosen, or choose another between 30000 and 32767";
                self.diagnostics.push(about(object, DiagnosticSeverity::Error, Code::Invalid, message, help));
            }
            refused.is_empty()
        });
        for (key, (object, service)) in &mut given {
            let Some(spec) = &mut service.spec else { continue };
            if !opens_node_ports(spec) {
                continue;
            }
            for port in spec.ports.iter_mut().flatten().filter(|port| port.node_port.unwrap_or_default() == 0)
            {
                let what = format!("{key}/{}/{}", port.port, port.protocol.as_deref().unwrap_or_default());
                match ports.choose(&what) {
                    Some(number) => port.node_port = Some(i32::from(number)),
                    None => self.diagnostics.push(about(
                        object,
                        DiagnosticSeverity::Warning,
                        Code::NotSupplied,
                        format!("no node port is left for port {}", port.port),
                        "make the Service container-native: annotation cloud.google.com/neg: '{\"ingress\": true}'",
                    )),
                }
            }
        }
        given
    }
}

fn opens_node_ports(spec: &ServiceSpec) -> bool {
    match spec.type_.as_deref() {
        Some("NodePort") => true,
        Some("LoadBalancer") => spec.allocate_load_balancer_node_ports != Some(false),
        _ => false,
    }
}

/// The defaults of the `v1` API.
fn default(service: &mut Service) {
    let spec = service.spec.get_or_insert_default();
    if spec.type_.as_deref().is_none_or(str::is_empty) {
        spec.type_ = Some("ClusterIP".to_owned());
    }
    for port in spec.ports.iter_mut().flatten() {
        let ServicePort { app_protocol: _, name: _, node_port: _, port, protocol, target_port } = port;
        if protocol.as_deref().is_none_or(str::is_empty) {
            *protocol = Some("TCP".to_owned());
        }
        let unset = match target_port {
            None | Some(IntOrString::Int(0)) => true,
            Some(IntOrString::Int(_)) => false,
            Some(IntOrString::String(name)) => name.is_empty(),
        };
        if unset {
            *target_port = Some(IntOrString::Int(*port));
        }
    }
}
