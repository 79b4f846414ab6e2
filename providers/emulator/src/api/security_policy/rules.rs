//! What the rules of a security policy must be.

use crate::dataplane::expression::Expression;
use crate::error::ApiError;
use ipnet::IpNet;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// The priority of the rule that catches what no other rule does. Every policy has it.
pub(super) const LAST: i64 = i32::MAX as i64;

/// A rule may name this many ranges.
const MAX_RANGES: usize = 10;

const ACTIONS: &[&str] = &[
    "allow",
    "deny(403)",
    "deny(404)",
    "deny(429)",
    "deny(502)",
    "deny",
    "fairshare",
    "goto_next",
    "rate_based_ban",
    "redirect",
    "throttle",
];

pub(super) fn same_priority(at: &str, priority: i64) -> ApiError {
    ApiError::invalid(at, &priority.to_string(), "Cannot have rules with the same priorities.")
}

pub(super) fn check(rules: &[&Map<String, Value>]) -> Result<(), ApiError> {
    let mut seen = BTreeSet::new();
    for (index, rule) in rules.iter().enumerate() {
        let at = format!("resource.rules[{index}]");
        check_one(rule, &at)?;
        let priority = rule.get("priority").and_then(Value::as_i64).unwrap_or_default();
        if !seen.insert(priority) {
            return Err(same_priority(&format!("{at}.priority"), priority));
        }
    }
    if seen.contains(&LAST) {
        Ok(())
    } else {
        Err(ApiError::invalid_text(format!(
            "Invalid value for field 'resource.rules': ''. A security policy must have a default rule with priority {LAST} \
             that matches everything."
        )))
    }
}

pub(super) fn check_one(rule: &Map<String, Value>, at: &str) -> Result<(), ApiError> {
    let text = |field: &str| rule.get(field).and_then(Value::as_str);
    let Some(action) = text("action").filter(|action| !action.is_empty()) else {
        return Err(ApiError::required(&format!("{at}.action")));
    };
    if !ACTIONS.contains(&action) {
        return Err(ApiError::invalid(
            &format!("{at}.action"),
            action,
            &format!("Must be one of [{}].", ACTIONS.join(", ")),
        ));
    }
    if !rule.contains_key("priority") {
        return Err(ApiError::required(&format!("{at}.priority")));
    }
    for (needs, field) in [
        ("redirect", "redirectOptions"),
        ("throttle", "rateLimitOptions"),
        ("rate_based_ban", "rateLimitOptions"),
    ] {
        if action == needs && !rule.contains_key(field) {
            return Err(ApiError::required(&format!("{at}.{field}")));
        }
    }
    match rule.get("match") {
        Some(Value::Object(matcher)) => check_match(matcher, &format!("{at}.match")),
        _ if rule.contains_key("networkMatch") => Ok(()),
        _ => Err(ApiError::required(&format!("{at}.match"))),
    }
}

/// A matcher is an expression, or a list of ranges.
fn check_match(matcher: &Map<String, Value>, at: &str) -> Result<(), ApiError> {
    match (matcher.contains_key("versionedExpr"), matcher.contains_key("expr")) {
        (true, true) => {
            return Err(ApiError::invalid_text(format!(
                "Invalid value for field '{at}': ''. Only one of versionedExpr and expr may be specified."
            )));
        }
        (false, false) => return Err(ApiError::required(&format!("{at}.versionedExpr"))),
        (false, true) => return check_expression(matcher, at),
        (true, false) => {}
    }
    let at = format!("{at}.config.srcIpRanges");
    let ranges = matcher.get("config").and_then(|config| config.get("srcIpRanges")).and_then(Value::as_array);
    let Some(ranges) = ranges else { return Err(ApiError::required(&at)) };
    if ranges.len() > MAX_RANGES {
        return Err(ApiError::invalid_text(format!(
            "Invalid value for field '{at}': ''. Too many values: {} given, at most {MAX_RANGES} allowed.",
            ranges.len()
        )));
    }
    for (index, range) in ranges.iter().enumerate() {
        let range = range.as_str().unwrap_or_default();
        if range != "*" && range.parse::<IpNet>().is_err() && range.parse::<IpAddr>().is_err() {
            return Err(ApiError::invalid(&format!("{at}[{index}]"), range, "Must be a valid address CIDR."));
        }
    }
    Ok(())
}

fn check_expression(matcher: &Map<String, Value>, at: &str) -> Result<(), ApiError> {
    let at = format!("{at}.expr.expression");
    let expression = matcher.get("expr").and_then(|expr| expr.get("expression")).and_then(Value::as_str);
    let Some(expression) = expression.filter(|text| !text.is_empty()) else {
        return Err(ApiError::required(&at));
    };
    match Expression::parse(expression) {
        Ok(_) => Ok(()),
        Err(error) => {
            Err(ApiError::invalid(&at, expression, &format!("The expression could not be parsed: {error}.")))
        }
    }
}
