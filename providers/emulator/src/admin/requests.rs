//! `/_emulator/requests`: the request log.

use super::Paths;
use crate::engine::{Engine, Reply, Request};
use http::Method;

pub(super) const PATHS: Paths = &[(
    "GET /_emulator/requests",
    "the last requests: method, path, status, milliseconds; no status while one is under way",
)];

pub(super) fn answer(engine: &Engine, request: &Request, rest: &[&str]) -> Option<Reply> {
    match (&request.method, rest) {
        (&Method::GET, []) => Some(Reply::ok(engine.requests.show())),
        _ => None,
    }
}
