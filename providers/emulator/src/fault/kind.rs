//! Every fault there is.

use super::rule::Event;
use crate::span::Span;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// What goes wrong. Written with the name of the kind around its settings: `{"error": {"status": 503}}`,
/// `{"truncate": {}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Fault {
    /// The rate quota of a group is used up: 403 (as documented) or 429, `rateLimitExceeded`.
    Throttle {
        /// Which of the two.
        #[serde(default)]
        status: ThrottleStatus,
        /// Seconds, for the header `Retry-After`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<u64>,
    },
    /// Any error instead of an answer; nothing is changed.
    Error {
        /// 400 to 599.
        status: u16,
        /// The usual one of the status where none is given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// The usual one of the status where none is given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// Seconds, for the header `Retry-After`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<u64>,
    },
    /// A page of HTML instead of an answer, as from a proxy on the way; nothing is changed.
    Html {
        /// 200 to 599.
        #[serde(default = "bad_gateway")]
        status: u16,
    },
    /// The call is carried out, and the JSON of its answer ends in the middle.
    Truncate {},
    /// The connection is reset (RST).
    Reset {
        /// Whether the call is carried out first.
        when: Moment,
    },
    /// The connection is closed in good order, but without an answer: after the commit, the reply is lost.
    Drop {
        /// Whether the call is carried out first.
        when: Moment,
    },
    /// No answer, until the rule is removed or the emulator stops.
    Hang {
        /// Whether the call is carried out before it hangs, or when the rule is gone.
        when: Moment,
    },
    /// 400 `resourceNotReady` for what the call is about. With `until` or `count` in the rule, for a while.
    NotReady {},
    /// Somebody else changes the resource between the client's reading and its writing: the fingerprint that a change
    /// brings along is stale.
    StaleFingerprint {},
    /// Some places of an aggregated list cannot be reached. With `returnPartialSuccess` the rest is answered, and
    /// `unreachables` names them; without it the call is 503.
    Unreachable {
        /// `global`, `regions/NAME`, `zones/NAME`.
        scopes: Vec<String>,
    },
    /// `wait` answers early, with the operation as it is.
    EarlyWait {
        /// After this long.
        #[serde(default)]
        after: Span,
    },
    /// Slower than usual, by the emulator's clock. What is not given stays as it is.
    Slow {
        /// Until the answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<Span>,
        /// How long the operation is PENDING.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pending: Option<Span>,
        /// How long it is RUNNING.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        running: Option<Span>,
    },
    /// The change is accepted, and its operation ends with an error.
    FailOperation {
        /// Such as `INTERNAL_ERROR`.
        #[serde(default = "internal_error")]
        code: String,
        /// For `httpErrorStatusCode`; the operation has none where none is given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// In words.
        #[serde(default = "internal_error_text")]
        message: String,
        /// How much of the change is made.
        #[serde(default)]
        effect: Effect,
    },
    /// The change is made, and its operation has a warning.
    WarnOperation {
        /// Such as `INJECTED_KERNELS_DEPRECATED`.
        code: String,
        /// In words.
        message: String,
    },
    /// The change is made, but its operation is not found by anybody, from its creation on.
    LoseOperation {},
    /// The operation stays RUNNING until the rule is removed.
    StickOperation {},
    /// What `getHealth` says of endpoints, whatever probes have found. Traffic goes by the probes.
    HealthStatus {
        /// What it says.
        state: ShownHealth,
        /// Only of endpoints with this address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<IpAddr>,
    },
    /// What happens in the data plane. The rule's `project` and `name` are the backend service's, its `method` is not
    /// looked at.
    Backend {
        /// What.
        does: BackendFault,
        /// Only endpoints with this address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<IpAddr>,
        /// Only endpoints with this port.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        port: Option<u16>,
    },
}

/// How the API says that there were too many requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub enum ThrottleStatus {
    /// 403, as documented.
    #[default]
    Forbidden,
    /// 429, as seen.
    TooManyRequests,
}

impl TryFrom<u16> for ThrottleStatus {
    type Error = String;

    fn try_from(status: u16) -> Result<Self, String> {
        match status {
            403 => Ok(Self::Forbidden),
            429 => Ok(Self::TooManyRequests),
            _ => Err(format!("throttling is 403 or 429, not {status}")),
        }
    }
}

impl From<ThrottleStatus> for u16 {
    fn from(status: ThrottleStatus) -> Self {
        match status {
            ThrottleStatus::Forbidden => 403,
            ThrottleStatus::TooManyRequests => 429,
        }
    }
}

/// On which side of the commit: a change is committed when it has its operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Moment {
    /// Nothing is changed.
    BeforeCommit,
    /// The change is accepted, and the client does not learn of it.
    AfterCommit,
}

/// How much a failed operation has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    /// Nothing.
    #[default]
    None,
    /// Every other field and member that the change would change, beginning with the first by name. An insert or a
    /// delete is whole.
    Part,
    /// Everything.
    Whole,
}

/// What an endpoint is shown as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ShownHealth {
    /// It is shown as healthy.
    Healthy,
    /// It is shown as not healthy.
    Unhealthy,
    /// It is shown with a state that says nothing.
    Unknown,
    /// It is not shown.
    Missing,
}

/// What a backend does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BackendFault {
    /// Does not answer a request, until the backend service's time is up.
    Stall,
    /// Breaks the connection off instead of answering a request.
    Reset,
    /// Passes every probe.
    PassProbes,
    /// Fails every probe.
    FailProbes,
}

impl Fault {
    /// Whether this kind can befall what happens. What it cannot befall does not count for the rule.
    pub(super) fn befalls(&self, event: &Event<'_>) -> bool {
        match (self, event) {
            (Self::Backend { does, address, port }, Event::Request(at) | Event::Probe(at)) => {
                let probing = matches!(event, Event::Probe(_));
                let of_probes = matches!(does, BackendFault::PassProbes | BackendFault::FailProbes);
                probing == of_probes
                    && address.is_none_or(|address| address == at.address)
                    && port.is_none_or(|port| port == at.port)
            }
            (Self::Backend { .. }, Event::Call(_)) | (_, Event::Request(_) | Event::Probe(_)) => false,
            (
                Self::FailOperation { .. }
                | Self::WarnOperation { .. }
                | Self::LoseOperation {}
                | Self::StickOperation {},
                Event::Call(facts),
            ) => facts.changes,
            (Self::StaleFingerprint {}, Event::Call(facts)) => facts.changes && facts.in_path,
            (Self::Unreachable { .. }, Event::Call(facts)) => facts.method.ends_with(".aggregatedList"),
            (Self::EarlyWait { .. }, Event::Call(facts)) => facts.method == "operations.wait",
            (Self::HealthStatus { .. }, Event::Call(facts)) => facts.method.ends_with(".getHealth"),
            (
                Self::Throttle { .. }
                | Self::Error { .. }
                | Self::Html { .. }
                | Self::Truncate {}
                | Self::Reset { .. }
                | Self::Drop { .. }
                | Self::Hang { .. }
                | Self::NotReady {}
                | Self::Slow { .. },
                Event::Call(_),
            ) => true,
        }
    }

    /// What is wrong with the settings.
    pub(super) fn problem(&self) -> Option<String> {
        match self {
            Self::Error { status, .. } if !(400..600).contains(status) => {
                Some(format!("an error has a status from 400 to 599, not {status}"))
            }
            Self::Html { status } if !(200..600).contains(status) => {
                Some(format!("an answer has a status from 200 to 599, not {status}"))
            }
            Self::FailOperation { status: Some(status), .. } if !(400..600).contains(status) => {
                Some(format!("a failed operation has a status from 400 to 599, or none, not {status}"))
            }
            Self::Unreachable { scopes } if scopes.is_empty() => {
                Some("name at least one scope that is unreachable, such as zones/us-central1-a".to_owned())
            }
            Self::Unreachable { scopes } => {
                let strange = scopes.iter().find(|scope| !is_scope(scope))?;
                Some(format!("'{strange}' is no scope: write global, regions/NAME or zones/NAME"))
            }
            _ => None,
        }
    }
}

fn is_scope(text: &str) -> bool {
    let name = text.strip_prefix("regions/").or_else(|| text.strip_prefix("zones/"));
    text == "global" || name.is_some_and(|name| !name.is_empty() && !name.contains('/'))
}

fn bad_gateway() -> u16 {
    502
}

fn internal_error() -> String {
    "INTERNAL_ERROR".to_owned()
}

fn internal_error_text() -> String {
    "Internal error. Please try again or contact Google Support.".to_owned()
}
