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
            Refused::RateLimited => {
                CloudError::Throttled { doing, what, retry_after: refusal.retry_after, source: said(text) }
            }
            Refused::Unavailable => CloudError::Transient { doing, what, source: said(text) },
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

    /// The cloud says that it would not take it.
    pub(super) fn refused(&self, why: String) -> CloudError {
        let Self { verb: doing, what } = self.clone();
        CloudError::Refused { doing, what, source: Box::new(Said(why)) }
    }

    /// Whether a call to make something failed because it is there.
    pub(super) fn exists_already(error: &gce::Error) -> bool {
        error.refusal().is_some_and(|refusal| matches!(refusal.cause, Refused::AlreadyExists))
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

    /// The cloud forgot the operation.
    pub(super) fn lost(&self, operation: &gce::Operation) -> CloudError {
        let Self { verb: doing, what } = self.clone();
        let said = Said(format!("its operation {} is no longer known", operation.name()));
        CloudError::Lost { doing, what, source: Box::new(said) }
    }

    /// It is gone, right after it was made or changed.
    pub(super) fn vanished(&self) -> CloudError {
        let Self { verb: doing, what } = self.clone();
        let said = Said("the cloud said that it was done, but does not show it".to_owned());
        CloudError::NotAsPlanned { doing, what, source: Box::new(said) }
    }

    /// It is not what we left any more.
    pub(super) fn overtaken(&self) -> CloudError {
        let Self { verb: doing, what } = self.clone();
        let said = Said("somebody has changed it since we did".to_owned());
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

#[cfg(test)]
mod tests {
    use gce::{Reason, Refusal};

    use super::*;
    use crate::apply::Next;

    fn refused(cause: Refused, code: &str, message: &str) -> CloudError {
        let reason = Reason { code: code.to_owned(), message: message.to_owned(), details: Vec::new() };
        let refusal = Refusal {
            status: Some(400),
            cause,
            message: message.to_owned(),
            reasons: vec![reason],
            retry_after: None,
        };
        let error = gce::Error::Refused {
            verb: "insert",
            resource: "url map web".to_owned(),
            refusal: Box::new(refusal),
        };
        Doing::new("create", "url map gclb1-x").failed(error)
    }

    #[test]
    fn every_cause_has_its_next_step() {
        for (cause, word, next) in [
            (Refused::NotFound, "not_as_planned", Next::LookAgain),
            (Refused::AlreadyExists, "not_as_planned", Next::LookAgain),
            (Refused::StaleFingerprint, "not_as_planned", Next::LookAgain),
            (Refused::InUse, "not_ready", Next::Later),
            (Refused::NotReady, "not_ready", Next::Later),
            (Refused::RateLimited, "throttled", Next::Later),
            (Refused::Unavailable, "transient", Next::Later),
            (Refused::Quota, "quota", Next::Person),
            (Refused::Forbidden, "forbidden", Next::Person),
            (Refused::Unauthenticated, "forbidden", Next::Person),
            (Refused::Invalid, "refused", Next::Person),
            (Refused::Other, "refused", Next::Person),
        ] {
            let error = refused(cause, "", "no");
            assert_eq!((error.word(), error.next()), (word, next), "{cause:?}");
            assert!(error.line().starts_with("create url map gclb1-x"), "{}", error.line());
        }
    }

    #[test]
    fn a_quota_is_named_with_its_limit() {
        let error =
            refused(Refused::Quota, "QUOTA_EXCEEDED", "Quota 'URL_MAPS' exceeded.  Limit: 10.0 globally.");
        assert!(error.line().contains("quota URL_MAPS of 10 is used up"), "{}", error.line());
    }

    #[test]
    fn a_missing_permission_is_named() {
        let error = refused(
            Refused::Forbidden,
            "forbidden",
            "Required 'compute.urlMaps.create' permission for 'projects/p/global/urlMaps/web'",
        );
        assert!(error.line().contains("grant compute.urlMaps.create"), "{}", error.line());
    }

    #[test]
    fn an_instance_in_two_groups_is_said_whether_by_word_or_by_sentence() {
        let sentence = "Validation failed for instance 'n1': instance may belong to at most one load-balanced instance group.";
        for (code, message) in [(IN_TWO_GROUPS, "no"), ("invalid", sentence)] {
            let error = refused(Refused::Invalid, code, message);
            assert_eq!((error.word(), error.next()), ("instance_taken", Next::Person));
        }
    }

    #[test]
    fn a_member_that_is_one_already_means_that_the_plan_was_old() {
        for code in MEMBERSHIP {
            assert_eq!(refused(Refused::Invalid, code, "no").next(), Next::LookAgain, "{code}");
        }
    }

    #[test]
    fn no_answer_may_pass_and_nonsense_of_ours_may_not() {
        let doing = Doing::new("create", "url map x");
        let still = gce::Error::StillRunning {
            verb: "insert",
            resource: "url map x".to_owned(),
            operation: "operation-1".to_owned(),
            after: std::time::Duration::from_secs(1),
        };
        assert_eq!(doing.failed(still).next(), Next::Later);
        let nowhere =
            gce::Error::Unaddressable { verb: "insert", resource: "url map".to_owned(), problem: "no name" };
        let error = doing.failed(nowhere);
        assert_eq!((error.word(), error.next()), ("unspeakable", Next::Person));
    }
}
