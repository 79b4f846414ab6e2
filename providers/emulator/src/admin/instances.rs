//! `/_emulator/instances`: the instances that are registered.

use super::{Paths, refuse};
use crate::call::is_project;
use crate::engine::{Engine, Reply, Request};
use crate::instance::{Instance, RegisterError};
use crate::name;
use crate::scope::{ResourcePath, Scope};
use crate::seed;
use crate::state::{Change, Stored};
use crate::version::Version;
use http::{Method, StatusCode};
use serde_json::{Value, json};

pub(super) const PATHS: Paths = &[
    ("GET /_emulator/instances", "the instances that are registered"),
    (
        "POST /_emulator/instances",
        "register an instance: {project, zone, name, address, aliasRanges?, tags?, network?}",
    ),
    ("DELETE /_emulator/instances/PROJECT/ZONE/NAME", "take an instance away"),
];

pub(super) async fn answer(engine: &Engine, request: &Request, rest: &[&str]) -> Option<Reply> {
    let reply = match (&request.method, rest) {
        (&Method::GET, []) => Reply::ok(instances(engine)),
        (&Method::POST, []) => match serde_json::from_slice::<Instance>(&request.body) {
            Ok(instance) => match register(engine, &instance).await {
                Ok(()) => Reply::ok(json!(instance)),
                Err(error) => refuse(StatusCode::BAD_REQUEST, &error.to_string()),
            },
            Err(error) => refuse(StatusCode::BAD_REQUEST, &format!("reading the instance: {error}")),
        },
        (&Method::DELETE, [project, zone, name]) => {
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
        _ => return None,
    };
    Some(reply)
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
        if held {
            return false;
        }
        let Some(gone) = state.remove(path) else { return false };
        (resource.deleted)(path, &gone, &mut state);
    }
    engine.publish().await;
    engine.changed();
    true
}
