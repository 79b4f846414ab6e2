//! The errors an API answers with: status, reason and Google's own texts, in the body shape clients parse.
//!
//! This module only says *what* an error looks like. When each one is due is decided where the rule lives.

use crate::scope::ResourcePath;
use http::StatusCode;
use serde_json::{Value, json};
use std::borrow::Cow;

/// A refused request. Becomes the HTTP answer; no operation exists for it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{status} {reason}: {message}")]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    domain: Domain,
    detail: Detail,
}

/// Who refuses, as the item of an error says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Domain {
    /// The API.
    Global,
    /// Its quotas.
    UsageLimits,
}

impl Domain {
    fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::UsageLimits => "usageLimits",
        }
    }
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
    /// What in a body does not fit the schema: each place, and what is wrong there.
    BadRequest {
        violations: Vec<(String, String)>,
    },
    /// What is wrong with the token: the text of the item, and the reason in capitals.
    Credentials {
        item: &'static str,
        reason: &'static str,
        method: Option<String>,
    },
    /// Which rate quota was used up.
    Quota(Box<UsedUp>),
}

/// A rate quota that is used up.
#[derive(Debug, Clone, PartialEq)]
struct UsedUp {
    metric: String,
    limit: String,
    /// Requests per minute.
    value: u64,
    location: String,
    /// The project's number.
    consumer: u64,
}

/// How many violations of the schema one answer tells.
const MOST_VIOLATIONS: usize = 50;

impl ApiError {
    fn new(status: StatusCode, reason: &'static str, message: impl Into<String>) -> Self {
        Self { status, reason, message: message.into(), domain: Domain::Global, detail: Detail::None }
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

    /// 409 with a reason of its own.
    pub(crate) fn conflict(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, reason, message)
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
        Self::not_ready_text(&path.to_string())
    }

    /// The same for a path that is text already.
    pub(crate) fn not_ready_text(path: &str) -> Self {
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

    /// 400: a query parameter that must be there is not.
    pub(crate) fn required_parameter(name: &'static str) -> Self {
        let mut error = Self::new(StatusCode::BAD_REQUEST, "required", format!("Required parameter: {name}"));
        error.detail = Detail::Location { kind: "parameter", name };
        error
    }

    /// 400: the body does not fit the schema (unknown name, wrong type, not JSON at all).
    pub(crate) fn payload(field: &str, message: impl Into<String>) -> Self {
        let mut error = Self::new(StatusCode::BAD_REQUEST, "badRequest", message);
        error.detail = Detail::BadRequest { violations: vec![(field.to_owned(), error.message.clone())] };
        error
    }

    /// Two reasons to refuse one body. All that does not fit the schema is told at once, a line each; whatever else is wrong
    /// is told once the schema is kept.
    pub(crate) fn and(mut self, other: Self) -> Self {
        match (&mut self.detail, other.detail) {
            (Detail::BadRequest { violations }, Detail::BadRequest { violations: more }) => {
                if violations.len() < MOST_VIOLATIONS {
                    violations.extend(more);
                    self.message = format!("{}\n{}", self.message, other.message);
                }
                self
            }
            (_, detail @ Detail::BadRequest { .. }) => Self { detail, ..other },
            _ => self,
        }
    }

    /// 403: a project has as many resources of a kind as it may have.
    pub(crate) fn quota_exceeded(message: impl Into<String>) -> Self {
        let mut error = Self::new(StatusCode::FORBIDDEN, "quotaExceeded", message);
        error.domain = Domain::UsageLimits;
        error
    }

    /// 403: a project has sent as many requests of a group in this minute as it may send. `metric` and `limit` are words
    /// such as `Read requests` and `Read requests per minute`; `location` is `global` or a region.
    pub(crate) fn rate_limit_exceeded(
        metric: &str,
        limit: &str,
        value: u64,
        location: &str,
        project_number: u64,
    ) -> Self {
        let mut error = Self::new(
            StatusCode::FORBIDDEN,
            "rateLimitExceeded",
            format!(
                "Quota exceeded for quota metric '{metric}' and limit '{limit}' of service \
                 'compute.googleapis.com' for consumer 'project_number:{project_number}'."
            ),
        );
        error.domain = Domain::UsageLimits;
        error.detail = Detail::Quota(Box::new(UsedUp {
            metric: metric.to_lowercase().replace([' ', '-'], "_"),
            limit: limit.to_owned(),
            value,
            location: location.to_owned(),
            consumer: project_number,
        }));
        error
    }

    /// 503: the server cannot answer now.
    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "backendError", message)
    }

    /// 401: no token.
    pub(crate) fn credentials_missing(method: Option<&str>) -> Self {
        let mut error = Self::new(
            StatusCode::UNAUTHORIZED,
            "required",
            "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or \
             other valid authentication credential. See \
             https://developers.google.com/identity/sign-in/web/devconsole-project.",
        );
        let (item, reason) = ("Login Required.", "CREDENTIALS_MISSING");
        error.detail = Detail::Credentials { item, reason, method: method.map(str::to_owned) };
        error
    }

    /// 401: a token that nobody has given out, or that has expired.
    pub(crate) fn credentials_invalid(reason: &'static str, method: Option<&str>) -> Self {
        let mut error = Self::new(
            StatusCode::UNAUTHORIZED,
            "authError",
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other \
             valid authentication credential. See \
             https://developers.google.com/identity/sign-in/web/devconsole-project.",
        );
        let item = "Invalid Credentials";
        error.detail = Detail::Credentials { item, reason, method: method.map(str::to_owned) };
        error
    }

    /// 403: a token that does not permit this.
    pub(crate) fn forbidden(permission: &str, resource: &str) -> Self {
        let message = format!("Required '{permission}' permission for '{resource}'");
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
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
        let mut item =
            json!({ "message": self.message, "domain": self.domain.name(), "reason": self.reason });
        let mut error = json!({ "code": self.status.as_u16(), "message": self.message });
        match &self.detail {
            Detail::None => {}
            Detail::Quota(used_up) => {
                let UsedUp { metric, limit, value, location, consumer } = used_up.as_ref();
                error["details"] = json!([{
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "RATE_LIMIT_EXCEEDED",
                    "domain": "googleapis.com",
                    "metadata": {
                        "consumer": format!("projects/{consumer}"),
                        "quota_limit": limit,
                        "quota_limit_value": value.to_string(),
                        "quota_location": location,
                        "quota_metric": format!("compute.googleapis.com/{metric}"),
                        "service": "compute.googleapis.com",
                    },
                }]);
            }
            Detail::Credentials { item: text, reason, method } => {
                item["message"] = json!(text);
                item["locationType"] = json!("header");
                item["location"] = json!("Authorization");
                error["status"] = json!("UNAUTHENTICATED");
                let mut metadata = json!({ "service": "compute.googleapis.com" });
                if let Some(method) = method {
                    metadata["method"] = json!(method);
                }
                error["details"] = json!([{
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": reason,
                    "domain": "googleapis.com",
                    "metadata": metadata,
                }]);
            }
            Detail::Location { kind, name } => {
                item["locationType"] = json!(kind);
                item["location"] = json!(name);
            }
            Detail::BadRequest { violations } => {
                error["status"] = json!("INVALID_ARGUMENT");
                error["details"] = json!([{
                    "@type": "type.googleapis.com/google.rpc.BadRequest",
                    "fieldViolations": violations
                        .iter()
                        .map(|(field, description)| json!({ "field": field, "description": description }))
                        .collect::<Value>(),
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
    pub(crate) code: Cow<'static, str>,
    /// For `httpErrorStatusCode`. Every rule gives one; only a fault may leave it out.
    pub(crate) status: Option<StatusCode>,
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
        assert_eq!(body["error"]["errors"][0]["domain"], "global");
    }

    #[test]
    fn a_quota_speaks_for_its_domain() {
        let error =
            ApiError::rate_limit_exceeded("Read requests", "Read requests per minute", 3, "global", 12);
        let body = error.body();
        assert_eq!(body["error"]["code"], 403);
        assert_eq!(body["error"]["errors"][0]["domain"], "usageLimits");
        assert_eq!(
            body["error"]["message"],
            "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute' of service \
             'compute.googleapis.com' for consumer 'project_number:12'."
        );
        let metric = &body["error"]["details"][0]["metadata"]["quota_metric"];
        assert_eq!(metric, "compute.googleapis.com/read_requests");
    }
}
