//! `/_emulator/requests`: the request log.

use super::{Paths, refuse};
use crate::engine::{Engine, Reply, Request};
use crate::request_log::Wanted;
use http::{Method, StatusCode};

pub(super) const PATHS: Paths = &[
    (
        "GET /_emulator/requests",
        "the last requests, without secrets; no status while one is under way. \
         ?method=urlMaps.*&path=PART&status=4xx&since=TIME&after=NUMBER&fault=ID&client=PART choose",
    ),
    ("DELETE /_emulator/requests", "forget them"),
];

pub(super) fn answer(engine: &Engine, request: &Request, rest: &[&str]) -> Option<Reply> {
    match (&request.method, rest) {
        (&Method::GET, []) => Some(match wanted(request) {
            Ok(wanted) => Reply::ok(engine.requests.show(&wanted)),
            Err(why) => refuse(StatusCode::BAD_REQUEST, &why),
        }),
        (&Method::DELETE, []) => {
            engine.requests.clear();
            Some(Reply { status: StatusCode::NO_CONTENT, body: None })
        }
        _ => None,
    }
}

fn wanted(request: &Request) -> Result<Wanted, String> {
    let mut wanted = Wanted::default();
    for (name, value) in &request.query {
        let text = Some(value.clone());
        match name.as_str() {
            "method" => wanted.method = text,
            "path" => wanted.path = text,
            "status" => wanted.status = text,
            "fault" => wanted.fault = text,
            "client" => wanted.client = text,
            "since" => {
                let since = value.parse().map_err(|error| format!("reading `since`: {error}"))?;
                wanted.since = Some(since);
            }
            "after" => {
                let after = value.parse().map_err(|error| format!("reading `after`: {error}"))?;
                wanted.after = Some(after);
            }
            "prettyPrint" => {}
            _ => {
                return Err(format!(
                    "`{name}` is unknown; requests are chosen by method, path, status, since, after, fault and client"
                ));
            }
        }
    }
    Ok(wanted)
}
