//! `/_emulator/clock`: the emulated cloud's time.

use super::{Paths, refuse};
use crate::clock::{Clock, Pace};
use crate::engine::{Engine, Reply, Request};
use http::{Method, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

pub(super) const PATHS: Paths = &[
    ("GET /_emulator/clock", "what time it is, how fast it goes, how many sleep"),
    ("PUT /_emulator/clock", "{\"held\": true} holds it, {\"scale\": 60} lets it go, a minute in a second"),
    (
        "POST /_emulator/clock/step",
        "{\"seconds\": 90} or {\"to\": \"2026-11-22T12:00:00Z\"}: sets it forward; answers when all that was due is done",
    ),
];

pub(super) async fn answer(engine: &Engine, request: &Request, rest: &[&str]) -> Option<Reply> {
    let clock = &engine.clock;
    let reply = match (&request.method, rest) {
        (&Method::GET, []) => Ok(show(clock)),
        (&Method::PUT, []) => set(clock, &request.body),
        (&Method::POST, ["step"]) => step(clock, &request.body).await,
        _ => return None,
    };
    Some(reply.map_or_else(|why| refuse(StatusCode::BAD_REQUEST, &why), Reply::ok))
}

fn show(clock: &Clock) -> Value {
    let scale = match clock.pace() {
        Pace::Held => Value::Null,
        Pace::Running(scale) => json!(scale),
    };
    json!({ "now": clock.now(), "held": clock.pace() == Pace::Held, "scale": scale, "sleepers": clock.sleepers() })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Setting {
    held: Option<bool>,
    scale: Option<f64>,
}

fn set(clock: &Clock, body: &[u8]) -> Result<Value, String> {
    let usage = "write {\"held\": true}, {\"held\": false} or {\"scale\": 60}";
    let setting =
        serde_json::from_slice(body).map_err(|error| format!("setting the clock: {error}; {usage}"))?;
    match setting {
        Setting { held: Some(true), scale: None } => clock.hold(),
        Setting { held: Some(false), scale: None } => clock.run(1.0).map_err(|error| error.to_string())?,
        Setting { held: None | Some(false), scale: Some(scale) } => {
            clock.run(scale).map_err(|error| format!("setting the clock: {error}"))?;
        }
        Setting { .. } => return Err(format!("setting the clock: {usage}")),
    }
    Ok(show(clock))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Far {
    seconds: Option<f64>,
    to: Option<Timestamp>,
}

async fn step(clock: &Clock, body: &[u8]) -> Result<Value, String> {
    let usage = "write {\"seconds\": 90}, or {\"to\": \"2026-11-22T12:00:00Z\"} with a time to come";
    let far =
        serde_json::from_slice(body).map_err(|error| format!("stepping the clock: {error}; {usage}"))?;
    let span = match far {
        Far { seconds: Some(seconds), to: None } => Duration::try_from_secs_f64(seconds).ok(),
        Far { seconds: None, to: Some(to) } => Duration::try_from(to.duration_since(clock.now())).ok(),
        Far { .. } => None,
    };
    let span = span.ok_or_else(|| format!("stepping the clock: {usage}"))?;
    Ok(json!(clock.step(span).await))
}
