//! `/_emulator/list-lag`: how far lists lag behind.

use super::{Paths, refuse};
use crate::engine::{Engine, Reply, Request};
use crate::span::Span;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

pub(super) const PATHS: Paths = &[
    ("GET /_emulator/list-lag", "how far lists lag behind what get shows, in milliseconds"),
    (
        "PUT /_emulator/list-lag",
        "change it: {\"lag\": \"5s\"}, or a number of milliseconds; 0 for not at all",
    ),
];

pub(super) fn answer(engine: &Arc<Engine>, request: &Request, rest: &[&str]) -> Option<Reply> {
    let show =
        |lag: Duration| Reply::ok(json!({ "lag": u64::try_from(lag.as_millis()).unwrap_or(u64::MAX) }));
    match (&request.method, rest) {
        (&Method::GET, []) => Some(show(engine.list_lag())),
        (&Method::PUT, []) => {
            let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            let Ok(Span(lag)) = serde_json::from_value(body.get("lag").unwrap_or(&body).clone()) else {
                let why = "reading the lag of lists: write {\"lag\": \"5s\"}, or a number of milliseconds";
                return Some(refuse(StatusCode::BAD_REQUEST, why));
            };
            engine.set_list_lag(lag);
            Some(show(lag))
        }
        _ => None,
    }
}
