//! `/_emulator/snapshot` and `/_emulator/reset`: the whole state, out and in and away.

use super::{Paths, refuse};
use crate::engine::{Engine, Reply, Request};
use crate::snapshot::Snapshot;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) const PATHS: Paths = &[
    ("GET /_emulator/snapshot", "everything there is as one document, private keys included"),
    ("PUT /_emulator/snapshot", "put such a document in the place of everything there is"),
    ("POST /_emulator/reset", "forget everything; with ?project=ID, one project"),
];

pub(super) async fn answer(engine: &Arc<Engine>, request: &Request, rest: &[&str]) -> Option<Reply> {
    let reply = match (&request.method, rest) {
        (&Method::GET, []) => match serde_json::to_value(engine.snapshot()) {
            Ok(document) => Reply::ok(document),
            Err(error) => {
                refuse(StatusCode::INTERNAL_SERVER_ERROR, &format!("writing the snapshot: {error}"))
            }
        },
        (&Method::PUT, []) => match restore(engine, &request.body).await {
            Ok(()) => Reply::ok(summary(engine)),
            Err(error) => refuse(StatusCode::BAD_REQUEST, &error.to_string()),
        },
        _ => return None,
    };
    Some(reply)
}

async fn restore(engine: &Arc<Engine>, body: &[u8]) -> Result<(), crate::snapshot::SnapshotError> {
    engine.restore(Snapshot::read(body)?).await
}

pub(super) async fn reset(engine: &Engine, request: &Request, rest: &[&str]) -> Option<Reply> {
    if request.method != Method::POST || !rest.is_empty() {
        return None;
    }
    let project = request.query.get("project").map(String::as_str);
    Some(match engine.reset(project).await {
        Ok(()) => Reply::ok(summary(engine)),
        Err(error) => refuse(StatusCode::BAD_REQUEST, &error.to_string()),
    })
}

/// What there is now.
fn summary(engine: &Engine) -> Value {
    let state = engine.state();
    let resources: usize = state.collections().map(|collection| state.all(collection).count()).sum();
    json!({
        "projects": state.projects.keys().collect::<Vec<_>>(),
        "resources": resources,
        "operations": state.operations.all().count(),
    })
}
