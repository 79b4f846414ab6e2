//! URL maps that the API accepts, and requests that come near their rules.

mod actions;
mod near;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

pub(crate) use self::actions::SERVICES;
use self::actions::{Level, destination, header_action};
use self::near::Sketch;
use crate::request::{Kind, Request};

/// A map and requests to it.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) map: Value,
    pub(crate) requests: Vec<Request>,
}

/// How many requests each map gets.
pub(crate) const REQUESTS: usize = 10;

pub(crate) fn case(kind: Kind) -> impl Strategy<Value = Case> {
    (map(kind), vec(near::sketch(), REQUESTS)).prop_map(|(map, sketches)| {
        let requests = sketches.iter().map(|sketch| Sketch::request(sketch, &map)).collect();
        Case { map, requests }
    })
}

type Object = Map<String, Value>;

/// Leaves out fields that are null.
fn object(fields: Vec<(&str, Value)>) -> Value {
    Value::Object(
        fields.into_iter().filter(|(_, value)| !value.is_null()).map(|(k, v)| (k.to_owned(), v)).collect(),
    )
}

fn merged(into: Object, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("an object") };
    Value::Object(into.into_iter().chain(more).collect())
}

const HOSTS: &[&str] = &[
    "a.example.com",
    "b.example.com",
    "A.Example.com",
    "example.com",
    "example.com:8080",
    "a.b.example.com",
    "x-web.example.com",
    "*.example.com",
    "*.b.example.com",
    "*.example.com:8080",
    "*-web.example.com",
    "*",
    "shop.net",
];

pub(crate) fn map(kind: Kind) -> impl Strategy<Value = Value> {
    let one = || (vec(select(HOSTS), 1..4), matcher(kind));
    let matchers = prop_oneof![1 => Just(Vec::new()), 9 => vec(one(), 1..4)];
    (matchers, destination(kind, &Level::Default), header_action(kind)).prop_map(
        |(matchers, default, headers)| {
            let (mut host_rules, mut path_matchers) = (Vec::new(), Vec::new());
            let mut taken: Vec<String> = Vec::new();
            for (index, (hosts, matcher)) in matchers.into_iter().enumerate() {
                let mut free = Vec::new();
                for host in hosts {
                    if !taken.contains(&host.to_lowercase()) {
                        taken.push(host.to_lowercase());
                        free.push(host);
                    }
                }
                if free.is_empty() {
                    continue;
                }
                let name = format!("m{index}");
                host_rules.push(json!({ "hosts": free, "pathMatcher": name }));
                let name = Object::from_iter([("name".to_owned(), json!(name))]);
                path_matchers.push(merged(name, matcher));
            }
            let around = object(vec![
                ("name", json!("m")),
                ("hostRules", some(host_rules)),
                ("pathMatchers", some(path_matchers)),
                ("headerAction", headers),
            ]);
            let Value::Object(around) = around else { panic!("an object") };
            merged(around, default)
        },
    )
}

fn some(list: Vec<Value>) -> Value {
    if list.is_empty() { Value::Null } else { Value::Array(list) }
}

fn matcher(kind: Kind) -> impl Strategy<Value = Value> {
    let rules = prop_oneof![
        vec(path_rule(kind), 1..6).prop_map(|rules| ("pathRules", distinct_paths(rules))),
        vec((0_u32..40, route_rule(kind)), 1..6).prop_map(|rules| ("routeRules", distinct_priorities(rules))),
    ];
    (rules, destination(kind, &Level::Default), header_action(kind)).prop_map(
        |((field, rules), default, headers)| {
            let Value::Object(own) = object(vec![(field, some(rules)), ("headerAction", headers)]) else {
                panic!("an object")
            };
            merged(own, default)
        },
    )
}

const SEGMENTS: &[&str] = &["a", "b", "ab", "A", "x.y", "1"];

/// `/`, `/a`, `/a/b/`.
fn path() -> impl Strategy<Value = String> {
    (vec(select(SEGMENTS), 0..3), any::<bool>()).prop_map(|(segments, slash)| {
        let path: String = segments.iter().flat_map(|segment| ["/", segment]).collect();
        if slash || path.is_empty() { format!("{path}/") } else { path }
    })
}

fn path_rule(kind: Kind) -> impl Strategy<Value = (Vec<String>, Value)> {
    let pattern = (path(), any::<bool>())
        .prop_map(|(path, star)| if star { format!("{}/*", path.trim_end_matches('/')) } else { path });
    (vec(pattern, 1..4), destination(kind, &Level::Rule { template: Vec::new() }))
}

/// A path stands in one rule of a matcher only.
fn distinct_paths(rules: Vec<(Vec<String>, Value)>) -> Vec<Value> {
    let mut taken: Vec<String> = Vec::new();
    let mut distinct = Vec::new();
    for (paths, destination) in rules {
        let mut free = Vec::new();
        for path in paths {
            if !taken.contains(&path) {
                taken.push(path.clone());
                free.push(path);
            }
        }
        if !free.is_empty() {
            let paths = Object::from_iter([("paths".to_owned(), json!(free))]);
            distinct.push(merged(paths, destination));
        }
    }
    distinct
}

fn distinct_priorities(rules: Vec<(u32, Value)>) -> Vec<Value> {
    let mut taken = Vec::new();
    let mut distinct = Vec::new();
    for (priority, rule) in rules {
        if !taken.contains(&priority) {
            taken.push(priority);
            distinct.push(merged(Object::from_iter([("priority".to_owned(), json!(priority))]), rule));
        }
    }
    distinct
}

/// A path template and the names of its variables.
#[derive(Debug, Clone)]
struct Template {
    text: String,
    variables: Vec<String>,
}

fn template() -> impl Strategy<Value = Template> {
    let segment = select(&["a", "b", "*", "{}", "{=*}", "{=a/*}", "{=*/b}"][..]);
    let last = select(&["", "/**", "/{=**}", "/{=**}.mpd", "/*.mpd", "/a", "/"][..]);
    (vec(segment, 0..4), last).prop_map(|(segments, last)| {
        let joined: String = segments.iter().flat_map(|segment| ["/", segment]).collect();
        let joined = format!("{joined}{last}");
        let joined = if joined.is_empty() { "/".to_owned() } else { joined };
        let (mut text, mut variables) = (String::new(), Vec::new());
        for letter in joined.chars() {
            text.push(letter);
            if letter == '{' {
                let name = format!("v{}", variables.len());
                text.push_str(&name);
                variables.push(name);
            }
        }
        Template { text, variables }
    })
}

fn route_rule(kind: Kind) -> BoxedStrategy<Value> {
    let plain = (vec(match_rule(kind), 1..3), destination(kind, &Level::Rule { template: Vec::new() }));
    let rule = if kind == Kind::Classic {
        plain.boxed()
    } else {
        let templated = (template(), conditions(kind)).prop_flat_map(move |(template, conditions)| {
            let mut conditions = conditions;
            conditions.insert("pathTemplateMatch".to_owned(), json!(template.text));
            let matches = vec![Value::Object(conditions)];
            (Just(matches), destination(kind, &Level::Rule { template: template.variables }))
        });
        prop_oneof![3 => plain, 1 => templated].boxed()
    };
    (rule, header_action(kind))
        .prop_map(|((matches, destination), headers)| {
            let Value::Object(own) = object(vec![("matchRules", some(matches)), ("headerAction", headers)])
            else {
                panic!("an object")
            };
            merged(own, destination)
        })
        .boxed()
}

/// Expressions that both sides know how to read.
const PATH_EXPRESSIONS: &[&str] = &["/a/[0-9]+", "/(a|b)/?", "/a.*", "/[a-z]*", "/x\\.y(/.*)?"];
const VALUE_EXPRESSIONS: &[&str] = &["[a-z]+", "v[0-9]?", "(ab|1)*", "a.c"];

fn match_rule(kind: Kind) -> impl Strategy<Value = Value> {
    let prefix = prop_oneof![4 => path(), 1 => path().prop_map(|path| format!("{path}*"))];
    let plain = prop_oneof![
        4 => (prefix, option::of(any::<bool>())).prop_map(|(prefix, fold)| vec![("prefixMatch", json!(prefix)), ("ignoreCase", json!(fold))]),
        3 => (path(), option::of(any::<bool>())).prop_map(|(path, fold)| vec![("fullPathMatch", json!(path)), ("ignoreCase", json!(fold))]),
        1 => Just(Vec::new()),
    ];
    let by_path = match kind {
        Kind::Classic => plain.boxed(),
        Kind::GlobalManaged => {
            prop_oneof![4 => plain, 1 => template().prop_map(|t| vec![("pathTemplateMatch", json!(t.text))])]
                .boxed()
        }
        Kind::RegionalManaged => prop_oneof![
            4 => plain,
            1 => template().prop_map(|t| vec![("pathTemplateMatch", json!(t.text))]),
            1 => select(PATH_EXPRESSIONS).prop_map(|e| vec![("regexMatch", json!(e))]),
        ]
        .boxed(),
    };
    (by_path, conditions(kind)).prop_map(|(path, conditions)| merged(conditions, object(path)))
}

/// Header and query matches.
fn conditions(kind: Kind) -> impl Strategy<Value = Object> {
    let lists = (
        prop_oneof![3 => Just(Vec::new()), 2 => vec(header_match(kind), 1..3)],
        prop_oneof![3 => Just(Vec::new()), 2 => vec(query_match(kind), 1..3)],
    );
    lists.prop_map(|(headers, query)| {
        let conditions =
            object(vec![("headerMatches", some(headers)), ("queryParameterMatches", some(query))]);
        let Value::Object(conditions) = conditions else { panic!("an object") };
        conditions
    })
}

const VALUES: &[&str] = &["1", "abc", "ab", "v1", "-3", "7"];

fn header_match(kind: Kind) -> impl Strategy<Value = Value> {
    let value = || select(VALUES);
    let usual = prop_oneof![
        value().prop_map(|v| json!({ "exactMatch": v })),
        value().prop_map(|v| json!({ "prefixMatch": v })),
        value().prop_map(|v| json!({ "suffixMatch": v })),
        Just(json!({ "presentMatch": true })),
    ];
    let range = (-5_i64..8, 1_i64..6).prop_map(|(start, length)| {
        json!({ "rangeMatch": { "rangeStart": start.to_string(), "rangeEnd": (start + length).to_string() } })
    });
    let predicate = match kind {
        Kind::Classic => usual.boxed(),
        Kind::GlobalManaged => prop_oneof![4 => usual, 1 => range].boxed(),
        Kind::RegionalManaged => {
            let regex = select(VALUE_EXPRESSIONS).prop_map(|e| json!({ "regexMatch": e }));
            prop_oneof![4 => usual, 1 => range, 1 => regex].boxed()
        }
    };
    let named = (select(&["x-a", "X-B", "x-c"][..]), predicate).prop_map(|(name, predicate)| {
        merged(Object::from_iter([("headerName".to_owned(), json!(name))]), predicate)
    });
    let method =
        select(&["GET", "POST"][..]).prop_map(|m| json!({ "headerName": ":method", "exactMatch": m }));
    let authority = select(&["a.", "example.com", "shop"][..])
        .prop_map(|h| json!({ "headerName": ":authority", "prefixMatch": h }));
    let port = select(&["8080", "80"][..]).prop_map(|p| json!({ "headerName": "PORT", "exactMatch": p }));
    let header = prop_oneof![6 => named, 1 => method, 1 => authority, 1 => port];
    (header, option::weighted(0.3, any::<bool>())).prop_map(|(header, invert)| {
        let Value::Object(header) = header else { panic!("an object") };
        merged(header, object(vec![("invertMatch", json!(invert))]))
    })
}

fn query_match(kind: Kind) -> impl Strategy<Value = Value> {
    let usual = prop_oneof![
        select(VALUES).prop_map(|v| json!({ "exactMatch": v })),
        Just(json!({ "presentMatch": true }))
    ];
    let predicate = if kind == Kind::RegionalManaged {
        let regex = select(VALUE_EXPRESSIONS).prop_map(|e| json!({ "regexMatch": e }));
        prop_oneof![2 => usual, 1 => regex].boxed()
    } else {
        usual.boxed()
    };
    (select(&["q", "r"][..]), predicate).prop_map(|(name, predicate)| {
        merged(Object::from_iter([("name".to_owned(), json!(name))]), predicate)
    })
}
