//! What fuzzers call: one function for each thing that is read from outside. Each takes any bytes and must not panic.
//!
//! For the targets in `fuzz/` and for `tests/fuzz.rs`, for nobody else.

use crate::batch;
use crate::call::Call;
use crate::clock::Clock;
use crate::config::Config;
use crate::dataplane::expression::{Expression, Facts};
use crate::dataplane::path_template::{PathTemplate, PathTemplateRewrite};
use crate::engine::{Engine, Purpose, Request};
use crate::fault::{Backends, Room};
use crate::filter::Filter;
use crate::latency::Latency;
use crate::plane::Plane;
use crate::request_log::{KeepAnswers, RequestLog};
use crate::scope::{ResourcePath, Scope};
use crate::state::{Identities, State};
use http::{HeaderMap, HeaderValue, Method};
use ipnet::Ipv4Net;
use serde_json::{Map, Value, json};
use std::net::Ipv4Addr;
use std::sync::{Arc, OnceLock};
use tokio::runtime::Runtime;

/// Takes any bytes, and must not panic.
pub type Target = fn(&[u8]);

/// Every target, by the name of its folder of seeds.
pub const TARGETS: &[(&str, Target)] = &[
    ("request_body", request_body),
    ("filter", filter),
    ("batch", batch),
    ("expression", expression),
    ("path_template", path_template),
    ("state_file", state_file),
    ("snapshot", snapshot),
];

/// A call whose first line is `METHOD PATH`, with the path from the project on, and whose body is the rest.
pub fn request_body(bytes: &[u8]) {
    static RIG: OnceLock<(Runtime, Arc<Engine>)> = OnceLock::new();
    let (runtime, engine) = RIG.get_or_init(rig);
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (line, body) = bytes.split_at(end);
    let Some((method, path)) = std::str::from_utf8(line).ok().and_then(|line| line.split_once(' ')) else {
        return;
    };
    let Some(request) = request(method, path, body, Purpose::Rehearse) else { return };
    let reply = runtime.block_on(engine.answer(&request)).reply;
    assert!(!reply.status.is_server_error(), "{method} {path}: {reply:?}");
    forget_strangers(engine);
}

fn request(method: &str, path: &str, body: &[u8], purpose: Purpose) -> Option<Request> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    Some(Request {
        method: Method::from_bytes(method.as_bytes()).ok()?,
        path: format!("/compute/beta/projects/p/{path}"),
        query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: HeaderMap::new(),
        body: body.to_vec(),
        caller: None,
        log: None,
        purpose,
    })
}

/// An engine with one of most things. Nothing listens, and few addresses can be given out.
fn rig() -> (Runtime, Arc<Engine>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("the system has threads");
    let engine = runtime.block_on(async {
        let config = Config {
            address_pool: Ipv4Net::new_assert(Ipv4Addr::new(127, 251, 0, 0), 30),
            latency: Latency::of(std::time::Duration::ZERO),
            ..Config::default()
        };
        let clock = Clock::default();
        let faults = Arc::new(Room::default());
        let backends = Arc::new(Backends { room: Arc::clone(&faults), clock: clock.clone() });
        let plane = Plane::start(&config, clock.clone(), backends).expect("the data plane starts");
        let log = RequestLog::new(0, KeepAnswers::No, None);
        let engine = Engine::new(config, plane, clock, faults, log, State::default(), None);
        for (path, body) in base() {
            let body = serde_json::to_vec(&body).expect("a JSON value always prints");
            let request = request("POST", path, &body, Purpose::Change).expect("the method is written above");
            let reply = engine.answer(&request).await.reply;
            assert!(reply.status.is_success(), "{path}: {reply:?}");
            // A resource is held until its operation ends.
            let mut changes = engine.watch_changes();
            while engine.state().changes().next().is_some() {
                let _ = tokio::time::timeout(std::time::Duration::from_millis(5), changes.changed()).await;
            }
        }
        engine
    });
    (runtime, engine)
}

/// What the bodies may refer to and change.
fn base() -> Vec<(&'static str, Value)> {
    let zone = "zones/us-central1-a";
    vec![
        ("global/healthChecks", json!({ "name": "h", "type": "HTTP" })),
        (
            "zones/us-central1-a/instances",
            json!({ "name": "i", "networkInterfaces": [{ "networkIP": "10.0.0.9" }] }),
        ),
        ("zones/us-central1-a/instanceGroups", json!({ "name": "g" })),
        (
            "zones/us-central1-a/instanceGroups/g/addInstances",
            json!({ "instances": [{ "instance": format!("{zone}/instances/i") }] }),
        ),
        (
            "zones/us-central1-a/networkEndpointGroups",
            json!({ "name": "n", "network": "global/networks/default" }),
        ),
        (
            "global/backendServices",
            json!({
                "name": "b",
                "protocol": "HTTP",
                "loadBalancingScheme": "EXTERNAL_MANAGED",
                "healthChecks": ["global/healthChecks/h"],
                "backends": [{ "group": format!("{zone}/networkEndpointGroups/n"), "balancingMode": "RATE", "maxRate": 1 }],
            }),
        ),
        ("global/urlMaps", json!({ "name": "u", "defaultService": "global/backendServices/b" })),
        ("global/targetHttpProxies", json!({ "name": "t", "urlMap": "global/urlMaps/u" })),
        ("global/firewalls", json!({ "name": "f", "allowed": [{ "IPProtocol": "tcp", "ports": ["80"] }] })),
    ]
}

/// Projects that a body has named would fill the memory in a long run.
fn forget_strangers(engine: &Engine) {
    const MOST: usize = 20;
    let mut state = engine.state();
    if state.projects.len() > MOST {
        let strangers: Vec<String> = state.projects.keys().filter(|id| *id != "p").cloned().collect();
        for id in &strangers {
            state.forget_project(id);
        }
    }
}

/// A filter of either grammar, and what it makes of a resource.
pub fn filter(bytes: &[u8]) {
    static BODY: OnceLock<Map<String, Value>> = OnceLock::new();
    let body = BODY.get_or_init(|| {
        let body = json!({
            "name": "web-1", "port": 80, "share": 0.5, "enabled": true, "id": "1234567890123456789",
            "creationTimestamp": "2024-04-01T12:00:00.000-07:00", "labels": { "team": "edge", "k": "v" },
            "tags": ["a", "b"], "backends": [{ "group": "g1" }, { "group": "g2" }], "nothing": null,
        });
        body.as_object().cloned().unwrap_or_default()
    });
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(filter) = Filter::parse(text) {
        let _ = filter.admits(body);
        let _ = filter.admits(&Map::new());
    }
}

/// An expression of a security policy, and what it says of a request.
pub fn expression(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(expression) = Expression::parse(text) else { return };
    let mut headers = HeaderMap::new();
    headers.insert("x-a", HeaderValue::from_static("a=b&c%20d"));
    let facts = Facts {
        client: [127, 0, 0, 1].into(),
        scheme: "https",
        authority: "shop.example",
        method: "GET",
        path: "/a/b%2",
        query: "",
        headers: &headers,
    };
    let said = expression.matches(&facts);
    // The same text says the same again.
    let again = Expression::parse(text).map(|expression| expression.matches(&facts));
    assert_eq!(again, Ok(said), "{text}");
}

/// A template, a rewrite and a path, line by line.
pub fn path_template(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut lines = text.splitn(3, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (Ok(template), rewrite, path) = (PathTemplate::parse(line()), line(), line()) else { return };
    let captured = template.matches(path);
    if let Ok(rewrite) = PathTemplateRewrite::parse(rewrite) {
        let fits = rewrite.check(&template);
        if let (Ok(()), Some(captured)) = (fits, &captured) {
            let _ = rewrite.apply(captured);
        }
    }
}

/// A batch: its content type in the first line, its body in the rest; and the calls in it, as far as reading them goes.
pub fn batch(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (line, body) = bytes.split_at(end);
    let Some(boundary) = std::str::from_utf8(line).ok().and_then(batch::boundary) else { return };
    let Ok(parts) = batch::split(body, &boundary) else { return };
    let identities = Identities::default();
    let scope = Scope::Global;
    for call in parts.into_iter().filter_map(|part| part.call.ok()) {
        let path = call.target.split('?').next().unwrap_or_default();
        if let Some((_, parsed)) = Call::parse(&call.method, path) {
            let _ = (parsed.method(), parsed.project().len());
        }
        let place = crate::scope::Place { project: "p", scope: &scope, identities: &identities };
        if let Some(path) = ResourcePath::resolve(path, &["urlMaps", "instances"], &place) {
            let _ = path.to_string();
        }
    }
}

/// A state file as it is, and one whose lines these are, with the checksums that a fuzzer would not find.
pub fn state_file(bytes: &[u8]) {
    let _ = crate::check_state_file(bytes);
    let mut file = Vec::with_capacity(bytes.len() * 2);
    for line in bytes.split(|byte| *byte == b'\n') {
        file.extend(format!("{:08x} ", crc32fast::hash(line)).bytes());
        file.extend(line);
        file.push(b'\n');
    }
    let _ = crate::check_state_file(&file);
}

/// A snapshot.
pub fn snapshot(bytes: &[u8]) {
    let _ = crate::check_snapshot(bytes);
}
