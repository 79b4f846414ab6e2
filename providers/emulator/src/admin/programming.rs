//! `/_emulator/programming-delay`: how long after DONE changes are served.

use super::{Paths, refuse};
use crate::engine::{Engine, Reply, Request};
use crate::plane::ProgrammingDelay;
use http::{Method, StatusCode};
use serde_json::json;

pub(super) const PATHS: Paths = &[
    ("GET /_emulator/programming-delay", "how long after DONE changes are served, in milliseconds"),
    (
        "PUT /_emulator/programming-delay",
        "{\"new\": \"30s\", \"changes\": 0}: a new forwarding rule, and changes of what is served",
    ),
];

pub(super) fn answer(engine: &Engine, request: &Request, rest: &[&str]) -> Option<Reply> {
    let reply = match (&request.method, rest) {
        (&Method::GET, []) => Reply::ok(json!(engine.plane.delay())),
        (&Method::PUT, []) => match serde_json::from_slice::<ProgrammingDelay>(&request.body) {
            Ok(delay) => {
                engine.plane.set_delay(delay);
                Reply::ok(json!(delay))
            }
            Err(error) => {
                let why = format!(
                    "reading the programming delay: {error}; write {{\"new\": \"30s\", \"changes\": 0}}"
                );
                refuse(StatusCode::BAD_REQUEST, &why)
            }
        },
        _ => return None,
    };
    Some(reply)
}
