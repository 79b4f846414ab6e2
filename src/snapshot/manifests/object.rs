//! The objects of a folder, as far as a snapshot can use them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::{Ingress, IngressClass};
use zeroize::Zeroizing;

use crate::custom_resource::{BackendConfigSpec, FrontendConfigSpec};
use crate::snapshot::{Container, ManagedCertificate};

/// What an object is called: no two objects of a cluster have the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    /// Its kind.
    pub kind: &'static str,
    /// Its namespace; `None` for kinds that have none.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

impl fmt::Display for ObjectId {
    /// `Ingress default/web`, `IngressClass gclb`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}

/// One object and where it came from.
#[derive(Debug, Clone)]
pub struct Object {
    /// What it is called.
    pub id: ObjectId,
    /// The file, as it was named to us.
    pub file: Arc<str>,
    /// Line and column of its first character, counted from 1.
    pub position: (usize, usize),
    /// Where each of its fields stands, for an Ingress: `spec.rules[0].host` to line and column.
    pub(super) fields: Arc<BTreeMap<String, (usize, usize)>>,
    /// What it says.
    pub content: Content,
}

impl Object {
    /// Line and column of a field, counted from 1. Where it is not written there, those of the nearest thing around it that is.
    #[must_use]
    pub fn place(&self, field: &str) -> (usize, usize) {
        let mut field = field;
        loop {
            if let Some(place) = self.fields.get(field) {
                return *place;
            }
            // One step up: `a.b[0]` to `a.b`, `a.b` to `a`. A key in brackets may hold dots.
            let cut = match field.strip_suffix(']') {
                Some(inner) => inner.rfind('['),
                None => field.rfind('.'),
            };
            match cut {
                Some(at) => field = &field[..at],
                None => return self.position,
            }
        }
    }
}

/// What an object says.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// An Ingress.
    Ingress(Arc<Ingress>),
    /// An IngressClass.
    IngressClass(Arc<IngressClass>),
    /// A Service.
    Service(Arc<Service>),
    /// An EndpointSlice.
    EndpointSlice(Arc<EndpointSlice>),
    /// A Secret.
    Secret(Arc<Secret>),
    /// A Node.
    Node(Arc<Node>),
    /// A `BackendConfig`.
    BackendConfig(Arc<BackendConfigSpec>),
    /// A `FrontendConfig`.
    FrontendConfig(Arc<FrontendConfigSpec>),
    /// A `ManagedCertificate`.
    ManagedCertificate(Arc<ManagedCertificate>),
    /// Pods, or something that makes them.
    Workload(Arc<Workload>),
}

/// The data of a Secret. Its `Debug` shows no values, and they are wiped when dropped.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret {
    /// By key, decoded.
    pub data: BTreeMap<String, Zeroizing<Vec<u8>>>,
}

impl Secret {
    /// The bytes of one key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&[u8]> {
        self.data.get(key).map(|value| value.as_slice())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.data.iter().map(|(key, value)| (key, format!("{} bytes", value.len()))))
            .finish()
    }
}

/// What is read of a Pod, or of the pod template of a Deployment and its like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Workload {
    /// By these a Service finds the pods.
    pub labels: BTreeMap<String, String>,
    /// Named TCP ports of the containers.
    pub ports: BTreeMap<String, u16>,
    /// Its containers, where one of them has a readiness probe that a load balancer can make too.
    pub containers: Option<Arc<[Container]>>,
}
