//! The list of rules in force.

use super::kind::Fault;
use super::rule::{Counts, Event, Rule};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// Every rule, in the order in which they are tried.
#[derive(Debug, Default)]
pub(crate) struct Room {
    standing: Mutex<Standing>,
    /// Whether there is any, for those who ask for every request.
    any: AtomicBool,
}

#[derive(Debug, Default)]
struct Standing {
    rules: Vec<Live>,
    named: u64,
}

#[derive(Debug)]
struct Live {
    rule: Rule,
    made: Timestamp,
    counts: Counts,
    gone: CancellationToken,
}

/// What is to go wrong now.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    /// The rule's.
    pub(crate) id: String,
    pub(crate) fault: Fault,
    /// Cancelled when the rule is removed.
    pub(crate) gone: CancellationToken,
}

/// The name of a rule is taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is a fault rule '{0}' already: delete it first, or choose another id")]
pub struct TakenId(String);

impl Room {
    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing can go wrong.
    pub(crate) fn is_empty(&self) -> bool {
        !self.any.load(Ordering::Relaxed)
    }

    /// The first rule whose turn it is. A rule that is tried counts; those behind the one that hits do not.
    pub(crate) fn decide(&self, event: &Event<'_>, now: Timestamp) -> Option<Verdict> {
        if self.is_empty() {
            return None;
        }
        let mut standing = self.standing();
        let hit = standing.rules.iter_mut().find_map(|live| {
            let age = now.duration_since(live.made).unsigned_abs();
            live.rule.decide(&mut live.counts, event, age).then_some(&*live)
        })?;
        Some(Verdict { id: hit.rule.id.clone(), fault: hit.rule.fault.clone(), gone: hit.gone.clone() })
    }

    /// Puts rules at the end of the list, all or none. Answers with their ids.
    pub(crate) fn add(&self, rules: Vec<Rule>, now: Timestamp) -> Result<Vec<String>, TakenId> {
        self.add_to(&mut self.standing(), rules, now)
    }

    fn add_to(
        &self,
        standing: &mut Standing,
        rules: Vec<Rule>,
        now: Timestamp,
    ) -> Result<Vec<String>, TakenId> {
        let mut ids: Vec<String> = standing.rules.iter().map(|live| live.rule.id.clone()).collect();
        let before = ids.len();
        let mut named = standing.named;
        let mut added = Vec::new();
        for mut rule in rules {
            if rule.id.is_empty() {
                while rule.id.is_empty() || ids.contains(&rule.id) {
                    named += 1;
                    rule.id = named.to_string();
                }
            } else if ids.contains(&rule.id) {
                return Err(TakenId(rule.id));
            }
            ids.push(rule.id.clone());
            added.push(Live { rule, made: now, counts: Counts::default(), gone: CancellationToken::new() });
        }
        standing.named = named;
        standing.rules.append(&mut added);
        self.any.store(!standing.rules.is_empty(), Ordering::Relaxed);
        Ok(ids.split_off(before))
    }

    /// Puts rules in the place of all that there are.
    pub(crate) fn replace(&self, rules: Vec<Rule>, now: Timestamp) -> Result<Vec<String>, TakenId> {
        let mut ids = std::collections::BTreeSet::new();
        if let Some(twice) = rules.iter().find(|rule| !rule.id.is_empty() && !ids.insert(&rule.id)) {
            return Err(TakenId(twice.id.clone()));
        }
        // In one hold of the list: a rule that comes in between could take an id, and the old ones would be gone for nothing.
        let mut standing = self.standing();
        self.clear_all(&mut standing);
        self.add_to(&mut standing, rules, now)
    }

    /// Removes a rule. False: there is none.
    pub(crate) fn remove(&self, id: &str) -> bool {
        let mut standing = self.standing();
        let Some(at) = standing.rules.iter().position(|live| live.rule.id == id) else { return false };
        standing.rules.remove(at).gone.cancel();
        self.any.store(!standing.rules.is_empty(), Ordering::Relaxed);
        true
    }

    /// Removes every rule.
    pub(crate) fn clear(&self) {
        self.clear_all(&mut self.standing());
    }

    fn clear_all(&self, standing: &mut Standing) {
        for live in standing.rules.drain(..) {
            live.gone.cancel();
        }
        self.any.store(false, Ordering::Relaxed);
    }

    /// The list, each with how often it matched and how often it hit.
    pub(crate) fn show(&self) -> Value {
        self.standing().rules.iter().map(Live::show).collect()
    }

    /// One rule.
    pub(crate) fn show_one(&self, id: &str) -> Option<Value> {
        self.standing().rules.iter().find(|live| live.rule.id == id).map(Live::show)
    }
}

impl Live {
    fn show(&self) -> Value {
        let Self { rule, made, counts: Counts { matched, hits }, gone: _ } = self;
        let mut shown = json!(rule);
        shown["made"] = json!(made);
        shown["matched"] = json!(matched);
        shown["hits"] = json!(hits);
        shown
    }
}
