//! Requests near the rules of a map: made to fit one of them, then mostly disturbed a little.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;

use crate::request::{Draws, Request};

/// A request that is not yet made for a map.
#[derive(Debug, Clone)]
pub(super) struct Sketch {
    host: Index,
    rule: Index,
    part: Index,
    filler: &'static str,
    change_host: ChangeHost,
    change_path: ChangePath,
    change_query: Change,
    change_headers: Change,
    method: &'static str,
    draws: Draws,
}

#[derive(Debug, Clone, Copy)]
enum ChangeHost {
    Not,
    UpperCase,
    Port(&'static str),
    Below,
    Other(&'static str),
}

#[derive(Debug, Clone, Copy)]
enum ChangePath {
    Not,
    Append(&'static str),
    CutLast,
    CutSlash,
    UpperCase,
    Other(&'static str),
}

/// Of the query or the headers.
#[derive(Debug, Clone, Copy)]
enum Change {
    Not,
    DropOne,
    /// The same once more, with another value before it.
    Before(&'static str),
    /// The same once more, with another value after it.
    After(&'static str),
    Another(&'static str, &'static str),
}

pub(super) fn sketch() -> impl Strategy<Value = Sketch> {
    let change_host = prop_oneof![
        6 => Just(ChangeHost::Not),
        1 => Just(ChangeHost::UpperCase),
        2 => select(&["8080", "80"][..]).prop_map(ChangeHost::Port),
        1 => Just(ChangeHost::Below),
        1 => select(&["other.net", "example.com", "a_b.example.com", "z.example.com", "z-web.example.com"][..])
            .prop_map(ChangeHost::Other),
    ];
    let change_path = prop_oneof![
        6 => Just(ChangePath::Not),
        3 => select(&["/", "x", "/b", "/a/1", ".mpd"][..]).prop_map(ChangePath::Append),
        1 => Just(ChangePath::CutLast),
        1 => Just(ChangePath::CutSlash),
        1 => Just(ChangePath::UpperCase),
        1 => select(&["/", "/a", "/a/b", "/x.y/1", "//a"][..]).prop_map(ChangePath::Other),
    ];
    let change = || {
        prop_oneof![
            6 => Just(Change::Not),
            1 => Just(Change::DropOne),
            1 => select(super::VALUES).prop_map(Change::Before),
            1 => select(super::VALUES).prop_map(Change::After),
            1 => (select(&["x-a", "x-b", "q", "r", "origin"][..]), select(super::VALUES)).prop_map(|(n, v)| Change::Another(n, v)),
        ]
    };
    let draws =
        any::<[u32; 4]>().prop_map(|[service, abort, delay, mirror]| Draws { service, abort, delay, mirror });
    (
        (any::<Index>(), any::<Index>(), any::<Index>(), select(&["", "x", "1", "b/1"][..])),
        (change_host, change_path, change(), change()),
        select(&["GET", "GET", "POST"][..]),
        draws,
    )
        .prop_map(
            |(
                (host, rule, part, filler),
                (change_host, change_path, change_query, change_headers),
                method,
                draws,
            )| {
                Sketch {
                    host,
                    rule,
                    part,
                    filler,
                    change_host,
                    change_path,
                    change_query,
                    change_headers,
                    method,
                    draws,
                }
            },
        )
}

fn items(value: &Value) -> Vec<&Value> {
    value.as_array().into_iter().flatten().collect()
}

fn pick<'a>(index: Index, items: &[&'a Value]) -> Option<&'a Value> {
    (!items.is_empty()).then(|| *index.get(items))
}

impl Sketch {
    /// The request for a map.
    pub(super) fn request(&self, map: &Value) -> Request {
        let host_rule = pick(self.host, &items(&map["hostRules"]));
        let pattern = host_rule.and_then(|rule| pick(self.part, &items(&rule["hosts"])));
        let host =
            pattern.and_then(Value::as_str).unwrap_or("example.com").replacen('*', "a", 1).to_lowercase();
        let matcher = host_rule.and_then(|rule| {
            items(&map["pathMatchers"]).into_iter().find(|matcher| matcher["name"] == rule["pathMatcher"])
        });
        let (mut path, mut query, mut headers) = ("/a".to_owned(), Vec::new(), Vec::new());
        let mut method = self.method;
        if let Some(matcher) = matcher {
            let by_path = items(&matcher["pathRules"]);
            if let Some(rule) = pick(self.rule, &by_path)
                && let Some(pattern) = pick(self.part, &items(&rule["paths"]))
            {
                path = pattern.as_str().unwrap().replacen('*', self.filler, 1);
            }
            let by_route = items(&matcher["routeRules"]);
            if let Some(rule) = pick(self.rule, &by_route)
                && let Some(wanted) = pick(self.part, &items(&rule["matchRules"]))
            {
                path = self.path(wanted);
                for header in items(&wanted["headerMatches"]) {
                    let name = header["headerName"].as_str().unwrap().to_lowercase();
                    match name.as_str() {
                        ":method" => method = if header["exactMatch"] == "POST" { "POST" } else { "GET" },
                        name if name.starts_with("x-") && header["invertMatch"] != true => {
                            headers.push((name.to_owned(), value(header, self.filler)));
                        }
                        _ => {}
                    }
                }
                for parameter in items(&wanted["queryParameterMatches"]) {
                    query.push((parameter["name"].as_str().unwrap().to_owned(), value(parameter, "")));
                }
            }
        }
        change(self.change_query, &mut query, self.part);
        change(self.change_headers, &mut headers, self.part);
        let query: Vec<String> = query
            .into_iter()
            .map(|(name, value)| if value.is_empty() { name } else { format!("{name}={value}") })
            .collect();
        Request {
            method,
            host: self.host(host),
            path: self.changed(path),
            query: (!query.is_empty()).then(|| query.join("&")),
            headers,
            draws: self.draws,
        }
    }

    fn host(&self, host: String) -> String {
        match self.change_host {
            ChangeHost::Not => host,
            ChangeHost::UpperCase => host.to_uppercase(),
            ChangeHost::Port(port) => format!("{}:{port}", host.split(':').next().unwrap()),
            ChangeHost::Below => format!("z.{host}"),
            ChangeHost::Other(host) => host.to_owned(),
        }
    }

    /// A path that fits a match rule.
    fn path(&self, wanted: &Value) -> String {
        let text = |field: &str| wanted[field].as_str();
        if let Some(prefix) = text("prefixMatch") {
            return format!("{prefix}{}", self.filler);
        }
        if let Some(template) = text("pathTemplateMatch") {
            return fill(template, self.filler);
        }
        match text("regexMatch") {
            Some("/a/[0-9]+") => "/a/12".to_owned(),
            Some("/(a|b)/?") => "/b/".to_owned(),
            Some("/a.*") => "/ab/c".to_owned(),
            Some("/[a-z]*") => "/xyz".to_owned(),
            Some(_) => "/x.y/1".to_owned(),
            None => text("fullPathMatch").unwrap_or("/any").to_owned(),
        }
    }

    fn changed(&self, path: String) -> String {
        let path = match self.change_path {
            ChangePath::Not => path,
            ChangePath::Append(more) => format!("{path}{more}"),
            ChangePath::CutLast => path[..path.len() - 1].to_owned(),
            ChangePath::CutSlash => path.trim_end_matches('/').to_owned(),
            ChangePath::UpperCase => path.to_uppercase(),
            ChangePath::Other(path) => path.to_owned(),
        };
        if path.starts_with('/') { path } else { format!("/{path}") }
    }
}

/// A path that fits a template.
fn fill(template: &str, filler: &str) -> String {
    let mut path = String::new();
    let mut rest = template;
    while let Some(next) = rest.chars().next() {
        rest = match next {
            '{' => {
                let (inside, after) = rest[1..].split_once('}').unwrap();
                path.push_str(&fill(inside.split_once('=').map_or("*", |(_, pattern)| pattern), filler));
                after
            }
            '*' if rest.starts_with("**") => {
                path.push_str(filler);
                &rest[2..]
            }
            '*' => {
                path.push_str("seg");
                &rest[1..]
            }
            _ => {
                path.push(next);
                &rest[1..]
            }
        };
    }
    path
}

/// A value that fits a header or query match.
fn value(wanted: &Value, filler: &str) -> String {
    let text = |field: &str| wanted[field].as_str().map(str::to_owned);
    if let Some(exact) = text("exactMatch") {
        return exact;
    }
    if let Some(prefix) = text("prefixMatch") {
        return format!("{prefix}{filler}");
    }
    if let Some(suffix) = text("suffixMatch") {
        return format!("{filler}{suffix}");
    }
    if let Some(range) = wanted.get("rangeMatch") {
        // The end is just outside.
        let end = if filler.is_empty() { "rangeEnd" } else { "rangeStart" };
        return range[end].as_str().unwrap().to_owned();
    }
    match wanted["regexMatch"].as_str() {
        Some("v[0-9]?") => "v1".to_owned(),
        Some("(ab|1)*") => "ab1".to_owned(),
        Some(_) => "abc".to_owned(),
        None => filler.to_owned(),
    }
}

fn change(change: Change, pairs: &mut Vec<(String, String)>, which: Index) {
    if let Change::Another(name, value) = change {
        pairs.push((name.to_owned(), value.to_owned()));
        return;
    }
    if pairs.is_empty() {
        return;
    }
    let at = which.index(pairs.len());
    let name = pairs[at].0.clone();
    match change {
        Change::Not | Change::Another(..) => {}
        Change::DropOne => {
            pairs.remove(at);
        }
        Change::Before(value) => pairs.insert(at, (name, value.to_owned())),
        Change::After(value) => pairs.push((name, value.to_owned())),
    }
}
