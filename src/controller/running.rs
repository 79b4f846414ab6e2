//! The plan that is running, for those who ask `/debug/plan`: what is under way, what waits and for what, and what could not be planned.
//!
//! It is read from the [executor](crate::apply::Executor) when somebody asks; nothing is kept for it. It shows what the plan itself shows: names,
//! addresses and public certificates, never keys or tokens.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use serde::Serialize;
use tokio::time::Instant;

use crate::apply::{Executor, Priority, Stage, Task};
use crate::cloud::{Cloud, KeyPairs};
use crate::model::Holder;
use crate::plan::Blocked;
use crate::plan::json::{
    BlockedDocument, Call, FieldDocument, ResourceDocument, blocked_document, call, resource,
};

/// Goes up when a field changes its meaning or goes away.
pub const SCHEMA_VERSION: u32 = 1;

/// Which form it is; `docs/running.schema.json` describes it.
pub const SCHEMA: &str = "gclb.dev/running/v1";

/// So many changes are shown where nothing else is asked for. A plan can have tens of thousands.
pub const USUAL_LIMIT: usize = 500;

const UNDER_WAY: &str = "under_way";

/// What has changes in hand.
trait InHand: Send + Sync {
    fn progress(&self) -> (Vec<Task>, Vec<Blocked>);
}

impl<C: Cloud, K: KeyPairs + 'static> InHand for Executor<C, K> {
    fn progress(&self) -> (Vec<Task>, Vec<Blocked>) {
        Self::progress(self)
    }
}

/// Where those who ask find the executor of the present term, if there is one.
#[derive(Default)]
pub struct Running(RwLock<Option<Arc<dyn InHand>>>);

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Running").finish_non_exhaustive()
    }
}

/// Shows an executor until it is dropped.
#[derive(Debug)]
pub(super) struct Shown(Arc<Running>);

impl Drop for Shown {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

/// Of what is in hand, what is asked for.
#[derive(Debug, Clone)]
pub struct Question {
    /// So many changes at most.
    pub limit: usize,
    /// Only those for this one: `ingress/NAMESPACE/NAME`, `service/NAMESPACE/NAME:PORT`, as the answer names them.
    pub holder: Option<String>,
}

impl Running {
    /// Shows this one from now on.
    pub(super) fn show<C: Cloud, K: KeyPairs + 'static>(
        self: &Arc<Self>,
        executor: Arc<Executor<C, K>>,
    ) -> Shown {
        self.set(Some(executor));
        Shown(Arc::clone(self))
    }

    fn set(&self, in_hand: Option<Arc<dyn InHand>>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = in_hand;
    }

    /// What is in hand now. `None` where this process does not lead, so that nothing can be.
    #[must_use]
    pub fn document(&self, question: &Question) -> Option<Document> {
        let in_hand = self.0.read().unwrap_or_else(PoisonError::into_inner).clone()?;
        let (tasks, blocked) = in_hand.progress();
        Some(Document::of(tasks, &blocked, question, Instant::now()))
    }
}

/// The plan that is running, for programs to read.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// How many changes there are, by the word of how far they are; also those that are not shown.
    pub summary: BTreeMap<&'static str, usize>,
    /// First what is under way, the longest first; then what waits, in the plan's order.
    pub changes: Vec<RunningDocument>,
    /// How many more there are of what was asked for.
    pub omitted: usize,
    /// What is needed and could not be planned.
    pub blocked: Vec<BlockedDocument>,
}

/// One change that is under way or to be done.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunningDocument {
    /// Of which resource. Its `holder` is empty for an operation that was found running at the start.
    pub resource: ResourceDocument,
    /// The method of the Compute API; absent for an operation that was found running at the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<&'static str>,
    /// Which fields change.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldDocument>,
    /// Members that join or leave.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
    /// Why, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How soon it is wanted: `members`, `create`, `update`, `delete`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<&'static str>,
    /// How far it is.
    pub state: StateDocument,
}

/// How far a change is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StateDocument {
    /// `under_way`, or what it waits for: `turn`, `quota`, `same_resource`, `dependency`, `not_ready`, `healthy`, `setback`, `next_plan`. The
    /// metric `gclb_changes_waiting` uses the same words.
    pub word: &'static str,
    /// For how many seconds it has been so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub for_seconds: Option<f64>,
    /// In how many seconds it goes on, as far as is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about_seconds: Option<f64>,
    /// The resource that it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub behind: Option<String>,
    /// The group of calls whose quota it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<String>,
    /// What is waited for, or how it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl Document {
    fn of(tasks: Vec<Task>, blocked: &[Blocked], question: &Question, now: Instant) -> Self {
        let mut summary = BTreeMap::new();
        for task in &tasks {
            *summary.entry(task.stage.word()).or_default() += 1;
        }
        let asked = |holder: Option<&Holder>| match (&question.holder, holder) {
            (None, _) => true,
            (Some(asked), Some(holder)) => *asked == holder.to_string(),
            (Some(_), None) => false,
        };
        let mut of_question: Vec<Task> = tasks;
        of_question.retain(|task| asked(task.change.as_ref().map(|change| &change.mark.holder)));
        let omitted = of_question.len().saturating_sub(question.limit);
        let shown = of_question.into_iter().take(question.limit);
        let blocked = blocked.iter().filter(|blocked| asked(Some(&blocked.holder)));
        Self {
            schema: SCHEMA,
            schema_version: SCHEMA_VERSION,
            summary,
            changes: shown.map(|task| RunningDocument::of(&task, now)).collect(),
            omitted,
            blocked: blocked.take(question.limit).map(blocked_document).collect(),
        }
    }
}

impl RunningDocument {
    fn of(task: &Task, now: Instant) -> Self {
        let Task { id, change, stage } = task;
        let state = StateDocument::of(stage, now);
        match change {
            Some(change) => {
                let Call { method, fields, members } = call(&change.action);
                Self {
                    resource: resource(id, &change.mark.holder),
                    method: Some(method),
                    fields,
                    members,
                    reason: Some(change.reason.clone()),
                    priority: Some(Priority::of(&change.action).word()),
                    state,
                }
            }
            None => Self {
                resource: ResourceDocument {
                    kind: id.kind.collection(),
                    scope: id.scope.to_string(),
                    name: id.name.to_string(),
                    holder: String::new(),
                },
                method: None,
                fields: Vec::new(),
                members: Vec::new(),
                reason: None,
                priority: None,
                state,
            },
        }
    }
}

impl StateDocument {
    fn of(stage: &Stage, now: Instant) -> Self {
        let tenths = |duration: std::time::Duration| (duration.as_secs_f64() * 10.0).round() / 10.0;
        let passed = |since: &Instant| Some(tenths(now.saturating_duration_since(*since)));
        let left = |until: &Instant| Some(tenths(until.saturating_duration_since(now)));
        let bare = Self {
            word: stage.word(),
            for_seconds: None,
            about_seconds: None,
            behind: None,
            quota: None,
            message: None,
        };
        match stage {
            Stage::UnderWay { since } | Stage::Ready { since } | Stage::Busy { since } => {
                Self { for_seconds: passed(since), ..bare }
            }
            Stage::Quota { since, group, until } => Self {
                for_seconds: passed(since),
                about_seconds: until.as_ref().and_then(left),
                quota: Some(group.to_string()),
                ..bare
            },
            Stage::After(behind) | Stage::Undecided { behind } => {
                Self { behind: Some(behind.to_string()), ..bare }
            }
            Stage::NotReady { until } => Self { about_seconds: left(until), ..bare },
            Stage::NotYet { message, until } => {
                Self { about_seconds: left(until), message: Some(message.clone()), ..bare }
            }
            Stage::SetBack { until, failure } => {
                Self { about_seconds: left(until), message: Some(failure.message.clone()), ..bare }
            }
            Stage::Failed(failure) => Self { message: Some(failure.message.clone()), ..bare },
        }
    }
}

/// In words, for people.
impl fmt::Display for StateDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let behind = self.behind.as_deref().unwrap_or("something else");
        match self.word {
            UNDER_WAY => f.write_str("under way")?,
            "turn" => f.write_str("waits for its turn")?,
            "quota" => write!(f, "waits for the quota of {}", self.quota.as_deref().unwrap_or("its calls"))?,
            "same_resource" => f.write_str("waits for another change of the same resource")?,
            "dependency" => write!(f, "waits for {behind}")?,
            "not_ready" => f.write_str("the cloud was not ready for it")?,
            "healthy" => f.write_str(self.message.as_deref().unwrap_or("waits for its backends"))?,
            "setback" => write!(f, "failed: {}", self.message.as_deref().unwrap_or("no reason is known"))?,
            "next_plan" => write!(f, "waits for the next plan, which knows how {behind} ended")?,
            other => f.write_str(other)?,
        }
        if let Some(passed) = self.for_seconds {
            write!(f, ", for {passed:.1} s")?;
        }
        match (self.about_seconds, self.word) {
            (None, _) => Ok(()),
            (Some(left), "quota") => write!(f, ", about {left:.0} s more"),
            (Some(left), _) => write!(f, "; again in {left:.0} s"),
        }
    }
}

/// As text, for people: a paragraph each.
impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: usize = self.summary.values().sum();
        if all == 0 && self.blocked.is_empty() {
            return f.write_str("Nothing is in hand: the cloud is as the newest plan wants it.\n");
        }
        write!(f, "In hand: {all}")?;
        if let Some(count) = self.summary.get(UNDER_WAY) {
            write!(f, "; under way: {count}")?;
        }
        let waiting = self.summary.iter().filter(|(word, _)| **word != UNDER_WAY);
        let waiting: Vec<String> =
            waiting.map(|(word, count)| format!("{} {count}", word.replace('_', " "))).collect();
        if !waiting.is_empty() {
            write!(f, "; waiting for: {}", waiting.join(", "))?;
        }
        if !self.blocked.is_empty() {
            write!(f, "; could not be planned: {}", self.blocked.len())?;
        }
        f.write_str("\n")?;
        for change in &self.changes {
            let RunningDocument { resource, method, fields, members, reason, priority: _, state } = change;
            let ResourceDocument { kind, scope, name, holder } = resource;
            let method = method.unwrap_or("an operation that was running at the start");
            writeln!(f, "\n{kind} {scope}/{name}: {method}")?;
            writeln!(f, "    {state}")?;
            if let Some(reason) = reason {
                writeln!(f, "    for {holder}: {reason}")?;
            }
            for FieldDocument { name, from, to } in fields.iter().filter(|field| field.from.is_some()) {
                writeln!(f, "    {name}: {} -> {to}", from.as_deref().unwrap_or_default())?;
            }
            if !members.is_empty() {
                writeln!(f, "    {} members", members.len())?;
            }
        }
        for BlockedDocument { resource, reason, consent: _, message } in &self.blocked {
            let ResourceDocument { kind, scope, name, holder } = resource;
            writeln!(f, "\n{kind} {scope}/{name}: not planned ({reason})\n    for {holder}: {message}")?;
        }
        if self.omitted > 0 {
            writeln!(f, "\nand {} more: ask with ?limit= and ?for=ingress/NAMESPACE/NAME", self.omitted)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
