//! The router: which destination a URL map gives a request.
//!
//! Written from the rules of URL maps alone, without side effects and total: any map and any request have an
//! answer. It knows nothing of backends, health or sockets.
//!
//! What Google leaves open is decided so: an exact host beats a wildcard, the longer wildcard beats the shorter,
//! `*` comes last, and at equal length a pattern with a port beats one without; of two path patterns with the
//! same text before the star the one without a star wins; paths are compared byte by byte without decoding;
//! query parameters are compared as they were sent; `invertMatch` turns round the answer of a predicate whatever
//! the reason it did not match.

mod redirect;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use http::HeaderMap;

pub use self::redirect::{RequestUrl, location};
use super::program::{
    Abort, Destination, HeaderMatch, HeaderPredicate, HostPattern, PathMatch, PathMatcher, PathPattern,
    PathRule, QueryMatch, QueryPredicate, Redirect, RouteMatch, RouteRule, Rules, UrlMap,
};
use super::resource_id::BackendServiceId;

/// The parts of a request that a URL map looks at.
#[derive(Debug, Clone, Copy)]
pub struct RequestHead<'a> {
    /// The host as the client wrote it, with its port if it named one; empty if it sent none.
    pub authority: &'a str,
    /// The path, without query and fragment.
    pub path: &'a str,
    /// The query without its question mark.
    pub query: Option<&'a str>,
    /// The method.
    pub method: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
}

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Routed<'a> {
    /// To a backend service.
    Service {
        /// The service.
        service: &'a BackendServiceId,
        /// How many bytes of the path the winning pattern matched; zero for defaults and patterns without text.
        matched: usize,
    },
    /// To a backend service, unless this request is among those that are aborted.
    Aborting {
        /// The service.
        service: &'a BackendServiceId,
        /// Which share, and how.
        abort: &'a Abort,
        /// As for a service.
        matched: usize,
    },
    /// Redirected.
    Redirect {
        /// How.
        redirect: &'a Redirect,
        /// As for a service.
        matched: usize,
    },
    /// Nowhere, and why.
    Nowhere(&'a str),
}

/// Routes one request.
#[must_use]
pub fn route<'a>(url_map: &'a UrlMap, request: &RequestHead<'_>) -> Routed<'a> {
    let UrlMap { id: _, host_rules, path_matchers, default } = url_map;
    let (host, port) = split_authority(request.authority);
    let best = host_rules
        .iter()
        .flat_map(|rule| rule.hosts.iter().map(move |pattern| (rule, pattern)))
        .filter_map(|(rule, pattern)| Some((host_rank(pattern, &host, port)?, rule)))
        // The first of equals: the API allows a host in one rule only.
        .reduce(|best, next| if next.0 > best.0 { next } else { best });
    let Some((_, rule)) = best else { return led_to(default, 0) };
    match path_matchers.get(&rule.path_matcher) {
        Some(matcher) => within(matcher, request),
        None => Routed::Nowhere("the host rule names a path matcher that the URL map does not have"),
    }
}

fn led_to(destination: &Destination, matched: usize) -> Routed<'_> {
    match destination {
        Destination::Service(service) => Routed::Service { service, matched },
        Destination::Aborting { service, abort } => Routed::Aborting { service, abort, matched },
        Destination::Redirect(redirect) => Routed::Redirect { redirect, matched },
        Destination::Unprogrammed(why) => Routed::Nowhere(why),
    }
}

/// The host in lower case and the port, if one was named. Brackets of an IPv6 literal stay.
fn split_authority(authority: &str) -> (String, Option<u16>) {
    let (host, port) = match authority.rsplit_once(':') {
        // The colon inside the brackets of an IPv6 literal separates no port.
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()),
        _ => (authority, None),
    };
    (host.to_ascii_lowercase(), port)
}

/// How well a pattern fits; greater is better, `None` is not at all.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum HostRank {
    Any,
    Suffix(usize, WithPort),
    Exact(WithPort),
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum WithPort {
    No,
    Yes,
}

fn host_rank(pattern: &HostPattern, host: &str, port: Option<u16>) -> Option<HostRank> {
    let port_fits = |wanted: &Option<u16>| match wanted {
        None => Some(WithPort::No),
        Some(_) if *wanted == port => Some(WithPort::Yes),
        Some(_) => None,
    };
    match pattern {
        HostPattern::Any => Some(HostRank::Any),
        HostPattern::Suffix { suffix, port } => {
            let star = host.strip_suffix(suffix.as_str())?;
            let fits = star.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
            fits.then_some(HostRank::Suffix(suffix.len(), port_fits(port)?))
        }
        HostPattern::Exact { host: wanted, port } => {
            (wanted == host).then_some(())?;
            Some(HostRank::Exact(port_fits(port)?))
        }
    }
}

fn within<'a>(matcher: &'a PathMatcher, request: &RequestHead<'_>) -> Routed<'a> {
    let PathMatcher { rules, default } = matcher;
    let found = match rules {
        Rules::Paths(rules) => by_path(rules, request.path),
        Rules::Routes(rules) => by_route(rules, request),
    };
    found.map_or_else(|| led_to(default, 0), |(destination, matched)| led_to(destination, matched))
}

/// The longest pattern that matches; at equal length the one without a star.
fn by_path<'a>(rules: &'a [PathRule], path: &str) -> Option<(&'a Destination, usize)> {
    let mut best: Option<((usize, bool), &Destination)> = None;
    for rule in rules {
        for pattern in &rule.paths {
            let (text, exact) = match pattern {
                PathPattern::Exact(text) if path == text => (text, true),
                PathPattern::Below(text) if path.starts_with(text.as_str()) => (text, false),
                PathPattern::Exact(_) | PathPattern::Below(_) => continue,
            };
            let rank = (text.len(), exact);
            if best.as_ref().is_none_or(|(found, _)| rank > *found) {
                best = Some((rank, &rule.destination));
            }
        }
    }
    best.map(|((length, _), destination)| (destination, length))
}

fn by_route<'a>(rules: &'a [RouteRule], request: &RequestHead<'_>) -> Option<(&'a Destination, usize)> {
    rules
        .iter()
        .filter_map(|rule| {
            let matched = rule.matches.iter().find_map(|candidate| matched_length(candidate, request))?;
            Some((rule, matched))
        })
        .min_by_key(|(rule, _)| rule.priority)
        .map(|(rule, matched)| (&rule.destination, matched))
}

/// How many bytes of the path one match rule matches, if it matches the request at all.
fn matched_length(candidate: &RouteMatch, request: &RequestHead<'_>) -> Option<usize> {
    let RouteMatch { path: predicate, headers, query } = candidate;
    let path = request.path;
    let folded = |ignore_case: bool| -> Cow<'_, str> {
        if ignore_case { path.to_ascii_lowercase().into() } else { path.into() }
    };
    let matched = match predicate {
        PathMatch::Any => 0,
        PathMatch::Prefix { prefix, ignore_case } => {
            folded(*ignore_case).starts_with(prefix.as_str()).then_some(prefix.len())?
        }
        PathMatch::Full { path: whole, ignore_case } => {
            (folded(*ignore_case) == whole.as_str()).then_some(path.len())?
        }
        PathMatch::Regex(pattern) => pattern.matches(path).then_some(path.len())?,
        PathMatch::Unserved => return None,
    };
    let all = headers.iter().all(|header| header_matches(header, request))
        && query.iter().all(|parameter| query_matches(parameter, request.query.unwrap_or_default()));
    all.then_some(matched)
}

fn header_matches(wanted: &HeaderMatch, request: &RequestHead<'_>) -> bool {
    let HeaderMatch { name, predicate, invert } = wanted;
    let value = header_value(name, request);
    let value = value.as_deref();
    let matches = match predicate {
        HeaderPredicate::Present => value.is_some(),
        HeaderPredicate::Absent => value.is_none(),
        HeaderPredicate::Exact(text) => value == Some(text),
        HeaderPredicate::Prefix(text) => value.is_some_and(|value| value.starts_with(text.as_str())),
        HeaderPredicate::Suffix(text) => value.is_some_and(|value| value.ends_with(text.as_str())),
        HeaderPredicate::Regex(pattern) => value.is_some_and(|value| pattern.matches(value)),
        HeaderPredicate::Range { start, end } => value
            .and_then(|value| value.parse::<i64>().ok())
            .is_some_and(|number| (*start..*end).contains(&number)),
        HeaderPredicate::Unserved => return false,
    };
    matches != *invert
}

/// The value of a header; several lines of one name are joined by commas. Bytes that are no UTF-8 are replaced.
fn header_value<'a>(name: &str, request: &RequestHead<'a>) -> Option<Cow<'a, str>> {
    match name {
        ":authority" | "host" => return Some(request.authority.into()),
        ":method" => return Some(request.method.into()),
        _ => {}
    }
    let mut values =
        request.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let first = values.next()?;
    Some(values.fold(first, |joined, value| format!("{joined},{value}").into()))
}

fn query_matches(wanted: &QueryMatch, query: &str) -> bool {
    let QueryMatch { name, predicate } = wanted;
    let value = query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (key == name).then_some(value)
    });
    match predicate {
        QueryPredicate::Present => value.is_some(),
        QueryPredicate::Exact(text) => value == Some(text),
        QueryPredicate::Regex(pattern) => value.is_some_and(|value| pattern.matches(value)),
        QueryPredicate::Unserved => false,
    }
}
