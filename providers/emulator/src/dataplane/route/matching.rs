//! What a rule asks of a request: its path, headers and query parameters.

use std::borrow::Cow;

use super::RequestHead;
use crate::dataplane::path_template::Captures;
use crate::dataplane::program::{
    HeaderMatch, HeaderPredicate, PathMatch, PathPattern, PathRule, QueryMatch, QueryPredicate, RouteMatch,
};

/// What a rule matched of a path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Matched<'a> {
    /// How many bytes of the path the pattern matched; zero for defaults and patterns without text.
    pub(super) length: usize,
    /// The variables of a template.
    pub(super) captures: Option<Captures<'a>>,
}

/// The longest pattern that matches; at equal length the one without a star.
pub(super) fn by_path<'a>(rules: &'a [PathRule], path: &str) -> Option<(&'a PathRule, Matched<'a>)> {
    let mut best: Option<((usize, bool), &PathRule)> = None;
    for rule in rules {
        for pattern in &rule.paths {
            let (text, exact) = match pattern {
                PathPattern::Exact(text) if path == text => (text, true),
                PathPattern::Below(text) if path.starts_with(text.as_str()) => (text, false),
                PathPattern::Exact(_) | PathPattern::Below(_) => continue,
            };
            let rank = (text.len(), exact);
            if best.as_ref().is_none_or(|(found, _)| rank > *found) {
                best = Some((rank, rule));
            }
        }
    }
    best.map(|((length, _), rule)| (rule, Matched { length, captures: None }))
}

/// What one match rule matches of the path, if it matches the request at all.
pub(super) fn matched<'a>(candidate: &'a RouteMatch, request: &RequestHead<'a>) -> Option<Matched<'a>> {
    let RouteMatch { path: predicate, headers, query } = candidate;
    let path = request.path;
    let folded = |ignore_case: bool| -> Cow<'_, str> {
        if ignore_case { path.to_ascii_lowercase().into() } else { path.into() }
    };
    let length = |length| Matched { length, captures: None };
    let matched = match predicate {
        PathMatch::Any => length(0),
        PathMatch::Prefix { prefix, ignore_case } => {
            folded(*ignore_case).starts_with(prefix.as_str()).then(|| length(prefix.len()))?
        }
        PathMatch::Full { path: whole, ignore_case } => {
            (folded(*ignore_case) == whole.as_str()).then(|| length(path.len()))?
        }
        PathMatch::Regex(pattern) => pattern.matches(path).then(|| length(path.len()))?,
        PathMatch::Template(template) => {
            Matched { length: path.len(), captures: Some(template.matches(path)?) }
        }
        PathMatch::Unserved => return None,
    };
    let all = headers.iter().all(|header| header_matches(header, request))
        && query.iter().all(|parameter| query_matches(parameter, request.query.unwrap_or_default()));
    all.then_some(matched)
}

pub(super) fn header_matches(wanted: &HeaderMatch, request: &RequestHead<'_>) -> bool {
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
        "port" => {
            let (_, port) = request.authority.rsplit_once(':')?;
            return (!port.contains(']')).then(|| port.into());
        }
        _ => {}
    }
    let mut values =
        request.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let first = values.next()?;
    Some(values.fold(first, |joined, value| format!("{joined},{value}").into()))
}

pub(super) fn query_matches(wanted: &QueryMatch, query: &str) -> bool {
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
