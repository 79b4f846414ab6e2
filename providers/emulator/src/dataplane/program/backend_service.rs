//! Backend services and the groups behind them.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::affinity::Affinity;
use super::header_action::HeaderAction;
use super::logging::Logging;
use super::security_policy::Guard;
use crate::dataplane::resource_id::{GroupId, HealthCheckId, InstanceId, NetworkId};

/// A backend service.
#[derive(Debug, Clone, PartialEq)]
pub struct BackendService {
    /// What is spoken to the endpoints.
    pub protocol: BackendProtocol,
    /// The named port that instance groups are asked for; network endpoints carry their own port.
    pub port_name: String,
    /// From the end of the request to the end of the response.
    pub timeout: Duration,
    /// How long requests to an endpoint that was taken out may still run. Zero: not at all.
    pub draining: Duration,
    /// Which requests go to one endpoint.
    pub affinity: Affinity,
    /// `customRequestHeaders` and `customResponseHeaders`: changed before those that the URL map changes, by every
    /// product.
    pub headers: HeaderAction,
    /// Who may reach it.
    pub guard: Guard,
    /// Which requests are logged.
    pub logging: Logging,
    /// The groups.
    pub backends: Vec<Backend>,
    /// The health check; without one no endpoint ever becomes healthy.
    pub health_check: Option<HealthCheckId>,
}

/// What is spoken to a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BackendProtocol {
    /// HTTP/1.1 in the clear.
    Http,
    /// HTTP/1.1 over TLS, the certificate not verified.
    Https,
    /// HTTP/2 over TLS, the certificate not verified.
    Http2,
    /// HTTP/2 in the clear (`H2C`, `GRPC`).
    H2c,
}

/// One entry of `backends[]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    /// The group; one that is not in the program has no endpoints.
    pub group: GroupId,
    /// How many of the new requests it takes.
    pub capacity: Capacity,
}

/// `capacityScaler`: the share of each endpoint, beside those of the other groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// In thousandths, at most 1000. Zero: probed, but given no new request.
    pub per_mille: u32,
}

impl Capacity {
    /// Takes its whole share.
    pub const WHOLE: Self = Self { per_mille: 1000 };
    /// Takes no new request.
    pub const DRAINED: Self = Self { per_mille: 0 };
}

/// A group of endpoints.
#[derive(Debug, Clone, PartialEq)]
pub enum Group {
    /// A network endpoint group.
    NetworkEndpoints(NetworkEndpoints),
    /// An instance group: each member is an endpoint at its own address and the named port.
    Instances {
        /// The group's named ports.
        named_ports: Vec<NamedPort>,
        /// The members.
        members: Vec<InstanceId>,
    },
}

/// The endpoints of a network endpoint group.
#[derive(Debug, Clone, PartialEq)]
pub enum NetworkEndpoints {
    /// `GCE_VM_IP_PORT`: endpoints on instances of this network, behind its firewall rules.
    OnInstances {
        /// The group's network.
        network: Option<NetworkId>,
        /// The endpoints.
        endpoints: Arc<[NetworkEndpoint]>,
    },
    /// Endpoints outside Compute Engine (`NON_GCP_PRIVATE_IP_PORT`): no VPC firewall stands before them.
    Outside(Arc<[NetworkEndpoint]>),
}

/// A network endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NetworkEndpoint {
    /// The instance that holds the address.
    pub instance: Option<InstanceId>,
    /// The address as the API knows it, before dial translation.
    pub address: IpAddr,
    /// The serving port.
    pub port: u16,
}

/// An instance group's named port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPort {
    /// The name a backend service's `portName` is compared with.
    pub name: String,
    /// The port.
    pub port: u16,
}
