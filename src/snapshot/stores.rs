//! What the watches have seen, in compact form: the compact forms of the snapshot itself, reduced as objects arrive.
//!
//! No watching here: whoever watches puts in what it sees, and is told whether that can matter to a translation. A snapshot can be
//! taken when every kind has been listed once and every Secret that is referred to has been looked into.

mod configs;
mod endpoints;
mod pods;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::{Ingress, IngressBackend, IngressClass};
use kube::core::DynamicObject;

use super::{
    Certificate, CertificateError, Cluster, Node, ReadinessProbes, Service, ServiceEndpoints, ServiceSlice,
    Snapshot,
};
use crate::ingress;
use crate::model::{Held, ObjectKey};
use configs::Configs;
use endpoints::Endpoints;
use pods::Pods;
pub use table::{Seen, Table};

/// What the watches have seen so far.
#[derive(Debug, Default)]
pub struct Stores {
    classes: Table<String, Arc<IngressClass>>,
    ingresses: Table<ObjectKey, Arc<Ingress>>,
    services: Table<ObjectKey, Arc<Service>>,
    slices: Table<ObjectKey, ServiceSlice>,
    endpoints: Endpoints,
    nodes: Table<String, Node>,
    /// The version of each Secret; its content is nobody's business unless an Ingress of ours refers to it.
    secrets: Table<ObjectKey, String>,
    /// What is in the Secrets that are referred to, and of which version that is.
    contents: BTreeMap<ObjectKey, Content>,
    configs: Configs,
    /// `None`: nobody looks at them.
    pods: Option<Pods>,
    /// Services that some Ingress refers to.
    referred: BTreeSet<ObjectKey>,
    /// Services whose endpoints changed since [`churn`](Self::churn) was last asked.
    churned: BTreeSet<ObjectKey>,
    /// Secrets that an Ingress of ours refers to.
    referred_secrets: BTreeSet<ObjectKey>,
    claim_classless: bool,
}

#[derive(Debug)]
struct Content {
    version: String,
    certificate: Result<Certificate, CertificateError>,
}

/// A Secret that must be looked into, in the version that is there now.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unread {
    /// Which.
    pub secret: ObjectKey,
    /// Its `resourceVersion`.
    pub version: String,
}

/// Services whose endpoints changed, and nothing else.
#[derive(Debug)]
pub struct Churned<'a> {
    /// Which.
    pub services: BTreeSet<ObjectKey>,
    /// The endpoints of those that have some.
    pub endpoints: BTreeMap<ObjectKey, Arc<ServiceEndpoints>>,
    /// Every node, by name.
    pub nodes: &'a BTreeMap<String, Node>,
}

/// Whether something that was seen can matter to a translation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "what matters must lead to a new snapshot"]
pub enum Matters {
    /// It can.
    Yes,
    /// Only to who is in the groups of a Service: see [`Stores::churn`].
    Members,
    /// It cannot: nothing of what is kept differs, or nobody refers to it.
    No,
}

impl From<bool> for Matters {
    fn from(matters: bool) -> Self {
        if matters { Self::Yes } else { Self::No }
    }
}

impl Stores {
    /// Empty ones. With `claim_classless` the Secrets of Ingresses without a class are referred to as well.
    #[must_use]
    pub fn new(claim_classless: bool, readiness_probes: ReadinessProbes) -> Self {
        let pods = match readiness_probes {
            ReadinessProbes::Read => Some(Pods::default()),
            ReadinessProbes::Ignored => None,
        };
        Self { pods, claim_classless, ..Self::default() }
    }

    /// An `IngressClass` was seen.
    pub fn class(&mut self, seen: Seen<IngressClass>) -> Matters {
        let seen = seen.map(|class| {
            let mut class = class;
            class.metadata.managed_fields = None;
            (class.metadata.name.clone().unwrap_or_default(), Some(Arc::new(class)))
        });
        let differs = self.classes.see(seen, |one, other| {
            one.spec == other.spec && one.metadata.annotations == other.metadata.annotations
        });
        if differs {
            self.refer();
        }
        differs.into()
    }

    /// An Ingress was seen. One that is older than what is known is not taken: we may know a newer one from the answer to a write of ours.
    pub fn ingress(&mut self, seen: Seen<Ingress>) -> Matters {
        if let Seen::Put(ingress) = &seen
            && let Some(known) = self.ingresses.get(&key_of(&ingress.metadata))
            && is_older(ingress, known)
        {
            return Matters::No;
        }
        let seen = seen.map(|ingress| {
            let mut ingress = ingress;
            ingress.metadata.managed_fields = None;
            (key_of(&ingress.metadata), Some(Arc::new(ingress)))
        });
        let differs = self.ingresses.see(seen, |one, other| same_but_for_version(one, other));
        if differs {
            self.refer();
        }
        differs.into()
    }

    /// A Service was seen.
    pub fn service(&mut self, seen: Seen<core::Service>) -> Matters {
        let of = seen.key(|service| key_of(&service.metadata));
        let refers = |services: &Table<_, Arc<Service>>| {
            let service: &Arc<Service> = services.get(of.as_ref()?)?;
            Some((service.selector.clone(), service.backend_config.clone()))
        };
        let before = refers(&self.services);
        let seen = seen.map(|service| (key_of(&service.metadata), Some(Arc::new(Service::from(&service)))));
        let differs = self.services.see(seen, PartialEq::eq);
        let refers_to_others = of.is_none() || before != refers(&self.services);
        let matters = differs && of.is_none_or(|service| self.referred.contains(&service));
        // It looks at all Services, and most changes are of something else.
        if matters && refers_to_others {
            self.refer_from_services();
        }
        matters.into()
    }

    /// An `EndpointSlice` was seen.
    pub fn slice(&mut self, seen: Seen<EndpointSlice>) -> Matters {
        let key = seen.key(|slice| key_of(&slice.metadata));
        let before = key.as_ref().and_then(|key| self.slices.get(key)).map(|slice| slice.service.clone());
        let seen = seen.map(|slice| (key_of(&slice.metadata), ServiceSlice::read(&slice)));
        let differs = self.slices.see(seen, PartialEq::eq);
        let after = key.as_ref().and_then(|key| self.slices.get(key)).map(|slice| slice.service.clone());
        if !differs {
            return Matters::No;
        }
        // A whole list is rare, and the first one makes a snapshot possible.
        let Some(key) = key else {
            self.endpoints = Endpoints::of(self.slices.iter());
            return Matters::Yes;
        };
        self.endpoints.moved(&key, before.as_ref(), after.as_ref());
        let concerned: Vec<_> =
            before.into_iter().chain(after).filter(|service| self.referred.contains(service)).collect();
        if concerned.is_empty() {
            return Matters::No;
        }
        self.churned.extend(concerned);
        Matters::Members
    }

    /// The Services whose endpoints have changed since this was last asked, as they are now.
    #[must_use]
    pub fn churn(&mut self) -> Churned<'_> {
        let services = std::mem::take(&mut self.churned);
        let endpoints = self.endpoints_of(&services);
        Churned { services, endpoints, nodes: self.nodes.items() }
    }

    fn endpoints_of(&self, services: &BTreeSet<ObjectKey>) -> BTreeMap<ObjectKey, Arc<ServiceEndpoints>> {
        services
            .iter()
            .filter_map(|service| Some((service.clone(), self.endpoints.get(service, &self.slices)?)))
            .collect()
    }

    /// A Node was seen. One that is no instance we can use is as good as absent.
    pub fn node(&mut self, seen: Seen<core::Node>) -> Matters {
        let seen = seen.map(|node| {
            let name = node.metadata.name.clone().unwrap_or_default();
            (name, Node::try_from(&node).ok())
        });
        self.nodes.see(seen, PartialEq::eq).into()
    }

    /// A Pod was seen.
    pub fn pod(&mut self, seen: Seen<core::Pod>) -> Matters {
        self.pods.as_mut().map_or(Matters::No, |pods| pods.see(seen))
    }

    /// A `BackendConfig` was seen.
    pub fn backend_config(&mut self, seen: Seen<DynamicObject>) -> Matters {
        self.configs.backend(seen)
    }

    /// A `FrontendConfig` was seen.
    pub fn frontend_config(&mut self, seen: Seen<DynamicObject>) -> Matters {
        self.configs.frontend(seen)
    }

    /// A `ManagedCertificate` was seen.
    pub fn managed_certificate(&mut self, seen: Seen<DynamicObject>) -> Matters {
        self.configs.certificate(seen)
    }

    /// Of the kinds that a cluster may lack this one has none.
    pub fn without_custom_resources(&mut self) {
        for see in [Self::backend_config, Self::frontend_config, Self::managed_certificate] {
            let _ = see(self, Seen::NoSuchKind);
        }
    }

    /// A Secret was seen, of which only key and version are known. It matters when it is gone, or when it [must be
    /// read](Self::unread).
    pub fn secret(&mut self, seen: Seen<(ObjectKey, String)>) -> Matters {
        let of = seen.key(|(secret, _)| secret.clone());
        let seen = seen.map(|(secret, version)| (secret, Some(version)));
        let differs = self.secrets.see(seen, PartialEq::eq);
        if differs {
            let secrets = &self.secrets;
            self.contents.retain(|secret, _| secrets.get(secret).is_some());
        }
        (differs && of.is_none_or(|secret| self.referred_secrets.contains(&secret))).into()
    }

    /// The Secrets that an Ingress of ours refers to.
    #[must_use]
    pub const fn referred_secrets(&self) -> &BTreeSet<ObjectKey> {
        &self.referred_secrets
    }

    /// The Secrets that are referred to and not yet known in their present version.
    #[must_use]
    pub fn unread(&self) -> Vec<Unread> {
        if !(self.classes.is_listed() && self.ingresses.is_listed() && self.secrets.is_listed()) {
            return Vec::new();
        }
        self.referred_secrets
            .iter()
            .filter_map(|secret| {
                let version = self.secrets.get(secret)?.clone();
                let known = self.contents.get(secret).is_some_and(|content| content.version == version);
                (!known).then(|| Unread { secret: secret.clone(), version })
            })
            .collect()
    }

    /// A Secret was looked into.
    pub fn read(&mut self, read: Unread, certificate: Result<Certificate, CertificateError>) -> Matters {
        let Unread { secret, version } = read;
        if self.secrets.get(&secret).is_none() {
            return Matters::No;
        }
        let differs = self.contents.get(&secret).is_none_or(|before| before.certificate != certificate);
        self.contents.insert(secret, Content { version, certificate });
        differs.into()
    }

    /// A Secret could not be looked into. What was known of it stays.
    pub fn could_not_read(&mut self, secret: &ObjectKey, detail: String) -> Matters {
        if self.contents.contains_key(secret) || self.secrets.get(secret).is_none() {
            return Matters::No;
        }
        // No version is empty, so it is still to be read.
        let certificate = Err(CertificateError::Unread { detail });
        self.contents.insert(secret.clone(), Content { version: String::new(), certificate });
        Matters::Yes
    }

    /// The Ingress of that key, as it was last seen.
    #[must_use]
    pub fn get_ingress(&self, key: &ObjectKey) -> Option<Arc<Ingress>> {
        self.ingresses.get(key).map(Arc::clone)
    }

    /// What has not been seen yet and must be, before a snapshot says what there is.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        let listed = [
            (self.classes.is_listed(), "IngressClasses"),
            (self.ingresses.is_listed(), "Ingresses"),
            (self.services.is_listed(), "Services"),
            (self.slices.is_listed(), "EndpointSlices"),
            (self.nodes.is_listed(), "Nodes"),
            (self.secrets.is_listed(), "Secrets"),
            (self.pods.as_ref().is_none_or(Pods::is_listed), "Pods"),
            (self.configs.backends.is_listed(), "BackendConfigs"),
            (self.configs.frontends.is_listed(), "FrontendConfigs"),
            (self.configs.certificates.is_listed(), "ManagedCertificates"),
        ];
        let mut missing: Vec<_> =
            listed.into_iter().filter_map(|(listed, kind)| (!listed).then_some(kind)).collect();
        // What a Secret held before it changed will do for the moment; never having looked into it will not.
        if self.unread().iter().any(|unread| !self.contents.contains_key(&unread.secret)) {
            missing.push("what is in the Secrets that are referred to");
        }
        missing
    }

    /// Everything one translation may read. Only what some Ingress refers to, itself or by its Services, is in it of all but Ingresses,
    /// classes and nodes.
    #[must_use]
    pub fn snapshot(&self, cluster: Cluster, taken_at: Timestamp, held: Held) -> Snapshot {
        let endpoints = self.endpoints_of(&self.referred);
        let services =
            self.referred.iter().filter_map(|key| Some((key.clone(), Arc::clone(self.services.get(key)?))));
        let secrets = self
            .referred_secrets
            .iter()
            .filter_map(|secret| Some((secret.clone(), self.contents.get(secret)?.certificate.clone())));
        Snapshot {
            cluster,
            taken_at,
            classes: self.classes.items().clone(),
            ingresses: self.ingresses.items().clone(),
            services: services.collect(),
            endpoints,
            nodes: self.nodes.items().clone(),
            secrets: secrets.collect(),
            backend_configs: self.configs.backends.referred(),
            frontend_configs: self.configs.frontends.referred(),
            managed_certificates: self.configs.certificates.referred(),
            probes: self.pods.as_ref().map(|pods| pods.found().clone()),
            held,
        }
    }

    /// Works out anew what Ingresses refer to.
    fn refer(&mut self) {
        self.referred = self.ingresses.iter().flat_map(|(_, ingress)| services_of(ingress)).collect();
        self.referred_secrets =
            ingress::secrets(self.classes.items(), self.ingresses.items(), self.claim_classless);
        self.configs.refer_from_ingresses(self.ingresses.iter().map(|(_, ingress)| ingress));
        self.refer_from_services();
    }

    fn refer_from_services(&mut self) {
        let referred = self.referred.iter().filter_map(|key| Some((key, self.services.get(key)?)));
        let referred: BTreeMap<_, _> =
            referred.map(|(key, service)| (key.clone(), Arc::clone(service))).collect();
        self.configs.refer_from_services(referred.iter());
        if let Some(pods) = &mut self.pods {
            pods.refer(referred);
        }
    }
}

/// Namespace and name.
fn key_of(metadata: &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta) -> ObjectKey {
    ObjectKey::new(metadata.namespace.clone().unwrap_or_default(), metadata.name.clone().unwrap_or_default())
}

/// Versions can be compared as numbers (Kubernetes API concepts, "Resource versions"); where one is not a number, nothing is said.
fn is_older(one: &Ingress, other: &Ingress) -> bool {
    let same_object = one.metadata.uid == other.metadata.uid;
    let version = |ingress: &Ingress| ingress.metadata.resource_version.as_ref()?.parse::<u128>().ok();
    same_object && version(one).zip(version(other)).is_some_and(|(one, other)| one < other)
}

fn same_but_for_version(one: &Ingress, other: &Ingress) -> bool {
    let bare = |ingress: &Ingress| {
        let mut metadata = ingress.metadata.clone();
        metadata.resource_version = None;
        metadata.generation = None;
        metadata
    };
    one.spec == other.spec && one.status == other.status && bare(one) == bare(other)
}

fn services_of(ingress: &Ingress) -> Vec<ObjectKey> {
    let Some(spec) = &ingress.spec else { return Vec::new() };
    let namespace = ingress.metadata.namespace.as_deref().unwrap_or_default();
    let of_rules =
        spec.rules.iter().flatten().filter_map(|rule| rule.http.as_ref()).flat_map(|http| &http.paths);
    let backends = spec.default_backend.iter().chain(of_rules.map(|path| &path.backend));
    let name = |backend: &IngressBackend| Some(backend.service.as_ref()?.name.clone());
    backends.filter_map(|backend| Some(ObjectKey::new(namespace, name(backend)?))).collect()
}

#[cfg(test)]
mod tests;
