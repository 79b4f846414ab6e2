//! The admin path `/_emulator/…`: what the API has no method for. For people and tests, never for clients of the API.
//!
//! One module for each noun below the path. A noun says what it answers in its `PATHS`, which the index shows, and
//! answers in its `answer`, which returns nothing for what it does not have.

mod buckets;
mod certificates;
mod clock;
mod faults;
mod instances;
mod latency;
mod list_lag;
mod programming;
mod quotas;
mod requests;
mod resources;
mod snapshot;
mod state;
mod traffic;

pub(crate) use self::instances::{register, unregister};
pub(crate) use self::state::state;
pub(crate) use self::traffic::{Wanted as WantedTraffic, show as traffic};

use crate::engine::{Engine, Reply, Request};
use http::StatusCode;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// What a noun answers: method and path, and what it is for.
type Paths = &'static [(&'static str, &'static str)];

/// What the index shows, noun by noun.
const INDEX: &[Paths] = &[
    state::PATHS,
    snapshot::PATHS,
    instances::PATHS,
    clock::PATHS,
    latency::PATHS,
    list_lag::PATHS,
    quotas::PATHS,
    programming::PATHS,
    faults::PATHS,
    resources::PATHS,
    requests::PATHS,
    traffic::PATHS,
    buckets::PATHS,
    certificates::PATHS,
];

pub(crate) async fn answer(engine: &Arc<Engine>, request: &Request) -> Reply {
    let parts: Vec<&str> =
        request.path.trim_start_matches("/_emulator").split('/').filter(|part| !part.is_empty()).collect();
    let reply = match parts.split_first() {
        None => Some(Reply::ok(index())),
        Some((&"state", rest)) => state::answer(engine, request, rest),
        Some((&"snapshot", rest)) => snapshot::answer(engine, request, rest).await,
        Some((&"reset", rest)) => snapshot::reset(engine, request, rest).await,
        Some((&"instances", rest)) => instances::answer(engine, request, rest).await,
        Some((&"clock", rest)) => clock::answer(engine, request, rest).await,
        Some((&"latency", rest)) => latency::answer(engine, request, rest),
        Some((&"list-lag", rest)) => list_lag::answer(engine, request, rest),
        Some((&"quotas", rest)) => quotas::quotas(engine, request, rest),
        Some((&"rates", rest)) => quotas::rates(engine, request, rest),
        Some((&"programming-delay", rest)) => programming::answer(engine, request, rest),
        Some((&"faults", rest)) => faults::answer(engine, request, rest),
        Some((&"resources", rest)) => resources::answer(engine, request, rest).await,
        Some((&"requests", rest)) => requests::answer(engine, request, rest),
        Some((&"buckets", rest)) => buckets::answer(engine, request, rest),
        Some((&"certificates", rest)) => certificates::answer(engine, request, rest).await,
        Some((&"traffic", rest)) => traffic::answer(engine, request, rest),
        Some(_) => None,
    };
    reply.unwrap_or_else(|| {
        let text =
            format!("there is no {} {}; GET /_emulator/ lists what there is", request.method, request.path);
        refuse(StatusCode::NOT_FOUND, &text)
    })
}

fn refuse(status: StatusCode, message: &str) -> Reply {
    Reply { status, body: Some(json!({ "error": message })) }
}

fn index() -> Value {
    let paths: Map<String, Value> = INDEX
        .iter()
        .flat_map(|paths| paths.iter())
        .map(|(path, what)| ((*path).to_owned(), json!(what)))
        .collect();
    json!({ "emulator": "Compute Engine", "version": env!("CARGO_PKG_VERSION"), "paths": paths })
}
