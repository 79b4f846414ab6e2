//! What the user is told about each load balancer. Computing it is pure; writing it is not, and is elsewhere.
//!
//! [`compute()`] tells of states: it yields the same text as long as nothing changes, so that each thing is said once. [`news()`] tells of
//! what was done, each time that something was.

mod compute;
mod news;
pub mod resources;
mod unlisted;
mod waits;

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Serialize;

use crate::apply::Unfinished;
use crate::model::ResourceId;
use crate::plan::Plan;

pub use compute::{HEALTH_UNKNOWN, compute};
pub use news::{drifted, news};
use resources::Resources;
pub use unlisted::unlisted;
pub use waits::{Wait, Waits};

/// How far the work on the cloud is.
#[derive(Debug, Clone, Copy)]
pub struct Work<'a> {
    /// The newest plan.
    pub plan: &'a Plan,
    /// Whether it is being applied.
    pub activity: Activity,
    /// What of it, or of the one before while it is being applied, was not done.
    pub unfinished: &'a Unfinished,
    /// What is not begun yet, and why, as far as that is worth a word.
    pub waits: &'a Waits,
}

/// Whether a plan is being applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// It is.
    Applying,
    /// It is over, or there was nothing to do.
    Over,
}

/// The health of the backends of each backend service that was asked about. One that is not here is not known yet.
pub type Health = BTreeMap<ResourceId, ServiceHealth>;

/// How many backends of a backend service are well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ServiceHealth {
    /// That the cloud calls HEALTHY.
    pub healthy: usize,
    /// That the cloud speaks of at all.
    pub total: usize,
}

/// What is to be shown for one load balancer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// For `Ingress.status`: the address, once every forwarding rule that should answer there exists. `None`: nothing is written over
    /// what is there already, unless the load balancer is being torn down.
    pub address: Option<IpAddr>,
    /// The annotation `gclb.dev/status`.
    pub summary: Summary,
    /// The annotations of ingress-gce; `None`: whatever is there stays.
    pub resources: Option<Resources>,
    /// What is to be said in Events because of the present state (problems, failures); each is said once until it changes.
    pub events: Vec<Event>,
}

/// The annotation `gclb.dev/status`: short JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// How far it is.
    pub phase: Phase,
    /// One word for why, where it is not simply ready: a problem's reason, or what failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// In a sentence: what is wrong and what to do, or what is being waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Healthy backends of all, where known: `2/3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthy: Option<String>,
}

/// How far a load balancer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Phase {
    /// All of it exists, and backends are healthy.
    Ready,
    /// All of it exists; its backends are not healthy yet, or no longer.
    Unhealthy,
    /// Changes are under way.
    Progressing,
    /// It serves, but a part of its input was not usable.
    Degraded,
    /// Something failed and is tried again.
    Failing,
    /// Its input was refused: it stays as it was.
    Rejected,
    /// It is being torn down.
    Deleting,
}

impl Phase {
    /// The word, as it stands in the annotation, in metrics and in tables.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Unhealthy => "Unhealthy",
            Self::Progressing => "Progressing",
            Self::Degraded => "Degraded",
            Self::Failing => "Failing",
            Self::Rejected => "Rejected",
            Self::Deleting => "Deleting",
        }
    }
}

/// A Kubernetes Event on the load balancer's object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    /// Normal or Warning.
    pub warning: bool,
    /// Its reason: one word of a fixed set.
    pub reason: String,
    /// Its text.
    pub message: String,
}

impl Event {
    /// The longest text that an Event may have (Kubernetes API, `note` of `events.k8s.io/v1`: 1 kB).
    const MESSAGE_LIMIT: usize = 1024;

    /// An Event for what is as it should be.
    #[must_use]
    pub fn normal(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self { warning: false, reason: reason.into(), message: shortened(message.into()) }
    }

    /// An Event for what is not.
    #[must_use]
    pub fn warning(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self { warning: true, reason: reason.into(), message: shortened(message.into()) }
    }
}

fn shortened(mut text: String) -> String {
    const MARK: &str = "…";
    if text.len() > Event::MESSAGE_LIMIT {
        let mut end = Event::MESSAGE_LIMIT - MARK.len();
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str(MARK);
    }
    text
}

/// With a capital letter first.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
