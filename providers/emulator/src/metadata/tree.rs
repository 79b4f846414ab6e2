//! What the metadata server knows, as a tree of folders and leaves.

use super::MetadataServer;
use crate::engine::Engine;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A place in the tree.
#[derive(Debug)]
pub(super) enum Node {
    Folder(BTreeMap<String, Node>),
    Leaf(Value),
    /// Makes a token; never part of a recursive answer.
    Token,
}

/// What a path leads to.
pub(super) enum Found<'a> {
    Folder(&'a Node),
    Leaf(Value),
    /// A token with the scopes that were asked for.
    Token(Vec<String>),
    Nothing,
}

/// The scopes of the account of an instance.
pub(super) const SCOPES: [&str; 2] =
    ["https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/userinfo.email"];

fn folder(nodes: impl IntoIterator<Item = (&'static str, Node)>) -> Node {
    Node::Folder(nodes.into_iter().map(|(name, node)| (name.to_owned(), node)).collect())
}

fn leaf(value: impl Into<Value>) -> Node {
    Node::Leaf(value.into())
}

/// The account of the instances of a project.
pub(super) fn account(number: u64) -> String {
    format!("{number}-compute@developer.gserviceaccount.com")
}

/// The number of the project.
pub(super) fn number(engine: &Engine, server: &MetadataServer) -> u64 {
    engine.state().projects.get(&server.project).map_or(0, |project| project.number)
}

/// The whole tree below `/computeMetadata/v1/`.
pub(super) fn root(engine: &Engine, server: &MetadataServer) -> Node {
    let MetadataServer { project, zone, .. } = server;
    let number = number(engine, server);
    let email = account(number);
    let of_account = || {
        folder([
            ("aliases", leaf(json!(["default"]))),
            ("email", leaf(email.clone())),
            ("scopes", leaf(json!(SCOPES))),
            ("token", Node::Token),
        ])
    };
    let interface =
        folder([("ip", leaf("127.0.0.1")), ("network", leaf(format!("projects/{number}/networks/default")))]);
    folder([
        (
            "instance",
            folder([
                ("attributes", folder([])),
                ("cpu-platform", leaf("Intel Broadwell")),
                ("description", leaf("")),
                ("hostname", leaf(format!("emulator.{zone}.c.{project}.internal"))),
                // Of the project's number, so that it is the same in every run.
                ("id", leaf(4_000_000_000_000_000_000 + number)),
                ("machine-type", leaf(format!("projects/{number}/machineTypes/e2-medium"))),
                ("name", leaf("emulator")),
                ("network-interfaces", folder([("0", interface)])),
                (
                    "service-accounts",
                    Node::Folder(BTreeMap::from([
                        ("default".to_owned(), of_account()),
                        (email.clone(), of_account()),
                    ])),
                ),
                ("tags", leaf(json!([]))),
                ("zone", leaf(format!("projects/{number}/zones/{zone}"))),
            ]),
        ),
        (
            "project",
            folder([
                ("attributes", folder([])),
                ("numeric-project-id", leaf(number)),
                ("project-id", leaf(project.clone())),
            ]),
        ),
        ("universe", folder([("universe-domain", leaf("googleapis.com"))])),
    ])
}

/// Follows a path such as `instance/zone`.
pub(super) fn find<'a>(root: &'a Node, path: &str, query: &BTreeMap<String, String>) -> Found<'a> {
    let mut node = root;
    for step in path.split('/').filter(|step| !step.is_empty()) {
        let Node::Folder(nodes) = node else { return Found::Nothing };
        match nodes.get(step) {
            Some(next) => node = next,
            None => return Found::Nothing,
        }
    }
    match node {
        Node::Folder(_) => Found::Folder(node),
        // A leaf has no slash behind it.
        _ if path.ends_with('/') => Found::Nothing,
        Node::Leaf(value) => Found::Leaf(value.clone()),
        Node::Token => {
            let scopes = query.get("scopes").map(String::as_str).unwrap_or_default();
            let scopes = scopes.split([',', ' ']).filter(|scope| !scope.is_empty()).map(str::to_owned);
            Found::Token(scopes.collect())
        }
    }
}

/// The names in a folder, line by line.
pub(super) fn listing(node: &Node) -> String {
    let Node::Folder(nodes) = node else { return String::new() };
    nodes
        .iter()
        .map(
            |(name, node)| {
                if matches!(node, Node::Folder(_)) { format!("{name}/\n") } else { format!("{name}\n") }
            },
        )
        .collect()
}

/// Everything below a place: names in camel case, numbered folders as lists, no tokens.
pub(super) fn value(node: &Node) -> Value {
    match node {
        Node::Leaf(value) => value.clone(),
        Node::Token => Value::Null,
        Node::Folder(nodes) if !nodes.is_empty() && nodes.keys().all(|name| name.parse::<u32>().is_ok()) => {
            nodes.values().map(value).collect()
        }
        Node::Folder(nodes) => {
            let shown: Map<String, Value> = nodes
                .iter()
                .filter(|(_, node)| !matches!(node, Node::Token))
                .map(|(name, node)| (camel(name), value(node)))
                .collect();
            Value::Object(shown)
        }
    }
}

/// `network-interfaces` is `networkInterfaces` in JSON; the address of an account stays.
fn camel(name: &str) -> String {
    if name.contains('@') {
        return name.to_owned();
    }
    let mut words = name.split('-');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        camel.push_str(letters.as_str());
    }
    camel
}
