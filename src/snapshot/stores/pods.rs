//! Which readiness probes the pods of a Service have.
//!
//! Of a pod there is kept when it was made and, shared with all pods that are alike, its labels and containers; of one without a
//! readiness probe that a load balancer could make, or that has run its course, nothing. For each Service that an Ingress refers to the
//! oldest of its pods speaks, and of several the first by name: so a rolling update changes its health check once, when the last old pod
//! is gone, and not back and forth.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1 as core;

use super::table::{Seen, Table};
use super::{Matters, key_of};
use crate::model::ObjectKey;
use crate::snapshot::{Container, Service, pod};

/// What pods that are made from one template have in common.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Shape {
    labels: BTreeMap<String, String>,
    containers: Arc<[Container]>,
}

/// What is kept of one pod.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    created: Timestamp,
    shape: Arc<Shape>,
}

/// The pods of one shape, the one that speaks for them first.
type Alike = BTreeSet<(Timestamp, String)>;

#[derive(Debug, Default)]
pub(super) struct Pods {
    seen: Table<ObjectKey, Kept>,
    /// By namespace.
    alike: BTreeMap<String, BTreeMap<Arc<Shape>, Alike>>,
    /// Services that some Ingress refers to.
    services: BTreeMap<ObjectKey, Arc<Service>>,
    found: BTreeMap<ObjectKey, Arc<[Container]>>,
    shapes: Shared<Shape>,
    /// Several shapes have the same containers: the pods of a `StatefulSet` differ by a label.
    containers: Shared<[Container]>,
}

/// Values that are kept once, however many have them.
#[derive(Debug)]
struct Shared<T: ?Sized> {
    values: BTreeSet<Arc<T>>,
    /// So many were in use when it was last looked.
    in_use: usize,
}

impl<T: ?Sized> Default for Shared<T> {
    fn default() -> Self {
        Self { values: BTreeSet::new(), in_use: 0 }
    }
}

impl<T: Ord + ?Sized> Shared<T> {
    fn one(&mut self, value: Arc<T>) -> Arc<T> {
        if let Some(known) = self.values.get(&value) {
            return Arc::clone(known);
        }
        if self.values.len() > 2 * self.in_use + 64 {
            self.values.retain(|value| Arc::strong_count(value) > 1);
            self.in_use = self.values.len();
        }
        self.values.insert(Arc::clone(&value));
        value
    }
}

impl Pods {
    pub(super) const fn is_listed(&self) -> bool {
        self.seen.is_listed()
    }

    /// For each Service that some Ingress refers to the containers of the pod that speaks for it, where there is one.
    pub(super) const fn found(&self) -> &BTreeMap<ObjectKey, Arc<[Container]>> {
        &self.found
    }

    pub(super) fn see(&mut self, seen: Seen<core::Pod>) -> Matters {
        let of = seen.key(|pod| key_of(&pod.metadata));
        let is_single = matches!(seen, Seen::Put(_) | Seen::Gone(_));
        let before = of.as_ref().and_then(|pod| self.seen.get(pod)).cloned();
        let seen = seen.map(|pod| (key_of(&pod.metadata), self.kept(&pod)));
        let differs = self.seen.see(seen, PartialEq::eq);
        if !differs {
            return Matters::No;
        }
        let Some(key) = of.filter(|_| is_single) else {
            self.sort_all();
            // The first list makes a snapshot possible.
            return Matters::Yes;
        };
        let after = self.seen.get(&key).cloned();
        let mut changed = Vec::new();
        for (kept, is_there) in [(before, false), (after, true)] {
            let Some(Kept { created, shape }) = kept else { continue };
            if self.sort(&key, created, &shape, is_there) {
                changed.push(shape);
            }
        }
        let concerned: Vec<ObjectKey> = self
            .services
            .range(ObjectKey::new(key.namespace.clone(), "")..)
            .take_while(|(service, _)| service.namespace == key.namespace)
            .filter(|(_, service)| changed.iter().any(|shape| selects(service, shape)))
            .map(|(service, _)| service.clone())
            .collect();
        let found: Vec<bool> = concerned.into_iter().map(|service| self.find(service)).collect();
        found.contains(&true).into()
    }

    /// The Services that some Ingress refers to, as they are now.
    pub(super) fn refer(&mut self, services: BTreeMap<ObjectKey, Arc<Service>>) {
        let before = std::mem::replace(&mut self.services, services);
        self.found.retain(|service, _| self.services.contains_key(service));
        let changed: Vec<ObjectKey> = self
            .services
            .iter()
            .filter(|(key, service)| {
                before.get(*key).is_none_or(|before| before.selector != service.selector)
            })
            .map(|(key, _)| key.clone())
            .collect();
        for service in changed {
            self.find(service);
        }
    }

    fn kept(&mut self, pod: &core::Pod) -> Option<Kept> {
        let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
        if pod.metadata.deletion_timestamp.is_some() || matches!(phase, Some("Succeeded" | "Failed")) {
            return None;
        }
        let containers = self.containers.one(pod::containers(pod.spec.as_ref()?)?);
        let labels = pod.metadata.labels.clone().unwrap_or_default();
        Some(Kept {
            created: pod.metadata.creation_timestamp.as_ref().map_or(Timestamp::MAX, |time| time.0),
            shape: self.shapes.one(Arc::new(Shape { labels, containers })),
        })
    }

    /// Puts a pod with those that are alike, or takes it from them; says whether another one speaks for them now.
    fn sort(&mut self, pod: &ObjectKey, created: Timestamp, shape: &Arc<Shape>, is_there: bool) -> bool {
        let of_namespace = self.alike.entry(pod.namespace.clone()).or_default();
        let alike = of_namespace.entry(Arc::clone(shape)).or_default();
        let first = alike.first().cloned();
        let place = (created, pod.name.clone());
        if is_there {
            alike.insert(place);
        } else {
            alike.remove(&place);
        }
        let changed = alike.first() != first.as_ref();
        if alike.is_empty() {
            of_namespace.remove(shape);
        }
        if of_namespace.is_empty() {
            self.alike.remove(&pod.namespace);
        }
        changed
    }

    fn sort_all(&mut self) {
        let mut all: BTreeMap<String, BTreeMap<Arc<Shape>, Alike>> = BTreeMap::new();
        for (key, Kept { created, shape }) in self.seen.iter() {
            let of_namespace = all.entry(key.namespace.clone()).or_default();
            of_namespace.entry(Arc::clone(shape)).or_default().insert((*created, key.name.clone()));
        }
        self.alike = all;
        let services: Vec<ObjectKey> = self.services.keys().cloned().collect();
        for service in services {
            self.find(service);
        }
    }

    /// Looks for the pod that speaks for a Service; says whether what it says differs.
    fn find(&mut self, key: ObjectKey) -> bool {
        let Some(service) = self.services.get(&key) else { return false };
        let alike = self.alike.get(&key.namespace).into_iter().flatten();
        let oldest = alike
            .filter(|(shape, _)| selects(service, shape))
            .filter_map(|(shape, alike)| Some((alike.first()?, shape)))
            .min_by_key(|(first, _)| *first);
        let now = oldest.map(|(_, shape)| &shape.containers);
        if self.found.get(&key) == now {
            return false;
        }
        match now.cloned() {
            Some(containers) => self.found.insert(key, containers),
            None => self.found.remove(&key),
        };
        true
    }
}

/// A Service without a selector selects nothing: somebody else says what its endpoints are.
fn selects(service: &Service, shape: &Shape) -> bool {
    let selector = &service.selector;
    !selector.is_empty() && selector.iter().all(|(key, value)| shape.labels.get(key) == Some(value))
}
