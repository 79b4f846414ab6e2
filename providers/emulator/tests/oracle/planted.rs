//! Bugs planted in the router on purpose: the comparison must catch each of them.
//!
//! A bug here is a URL map that the router reads otherwise than it should: the compiled map is changed behind its back, for
//! every request anew, so that what the router then answers is what a router with the bug would answer to the map as it was.
//! So no switch for bugs is in the router itself.

use emulator::dataplane::path_template::PathTemplate;
use emulator::dataplane::program::{
    Destination, Forward, HeaderAction, HeaderMatch, HeaderPredicate, HostPattern, Mode, PathMatch,
    PathPattern, PathRedirect, PathRewrite, Pattern, QueryPredicate, Redirect, RedirectCode, RouteMatch,
    RouteRule, Rules, Share, UrlMap,
};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::generate::{self, Case};
use crate::oracle;
use crate::request::{Kind, Outcome, Request};
use crate::router::{self, Compiled};

/// Within so many pairs every bug must show. Most show within a hundred.
const WITHIN: usize = 4_000;

type Bug = (&'static str, fn(&mut UrlMap, &Request));

fn destinations(map: &mut UrlMap, change: fn(&mut Destination)) {
    change(&mut map.default);
    for matcher in map.path_matchers.values_mut() {
        change(&mut matcher.default);
        match &mut matcher.rules {
            Rules::Paths(rules) => rules.iter_mut().for_each(|rule| change(&mut rule.destination)),
            Rules::Routes(rules) => rules.iter_mut().for_each(|rule| change(&mut rule.destination)),
        }
    }
}

fn redirects(map: &mut UrlMap, change: fn(&mut Redirect)) {
    // A function pointer cannot carry `change`, so the walk is written out.
    let mut all: Vec<&mut Destination> = vec![&mut map.default];
    for matcher in map.path_matchers.values_mut() {
        all.push(&mut matcher.default);
        match &mut matcher.rules {
            Rules::Paths(rules) => all.extend(rules.iter_mut().map(|rule| &mut rule.destination)),
            Rules::Routes(rules) => all.extend(rules.iter_mut().map(|rule| &mut rule.destination)),
        }
    }
    for destination in all {
        if let Destination::Redirect(redirect) = destination {
            change(redirect);
        }
    }
}

fn forwards(map: &mut UrlMap, change: fn(&mut Forward)) {
    let mut all: Vec<&mut Destination> = vec![&mut map.default];
    for matcher in map.path_matchers.values_mut() {
        all.push(&mut matcher.default);
        match &mut matcher.rules {
            Rules::Paths(rules) => all.extend(rules.iter_mut().map(|rule| &mut rule.destination)),
            Rules::Routes(rules) => all.extend(rules.iter_mut().map(|rule| &mut rule.destination)),
        }
    }
    for destination in all {
        if let Destination::Forward(forward) = destination {
            change(forward);
        }
    }
}

fn routes(map: &mut UrlMap) -> impl Iterator<Item = &mut RouteRule> {
    map.path_matchers.values_mut().flat_map(|matcher| match &mut matcher.rules {
        Rules::Paths(_) => [].iter_mut(),
        Rules::Routes(rules) => rules.iter_mut(),
    })
}

fn matches(map: &mut UrlMap) -> impl Iterator<Item = &mut RouteMatch> {
    routes(map).flat_map(|rule| rule.matches.iter_mut())
}

fn header_matches(map: &mut UrlMap) -> impl Iterator<Item = &mut HeaderMatch> {
    matches(map).flat_map(|rule| rule.headers.iter_mut())
}

/// The patterns of each matcher's path rules.
fn paths(map: &mut UrlMap) -> impl Iterator<Item = Vec<&mut Vec<PathPattern>>> {
    map.path_matchers.values_mut().map(|matcher| match &mut matcher.rules {
        Rules::Paths(rules) => rules.iter_mut().map(|rule| &mut rule.paths).collect(),
        Rules::Routes(_) => Vec::new(),
    })
}

fn hosts(map: &mut UrlMap) -> Vec<HostPattern> {
    map.host_rules.iter().flat_map(|rule| rule.hosts.clone()).collect()
}

fn header_actions(map: &mut UrlMap, change: fn(&mut HeaderAction)) {
    change(&mut map.headers);
    for matcher in map.path_matchers.values_mut() {
        change(&mut matcher.headers);
    }
    routes(map).for_each(|rule| change(&mut rule.headers));
}

const BUGS: &[Bug] = &[
    ("the shortest path pattern wins", |map, request| {
        let text = |pattern: &PathPattern| match pattern {
            PathPattern::Exact(text) => (text.len(), *text == request.path),
            PathPattern::Below(text) => (text.len(), request.path.starts_with(text.as_str())),
        };
        for mut rules in paths(map) {
            let fitting = rules.iter().flat_map(|paths| paths.iter()).map(text).filter(|(_, fits)| *fits);
            let Some((shortest, _)) = fitting.min() else { continue };
            for paths in &mut rules {
                paths.retain(|path| text(path).0 <= shortest || !text(path).1);
            }
        }
    }),
    ("`/a/*` matches `/a`", |map, _| {
        for rules in paths(map) {
            for paths in rules {
                let more: Vec<_> = paths
                    .iter()
                    .filter_map(|path| match path {
                        PathPattern::Below(text) if text != "/" => {
                            Some(PathPattern::Exact(text.trim_end_matches('/').to_owned()))
                        }
                        _ => None,
                    })
                    .collect();
                paths.extend(more);
            }
        }
    }),
    ("`/a/*` does not match `/a/`", |map, request| {
        for rules in paths(map) {
            for paths in rules {
                paths.retain(|path| *path != PathPattern::Below(request.path.clone()));
            }
        }
    }),
    ("`/a` matches everything below", |map, _| {
        for rules in paths(map) {
            for path in rules.into_iter().flatten() {
                if let PathPattern::Exact(text) = path {
                    *path = PathPattern::Below(text.clone());
                }
            }
        }
    }),
    ("priority descending", |map, _| routes(map).for_each(|rule| rule.priority = u32::MAX - rule.priority)),
    ("rules in the order they are written", |map, _| {
        for (place, rule) in routes(map).enumerate() {
            rule.priority = u32::try_from(place).unwrap();
        }
    }),
    ("a wildcard beats an exact host", |map, _| {
        let all = hosts(map);
        let covered = |host: &str| {
            all.iter().any(
                |other| matches!(other, HostPattern::Suffix { suffix, port: None } if host.ends_with(suffix)),
            )
        };
        for rule in &mut map.host_rules {
            rule.hosts.retain(|host| !matches!(host, HostPattern::Exact { host, .. } if covered(host)));
        }
    }),
    ("the shorter wildcard beats the longer", |map, _| {
        let all = hosts(map);
        let covered = |suffix: &str| {
            all.iter().any(|other| {
                matches!(other, HostPattern::Suffix { suffix: other, port: None } if suffix != other && suffix.ends_with(other))
            })
        };
        for rule in &mut map.host_rules {
            rule.hosts.retain(|host| !matches!(host, HostPattern::Suffix { suffix, .. } if covered(suffix)));
        }
    }),
    ("`*` beats every host", |map, _| {
        if hosts(map).contains(&HostPattern::Any) {
            map.host_rules.iter_mut().for_each(|rule| rule.hosts.retain(|host| *host == HostPattern::Any));
        }
    }),
    ("`*.example.com` matches `example.com`", |map, _| {
        for rule in &mut map.host_rules {
            let more: Vec<_> = rule
                .hosts
                .iter()
                .filter_map(|host| match host {
                    HostPattern::Suffix { suffix, port } => {
                        let host = suffix.strip_prefix('.')?.to_owned();
                        Some(HostPattern::Exact { host, port: *port })
                    }
                    _ => None,
                })
                .collect();
            rule.hosts.extend(more);
        }
    }),
    ("the port of a host pattern is ignored", |map, _| {
        for host in map.host_rules.iter_mut().flat_map(|rule| rule.hosts.iter_mut()) {
            if let HostPattern::Exact { port, .. } | HostPattern::Suffix { port, .. } = host {
                *port = None;
            }
        }
    }),
    ("hosts are compared with their case", |map, request| {
        if request.host.chars().any(|c| c.is_ascii_uppercase()) {
            map.host_rules.iter_mut().for_each(|rule| rule.hosts.retain(|host| *host == HostPattern::Any));
        }
    }),
    ("a matcher without a match falls back to the map's default", |map, _| {
        for matcher in map.path_matchers.values_mut() {
            matcher.default = map.default.clone();
        }
    }),
    ("only the first match rule counts", |map, _| routes(map).for_each(|rule| rule.matches.truncate(1))),
    ("headers are not looked at", |map, _| matches(map).for_each(|rule| rule.headers.clear())),
    ("only the first header match counts", |map, _| matches(map).for_each(|rule| rule.headers.truncate(1))),
    ("query parameters are not looked at", |map, _| matches(map).for_each(|rule| rule.query.clear())),
    ("invertMatch is ignored", |map, _| header_matches(map).for_each(|header| header.invert = false)),
    ("an inverted match needs the header", |map, request| {
        for rule in matches(map) {
            let missing = |header: &HeaderMatch| {
                header.name.starts_with("x-")
                    && header.invert
                    && !request.headers.iter().any(|(name, _)| *name == header.name)
            };
            if rule.headers.iter().any(missing) {
                rule.path = PathMatch::Unserved;
            }
        }
    }),
    ("a range is closed", |map, _| {
        for header in header_matches(map) {
            if let HeaderPredicate::Range { end, .. } = &mut header.predicate {
                *end += 1;
            }
        }
    }),
    ("prefix and suffix of a header are mixed up", |map, _| {
        for header in header_matches(map) {
            header.predicate = match header.predicate.clone() {
                HeaderPredicate::Prefix(text) => HeaderPredicate::Suffix(text),
                HeaderPredicate::Suffix(text) => HeaderPredicate::Prefix(text),
                other => other,
            };
        }
    }),
    ("an exact header is looked for at the beginning", |map, _| {
        for header in header_matches(map) {
            if let HeaderPredicate::Exact(text) = &header.predicate {
                header.predicate = HeaderPredicate::Prefix(text.clone());
            }
        }
    }),
    ("a query parameter need only be there", |map, _| {
        matches(map)
            .flat_map(|rule| rule.query.iter_mut())
            .for_each(|query| query.predicate = QueryPredicate::Present);
    }),
    ("ignoreCase is ignored", |map, request| {
        for rule in matches(map) {
            let lost = match &rule.path {
                PathMatch::Prefix { prefix, ignore_case: true } => !request.path.starts_with(prefix.as_str()),
                PathMatch::Full { path, ignore_case: true } => request.path != *path,
                _ => false,
            };
            if lost {
                rule.path = PathMatch::Unserved;
            }
        }
    }),
    ("case is always ignored", |map, _| {
        for rule in matches(map) {
            if let PathMatch::Prefix { prefix: text, ignore_case }
            | PathMatch::Full { path: text, ignore_case } = &mut rule.path
            {
                (*text, *ignore_case) = (text.to_lowercase(), true);
            }
        }
    }),
    ("a prefix ends at a slash", |map, request| {
        for rule in matches(map) {
            if let PathMatch::Prefix { prefix, ignore_case: false } = &rule.path
                && let Some(rest) = request.path.strip_prefix(prefix.as_str())
                && !prefix.ends_with('/')
                && !rest.is_empty()
                && !rest.starts_with('/')
            {
                rule.path = PathMatch::Unserved;
            }
        }
    }),
    ("the star of a prefix is a wildcard", |map, _| {
        for rule in matches(map) {
            if let PathMatch::Prefix { prefix, .. } = &mut rule.path {
                *prefix = prefix.trim_end_matches('*').to_owned();
            }
        }
    }),
    ("a full path is a prefix", |map, _| {
        for rule in matches(map) {
            if let PathMatch::Full { path, ignore_case } = rule.path.clone() {
                rule.path = PathMatch::Prefix { prefix: path, ignore_case };
            }
        }
    }),
    ("a regular expression matches a part", |map, request| {
        for rule in matches(map) {
            if let PathMatch::Regex(pattern) = &rule.path {
                // What stands between the slashes is the expression.
                let text = format!("{pattern:?}");
                let loose = Pattern::new(&format!("{}.*", &text[1..text.len() - 1])).unwrap();
                if loose.matches(&request.path) {
                    rule.path = PathMatch::Regex(loose);
                }
            }
        }
    }),
    ("`*` of a template crosses segments", |map, _| {
        for rule in matches(map) {
            if let PathMatch::Template(template) = &rule.path {
                let text = format!("{template:?}");
                if let Some(at) = text.rfind('*').filter(|at| !text[..*at].ends_with('*')) {
                    let loose = format!("{}*{}", &text[..at], &text[at..]);
                    if let Ok(loose) = PathTemplate::parse(&loose) {
                        rule.path = PathMatch::Template(loose);
                    }
                }
            }
        }
    }),
    ("a rewrite keeps the slash of the pattern", |map, _| {
        forwards(map, |forward| {
            if let PathRewrite::ReplaceMatched(prefix) = &mut forward.action.rewrite.path
                && !prefix.ends_with('/')
            {
                prefix.push('/');
            }
        });
    }),
    ("pathPrefixRewrite is ignored", |map, _| {
        forwards(map, |forward| {
            if matches!(forward.action.rewrite.path, PathRewrite::ReplaceMatched(_)) {
                forward.action.rewrite.path = PathRewrite::Keep;
            }
        });
    }),
    ("pathTemplateRewrite is ignored", |map, _| {
        forwards(map, |forward| {
            if matches!(forward.action.rewrite.path, PathRewrite::Template(_)) {
                forward.action.rewrite.path = PathRewrite::Keep;
            }
        });
    }),
    ("hostRewrite is ignored", |map, _| forwards(map, |forward| forward.action.rewrite.host = None)),
    ("stripQuery is ignored", |map, _| redirects(map, |redirect| redirect.strip_query = false)),
    ("a redirect is 302 by default", |map, _| {
        redirects(map, |redirect| {
            if redirect.code == RedirectCode::MovedPermanently {
                redirect.code = RedirectCode::Found;
            }
        });
    }),
    ("307 and 308 are mixed up", |map, _| {
        redirects(map, |redirect| {
            redirect.code = match redirect.code {
                RedirectCode::TemporaryRedirect => RedirectCode::PermanentRedirect,
                RedirectCode::PermanentRedirect => RedirectCode::TemporaryRedirect,
                other => other,
            };
        });
    }),
    ("httpsRedirect is ignored", |map, _| redirects(map, |redirect| redirect.https = false)),
    ("hostRedirect is ignored", |map, _| redirects(map, |redirect| redirect.host = None)),
    ("prefixRedirect replaces the whole path", |map, _| {
        redirects(map, |redirect| {
            if let PathRedirect::ReplaceMatched(prefix) = &redirect.path {
                redirect.path = PathRedirect::Replace(prefix.clone());
            }
        });
    }),
    ("the first weighted service gets everything", |map, _| {
        forwards(map, |forward| forward.services.truncate(1));
    }),
    ("a weight of 0 is 1", |map, _| {
        forwards(map, |forward| forward.services.iter_mut().for_each(|to| to.weight = to.weight.max(1)));
    }),
    ("weights are all alike", |map, _| {
        forwards(map, |forward| forward.services.iter_mut().for_each(|to| to.weight = to.weight.min(1)));
    }),
    ("the services are counted from the other end", |map, _| {
        forwards(map, |forward| forward.services.reverse());
    }),
    ("header actions of map and matcher in the wrong order", |map, _| {
        // There is one set of actions for the map only, so this bug is that of its first matcher.
        if let Some(first) = map.path_matchers.values_mut().next() {
            std::mem::swap(&mut first.headers, &mut map.headers);
        }
    }),
    ("headers of a weighted service are ignored", |map, _| {
        forwards(map, |forward| {
            forward.services.iter_mut().for_each(|to| to.headers = HeaderAction::default());
        });
    }),
    ("headers are always appended", |map, _| {
        header_actions(map, |action| {
            for header in action.request_add.iter_mut().chain(&mut action.response_add) {
                header.mode = Mode::Append;
            }
        });
    }),
    ("headers are always replaced", |map, _| {
        header_actions(map, |action| {
            for header in action.request_add.iter_mut().chain(&mut action.response_add) {
                header.mode = Mode::Replace;
            }
        });
    }),
    ("headers are removed after they were added", |map, _| {
        header_actions(map, |action| {
            let HeaderAction { request_remove, request_add, response_remove, response_add } = action;
            request_add.retain(|header| !request_remove.contains(&header.name));
            response_add.retain(|header| !response_remove.contains(&header.name));
        });
    }),
    ("headers of answers are not touched", |map, _| {
        header_actions(map, |action| {
            action.response_add.clear();
            action.response_remove.clear();
        });
    }),
    ("every request is mirrored", |map, _| {
        forwards(map, |forward| {
            if let Some(mirror) = &mut forward.action.mirror {
                mirror.share = Share::ALL;
            }
        });
    }),
    ("aborts are ten times as rare", |map, _| {
        forwards(map, |forward| {
            if let Some(abort) = &mut forward.action.abort {
                abort.share.per_million /= 10;
            }
        });
    }),
    ("the time-out of a route is ignored", |map, _| forwards(map, |forward| forward.action.timeout = None)),
    ("a redirect that leads nowhere", |map, _| {
        destinations(map, |destination| {
            if matches!(destination, Destination::Redirect(_)) {
                *destination = Destination::Unprogrammed(String::new());
            }
        });
    }),
];

/// What the oracle says of some maps and requests, always the same ones.
struct Pairs(Vec<(Compiled, Vec<(Request, Outcome)>)>);

impl Pairs {
    fn draw() -> Self {
        let mut runner = TestRunner::deterministic();
        let mut pairs = Vec::new();
        for _ in 0..WITHIN.div_ceil(generate::REQUESTS * Kind::ALL.len()) {
            for kind in Kind::ALL {
                let Case { map, requests } = generate::case(kind).new_tree(&mut runner).unwrap().current();
                let said = requests.into_iter().map(|request| {
                    let (outcome, _) = oracle::say(kind, &map, &request);
                    (request, outcome)
                });
                pairs.push((router::compiled(kind, &map), said.collect()));
            }
        }
        Self(pairs)
    }

    /// After how many pairs the bug shows.
    fn catch(&self, bug: fn(&mut UrlMap, &Request)) -> Option<usize> {
        let pairs = self.0.iter().flat_map(|(compiled, said)| said.iter().map(move |pair| (compiled, pair)));
        for (count, (compiled, (request, expected))) in pairs.enumerate() {
            let mut broken = compiled.clone();
            bug(&mut broken.map, request);
            if router::answer(&broken, request) != *expected {
                return Some(count + 1);
            }
        }
        None
    }
}

#[test]
fn every_planted_bug_is_caught() {
    let pairs = Pairs::draw();
    assert_eq!(pairs.catch(|_, _| {}), None, "without a bug they agree");
    let mut missed = Vec::new();
    for (name, bug) in BUGS {
        match pairs.catch(*bug) {
            Some(count) => println!("{name}: caught after {count} pairs"),
            None => missed.push(*name),
        }
    }
    assert!(missed.is_empty(), "not caught within {WITHIN} pairs: {missed:#?}");
}
