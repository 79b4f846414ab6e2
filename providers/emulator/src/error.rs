//! The errors an API answers with: status, reason and Google's own texts, in the body shape clients parse.
//!
//! This module only says *what* an error looks like. When each one is due is decided where the rule lives.

use crate::scope::ResourcePath;
use http::StatusCode;
use serde_json::{Value, json};

/// A refused request. Becomes the HTTP answer; no operation exists for it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{status} {reason}: {message}")]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    detail: Detail,
}

/// What an error carries besides its message.
#[derive(Debug, Clone, PartialEq)]
enum Detail {
    None,
    /// Where a precondition stood (412 names the header that a conditional request would have used).
    Location {
        kind: &'static str,
        name: &'static str,
    },
    /// The field of a body that does not fit the schema.
    BadRequest {
        field: String,
    },
}

impl ApiError {
    fn new(status: StatusCode, reason: &'static str, message: impl Into<String>) -> Self {
        Self { status, reason, message: message.into(), detail: Detail::None }
    }

    /// 404 for a resource, in the usual words.
    pub(crate) fn not_found(path: &ResourcePath) -> Self {
        Self::not_found_text(format!("The resource '{path}' was not found"))
    }

    /// 404 in words of the caller's choosing: a few collections have their own.
    pub(crate) fn not_found_text(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "notFound", message)
    }

    /// 409: the name is taken.
    pub(crate) fn already_exists(path: &ResourcePath) -> Self {
        Self::new(StatusCode::CONFLICT, "alreadyExists", format!("The resource '{path}' already exists"))
    }

    /// 409 for an address that somebody holds inside the network.
    pub(crate) fn address_conflict(message: String) -> Self {
        Self::new(StatusCode::CONFLICT, "alreadyExists", message)
    }

    /// 400: `user` still refers to `path`. Clients look for "being used by".
    pub(crate) fn in_use(singular: &str, path: &ResourcePath, user: &ResourcePath) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "resourceInUseByAnotherResource",
            format!("The {singular} resource '{path}' is already being used by '{user}'"),
        )
    }

    /// 400: another operation holds the resource. Retryable.
    pub(crate) fn not_ready(path: &ResourcePath) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "resourceNotReady", format!("The resource '{path}' is not ready"))
    }

    /// 412: the body was made from an older state of the resource.
    pub(crate) fn stale_fingerprint() -> Self {
        let mut error =
            Self::new(StatusCode::PRECONDITION_FAILED, "conditionNotMet", "Invalid fingerprint.".to_owned());
        error.detail = Detail::Location { kind: "header", name: "If-Match" };
        error
    }

    /// 400: a value that a field cannot have.
    pub(crate) fn invalid(field: &str, value: &str, why: &str) -> Self {
        Self::invalid_text(format!("Invalid value for field '{field}': '{value}'. {why}"))
    }

    /// 400 `invalid` in words of the caller's choosing.
    pub(crate) fn invalid_text(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", message)
    }

    /// 400 with a reason of its own, such as `memberAlreadyExists`.
    pub(crate) fn bad_request(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, reason, message)
    }

    /// 400: a field that must be there is not.
    pub(crate) fn required(field: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "required", format!("Required field '{field}' not specified"))
    }

    /// 400: the body does not fit the schema (unknown name, wrong type, not JSON at all).
    pub(crate) fn payload(field: &str, message: impl Into<String>) -> Self {
        let mut error = Self::new(StatusCode::BAD_REQUEST, "badRequest", message);
        error.detail = Detail::BadRequest { field: field.to_owned() };
        error
    }

    /// 413: more bytes than any request may have.
    pub(crate) fn too_large(limit: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "uploadTooLarge",
            format!("Request payload size exceeds the limit: {limit} bytes."),
        )
    }

    /// The body that goes on the wire. The top message and the one item's message are the same text: Go's client prints
    /// the short form only then.
    pub(crate) fn body(&self) -> Value {
        let mut item = json!({ "message": self.message, "domain": "global", "reason": self.reason });
        let mut error = json!({ "code": self.status.as_u16(), "message": self.message });
        match &self.detail {
            Detail::None => {}
            Detail::Location { kind, name } => {
                item["locationType"] = json!(kind);
                item["location"] = json!(name);
            }
            Detail::BadRequest { field } => {
                error["status"] = json!("INVALID_ARGUMENT");
                error["details"] = json!([{
                    "@type": "type.googleapis.com/google.rpc.BadRequest",
                    "fieldViolations": [{ "field": field, "description": self.message }],
                }]);
            }
        }
        error["errors"] = json!([item]);
        json!({ "error": error })
    }
}

/// Why an operation that was accepted ended badly. Shown inside the operation, which is then DONE with an error.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{code} - {message}")]
pub(crate) struct OperationError {
    /// Upper case with underscores, as clients print it in front of the message.
    pub(crate) code: &'static str,
    pub(crate) status: StatusCode,
    pub(crate) message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_messages_are_the_same_text() {
        let body = ApiError::stale_fingerprint().body();
        assert_eq!(body["error"]["message"], body["error"]["errors"][0]["message"]);
        assert_eq!(body["error"]["code"], 412);
        assert_eq!(body["error"]["errors"][0]["reason"], "conditionNotMet");
        assert_eq!(body["error"]["errors"][0]["location"], "If-Match");
    }
}
