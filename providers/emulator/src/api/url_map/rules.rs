//! The rules inside one URL map that need nothing but the map itself.

use super::actions::{self, Matched};
use crate::error::ApiError;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

type Body = Map<String, Value>;

/// The longest path of a path rule.
const MAX_PATH: usize = 1024;
/// The longest host.
const MAX_HOST: usize = 255;

pub(super) fn check(map: &Body) -> Result<(), ApiError> {
    destination(map, "resource", &DEFAULTS)?;
    effects(map, "resource", &DEFAULTS, Matched::ByOther)?;
    super::expectation::check(map)?;
    let matchers = path_matchers(map)?;
    let named = host_rules(map, &matchers)?;
    if let Some(orphan) = matchers.iter().find(|name| !named.contains(*name)) {
        return Err(ApiError::invalid(
            "resource.pathMatchers",
            orphan,
            "The path matcher is not referenced by any host rule.",
        ));
    }
    Ok(())
}

fn objects<'a>(body: &'a Body, field: &str) -> impl Iterator<Item = (usize, &'a Body)> {
    body.get(field)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .enumerate()
        .filter_map(|(index, value)| value.as_object().map(|value| (index, value)))
}

fn texts<'a>(body: &'a Body, field: &str) -> impl Iterator<Item = (usize, &'a str)> {
    body.get(field)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .enumerate()
        .filter_map(|(index, value)| value.as_str().map(|value| (index, value)))
}

fn text<'a>(body: &'a Body, field: &str) -> &'a str {
    body.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// The names of the three fields that say where requests go.
struct Destination {
    service: &'static str,
    redirect: &'static str,
    action: &'static str,
}

const DEFAULTS: Destination =
    Destination { service: "defaultService", redirect: "defaultUrlRedirect", action: "defaultRouteAction" };
const OF_RULE: Destination =
    Destination { service: "service", redirect: "urlRedirect", action: "routeAction" };

/// At most one of service, redirect and weighted services says where requests go. A map or matcher that says nothing was
/// accepted in recorded traffic.
fn destination(body: &Body, at: &str, names: &Destination) -> Result<(), ApiError> {
    let Destination { service, redirect, action } = names;
    let weighted = body
        .get(*action)
        .and_then(|action| action.get("weightedBackendServices"))
        .and_then(Value::as_array)
        .is_some_and(|services| !services.is_empty());
    let given = [body.contains_key(*service), body.contains_key(*redirect), weighted];
    if given.into_iter().filter(|given| *given).count() > 1 {
        return Err(ApiError::invalid_text(format!(
            "Invalid value for field '{at}': ''. Only one of {service}, {redirect} and \
             {action}.weightedBackendServices may be specified."
        )));
    }
    if body.contains_key(*redirect) && body.contains_key(*action) {
        return Err(ApiError::invalid_text(format!(
            "Invalid value for field '{at}': ''. {action} cannot be specified with {redirect}."
        )));
    }
    if let Some(Value::Object(target)) = body.get(*redirect)
        && target.contains_key("pathRedirect")
        && target.contains_key("prefixRedirect")
    {
        return Err(ApiError::invalid_text(format!(
            "Invalid value for field '{at}.{redirect}': ''. Only one of pathRedirect and prefixRedirect may be specified."
        )));
    }
    Ok(())
}

/// A rule says where requests go.
fn goes_somewhere(body: &Body, at: &str) -> Result<(), ApiError> {
    let weighted = body
        .get("routeAction")
        .and_then(|action| action.get("weightedBackendServices"))
        .and_then(Value::as_array)
        .is_some_and(|services| !services.is_empty());
    if body.contains_key("service") || body.contains_key("urlRedirect") || weighted {
        return Ok(());
    }
    Err(ApiError::invalid_text(format!(
        "Invalid value for field '{at}': ''. Exactly one of service, urlRedirect and \
         routeAction.weightedBackendServices must be specified."
    )))
}

/// What is done with a request on its way.
fn effects(body: &Body, at: &str, names: &Destination, matched: Matched) -> Result<(), ApiError> {
    let Destination { service: _, redirect, action } = names;
    actions::action(body, action, at)?;
    actions::redirect(body, redirect, at)?;
    actions::template_rewrite(body, action, at, matched)?;
    actions::header_action(body, at)
}

/// Every path matcher is sound; their names.
fn path_matchers(map: &Body) -> Result<BTreeSet<String>, ApiError> {
    let mut names = BTreeSet::new();
    for (index, matcher) in objects(map, "pathMatchers") {
        let at = format!("resource.pathMatchers[{index}]");
        let name = text(matcher, "name");
        if !names.insert(name.to_owned()) {
            return Err(ApiError::invalid(&format!("{at}.name"), name, "Duplicate path matcher name."));
        }
        destination(matcher, &at, &DEFAULTS)?;
        effects(matcher, &at, &DEFAULTS, Matched::ByOther)?;
        let by_path = objects(matcher, "pathRules").next().is_some();
        let by_route = objects(matcher, "routeRules").next().is_some();
        if by_path && by_route {
            return Err(ApiError::invalid(
                &at,
                name,
                "Only one of pathRules and routeRules may be specified.",
            ));
        }
        path_rules(matcher, &at)?;
        route_rules(matcher, &at)?;
    }
    Ok(names)
}

fn path_rules(matcher: &Body, at: &str) -> Result<(), ApiError> {
    let mut seen = BTreeSet::new();
    for (index, rule) in objects(matcher, "pathRules") {
        let at = format!("{at}.pathRules[{index}]");
        destination(rule, &at, &OF_RULE)?;
        goes_somewhere(rule, &at)?;
        effects(rule, &at, &OF_RULE, Matched::ByOther)?;
        for (index, path) in texts(rule, "paths") {
            let at = format!("{at}.paths[{index}]");
            if let Some(why) = bad_path(path) {
                return Err(ApiError::invalid(&at, path, why));
            }
            if !seen.insert(path) {
                return Err(ApiError::invalid(&at, path, "Duplicate path in the path matcher."));
            }
        }
    }
    Ok(())
}

/// What is wrong with the pattern of a path rule.
fn bad_path(path: &str) -> Option<&'static str> {
    if path.is_empty() || path.chars().count() > MAX_PATH {
        return Some("Must be between 1 and 1024 characters long.");
    }
    if !path.starts_with('/') {
        return Some("Path must begin with '/'.");
    }
    if path.contains(['?', '#']) {
        return Some("Path must not contain '?' or '#'.");
    }
    let stars = path.matches('*').count();
    if stars > 1 || (stars == 1 && !path.ends_with("/*")) {
        return Some("'*' is only allowed at the end of the path, after '/'.");
    }
    None
}

fn route_rules(matcher: &Body, at: &str) -> Result<(), ApiError> {
    let mut seen = BTreeMap::new();
    for (index, rule) in objects(matcher, "routeRules") {
        let at = format!("{at}.routeRules[{index}]");
        destination(rule, &at, &OF_RULE)?;
        goes_somewhere(rule, &at)?;
        let by_template = objects(rule, "matchRules").any(|(_, rule)| rule.contains_key("pathTemplateMatch"));
        let path = if by_template { Matched::ByTemplate } else { Matched::ByOther };
        effects(rule, &at, &OF_RULE, path)?;
        let priority = rule.get("priority").and_then(Value::as_i64).unwrap_or(0);
        if let Some(other) = seen.insert(priority, index) {
            return Err(ApiError::invalid(
                &format!("{at}.priority"),
                &priority.to_string(),
                &format!("Route rule {other} has the same priority."),
            ));
        }
        for (index, rule) in objects(rule, "matchRules") {
            let at = format!("{at}.matchRules[{index}]");
            let paths = ["prefixMatch", "fullPathMatch", "regexMatch", "pathTemplateMatch"];
            let given: Vec<_> = paths.into_iter().filter(|field| rule.contains_key(*field)).collect();
            if given.len() > 1 {
                return Err(ApiError::invalid_text(format!(
                    "Invalid value for field '{at}': ''. Only one of {} may be specified.",
                    paths.join(", ")
                )));
            }
            actions::match_rule(rule, &at)?;
            if let Some(field) =
                given.first().filter(|field| matches!(**field, "prefixMatch" | "fullPathMatch"))
                && !text(rule, field).starts_with('/')
            {
                return Err(ApiError::invalid(
                    &format!("{at}.{field}"),
                    text(rule, field),
                    "Must begin with '/'.",
                ));
            }
        }
    }
    Ok(())
}

/// Every host stands in one rule, and every rule names a matcher that is there; the matchers that are named.
fn host_rules(map: &Body, matchers: &BTreeSet<String>) -> Result<BTreeSet<String>, ApiError> {
    let mut named = BTreeSet::new();
    let mut hosts = BTreeSet::new();
    for (index, rule) in objects(map, "hostRules") {
        let at = format!("resource.hostRules[{index}]");
        for (index, host) in texts(rule, "hosts") {
            let at = format!("{at}.hosts[{index}]");
            if let Some(why) = bad_host(host) {
                return Err(ApiError::invalid(&at, host, why));
            }
            if !hosts.insert(host.to_ascii_lowercase()) {
                return Err(ApiError::invalid(&at, host, "The host is used by more than one host rule."));
            }
        }
        let matcher = text(rule, "pathMatcher");
        if !matchers.contains(matcher) {
            return Err(ApiError::invalid(
                &format!("{at}.pathMatcher"),
                matcher,
                "The path matcher does not exist in the URL map.",
            ));
        }
        named.insert(matcher.to_owned());
    }
    Ok(named)
}

/// What is wrong with the pattern of a host rule: a name, with an optional port, or one `*` in front of `.` or `-`, or `*`
/// alone.
fn bad_host(host: &str) -> Option<&'static str> {
    if host.is_empty() || host.chars().count() > MAX_HOST {
        return Some("Must be between 1 and 255 characters long.");
    }
    if host == "*" {
        return None;
    }
    let rest = match host.strip_prefix('*') {
        Some(rest) if rest.starts_with(['.', '-']) => rest,
        Some(_) => return Some("'*' must be followed by '.' or '-'."),
        None => host,
    };
    let name = match rest.rsplit_once(':') {
        Some((name, port)) if port.parse::<u16>().is_ok() => name,
        Some(_) => return Some("Must be a valid host name."),
        None => rest,
    };
    let legal = name.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c));
    if name.is_empty() || !legal || name.parse::<std::net::IpAddr>().is_ok() {
        return Some("Must be a valid host name.");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(map: Value) -> String {
        let Value::Object(map) = map else { panic!("an object") };
        check(&map).map_or_else(|error| error.message, |()| "accepted".to_owned())
    }

    fn with_paths(paths: &Value) -> Value {
        json!({
            "hostRules": [{"hosts": ["a.com"], "pathMatcher": "m"}],
            "pathMatchers": [{"name": "m", "pathRules": [{"paths": paths, "service": "s"}]}],
        })
    }

    #[test]
    fn paths() {
        assert_eq!(refused(with_paths(&json!(["/", "/*", "/a", "/a/*", "/a/b.c"]))), "accepted");
        for (path, why) in [
            ("a", "begin with '/'"),
            ("", "between 1 and 1024"),
            ("/a*", "'*' is only allowed at the end"),
            ("/*/a", "'*' is only allowed at the end"),
            ("/a/*/*", "'*' is only allowed at the end"),
            ("/a?b", "'?' or '#'"),
        ] {
            let message = refused(with_paths(&json!([path])));
            assert!(message.contains(why), "{path}: {message}");
        }
        assert!(refused(with_paths(&json!(["/a", "/a"]))).contains("Duplicate path"));
        assert!(
            refused(with_paths(&json!([format!("/{}", "a".repeat(1024))]))).contains("between 1 and 1024")
        );
    }

    #[test]
    fn hosts() {
        let with_hosts = |rules: Value| json!({"hostRules": rules, "pathMatchers": [{"name": "m"}]});
        let one = |host: &str| with_hosts(json!([{"hosts": [host], "pathMatcher": "m"}]));
        for good in ["a.com", "*", "*.a.com", "*-a.com", "a.com:8080", "localhost"] {
            assert_eq!(refused(one(good)), "accepted", "{good}");
        }
        for bad in ["", "a.*.com", "*a.com", "a b", "10.0.0.1", "a.com:x", "a/b"] {
            assert!(refused(one(bad)).contains("hosts[0]"), "{bad}");
        }
        let twice =
            json!([{"hosts": ["A.com"], "pathMatcher": "m"}, {"hosts": ["a.com"], "pathMatcher": "m"}]);
        assert!(refused(with_hosts(twice)).contains("more than one host rule"));
        let dangling = json!([{"hosts": ["a.com"], "pathMatcher": "n"}]);
        assert!(refused(with_hosts(dangling)).contains("does not exist"));
        assert!(refused(json!({"pathMatchers": [{"name": "m"}]})).contains("not referenced"));
    }

    fn with_route(rule: &Value) -> Value {
        json!({
            "hostRules": [{"hosts": ["a.com"], "pathMatcher": "m"}],
            "pathMatchers": [{"name": "m", "routeRules": [rule]}],
        })
    }

    #[test]
    fn a_rule_goes_somewhere() {
        let rewrite = json!({"urlRewrite": {"hostRewrite": "h"}});
        assert!(
            refused(with_route(&json!({"priority": 1, "routeAction": rewrite})))
                .contains("Exactly one of service, urlRedirect and routeAction.weightedBackendServices")
        );
        assert_eq!(
            refused(with_route(&json!({"priority": 1, "service": "s", "routeAction": rewrite}))),
            "accepted"
        );
        let only_paths = json!({
            "hostRules": [{"hosts": ["a.com"], "pathMatcher": "m"}],
            "pathMatchers": [{"name": "m", "pathRules": [{"paths": ["/a"]}]}],
        });
        assert!(refused(only_paths).contains("Exactly one of service"));
    }

    #[test]
    fn a_rewrite_by_template_needs_a_template() {
        let rewrite = json!({"urlRewrite": {"pathTemplateRewrite": "/{a}"}});
        let route =
            |path: &Value| with_route(&json!({"service": "s", "routeAction": rewrite, "matchRules": [path]}));
        let refusal = "pathTemplateRewrite requires pathTemplateMatch";
        assert!(refused(route(&json!({"prefixMatch": "/"}))).contains(refusal));
        assert_eq!(refused(route(&json!({"pathTemplateMatch": "/{a}"}))), "accepted");
        assert!(refused(json!({"defaultRouteAction": rewrite})).contains(refusal));
    }

    #[test]
    fn tests_that_expect_two_things() {
        let one = |test: Value| refused(json!({"tests": [test]}));
        assert!(one(json!({"path": "/"})).contains("'resource.tests[0].host' not specified"));
        assert!(
            one(json!({"host": "a", "path": "/", "service": "s", "expectedRedirectResponseCode": 301}))
                .contains("cannot be set when service is set")
        );
        assert_eq!(one(json!({"host": "a", "path": "/", "service": "s"})), "accepted");
    }

    #[test]
    fn one_destination() {
        assert!(
            refused(json!({"defaultService": "s", "defaultUrlRedirect": {"httpsRedirect": true}}))
                .contains("Only one of defaultService")
        );
        let weighted = json!({"weightedBackendServices": [{"backendService": "s", "weight": 1}]});
        assert!(
            refused(json!({"defaultService": "s", "defaultRouteAction": weighted})).contains("Only one of")
        );
        let rewrite = json!({"urlRewrite": {"hostRewrite": "h"}});
        assert_eq!(refused(json!({"defaultService": "s", "defaultRouteAction": rewrite})), "accepted");
    }
}
