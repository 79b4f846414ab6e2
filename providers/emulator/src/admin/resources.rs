//! `/_emulator/resources/…`: drift by hand.

use super::{Paths, refuse};
use crate::engine::{DriftError, Engine, Reply, Request};
use http::{Method, StatusCode};
use serde_json::Value;

pub(super) const PATHS: Paths = &[
    (
        "PATCH /_emulator/resources/projects/…",
        "change a resource behind everybody's back: the body is merged into it, nothing is checked",
    ),
    ("DELETE /_emulator/resources/projects/…", "delete one, whoever refers to it"),
];

pub(super) async fn answer(engine: &Engine, request: &Request, rest: &[&str]) -> Option<Reply> {
    let path = rest.join("/");
    let edit = match request.method {
        Method::PATCH => match serde_json::from_slice::<Value>(&request.body) {
            Ok(edit) => Some(edit),
            Err(error) => {
                let why = format!("changing '{path}' by hand: reading the patch: {error}");
                return Some(refuse(StatusCode::BAD_REQUEST, &why));
            }
        },
        Method::DELETE => None,
        _ => return None,
    };
    Some(match engine.drift(&path, edit).await {
        Ok(Some(shown)) => Reply::ok(shown),
        Ok(None) => Reply { status: StatusCode::NO_CONTENT, body: None },
        Err(error @ DriftError::Missing { .. }) => refuse(StatusCode::NOT_FOUND, &error.to_string()),
        Err(error @ (DriftError::Path { .. } | DriftError::Patch { .. })) => {
            refuse(StatusCode::BAD_REQUEST, &error.to_string())
        }
    })
}
