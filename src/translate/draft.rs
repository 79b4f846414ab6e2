//! The desired graph while it is being drawn, with everything that load balancers share.

use std::collections::{BTreeMap, BTreeSet};

use crate::load_balancer::{Backend, LoadBalancer};
use crate::model::{
    BackendService, Conflict, Firewall, ForeignId, ForeignStanding, Graph, Holder, Mark, Ref, Resource,
    ResourceName, Scheme, Scope,
};
use crate::snapshot::Snapshot;

use super::service_port::{self, Resolved};
use super::{PodPorts, Unready, backend_service, firewall, instance_group, settings};

/// The desired graph, and what is needed to go on drawing it.
pub(super) struct Draft<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) graph: Graph,
    /// What is shared with `graph` where it is the same.
    beside: &'a Graph,
    /// Every backend that some load balancer names, as it is reached.
    resolved: BTreeMap<Backend, Resolved<'a>>,
    /// And its backend service for load balancers of each scheme that asks for it.
    services: BTreeMap<(Scheme, Backend), Ref<BackendService>>,
    /// `None` where there is no port to open.
    pub(super) firewall: Option<Ref<Firewall>>,
    /// Members of endpoint groups that are not ready.
    pub(super) unready: Unready,
    /// Ports of Services that are reached at their pods.
    pub(super) pod_ports: PodPorts,
    /// Names that two different resources would have had.
    pub(super) conflicts: Vec<Conflict>,
    /// Resources that are not ours and were asked about.
    pub(super) lookups: BTreeSet<ForeignId>,
}

impl<'a> Draft<'a> {
    /// Draws what serves: groups, health checks, backend services and the firewall rule, for all load balancers together.
    pub(super) fn new<'l>(
        snapshot: &'a Snapshot,
        beside: &'a Graph,
        load_balancers: impl Iterator<Item = &'l LoadBalancer>,
    ) -> Self {
        let mut draft = Self {
            snapshot,
            graph: Graph::default(),
            beside,
            resolved: BTreeMap::new(),
            services: BTreeMap::new(),
            firewall: None,
            unready: Unready::new(),
            pod_ports: PodPorts::default(),
            conflicts: Vec::new(),
            lookups: BTreeSet::new(),
        };
        let mut resolved = BTreeMap::new();
        let mut asked = BTreeSet::new();
        for load_balancer in load_balancers {
            for (_, weighted) in load_balancer.backends() {
                let backend = &weighted.backend;
                if asked.insert((load_balancer.scheme, backend)) && !resolved.contains_key(backend) {
                    resolved.insert(backend.clone(), service_port::resolve(snapshot, backend));
                }
            }
        }
        let groups = instance_group::draw_all(&mut draft, resolved.values());
        let asked: Vec<_> = asked
            .into_iter()
            .filter_map(|(scheme, backend)| {
                let resolved = resolved.get(backend)?;
                Some((scheme, backend, resolved, settings::of(snapshot, scheme, resolved)))
            })
            .collect();
        let probed = asked.iter().map(|(_, _, _, settings)| settings.health_check.port);
        draft.firewall = firewall::draw(&mut draft, resolved.values(), probed);
        for (scheme, backend, resolved, settings) in asked {
            let service = backend_service::draw(&mut draft, scheme, resolved, settings, &groups);
            draft.services.insert((scheme, backend.clone()), service);
        }
        draft.resolved = resolved;
        draft
    }

    /// How a backend is reached.
    pub(super) fn reached(&self, backend: &Backend) -> Option<&Resolved<'a>> {
        self.resolved.get(backend)
    }

    /// The backend service of a backend, for load balancers of that scheme.
    pub(super) fn service(&self, scheme: Scheme, backend: &Backend) -> Option<&Ref<BackendService>> {
        self.services.get(&(scheme, backend.clone()))
    }

    /// How a resource that is not ours stands. Whoever asks is told with the next snapshot, if not with this one.
    pub(super) fn look_up(&mut self, id: ForeignId) -> ForeignStanding<'a> {
        let standing = self.snapshot.held.foreign.standing(&id);
        self.lookups.insert(id);
        standing
    }

    /// Puts a resource in.
    ///
    /// Names tell apart all that differs, but for a collision of their hashes. Should one ever occur, the first stays, and the second
    /// is noted.
    pub(super) fn place<K: Resource>(
        &mut self,
        scope: Scope,
        name: ResourceName,
        holder: Holder,
        resource: K,
    ) -> Ref<K> {
        let mark = Mark { cluster: self.snapshot.cluster.id.clone(), holder };
        let added = self.graph.add_beside(self.beside, scope.clone(), name.clone(), mark, resource);
        added.unwrap_or_else(|conflict| {
            self.conflicts.push(conflict);
            self.graph.foreign(scope, name)
        })
    }
}
