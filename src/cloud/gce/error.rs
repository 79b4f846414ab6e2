//! From the client's errors to the port's: what failed, and with that what is next.

use gce::Cause as Refused;

use super::wire::Unspeakable;
use crate::cloud::{Cause, CloudError};
use crate::controller::source::SourceError;

/// What was being done, and to what.
#[derive(Debug, Clone)]
pub(super) struct Doing {
    pub(super) verb: &'static str,
    pub(super) what: String,
}

/// The words of the API itself, without the client's.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Said(String);

/// What the API calls it when an instance would be in two load-balanced groups. Its sentence is looked for too, since not every
/// answer has the word.
const IN_TWO_GROUPS: &str = "INSTANCE_IN_MULTIPLE_LOAD_BALANCED_IGS";
const IN_TWO_GROUPS_SENTENCE: &str = "at most one load-balanced instance group";

/// A member that joins twice, or that leaves without being one.
const MEMBERSHIP: [&str; 4] =
    ["memberAlreadyExists", "MEMBER_ALREADY_EXISTS", "memberNotFound", "MEMBER_NOT_FOUND"];

impl Doing {
    pub(super) fn new(verb: &'static str, what: &(impl std::fmt::Display + ?Sized)) -> Self {
        Self { verb, what: what.to_string() }
    }

    /// A call failed.
    pub(super) fn failed(&self, error: gce::Error) -> CloudError {
        let Self { verb: doing, what } = self.clone();
        let Some(refusal) = error.refusal() else { return self.unanswered(error) };
        let said = |text: String| -> Cause { Box::new(Said(text)) };
        let text = refusal.to_string();
        let codes = || refusal.reasons.iter().map(|reason| reason.code.as_str());
        match refusal.cause {
            Refused::NotFound | Refused::AlreadyExists | Refused::StaleFingerprint => {
                CloudError::NotAsPlanned { doing, what, source: said(text) }
            }
            Refused::InUse | Refused::NotReady => CloudError::NotReady { doing, what, source: said(text) },
            Refused::RateLimited | Refused::Unavailable => {
                CloudError::Transient { doing, what, source: said(text) }
            }
            Refused::Quota => {
                let quota = refusal.quota();
                let limit = quota.as_ref().and_then(|quota| quota.limit);
                CloudError::Quota {
                    doing,
                    what,
                    metric: quota.map(|quota| quota.metric).unwrap_or_default(),
                    limit: limit.map_or_else(|| "unknown size".to_owned(), |limit| limit.to_string()),
                    source: said(text),
                }
            }
            Refused::Forbidden => {
                let permission = refusal.forbidden().and_then(|forbidden| forbidden.permission);
                let permission = permission.unwrap_or("what the answer names").to_owned();
                CloudError::Forbidden { doing, what, permission, source: said(text) }
            }
            Refused::Unauthenticated => {
                let permission = "valid credentials".to_owned();
                CloudError::Forbidden { doing, what, permission, source: said(text) }
            }
            Refused::Invalid | Refused::Other => {
                if codes().any(|code| code == IN_TWO_GROUPS) || text.contains(IN_TWO_GROUPS_SENTENCE) {
                    CloudError::InstanceTaken { doing, what, source: said(text) }
                } else if codes().any(|code| MEMBERSHIP.contains(&code)) {
                    CloudError::NotAsPlanned { doing, what, source: said(text) }
                } else {
                    CloudError::Refused { doing, what, source: said(text) }
                }
            }
        }
    }

    fn unanswered(&self, error: gce::Error) -> CloudError {
        let Self { verb: doing, what } = self.clone();
        match error {
            gce::Error::Authenticate { .. } if !error.is_transient() => CloudError::Forbidden {
                doing,
                what,
                permission: "valid credentials".to_owned(),
                source: Box::new(error),
            },
            gce::Error::Unaddressable { .. } | gce::Error::Encode { .. } => {
                CloudError::Unspeakable { doing, what, why: crate::cloud::chain(&error) }
            }
            gce::Error::Authenticate { .. }
            | gce::Error::Transport { .. }
            | gce::Error::StillRunning { .. }
            | gce::Error::OutOfTime { .. }
            | gce::Error::Decode { .. }
            | gce::Error::Unexpected { .. }
            | gce::Error::Incomplete { .. }
            | gce::Error::Refused { .. }
            | gce::Error::OperationFailed { .. } => {
                CloudError::Transient { doing, what, source: Box::new(error) }
            }
        }
    }

    /// The cloud forgot the operation, so nobody knows how it ended.
    pub(super) fn lost(&self, operation: &gce::Operation) -> CloudError {
        let Self { verb: doing, what } = self.clone();
        let said = Said(format!("its operation {} is no longer known", operation.name()));
        CloudError::NotAsPlanned { doing, what, source: Box::new(said) }
    }

    /// It is gone, right after it was made or changed.
    pub(super) fn vanished(&self) -> CloudError {
        let Self { verb: doing, what } = self.clone();
        let said = Said("the cloud said that it was done, but does not show it".to_owned());
        CloudError::NotAsPlanned { doing, what, source: Box::new(said) }
    }

    pub(super) fn unspeakable(&self, Unspeakable(why): Unspeakable) -> CloudError {
        let Self { verb: doing, what } = self.clone();
        CloudError::Unspeakable { doing, what, why }
    }

    pub(super) fn no_key(&self, source: SourceError) -> CloudError {
        let Self { verb: doing, what } = self.clone();
        CloudError::KeyPair { doing, what, source }
    }
}
