//! Everything the emulated cloud holds, in memory.
//!
//! Bodies are canonical JSON: references from `projects/` on, defaults filled in, nothing that can be computed. The state
//! knows no verbs and no rules; it only keeps resources, operations and who refers to whom.

mod history;
mod identities;
mod in_flight;
mod touched;

use crate::draft::Draft;
use crate::operation::{OperationPath, Operations};
use crate::scope::{ResourcePath, Scope};
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

pub(crate) use self::history::History;
pub(crate) use self::identities::Identities;
use self::in_flight::InFlight;
pub(crate) use self::touched::{Touched, Unserved};

/// The resources of one place, by name.
pub(crate) type Table = BTreeMap<String, Arc<Stored>>;

/// A resource as it is kept.
#[derive(Clone)]
pub(crate) struct Stored {
    /// Unique, never reused.
    pub(crate) id: u64,
    pub(crate) created: Timestamp,
    /// Counts the changes of the body; what fingerprints are made from.
    pub(crate) generation: u64,
    body: Value,
    /// What requests bring and answers never show: private keys, client secrets.
    pub(crate) secrets: Map<String, Value>,
    /// Endpoints of a NEG, instances of a group: too many for the body and listed by verbs of their own. By a key that
    /// makes them unique.
    pub(crate) members: BTreeMap<String, Value>,
    /// Resources that are held without a reference in the body (the address of a forwarding rule).
    pub(crate) holds: Vec<ResourcePath>,
    /// Whether it was there before anybody asked.
    pub(crate) origin: Origin,
}

/// Where a resource came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Every project comes with it.
    Project,
    /// A request or the admin path made it.
    Request,
}

/// Never prints secrets.
impl std::fmt::Debug for Stored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stored")
            .field("id", &self.id)
            .field("generation", &self.generation)
            .field("body", &self.body)
            .field("members", &self.members.len())
            .finish_non_exhaustive()
    }
}

impl Stored {
    /// A resource that nobody has changed yet.
    pub(crate) fn new(id: u64, created: Timestamp, body: Map<String, Value>) -> Self {
        Self {
            id,
            created,
            generation: 1,
            body: Value::Object(body),
            secrets: Map::new(),
            members: BTreeMap::new(),
            holds: Vec::new(),
            origin: Origin::Request,
        }
    }

    /// The body; always an object.
    pub(crate) fn body(&self) -> &Value {
        &self.body
    }

    /// The fields of the body.
    pub(crate) fn fields(&self) -> &Map<String, Value> {
        self.body.as_object().expect("a body is made from a map and never replaced by anything else")
    }

    /// The fields of the body, to change.
    pub(crate) fn fields_mut(&mut self) -> &mut Map<String, Value> {
        self.body.as_object_mut().expect("a body is made from a map and never replaced by anything else")
    }

    /// A text field of the body.
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.body.get(field).and_then(Value::as_str)
    }
}

/// A mutation that was accepted and has not ended.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Put(Box<Draft>),
    Delete,
}

/// A change that was accepted, and the operation that holds its resource until it has ended.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) change: Change,
    pub(crate) operation: OperationPath,
}

/// A project that somebody has named.
#[derive(Debug, Clone)]
pub(crate) struct Project {
    pub(crate) number: u64,
    pub(crate) created: Timestamp,
}

/// The whole state. Behind one lock; every method is quick and none waits.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) projects: BTreeMap<String, Project>,
    /// collection → project → place → name.
    tables: BTreeMap<&'static str, BTreeMap<String, BTreeMap<Scope, Table>>>,
    identities: Identities,
    in_flight: InFlight,
    /// Who refers to a resource, as things stand (accepted changes are in `in_flight`).
    referrers: HashMap<ResourcePath, BTreeSet<ResourcePath>>,
    pub(crate) operations: Operations,
    /// Counts the changes that the data plane has to know of.
    pub(crate) version: u64,
    pub(crate) history: History,
    /// What has changed since the data plane last asked.
    unserved: Unserved,
    /// What has changed since somebody last asked: what the state file has to be told.
    touched: BTreeSet<Touched>,
}

impl State {
    /// Makes a project known.
    pub(crate) fn add_project(&mut self, id: &str, project: Project) {
        self.touched.insert(Touched::Project(id.to_owned()));
        self.identities.add_project(project.number, id);
        self.projects.insert(id.to_owned(), project);
    }

    /// Puts another state in the place of this one.
    pub(crate) fn replace(&mut self, by: Self) {
        let version = self.version.max(by.version) + 1;
        // Whether lists lag is a setting, and stays.
        let history = std::mem::take(&mut self.history);
        *self = Self { version, history, unserved: Unserved::Everything, ..by };
        self.touched.insert(Touched::Everything);
    }

    /// Forgets a project and everything in it.
    pub(crate) fn forget_project(&mut self, id: &str) {
        if let Some(project) = self.projects.remove(id) {
            self.identities.forget_project(project.number);
        }
        for tables in self.tables.values_mut().filter_map(|projects| projects.remove(id)) {
            for stored in tables.values().flat_map(BTreeMap::values) {
                self.identities.forget(stored.id);
            }
        }
        self.tables.retain(|_, projects| !projects.is_empty());
        self.in_flight.forget_project(id);
        for users in self.referrers.values_mut() {
            users.retain(|user| user.project != id);
        }
        self.referrers.retain(|_, users| !users.is_empty());
        self.operations.forget_project(id);
        self.unserved = Unserved::Everything;
        self.version += 1;
        self.touched.insert(Touched::Everything);
    }

    /// A resource of another project that refers to something in this one, now or by an accepted change.
    pub(crate) fn outside_user(&self, id: &str) -> Option<(ResourcePath, ResourcePath)> {
        let standing = self.referrers.iter().filter(|(target, _)| target.project == id);
        let standing = standing.flat_map(|(target, users)| users.iter().map(move |user| (user, target)));
        let found = standing
            .filter(|(user, _)| user.project != id)
            .map(|(user, target)| (user.clone(), target.clone()))
            .min();
        found.or_else(|| {
            self.in_flight.iter().filter(|(user, _)| user.project != id).find_map(|(user, held)| match &held
                .change
            {
                Change::Put(draft) => references(user, &draft.next)
                    .into_iter()
                    .find(|target| target.project == id)
                    .map(|target| (user.clone(), target)),
                Change::Delete => None,
            })
        })
    }

    /// Lets the data plane take up everything at once, as what was served before.
    pub(crate) fn serve_all(&mut self) {
        self.unserved = Unserved::Everything;
    }

    /// What has changed since the last call, for the data plane.
    pub(crate) fn take_unserved(&mut self) -> Unserved {
        std::mem::take(&mut self.unserved)
    }

    /// What has changed since the last call.
    pub(crate) fn take_touched(&mut self) -> BTreeSet<Touched> {
        let mut touched = std::mem::take(&mut self.touched);
        touched.append(&mut self.operations.take_touched());
        touched
    }

    /// What stands at a path now.
    pub(crate) fn get(&self, path: &ResourcePath) -> Option<&Arc<Stored>> {
        self.tables.get(path.collection)?.get(&path.project)?.get(&path.scope)?.get(&path.name)
    }

    /// The resources of one place as lists show them, by name: as they stand, or as they stood a while ago.
    pub(crate) fn listed<'a>(
        &'a self,
        collection: &str,
        project: &str,
        scope: &Scope,
    ) -> Box<dyn Iterator<Item = (&'a str, &'a Arc<Stored>)> + 'a> {
        let table = self.table(collection, project, scope).into_iter().flatten();
        let table = table.map(|(name, stored)| (name.as_str(), stored));
        let Some(before) = self.history.before() else { return Box::new(table) };
        let mut listed: BTreeMap<&str, &Arc<Stored>> = table.collect();
        for (path, was) in before {
            if (path.collection, path.project.as_str(), &path.scope) == (collection, project, scope) {
                match was {
                    Some(was) => listed.insert(&path.name, was),
                    None => listed.remove(path.name.as_str()),
                };
            }
        }
        Box::new(listed.into_iter())
    }

    /// The resources of one place.
    pub(crate) fn table(&self, collection: &str, project: &str, scope: &Scope) -> Option<&Table> {
        self.tables.get(collection)?.get(project)?.get(scope)
    }

    /// Every resource of a collection, in every project and place.
    pub(crate) fn all(&self, collection: &'static str) -> impl Iterator<Item = (ResourcePath, &Arc<Stored>)> {
        self.all_that(collection, |_| true)
    }

    /// Those that fit. Cheaper than all of them where few do: paths are made only for those.
    pub(crate) fn all_that(
        &self,
        collection: &'static str,
        fits: impl Fn(&Stored) -> bool,
    ) -> impl Iterator<Item = (ResourcePath, &Arc<Stored>)> {
        let places =
            self.tables.get(collection).into_iter().flatten().flat_map(|(project, scopes)| {
                scopes.iter().map(move |(scope, table)| (project, scope, table))
            });
        places
            .flat_map(|(project, scope, table)| {
                table.iter().map(move |(name, stored)| (project, scope, name, stored))
            })
            .filter(move |(.., stored)| fits(stored))
            .map(move |(project, scope, name, stored)| {
                let path = ResourcePath {
                    project: project.clone(),
                    scope: scope.clone(),
                    collection,
                    name: name.clone(),
                };
                (path, stored)
            })
    }

    /// The collections that hold anything.
    pub(crate) fn collections(&self) -> impl Iterator<Item = &'static str> {
        self.tables.keys().copied()
    }

    /// What numeric ids mean.
    pub(crate) fn identities(&self) -> &Identities {
        &self.identities
    }

    /// The change that holds a resource, if one does.
    pub(crate) fn in_flight(&self, path: &ResourcePath) -> Option<&Change> {
        self.held_by(path).map(|held| &held.change)
    }

    /// The change that holds a resource, with its operation.
    pub(crate) fn held_by(&self, path: &ResourcePath) -> Option<&Held> {
        self.in_flight.get(path)
    }

    /// Every resource that is held.
    pub(crate) fn held(&self) -> impl Iterator<Item = (&ResourcePath, &Held)> {
        self.in_flight.iter()
    }

    /// Every change that was accepted and has not ended.
    pub(crate) fn changes(&self) -> impl Iterator<Item = (&ResourcePath, &Change)> {
        self.in_flight.iter().map(|(path, held)| (path, &held.change))
    }

    /// Changes the drafts of accepted changes in a collection. `change` says whether it changed a draft.
    pub(crate) fn amend(&mut self, collection: &str, change: impl Fn(&mut Draft) -> bool) {
        let amended = self.in_flight.amend(collection, change);
        self.touched.extend(amended.into_iter().map(Touched::Change));
    }

    /// Accepts a change: from now on the resource is held.
    pub(crate) fn accept(&mut self, path: ResourcePath, change: Change, operation: OperationPath) {
        self.touched.insert(Touched::Change(path.clone()));
        self.in_flight.insert(path, Held { change, operation });
    }

    /// Lets go of a resource once its operation has ended. An operation of a state that was replaced meanwhile holds
    /// nothing of the new one.
    pub(crate) fn release(&mut self, path: &ResourcePath, operation: &OperationPath) {
        if self.held_by(path).is_some_and(|held| held.operation == *operation) {
            self.in_flight.remove(path);
            self.touched.insert(Touched::Change(path.clone()));
        }
    }

    /// Puts a resource in place.
    pub(crate) fn put(&mut self, path: &ResourcePath, stored: Stored) {
        self.record(path);
        self.forget_references(path);
        for target in references(path, &stored) {
            self.referrers.entry(target).or_default().insert(path.clone());
        }
        self.identities.add(stored.id, path);
        self.tables
            .entry(path.collection)
            .or_default()
            .entry(path.project.clone())
            .or_default()
            .entry(path.scope.clone())
            .or_default()
            .insert(path.name.clone(), Arc::new(stored));
        self.note(path);
    }

    /// Takes a resource away.
    pub(crate) fn remove(&mut self, path: &ResourcePath) -> Option<Arc<Stored>> {
        self.record(path);
        self.forget_references(path);
        let scopes = self.tables.get_mut(path.collection)?.get_mut(&path.project)?;
        let removed = scopes.get_mut(&path.scope)?.remove(&path.name);
        self.note(path);
        removed
    }

    fn record(&mut self, path: &ResourcePath) {
        let was = self.get(path).cloned();
        self.history.record(path, was.as_ref());
    }

    /// Counts a change, unless nothing that is served can have to do with it: a resource that nobody refers to is served
    /// only if it is where the data plane begins to read.
    fn note(&mut self, path: &ResourcePath) {
        const BEGINNINGS: [&str; 3] = ["forwardingRules", "firewalls", "instances"];
        self.touched.insert(Touched::Resource(path.clone()));
        self.unserved.add(path);
        if BEGINNINGS.contains(&path.collection) || self.referrers(path).next().is_some() {
            self.version += 1;
        }
    }

    fn forget_references(&mut self, path: &ResourcePath) {
        let Some(stored) = self.get(path).cloned() else { return };
        self.identities.forget(stored.id);
        for target in references(path, &stored) {
            if let Some(users) = self.referrers.get_mut(&target) {
                users.remove(path);
                if users.is_empty() {
                    self.referrers.remove(&target);
                }
            }
        }
    }

    /// Who refers to a resource as things stand, in order.
    pub(crate) fn referrers(&self, path: &ResourcePath) -> impl Iterator<Item = &ResourcePath> {
        self.referrers.get(path).into_iter().flatten()
    }

    /// Who refers to a resource, now or by a change that was accepted.
    pub(crate) fn users(&self, path: &ResourcePath) -> BTreeSet<ResourcePath> {
        self.referrers(path).chain(self.in_flight.users(path)).cloned().collect()
    }
}

/// What a resource refers to: in its body, and beyond it.
pub(crate) fn references(path: &ResourcePath, stored: &Stored) -> BTreeSet<ResourcePath> {
    let mut found: BTreeSet<_> = stored.holds.iter().cloned().collect();
    if let Some(resource) = crate::api::find(path.collection) {
        found.extend(
            crate::schema::links(resource.fields, stored.fields()).into_iter().map(|(_, target)| target),
        );
    }
    found
}
