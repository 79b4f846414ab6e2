//! URL maps: hosts, path matchers, rules.

mod destination;
mod header_action;

use std::collections::BTreeMap;

use serde_json::Value;

use self::destination::{DEFAULT, RULE};
use super::json::{field, flag, integer, items, text, texts};
use crate::dataplane::path_template::PathTemplate;
use crate::dataplane::program::{
    Destination, Forward, HeaderMatch, HeaderPredicate, HostPattern, HostRule, PathMatch, PathMatcher,
    PathPattern, PathRule, Pattern, Program, QueryMatch, QueryPredicate, RouteMatch, RouteRule, Rules,
    UrlMap,
};
use crate::dataplane::resource_id::{BackendServiceId, UrlMapId};

/// Compiles one URL map; what it cannot express is added to the program's problems.
pub(super) fn compile(id: &UrlMapId, body: &Value, program: &mut Program) -> UrlMap {
    let mut reader = Reader { id, program };
    let host_rules = items(body, "hostRules").filter_map(|rule| reader.host_rule(rule)).collect();
    let mut path_matchers = BTreeMap::new();
    for matcher in items(body, "pathMatchers") {
        let Some(name) = text(matcher, "name") else {
            reader.problem("has a path matcher without a name");
            continue;
        };
        let at = format!("path matcher {name}");
        let default = reader.destination(matcher, DEFAULT, &at);
        let rules = reader.rules(matcher, name);
        reader.unserved(matcher, &at, &["defaultCustomErrorResponsePolicy"]);
        let headers = reader.header_action(matcher, &at);
        path_matchers.insert(name.to_owned(), PathMatcher { rules, default, headers });
    }
    let default = reader.destination(body, DEFAULT, "the default");
    reader.unserved(body, "the URL map", &["defaultCustomErrorResponsePolicy"]);
    let headers = reader.header_action(body, "the URL map");
    UrlMap { id: id.clone(), host_rules, path_matchers, default, headers }
}

impl UrlMap {
    /// Every backend service that some rule or default leads to or mirrors to, those without weight included.
    pub(crate) fn backend_services(&self) -> impl Iterator<Item = &BackendServiceId> {
        let Self { id: _, host_rules: _, path_matchers, default, headers: _ } = self;
        let of_matchers = path_matchers.values().flat_map(|PathMatcher { rules, default, headers: _ }| {
            let of_rules: Vec<&Destination> = match rules {
                Rules::Paths(rules) => rules.iter().map(|rule| &rule.destination).collect(),
                Rules::Routes(rules) => rules.iter().map(|rule| &rule.destination).collect(),
            };
            of_rules.into_iter().chain([default])
        });
        of_matchers.chain([default]).flat_map(|destination| match destination {
            Destination::Forward(forward) => {
                let Forward { services, action } = forward.as_ref();
                let mirrored = action.mirror.iter().map(|mirror| &mirror.service);
                services.iter().map(|weighted| &weighted.service).chain(mirrored).collect()
            }
            Destination::Redirect(_) | Destination::Unprogrammed(_) => Vec::new(),
        })
    }
}

struct Reader<'a> {
    id: &'a UrlMapId,
    program: &'a mut Program,
}

impl Reader<'_> {
    fn problem(&mut self, message: impl Into<String>) {
        self.program.problem(self.id.as_str(), message);
    }

    fn unserved(&mut self, body: &Value, at: &str, names: &[&str]) {
        for name in names.iter().filter(|name| field(body, name).is_some()) {
            self.problem(format!("{at} has {name}, which is not served"));
        }
    }

    fn host_rule(&mut self, rule: &Value) -> Option<HostRule> {
        let Some(path_matcher) = text(rule, "pathMatcher") else {
            self.problem("has a host rule without a path matcher");
            return None;
        };
        let hosts = texts(rule, "hosts").map(host_pattern).collect();
        Some(HostRule { hosts, path_matcher: path_matcher.to_owned() })
    }

    fn rules(&mut self, matcher: &Value, name: &str) -> Rules {
        if items(matcher, "routeRules").next().is_some() {
            Rules::Routes(items(matcher, "routeRules").map(|rule| self.route_rule(rule, name)).collect())
        } else {
            Rules::Paths(items(matcher, "pathRules").map(|rule| self.path_rule(rule, name)).collect())
        }
    }

    fn path_rule(&mut self, rule: &Value, matcher: &str) -> PathRule {
        let paths = texts(rule, "paths").map(path_pattern).collect();
        let at = format!("a path rule of {matcher}");
        self.unserved(rule, &at, &["customErrorResponsePolicy"]);
        PathRule { paths, destination: self.destination(rule, RULE, &at) }
    }

    fn route_rule(&mut self, rule: &Value, matcher: &str) -> RouteRule {
        let priority = integer(rule, "priority").and_then(|value| u32::try_from(value).ok()).unwrap_or(0);
        let at = format!("route rule {priority} of {matcher}");
        self.unserved(rule, &at, &["customErrorResponsePolicy"]);
        RouteRule {
            priority,
            matches: items(rule, "matchRules").map(|rule| self.route_match(rule, &at)).collect(),
            destination: self.destination(rule, RULE, &at),
            headers: self.header_action(rule, &at),
        }
    }

    fn route_match(&mut self, rule: &Value, at: &str) -> RouteMatch {
        let ignore_case = flag(rule, "ignoreCase");
        let fold = |value: &str| if ignore_case { value.to_ascii_lowercase() } else { value.to_owned() };
        let path = if let Some(prefix) = text(rule, "prefixMatch") {
            PathMatch::Prefix { prefix: fold(prefix), ignore_case }
        } else if let Some(path) = text(rule, "fullPathMatch") {
            PathMatch::Full { path: fold(path), ignore_case }
        } else if let Some(source) = text(rule, "regexMatch") {
            self.pattern(source, at).map_or(PathMatch::Unserved, PathMatch::Regex)
        } else if let Some(template) = text(rule, "pathTemplateMatch") {
            match PathTemplate::parse(template) {
                Ok(template) => PathMatch::Template(template),
                Err(error) => {
                    self.problem(format!("{at} has the path template {template}, which is none: it {error}"));
                    PathMatch::Unserved
                }
            }
        } else {
            PathMatch::Any
        };
        self.unserved(rule, at, &["metadataFilters"]);
        RouteMatch {
            path,
            headers: items(rule, "headerMatches").map(|header| self.header_match(header, at)).collect(),
            query: items(rule, "queryParameterMatches").map(|query| self.query_match(query, at)).collect(),
        }
    }

    fn header_match(&mut self, header: &Value, at: &str) -> HeaderMatch {
        let predicate = if let Some(value) = text(header, "exactMatch") {
            HeaderPredicate::Exact(value.to_owned())
        } else if let Some(value) = text(header, "prefixMatch") {
            HeaderPredicate::Prefix(value.to_owned())
        } else if let Some(value) = text(header, "suffixMatch") {
            HeaderPredicate::Suffix(value.to_owned())
        } else if let Some(source) = text(header, "regexMatch") {
            self.pattern(source, at).map_or(HeaderPredicate::Unserved, HeaderPredicate::Regex)
        } else if let Some(present) = field(header, "presentMatch").and_then(Value::as_bool) {
            if present { HeaderPredicate::Present } else { HeaderPredicate::Absent }
        } else if let Some(range) = field(header, "rangeMatch") {
            match (integer(range, "rangeStart").unwrap_or(0), integer(range, "rangeEnd")) {
                (start, Some(end)) => HeaderPredicate::Range { start, end },
                (_, None) => HeaderPredicate::Unserved,
            }
        } else {
            self.problem(format!("{at} has a header match without a predicate"));
            HeaderPredicate::Unserved
        };
        HeaderMatch {
            name: text(header, "headerName").unwrap_or_default().to_ascii_lowercase(),
            predicate,
            invert: flag(header, "invertMatch"),
        }
    }

    fn query_match(&mut self, query: &Value, at: &str) -> QueryMatch {
        let predicate = if let Some(value) = text(query, "exactMatch") {
            QueryPredicate::Exact(value.to_owned())
        } else if let Some(source) = text(query, "regexMatch") {
            self.pattern(source, at).map_or(QueryPredicate::Unserved, QueryPredicate::Regex)
        } else if flag(query, "presentMatch") {
            QueryPredicate::Present
        } else {
            self.problem(format!("{at} has a query parameter match without a predicate"));
            QueryPredicate::Unserved
        };
        QueryMatch { name: text(query, "name").unwrap_or_default().to_owned(), predicate }
    }

    fn pattern(&mut self, source: &str, at: &str) -> Option<Pattern> {
        match Pattern::new(source) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                self.problem(format!("{at} has a regular expression that is none: {error}"));
                None
            }
        }
    }
}

fn host_pattern(text: &str) -> HostPattern {
    let text = text.to_ascii_lowercase();
    if text == "*" {
        return HostPattern::Any;
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() => match port.parse() {
            Ok(port) => (host.to_owned(), Some(port)),
            Err(_) => (text, None),
        },
        _ => (text, None),
    };
    match host.strip_prefix('*') {
        Some("") => HostPattern::Any,
        Some(suffix) => HostPattern::Suffix { suffix: suffix.to_owned(), port },
        None => HostPattern::Exact { host, port },
    }
}

fn path_pattern(text: &str) -> PathPattern {
    match text.strip_suffix('*') {
        Some(below) if below.ends_with('/') => PathPattern::Below(below.to_owned()),
        _ => PathPattern::Exact(text.to_owned()),
    }
}
