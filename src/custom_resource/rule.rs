//! Rules between fields, said twice in one place: for an API server in CEL, and for us as a function.
//!
//! The tests hold that both judge alike: each bad example is refused by the API server and by the function.

use std::fmt;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::ValidationRule;

/// A rule between fields of one object.
pub(crate) struct Rule<Spec> {
    /// The field under which all fields of the rule stand: `spec.healthCheck`.
    pub(crate) at: &'static str,
    /// Which field is to be corrected, from there: `.timeoutSec`.
    pub(crate) field: &'static str,
    /// What must be.
    pub(crate) message: &'static str,
    /// The rule in CEL; `self` is what stands at `at`.
    pub(crate) cel: &'static str,
    /// The same for a whole spec.
    pub(crate) holds: fn(&Spec) -> bool,
}

impl<Spec> Rule<Spec> {
    pub(crate) fn validation(&self) -> ValidationRule {
        let Self { at: _, field, message, cel, holds: _ } = self;
        ValidationRule {
            field_path: Some((*field).to_owned()),
            message: Some((*message).to_owned()),
            message_expression: None,
            optional_old_self: None,
            reason: None,
            rule: (*cel).to_owned(),
        }
    }
}

impl<Spec> fmt::Debug for Rule<Spec> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule").field("at", &self.at).field("cel", &self.cel).finish_non_exhaustive()
    }
}
