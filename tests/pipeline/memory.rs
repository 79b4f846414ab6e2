//! A source in memory: a snapshot that keeps finalizers as an API server would.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use gclb::controller::source::{KeyPair, NotReady, Source, SourceError};
use gclb::ingress::{FINALIZER, MEMBER_OF, record, remembering};
use gclb::model::{
    CertificateFingerprint, Checkpoint, ClusterId, Held, LoadBalancerKey, ObjectKey, ResourceId,
};
use gclb::snapshot::{Cluster, Service, ServiceSlice, Snapshot, certificate};
use gclb::status::{Event, Report};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::world::{PROJECT, ZONE};

/// A snapshot in memory.
pub(crate) struct Memory {
    pub(crate) snapshot: Mutex<Snapshot>,
    secrets: BTreeMap<ObjectKey, (String, String)>,
    pub(crate) changed: Notify,
    pub(crate) published: Mutex<Published>,
    /// So many claims fail, as while the API server cannot be written to.
    pub(crate) failing_claims: AtomicUsize,
    /// Not everything has been listed yet.
    pub(crate) unlisted: AtomicBool,
    /// The record of load balancers that were given up.
    pub(crate) released: Mutex<BTreeSet<LoadBalancerKey>>,
    /// The groups whose members are kept for the next start.
    pub(crate) kept: Mutex<BTreeMap<ResourceId, Checkpoint>>,
}

#[derive(Default)]
pub(crate) struct Published {
    pub(crate) reports: BTreeMap<ObjectKey, Report>,
    pub(crate) events: Vec<Event>,
}

impl Memory {
    pub(crate) fn new(cluster: &ClusterId) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let pem = rcgen::CertificateParams::new(vec!["echoheaders".to_owned()])
            .unwrap()
            .self_signed(&key)
            .unwrap()
            .pem();
        let key = key.serialize_pem();
        let facts = certificate::read(Some(pem.as_bytes()), Some(key.as_bytes()));
        let class = json!({"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass",
            "metadata": {"name": "gclb"}, "spec": {"controller": "gclb.dev/ingress"}});
        let cluster = Cluster::of(cluster.clone());
        let snapshot = Snapshot {
            classes: BTreeMap::from([("gclb".to_owned(), Arc::new(serde_json::from_value(class).unwrap()))]),
            secrets: BTreeMap::from([(object("tls"), facts)]),
            ..Snapshot::empty(cluster, jiff::Timestamp::now())
        };
        let memory = Self {
            snapshot: Mutex::new(snapshot),
            secrets: BTreeMap::from([(object("tls"), (pem, key))]),
            changed: Notify::new(),
            published: Mutex::default(),
            failing_claims: AtomicUsize::new(0),
            unlisted: AtomicBool::new(false),
            released: Mutex::default(),
            kept: Mutex::default(),
        };
        for node in NODES {
            memory.put_node(node);
        }
        memory.put_service("web", 30_080);
        memory
    }

    pub(crate) fn edit(&self, edit: impl FnOnce(&mut Snapshot)) {
        edit(&mut self.snapshot.lock().unwrap());
        self.changed.notify_one();
    }

    pub(crate) fn put_node(&self, name: &str) {
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name},
            "spec": {"providerID": format!("gce://{PROJECT}/{ZONE}/{name}")},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]}});
        let node: k8s_openapi::api::core::v1::Node = serde_json::from_value(node).unwrap();
        self.edit(|snapshot| {
            snapshot.nodes.insert(name.to_owned(), (&node).try_into().unwrap());
        });
    }

    pub(crate) fn put_service(&self, name: &str, node_port: u16) {
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
            "spec": {"type": "NodePort", "ports": [{"port": 8080, "nodePort": node_port}]}});
        let service: k8s_openapi::api::core::v1::Service = serde_json::from_value(service).unwrap();
        self.edit(|snapshot| {
            snapshot.services.insert(object(name), Arc::new(Service::from(&service)));
        });
    }

    /// A Service whose pods are reached directly: their addresses and nodes.
    pub(crate) fn put_pods(&self, name: &str, pods: &[(&str, &str)]) {
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name,
                "annotations": {"cloud.google.com/neg": "{\"ingress\": true}"}},
            "spec": {"type": "ClusterIP", "ports": [{"port": 8080}]}});
        let service: k8s_openapi::api::core::v1::Service = serde_json::from_value(service).unwrap();
        let endpoints: Vec<Value> =
            pods.iter().map(|(address, node)| json!({"addresses": [address], "nodeName": node})).collect();
        let slice = json!({"addressType": "IPv4", "ports": [{"name": "", "port": 8080}], "endpoints": endpoints,
            "metadata": {"name": name, "namespace": "default", "labels": {"kubernetes.io/service-name": name}}});
        let slice: k8s_openapi::api::discovery::v1::EndpointSlice = serde_json::from_value(slice).unwrap();
        self.edit(|snapshot| {
            snapshot.services.insert(object(name), Arc::new(Service::from(&service)));
            snapshot.endpoints.insert(object(name), ServiceSlice::read(&slice).unwrap().endpoints);
        });
    }

    pub(crate) fn put_ingress(&self, name: &str, spec: &Value) {
        self.put_annotated(name, &json!({}), spec);
    }

    pub(crate) fn put_annotated(&self, name: &str, annotations: &Value, spec: &Value) {
        let mut spec = spec.clone();
        spec["ingressClassName"] = json!("gclb");
        self.edit(|snapshot| {
            let before = snapshot.ingresses.get(&object(name));
            let finalizers = before.and_then(|before| before.metadata.finalizers.clone());
            let mut annotations = annotations.clone();
            if let Some(known) = before.and_then(|before| remembering(&record(&object(name), before))) {
                annotations[MEMBER_OF] = json!(known);
            }
            let ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
                "metadata": {"name": name, "namespace": "default", "finalizers": finalizers, "annotations": annotations},
                "spec": spec});
            snapshot.ingresses.insert(object(name), Arc::new(serde_json::from_value(ingress).unwrap()));
        });
    }

    /// As `kubectl delete` does: the object stays while it has finalizers.
    pub(crate) fn delete_ingress(&self, name: &str) {
        self.edit(|snapshot| {
            let Some(ingress) = snapshot.ingresses.get(&object(name)) else { return };
            if ingress.metadata.finalizers.as_deref().unwrap_or_default().is_empty() {
                snapshot.ingresses.remove(&object(name));
                return;
            }
            let mut ingress = (**ingress).clone();
            ingress.metadata.deletion_timestamp =
                Some(serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap());
            snapshot.ingresses.insert(object(name), Arc::new(ingress));
        });
    }

    pub(crate) fn is_there(&self, name: &str) -> bool {
        self.snapshot.lock().unwrap().ingresses.contains_key(&object(name))
    }

    pub(crate) fn report(&self, name: &str) -> Option<Report> {
        self.published.lock().unwrap().reports.get(&object(name)).cloned()
    }

    pub(crate) fn address(&self, name: &str) -> Option<std::net::IpAddr> {
        self.published.lock().unwrap().reports.get(&object(name))?.address
    }
}

impl Source for Memory {
    async fn changed(&self) {
        self.changed.notified().await;
    }

    fn snapshot(&self, held: Held) -> Result<Snapshot, NotReady> {
        if self.unlisted.load(Ordering::SeqCst) {
            return Err(NotReady { missing: vec!["Services"] });
        }
        Ok(Snapshot { held, ..self.snapshot.lock().unwrap().clone() })
    }

    async fn claim(
        &self,
        key: &ObjectKey,
        remembered: &BTreeSet<LoadBalancerKey>,
    ) -> Result<(), SourceError> {
        let fails = |left: usize| left.checked_sub(1);
        if self.failing_claims.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fails).is_ok() {
            let source = "the API server is away".into();
            return Err(SourceError::Failed { doing: "claim", object: key.to_string(), source });
        }
        let wanted = remembering(remembered);
        let is_so = {
            let snapshot = self.snapshot.lock().unwrap();
            let Some(ingress) = snapshot.ingresses.get(key) else {
                return Err(SourceError::Changed { doing: "claim", object: key.to_string() });
            };
            let known = ingress.metadata.annotations.as_ref().and_then(|all| all.get(MEMBER_OF));
            known == wanted.as_ref()
                && ingress.metadata.finalizers.iter().flatten().any(|finalizer| finalizer == FINALIZER)
        };
        if !is_so {
            self.edit(|snapshot| {
                let mut ingress = (*snapshot.ingresses[key]).clone();
                ingress.metadata.finalizers = Some(vec![FINALIZER.to_owned()]);
                let annotations = ingress.metadata.annotations.get_or_insert_default();
                match wanted {
                    Some(text) => annotations.insert(MEMBER_OF.to_owned(), text),
                    None => annotations.remove(MEMBER_OF),
                };
                snapshot.ingresses.insert(key.clone(), Arc::new(ingress));
            });
        }
        Ok(())
    }

    async fn released(&self) -> Result<BTreeSet<LoadBalancerKey>, SourceError> {
        Ok(self.released.lock().unwrap().clone())
    }

    async fn checkpoints(&self) -> Result<BTreeMap<ResourceId, Checkpoint>, SourceError> {
        Ok(self.kept.lock().unwrap().clone())
    }

    async fn keep_checkpoints(
        &self,
        checkpoints: &BTreeMap<ResourceId, Option<Checkpoint>>,
    ) -> Result<(), SourceError> {
        let mut kept = self.kept.lock().unwrap();
        for (id, checkpoint) in checkpoints {
            match checkpoint {
                Some(checkpoint) => drop(kept.insert(id.clone(), *checkpoint)),
                None => drop(kept.remove(id)),
            }
        }
        Ok(())
    }

    async fn release(&self, key: &ObjectKey) -> Result<(), SourceError> {
        self.published.lock().unwrap().reports.remove(key);
        self.edit(|snapshot| {
            snapshot.ingresses.remove(key);
        });
        Ok(())
    }

    async fn publish(&self, key: &ObjectKey, report: &Report, news: &[Event]) -> Result<(), SourceError> {
        let mut published = self.published.lock().unwrap();
        published.reports.insert(key.clone(), report.clone());
        published.events.extend_from_slice(news);
        Ok(())
    }

    async fn key_pair(
        &self,
        secret: &ObjectKey,
        fingerprint: &CertificateFingerprint,
    ) -> Result<KeyPair, SourceError> {
        let changed = || SourceError::Changed { doing: "read the key of", object: secret.to_string() };
        let (crt, key) = self.secrets.get(secret).ok_or_else(changed)?;
        KeyPair::of(Some(crt.as_bytes()), Some(key.as_bytes()), fingerprint).unwrap().ok_or_else(changed)
    }
}

pub(crate) fn object(name: &str) -> ObjectKey {
    ObjectKey::new("default", name)
}

pub(crate) const NODES: [&str; 2] = ["node-1", "node-2"];
