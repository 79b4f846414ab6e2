//! Operations: what a mutation answers with, and how it ends.
//!
//! Kept apart from resources: they are never inserted or patched, and they go away by themselves.

use crate::error::OperationError;
use crate::scope::{ResourcePath, Scope};
use crate::state::Touched;
use crate::timestamp;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;
use tokio::sync::watch;

/// How far an operation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    Pending,
    Running,
    /// Also when it failed: then it has an error.
    Done,
}

impl Stage {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Done => "DONE",
        }
    }
}

/// Whether what an operation is for has been done. Whoever goes on with it after a restart does it once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Waiting,
    /// The change is in place, or the operation has an error that says why it never will be.
    Settled,
}

/// Where an operation is found: operations are in the place of what they change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct OperationPath {
    pub(crate) project: String,
    pub(crate) scope: Scope,
    pub(crate) name: String,
}

impl std::fmt::Display for OperationPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { project, scope, name } = self;
        write!(f, "projects/{project}/{scope}/operations/{name}")
    }
}

/// One mutation that was accepted.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) path: OperationPath,
    pub(crate) id: u64,
    /// As clients see it: the verb, with a prefix for some.
    pub(crate) verb: Cow<'static, str>,
    pub(crate) target: ResourcePath,
    pub(crate) target_id: u64,
    pub(crate) user: String,
    pub(crate) request_id: Option<String>,
    pub(crate) inserted: Timestamp,
    pub(crate) started: Option<Timestamp>,
    pub(crate) ended: Option<Timestamp>,
    /// How long it is meant to take.
    pub(crate) latency: Duration,
    /// How much of that it is PENDING.
    pub(crate) pending: Duration,
    pub(crate) warnings: Vec<OperationWarning>,
    pub(crate) visibility: Visibility,
    pub(crate) error: Option<OperationError>,
    pub(crate) outcome: Outcome,
    /// The stage, for those who wait for the end.
    pub(crate) stage: watch::Sender<Stage>,
}

/// Something that somebody should know of an operation that does its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OperationWarning {
    pub(crate) code: String,
    pub(crate) message: String,
}

/// Whether an operation is found by those who look for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visibility {
    Shown,
    /// It goes on, but nobody is told: a fault.
    Lost,
}

impl Operation {
    pub(crate) fn stage(&self) -> Stage {
        *self.stage.borrow()
    }

    /// Percent: 0 until it runs, 100 when it is done, by time in between.
    fn progress(&self, now: Timestamp) -> u64 {
        match (self.stage(), self.started) {
            (Stage::Done, _) => 100,
            (Stage::Pending, _) | (Stage::Running, None) => 0,
            (Stage::Running, Some(started)) => {
                let elapsed = now.duration_since(started).unsigned_abs().as_millis();
                // Where PENDING ended, it stood at its share of the whole.
                let elapsed = elapsed + self.pending.as_millis();
                let share = elapsed * 100 / self.latency.as_millis().max(1);
                u64::try_from(share).unwrap_or(99).min(99)
            }
        }
    }

    /// The body of an operation, with links under `base`.
    pub(crate) fn show(&self, base: &str, now: Timestamp) -> Value {
        let mut body = Map::new();
        let mut set = |name: &str, value: Value| {
            body.insert(name.to_owned(), value);
        };
        set("kind", json!("compute#operation"));
        set("id", json!(self.id.to_string()));
        set("name", json!(self.path.name));
        match &self.path.scope {
            Scope::Zone(zone) => {
                set("zone", json!(format!("{base}projects/{}/zones/{zone}", self.path.project)));
            }
            Scope::Region(region) => {
                set("region", json!(format!("{base}projects/{}/regions/{region}", self.path.project)));
            }
            Scope::Global | Scope::Project => {}
        }
        if let Some(id) = &self.request_id {
            set("clientOperationId", json!(id));
        }
        set("operationType", json!(self.verb));
        set("targetLink", json!(format!("{base}{}", self.target)));
        set("targetId", json!(self.target_id.to_string()));
        set("status", json!(self.stage().name()));
        set("user", json!(self.user));
        set("progress", json!(self.progress(now)));
        set("insertTime", json!(timestamp::show(self.inserted)));
        if let Some(started) = self.started {
            set("startTime", json!(timestamp::show(started)));
        }
        if let Some(ended) = self.ended {
            set("endTime", json!(timestamp::show(ended)));
        }
        if let Some(OperationError { code, status, message }) = &self.error {
            set("error", json!({ "errors": [{ "code": code, "message": message }] }));
            if let Some(status) = status {
                set("httpErrorStatusCode", json!(status.as_u16()));
                let phrase = status.canonical_reason().unwrap_or("ERROR").to_uppercase();
                set("httpErrorMessage", json!(phrase));
            }
        }
        if !self.warnings.is_empty() {
            let warnings = self
                .warnings
                .iter()
                .map(|OperationWarning { code, message }| json!({ "code": code, "message": message }));
            set("warnings", warnings.collect());
        }
        set("selfLink", json!(format!("{base}{}", self.path)));
        Value::Object(body)
    }
}

/// What a request with a `requestId` was, to answer the same request alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replay {
    /// Method and path: another request with the same id is not a replay.
    pub(crate) request: String,
    pub(crate) operation: OperationPath,
}

/// All operations that are still known.
#[derive(Debug, Default)]
pub(crate) struct Operations {
    by_place: BTreeMap<(String, Scope), BTreeMap<String, Operation>>,
    /// By numeric id.
    ids: HashMap<u64, OperationPath>,
    replays: HashMap<(String, String), Replay>,
    /// Those that have ended, oldest first.
    ended: BTreeSet<(Timestamp, OperationPath)>,
    count: usize,
    /// What has changed since somebody last asked.
    touched: BTreeSet<Touched>,
}

impl Operations {
    /// Keeps an operation, and in its place not many more than `most`: the oldest that has ended makes room.
    pub(crate) fn insert(&mut self, operation: Operation, most: usize) {
        self.touched.insert(Touched::Operation(operation.path.clone()));
        let place = (operation.path.project.clone(), operation.path.scope.clone());
        let table = self.by_place.entry(place).or_default();
        if table.len() >= most {
            let oldest = table
                .iter()
                .find(|(_, operation)| operation.stage() == Stage::Done)
                .map(|(name, _)| name.clone());
            if let Some(oldest) = oldest {
                let removed = table.remove(&oldest);
                self.count -= 1;
                self.forget(removed.as_ref());
            }
        }
        let place = (operation.path.project.clone(), operation.path.scope.clone());
        self.ids.insert(operation.id, operation.path.clone());
        if let Some(ended) = operation.ended {
            self.ended.insert((ended, operation.path.clone()));
        }
        self.by_place.entry(place).or_default().insert(operation.path.name.clone(), operation);
        self.count += 1;
    }

    /// Forgets what belongs to an operation that is gone.
    fn forget(&mut self, operation: Option<&Operation>) {
        let Some(operation) = operation else { return };
        self.ids.remove(&operation.id);
        if let Some(ended) = operation.ended {
            self.ended.remove(&(ended, operation.path.clone()));
        }
        self.touched.insert(Touched::Operation(operation.path.clone()));
        if let Some(request_id) = &operation.request_id {
            let key = (operation.path.project.clone(), request_id.clone());
            if self.replays.remove(&key).is_some() {
                self.touched.insert(Touched::Request(key.0, key.1));
            }
        }
    }

    /// Takes down that an operation has ended.
    pub(crate) fn end(&mut self, path: &OperationPath, now: Timestamp) -> Option<&mut Operation> {
        let operation = self.get_mut(path)?;
        operation.ended = Some(now);
        self.ended.insert((now, path.clone()));
        self.get_mut(path)
    }

    /// Forgets operations that ended before a moment.
    pub(crate) fn expire(&mut self, before: Timestamp) {
        while let Some((ended, path)) = self.ended.first().cloned()
            && ended < before
        {
            self.ended.pop_first();
            self.remove(&path);
        }
    }

    /// What has changed since the last call.
    pub(crate) fn take_touched(&mut self) -> BTreeSet<Touched> {
        std::mem::take(&mut self.touched)
    }

    pub(crate) fn get(&self, path: &OperationPath) -> Option<&Operation> {
        self.by_place.get(&(path.project.clone(), path.scope.clone()))?.get(&path.name)
    }

    pub(crate) fn get_mut(&mut self, path: &OperationPath) -> Option<&mut Operation> {
        self.touched.insert(Touched::Operation(path.clone()));
        self.by_place.get_mut(&(path.project.clone(), path.scope.clone()))?.get_mut(&path.name)
    }

    pub(crate) fn remove(&mut self, path: &OperationPath) -> Option<Operation> {
        let removed = self.by_place.get_mut(&(path.project.clone(), path.scope.clone()))?.remove(&path.name);
        self.count -= usize::from(removed.is_some());
        self.forget(removed.as_ref());
        removed
    }

    /// The operations of one place, oldest first: their names begin with the time.
    pub(crate) fn table(&self, project: &str, scope: &Scope) -> impl Iterator<Item = &Operation> {
        self.by_place.get(&(project.to_owned(), scope.clone())).into_iter().flat_map(BTreeMap::values)
    }

    /// When something last happened to an operation.
    pub(crate) fn newest(&self) -> Option<Timestamp> {
        self.all()
            .filter_map(|operation| operation.ended.max(operation.started).max(Some(operation.inserted)))
            .max()
    }

    /// Every operation.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Operation> {
        self.by_place.values().flat_map(BTreeMap::values)
    }

    /// The name of the operation with a numeric id.
    pub(crate) fn name_of(&self, project: &str, scope: &Scope, id: u64) -> Option<String> {
        let path = self.ids.get(&id)?;
        (path.project == project && path.scope == *scope).then(|| path.name.clone())
    }

    pub(crate) fn replay(&self, project: &str, request_id: &str) -> Option<&Replay> {
        self.replays.get(&(project.to_owned(), request_id.to_owned()))
    }

    pub(crate) fn remember(&mut self, project: &str, request_id: &str, replay: Replay) {
        self.touched.insert(Touched::Request(project.to_owned(), request_id.to_owned()));
        self.replays.insert((project.to_owned(), request_id.to_owned()), replay);
    }

    /// Forgets every operation of a project.
    pub(crate) fn forget_project(&mut self, id: &str) {
        self.by_place.retain(|(project, _), _| project != id);
        self.ids.retain(|_, path| path.project != id);
        self.ended.retain(|(_, path)| path.project != id);
        self.replays.retain(|(project, _), _| project != id);
        self.count = self.by_place.values().map(BTreeMap::len).sum();
    }

    /// Every request that may come again: project, request id, and what it was.
    pub(crate) fn replays(&self) -> impl Iterator<Item = (&str, &str, &Replay)> {
        self.replays.iter().map(|((project, id), replay)| (project.as_str(), id.as_str(), replay))
    }
}
