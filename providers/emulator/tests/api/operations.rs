//! Operations: their course, waiting, replay, and what they hold meanwhile.

use super::cloud::{Cloud, DEADLINE};
use emulator::{Config, Latency};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

async fn slow(latency: u64) -> Cloud {
    Cloud::with(Config { latency: Latency::of(Duration::from_millis(latency)), ..Config::default() }).await
}

#[tokio::test]
async fn from_pending_to_done() {
    let cloud = slow(1000).await;
    let began = Instant::now();
    let operation = cloud.post("global/addresses", json!({ "name": "a" })).await.ok();
    assert_eq!((&operation["kind"], &operation["status"]), (&json!("compute#operation"), &json!("PENDING")));
    assert_eq!((&operation["operationType"], &operation["progress"]), (&json!("insert"), &json!(0)));
    let name = operation["name"].as_str().unwrap();
    assert!(name.starts_with("operation-"), "{name}");
    let path = format!("global/operations/{name}");
    cloud.get("global/addresses/a").await.refused(404, "notFound", "was not found");
    let mut stages = Vec::new();
    tokio::time::timeout(DEADLINE, async {
        loop {
            let now = cloud.get(&path).await.ok();
            let stage = now["status"].as_str().unwrap().to_owned();
            assert_eq!(now.get("startTime").is_some(), stage != "PENDING");
            assert_eq!(now.get("endTime").is_some(), stage == "DONE");
            if stages.last() != Some(&stage) {
                stages.push(stage.clone());
            }
            if stage == "DONE" {
                assert_eq!(now["progress"], 100);
                break;
            }
        }
    })
    .await
    .unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1), "it took its time");
    assert_eq!(stages.last().unwrap(), "DONE");
    assert!(stages.contains(&"RUNNING".to_owned()), "{stages:?}");
    let address = cloud.get("global/addresses/a").await.ok();
    assert_eq!(operation["targetId"], address["id"]);
    assert_eq!(operation["targetLink"], address["selfLink"]);
}

#[tokio::test]
async fn waiting_ends_with_the_operation_or_with_patience() {
    let cloud = Cloud::with(Config {
        latency: Latency::of(Duration::from_millis(300)),
        wait_limit: Duration::from_millis(50),
        ..Config::default()
    })
    .await;
    let operation = cloud.post("global/addresses", json!({ "name": "a" })).await.ok();
    let path = format!("global/operations/{}/wait", operation["name"].as_str().unwrap());
    let early = cloud.call("POST", &path, None).await.ok();
    assert_ne!(early["status"], "DONE", "the limit is shorter than the operation");
    let mut waits = 1;
    tokio::time::timeout(DEADLINE, async {
        while cloud.call("POST", &path, None).await.ok()["status"] != "DONE" {
            waits += 1;
        }
    })
    .await
    .unwrap();
    assert!(waits < 20, "each call really waits: {waits}");
}

#[tokio::test]
async fn a_resource_is_held_while_its_operation_runs() {
    let cloud = Cloud::start().await;
    cloud.url_map("web").await;
    cloud.running.set_latency(Latency::of(Duration::from_secs(1)));
    let held = "The resource 'projects/p/global/urlMaps/web' is not ready";
    let operation =
        cloud.call("PATCH", "global/urlMaps/web", Some(&json!({ "description": "x" }))).await.ok();
    for method in ["PATCH", "PUT", "DELETE"] {
        cloud.call(method, "global/urlMaps/web", Some(&json!({}))).await.refused(
            400,
            "resourceNotReady",
            held,
        );
    }
    assert_eq!(cloud.get("global/urlMaps/web").await.ok().get("description"), None, "not before it is DONE");
    cloud.wait(&operation).await;
    assert_eq!(cloud.get("global/urlMaps/web").await.ok()["description"], "x");

    // On its way in: the name is taken, and nobody can refer to it yet.
    let coming = cloud.post("global/healthChecks", json!({ "name": "h", "type": "TCP" })).await.ok();
    cloud.post("global/healthChecks", json!({ "name": "h", "type": "TCP" })).await.refused(
        409,
        "alreadyExists",
        "already exists",
    );
    let service = json!({ "name": "s", "healthChecks": ["h"] });
    cloud.post("global/backendServices", service.clone()).await.refused(
        400,
        "resourceNotReady",
        "global/healthChecks/h' is not ready",
    );
    cloud.wait(&coming).await;
    let coming = cloud.post("global/backendServices", service).await.ok();
    // A reference that was accepted counts before it is in place.
    cloud.call("DELETE", "global/healthChecks/h", None).await.refused(
        400,
        "resourceInUseByAnotherResource",
        "being used by 'projects/p/global/backendServices/s'",
    );
    cloud.wait(&coming).await;

    // On its way out: still shown, but nobody can refer to it any more.
    cloud.running.set_latency(Latency::of(Duration::from_millis(1)));
    cloud.delete("global/backendServices/s").await;
    cloud.running.set_latency(Latency::of(Duration::from_secs(1)));
    let going = cloud.call("DELETE", "global/healthChecks/h", None).await.ok();
    assert_eq!(going["operationType"], "delete");
    assert_eq!(cloud.get("global/healthChecks/h").await.status, 200);
    cloud.post("global/backendServices", json!({ "name": "s", "healthChecks": ["h"] })).await.refused(
        400,
        "resourceNotReady",
        "is not ready",
    );
    cloud.wait(&going).await;
    assert_eq!(cloud.get("global/healthChecks/h").await.status, 404);
}

#[tokio::test]
async fn a_request_that_is_sent_again_gets_the_same_operation() {
    let cloud = Cloud::start().await;
    let path = "global/addresses?requestId=6ff0f4b8-5a5c-4b2c-9c55-3f6f6a0e3c11";
    let first = cloud.post(path, json!({ "name": "a" })).await.ok();
    cloud.wait(&first).await;
    let again = cloud.post(path, json!({ "name": "a" })).await.ok();
    assert_eq!((&again["name"], &again["id"]), (&first["name"], &first["id"]));
    assert_eq!(again["status"], "DONE");
    assert_eq!(again["clientOperationId"], "6ff0f4b8-5a5c-4b2c-9c55-3f6f6a0e3c11");
    cloud.post("global/addresses", json!({ "name": "a" })).await.refused(
        409,
        "alreadyExists",
        "already exists",
    );
    let delete = "global/addresses/a?requestId=11111111-5a5c-4b2c-9c55-3f6f6a0e3c11";
    let first = cloud.call("DELETE", delete, None).await.ok();
    cloud.wait(&first).await;
    assert_eq!(cloud.call("DELETE", delete, None).await.ok()["name"], first["name"]);
    for bad in ["nonsense", "00000000-0000-0000-0000-000000000000"] {
        let path = format!("global/addresses?requestId={bad}");
        cloud.post(&path, json!({ "name": "b" })).await.refused(400, "invalid", "requestId");
    }
    cloud
        .post(
            "global/healthChecks?requestId=6ff0f4b8-5a5c-4b2c-9c55-3f6f6a0e3c11",
            json!({ "name": "h", "type": "TCP" }),
        )
        .await
        .refused(400, "invalid", "used by another request");
    // A refused request has no operation, so its id is still free.
    let refused = "global/addresses?requestId=22222222-5a5c-4b2c-9c55-3f6f6a0e3c11";
    cloud.post(refused, json!({ "name": "Bad" })).await.refused(400, "invalid", "resource.name");
    cloud.post(refused, json!({ "name": "good" })).await.ok();
    // The labels of a global address are one of the few changes that take no request id: it is ignored there.
    cloud.insert("global/addresses", json!({ "name": "labelled" })).await;
    let labels = "global/addresses/labelled/setLabels?requestId=6ff0f4b8-5a5c-4b2c-9c55-3f6f6a0e3c11";
    let set = cloud.done("POST", labels, &json!({ "labels": { "a": "b" } })).await;
    assert_eq!(set.get("clientOperationId"), None);
}

#[tokio::test]
async fn operations_are_in_the_place_of_what_they_change() {
    let cloud = Cloud::start().await;
    cloud.insert("global/addresses", json!({ "name": "a" })).await;
    cloud.insert("regions/us-central1/addresses", json!({ "name": "a" })).await;
    let zonal = cloud.done("POST", "zones/us-central1-a/instanceGroups", &json!({ "name": "g" })).await;
    let zone = "https://www.googleapis.com/compute/v1/projects/p/zones/us-central1-a";
    assert_eq!(zonal["zone"], zone);
    assert!(zonal["selfLink"].as_str().unwrap().starts_with(&format!("{zone}/operations/operation-")));
    for place in ["global", "regions/us-central1", "zones/us-central1-a"] {
        let list = cloud.get(&format!("{place}/operations")).await.ok();
        assert_eq!(list["items"].as_array().unwrap().len(), 1, "{place}");
    }
    let all = cloud.get("aggregated/operations").await.ok();
    assert_eq!(all["items"]["regions/us-central1"]["operations"][0]["operationType"], "insert");
    let path = format!("zones/us-central1-a/operations/{}", zonal["name"].as_str().unwrap());
    let by_id = format!("zones/us-central1-a/operations/{}", zonal["id"].as_str().unwrap());
    assert_eq!(cloud.get(&by_id).await.ok()["name"], zonal["name"]);
    let deleted = cloud.call("DELETE", &path, None).await;
    assert_eq!((deleted.status, deleted.body), (204, Value::Null));
    cloud.get(&path).await.refused(404, "notFound", "was not found");
}
