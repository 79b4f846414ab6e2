//! Changes that were accepted and have not ended, and whom they will make refer to what.

use std::collections::{BTreeSet, HashMap};

use super::{Change, Held, references};
use crate::draft::Draft;
use crate::scope::ResourcePath;

/// By the resource that is changed: it has one change at a time.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    held: HashMap<ResourcePath, Held>,
    /// Who will refer to a resource. Kept, since with a thousand changes in flight looking into each of them is most of the work of the
    /// next.
    users: HashMap<ResourcePath, BTreeSet<ResourcePath>>,
}

impl InFlight {
    pub(super) fn get(&self, path: &ResourcePath) -> Option<&Held> {
        self.held.get(path)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&ResourcePath, &Held)> {
        self.held.iter()
    }

    /// Who will refer to a resource.
    pub(super) fn users(&self, path: &ResourcePath) -> impl Iterator<Item = &ResourcePath> {
        self.users.get(path).into_iter().flatten()
    }

    pub(super) fn insert(&mut self, path: ResourcePath, held: Held) {
        self.remove(&path);
        for target in targets(&path, &held.change) {
            self.users.entry(target).or_default().insert(path.clone());
        }
        self.held.insert(path, held);
    }

    pub(super) fn remove(&mut self, path: &ResourcePath) {
        let Some(held) = self.held.remove(path) else { return };
        for target in targets(path, &held.change) {
            if let Some(users) = self.users.get_mut(&target) {
                users.remove(path);
                if users.is_empty() {
                    self.users.remove(&target);
                }
            }
        }
    }

    pub(super) fn forget_project(&mut self, id: &str) {
        let gone: Vec<ResourcePath> = self.held.keys().filter(|path| path.project == id).cloned().collect();
        for path in gone {
            self.remove(&path);
        }
    }

    /// Changes the drafts of a collection, and yields whose. `change` says whether it changed a draft.
    pub(super) fn amend(
        &mut self,
        collection: &str,
        change: impl Fn(&mut Draft) -> bool,
    ) -> Vec<ResourcePath> {
        let paths: Vec<ResourcePath> =
            self.held.keys().filter(|path| path.collection == collection).cloned().collect();
        let mut amended = Vec::new();
        for path in paths {
            let Some(mut held) = self.held.get(&path).cloned() else { continue };
            if let Change::Put(draft) = &mut held.change
                && change(draft)
            {
                self.insert(path.clone(), held);
                amended.push(path);
            }
        }
        amended
    }
}

fn targets(path: &ResourcePath, change: &Change) -> BTreeSet<ResourcePath> {
    match change {
        Change::Put(draft) => references(path, &draft.next),
        Change::Delete => BTreeSet::new(),
    }
}
