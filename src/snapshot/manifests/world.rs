//! What a cluster would hold if the objects of a folder were applied to it.
//!
//! A cluster gives more than its manifests say: defaults, node ports, the default class on Ingresses that name none, machines, pods.
//! All of that is supplied here, from the names of things alone, so that it is the same every time and stays the same while
//! other objects come and go.

mod pods;
mod services;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;

use ipnet::Ipv4Net;
use jiff::Timestamp;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::networking::v1::{Ingress, IngressClass, IngressClassSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use sha2::{Digest as _, Sha256};

use super::Manifests;
use super::diagnostic::{Code, Diagnostic, DiagnosticSeverity};
use super::object::{Content, Object, ObjectId, Secret};
use crate::custom_resource::{BackendConfigSpec, FrontendConfigSpec};
use crate::model::{Held, ObjectKey, Zone};
use crate::snapshot::{
    CLASS_ANNOTATION, CLASSES_OF_INGRESS_GCE, CONTROLLER, ClassOfIngressGce, Cluster, Container,
    ManagedCertificate, Node, ReadinessProbes, Service, ServiceEndpoints, Snapshot, Unreadable, certificate,
};

/// The class that is supplied where a folder names none for us.
pub const DEFAULT_CLASS: &str = "gclb";

const IS_DEFAULT_CLASS: &str = "ingressclass.kubernetes.io/is-default-class";
/// The node that is supplied where a folder has none.
const NODE: &str = "local-node";
/// When all objects came to be. A fixed moment: what depends on age must not depend on when a folder was read.
const CREATED: Timestamp = Timestamp::constant(1_767_225_600, 0);

/// What a cluster has that no manifest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supplies {
    /// Where nodes are that do not say where they are.
    pub zone: Zone,
}

impl Default for Supplies {
    fn default() -> Self {
        Self { zone: Zone("us-central1-a".to_owned()) }
    }
}

/// Everything a cluster would hold that a load balancer depends on.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// By name.
    pub classes: BTreeMap<String, Arc<IngressClass>>,
    /// By namespace and name, with a class each, where there is a default class.
    pub ingresses: BTreeMap<ObjectKey, Arc<Ingress>>,
    /// By namespace and name.
    pub services: BTreeMap<ObjectKey, Arc<Service>>,
    /// The endpoints of each Service: those of its EndpointSlices or, where it has none, one supplied pod.
    pub endpoints: BTreeMap<ObjectKey, Arc<ServiceEndpoints>>,
    /// By name; never empty.
    pub machines: BTreeMap<String, Machine>,
    /// By namespace and name; all of them.
    pub secrets: BTreeMap<ObjectKey, Arc<Secret>>,
    /// By namespace and name; all of them.
    pub backend_configs: BTreeMap<ObjectKey, Arc<BackendConfigSpec>>,
    /// By namespace and name; all of them.
    pub frontend_configs: BTreeMap<ObjectKey, Arc<FrontendConfigSpec>>,
    /// By namespace and name; all of them.
    pub managed_certificates: BTreeMap<ObjectKey, Arc<ManagedCertificate>>,
    /// For each Service the containers of its pods, as [`Snapshot::probes`].
    pub probes: BTreeMap<ObjectKey, Arc<[Container]>>,
    /// What could not be supplied.
    pub diagnostics: Vec<Diagnostic>,
}

/// A Node and the instance behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// What a snapshot says of it.
    pub node: Node,
    /// Its internal address.
    pub address: Ipv4Addr,
    /// Where its pods have their addresses.
    pub pod_ranges: Vec<Ipv4Net>,
}

impl World {
    pub(super) fn of(manifests: &Manifests, supplies: &Supplies) -> Self {
        let mut world = Self::default();
        let mut services = BTreeMap::new();
        let mut nodes = BTreeMap::new();
        let mut slices = Vec::new();
        let mut workloads = Vec::new();
        for object in manifests.objects.values() {
            let Object { id, file: _, position: _, fields: _, content } = object;
            let key = ObjectKey::new(id.namespace.clone().unwrap_or_default(), id.name.clone());
            match content {
                Content::Ingress(ingress) => {
                    world.ingresses.insert(key, Arc::new(identified(id, Ingress::clone(ingress))));
                }
                Content::IngressClass(class) => {
                    world
                        .classes
                        .insert(id.name.clone(), Arc::new(identified(id, IngressClass::clone(class))));
                }
                Content::Service(service) => {
                    services.insert(key, (object, core::Service::clone(service)));
                }
                Content::EndpointSlice(slice) => slices.push(slice),
                Content::Secret(secret) => {
                    world.secrets.insert(key, Arc::clone(secret));
                }
                Content::BackendConfig(config) => {
                    world.backend_configs.insert(key, Arc::clone(config));
                }
                Content::FrontendConfig(config) => {
                    world.frontend_configs.insert(key, Arc::clone(config));
                }
                Content::ManagedCertificate(certificate) => {
                    world.managed_certificates.insert(key, Arc::clone(certificate));
                }
                Content::Node(node) => {
                    nodes.insert(id.name.clone(), core::Node::clone(node));
                }
                Content::Workload(workload) => workloads.push((key.namespace, workload)),
            }
        }
        world.supply_class();
        world.supply_classes_of_ingress_gce();
        world.admit_ingresses(manifests);
        world.supply_machines(nodes, supplies);
        let services = world.supply_node_ports(services);
        world.supply_endpoints(&services, &slices, &workloads);
        world.find_probes(&services, &workloads);
        world.services = services
            .into_iter()
            .map(|(key, (_, service))| (key, Arc::new(Service::from(&service))))
            .collect();
        world
    }

    /// The class `gclb`, unless a class of ours is given; the default, unless another class is.
    fn supply_class(&mut self) {
        let ours = |class: &Arc<IngressClass>| {
            class.spec.as_ref().and_then(|spec| spec.controller.as_deref()) == Some(CONTROLLER)
        };
        if self.classes.contains_key(DEFAULT_CLASS) || self.classes.values().any(ours) {
            return;
        }
        let default = !self.classes.values().any(|class| is_default(class));
        let class = IngressClass {
            metadata: ObjectMeta {
                name: Some(DEFAULT_CLASS.to_owned()),
                annotations: default.then(|| [(IS_DEFAULT_CLASS.to_owned(), "true".to_owned())].into()),
                ..ObjectMeta::default()
            },
            spec: Some(IngressClassSpec { controller: Some(CONTROLLER.to_owned()), parameters: None }),
        };
        let id = ObjectId { kind: "IngressClass", namespace: None, name: DEFAULT_CLASS.to_owned() };
        self.classes.insert(DEFAULT_CLASS.to_owned(), Arc::new(identified(&id, class)));
    }

    /// Those classes of ingress-gce that an Ingress names and the folder does not hold.
    fn supply_classes_of_ingress_gce(&mut self) {
        for ClassOfIngressGce { name, annotations } in CLASSES_OF_INGRESS_GCE {
            let names_it = |ingress: &Arc<Ingress>| {
                let annotation =
                    ingress.metadata.annotations.as_ref().and_then(|all| all.get(CLASS_ANNOTATION));
                let field = ingress.spec.as_ref().and_then(|spec| spec.ingress_class_name.as_ref());
                [annotation, field].into_iter().flatten().any(|class| class == name)
            };
            if self.classes.contains_key(name) || !self.ingresses.values().any(names_it) {
                continue;
            }
            let annotations = annotations.map(|(key, value)| (key.to_owned(), value.to_owned()));
            let class = IngressClass {
                metadata: ObjectMeta {
                    name: Some(name.to_owned()),
                    annotations: Some(annotations.into()),
                    ..ObjectMeta::default()
                },
                spec: Some(IngressClassSpec { controller: Some(CONTROLLER.to_owned()), parameters: None }),
            };
            let id = ObjectId { kind: "IngressClass", namespace: None, name: name.to_owned() };
            self.classes.insert(name.to_owned(), Arc::new(identified(&id, class)));
        }
    }

    /// The default class on Ingresses that name none, as the API server's admission has it: of several, here all of one age, the first
    /// by name.
    fn admit_ingresses(&mut self, manifests: &Manifests) {
        let defaults: Vec<&String> =
            self.classes.iter().filter(|(_, class)| is_default(class)).map(|(name, _)| name).collect();
        let Some(default) = defaults.first().map(|name| (*name).clone()) else { return };
        if let Some(second) = defaults.get(1) {
            let id = ObjectId { kind: "IngressClass", namespace: None, name: (*second).clone() };
            if let Some(object) = manifests.objects.get(&id) {
                let message =
                    format!("a second default class beside {default}, which is the one that is used");
                let help = format!("keep the annotation {IS_DEFAULT_CLASS} on one class");
                self.diagnostics.push(about(
                    object,
                    DiagnosticSeverity::Warning,
                    Code::Invalid,
                    message,
                    &help,
                ));
            }
        }
        for ingress in self.ingresses.values_mut() {
            let annotated =
                ingress.metadata.annotations.as_ref().is_some_and(|all| all.contains_key(CLASS_ANNOTATION));
            let classless = ingress.spec.as_ref().is_some_and(|spec| spec.ingress_class_name.is_none());
            if classless
                && !annotated
                && let Some(spec) = &mut Arc::make_mut(ingress).spec
            {
                spec.ingress_class_name = Some(default.clone());
            }
        }
    }

    /// Each Node with whatever a kubelet and a cloud controller would have said of it; one, where there is none.
    fn supply_machines(&mut self, mut nodes: BTreeMap<String, core::Node>, supplies: &Supplies) {
        if nodes.is_empty() {
            nodes.insert(NODE.to_owned(), core::Node::default());
        }
        let given: BTreeSet<Ipv4Addr> = nodes.values().filter_map(internal_address).collect();
        // The default network's range in us-central1; its first two addresses belong to the cloud.
        let mut free = Ipv4Net::new_assert(Ipv4Addr::new(10, 128, 0, 0), 20).hosts().skip(1);
        for (index, (name, mut node)) in nodes.into_iter().enumerate() {
            let address = internal_address(&node).or_else(|| free.find(|address| !given.contains(address)));
            let Some(address) = address else { break };
            let spec = node.spec.get_or_insert_default();
            if spec.provider_id.as_deref().is_none_or(str::is_empty) {
                spec.provider_id = Some(format!("gce://local/{}/{name}", supplies.zone));
            }
            let pod_ranges = pod_ranges(spec, index);
            let status = node.status.get_or_insert_default();
            let conditions = status.conditions.get_or_insert_default();
            if conditions.iter().all(|condition| condition.type_ != "Ready") {
                conditions.push(core::NodeCondition {
                    type_: "Ready".to_owned(),
                    status: "True".to_owned(),
                    ..core::NodeCondition::default()
                });
            }
            if let Ok(node) = Node::try_from(&node) {
                self.machines.insert(name, Machine { node, address, pod_ranges });
            }
        }
    }

    /// What one translation may read.
    #[must_use]
    pub fn snapshot(&self, cluster: Cluster, taken_at: Timestamp, held: Held) -> Snapshot {
        let referenced = self.ingresses.iter().flat_map(|(key, ingress)| {
            let tls = ingress.spec.iter().flat_map(|spec| spec.tls.iter().flatten());
            tls.filter_map(|tls| Some(ObjectKey::new(key.namespace.clone(), tls.secret_name.clone()?)))
        });
        let secrets = referenced
            .filter_map(|key| {
                let secret = self.secrets.get(&key)?;
                Some((key, certificate::read(secret.get("tls.crt"), secret.get("tls.key"))))
            })
            .collect();
        let probes = match cluster.readiness_probes {
            ReadinessProbes::Read => Some(self.probes.clone()),
            ReadinessProbes::Ignored => None,
        };
        Snapshot {
            cluster,
            taken_at,
            classes: self.classes.clone(),
            ingresses: self.ingresses.clone(),
            services: self.services.clone(),
            endpoints: self.endpoints.clone(),
            nodes: self.machines.iter().map(|(name, machine)| (name.clone(), machine.node.clone())).collect(),
            secrets,
            backend_configs: readable(&self.backend_configs),
            frontend_configs: readable(&self.frontend_configs),
            managed_certificates: readable(&self.managed_certificates),
            probes,
            held,
        }
    }
}

/// An object that cannot be read is a diagnostic, and not in the folder's cluster, whose API server would have refused it.
fn readable<T>(all: &BTreeMap<ObjectKey, Arc<T>>) -> BTreeMap<ObjectKey, Result<Arc<T>, Unreadable>> {
    all.iter().map(|(key, object)| (key.clone(), Ok(Arc::clone(object)))).collect()
}

/// A diagnostic about a whole object.
fn about(
    object: &Object,
    severity: DiagnosticSeverity,
    code: Code,
    message: String,
    help: &str,
) -> Diagnostic {
    Diagnostic {
        severity,
        code,
        file: object.file.to_string(),
        position: Some(object.position),
        object: Some(object.id.to_string()),
        field: None,
        message,
        help: help.to_owned(),
        snippet: None,
    }
}

fn is_default(class: &IngressClass) -> bool {
    let annotations = class.metadata.annotations.as_ref();
    annotations.and_then(|all| all.get(IS_DEFAULT_CLASS)).is_some_and(|value| value == "true")
}

fn internal_address(node: &core::Node) -> Option<Ipv4Addr> {
    let addresses = node.status.as_ref()?.addresses.as_deref()?;
    addresses
        .iter()
        .filter(|address| address.type_ == "InternalIP")
        .find_map(|address| address.address.parse().ok())
}

/// The Node's own, or one of sixteen with room for four thousand pods each.
fn pod_ranges(spec: &core::NodeSpec, index: usize) -> Vec<Ipv4Net> {
    let given = spec.pod_cidrs.iter().flatten().chain(&spec.pod_cidr);
    let mut ranges: Vec<Ipv4Net> = given.filter_map(|range| range.parse().ok()).collect();
    ranges.dedup();
    if ranges.is_empty() {
        let third = u8::try_from(index % 16 * 16).unwrap_or_default();
        let second = u8::try_from(4 + index / 16 % 100).unwrap_or_default();
        ranges.push(Ipv4Net::new_assert(Ipv4Addr::new(10, second, third, 0), 20));
    }
    ranges
}

/// With the identity that the API server gives to a new object. The UID is that of the name: in a folder nothing else tells one object
/// from another.
fn identified<T: k8s_openapi::Metadata<Ty = ObjectMeta>>(id: &ObjectId, mut object: T) -> T {
    let metadata = object.metadata_mut();
    metadata.uid = Some(uid(&id.to_string()));
    metadata.creation_timestamp = Some(Time(CREATED));
    metadata.generation = Some(1);
    object
}

/// In the form of a UUID, version 8 (RFC 9562: made by a rule of one's own).
fn uid(name: &str) -> String {
    let digest = Sha256::digest(name.as_bytes());
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    bytes[6] = 0x80 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "{}-{}-{}-{}-{}",
        hex[..4].concat(),
        hex[4..6].concat(),
        hex[6..8].concat(),
        hex[8..10].concat(),
        hex[10..].concat()
    )
}
