//! The graph itself: nodes by identity, and references that only it can make.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    Address, BackendService, Firewall, ForwardingRule, HealthCheck, InstanceGroup, Kind, Mark,
    NetworkEndpointGroup, ResourceId, ResourceName, Scope, SslCertificate, TargetHttpProxy, TargetHttpsProxy,
    UrlMap,
};

/// A reference to a resource of kind `K`. Only a [`Graph`] makes one, so it can neither dangle within the graph
/// that made it nor point at the wrong kind.
pub struct Ref<K> {
    id: ResourceId,
    kind: PhantomData<fn() -> K>,
}

impl<K> Ref<K> {
    /// What it points at.
    #[must_use]
    pub const fn id(&self) -> &ResourceId {
        &self.id
    }

    /// The name of what it points at.
    #[must_use]
    pub const fn name(&self) -> &ResourceName {
        &self.id.name
    }
}

// By hand, since a derive would ask the same of `K`.
impl<K> Clone for Ref<K> {
    fn clone(&self) -> Self {
        Self { id: self.id.clone(), kind: PhantomData }
    }
}
impl<K> PartialEq for Ref<K> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}
impl<K> Eq for Ref<K> {}
impl<K> PartialOrd for Ref<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Ref<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.id.cmp(&other.id)
    }
}
impl<K> Hash for Ref<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}
/// As the path of what it points at. Only an observation that was saved is read back, and there the graph is the cloud's, not ours:
/// what it points at need not be in it.
impl<K> Serialize for Ref<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.id.serialize(serializer)
    }
}
impl<'de, K: Resource> Deserialize<'de> for Ref<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = ResourceId::deserialize(deserializer)?;
        if id.kind == K::KIND {
            Ok(Self { id, kind: PhantomData })
        } else {
            Err(D::Error::custom(format!("{id} is not of the kind that is pointed at here, {}", K::KIND)))
        }
    }
}
impl<K> fmt::Debug for Ref<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ref({})", self.id)
    }
}

/// A type that can be a node of the graph.
pub trait Resource: Sized {
    /// Its kind.
    const KIND: Kind;
    /// Wraps it.
    fn into_node(self) -> Node;
    /// Unwraps it, where the node is of this kind.
    fn from_node(node: &Node) -> Option<&Self>;
    /// Everything it points at.
    fn references(&self) -> Vec<&ResourceId>;
}

macro_rules! nodes {
    ($($kind:ident),+ $(,)?) => {
        /// One resource, of any kind.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub enum Node {
            $(#[doc = concat!("See [`", stringify!($kind), "`].")] $kind($kind),)+
        }

        impl Node {
            /// Its kind.
            #[must_use]
            pub const fn kind(&self) -> Kind {
                match self { $(Self::$kind(_) => Kind::$kind,)+ }
            }

            /// Everything it points at.
            #[must_use]
            pub fn references(&self) -> Vec<&ResourceId> {
                match self { $(Self::$kind(node) => Resource::references(node),)+ }
            }
        }

        $(impl Resource for $kind {
            const KIND: Kind = Kind::$kind;
            fn into_node(self) -> Node { Node::$kind(self) }
            fn from_node(node: &Node) -> Option<&Self> {
                match node { Node::$kind(node) => Some(node), _ => None }
            }
            fn references(&self) -> Vec<&ResourceId> { self.points_at() }
        })+
    };
}

nodes!(
    Firewall,
    InstanceGroup,
    NetworkEndpointGroup,
    HealthCheck,
    BackendService,
    UrlMap,
    SslCertificate,
    TargetHttpProxy,
    TargetHttpsProxy,
    Address,
    ForwardingRule,
);

/// A node together with its ownership mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Whose it is and what it is for.
    pub mark: Mark,
    /// What it is.
    pub node: Node,
}

/// Two different resources were given one identity. In a desired graph that is a defect of ours; in an observed one it cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("two different resources are both called {id}")]
pub struct Conflict {
    /// The identity that both have.
    pub id: ResourceId,
}

/// Resources by identity. A node may be shared: adding an equal one again is adding nothing.
///
/// Graphs share what is the same in them: a copy of a graph copies no node, and a graph that is drawn beside another
/// ([`add_beside`](Self::add_beside)) takes that one's nodes for those that turn out equal.
///
/// Besides its nodes a graph knows *foreign* resources: things that exist and may be pointed at, but that are nobody's to change here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    entries: BTreeMap<ResourceId, Arc<Entry>>,
    foreign: BTreeSet<ResourceId>,
}

impl Graph {
    /// Adds a node and returns the reference to it.
    ///
    /// # Errors
    /// [`Conflict`] if another node, not equal to this one, has the same identity.
    pub fn add<K: Resource>(
        &mut self,
        scope: Scope,
        name: ResourceName,
        mark: Mark,
        resource: K,
    ) -> Result<Ref<K>, Conflict> {
        self.add_beside(&Self::default(), scope, name, mark, resource)
    }

    /// The same, for a graph of which most is expected to be as in another one: a node that is equal there is shared, and kept once.
    ///
    /// # Errors
    /// [`Conflict`] if another node of this graph, not equal to this one, has the same identity.
    pub fn add_beside<K: Resource>(
        &mut self,
        other: &Self,
        scope: Scope,
        name: ResourceName,
        mark: Mark,
        resource: K,
    ) -> Result<Ref<K>, Conflict> {
        let id = ResourceId { kind: K::KIND, scope, name };
        let entry = Entry { mark, node: resource.into_node() };
        match self.entries.get(&id) {
            Some(present) if **present != entry => return Err(Conflict { id }),
            Some(_) => {}
            None => {
                let (id, entry) = match other.entries.get_key_value(&id) {
                    Some((id, known)) if **known == entry => (id.clone(), Arc::clone(known)),
                    _ => (id.clone(), Arc::new(entry)),
                };
                self.entries.insert(id, entry);
            }
        }
        Ok(Ref { id, kind: PhantomData })
    }

    /// Changes a node that is already there, such as an instance group that gains a named port with each Service.
    /// `None` where there is no such node.
    pub fn change<K: Resource + Clone>(&mut self, at: &Ref<K>, edit: impl FnOnce(&mut K)) -> Option<()> {
        let entry = self.entries.get_mut(&at.id)?;
        let mut resource = K::from_node(&entry.node)?.clone();
        edit(&mut resource);
        Arc::make_mut(entry).node = resource.into_node();
        Some(())
    }

    /// The reference to a node that is already there.
    #[must_use]
    pub fn reference<K: Resource>(&self, scope: &Scope, name: &ResourceName) -> Option<Ref<K>> {
        let id = ResourceId { kind: K::KIND, scope: scope.clone(), name: name.clone() };
        self.entries.contains_key(&id).then_some(Ref { id, kind: PhantomData })
    }

    /// The reference to something that exists but is not in this graph's care.
    pub fn foreign<K: Resource>(&mut self, scope: Scope, name: ResourceName) -> Ref<K> {
        let id = ResourceId { kind: K::KIND, scope, name };
        if !self.entries.contains_key(&id) {
            self.foreign.insert(id.clone());
        }
        Ref { id, kind: PhantomData }
    }

    /// What a reference points at; `None` for a foreign resource.
    #[must_use]
    pub fn get<K: Resource>(&self, at: &Ref<K>) -> Option<&K> {
        K::from_node(&self.entries.get(&at.id)?.node)
    }

    /// The entry of that identity.
    #[must_use]
    pub fn entry(&self, id: &ResourceId) -> Option<&Entry> {
        self.entries.get(id).map(|entry| &**entry)
    }

    /// Whether the graph holds a node of that identity (foreign ones do not count).
    #[must_use]
    pub fn contains(&self, id: &ResourceId) -> bool {
        self.entries.contains_key(id)
    }

    /// Whether it is known to exist without being in this graph's care.
    #[must_use]
    pub fn is_foreign(&self, id: &ResourceId) -> bool {
        self.foreign.contains(id)
    }

    /// Every node, by identity. A node that two graphs share is the same object in both, so that it need not be looked into to be
    /// found equal.
    pub fn entries(&self) -> impl Iterator<Item = (&ResourceId, &Entry)> {
        self.entries.iter().map(|(id, entry)| (id, &**entry))
    }

    /// Every node of one kind with its identity and mark.
    pub fn of<K: Resource + 'static>(&self) -> impl Iterator<Item = (&ResourceId, &Mark, &K)> {
        self.entries
            .range(ResourceId::before_all_of(K::KIND)..)
            .take_while(|(id, _)| id.kind == K::KIND)
            .filter_map(|(id, entry)| K::from_node(&entry.node).map(|node| (id, &entry.mark, node)))
    }

    /// How many nodes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no node.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Takes a node out, as the cloud does when it is deleted. References to it turn foreign.
    pub fn remove(&mut self, id: &ResourceId) -> Option<Entry> {
        self.entries.remove(id).map(Arc::unwrap_or_clone)
    }

    /// The same, but only with nodes of those kinds.
    #[must_use]
    pub fn only(&self, kinds: &[Kind]) -> Self {
        let of_them = |(id, _): &(&ResourceId, &Arc<Entry>)| kinds.contains(&id.kind);
        let entries = self.entries.iter().filter(of_them);
        Self {
            entries: entries.map(|(id, entry)| (id.clone(), Arc::clone(entry))).collect(),
            foreign: BTreeSet::new(),
        }
    }

    /// Puts a node in, or another in its place: the write-through of a change that the cloud has made.
    pub fn put(&mut self, id: ResourceId, entry: Entry) {
        debug_assert_eq!(id.kind, entry.node.kind());
        self.foreign.remove(&id);
        self.entries.insert(id, Arc::new(entry));
    }

    /// Everything that can be reached from `start` by following references, `start` included where it is a node.
    #[must_use]
    pub fn closure<'a>(&self, start: impl IntoIterator<Item = &'a ResourceId>) -> BTreeSet<ResourceId> {
        let mut seen = BTreeSet::new();
        let mut todo: Vec<&ResourceId> = start.into_iter().collect();
        while let Some(id) = todo.pop() {
            let Some(entry) = self.entries.get(id) else { continue };
            if seen.insert(id.clone()) {
                todo.extend(entry.node.references());
            }
        }
        seen
    }
}
