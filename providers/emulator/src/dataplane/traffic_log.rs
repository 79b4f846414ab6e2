//! What became of requests to backend services that are logged: what Google writes into its log of requests.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;

use super::endpoint::EndpointKey;
use super::guard::{Spoken, Stand};
use super::program::{Force, NetworkEndpoint, SecurityAction};
use super::resource_id::{BackendServiceId, ForwardingRuleId, GroupId, SecurityPolicyId};

/// A ring of the last entries.
#[derive(Debug)]
pub struct TrafficLog {
    most: usize,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    ring: VecDeque<Entry>,
    next: u64,
}

/// A request, when its answer began.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Counted from 0.
    pub number: u64,
    /// When the answer began.
    pub at: Timestamp,
    /// Where it came in.
    pub forwarding_rule: ForwardingRuleId,
    /// The backend service or bucket it was led to.
    pub backend_service: BackendServiceId,
    /// What was asked, by whom.
    pub asked: Asked,
    /// What was answered.
    pub status: StatusCode,
    /// Who answered, and why.
    pub detail: Detail,
    /// The endpoint that answered; none if the load balancer did.
    pub reached: Option<Reached>,
    /// Until the answer began.
    pub took: Duration,
    /// The rules of security policies that spoke of it, in the order in which they were asked.
    pub said: Vec<Said>,
}

/// What was asked, by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The client.
    pub client: SocketAddr,
    /// The method.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// `HTTP/1.1`, `HTTP/2`.
    pub protocol: String,
    /// `User-Agent`; empty if there was none.
    pub user_agent: String,
}

/// An endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// Its group.
    pub group: GroupId,
    /// As the API knows it.
    pub endpoint: NetworkEndpoint,
}

impl Reached {
    pub(super) fn of(key: &EndpointKey) -> Self {
        let EndpointKey { service: _, group, endpoint } = key;
        Self { group: group.clone(), endpoint: endpoint.clone() }
    }
}

/// Who answered, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// A backend.
    ByBackend,
    /// The load balancer, to a CORS preflight.
    Preflight,
    /// The load balancer, as a fault policy says.
    Aborted,
    /// A security policy.
    DeniedBySecurityPolicy,
    /// A security policy.
    RedirectedBySecurityPolicy,
    /// No endpoint is healthy.
    NoHealthyBackend,
    /// There was no connection to the endpoint.
    Unreachable,
    /// The endpoint broke off.
    BrokenOff,
    /// The time was up.
    BackendTimeout,
}

impl Detail {
    /// As Google spells it, where it has a word for it (`statusDetails`).
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::ByBackend => "response_sent_by_backend",
            Self::Preflight => "cors_preflight",
            Self::Aborted => "fault_filter_abort",
            Self::DeniedBySecurityPolicy => "denied_by_security_policy",
            Self::RedirectedBySecurityPolicy => "redirected_by_security_policy",
            Self::NoHealthyBackend => "failed_to_pick_backend",
            Self::Unreachable => "failed_to_connect_to_backend",
            Self::BrokenOff => "backend_connection_closed_before_data_sent_to_client",
            Self::BackendTimeout => "backend_timeout",
        }
    }
}

/// What a rule of a security policy said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// `edge` or `backend`.
    pub stand: &'static str,
    /// The policy.
    pub policy: SecurityPolicyId,
    /// The rule.
    pub priority: u32,
    /// `ALLOW`, `DENY`, `REDIRECT`.
    pub action: &'static str,
    /// Whether it acted.
    pub force: Force,
}

impl Said {
    pub(super) fn of(spoken: &Spoken<'_>) -> Self {
        let Spoken { stand, policy, rule } = spoken;
        Self {
            stand: match stand {
                Stand::Edge => "edge",
                Stand::Backend => "backend",
            },
            policy: policy.id.clone(),
            priority: rule.priority,
            action: match rule.action {
                SecurityAction::Allow => "ALLOW",
                SecurityAction::Deny(_) => "DENY",
                SecurityAction::Redirect(_) => "REDIRECT",
            },
            force: rule.force,
        }
    }
}

impl TrafficLog {
    /// `most` are kept.
    pub(super) fn new(most: usize) -> Self {
        Self { most, entries: Mutex::default() }
    }

    /// The number of the entry is given here.
    pub(super) fn add(&self, entry: Entry) {
        let mut entries = self.entries();
        let number = entries.next;
        entries.next += 1;
        entries.ring.push_back(Entry { number, ..entry });
        while entries.ring.len() > self.most {
            entries.ring.pop_front();
        }
    }

    /// What is kept, oldest first.
    #[must_use]
    pub fn entries_kept(&self) -> Vec<Entry> {
        self.entries().ring.iter().cloned().collect()
    }

    /// Forgets everything; numbers go on.
    pub fn clear(&self) {
        self.entries().ring.clear();
    }

    /// The lock guards plain data that is valid after every statement, so a panic elsewhere does not matter.
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
