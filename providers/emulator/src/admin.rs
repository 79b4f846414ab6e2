//! The admin path `/_emulator/…`: what the API has no method for. For people and tests, never for clients of the API.

use crate::call::is_project;
use crate::engine::{Engine, Reply, Request};
use crate::instance::{Instance, RegisterError};
use crate::latency::Latency;
use crate::name;
use crate::operation::Stage;
use crate::plane::state_name;
use crate::scope::{ResourcePath, Scope};
use crate::seed;
use crate::state::{Change, Origin, State, Stored};
use crate::version::Version;
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;

/// What the index says.
const INDEX: &[(&str, &str)] = &[
    (
        "GET /_emulator/state",
        "every resource, running operations, and what the data plane listens on and has probed",
    ),
    ("GET /_emulator/instances", "the instances that are registered"),
    (
        "POST /_emulator/instances",
        "register an instance: {project, zone, name, address, aliasRanges?, tags?, network?}",
    ),
    ("DELETE /_emulator/instances/PROJECT/ZONE/NAME", "take an instance away"),
    ("GET /_emulator/latency", "how long operations take"),
    ("PUT /_emulator/latency", "change it: {\"default\": MS, \"methods\": {\"urlMaps.*\": MS}}"),
    (
        "GET /_emulator/requests",
        "the last requests: method, path, status, milliseconds; no status while one is under way",
    ),
];

pub(crate) async fn answer(engine: &Arc<Engine>, request: &Request) -> Reply {
    let parts: Vec<&str> =
        request.path.trim_start_matches("/_emulator").split('/').filter(|part| !part.is_empty()).collect();
    match (&request.method, parts.as_slice()) {
        (&Method::GET, []) => Reply::ok(index()),
        (&Method::GET, ["state"]) => Reply::ok(state(engine)),
        (&Method::GET, ["requests"]) => Reply::ok(engine.requests.show()),
        (&Method::GET, ["latency"]) => Reply::ok(show_latency(&engine.latency())),
        (&Method::PUT, ["latency"]) => match read_latency(&request.body) {
            Ok(latency) => {
                engine.set_latency(latency.clone());
                Reply::ok(show_latency(&latency))
            }
            Err(why) => refuse(StatusCode::BAD_REQUEST, &why),
        },
        (&Method::GET, ["instances"]) => Reply::ok(instances(engine)),
        (&Method::POST, ["instances"]) => match serde_json::from_slice::<Instance>(&request.body) {
            Ok(instance) => match register(engine, &instance).await {
                Ok(()) => Reply::ok(json!(instance)),
                Err(error) => refuse(StatusCode::BAD_REQUEST, &error.to_string()),
            },
            Err(error) => refuse(StatusCode::BAD_REQUEST, &format!("reading the instance: {error}")),
        },
        (&Method::DELETE, ["instances", project, zone, name]) => {
            let path = ResourcePath {
                project: (*project).to_owned(),
                scope: Scope::Zone((*zone).to_owned()),
                collection: "instances",
                name: (*name).to_owned(),
            };
            if unregister(engine, &path).await {
                Reply { status: StatusCode::NO_CONTENT, body: None }
            } else {
                refuse(StatusCode::NOT_FOUND, &format!("there is no instance '{path}'"))
            }
        }
        _ => refuse(
            StatusCode::NOT_FOUND,
            &format!("there is no {} {}; GET /_emulator/ lists what there is", request.method, request.path),
        ),
    }
}

fn refuse(status: StatusCode, message: &str) -> Reply {
    Reply { status, body: Some(json!({ "error": message })) }
}

fn index() -> Value {
    let paths: Map<String, Value> =
        INDEX.iter().map(|(path, what)| ((*path).to_owned(), json!(what))).collect();
    json!({ "emulator": "Compute Engine", "version": env!("CARGO_PKG_VERSION"), "paths": paths })
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

fn instances(engine: &Engine) -> Value {
    let state = engine.state();
    let base = engine.base(Version::V1);
    let Some(resource) = crate::api::find("instances") else { return json!([]) };
    state
        .all(resource.collection)
        .map(|(path, stored)| Value::Object(engine.show(&state, resource, &path, stored, &base)))
        .collect()
}

/// Makes an instance known, or changes one that is.
pub(crate) async fn register(engine: &Engine, instance: &Instance) -> Result<(), RegisterError> {
    {
        let mut state = engine.state();
        let Instance { project, zone, name, network, .. } = instance.clone();
        if !name::is_valid(&name) {
            return Err(RegisterError::Name { name });
        }
        if !is_project(&project) {
            return Err(RegisterError::Project { name, project });
        }
        seed::ensure(&mut state, &project, engine.clock.now());
        let zone_path = ResourcePath {
            project: project.clone(),
            scope: Scope::Project,
            collection: "zones",
            name: zone.clone(),
        };
        if state.get(&zone_path).is_none() {
            return Err(RegisterError::Zone { name, project, zone });
        }
        if state.get(&instance.network_path()).is_none() {
            return Err(RegisterError::Network { name, project, network });
        }
        let path = instance.path();
        if state.in_flight(&path).is_some() {
            return Err(RegisterError::Busy { name });
        }
        let mut stored = Stored::new(crate::random::id(), engine.clock.now(), instance.body());
        if let Some(previous) = state.get(&path) {
            stored.id = previous.id;
            stored.created = previous.created;
            stored.generation = previous.generation + 1;
        }
        state.put(&path, stored);
    }
    engine.publish().await;
    engine.changed();
    Ok(())
}

/// Takes an instance away, from the groups it is in too. False: there is none, or an operation holds it.
pub(crate) async fn unregister(engine: &Engine, path: &ResourcePath) -> bool {
    {
        let mut state = engine.state();
        let held = matches!(state.in_flight(path), Some(Change::Put(_) | Change::Delete));
        let Some(resource) = crate::api::find(path.collection) else { return false };
        if held || state.remove(path).is_none() {
            return false;
        }
        (resource.deleted)(path, &mut state);
    }
    engine.publish().await;
    engine.changed();
    true
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
