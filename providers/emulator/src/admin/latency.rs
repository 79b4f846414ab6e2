//! `/_emulator/latency`: how long operations take.

use super::{Paths, refuse};
use crate::engine::{Engine, Reply, Request};
use crate::latency::Latency;
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};
use std::time::Duration;

pub(super) const PATHS: Paths = &[
    ("GET /_emulator/latency", "how long operations take"),
    ("PUT /_emulator/latency", "change it: {\"default\": MS, \"methods\": {\"urlMaps.*\": MS}}"),
];

pub(super) fn answer(engine: &Engine, request: &Request, rest: &[&str]) -> Option<Reply> {
    let reply = match (&request.method, rest) {
        (&Method::GET, []) => Reply::ok(show_latency(&engine.latency())),
        (&Method::PUT, []) => match read_latency(&request.body) {
            Ok(latency) => {
                engine.set_latency(latency.clone());
                Reply::ok(show_latency(&latency))
            }
            Err(why) => refuse(StatusCode::BAD_REQUEST, &why),
        },
        _ => return None,
    };
    Some(reply)
}

/// `{"default": MS, "methods": {"pattern": MS}}`. The order of patterns is the order they are written in.
fn show_latency(latency: &Latency) -> Value {
    let Latency { default, methods } = latency;
    let millis = |span: &Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let methods: Map<String, Value> =
        methods.iter().map(|(pattern, span)| (pattern.clone(), json!(millis(span)))).collect();
    json!({ "default": millis(default), "methods": methods })
}

fn read_latency(body: &[u8]) -> Result<Latency, String> {
    let usage = "write it as {\"default\": MS, \"methods\": {\"urlMaps.*\": MS}}";
    let body: Value =
        serde_json::from_slice(body).map_err(|error| format!("reading the latency: {error}; {usage}"))?;
    let span = |value: &Value, name: &str| {
        value
            .as_u64()
            .map(Duration::from_millis)
            .ok_or_else(|| format!("reading the latency: '{name}' is no number of milliseconds; {usage}"))
    };
    // A bare number is the same for all.
    if body.is_number() {
        return Ok(Latency::of(span(&body, "default")?));
    }
    let default = span(body.get("default").unwrap_or(&Value::Null), "default")?;
    let mut methods = Vec::new();
    for (pattern, value) in body.get("methods").and_then(Value::as_object).into_iter().flatten() {
        methods.push((pattern.clone(), span(value, pattern)?));
    }
    Ok(Latency { default, methods })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_reads_what_it_shows() {
        let latency = Latency {
            default: Duration::from_millis(5),
            methods: vec![
                ("urlMaps.*".to_owned(), Duration::from_millis(7)),
                ("*.delete".to_owned(), Duration::ZERO),
            ],
        };
        let shown = serde_json::to_vec(&show_latency(&latency)).unwrap();
        assert_eq!(read_latency(&shown), Ok(latency));
        assert_eq!(read_latency(b"12"), Ok(Latency::of(Duration::from_millis(12))));
        for bad in ["", "{}", "{\"default\":-1}", "{\"default\":1,\"methods\":{\"a\":\"b\"}}"] {
            assert!(read_latency(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
