//! What the API says when it says no: at once, in an error body, or later, in a failed operation.
//!
//! Both speak of the same causes with different words (`resourceNotReady` and `RESOURCE_NOT_READY`), and a proxy in
//! front of the API speaks HTML. All are read here, once.

use std::fmt;
use std::time::Duration;

use gce_api::{ErrorBody, OperationErrorDetail};
use http::StatusCode;

use super::Quota;
use crate::Retry;

/// Longer texts that are no error body are cut: they are pages for people.
const MAX_TEXT: usize = 300;

/// Why the API refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// It does not exist, or something that the request refers to does not.
    NotFound,
    /// The name is taken.
    AlreadyExists,
    /// Something else refers to it, or holds the address.
    InUse,
    /// The fingerprint is not the current one.
    StaleFingerprint,
    /// In the middle of a change.
    NotReady,
    /// Too many requests per minute.
    RateLimited,
    /// A quota of resources is used up.
    Quota,
    /// Not permitted.
    Forbidden,
    /// The token is missing, expired or revoked.
    Unauthenticated,
    /// The request is wrong.
    Invalid,
    /// The server failed: 500, 502, 503 or 504.
    Unavailable,
    /// Anything else.
    Other,
}

impl Cause {
    pub(super) fn retry(self) -> Retry {
        match self {
            Self::NotReady => Retry::NotReady,
            Self::RateLimited => Retry::Throttled,
            Self::Unavailable => Retry::Transient,
            Self::NotFound
            | Self::AlreadyExists
            | Self::InUse
            | Self::StaleFingerprint
            | Self::Quota
            | Self::Forbidden
            | Self::Unauthenticated
            | Self::Invalid
            | Self::Other => Retry::Never,
        }
    }

    /// What a person can do about it, where nobody else can.
    fn remedy(self) -> Option<&'static str> {
        match self {
            Self::Quota => Some("raise the quota or delete what is not needed"),
            Self::Forbidden => Some("grant the permission to the account that makes the calls"),
            Self::Unauthenticated => Some("renew the credentials"),
            Self::NotFound
            | Self::AlreadyExists
            | Self::InUse
            | Self::StaleFingerprint
            | Self::NotReady
            | Self::RateLimited
            | Self::Invalid
            | Self::Unavailable
            | Self::Other => None,
        }
    }

    fn of(status: Option<u16>, reason: &str, message: &str) -> Self {
        let by_reason = match reason {
            "notFound" | "RESOURCE_NOT_FOUND" => Some(Self::NotFound),
            "alreadyExists" | "RESOURCE_ALREADY_EXISTS" => Some(Self::AlreadyExists),
            "resourceInUseByAnotherResource"
            | "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE"
            | "IP_IN_USE_BY_ANOTHER_RESOURCE" => Some(Self::InUse),
            "conditionNotMet" | "CONDITION_NOT_MET" => Some(Self::StaleFingerprint),
            "resourceNotReady" | "RESOURCE_NOT_READY" => Some(Self::NotReady),
            "rateLimitExceeded" | "userRateLimitExceeded" | "RATE_LIMIT_EXCEEDED" => Some(Self::RateLimited),
            "quotaExceeded" | "QUOTA_EXCEEDED" => Some(Self::Quota),
            _ => None,
        };
        match (by_reason, status) {
            // Too many requests, whatever quota it calls itself.
            (_, Some(429)) => Self::RateLimited,
            (Some(cause), _) => cause,
            (None, _) if message.contains("being used by") => Self::InUse,
            (None, Some(500 | 502 | 503 | 504)) => Self::Unavailable,
            (None, None) if reason == "INTERNAL_ERROR" => Self::Unavailable,
            (None, Some(400)) => Self::Invalid,
            (None, Some(401)) => Self::Unauthenticated,
            (None, Some(403)) => Self::Forbidden,
            (None, Some(404)) => Self::NotFound,
            (None, Some(409)) => Self::AlreadyExists,
            (None, Some(412)) => Self::StaleFingerprint,
            (None, Some(_) | None) => Self::Other,
        }
    }
}

/// One of the reasons that the API gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    /// The word to decide by: `notFound` in an error body, `RESOURCE_NOT_FOUND` in an operation. May be empty.
    pub code: String,
    /// For people.
    pub message: String,
    /// Details that came with an operation's error.
    pub details: Vec<OperationErrorDetail>,
}

/// The API's no.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The HTTP status. Operations usually name one as well.
    pub status: Option<u16>,
    /// What it comes down to.
    pub cause: Cause,
    /// The API's own words, or the beginning of what came in their place.
    pub message: String,
    /// All reasons. The first decided the cause.
    pub reasons: Vec<Reason>,
    /// How long the server asked us to wait.
    pub retry_after: Option<Duration>,
}

/// What is not permitted, as far as the message says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forbidden<'a> {
    /// The missing permission, e.g. `compute.urlMaps.create`.
    pub permission: Option<&'a str>,
    /// The resource that it is missing on, e.g. `projects/p/global/urlMaps/web`.
    pub resource: Option<&'a str>,
}

impl Refusal {
    /// From an answer that is not 2xx. `body` is `None` where it is not JSON of the API.
    pub(crate) fn of_answer(
        status: StatusCode,
        body: Option<ErrorBody>,
        text: &[u8],
        retry_after: Option<Duration>,
    ) -> Self {
        let (message, mut reasons) = match body {
            Some(ErrorBody { error, .. }) => {
                let reasons: Vec<Reason> = error
                    .errors
                    .unwrap_or_default()
                    .into_iter()
                    .map(|reason| Reason {
                        code: reason.reason.unwrap_or_default(),
                        message: reason.message.unwrap_or_default(),
                        details: Vec::new(),
                    })
                    .collect();
                // Newer front ends put the word into a typed detail and leave `errors` out.
                let typed = error.details.unwrap_or_default().into_iter().find_map(|detail| {
                    let code = detail.get("reason")?.as_str()?.to_owned();
                    Some(Reason { code, message: String::new(), details: Vec::new() })
                });
                let message = error.message.unwrap_or_default();
                (message, if reasons.is_empty() { typed.into_iter().collect() } else { reasons })
            }
            None => (beginning(text), Vec::new()),
        };
        let status = status.as_u16();
        if reasons.is_empty() {
            reasons.push(Reason { code: String::new(), message: String::new(), details: Vec::new() });
        }
        Self::new(Some(status), message, reasons, retry_after)
    }

    /// From an operation that is done; `None` where it succeeded.
    pub(crate) fn of_operation(operation: &gce_api::Operation) -> Option<Self> {
        let status =
            operation.http_error_status_code.and_then(|code| u16::try_from(code).ok()).filter(|c| *c >= 400);
        let reasons: Vec<Reason> = operation
            .error
            .iter()
            .flat_map(|error| error.errors.iter().flatten())
            .map(|entry| Reason {
                code: entry.code.clone().unwrap_or_default(),
                message: entry.message.clone().unwrap_or_default(),
                details: entry.error_details.clone().unwrap_or_default(),
            })
            .collect();
        if operation.error.is_none() && status.is_none() {
            return None;
        }
        let message = match reasons.as_slice() {
            [] => operation.http_error_message.clone().unwrap_or_default(),
            several => several.iter().map(|reason| reason.message.as_str()).collect::<Vec<_>>().join("; "),
        };
        Some(Self::new(status, message, reasons, None))
    }

    fn new(
        status: Option<u16>,
        message: String,
        reasons: Vec<Reason>,
        retry_after: Option<Duration>,
    ) -> Self {
        let code = reasons.first().map_or("", |reason| reason.code.as_str());
        let cause = Cause::of(status, code, &message);
        Self { status, cause, message, reasons, retry_after }
    }

    /// The quota of resources that is used up.
    #[must_use]
    pub fn quota(&self) -> Option<Quota> {
        (self.cause == Cause::Quota).then(|| Quota::of(self))
    }

    /// What is not permitted.
    #[must_use]
    pub fn forbidden(&self) -> Option<Forbidden<'_>> {
        if self.cause != Cause::Forbidden {
            return None;
        }
        // "Required 'PERMISSION' permission for 'RESOURCE'"
        let mut quoted =
            self.message.split_once("Required '").map(|(_, rest)| rest.split('\'')).into_iter().flatten();
        let permission = quoted.next();
        let resource = match quoted.next() {
            Some(between) if between.trim() == "permission for" => quoted.next(),
            Some(_) | None => None,
        };
        Some(Forbidden { permission, resource })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(status) = self.status {
            write!(f, "{status} ")?;
        }
        match self.reasons.first() {
            Some(reason) if !reason.code.is_empty() => write!(f, "{}: ", reason.code)?,
            Some(_) | None => {}
        }
        f.write_str(self.message.trim_end())?;
        match self.cause.remedy() {
            Some(remedy) => write!(f, " ({remedy})"),
            None => Ok(()),
        }
    }
}

/// The beginning of a text that is no error body, on one line.
fn beginning(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((cut, _)) = words.char_indices().nth(MAX_TEXT) {
        words.truncate(cut);
        words.push('…');
    }
    if words.is_empty() { "(no text)".to_owned() } else { words }
}
