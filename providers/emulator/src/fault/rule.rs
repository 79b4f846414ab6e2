//! When a fault happens: what a rule looks at, and its turn among what it matches.

use super::kind::Fault;
use crate::dice;
use crate::latency::matches;
use crate::span::Span;
use crate::version::Version;
use regex::Regex;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::num::NonZeroU64;
use std::time::Duration;

/// One rule. Whatever it does not name, it does not look at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// What to call it; a number is given where it has no name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// A pattern of method ids: `backendServices.update`, `*.insert`. Both the short form, as here, and Google's, such as
    /// `globalForwardingRules.insert` or `regionUrlMaps.*`, are known.
    #[serde(default = "any", skip_serializing_if = "is_any")]
    pub method: String,
    /// The project's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The name of the resource, or of the operation: a regular expression that must match somewhere in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<NamePattern>,
    /// `v1`, `beta` or `alpha`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Only the nth of what matches, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<NonZeroU64>,
    /// Not the first so many of what matches.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub after: u64,
    /// After this many hits the rule does no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Between 0 and 1; drawn for each that matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// Where drawing begins: the same seed draws the same for the same nth match.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub seed: u64,
    /// Not before this long after the rule was made, by the emulator's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Span>,
    /// Not this long after the rule was made, or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Span>,
    /// What happens.
    pub fault: Fault,
}

/// A regular expression for names.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NamePattern(Regex);

impl TryFrom<String> for NamePattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Regex::new(&text).map(Self).map_err(|error| format!("`{text}` is no regular expression: {error}"))
    }
}

impl From<NamePattern> for String {
    fn from(pattern: NamePattern) -> Self {
        pattern.0.as_str().to_owned()
    }
}

impl PartialEq for NamePattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

/// What a fault may befall.
#[derive(Debug)]
pub(crate) enum Event<'a> {
    /// A call of the API.
    Call(Facts<'a>),
    /// A request that goes to a backend.
    Request(At<'a>),
    /// A probe.
    Probe(At<'a>),
}

/// What rules look at in a call.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    /// The method's id, short: `forwardingRules.insert`.
    pub(crate) method: &'a str,
    /// The same as Google spells it: `globalForwardingRules.insert`.
    pub(crate) google: &'a str,
    pub(crate) project: &'a str,
    /// Of the resource or operation, if the call is about one.
    pub(crate) name: Option<&'a str>,
    pub(crate) version: Version,
    /// Whether it becomes an operation.
    pub(crate) changes: bool,
    /// Whether what it is about is there already: named in the path.
    pub(crate) in_path: bool,
}

/// An endpoint of a backend service.
#[derive(Debug)]
pub(crate) struct At<'a> {
    pub(crate) project: &'a str,
    pub(crate) service: &'a str,
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
}

/// What happens in order: how often a rule has matched, and how often it was its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    pub(super) matched: u64,
    pub(super) hits: u64,
}

impl Rule {
    /// A rule for the methods of a pattern, that hits each time.
    #[must_use]
    pub fn new(method: impl Into<String>, fault: Fault) -> Self {
        Self {
            id: String::new(),
            method: method.into(),
            project: None,
            name: None,
            version: None,
            nth: None,
            after: 0,
            count: None,
            probability: None,
            seed: 0,
            from: None,
            until: None,
            fault,
        }
    }

    /// The same, for so many hits.
    #[must_use]
    pub fn times(self, count: u64) -> Self {
        Self { count: Some(count), ..self }
    }

    /// Whether it is this rule's turn; counts, if it looks at this. `age`: how long there has been the rule.
    pub(super) fn decide(&self, counts: &mut Counts, event: &Event<'_>, age: Duration) -> bool {
        if !self.in_window(age) || !self.fault.befalls(event) || !self.looks_at(event) {
            return false;
        }
        let nth = counts.matched;
        counts.matched += 1;
        let turn = nth >= self.after
            && self.nth.is_none_or(|wanted| wanted.get() == nth + 1)
            && self.count.is_none_or(|count| counts.hits < count)
            && self.probability.is_none_or(|probability| dice::unit(self.seed, nth) < probability);
        counts.hits += u64::from(turn);
        turn
    }

    fn in_window(&self, age: Duration) -> bool {
        self.from.is_none_or(|from| age >= from.0) && self.until.is_none_or(|until| age < until.0)
    }

    fn looks_at(&self, event: &Event<'_>) -> bool {
        let Self { id: _, method, project, name, version, .. } = self;
        let (whose, called) = match event {
            Event::Call(facts) => {
                let right_version =
                    version.as_deref().is_none_or(|version| Version::parse(version) == Some(facts.version));
                if !right_version || !(matches(method, facts.method) || matches(method, facts.google)) {
                    return false;
                }
                (facts.project, facts.name)
            }
            Event::Request(at) | Event::Probe(at) => (at.project, Some(at.service)),
        };
        project.as_deref().is_none_or(|project| project == whose)
            && name.as_ref().is_none_or(|name| called.is_some_and(|called| name.0.is_match(called)))
    }

    /// What is wrong with it, beyond what its types say.
    pub(super) fn problem(&self) -> Option<String> {
        let Self { method, version, probability, from, until, fault, .. } = self;
        if method.is_empty() {
            return Some("an empty method matches nothing; leave it out, or write *".to_owned());
        }
        if let Some(version) = version
            && Version::parse(version).is_none()
        {
            return Some(format!("there is no version `{version}`; write v1, beta or alpha"));
        }
        if let Some(probability) = probability
            && !(0.0..=1.0).contains(probability)
        {
            return Some(format!("a probability is between 0 and 1, not {probability}"));
        }
        if let (Some(from), Some(until)) = (from, until)
            && from >= until
        {
            return Some("`from` must be before `until`".to_owned());
        }
        fault.problem()
    }
}

fn any() -> String {
    "*".to_owned()
}

fn is_any(method: &str) -> bool {
    method == "*"
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}
