//! `/_emulator/latency`: how long operations and answers take.

use super::{Paths, refuse};
use crate::engine::{Engine, Reply, Request};
use crate::latency::Latency;
use http::{Method, StatusCode};

pub(super) const PATHS: Paths = &[
    ("GET /_emulator/latency", "how long operations and answers take"),
    (
        "PUT /_emulator/latency",
        "change it: {\"default\": MS, \"methods\": {\"urlMaps.*\": {\"pending\": MS, \"running\": {\"from\": MS, \"to\": MS}, \"answer\": MS}}}",
    ),
];

pub(super) fn answer(engine: &Engine, request: &Request, rest: &[&str]) -> Option<Reply> {
    let reply = match (&request.method, rest) {
        (&Method::GET, []) => Reply::ok(engine.latency().to_json()),
        (&Method::PUT, []) => match Latency::from_json(&request.body) {
            Ok(latency) => {
                let shown = latency.to_json();
                engine.set_latency(latency);
                Reply::ok(shown)
            }
            Err(error) => refuse(StatusCode::BAD_REQUEST, &error.to_string()),
        },
        _ => return None,
    };
    Some(reply)
}
