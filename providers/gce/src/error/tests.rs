//! Errors as the API words them.

use gce_api::{ErrorBody, Operation};
use http::StatusCode;
use serde_json::{Value, json};

use super::*;

fn refused(status: u16, reason: &str, message: &str) -> Error {
    let body = json!({"error": {
        "code": status,
        "message": message,
        "errors": [{"message": message, "domain": "global", "reason": reason}],
    }});
    from_body(status, &body)
}

fn from_body(status: u16, body: &Value) -> Error {
    let parsed: Option<ErrorBody> = serde_json::from_value(body.clone()).ok();
    let text = body.to_string();
    let refusal = Refusal::of_answer(StatusCode::from_u16(status).unwrap(), parsed, text.as_bytes(), None);
    Error::Refused { verb: "insert", resource: "url map web".into(), refusal: Box::new(refusal) }
}

fn failed(operation: &Value) -> Error {
    let wire: Operation = serde_json::from_value(operation.clone()).unwrap();
    Error::OperationFailed {
        verb: "insert",
        resource: "url map web".into(),
        operation: "operation-1".into(),
        refusal: Box::new(Refusal::of_operation(&wire).unwrap()),
    }
}

#[test]
fn predicates_follow_status_and_reason() {
    let missing = refused(404, "notFound", "The resource 'projects/p/global/urlMaps/web' was not found");
    assert!(missing.is_not_found() && !missing.is_transient());
    assert!(
        refused(409, "alreadyExists", "The resource 'projects/p/global/urlMaps/web' already exists")
            .is_already_exists()
    );
    let used = "The url_map resource 'projects/p/global/urlMaps/web' is already being used by \
                'projects/p/global/targetHttpProxies/web'";
    assert!(refused(400, "resourceInUseByAnotherResource", used).is_in_use());
    assert!(refused(400, "invalid", used).is_in_use(), "the sentence alone says it too");
    assert!(refused(412, "conditionNotMet", "Invalid fingerprint.").is_stale_fingerprint());
    let not_ready = refused(400, "resourceNotReady", "The resource 'x' is not ready");
    assert!(not_ready.is_not_ready());
    assert_eq!(not_ready.retry(), Retry::NotReady);
    assert_eq!(refused(400, "invalid", "Invalid value").retry(), Retry::Never);
    assert_eq!(refused(401, "authError", "Invalid Credentials").retry(), Retry::Never);
    assert_eq!(refused(409, "alreadyExists", "").status(), Some(409));
}

#[test]
fn both_kinds_of_throttling_are_throttling() {
    let text = "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute' of service \
                'compute.googleapis.com' for consumer 'project_number:1'.";
    for error in [
        refused(403, "rateLimitExceeded", text),
        refused(429, "rateLimitExceeded", text),
        refused(429, "", ""),
    ] {
        assert!(error.is_throttled());
        assert_eq!(error.retry(), Retry::Throttled);
        assert_eq!(error.quota(), None, "this is a rate, not a number of resources");
        assert_eq!(error.forbidden(), None);
    }
    let typed = json!({"error": {"code": 403, "status": "RESOURCE_EXHAUSTED", "message": "slow down",
        "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "RATE_LIMIT_EXCEEDED"}]}});
    assert!(from_body(403, &typed).is_throttled());
}

#[test]
fn server_failures_are_transient_whatever_their_body() {
    for status in [500, 502, 503, 504] {
        assert!(refused(status, "backendError", "Backend Error").is_transient());
        let html = Refusal::of_answer(
            StatusCode::from_u16(status).unwrap(),
            None,
            b"<html>\n<title>Error</title> try later</html>",
            None,
        );
        assert_eq!(html.cause, Cause::Unavailable);
        assert_eq!(html.message, "<html> <title>Error</title> try later</html>");
    }
    assert!(!refused(501, "notImplemented", "no").is_transient());
}

#[test]
fn a_long_page_is_cut_on_a_character() {
    let page = "ü".repeat(1000);
    let refusal = Refusal::of_answer(StatusCode::BAD_GATEWAY, None, page.as_bytes(), None);
    assert_eq!(refusal.message.chars().count(), 301);
    assert_eq!(Refusal::of_answer(StatusCode::BAD_GATEWAY, None, b"", None).message, "(no text)");
}

#[test]
fn a_quota_is_read_from_the_sentence() {
    let global = refused(403, "quotaExceeded", "Quota 'URL_MAPS' exceeded.  Limit: 10.0 globally.");
    assert_eq!(global.quota(), Some(Quota { metric: "URL_MAPS".into(), limit: Some(10.0), region: None }));
    assert_eq!(global.retry(), Retry::Never);
    let regional = refused(
        403,
        "quotaExceeded",
        "Quota 'IN_USE_ADDRESSES' exceeded.  Limit: 8.0 in region us-central1.",
    );
    let quota = regional.quota().unwrap();
    assert_eq!((quota.limit, quota.region.as_deref()), (Some(8.0), Some("us-central1")));
    let bare = refused(403, "quotaExceeded", "Too many.").quota().unwrap();
    assert_eq!((bare.metric.as_str(), bare.limit), ("", None));
}

#[test]
fn a_quota_is_read_from_an_operation() {
    let sentence = failed(&json!({"httpErrorStatusCode": 403, "error": {"errors": [
        {"code": "QUOTA_EXCEEDED", "message": "Quota 'URL_MAPS' exceeded.  Limit: 10.0 globally."}]}}));
    assert_eq!(sentence.quota().unwrap().metric, "URL_MAPS");
    let details = failed(&json!({"httpErrorStatusCode": 403, "error": {"errors": [
        {"code": "QUOTA_EXCEEDED", "message": "no more", "errorDetails": [{"quotaInfo": {
            "metricName": "compute.googleapis.com/url_maps", "limit": 10, "dimensions": {"region": "r"}}}]}]}}));
    let quota = details.quota().unwrap();
    assert_eq!(quota.metric, "compute.googleapis.com/url_maps");
    assert_eq!((quota.limit, quota.region.as_deref()), (Some(10.0), Some("r")));
}

#[test]
fn a_missing_permission_is_named() {
    let error = refused(
        403,
        "forbidden",
        "Required 'compute.urlMaps.create' permission for 'projects/p/global/urlMaps/web'",
    );
    assert_eq!(
        error.forbidden(),
        Some(Forbidden {
            permission: Some("compute.urlMaps.create"),
            resource: Some("projects/p/global/urlMaps/web")
        })
    );
    assert_eq!(
        refused(403, "forbidden", "No.").forbidden(),
        Some(Forbidden { permission: None, resource: None })
    );
    assert_eq!(refused(404, "notFound", "Required 'x' permission for 'y'").forbidden(), None);
}

#[test]
fn an_operation_says_the_same_in_capitals() {
    let cases = [
        ("RESOURCE_IN_USE_BY_ANOTHER_RESOURCE", 400, Cause::InUse),
        ("RESOURCE_NOT_FOUND", 404, Cause::NotFound),
        ("RESOURCE_ALREADY_EXISTS", 409, Cause::AlreadyExists),
        ("CONDITION_NOT_MET", 412, Cause::StaleFingerprint),
        ("RESOURCE_NOT_READY", 400, Cause::NotReady),
        ("INTERNAL_ERROR", 503, Cause::Unavailable),
        ("SOMETHING_NEW", 400, Cause::Invalid),
    ];
    for (code, status, cause) in cases {
        let operation =
            json!({"httpErrorStatusCode": status, "error": {"errors": [{"code": code, "message": "m"}]}});
        assert_eq!(failed(&operation).refusal().unwrap().cause, cause, "{code}");
    }
    let without_status = json!({"error": {"errors": [{"code": "INTERNAL_ERROR", "message": "m"}]}});
    assert!(failed(&without_status).is_transient());
    assert!(Refusal::of_operation(&Operation::default()).is_none());
}

#[test]
fn messages_name_verb_resource_and_remedy_once() {
    let error = refused(403, "quotaExceeded", "Quota 'URL_MAPS' exceeded.  Limit: 10.0 globally.");
    assert_eq!(
        error.to_string(),
        "insert url map web: 403 quotaExceeded: Quota 'URL_MAPS' exceeded.  Limit: 10.0 globally. \
         (raise the quota or delete what is not needed)"
    );
}
