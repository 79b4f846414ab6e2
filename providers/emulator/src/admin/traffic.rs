//! `/_emulator/traffic`: the log of requests to load balancers.

use super::{Paths, refuse};
use crate::dataplane::program::{Force, NetworkEndpoint};
use crate::dataplane::resource_id::InstanceId;
use crate::dataplane::traffic_log::{Asked, Entry, Reached, Said};
use crate::engine::{Engine, Reply, Request};
use http::{Method, StatusCode};
use serde_json::{Value, json};

pub(super) const PATHS: Paths = &[
    (
        "GET /_emulator/traffic",
        "the last requests to load balancers, of backend services whose logConfig asks for it: what was answered by whom, \
         and what security policies said. ?service=PART&status=403&after=NUMBER choose",
    ),
    ("DELETE /_emulator/traffic", "forget them"),
];

pub(super) fn answer(engine: &Engine, request: &Request, rest: &[&str]) -> Option<Reply> {
    match (&request.method, rest) {
        (&Method::GET, []) => Some(match Wanted::read(request) {
            Ok(wanted) => Reply::ok(show(engine, &wanted)),
            Err(why) => refuse(StatusCode::BAD_REQUEST, &why),
        }),
        (&Method::DELETE, []) => {
            engine.plane.traffic().clear();
            Some(Reply { status: StatusCode::NO_CONTENT, body: None })
        }
        _ => None,
    }
}

/// Which entries are shown: those that pass everything that is given.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// A part of the path of the backend service or bucket.
    service: Option<String>,
    status: Option<u16>,
    /// Not this number or before it.
    after: Option<u64>,
}

impl Wanted {
    fn read(request: &Request) -> Result<Self, String> {
        let mut wanted = Self::default();
        for (name, value) in &request.query {
            let number = |what: &str| format!("reading `{what}`: {value:?} is no number");
            match name.as_str() {
                "service" => wanted.service = Some(value.clone()),
                "status" => wanted.status = Some(value.parse().map_err(|_| number("status"))?),
                "after" => wanted.after = Some(value.parse().map_err(|_| number("after"))?),
                "prettyPrint" => {}
                _ => {
                    return Err(format!(
                        "`{name}` is unknown; entries are chosen by service, status and after"
                    ));
                }
            }
        }
        Ok(wanted)
    }

    fn admits(&self, entry: &Entry) -> bool {
        let Self { service, status, after } = self;
        service.as_ref().is_none_or(|part| entry.backend_service.as_str().contains(part.as_str()))
            && status.is_none_or(|status| entry.status.as_u16() == status)
            && after.is_none_or(|after| entry.number > after)
    }
}

/// Oldest first.
pub(crate) fn show(engine: &Engine, wanted: &Wanted) -> Value {
    let entries = engine.plane.traffic().entries_kept();
    entries.iter().filter(|entry| wanted.admits(entry)).map(entry).collect()
}

fn entry(entry: &Entry) -> Value {
    let Entry {
        number,
        at,
        forwarding_rule,
        backend_service,
        asked: Asked { client, method, url, protocol, user_agent },
        status,
        detail,
        reached,
        took,
        said,
    } = entry;
    let reached = reached.as_ref().map(|Reached { group, endpoint }| {
        let NetworkEndpoint { instance, address, port } = endpoint;
        let instance = instance.as_ref().map(InstanceId::as_str);
        json!({ "group": group.as_str(), "instance": instance, "address": address.to_string(), "port": port })
    });
    let said: Vec<Value> = said
        .iter()
        .map(|Said { stand, policy, priority, action, force }| {
            json!({
                "kind": stand,
                "policy": policy.as_str(),
                "priority": priority,
                "action": action,
                "preview": *force == Force::Preview,
            })
        })
        .collect();
    json!({
        "number": number,
        "time": at,
        "client": client.to_string(),
        "method": method,
        "url": url,
        "protocol": protocol,
        "userAgent": user_agent,
        "status": status.as_u16(),
        "statusDetails": detail.word(),
        "ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        "forwardingRule": forwarding_rule.as_str(),
        "backendService": backend_service.as_str(),
        "backend": reached,
        "securityPolicies": said,
    })
}
