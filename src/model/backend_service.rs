//! A backend service: groups of backends and how to talk to them (Compute API `backendServices`).

use serde::{Deserialize, Serialize};

use super::{BackendPolicy, HealthCheck, InstanceGroup, NetworkEndpointGroup, Ref, ResourceId};

/// Backends that serve the same thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendService {
    /// `loadBalancingScheme`, always written: an unset one means classic.
    pub scheme: Scheme,
    /// How to talk to the backends.
    pub protocol: BackendProtocol,
    /// Which named port of its instance groups to use; `None` with network endpoint groups, where every endpoint has its own.
    pub port_name: Option<String>,
    /// The groups, by identity. Empty where nothing can serve: then the load balancer answers with an error of its own.
    pub backends: Vec<Backend>,
    /// Who is well enough to serve. Only a service without backends can do without.
    pub health_check: Option<Ref<HealthCheck>>,
    /// What it does with requests besides choosing a backend.
    pub policy: BackendPolicy,
}

/// One group and the share it may take.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Backend {
    /// Who serves.
    pub group: Group,
    /// How its capacity is counted.
    pub balancing: Balancing,
}

/// A group of backends.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Group {
    /// Nodes, reached at a node port.
    Instances(Ref<InstanceGroup>),
    /// Pods, reached directly.
    Endpoints(Ref<NetworkEndpointGroup>),
    /// Something else, put there by somebody else. Only ever observed; the text is its link.
    Other(String),
}

/// How capacity is counted (Compute API `balancingMode` with its one limit).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Balancing {
    /// `RATE` with `maxRatePerInstance`, requests a second.
    RatePerInstance(u32),
    /// `RATE` with `maxRatePerEndpoint`, requests a second.
    RatePerEndpoint(u32),
    /// Anything else. Only ever observed.
    Other,
}

/// How the load balancer speaks to its backends (Compute API `protocol`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BackendProtocol {
    /// HTTP/1.1 in the clear.
    Http,
    /// HTTP/1.1 over TLS; the certificate is not checked.
    Https,
    /// HTTP/2 over TLS.
    Http2,
    /// HTTP/2 in the clear.
    H2c,
    /// gRPC.
    Grpc,
    /// Anything else. Only ever observed.
    Other,
}

/// Which kind of load balancer (Compute API `loadBalancingScheme`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Scheme {
    /// `EXTERNAL`: classic.
    External,
    /// `EXTERNAL_MANAGED`
    ExternalManaged,
    /// Anything else. Only ever observed.
    Other,
}

impl BackendService {
    pub(super) fn points_at(&self) -> Vec<&ResourceId> {
        let Self { scheme: _, protocol: _, port_name: _, backends, health_check, policy: _ } = self;
        backends
            .iter()
            .filter_map(|backend| match &backend.group {
                Group::Instances(group) => Some(group.id()),
                Group::Endpoints(group) => Some(group.id()),
                Group::Other(_) => None,
            })
            .chain(health_check.iter().map(Ref::id))
            .collect()
    }
}
