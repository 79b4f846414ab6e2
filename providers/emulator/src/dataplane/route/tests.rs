mod actions;

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue};

use super::matching::{header_matches, query_matches};
use super::*;
use crate::dataplane::program::{
    HeaderMatch, HeaderPredicate, HostPattern, HostRule, PathMatch, PathPattern, PathRedirect, PathRule,
    Pattern, QueryMatch, QueryPredicate, RedirectCode, RouteMatch, RouteRule,
};
use crate::dataplane::resource_id::UrlMapId;

fn to(name: &str) -> Destination {
    Destination::to_service(BackendServiceId::new(name))
}

fn head<'a>(authority: &'a str, path: &'a str, headers: &'a HeaderMap) -> RequestHead<'a> {
    RequestHead { authority, path, query: None, method: "GET", headers }
}

fn routed<'a>(map: &'a UrlMap, request: &RequestHead<'_>) -> Routed<'a> {
    route(map, request, &Circumstances::nobodys(Scheme::Managed))
}

fn name<'a>(routed: &Routed<'a>) -> &'a str {
    match routed {
        Routed::Forward(forwarding) => forwarding.service.as_str(),
        Routed::Redirect { .. } => "redirect",
        Routed::Nowhere(_) => "nowhere",
    }
}

fn matcher(rules: Rules, default: &str) -> PathMatcher {
    PathMatcher { rules, default: to(default), headers: HeaderAction::default() }
}

/// A map whose hosts lead to matchers that only have a default of the host's own spelling.
fn by_host(patterns: &[(&str, HostPattern)]) -> UrlMap {
    UrlMap {
        id: UrlMapId::new("m"),
        host_rules: patterns
            .iter()
            .map(|(name, pattern)| HostRule {
                hosts: vec![pattern.clone()],
                path_matcher: (*name).to_owned(),
            })
            .collect(),
        path_matchers: patterns
            .iter()
            .map(|(name, _)| ((*name).to_owned(), matcher(Rules::Paths(Vec::new()), name)))
            .collect(),
        default: to("default"),
        headers: HeaderAction::default(),
    }
}

/// A map with one matcher for every host.
fn by_rules(rules: Rules) -> UrlMap {
    UrlMap {
        id: UrlMapId::new("m"),
        host_rules: vec![HostRule { hosts: vec![HostPattern::Any], path_matcher: "all".to_owned() }],
        path_matchers: BTreeMap::from([("all".to_owned(), matcher(rules, "default"))]),
        default: to("unreached"),
        headers: HeaderAction::default(),
    }
}

fn exact(host: &str, port: Option<u16>) -> HostPattern {
    HostPattern::Exact { host: host.to_owned(), port }
}

fn suffix(suffix: &str) -> HostPattern {
    HostPattern::Suffix { suffix: suffix.to_owned(), port: None }
}

#[test]
fn hosts_by_precedence() {
    let map = by_host(&[
        ("*", HostPattern::Any),
        ("*.example.com", suffix(".example.com")),
        ("*.shop.example.com", suffix(".shop.example.com")),
        ("*-web.example.com", suffix("-web.example.com")),
        ("shop.example.com", exact("shop.example.com", None)),
        ("port.example.com:8080", exact("port.example.com", Some(8080))),
        ("port.example.com", exact("port.example.com", None)),
    ]);
    let headers = HeaderMap::new();
    for (host, expected) in [
        ("shop.example.com", "shop.example.com"),
        ("SHOP.Example.Com", "shop.example.com"),
        ("shop.example.com:8080", "shop.example.com"),
        ("a.example.com", "*.example.com"),
        ("a.b.example.com", "*.example.com"),
        ("a.shop.example.com", "*.shop.example.com"),
        ("a-web.example.com", "*-web.example.com"),
        ("example.com", "*"),
        ("other.net", "*"),
        ("a_b.example.com", "*"),
        ("port.example.com:8080", "port.example.com:8080"),
        ("port.example.com:80", "port.example.com"),
        ("port.example.com", "port.example.com"),
        ("[::1]:80", "*"),
        ("[::1]", "*"),
        ("127.0.0.1", "*"),
        ("", "*"),
        (":", "*"),
    ] {
        assert_eq!(name(&routed(&map, &head(host, "/", &headers))), expected, "{host}");
    }
}

#[test]
fn a_host_without_a_rule_goes_to_the_maps_default() {
    let map = by_host(&[("shop.example.com", exact("shop.example.com", None))]);
    assert_eq!(name(&routed(&map, &head("other", "/", &HeaderMap::new()))), "default");
}

#[test]
fn a_host_rule_without_its_matcher_leads_nowhere() {
    let mut map = by_host(&[("*", HostPattern::Any)]);
    map.path_matchers.clear();
    assert_eq!(name(&routed(&map, &head("h", "/", &HeaderMap::new()))), "nowhere");
}

fn path_rules(paths: &[&str]) -> Rules {
    let rules = paths.iter().map(|text| PathRule {
        paths: vec![match text.strip_suffix('*') {
            Some(below) => PathPattern::Below(below.to_owned()),
            None => PathPattern::Exact((*text).to_owned()),
        }],
        destination: to(text),
    });
    Rules::Paths(rules.collect())
}

#[test]
fn paths_longest_first_whatever_their_order() {
    let patterns = ["/*", "/a", "/a/*", "/a/b", "/a/b/*", "/a/b/c", "/video/", "/video/*"];
    let headers = HeaderMap::new();
    for order in [patterns.to_vec(), patterns.iter().rev().copied().collect()] {
        let map = by_rules(path_rules(&order));
        for (path, expected, matched) in [
            ("/", "/*", 1),
            ("/x", "/*", 1),
            ("/a", "/a", 2),
            ("/a/", "/a/*", 3),
            ("/a/x", "/a/*", 3),
            ("/ab", "/*", 1),
            ("/A", "/*", 1),
            ("/%61", "/*", 1),
            ("/a/b", "/a/b", 4),
            ("/a/b/", "/a/b/*", 5),
            ("/a/b/c", "/a/b/c", 6),
            ("/a/b/c/d", "/a/b/*", 5),
            ("/video/", "/video/", 7),
            ("/video/1", "/video/*", 7),
            ("/video", "/*", 1),
        ] {
            let request = head("h", path, &headers);
            assert_eq!(name(&routed(&map, &request)), expected, "{path}");
            // What was matched is what a redirect of the prefix replaces.
            let moved = moved(&map, &request);
            assert_eq!(moved, path[matched..], "{path}");
        }
    }
}

/// What is left of the path when every rule of the map takes away what it matched.
fn moved(map: &UrlMap, request: &RequestHead<'_>) -> String {
    let mut map = map.clone();
    let nothing = PathRedirect::ReplaceMatched(String::new());
    let redirect = Redirect { path: nothing, ..Redirect::default() };
    let Rules::Paths(rules) = &mut map.path_matchers.get_mut("all").unwrap().rules else { panic!() };
    for rule in rules {
        rule.destination = Destination::Redirect(redirect.clone());
    }
    let Routed::Redirect { redirect, matched } = routed(&map, request) else { panic!() };
    let url = RequestUrl { scheme: "http", authority: "h", path: request.path, query: None };
    location(redirect, &url, matched, 443)["http://h".len()..].to_owned()
}

#[test]
fn a_path_without_a_rule_goes_to_the_matchers_default() {
    let map = by_rules(path_rules(&["/a", "/a/*"]));
    let headers = HeaderMap::new();
    for path in ["/", "/b", "*", ""] {
        assert_eq!(name(&routed(&map, &head("h", path, &headers))), "default", "{path}");
    }
}

fn prefix(prefix: &str) -> PathMatch {
    PathMatch::Prefix { prefix: prefix.to_owned(), ignore_case: false }
}

fn route_rule(priority: u32, name: &str, path: PathMatch) -> RouteRule {
    let matches = vec![RouteMatch { path, headers: Vec::new(), query: Vec::new() }];
    RouteRule { priority, matches, destination: to(name), headers: HeaderAction::default() }
}

#[test]
fn route_rules_by_priority_whatever_their_order() {
    let folded = PathMatch::Full { path: "/full".to_owned(), ignore_case: true };
    let map = by_rules(Rules::Routes(vec![
        route_rule(30, "all", prefix("/")),
        route_rule(10, "star", prefix("/a*")),
        route_rule(20, "a", prefix("/a")),
        route_rule(5, "full", folded),
        route_rule(1, "regex", PathMatch::Regex(Pattern::new("/v[0-9]+|/x").unwrap())),
        route_rule(0, "unserved", PathMatch::Unserved),
    ]));
    let headers = HeaderMap::new();
    for (path, expected) in [
        ("/", "all"),
        ("/ab", "a"),
        ("/a*b", "star"),
        ("/Full", "full"),
        ("/full/", "all"),
        ("/v12", "regex"),
        ("/v12/", "all"),
        ("/x", "regex"),
    ] {
        assert_eq!(name(&routed(&map, &head("h", path, &headers))), expected, "{path}");
    }
}

#[test]
fn a_rule_without_matches_matches_nothing() {
    let headers = HeaderAction::default();
    let rule = RouteRule { priority: 0, matches: Vec::new(), destination: to("rule"), headers };
    let map = by_rules(Rules::Routes(vec![rule]));
    assert_eq!(name(&routed(&map, &head("h", "/", &HeaderMap::new()))), "default");
}

/// Whether one header match lets a request through.
fn header(name: &str, predicate: HeaderPredicate, invert: bool, sent: &[(&str, &str)]) -> bool {
    let wanted = HeaderMatch { name: name.to_owned(), predicate, invert };
    let headers: HeaderMap = sent
        .iter()
        .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap()))
        .collect();
    header_matches(&wanted, &head("h.example:80", "/", &headers))
}

#[test]
fn headers_match_by_their_predicate() {
    use HeaderPredicate::{Absent, Exact, Prefix, Present, Range, Regex, Suffix, Unserved};
    let text = str::to_owned;
    let one = [("x-a", "12")];
    for (predicate, sent, expected) in [
        (Present, &one[..], true),
        (Present, &[], false),
        (Absent, &one[..], false),
        (Absent, &[], true),
        (Exact(text("12")), &one[..], true),
        (Exact(text("1")), &one[..], false),
        (Exact(text("")), &[], false),
        (Prefix(text("1")), &one[..], true),
        (Suffix(text("2")), &one[..], true),
        (Suffix(text("1")), &one[..], false),
        (Regex(Pattern::new("[0-9]+").unwrap()), &one[..], true),
        (Regex(Pattern::new("[0-9]").unwrap()), &one[..], false),
        (Range { start: 12, end: 13 }, &one[..], true),
        (Range { start: 11, end: 12 }, &one[..], false),
        (Range { start: 0, end: 99 }, &[("x-a", "twelve")], false),
        (Exact(text("1,2")), &[("x-a", "1"), ("x-a", "2")], true),
    ] {
        assert_eq!(header("x-a", predicate.clone(), false, sent), expected, "{predicate:?} {sent:?}");
        assert_eq!(header("x-a", predicate.clone(), true, sent), !expected, "not {predicate:?} {sent:?}");
    }
    assert!(!header("x-a", Unserved, false, &one));
    assert!(!header("x-a", Unserved, true, &one));
    assert!(header(":method", Exact(text("GET")), false, &[]));
    assert!(header(":authority", Exact(text("h.example:80")), false, &[]));
    assert!(header("host", Prefix(text("h.")), false, &[]));
}

#[test]
fn query_parameters_match_by_their_predicate() {
    let matches = |name: &str, predicate, query: &str| {
        query_matches(&QueryMatch { name: name.to_owned(), predicate }, query)
    };
    assert!(matches("a", QueryPredicate::Present, "a"));
    assert!(matches("a", QueryPredicate::Present, "b=1&a=2"));
    assert!(!matches("a", QueryPredicate::Present, "ab=1"));
    assert!(!matches("a", QueryPredicate::Present, ""));
    assert!(matches("a", QueryPredicate::Exact("1".to_owned()), "a=1&a=2"));
    assert!(!matches("a", QueryPredicate::Exact("2".to_owned()), "a=1&a=2"));
    assert!(matches("a", QueryPredicate::Regex(Pattern::new("[0-9]+").unwrap()), "a=12"));
    assert!(!matches("a", QueryPredicate::Unserved, "a=12"));
}

#[test]
fn all_parts_of_a_match_and_any_of_the_matches() {
    let present = |name: &str| HeaderMatch {
        name: name.to_owned(),
        predicate: HeaderPredicate::Present,
        invert: false,
    };
    let both = RouteMatch {
        path: prefix("/a"),
        headers: vec![present("x-a")],
        query: vec![QueryMatch { name: "q".to_owned(), predicate: QueryPredicate::Present }],
    };
    let other = RouteMatch { path: prefix("/b"), headers: Vec::new(), query: Vec::new() };
    let map = by_rules(Rules::Routes(vec![RouteRule {
        priority: 0,
        matches: vec![both, other],
        destination: to("rule"),
        headers: HeaderAction::default(),
    }]));
    let with: HeaderMap =
        [(HeaderName::from_static("x-a"), HeaderValue::from_static("1"))].into_iter().collect();
    let without = HeaderMap::new();
    for (path, query, headers, expected) in [
        ("/a", Some("q"), &with, "rule"),
        ("/a", None, &with, "default"),
        ("/a", Some("q"), &without, "default"),
        ("/b", None, &without, "rule"),
    ] {
        let request = RequestHead { query, ..head("h", path, headers) };
        assert_eq!(name(&routed(&map, &request)), expected, "{path} {query:?}");
    }
}

fn redirect() -> Redirect {
    Redirect::default()
}

#[test]
fn locations() {
    let url = RequestUrl { scheme: "http", authority: "shop.example:8080", path: "/a/b", query: Some("q=1") };
    let host = Some("new.example".to_owned());
    let replace = PathRedirect::Replace("/moved".to_owned());
    let prefix = PathRedirect::ReplaceMatched("/new/".to_owned());
    for (redirect, expected) in [
        (redirect(), "http://shop.example:8080/a/b?q=1"),
        (Redirect { https: true, ..redirect() }, "https://shop.example/a/b?q=1"),
        (Redirect { strip_query: true, ..redirect() }, "http://shop.example:8080/a/b"),
        (Redirect { host: host.clone(), ..redirect() }, "http://new.example/a/b?q=1"),
        (Redirect { path: replace.clone(), ..redirect() }, "http://shop.example:8080/moved?q=1"),
        (Redirect { path: prefix, ..redirect() }, "http://shop.example:8080/new/b?q=1"),
        (
            Redirect { https: true, host, path: replace, strip_query: true, ..redirect() },
            "https://new.example/moved",
        ),
    ] {
        assert_eq!(location(&redirect, &url, "/a/".len(), 443), expected);
    }
}

#[test]
fn a_location_names_the_port_that_https_has_here() {
    let https = Redirect { https: true, ..redirect() };
    let location = |authority, port| {
        location(&https, &RequestUrl { scheme: "http", authority, path: "/", query: None }, 0, port)
    };
    assert_eq!(location("shop.example:9080", 9443), "https://shop.example:9443/");
    assert_eq!(location("[::1]:80", 443), "https://[::1]/");
    assert_eq!(location("[::1]", 443), "https://[::1]/");
    assert_eq!(location("[::1]", 9443), "https://[::1]:9443/");
}

#[test]
fn redirect_codes() {
    let codes = [
        RedirectCode::MovedPermanently,
        RedirectCode::Found,
        RedirectCode::SeeOther,
        RedirectCode::TemporaryRedirect,
        RedirectCode::PermanentRedirect,
    ];
    assert_eq!(codes.map(|code| code.status().as_u16()), [301, 302, 303, 307, 308]);
}
