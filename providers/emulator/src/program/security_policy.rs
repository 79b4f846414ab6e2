//! Security policies.

use std::net::IpAddr;
use std::sync::Arc;

use http::StatusCode;
use ipnet::IpNet;
use serde_json::Value;

use super::Resources;
use super::json::{field, flag, integer, items, link, text, texts};
use crate::dataplane::expression::Expression;
use crate::dataplane::program::{
    Force, Guard, Program, SecurityAction, SecurityMatch, SecurityPolicy, SecurityRule,
};
use crate::dataplane::resource_id::SecurityPolicyId;

/// The policies that a backend service or bucket names.
pub(super) fn guard(resources: &impl Resources, path: &str, body: &Value, program: &mut Program) -> Guard {
    let mut policy = |name: &str| {
        let policy = link(body, name)?;
        let Some(body) = resources.get(policy) else {
            let why =
                format!("names the security policy {policy}, which does not exist: everybody is let through");
            program.problem(path, why);
            return None;
        };
        Some(Arc::new(compile(policy, body, program)))
    };
    Guard { edge: policy("edgeSecurityPolicy"), backend: policy("securityPolicy") }
}

fn compile(path: &str, body: &Value, program: &mut Program) -> SecurityPolicy {
    let mut rules: Vec<SecurityRule> = Vec::new();
    for rule in items(body, "rules") {
        let priority = integer(rule, "priority").and_then(|it| u32::try_from(it).ok()).unwrap_or_default();
        let mut problem = |what: &str| program.problem(path, format!("rule {priority} {what}"));
        let matcher = matcher(rule, &mut problem);
        let Some(action) = action(rule, &mut problem) else { continue };
        if field(rule, "headerAction").is_some() {
            problem("adds headers, which is not served");
        }
        let force = if flag(rule, "preview") { Force::Preview } else { Force::Enforced };
        rules.push(SecurityRule { priority, matcher, action, force });
    }
    rules.sort_by_key(|rule| rule.priority);
    SecurityPolicy { id: SecurityPolicyId::new(path), rules }
}

fn matcher(rule: &Value, problem: &mut impl FnMut(&str)) -> SecurityMatch {
    let Some(matcher) = field(rule, "match") else {
        problem("matches packets, which is not served: it speaks of nobody");
        return SecurityMatch::Nobody;
    };
    if let Some(source) = field(matcher, "expr").and_then(|expr| text(expr, "expression")) {
        return match Expression::parse(source) {
            Ok(expression) => {
                for function in expression.unserved() {
                    problem(&format!("asks {function}, which is not served and always false"));
                }
                SecurityMatch::Expression(Box::new(expression))
            }
            Err(error) => {
                problem(&format!("has an expression that is none: {error}"));
                SecurityMatch::Nobody
            }
        };
    }
    let Some(config) = field(matcher, "config") else {
        problem("says of nobody that it speaks of them");
        return SecurityMatch::Nobody;
    };
    let mut ranges = Vec::new();
    for range in texts(config, "srcIpRanges") {
        if range == "*" {
            return SecurityMatch::Everybody;
        }
        let address = || range.parse::<IpAddr>().ok().map(IpNet::from);
        match range.parse::<IpNet>().ok().or_else(address) {
            Some(range) => ranges.push(range),
            None => problem(&format!("has {range:?} among its ranges, which is none")),
        }
    }
    SecurityMatch::Sources(ranges)
}

/// None: the rule is left out.
fn action(rule: &Value, problem: &mut impl FnMut(&str)) -> Option<SecurityAction> {
    let action = text(rule, "action").unwrap_or_default();
    let denied = action.strip_prefix("deny(").and_then(|rest| rest.strip_suffix(')'));
    if let Some(status) = denied.and_then(|status| StatusCode::from_bytes(status.as_bytes()).ok()) {
        return Some(SecurityAction::Deny(status));
    }
    match action {
        "allow" => Some(SecurityAction::Allow),
        "redirect" => {
            let options = field(rule, "redirectOptions");
            let target = options.and_then(|options| text(options, "target")).map(str::to_owned);
            if target.is_none() {
                problem("redirects to reCAPTCHA, which is not served: it is left out");
            }
            target.map(SecurityAction::Redirect)
        }
        "throttle" | "rate_based_ban" => {
            problem("limits rates, which is not served: it lets everybody through");
            Some(SecurityAction::Allow)
        }
        other => {
            problem(&format!("has the action {other}, which is not served: it is left out"));
            None
        }
    }
}
