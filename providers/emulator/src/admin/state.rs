//! `/_emulator/state`: what there is and what goes on, for people and tests to look at.

use super::Paths;
use crate::engine::{Engine, Reply, Request};
use crate::operation::Stage;
use crate::plane::state_name;
use crate::state::{Origin, State};
use crate::version::Version;
use http::Method;
use serde_json::{Map, Value, json};

pub(super) const PATHS: Paths = &[(
    "GET /_emulator/state",
    "every resource, running operations, and what the data plane listens on and has probed",
)];

pub(super) fn answer(engine: &Engine, request: &Request, rest: &[&str]) -> Option<Reply> {
    match (&request.method, rest) {
        (&Method::GET, []) => Some(Reply::ok(state(engine))),
        _ => None,
    }
}

/// Every resource that a request has made or changed, as the API shows it, and what goes on.
pub(crate) fn state(engine: &Engine) -> Value {
    let state = engine.state();
    let base = engine.base(Version::V1);
    let mut resources = Map::new();
    for resource in crate::api::RESOURCES {
        for (path, stored) in state.all(resource.collection) {
            if stored.origin == Origin::Project {
                continue;
            }
            let mut body = engine.show(&state, resource, &path, stored, &base);
            if !stored.members.is_empty() {
                body.insert("members".to_owned(), stored.members.values().cloned().collect());
            }
            resources.insert(path.to_string(), Value::Object(body));
        }
    }
    let running: Vec<Value> = state
        .operations
        .all()
        .filter(|operation| operation.stage() != Stage::Done)
        .map(|operation| operation.show(&base, engine.clock.now()))
        .collect();
    json!({
        "resources": resources,
        "runningOperations": running,
        "projects": state.projects.keys().collect::<Vec<_>>(),
        "portOffset": engine.config.port_offset,
        "dataPlane": engine.plane.show(),
        "health": health(engine, &state),
    })
}

/// What probes have found: backend service → group → endpoints. What is not probed is not there.
fn health(engine: &Engine, state: &State) -> Value {
    let mut services = Map::new();
    for (service, stored) in state.all("backendServices") {
        let mut groups = Map::new();
        for group in stored.fields().get("backends").and_then(Value::as_array).into_iter().flatten() {
            let Some(group) = group.get("group").and_then(Value::as_str) else { continue };
            let endpoints: Vec<Value> = engine
                .plane
                .health(&service.to_string(), group)
                .into_iter()
                .map(|endpoint| {
                    json!({
                        "address": endpoint.address.to_string(),
                        "port": endpoint.port,
                        "healthState": state_name(endpoint.state),
                        "lastFailure": endpoint.last_failure,
                    })
                })
                .collect();
            if !endpoints.is_empty() {
                groups.insert(group.to_owned(), json!(endpoints));
            }
        }
        if !groups.is_empty() {
            services.insert(service.to_string(), Value::Object(groups));
        }
    }
    Value::Object(services)
}
