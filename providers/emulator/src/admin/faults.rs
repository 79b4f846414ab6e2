//! `/_emulator/faults`: what goes wrong on purpose.

use super::{Paths, refuse};
use crate::engine::{Engine, Reply, Request};
use crate::fault::Rule;
use http::{Method, StatusCode};
use serde_json::json;

pub(super) const PATHS: Paths = &[
    (
        "GET /_emulator/faults",
        "the fault rules, in the order in which they are tried, with how often each hit",
    ),
    (
        "PUT /_emulator/faults",
        "a list of rules in the place of all: [{\"method\": \"urlMaps.*\", \"fault\": {\"error\": {\"status\": 503}}}]",
    ),
    ("POST /_emulator/faults", "one rule more, or a list of them; answers with their ids"),
    ("DELETE /_emulator/faults", "no rules any more; what they held up goes on"),
    ("GET /_emulator/faults/ID", "one rule"),
    ("DELETE /_emulator/faults/ID", "without this rule"),
];

pub(super) fn answer(engine: &Engine, request: &Request, rest: &[&str]) -> Option<Reply> {
    let now = engine.clock.now();
    let missing = |id: &str| refuse(StatusCode::NOT_FOUND, &format!("there is no fault rule '{id}'"));
    let read = || {
        let text = String::from_utf8_lossy(&request.body);
        Rule::read(&text, None).map_err(|error| refuse(StatusCode::BAD_REQUEST, &error.to_string()))
    };
    let reply = match (&request.method, rest) {
        (&Method::GET, []) => Reply::ok(engine.faults.show()),
        (&Method::PUT, []) => match read() {
            Ok(rules) => match engine.faults.replace(rules, now) {
                Ok(_) => Reply::ok(engine.faults.show()),
                Err(error) => refuse(StatusCode::BAD_REQUEST, &error.to_string()),
            },
            Err(refusal) => refusal,
        },
        (&Method::POST, []) => match read() {
            Ok(rules) => match engine.faults.add(rules, now) {
                Ok(ids) => Reply::ok(json!({ "ids": ids })),
                Err(error) => refuse(StatusCode::BAD_REQUEST, &error.to_string()),
            },
            Err(refusal) => refusal,
        },
        (&Method::DELETE, []) => {
            engine.faults.clear();
            Reply { status: StatusCode::NO_CONTENT, body: None }
        }
        (&Method::GET, [id]) => engine.faults.show_one(id).map_or_else(|| missing(id), Reply::ok),
        (&Method::DELETE, [id]) if engine.faults.remove(id) => {
            Reply { status: StatusCode::NO_CONTENT, body: None }
        }
        (&Method::DELETE, [id]) => missing(id),
        _ => return None,
    };
    Some(reply)
}
