//! Recorded bodies survive our types: read and written again they are the same JSON.
//!
//! The recordings are pairs of requests and answers between a real client and the real API. Their folder is named by
//! `GCLB_RECORDINGS`, or else looked for next to the checkout.
#![allow(clippy::unwrap_used, clippy::panic, clippy::match_same_arms)]

use std::path::{Path, PathBuf};

use gce_api::*;
use serde_json::Value;

/// One exchange of a recording.
#[derive(serde::Deserialize)]
struct Exchange {
    method: String,
    path: String,
    request: Value,
    response: Value,
}

fn folder() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("GCLB_RECORDINGS") {
        let folder = PathBuf::from(named);
        assert!(folder.is_dir(), "GCLB_RECORDINGS names {}, which is no folder", folder.display());
        return Some(folder);
    }
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/recordings");
    beside.is_dir().then_some(beside)
}

/// What a type makes of a body.
fn through<T: serde::Serialize + serde::de::DeserializeOwned>(
    body: &Value,
) -> Result<Value, serde_json::Error> {
    serde_json::to_value(serde_json::from_value::<T>(body.clone())?)
}

/// Takes a body through the type whose `KIND` or `COLLECTION` is `$name`; `None` where it is none of ours.
macro_rules! by_name {
    ($constant:ident, $name:expr, $body:expr) => {
        by_name!(
            @ $constant, $name, $body;
            Address,
            BackendBucket,
            BackendService,
            Firewall,
            ForwardingRule,
            HealthCheck,
            Instance,
            InstanceGroup,
            Network,
            NetworkEndpointGroup,
            Operation,
            Region,
            SecurityPolicy,
            SslCertificate,
            SslPolicy,
            Subnetwork,
            TargetHttpProxy,
            TargetHttpsProxy,
            UrlMap,
            Zone,
        )
    };
    (@ $constant:ident, $name:expr, $body:expr; $($type:ty),* $(,)?) => {
        match $name {
            $(_ if $name == <$type as Resource>::$constant => Some(through::<$type>($body)),)*
            _ => None,
        }
    };
}

fn resource(collection: &str, body: &Value) -> Option<Result<Value, serde_json::Error>> {
    by_name!(COLLECTION, collection, body)
}

fn verb(verb: &str, body: &Value) -> Option<Result<Value, serde_json::Error>> {
    Some(match verb {
        "setLabels" => through::<SetLabelsRequest>(body),
        "setTarget" => through::<TargetReference>(body),
        "setUrlMap" => through::<UrlMapReference>(body),
        "setSslCertificates" => through::<TargetHttpsProxiesSetSslCertificatesRequest>(body),
        "setSslPolicy" => through::<SslPolicyReference>(body),
        "addInstances" => through::<InstanceGroupsAddInstancesRequest>(body),
        "removeInstances" => through::<InstanceGroupsRemoveInstancesRequest>(body),
        "listInstances" => through::<InstanceGroupsListInstancesRequest>(body),
        "setNamedPorts" => through::<InstanceGroupsSetNamedPortsRequest>(body),
        "attachNetworkEndpoints" => through::<NetworkEndpointGroupsAttachEndpointsRequest>(body),
        "detachNetworkEndpoints" => through::<NetworkEndpointGroupsDetachEndpointsRequest>(body),
        "listNetworkEndpoints" => through::<NetworkEndpointGroupsListEndpointsRequest>(body),
        "getHealth" => through::<ResourceGroupReference>(body),
        _ => return None,
    })
}

fn request(exchange: &Exchange) -> Option<Result<Value, serde_json::Error>> {
    let path = exchange.path.split(['?', '&']).next().unwrap();
    let segments: Vec<&str> = path.trim_start_matches("/compute/v1/projects/").split('/').skip(1).collect();
    let rest: &[&str] = match segments.as_slice() {
        ["global", rest @ ..] | ["regions" | "zones", _, rest @ ..] => rest,
        irregular => irregular,
    };
    match (exchange.method.as_str(), rest) {
        ("POST", [collection]) | ("PUT" | "PATCH", [collection, _]) => {
            resource(collection, &exchange.request)
        }
        ("POST", [_, _, name]) => verb(name, &exchange.request),
        _ => None,
    }
}

fn response(body: &Value) -> Option<Result<Value, serde_json::Error>> {
    if body.get("error").is_some_and(|error| error.get("code").is_some()) {
        return Some(through::<ErrorBody>(body));
    }
    let kind = body.get("kind")?.as_str()?;
    match kind {
        "compute#backendServiceGroupHealth" => return Some(through::<BackendServiceGroupHealth>(body)),
        "compute#instanceGroupsListInstances" => return Some(through::<InstanceGroupsListInstances>(body)),
        "compute#networkEndpointGroupsListNetworkEndpoints" => {
            return Some(through::<NetworkEndpointGroupsListNetworkEndpoints>(body));
        }
        _ => {}
    }
    by_name!(KIND, kind, body)
}

/// The one thing that is not kept: a `null`, which in a whole resource says no more than its absence.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .filter(|(_, member)| !member.is_null())
            .map(|(key, member)| (key.clone(), without_nulls(member)))
            .collect(),
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

/// Whether two bodies say the same. `1` and `1.0` do.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left == right || left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, left)| right.get(key).is_some_and(|right| same(left, right)))
        }
        _ => left == right,
    }
}

/// The members of the outermost object that a type does not know. What it does not know survives as well, so without
/// this a misspelt key would go unnoticed.
fn unknown_members(body: &Value) -> Vec<String> {
    macro_rules! by_kind {
        ($($type:ty),* $(,)?) => {
            match body.get("kind").and_then(Value::as_str) {
                $(Some(kind) if kind == <$type as Resource>::KIND => {
                    let typed: $type = serde_json::from_value(body.clone()).unwrap();
                    typed.extra.into_iter().map(|(key, _)| format!("{kind} {key}")).collect()
                })*
                _ => Vec::new(),
            }
        };
    }
    // Not here: types of which only a part is ours, by choice.
    by_kind!(
        Address,
        BackendBucket,
        BackendService,
        Firewall,
        ForwardingRule,
        HealthCheck,
        InstanceGroup,
        NetworkEndpointGroup,
        Operation,
        SecurityPolicy,
        SslCertificate,
        SslPolicy,
        TargetHttpProxy,
        TargetHttpsProxy,
        UrlMap,
    )
}

#[test]
fn recorded_bodies_survive_a_round_trip() {
    let Some(folder) = folder() else {
        println!("skipped: set GCLB_RECORDINGS to the folder of recorded traffic");
        return;
    };
    let mut compared = 0;
    let mut unknown = std::collections::BTreeSet::new();
    let mut members = std::collections::BTreeSet::new();
    let mut failures = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let story: Vec<Exchange> = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        for (at, exchange) in story.iter().enumerate() {
            let bodies = [("request", &exchange.request, request(exchange)), {
                let body = &exchange.response;
                ("response", body, response(body))
            }];
            for (side, body, outcome) in bodies {
                let place =
                    format!("{} #{at} {side} ({} {})", path.display(), exchange.method, exchange.path);
                match outcome {
                    _ if body.is_null() => {}
                    None => {
                        unknown
                            .insert(body.get("kind").and_then(Value::as_str).unwrap_or("no kind").to_owned());
                    }
                    Some(Err(error)) => failures.push(format!("{place}: {error}")),
                    Some(Ok(written)) => {
                        compared += 1;
                        members.extend(unknown_members(body));
                        let expected = without_nulls(body);
                        if !same(&expected, &written) {
                            failures.push(format!("{place}:\n  was {expected}\n  is  {written}"));
                        }
                    }
                }
            }
        }
    }
    println!("{compared} bodies compared; left out, as not ours: {unknown:?}");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(members.is_empty(), "members that no type knows: {members:?}");
    assert!(compared > 0, "{} holds no recordings", folder.display());
}
