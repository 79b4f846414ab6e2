//! A cloud for tests of what stands before the port: it holds what it is given, answers as it is told to, and remembers what it was
//! asked. It has none of a real cloud's rules; for those there is the emulator.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use tokio::sync::Semaphore;

use super::{Cloud, CloudError, Executed, Found, KeyPairs, Listing, Obstacle, Owned, Reading, Seen, Whose};
use crate::controller::source::{KeyPair, SourceError};
use crate::model::{
    Address, BackendService, CertificateFingerprint, ClusterId, Endpoint, Entry, Facts, ForeignFacts,
    ForeignKind, Holder, Kind, LoadBalancerKey, Mark, Members, Node, ObjectKey, Resource as _, ResourceId,
    ResourceName, Scope, Unlisted,
};
use crate::plan::{Action, Change, members};
use crate::status::ServiceHealth;

/// See the [module](self).
#[derive(Default)]
pub(crate) struct Scripted {
    /// What exists.
    pub(crate) resources: Mutex<BTreeMap<ResourceId, Seen>>,
    /// What is asked, in order: `begin NAME`, `end NAME`, `read NAME`.
    pub(crate) log: Mutex<Vec<String>>,
    /// Errors to answer with before changes of that name are made.
    errors: Mutex<BTreeMap<String, VecDeque<CloudError>>>,
    /// Changes of these names are made only once they are let through.
    held: Mutex<BTreeMap<String, Arc<Semaphore>>>,
    /// Operations that are running from before.
    pub(crate) found: Mutex<Vec<Found>>,
    /// What exists and is not ours, of whatever kind it is asked for.
    pub(crate) foreign: Mutex<BTreeMap<ResourceName, ForeignFacts>>,
    /// How the backends of every service are.
    pub(crate) health: Mutex<ServiceHealth>,
    /// Reading fails while it is set.
    pub(crate) blind: Mutex<bool>,
}

/// Nobody's keys.
pub(crate) struct NoKeys;

impl KeyPairs for NoKeys {
    async fn key_pair(&self, secret: &ObjectKey, _: &CertificateFingerprint) -> Result<KeyPair, SourceError> {
        Err(SourceError::Changed { doing: "read", object: secret.to_string() })
    }
}

impl Scripted {
    /// The next change of that name is answered so; after several such, they come in turn.
    pub(crate) fn fail(&self, name: &str, error: CloudError) {
        self.errors.lock().unwrap().entry(name.to_owned()).or_default().push_back(error);
    }

    /// Changes of that name stay under way until [`release`](Self::release).
    pub(crate) fn hold(&self, name: &str) {
        self.held.lock().unwrap().insert(name.to_owned(), Arc::new(Semaphore::new(0)));
    }

    /// One change of that name ends.
    pub(crate) fn release(&self, name: &str) {
        self.held.lock().unwrap()[name].add_permits(1);
    }

    pub(crate) fn note(&self, what: &str, name: &ResourceName) {
        self.log.lock().unwrap().push(format!("{what} {name}"));
    }

    /// Everything asked so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    fn blind(&self, what: &str) -> Result<(), CloudError> {
        if *self.blind.lock().unwrap() { Err(transient(what)) } else { Ok(()) }
    }
}

impl Cloud for Scripted {
    async fn list(&self, kind: Kind) -> Result<Listing, CloudError> {
        self.blind(kind.collection())?;
        let resources = self.resources.lock().unwrap();
        let seen = resources.values().filter(|seen| seen.id.kind == kind).cloned().map(as_listed).collect();
        Ok(Listing { seen, unknown: [].into() })
    }

    async fn endpoints(&self, id: &ResourceId) -> Result<Option<BTreeSet<Endpoint>>, CloudError> {
        self.note("endpoints", &id.name);
        self.blind(id.name.as_str())?;
        Ok(self.resources.lock().unwrap().get(id).and_then(|seen| match &seen.whose {
            Whose::Ours(owned) => match &owned.entry.node {
                Node::NetworkEndpointGroup(group) => group.members.known().cloned(),
                _ => None,
            },
            Whose::Foreign => None,
        }))
    }

    async fn look_up(
        &self,
        kind: ForeignKind,
        _: &Scope,
        names: &BTreeSet<ResourceName>,
    ) -> Result<BTreeMap<ResourceName, ForeignFacts>, CloudError> {
        for name in names {
            self.note("look up", name);
        }
        self.blind(kind.collection())?;
        let foreign = self.foreign.lock().unwrap();
        Ok(names.iter().filter_map(|name| Some((name.clone(), foreign.get(name)?.clone()))).collect())
    }

    async fn read(&self, id: &ResourceId) -> Result<Reading, CloudError> {
        self.note("read", &id.name);
        self.blind(id.name.as_str())?;
        Ok(self.resources.lock().unwrap().get(id).cloned().map_or(Reading::Absent, Reading::Present))
    }

    async fn execute(&self, change: &Change, _: &impl KeyPairs) -> Result<Executed, CloudError> {
        let name = &change.id.name;
        self.note("begin", name);
        let held = self.held.lock().unwrap().get(name.as_str()).cloned();
        if let Some(held) = held {
            held.acquire().await.unwrap().forget();
        }
        // So that several that could run at the same time do.
        tokio::task::yield_now().await;
        self.note("end", name);
        let error = self.errors.lock().unwrap().get_mut(name.as_str()).and_then(VecDeque::pop_front);
        if let Some(error) = error {
            return Err(error);
        }
        let mut resources = self.resources.lock().unwrap();
        match &change.action {
            Action::Create(node) | Action::Update { to: node, .. } => {
                let entry = Entry { mark: change.mark.clone(), node: node.clone() };
                let seen = seen(&change.id, entry, Facts::default());
                resources.insert(change.id.clone(), seen.clone());
                Ok(Executed::Present(seen))
            }
            Action::Delete => {
                resources.remove(&change.id);
                Ok(Executed::Gone)
            }
            Action::AttachEndpoints(_) | Action::DetachEndpoints(_) => {
                if let Some(Seen { whose: Whose::Ours(owned), .. }) = resources.get_mut(&change.id)
                    && let Node::NetworkEndpointGroup(group) = &mut owned.entry.node
                {
                    match &change.action {
                        Action::AttachEndpoints(joining) => members::attach(&mut group.members, joining),
                        Action::DetachEndpoints(leaving) => members::detach(&mut group.members, leaving),
                        _ => unreachable!(),
                    }
                }
                Ok(Executed::Members)
            }
            Action::AddInstances(_) | Action::RemoveInstances(_) | Action::AwaitHealthy { .. } => {
                Ok(Executed::Members)
            }
        }
    }

    async fn under_way(&self) -> Result<Vec<Found>, CloudError> {
        self.blind("operations")?;
        Ok(self.found.lock().unwrap().clone())
    }

    async fn see_out(&self, found: &Found) -> Result<(), CloudError> {
        self.note("see out", &found.id.name);
        let held = self.held.lock().unwrap().get(found.id.name.as_str()).cloned();
        if let Some(held) = held {
            held.acquire().await.unwrap().forget();
        }
        Ok(())
    }

    async fn health(&self, id: &ResourceId, _: &BackendService) -> Result<ServiceHealth, CloudError> {
        self.note("health", &id.name);
        Ok(*self.health.lock().unwrap())
    }

    async fn preflight(&self, _: &str, _: &str) -> Result<Vec<Obstacle>, CloudError> {
        Ok(Vec::new())
    }
}

/// Lists say how many members a group of endpoints has, not who.
fn as_listed(mut seen: Seen) -> Seen {
    if let Whose::Ours(owned) = &mut seen.whose
        && let Node::NetworkEndpointGroup(group) = &mut owned.entry.node
        && group.members.count() != Some(0)
    {
        group.members = Members::Unlisted(Unlisted { size: group.members.count(), believed: None });
    }
    seen
}

pub(crate) fn mark() -> Mark {
    Mark {
        cluster: ClusterId::new("0a1b2c3d").unwrap(),
        holder: Holder::LoadBalancer(LoadBalancerKey::ingress(ObjectKey::new("default", "test"))),
    }
}

pub(crate) fn id(kind: Kind, name: &str) -> ResourceId {
    ResourceId { kind, scope: Scope::Global, name: ResourceName::new(name).unwrap() }
}

pub(crate) fn seen(id: &ResourceId, entry: Entry, facts: Facts) -> Seen {
    Seen { id: id.clone(), whose: Whose::Ours(Box::new(Owned { entry, facts })) }
}

/// An address of ours of that name.
pub(crate) fn address(name: &str) -> Seen {
    let entry = Entry { mark: mark(), node: Address {}.into_node() };
    seen(&id(Kind::Address, name), entry, Facts::default())
}

pub(crate) fn change(id: ResourceId, action: Action) -> Change {
    Change { id, mark: mark(), action, reason: "new".to_owned(), seen: None }
}

/// The making of an address of that name.
pub(crate) fn create(name: &str) -> Change {
    change(id(Kind::Address, name), Action::Create(Node::Address(Address {})))
}

pub(crate) fn transient(what: &str) -> CloudError {
    CloudError::Transient { doing: "change", what: what.to_owned(), source: "no answer".into() }
}

pub(crate) fn not_ready(what: &str) -> CloudError {
    CloudError::NotReady { doing: "change", what: what.to_owned(), source: "in the middle of it".into() }
}

pub(crate) fn not_as_planned(what: &str) -> CloudError {
    CloudError::NotAsPlanned { doing: "change", what: what.to_owned(), source: "409".into() }
}
