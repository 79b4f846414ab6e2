//! The rules inside the actions and matches of a URL map: what is done with a request, and when a route rule applies.

use crate::error::ApiError;
use regex::Regex;
use serde_json::{Map, Value};

type Body = Map<String, Value>;

/// The longest duration of the API, in seconds.
const MAX_SECONDS: i64 = 315_576_000_000;

/// What may be retried.
const RETRY_CONDITIONS: [&str; 11] = [
    "5xx",
    "gateway-error",
    "connect-failure",
    "retriable-4xx",
    "refused-stream",
    "reset",
    "cancelled",
    "deadline-exceeded",
    "internal",
    "resource-exhausted",
    "unavailable",
];

fn object<'a>(body: &'a Body, field: &str) -> Option<&'a Body> {
    body.get(field).and_then(Value::as_object)
}

fn objects<'a>(body: &'a Body, field: &str) -> impl Iterator<Item = (usize, &'a Body)> {
    let items = body.get(field).and_then(Value::as_array).into_iter().flatten().enumerate();
    items.filter_map(|(index, value)| Some((index, value.as_object()?)))
}

fn text<'a>(body: &'a Body, field: &str) -> Option<&'a str> {
    body.get(field).and_then(Value::as_str)
}

/// Whether a field is there and asks for something: `false` is what a flag says that nobody has set.
fn is_set(body: &Body, field: &str) -> bool {
    !matches!(body.get(field), None | Some(Value::Null | Value::Bool(false)))
}

/// Refuses more or less than one of some fields.
fn exactly_one(body: &Body, at: &str, fields: &[&str]) -> Result<(), ApiError> {
    if fields.iter().filter(|field| is_set(body, field)).count() == 1 {
        return Ok(());
    }
    Err(ApiError::invalid_text(format!(
        "Invalid value for field '{at}': ''. Exactly one of {} must be specified.",
        fields.join(", ")
    )))
}

/// The action of a rule or default.
pub(super) fn action(body: &Body, field: &str, at: &str) -> Result<(), ApiError> {
    let Some(action) = object(body, field) else { return Ok(()) };
    let at = format!("{at}.{field}");
    for span in ["timeout", "maxStreamDuration"] {
        duration(action, span, &at)?;
    }
    if let Some(rewrite) = object(action, "urlRewrite") {
        url_rewrite(rewrite, &format!("{at}.urlRewrite"))?;
    }
    if let Some(retry) = object(action, "retryPolicy") {
        retry_policy(retry, &format!("{at}.retryPolicy"))?;
    }
    if let Some(mirror) = object(action, "requestMirrorPolicy")
        && text(mirror, "backendService").is_none_or(str::is_empty)
    {
        return Err(ApiError::required(&format!("{at}.requestMirrorPolicy.backendService")));
    }
    if let Some(delay) = object(action, "faultInjectionPolicy").and_then(|faults| object(faults, "delay")) {
        duration(delay, "fixedDelay", &format!("{at}.faultInjectionPolicy.delay"))?;
    }
    if let Some(cors) = object(action, "corsPolicy") {
        for (index, pattern) in cors
            .get("allowOriginRegexes")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .enumerate()
        {
            regular_expression(pattern, &format!("{at}.corsPolicy.allowOriginRegexes[{index}]"))?;
        }
    }
    if object(action, "cachePolicy").is_some_and(Map::is_empty) {
        return Err(ApiError::invalid_text(format!(
            "Invalid value for field '{at}.cachePolicy': ''. At least one property must be specified."
        )));
    }
    weights(action, &at)
}

fn weights(action: &Body, at: &str) -> Result<(), ApiError> {
    let mut sum = 0;
    let mut any = false;
    for (index, service) in objects(action, "weightedBackendServices") {
        let at = format!("{at}.weightedBackendServices[{index}]");
        if text(service, "backendService").is_none_or(str::is_empty) {
            return Err(ApiError::required(&format!("{at}.backendService")));
        }
        header_action(service, &at)?;
        sum += service.get("weight").and_then(Value::as_i64).unwrap_or(0);
        any = true;
    }
    if any && sum == 0 {
        return Err(ApiError::invalid_text(format!(
            "Invalid value for field '{at}.weightedBackendServices': ''. At least one weight must be greater than 0."
        )));
    }
    Ok(())
}

fn duration(body: &Body, field: &str, at: &str) -> Result<(), ApiError> {
    let Some(span) = object(body, field) else { return Ok(()) };
    let seconds = match span.get("seconds") {
        Some(Value::String(text)) => text.parse().unwrap_or(-1),
        Some(other) => other.as_i64().unwrap_or(-1),
        None => 0,
    };
    if !(0..=MAX_SECONDS).contains(&seconds) {
        return Err(ApiError::invalid(
            &format!("{at}.{field}.seconds"),
            &seconds.to_string(),
            &format!("Must be between 0 and {MAX_SECONDS}."),
        ));
    }
    let nanos = span.get("nanos").and_then(Value::as_i64).unwrap_or(0);
    if !(0..=999_999_999).contains(&nanos) {
        return Err(ApiError::invalid(
            &format!("{at}.{field}.nanos"),
            &nanos.to_string(),
            "Must be between 0 and 999999999.",
        ));
    }
    Ok(())
}

fn retry_policy(retry: &Body, at: &str) -> Result<(), ApiError> {
    if let Some(count) = retry.get("numRetries").and_then(Value::as_i64)
        && count < 1
    {
        return Err(ApiError::invalid(
            &format!("{at}.numRetries"),
            &count.to_string(),
            "Must be greater than 0.",
        ));
    }
    duration(retry, "perTryTimeout", at)?;
    let conditions = retry.get("retryConditions").and_then(Value::as_array).into_iter().flatten();
    for (index, condition) in conditions.filter_map(Value::as_str).enumerate() {
        if !RETRY_CONDITIONS.contains(&condition) {
            return Err(ApiError::invalid(
                &format!("{at}.retryConditions[{index}]"),
                condition,
                &format!("Must be one of {}.", RETRY_CONDITIONS.join(", ")),
            ));
        }
    }
    Ok(())
}

fn url_rewrite(rewrite: &Body, at: &str) -> Result<(), ApiError> {
    if rewrite.contains_key("pathPrefixRewrite") && rewrite.contains_key("pathTemplateRewrite") {
        return Err(ApiError::invalid_text(format!(
            "Invalid value for field '{at}': ''. Only one of pathPrefixRewrite and pathTemplateRewrite may be specified."
        )));
    }
    for field in ["pathPrefixRewrite", "pathTemplateRewrite"] {
        absolute(rewrite, field, at)?;
    }
    host(rewrite, "hostRewrite", at)
}

/// The redirect of a rule or default.
pub(super) fn redirect(body: &Body, field: &str, at: &str) -> Result<(), ApiError> {
    let Some(redirect) = object(body, field) else { return Ok(()) };
    let at = format!("{at}.{field}");
    for field in ["pathRedirect", "prefixRedirect"] {
        absolute(redirect, field, &at)?;
    }
    host(redirect, "hostRedirect", &at)
}

fn absolute(body: &Body, field: &str, at: &str) -> Result<(), ApiError> {
    match text(body, field) {
        Some(path) if !path.starts_with('/') => {
            Err(ApiError::invalid(&format!("{at}.{field}"), path, "Must begin with '/'."))
        }
        _ => Ok(()),
    }
}

/// A host that a request is sent on with: letters, digits, `.`, `-`, and a port.
fn host(body: &Body, field: &str, at: &str) -> Result<(), ApiError> {
    let legal = |c: char| c.is_ascii_alphanumeric() || ".-_:".contains(c);
    match text(body, field) {
        Some(host) if !host.chars().all(legal) => {
            Err(ApiError::invalid(&format!("{at}.{field}"), host, "Must be a valid host name."))
        }
        _ => Ok(()),
    }
}

/// The header action of a map, matcher, rule or weighted service.
pub(super) fn header_action(body: &Body, at: &str) -> Result<(), ApiError> {
    let Some(action) = object(body, "headerAction") else { return Ok(()) };
    let at = format!("{at}.headerAction");
    for field in ["requestHeadersToAdd", "responseHeadersToAdd"] {
        for (index, option) in objects(action, field) {
            header_name(option, &format!("{at}.{field}[{index}]"), Pseudo::Refused)?;
        }
    }
    for field in ["requestHeadersToRemove", "responseHeadersToRemove"] {
        let names = action.get(field).and_then(Value::as_array).into_iter().flatten();
        for (index, name) in names.filter_map(Value::as_str).enumerate() {
            if !is_token(name) {
                return Err(bad_header(&format!("{at}.{field}[{index}]"), name));
            }
        }
    }
    Ok(())
}

/// Whether `:method` and `:authority` are header names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pseudo {
    Allowed,
    Refused,
}

fn header_name(body: &Body, at: &str, pseudo: Pseudo) -> Result<(), ApiError> {
    let at = format!("{at}.headerName");
    let name = text(body, "headerName").filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| ApiError::required(&at))?;
    let bare = match pseudo {
        Pseudo::Allowed => name.strip_prefix(':').unwrap_or(name),
        Pseudo::Refused => name,
    };
    if is_token(bare) { Ok(()) } else { Err(bad_header(&at, name)) }
}

fn is_token(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}

fn bad_header(at: &str, name: &str) -> ApiError {
    ApiError::invalid(at, name, "Must be a valid HTTP header name.")
}

fn regular_expression(pattern: &str, at: &str) -> Result<(), ApiError> {
    match Regex::new(pattern) {
        Ok(_) => Ok(()),
        Err(_) => Err(ApiError::invalid(at, pattern, "Must be a valid RE2 regular expression.")),
    }
}

/// The conditions of a match rule beyond its path.
pub(super) fn match_rule(rule: &Body, at: &str) -> Result<(), ApiError> {
    if let Some(pattern) = text(rule, "regexMatch") {
        regular_expression(pattern, &format!("{at}.regexMatch"))?;
    }
    let folded = is_set(rule, "ignoreCase");
    if folded && (rule.contains_key("regexMatch") || rule.contains_key("pathTemplateMatch")) {
        return Err(ApiError::invalid(
            &format!("{at}.ignoreCase"),
            "true",
            "ignoreCase can only be used with prefixMatch or fullPathMatch.",
        ));
    }
    for (index, header) in objects(rule, "headerMatches") {
        header_match(header, &format!("{at}.headerMatches[{index}]"))?;
    }
    for (index, parameter) in objects(rule, "queryParameterMatches") {
        let at = format!("{at}.queryParameterMatches[{index}]");
        if text(parameter, "name").is_none_or(str::is_empty) {
            return Err(ApiError::required(&format!("{at}.name")));
        }
        exactly_one(parameter, &at, &["exactMatch", "presentMatch", "regexMatch"])?;
        if let Some(pattern) = text(parameter, "regexMatch") {
            regular_expression(pattern, &format!("{at}.regexMatch"))?;
        }
    }
    Ok(())
}

fn header_match(header: &Body, at: &str) -> Result<(), ApiError> {
    header_name(header, at, Pseudo::Allowed)?;
    let predicates = ["exactMatch", "prefixMatch", "suffixMatch", "regexMatch", "presentMatch", "rangeMatch"];
    exactly_one(header, at, &predicates)?;
    if let Some(pattern) = text(header, "regexMatch") {
        regular_expression(pattern, &format!("{at}.regexMatch"))?;
    }
    if let Some(range) = object(header, "rangeMatch") {
        let end = |field: &str| match range.get(field) {
            Some(Value::String(text)) => text.parse::<i64>().ok(),
            Some(other) => other.as_i64(),
            None => Some(0),
        };
        if end("rangeStart") >= end("rangeEnd") {
            return Err(ApiError::invalid_text(format!(
                "Invalid value for field '{at}.rangeMatch': ''. rangeStart must be less than rangeEnd."
            )));
        }
    }
    Ok(())
}

/// A rewrite by template needs something that the template was matched with: route rules with `pathTemplateMatch`.
pub(super) fn template_rewrite(body: &Body, field: &str, at: &str, matched: Matched) -> Result<(), ApiError> {
    let rewrite = object(body, field)
        .and_then(|action| object(action, "urlRewrite"))
        .and_then(|rewrite| text(rewrite, "pathTemplateRewrite"));
    match rewrite {
        Some(rewrite) if matched == Matched::ByOther => Err(ApiError::invalid(
            &format!("{at}.{field}.urlRewrite.pathTemplateRewrite"),
            rewrite,
            "pathTemplateRewrite requires pathTemplateMatch in a match rule of the same route rule.",
        )),
        _ => Ok(()),
    }
}

/// How the path of a request was matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Matched {
    ByTemplate,
    ByOther,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(result: Result<(), ApiError>) -> String {
        result.map_or_else(|error| error.message, |()| "accepted".to_owned())
    }

    fn body(value: &Value) -> Body {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn actions() {
        let refused = |value: Value| of(action(&body(&json!({ "routeAction": value })), "routeAction", "r"));
        for (value, said) in [
            (json!({ "timeout": { "seconds": "-1" } }), "'r.routeAction.timeout.seconds': '-1'"),
            (json!({ "timeout": { "nanos": 1_000_000_000 } }), "'r.routeAction.timeout.nanos'"),
            (json!({ "timeout": { "seconds": "0", "nanos": 999_999_999 } }), "accepted"),
            (json!({ "retryPolicy": { "numRetries": 0 } }), "Must be greater than 0."),
            (json!({ "retryPolicy": { "retryConditions": ["5xx", "6xx"] } }), "retryConditions[1]': '6xx'"),
            (json!({ "retryPolicy": { "numRetries": 1, "retryConditions": ["gateway-error"] } }), "accepted"),
            (json!({ "requestMirrorPolicy": {} }), "'r.routeAction.requestMirrorPolicy.backendService'"),
            (json!({ "weightedBackendServices": [{ "weight": 1 }] }), "backendService' not specified"),
            (
                json!({ "weightedBackendServices": [{ "backendService": "b", "weight": 0 }] }),
                "At least one weight must be greater than 0.",
            ),
            (
                json!({ "weightedBackendServices": [{ "backendService": "b", "weight": 0 }, { "backendService": "c", "weight": 1 }] }),
                "accepted",
            ),
            (json!({ "urlRewrite": { "pathPrefixRewrite": "a" } }), "Must begin with '/'."),
            (
                json!({ "urlRewrite": { "pathPrefixRewrite": "/a", "pathTemplateRewrite": "/b" } }),
                "Only one of pathPrefixRewrite and pathTemplateRewrite",
            ),
            (json!({ "urlRewrite": { "hostRewrite": "a/b" } }), "Must be a valid host name."),
            (json!({ "urlRewrite": { "hostRewrite": "a.com", "pathPrefixRewrite": "/" } }), "accepted"),
            (json!({ "cachePolicy": {} }), "At least one property must be specified."),
            (
                json!({ "corsPolicy": { "allowOriginRegexes": ["("] } }),
                "allowOriginRegexes[0]': '('. Must be a valid RE2",
            ),
            (
                json!({ "faultInjectionPolicy": { "delay": { "fixedDelay": { "seconds": "-1" } } } }),
                "fixedDelay",
            ),
        ] {
            let message = refused(value.clone());
            assert!(message.contains(said), "{value}: {message}");
        }
    }

    #[test]
    fn redirects() {
        let refused =
            |value: Value| of(redirect(&body(&json!({ "urlRedirect": value })), "urlRedirect", "r"));
        assert!(refused(json!({ "pathRedirect": "a" })).contains("'r.urlRedirect.pathRedirect': 'a'"));
        assert!(refused(json!({ "hostRedirect": "a b" })).contains("Must be a valid host name."));
        assert_eq!(refused(json!({ "hostRedirect": "a.com:8080", "prefixRedirect": "/a" })), "accepted");
    }

    #[test]
    fn headers() {
        let refused = |value: Value| of(header_action(&body(&json!({ "headerAction": value })), "r"));
        assert!(refused(json!({ "requestHeadersToAdd": [{}] })).contains("headerName' not specified"));
        assert!(
            refused(json!({ "responseHeadersToRemove": ["a b"] })).contains("Must be a valid HTTP header")
        );
        let add =
            json!({ "requestHeadersToAdd": [{ "headerName": "X-A", "headerValue": "{client_region}" }] });
        assert_eq!(refused(add), "accepted");
    }

    #[test]
    fn matches() {
        let refused = |value: Value| of(match_rule(&body(&value), "r"));
        let header = |value: Value| refused(json!({ "headerMatches": [value] }));
        assert!(
            header(json!({ "exactMatch": "a" })).contains("'r.headerMatches[0].headerName' not specified")
        );
        assert!(header(json!({ "headerName": "a" })).contains("Exactly one of exactMatch"));
        let two = json!({ "headerName": "a", "exactMatch": "a", "prefixMatch": "a" });
        assert!(header(two).contains("Exactly one of exactMatch"));
        assert_eq!(header(json!({ "headerName": ":method", "exactMatch": "GET" })), "accepted");
        assert_eq!(
            header(json!({ "headerName": "a", "exactMatch": "b", "presentMatch": false })),
            "accepted"
        );
        let range = |start: &str, end: &str| json!({ "headerName": "a", "rangeMatch": { "rangeStart": start, "rangeEnd": end } });
        assert!(header(range("5", "5")).contains("rangeStart must be less than rangeEnd"));
        assert_eq!(header(range("-5", "0")), "accepted");
        assert!(header(json!({ "headerName": "a", "regexMatch": "(" })).contains("RE2"));
        let query = |value: Value| refused(json!({ "queryParameterMatches": [value] }));
        assert!(
            query(json!({ "exactMatch": "a" })).contains("'r.queryParameterMatches[0].name' not specified")
        );
        assert!(
            query(json!({ "name": "a" })).contains("Exactly one of exactMatch, presentMatch, regexMatch")
        );
        assert_eq!(query(json!({ "name": "a", "presentMatch": true })), "accepted");
        assert!(refused(json!({ "regexMatch": "/[" })).contains("'r.regexMatch': '/['"));
        assert!(refused(json!({ "regexMatch": "/a", "ignoreCase": true })).contains("ignoreCase can only"));
        assert_eq!(refused(json!({ "prefixMatch": "/a", "ignoreCase": true })), "accepted");
    }
}
