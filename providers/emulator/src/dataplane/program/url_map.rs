//! URL maps: hosts, path matchers and rules: what a request can match. Where rules lead is in `destination`.

use std::collections::BTreeMap;
use std::fmt;

use regex::Regex;

use super::destination::Destination;
use super::header_action::HeaderAction;
use crate::dataplane::path_template::PathTemplate;
use crate::dataplane::resource_id::UrlMapId;

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
    /// Applied last, whatever rule or default won.
    pub headers: HeaderAction,
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
    /// Applied after those of the rule, for the default too.
    pub headers: HeaderAction,
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
    /// Applied after those of the chosen weighted service.
    pub headers: HeaderAction,
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
    /// `pathTemplateMatch` on the whole path.
    Template(PathTemplate),
    /// A predicate that is not understood: matches nothing.
    Unserved,
}

/// One entry of `headerMatches[]`.
#[derive(Debug, Clone, PartialEq)]
pub struct HeaderMatch {
    /// The header in lower case, or `:authority`, `:method`, or `port` for the port of the authority.
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
        // Alone first: `a)|(?:b` is no expression, but would be one between the brackets.
        Regex::new(source)?;
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
