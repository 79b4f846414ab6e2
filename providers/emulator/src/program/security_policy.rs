//! Security policies.

use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderName, HeaderValue, StatusCode};
use ipnet::IpNet;
use serde_json::Value;

use super::json::{field, flag, integer, items, link, text, texts};
use super::{Resources, header_name};
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
        let headers = headers(rule, &mut problem);
        let force = if flag(rule, "preview") { Force::Preview } else { Force::Enforced };
        rules.push(SecurityRule { priority, matcher, action, force, headers });
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

/// The headers that a rule adds to requests.
fn headers(rule: &Value, problem: &mut impl FnMut(&str)) -> Vec<(HeaderName, HeaderValue)> {
    let added =
        field(rule, "headerAction").into_iter().flat_map(|action| items(action, "requestHeadersToAdds"));
    let mut headers = Vec::new();
    for header in added {
        let name = text(header, "headerName").unwrap_or_default();
        let value = HeaderValue::try_from(text(header, "headerValue").unwrap_or_default());
        match (header_name::changeable(name), value) {
            (Ok(name), Ok(value)) => headers.push((name, value)),
            _ => problem(&format!("adds the header {name:?}, which cannot be added so")),
        }
    }
    headers
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rules_come_in_their_order_and_what_is_not_served_is_said() {
        let ranges =
            |range: &str| json!({ "versionedExpr": "SRC_IPS_V1", "config": { "srcIpRanges": [range] } });
        let expression = |text: &str| json!({ "expr": { "expression": text } });
        let body = json!({ "rules": [
            { "priority": 2_147_483_647, "action": "allow", "match": ranges("*") },
            { "priority": 5, "action": "deny(403)", "match": ranges("10.0.0.0/8"), "preview": true },
            { "priority": 6, "action": "deny(404)", "match": expression("true"),
              "headerAction": { "requestHeadersToAdds": [{ "headerName": "x-a", "headerValue": "b" }] } },
            { "priority": 7, "action": "redirect", "match": ranges("::1"),
              "redirectOptions": { "type": "EXTERNAL_302", "target": "https://a" } },
            { "priority": 8, "action": "redirect", "match": ranges("*"),
              "redirectOptions": { "type": "GOOGLE_RECAPTCHA" } },
            { "priority": 9, "action": "throttle", "match": ranges("*") },
            { "priority": 10, "action": "deny(502)", "match": expression("evaluatePreconfiguredWaf('x')") },
            { "priority": 11, "action": "deny(502)", "match": expression("nonsense") },
        ] });
        let mut program = Program::default();
        let policy = compile("armor", &body, &mut program);
        let priorities: Vec<u32> = policy.rules.iter().map(|rule| rule.priority).collect();
        assert_eq!(priorities, [5, 6, 7, 9, 10, 11, 2_147_483_647]);
        let SecurityRule { matcher, action, force, .. } = &policy.rules[0];
        assert_eq!(*matcher, SecurityMatch::Sources(vec!["10.0.0.0/8".parse().unwrap()]));
        assert_eq!((action, force), (&SecurityAction::Deny(StatusCode::FORBIDDEN), &Force::Preview));
        assert_eq!(policy.rules[1].headers.len(), 1);
        assert_eq!(policy.rules[2].matcher, SecurityMatch::Sources(vec!["::1/128".parse().unwrap()]));
        assert_eq!(policy.rules[2].action, SecurityAction::Redirect("https://a".to_owned()));
        assert_eq!(policy.rules[5].matcher, SecurityMatch::Nobody);
        assert_eq!(policy.rules[6].matcher, SecurityMatch::Everybody);
        let said: Vec<&str> = program.problems.iter().map(|problem| problem.message.as_str()).collect();
        for (problem, word) in
            said.iter().zip(["reCAPTCHA", "limits rates", "evaluatePreconfiguredWaf", "is none"])
        {
            assert!(problem.contains(word), "{said:?}");
        }
        assert_eq!(said.len(), 4);
    }
}
