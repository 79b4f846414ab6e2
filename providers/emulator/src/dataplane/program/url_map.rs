//! URL maps: hosts, path matchers, rules and where they lead.
//!
//! Only what a request can match and where it goes. Weighted services, rewrites, header actions, mirroring,
//! delays, time-outs and retries of a route are not here yet: the compiler reports them as problems.

use std::collections::BTreeMap;
use std::fmt;

use regex::Regex;

use crate::dataplane::resource_id::{BackendServiceId, UrlMapId};

/// A URL map.
#[derive(Debug, Clone, PartialEq)]
pub struct UrlMap {
    /// The resource.
    pub id: UrlMapId,
    /// Which path matcher each host goes to.
    pub host_rules: Vec<HostRule>,
    /// The path matchers by name. A host rule may name one that is not here: it then leads to
    /// [`Destination::Unprogrammed`].
    pub path_matchers: BTreeMap<String, PathMatcher>,
    /// For hosts that no rule speaks of.
    pub default: Destination,
}

/// A host rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostRule {
    /// The hosts.
    pub hosts: Vec<HostPattern>,
    /// The name of the path matcher.
    pub path_matcher: String,
}

/// A host pattern. Parts are in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostPattern {
    /// `*`: any host.
    Any,
    /// `*.example.com`, `*-web.example.com`: what follows the star, and the port if the pattern carries one.
    Suffix {
        /// What the host must end with, beginning with `.` or `-`.
        suffix: String,
        /// The port the request must name.
        port: Option<u16>,
    },
    /// A host by name, and the port if the pattern carries one.
    Exact {
        /// The name.
        host: String,
        /// The port the request must name.
        port: Option<u16>,
    },
}

/// A path matcher.
#[derive(Debug, Clone, PartialEq)]
pub struct PathMatcher {
    /// Path rules or route rules, never both.
    pub rules: Rules,
    /// For paths that no rule matches.
    pub default: Destination,
}

/// The rules of a path matcher.
#[derive(Debug, Clone, PartialEq)]
pub enum Rules {
    /// Path rules; the longest pattern wins, whatever the order.
    Paths(Vec<PathRule>),
    /// Route rules; the lowest priority number that matches wins, whatever the order.
    Routes(Vec<RouteRule>),
}

/// A path rule.
#[derive(Debug, Clone, PartialEq)]
pub struct PathRule {
    /// The patterns.
    pub paths: Vec<PathPattern>,
    /// Where they lead.
    pub destination: Destination,
}

/// A path pattern of a path rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathPattern {
    /// `/a`: that path alone.
    Exact(String),
    /// `/a/*`, kept without the star, so ending with a slash: that and everything below, but not `/a`.
    Below(String),
}

/// A route rule.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteRule {
    /// Lower is tried first.
    pub priority: u32,
    /// Any of them may match. None at all: matches nothing.
    pub matches: Vec<RouteMatch>,
    /// Where it leads.
    pub destination: Destination,
}

/// One entry of `matchRules[]`: all of its parts must match.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteMatch {
    /// The path.
    pub path: PathMatch,
    /// The headers.
    pub headers: Vec<HeaderMatch>,
    /// The query parameters.
    pub query: Vec<QueryMatch>,
}

/// The path part of a route match.
#[derive(Debug, Clone, PartialEq)]
pub enum PathMatch {
    /// No path predicate: every path.
    Any,
    /// `prefixMatch`: a plain prefix of the text.
    Prefix {
        /// The prefix; in lower case if case is ignored.
        prefix: String,
        /// Compare in lower case.
        ignore_case: bool,
    },
    /// `fullPathMatch`.
    Full {
        /// The path; in lower case if case is ignored.
        path: String,
        /// Compare in lower case.
        ignore_case: bool,
    },
    /// `regexMatch` on the whole path.
    Regex(Pattern),
    /// A predicate that is not served (`pathTemplateMatch`): matches nothing.
    Unserved,
}

/// One entry of `headerMatches[]`.
#[derive(Debug, Clone, PartialEq)]
pub struct HeaderMatch {
    /// The header in lower case, or `:authority`, `:method`.
    pub name: String,
    /// What its value must be.
    pub predicate: HeaderPredicate,
    /// Turn the answer round.
    pub invert: bool,
}

/// What a header must be.
#[derive(Debug, Clone, PartialEq)]
pub enum HeaderPredicate {
    /// There at all.
    Present,
    /// Not there.
    Absent,
    /// Exactly this.
    Exact(String),
    /// Beginning with this.
    Prefix(String),
    /// Ending with this.
    Suffix(String),
    /// The whole value matches.
    Regex(Pattern),
    /// An integer in `start..end`. Anything else does not match.
    Range {
        /// The lowest value.
        start: i64,
        /// One above the highest value.
        end: i64,
    },
    /// A predicate that is not understood: matches nothing, inverted or not.
    Unserved,
}

/// One entry of `queryParameterMatches[]`.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryMatch {
    /// The parameter; its first occurrence counts.
    pub name: String,
    /// What its value must be.
    pub predicate: QueryPredicate,
}

/// What a query parameter must be.
#[derive(Debug, Clone, PartialEq)]
pub enum QueryPredicate {
    /// There at all.
    Present,
    /// Exactly this.
    Exact(String),
    /// The whole value matches.
    Regex(Pattern),
    /// A predicate that is not understood: matches nothing.
    Unserved,
}

/// A regular expression that must match a whole text.
#[derive(Clone)]
pub struct Pattern {
    source: String,
    regex: Regex,
}

impl Pattern {
    /// Compiles an expression; an error if it is not one.
    pub fn new(source: &str) -> Result<Self, regex::Error> {
        let regex = Regex::new(&format!("^(?:{source})$"))?;
        Ok(Self { source: source.to_owned(), regex })
    }

    /// Whether the whole of `text` matches.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.source)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

/// Where a rule leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// To a backend service. One that is not in the program has no healthy backend.
    Service(BackendServiceId),
    /// To a backend service, but for the share of requests that a fault policy aborts.
    Aborting {
        /// Where the rest goes.
        service: BackendServiceId,
        /// Which share is aborted, and how.
        abort: Abort,
    },
    /// Answered by the load balancer itself.
    Redirect(Redirect),
    /// Nowhere, with the reason: answered 404.
    Unprogrammed(String),
}

/// A fault that is injected on purpose (`faultInjectionPolicy.abort`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abort {
    /// What the client is answered: 200 to 599.
    pub status: u16,
    /// How many requests of a million.
    pub per_million: u32,
}

/// A URL redirect.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Redirect {
    /// The status.
    pub code: RedirectCode,
    /// Change the scheme to `https`.
    pub https: bool,
    /// Change the host.
    pub host: Option<String>,
    /// Change the path.
    pub path: PathRedirect,
    /// Drop the query.
    pub strip_query: bool,
}

/// How a redirect changes the path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PathRedirect {
    /// Not at all.
    #[default]
    Keep,
    /// `pathRedirect`: this path instead.
    Replace(String),
    /// `prefixRedirect`: this instead of the part of the path that matched.
    ReplaceMatched(String),
}

/// The status of a redirect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RedirectCode {
    /// 301, the default.
    #[default]
    MovedPermanently,
    /// 302.
    Found,
    /// 303.
    SeeOther,
    /// 307.
    TemporaryRedirect,
    /// 308.
    PermanentRedirect,
}
