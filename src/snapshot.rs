//! Everything that one translation may read.
//!
//! A snapshot is plain data. It comes from the API server's watches or from a folder of manifests, and nothing behind it may know
//! which it was. It is only made when every source has answered at least once, so what is not in it does not exist.
//!
//! Ingress and IngressClass stay whole (without managed fields); of everything else only what is read is kept.

pub mod certificate;
mod class;
mod custom;
mod digest;
mod endpoints;
pub mod manifests;
mod node;
mod pod;
mod service;
pub mod stores;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::networking::v1::{Ingress, IngressClass};
use serde::{Deserialize, Serialize};

pub use class::{CLASS_ANNOTATION, CLASSES_OF_INGRESS_GCE, CONTROLLER, ClassOfIngressGce};
pub use custom::{FRONTEND_CONFIG_ANNOTATION, MANAGED_CERTIFICATES_ANNOTATION};
pub use digest::Digests;
pub use endpoints::{SERVICE_NAME_LABEL, ServiceSlice};
pub use node::{EXCLUDE_LABEL, NodeUnknown};
pub use pod::{Asks, Container, ContainerPort, ReadinessProbe, probe_at};
pub use service::{
    APP_PROTOCOLS_ANNOTATIONS, BACKEND_CONFIG_ANNOTATIONS, HEALTH_CHECK_PATH_ANNOTATION, NEG_ANNOTATION,
};

use crate::custom_resource::{
    BackendConfigSpec, FrontendConfigSpec, ManagedCertificateSpec, ManagedCertificateStatus,
};
use crate::model::{CertificateFingerprint, ClusterId, Held, ObjectKey, Zone};

/// The input of one translation.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// What holds for the whole cluster.
    pub cluster: Cluster,
    /// When it was taken; pure code has no clock of its own.
    pub taken_at: Timestamp,
    /// By name.
    pub classes: BTreeMap<String, Arc<IngressClass>>,
    /// By namespace and name; of every class.
    pub ingresses: BTreeMap<ObjectKey, Arc<Ingress>>,
    /// By namespace and name.
    pub services: BTreeMap<ObjectKey, Arc<Service>>,
    /// The endpoints of each Service.
    pub endpoints: BTreeMap<ObjectKey, Arc<ServiceEndpoints>>,
    /// By name.
    pub nodes: BTreeMap<String, Node>,
    /// The Secrets that some Ingress of ours refers to. One that is not here does not exist.
    pub secrets: BTreeMap<ObjectKey, Result<Certificate, CertificateError>>,
    /// The `BackendConfig`s that some Service refers to. One that is not here does not exist.
    pub backend_configs: BTreeMap<ObjectKey, Result<Arc<BackendConfigSpec>, Unreadable>>,
    /// The `FrontendConfig`s that some Ingress refers to. One that is not here does not exist.
    pub frontend_configs: BTreeMap<ObjectKey, Result<Arc<FrontendConfigSpec>, Unreadable>>,
    /// The `ManagedCertificate`s that some Ingress refers to. One that is not here does not exist.
    pub managed_certificates: BTreeMap<ObjectKey, Result<Arc<ManagedCertificate>, Unreadable>>,
    /// For each Service that some Ingress refers to the containers of the pod that speaks for all of its pods: the oldest one with a
    /// readiness probe that a load balancer can make too. A Service that is not here has no such pod, perhaps no pod at all. `None`:
    /// nobody looks at pods, so that nothing is known of any ([`ReadinessProbes::Ignored`]).
    pub probes: Option<BTreeMap<ObjectKey, Arc<[Container]>>>,
    /// What is known of the cloud: see `Observed::held`.
    pub held: Held,
}

impl Snapshot {
    /// Of a cluster that holds nothing.
    #[must_use]
    pub fn empty(cluster: Cluster, taken_at: Timestamp) -> Self {
        Self {
            cluster,
            taken_at,
            classes: BTreeMap::new(),
            ingresses: BTreeMap::new(),
            services: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            nodes: BTreeMap::new(),
            secrets: BTreeMap::new(),
            backend_configs: BTreeMap::new(),
            frontend_configs: BTreeMap::new(),
            managed_certificates: BTreeMap::new(),
            probes: Some(BTreeMap::new()),
            held: Held::default(),
        }
    }
}

/// What holds for the whole cluster; from flags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Stands in every name.
    pub id: ClusterId,
    /// Short name of the VPC network of the nodes.
    pub network: String,
    /// Short name of the nodes' subnetwork.
    pub subnetwork: String,
    /// Network tags of the nodes; empty: the firewall rule covers the whole network.
    pub node_tags: BTreeSet<String>,
    /// Take Ingresses without a class too.
    pub claim_classless: bool,
    /// Whether pods are looked at.
    pub readiness_probes: ReadinessProbes,
}

impl Cluster {
    /// The cluster of that id, where no flag says anything else.
    #[must_use]
    pub fn of(id: ClusterId) -> Self {
        Self {
            id,
            network: "default".to_owned(),
            subnetwork: "default".to_owned(),
            node_tags: BTreeSet::new(),
            claim_classless: false,
            readiness_probes: ReadinessProbes::Read,
        }
    }
}

/// Whether health checks can be made from the readiness probes of pods.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ReadinessProbes {
    /// Pods are looked at.
    #[default]
    Read,
    /// They are not: it needs the right to read all pods.
    Ignored,
}

impl ReadinessProbes {
    /// By a flag.
    #[must_use]
    pub const fn ignored_if(flag: bool) -> Self {
        if flag { Self::Ignored } else { Self::Read }
    }
}

/// What is read of a Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Whether it opens node ports: type NodePort or LoadBalancer.
    pub opens_node_ports: bool,
    /// Its `spec.type`, for messages.
    pub kind: String,
    /// Its ports.
    pub ports: Vec<ServicePort>,
    /// The annotation `cloud.google.com/neg`, as it stands.
    pub neg_annotation: Option<String>,
    /// The annotation `gclb.dev/health-check-path`, as it stands.
    pub health_check_path: Option<String>,
    /// The annotation `cloud.google.com/backend-config`, as it stands, or else its older name.
    pub backend_config: Option<Annotated>,
    /// The annotation `service.alpha.kubernetes.io/app-protocols`, as it stands, or else its newer name.
    pub app_protocols: Option<Annotated>,
    /// The labels by which it finds its pods. Empty: somebody else says what its endpoints are.
    pub selector: BTreeMap<String, String>,
}

impl Service {
    /// One of this type with these ports, and with nothing else said of it.
    #[must_use]
    pub fn of_type(kind: &str, ports: Vec<ServicePort>) -> Self {
        Self {
            opens_node_ports: matches!(kind, "NodePort" | "LoadBalancer"),
            kind: kind.to_owned(),
            ports,
            neg_annotation: None,
            health_check_path: None,
            backend_config: None,
            app_protocols: None,
            selector: BTreeMap::new(),
        }
    }
}

/// An annotation that may have one of several names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotated {
    /// The one that it has.
    pub key: &'static str,
    /// Its value, as it stands.
    pub value: String,
}

/// What is read of a Service's port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicePort {
    /// Empty where it has none.
    pub name: String,
    /// The Service's own port.
    pub port: u16,
    /// Where it is opened on every node.
    pub node_port: Option<u16>,
    /// Whether it is TCP; load balancers of this kind serve nothing else.
    pub tcp: bool,
    /// `appProtocol`
    pub app_protocol: Option<String>,
    /// `targetPort`: where its pods listen.
    pub target_port: TargetPort,
}

impl ServicePort {
    /// A TCP port without a name, at which its pods listen too.
    #[must_use]
    pub const fn tcp(port: u16) -> Self {
        Self {
            name: String::new(),
            port,
            node_port: None,
            tcp: true,
            app_protocol: None,
            target_port: TargetPort::Number(port),
        }
    }
}

/// Where the pods of a Service listen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum TargetPort {
    /// All at the same port.
    Number(u16),
    /// Each at the port that it has given this name.
    Name(String),
}

/// The endpoints of a Service, by the name of the Service's port.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceEndpoints {
    /// Port name to endpoints.
    pub by_port: BTreeMap<String, BTreeSet<PodEndpoint>>,
}

/// One address that serves a Service's port. Terminating ones are left out, unready ones are not:
/// the load balancer's own health check decides, and a pod behind a readiness gate could otherwise never become ready.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PodEndpoint {
    /// The pod's address.
    pub address: Ipv4Addr,
    /// The pod's port.
    pub port: u16,
    /// The node that carries it.
    pub node: String,
    /// Whether Kubernetes calls it ready.
    pub ready: bool,
}

/// What is read of a Node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Short name of the instance, from `spec.providerID` (`gce://project/zone/instance`).
    pub instance: String,
    /// The instance's zone, from the same.
    pub zone: Zone,
    /// Whether it may take traffic for node ports: ready, and not excluded from load balancers
    /// (label `node.kubernetes.io/exclude-from-external-load-balancers`).
    pub takes_traffic: bool,
}

/// A certificate from a Secret: everything but the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Of the chain's PEM text.
    pub fingerprint: CertificateFingerprint,
    /// Subject alternative names, or the common name where there are none.
    pub names: Vec<String>,
    /// When the first certificate of the chain ceases to be valid.
    pub not_after: Timestamp,
}

/// Why a Secret does not yield a certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// No `tls.crt`.
    #[error("it has no tls.crt")]
    NoCertificate,
    /// No `tls.key`.
    #[error("it has no tls.key")]
    NoKey,
    /// `tls.crt` cannot be read.
    #[error("its tls.crt is not a certificate in PEM form: {detail}")]
    BadCertificate {
        /// What the reader said.
        detail: String,
    },
    /// `tls.key` cannot be read.
    #[error("its tls.key is not a private key in PEM form: {detail}")]
    BadKey {
        /// What the reader said; never the key.
        detail: String,
    },
    /// They do not belong together.
    #[error("its tls.key does not belong to its tls.crt")]
    Mismatch,
    /// It is there, but it could not be looked into. That may pass, or need a person (a right to read it).
    #[error("it could not be read: {detail}")]
    Unread {
        /// Why not.
        detail: String,
    },
}

/// A certificate that Google makes, as its object has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ManagedCertificate {
    /// What it is for.
    pub spec: ManagedCertificateSpec,
    /// What has become of it.
    pub status: ManagedCertificateStatus,
}

/// Why an object does not say what it is to say. It is there, and what it asks for is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {why}")]
pub struct Unreadable {
    /// The field that does not fit: `spec.healthCheck.timeoutSec`.
    pub field: String,
    /// What must be there, and what is; continues a sentence that begins with the field.
    pub why: String,
}
