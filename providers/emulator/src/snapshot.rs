//! The whole state as one document: what the state file holds, and what the admin path hands out and takes back.
//!
//! The document has a format and a version, and its reader is strict: a field it does not know, a path that names no
//! collection, a resource of a project that is not there, all are refused with the reason. It holds every secret (private
//! keys, client secrets), because load balancers could not be served again without them.

mod record;

pub(crate) use self::record::Entry;

use self::record::{ChangeRecord, OperationRecord, ProjectRecord, RequestRecord, ResourceRecord, read_path};
use crate::scope::ResourcePath;
use crate::state::{State, Touched};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What the field `format` says.
const FORMAT: &str = "gce-emulator-snapshot";

/// The version this program writes, and the only one it reads.
pub(crate) const VERSION: u32 = 1;

/// Everything that is kept. Keys are paths from `projects/` on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Snapshot {
    format: String,
    version: u32,
    projects: BTreeMap<String, ProjectRecord>,
    resources: BTreeMap<String, ResourceRecord>,
    /// What was accepted and has not ended, by the resource it holds.
    changes: BTreeMap<String, ChangeRecord>,
    operations: BTreeMap<String, OperationRecord>,
    /// Requests that carried a `requestId`: project → id.
    requests: BTreeMap<String, BTreeMap<String, RequestRecord>>,
    /// What is referred to and was not there when the snapshot was taken: somebody deleted it by hand.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    missing: BTreeSet<String>,
}

/// Why a document is not taken.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// It is no JSON, or not of the right shape.
    #[error("reading the snapshot: {0}")]
    Json(#[source] serde_json::Error),
    /// It is some other document.
    #[error(
        "reading the snapshot: 'format' must be \"{FORMAT}\"; take a snapshot with GET /_emulator/snapshot"
    )]
    Format,
    /// It is of another version of the format.
    #[error(
        "reading the snapshot: it is of version {version}, and this program reads version {VERSION}; \
         restore it with the program that wrote it"
    )]
    Version {
        /// The version it says.
        version: u64,
    },
    /// A part of it contradicts the rest, or what this program knows.
    #[error("reading the snapshot: '{what}' does not fit: {why}")]
    Misfit {
        /// Its key.
        what: String,
        /// What is wrong.
        why: String,
    },
}

impl Default for Snapshot {
    fn default() -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            projects: BTreeMap::new(),
            resources: BTreeMap::new(),
            changes: BTreeMap::new(),
            operations: BTreeMap::new(),
            requests: BTreeMap::new(),
            missing: BTreeSet::new(),
        }
    }
}

impl Snapshot {
    /// The state as it stands.
    pub(crate) fn of(state: &State) -> Self {
        let mut snapshot = Self::default();
        for (id, project) in &state.projects {
            snapshot.projects.insert(id.clone(), ProjectRecord::of(project));
        }
        for collection in state.collections() {
            for (path, stored) in state.all(collection) {
                snapshot.resources.insert(path.to_string(), ResourceRecord::of(stored));
            }
        }
        for (path, held) in state.held() {
            snapshot.changes.insert(path.to_string(), ChangeRecord::of(held));
        }
        for operation in state.operations.all() {
            snapshot.operations.insert(operation.path.to_string(), OperationRecord::of(operation));
        }
        for (project, id, replay) in state.operations.replays() {
            let requests = snapshot.requests.entry(project.to_owned()).or_default();
            requests.insert(id.to_owned(), RequestRecord::of(replay));
        }
        snapshot
    }

    /// The same for somebody who may put it back: with what is referred to and is not there.
    pub(crate) fn to_hand_out(state: &State) -> Self {
        let mut snapshot = Self::of(state);
        for collection in state.collections() {
            for (path, stored) in state.all(collection) {
                let targets = crate::state::references(&path, stored).into_iter();
                let missing = targets.filter(|target| state.get(target).is_none());
                snapshot.missing.extend(missing.map(|target| target.to_string()));
            }
        }
        snapshot
    }

    /// Reads a document. Says the version of one that is of another version, whatever else is in it.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let document: Value = serde_json::from_slice(bytes).map_err(SnapshotError::Json)?;
        if document.get("format").and_then(Value::as_str) != Some(FORMAT) {
            return Err(SnapshotError::Format);
        }
        match document.get("version").and_then(Value::as_u64) {
            Some(version) if version != u64::from(VERSION) => Err(SnapshotError::Version { version }),
            _ => serde_json::from_value(document).map_err(SnapshotError::Json),
        }
    }

    /// What a part of the state is now.
    pub(crate) fn entry(state: &State, touched: &Touched) -> Option<Entry> {
        let entry = match touched {
            Touched::Everything => return None,
            Touched::Project(id) => {
                Entry::Project { id: id.clone(), is: state.projects.get(id).map(ProjectRecord::of) }
            }
            Touched::Resource(path) => Entry::Resource {
                path: path.to_string(),
                is: state.get(path).map(|stored| ResourceRecord::of(stored)),
            },
            Touched::Change(path) => {
                Entry::Change { path: path.to_string(), is: state.held_by(path).map(ChangeRecord::of) }
            }
            Touched::Operation(path) => Entry::Operation {
                path: path.to_string(),
                is: state.operations.get(path).map(OperationRecord::of),
            },
            Touched::Request(project, id) => Entry::Request {
                project: project.clone(),
                id: id.clone(),
                is: state.operations.replay(project, id).map(RequestRecord::of),
            },
        };
        Some(entry)
    }

    /// Takes in what a part of the state has become.
    pub(crate) fn apply(&mut self, entry: Entry) {
        fn set<T>(table: &mut BTreeMap<String, T>, key: String, is: Option<T>) {
            match is {
                Some(is) => table.insert(key, is),
                None => table.remove(&key),
            };
        }
        match entry {
            Entry::Project { id, is } => set(&mut self.projects, id, is),
            Entry::Resource { path, is } => set(&mut self.resources, path, is),
            Entry::Change { path, is } => set(&mut self.changes, path, is),
            Entry::Operation { path, is } => set(&mut self.operations, path, is),
            Entry::Request { project, id, is } => {
                let requests = self.requests.entry(project.clone()).or_default();
                set(requests, id, is);
                if requests.is_empty() {
                    self.requests.remove(&project);
                }
            }
        }
    }

    /// Every part, as entries that make the same document.
    pub(crate) fn into_entries(self) -> impl Iterator<Item = Entry> {
        let Self { format: _, version: _, projects, resources, changes, operations, requests, missing: _ } =
            self;
        let projects = projects.into_iter().map(|(id, is)| Entry::Project { id, is: Some(is) });
        let resources = resources.into_iter().map(|(path, is)| Entry::Resource { path, is: Some(is) });
        let changes = changes.into_iter().map(|(path, is)| Entry::Change { path, is: Some(is) });
        let operations = operations.into_iter().map(|(path, is)| Entry::Operation { path, is: Some(is) });
        let requests = requests.into_iter().flat_map(|(project, requests)| {
            requests.into_iter().map(move |(id, is)| Entry::Request {
                project: project.clone(),
                id,
                is: Some(is),
            })
        });
        projects.chain(resources).chain(changes).chain(operations).chain(requests)
    }

    /// The state that the document describes, if somebody could have come to it: whatever a resource refers to is there,
    /// or known to be missing, and no two resources have one id.
    pub(crate) fn into_whole_state(mut self) -> Result<State, SnapshotError> {
        let missing = std::mem::take(&mut self.missing);
        let state = self.into_state()?;
        check_whole(&state, &missing)?;
        Ok(state)
    }

    /// The state that the document describes.
    pub(crate) fn into_state(self) -> Result<State, SnapshotError> {
        let Self { format: _, version: _, projects, resources, changes, operations, requests, missing: _ } =
            self;
        let misfit = |what: &str, why: String| SnapshotError::Misfit { what: what.to_owned(), why };
        let mut state = State::default();
        let mut numbers = HashMap::new();
        for (id, record) in projects {
            if !crate::call::is_project(&id) {
                return Err(misfit(&id, "it is no project id".to_owned()));
            }
            let project = record.into_project();
            if let Some(other) = numbers.insert(project.number, id.clone()) {
                return Err(misfit(&id, format!("'{other}' has the same number")));
            }
            state.add_project(&id, project);
        }
        let known = |project: &str, state: &State| match state.projects.get(project) {
            Some(_) => Ok(()),
            None => Err(format!("there is no project '{project}' under 'projects'")),
        };
        for (text, record) in resources {
            let path = read_path(&text).map_err(|why| misfit(&text, why))?;
            known(&path.project, &state).map_err(|why| misfit(&text, why))?;
            let stored = record.into_stored().map_err(|why| misfit(&text, why))?;
            state.put(&path, stored);
        }
        for (text, record) in changes {
            let path = read_path(&text).map_err(|why| misfit(&text, why))?;
            known(&path.project, &state).map_err(|why| misfit(&text, why))?;
            let held = record.into_held(&path, state.get(&path)).map_err(|why| misfit(&text, why))?;
            state.accept(path, held.change, held.operation);
        }
        for (text, record) in operations {
            let operation = record.into_operation(&text).map_err(|why| misfit(&text, why))?;
            known(&operation.path.project, &state).map_err(|why| misfit(&text, why))?;
            state.operations.insert(operation, usize::MAX);
        }
        for (project, requests) in requests {
            known(&project, &state).map_err(|why| misfit(&project, why))?;
            for (id, record) in requests {
                let replay = record.into_replay().map_err(|why| misfit(&id, why))?;
                state.operations.remember(&project, &id, replay);
            }
        }
        state.take_touched();
        state.serve_all();
        Ok(state)
    }
}

/// Reads a document as far as it can be read without taking it.
pub(crate) fn check(bytes: &[u8]) -> Result<(), SnapshotError> {
    Snapshot::read(bytes)?.into_whole_state().map(drop)
}

fn check_whole(state: &State, missing: &BTreeSet<String>) -> Result<(), SnapshotError> {
    let mut ids: HashMap<u64, ResourcePath> = HashMap::new();
    for collection in state.collections() {
        for (path, stored) in state.all(collection) {
            let misfit = |why| SnapshotError::Misfit { what: path.to_string(), why };
            for target in crate::state::references(&path, stored) {
                if state.get(&target).is_none() && !missing.contains(&target.to_string()) {
                    return Err(misfit(format!(
                        "it refers to '{target}', which is neither in the snapshot nor under 'missing'"
                    )));
                }
            }
            if let Some(other) = ids.insert(stored.id, path.clone()) {
                return Err(misfit(format!("'{other}' has the same id {}", stored.id)));
            }
        }
    }
    Ok(())
}
