//! An emulator that touches no socket: the same answers, faults and health, in time that is tokio's alone.

#![allow(clippy::unwrap_used, clippy::panic)]

use bytes::Bytes;
use emulator::{
    Caller, Config, Emulator, Instance, Latency, ProgrammingDelay, Rule, Running, Sockets, Span, Unanswered,
};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

const OPERATION: Duration = Duration::from_secs(2);
const PROJECT: &str = "projects/p/";

async fn cloud() -> Running {
    let cloud = Emulator::start(Config {
        sockets: Sockets::None,
        latency: Latency::of(OPERATION),
        programming_delay: ProgrammingDelay { new: Span(Duration::from_secs(30)), changes: Span::default() },
        ..Config::default()
    })
    .await
    .unwrap();
    let instance = Instance {
        project: "p".to_owned(),
        zone: "us-central1-a".to_owned(),
        name: "node".to_owned(),
        address: [10, 0, 0, 2].into(),
        alias_ranges: Vec::new(),
        tags: Vec::new(),
        network: "default".to_owned(),
    };
    cloud.register_instance(&instance).await.unwrap();
    cloud
}

async fn call(
    caller: &Caller,
    method: Method,
    path: &str,
    body: &Value,
) -> Result<(StatusCode, Vec<u8>), Unanswered> {
    let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).unwrap() };
    let uri = format!("http://cloud.invalid/compute/v1/{PROJECT}{path}");
    let request = Request::builder().method(method).uri(uri).body(Bytes::from(body)).unwrap();
    let answer = caller.call(request).await?;
    Ok((answer.status(), answer.into_body().to_vec()))
}

/// Makes a change, and waits until it is done.
async fn change(cloud: &Running, path: &str, body: Value) {
    let (status, answer) = call(&cloud.caller(), Method::POST, path, &body).await.unwrap();
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
    cloud.idle().await;
}

async fn health(cloud: &Running) -> Vec<String> {
    let group = json!({ "group": format!("{PROJECT}zones/us-central1-a/instanceGroups/web") });
    let (status, answer) =
        call(&cloud.caller(), Method::POST, "global/backendServices/web/getHealth", &group).await.unwrap();
    assert_eq!(status, 200);
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    let endpoints = answer["healthStatus"].as_array().into_iter().flatten();
    endpoints.map(|state| state["healthState"].as_str().unwrap().to_owned()).collect()
}

async fn serve(cloud: &Running) {
    let zone = "zones/us-central1-a";
    let group = json!({ "name": "web", "namedPorts": [{ "name": "http", "port": 80 }] });
    change(cloud, &format!("{zone}/instanceGroups"), group).await;
    let node = format!("{PROJECT}{zone}/instances/node");
    let add = format!("{zone}/instanceGroups/web/addInstances");
    change(cloud, &add, json!({ "instances": [{ "instance": node }] })).await;
    let check = json!({ "name": "web", "type": "TCP", "tcpHealthCheck": { "port": 80 }, "checkIntervalSec": 10,
        "timeoutSec": 5, "healthyThreshold": 2, "unhealthyThreshold": 3 });
    change(cloud, "global/healthChecks", check).await;
    let service = json!({ "name": "web", "loadBalancingScheme": "EXTERNAL_MANAGED", "protocol": "HTTP",
        "healthChecks": ["global/healthChecks/web"],
        "backends": [{ "group": format!("{PROJECT}{zone}/instanceGroups/web") }] });
    change(cloud, "global/backendServices", service).await;
    change(cloud, "global/urlMaps", json!({ "name": "web", "defaultService": "global/backendServices/web" }))
        .await;
    change(cloud, "global/targetHttpProxies", json!({ "name": "web", "urlMap": "global/urlMaps/web" })).await;
    let firewall = json!({ "name": "probes", "sourceRanges": ["35.191.0.0/16", "130.211.0.0/22"],
        "allowed": [{ "IPProtocol": "tcp" }] });
    change(cloud, "global/firewalls", firewall).await;
    let rule = json!({ "name": "web", "loadBalancingScheme": "EXTERNAL_MANAGED", "portRange": "80",
        "target": "global/targetHttpProxies/web" });
    change(cloud, "global/forwardingRules", rule).await;
}

#[tokio::test(start_paused = true)]
async fn a_whole_story_takes_its_time_by_tokios_clock() {
    let cloud = cloud().await;
    let began = Instant::now();
    serve(&cloud).await;
    assert_eq!(began.elapsed().as_secs(), 8 * OPERATION.as_secs(), "eight operations, one after the other");
    assert!(health(&cloud).await.is_empty(), "no forwarding rule is served yet, so nobody is probed");

    // Programmed after 30 s, and healthy after two probes.
    tokio::time::sleep(Duration::from_secs(31)).await;
    assert_eq!(health(&cloud).await, ["UNHEALTHY"]);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(health(&cloud).await, ["HEALTHY"]);

    let failing =
        json!({ "id": "ill", "fault": { "backend": { "does": "failProbes", "address": "10.0.0.2" } } });
    cloud.add_fault(serde_json::from_value(failing).unwrap()).unwrap();
    tokio::time::sleep(Duration::from_secs(19)).await;
    assert_eq!(health(&cloud).await, ["HEALTHY"], "two probes failed, and three are needed");
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(health(&cloud).await, ["UNHEALTHY"]);
    assert!(cloud.remove_fault("ill"));
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(health(&cloud).await, ["HEALTHY"]);
    cloud.shutdown().await;
}

fn once(fault: &Value) -> Rule {
    serde_json::from_value(json!({ "count": 1, "fault": fault })).unwrap()
}

#[tokio::test(start_paused = true)]
async fn faults_end_calls_as_they_would_end_connections() {
    let cloud = cloud().await;
    let caller = cloud.caller();
    let insert = |name: &str| {
        let (caller, body) = (caller.clone(), json!({ "name": name }));
        async move { call(&caller, Method::POST, "global/addresses", &body).await }
    };
    let exists = |name: &str| {
        let (caller, path) = (caller.clone(), format!("global/addresses/{name}"));
        async move { call(&caller, Method::GET, &path, &Value::Null).await.unwrap().0 == 200 }
    };
    cloud.add_fault(once(&json!({ "reset": { "when": "beforeCommit" } }))).unwrap();
    assert_eq!(insert("a").await, Err(Unanswered::Reset));
    cloud.idle().await;
    assert!(!exists("a").await);
    cloud.add_fault(once(&json!({ "drop": { "when": "afterCommit" } }))).unwrap();
    assert_eq!(insert("b").await, Err(Unanswered::Closed));
    cloud.idle().await;
    assert!(exists("b").await, "it was carried out, and the answer was lost");
    cloud.add_fault(once(&json!({ "html": { "status": 502 } }))).unwrap();
    let (status, page) = insert("c").await.unwrap();
    assert!(status == 502 && page.starts_with(b"<"), "{status}");

    let id = cloud.add_fault(once(&json!({ "hang": { "when": "beforeCommit" } }))).unwrap();
    let hanging = tokio::time::timeout(Duration::from_hours(1), insert("d"));
    assert!(hanging.await.is_err(), "an hour passed, and there was no answer");
    assert!(cloud.remove_fault(&id));
    cloud.shutdown().await;
    assert_eq!(insert("e").await, Err(Unanswered::Refused));
}
