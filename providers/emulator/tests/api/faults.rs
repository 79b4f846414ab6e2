//! Faults on purpose, as a client of the API and of the admin path sees them.

use super::cloud::{Cloud, DEADLINE};
use emulator::clock::Pace;
use emulator::{Config, Fault, Latency, Rule};
use serde_json::{Value, json};
use std::time::Duration;

async fn held() -> Cloud {
    let latency = Latency::of(Duration::from_secs(10));
    Cloud::with(Config { pace: Pace::Held, latency, ..Config::default() }).await
}

async fn fault(cloud: &Cloud, rule: Value) -> String {
    let added = cloud.post("/_emulator/faults", rule).await.ok();
    added["ids"][0].as_str().unwrap().to_owned()
}

/// A request and its raw answer, if one comes.
async fn raw(
    cloud: &Cloud,
    method: &str,
    path: &str,
    body: Value,
) -> Result<(u16, String, String), reqwest::Error> {
    let url = format!("http://{}/compute/v1/projects/p/{path}", cloud.running.address());
    let answer = cloud.client.request(method.parse().unwrap(), url).json(&body).send().await?;
    let status = answer.status().as_u16();
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    Ok((status, kind, answer.text().await?))
}

#[tokio::test]
async fn errors_come_instead_of_answers_and_nothing_is_changed() {
    let cloud = Cloud::start().await;
    let address = json!({ "name": "a" });
    for (rule, status, reason) in [
        (json!({ "throttle": {} }), 403, "rateLimitExceeded"),
        (json!({ "throttle": { "status": 429, "retryAfter": 3 } }), 429, "rateLimitExceeded"),
        (json!({ "error": { "status": 401 } }), 401, "authError"),
        (json!({ "error": { "status": 403 } }), 403, "forbidden"),
        (json!({ "error": { "status": 500 } }), 500, "internalError"),
        (json!({ "error": { "status": 502 } }), 502, "backendError"),
        (json!({ "error": { "status": 503, "reason": "x", "message": "y" } }), 503, "x"),
        (json!({ "notReady": {} }), 400, "resourceNotReady"),
    ] {
        let id =
            fault(&cloud, json!({ "method": "*.insert", "name": "^a$", "count": 1, "fault": rule })).await;
        cloud.post("global/addresses", address.clone()).await.refused(status, reason, "");
        let shown = cloud.get(&format!("/_emulator/faults/{id}")).await.ok();
        assert_eq!((&shown["hits"], &shown["matched"]), (&json!(1), &json!(1)));
        let log = cloud.get(&format!("/_emulator/requests?fault={id}")).await.ok();
        assert_eq!((&log[0]["call"], &log[0]["status"]), (&json!("addresses.insert"), &json!(status)));
    }
    assert_eq!(cloud.get("global/addresses").await.ok().get("items"), None);
    cloud.insert("global/addresses", address).await;
    assert_eq!(cloud.call("DELETE", "/_emulator/faults", None).await.status, 204);
    assert_eq!(cloud.get("/_emulator/faults").await.ok(), json!([]));
}

#[tokio::test]
async fn answers_that_are_no_json() {
    let cloud = Cloud::start().await;
    let once = |fault: Value| json!({ "method": "globalAddresses.insert", "count": 1, "fault": fault });
    fault(&cloud, once(json!({ "html": {} }))).await;
    let (status, kind, text) = raw(&cloud, "POST", "global/addresses", json!({ "name": "a" })).await.unwrap();
    assert!(
        status == 502 && kind.starts_with("text/html") && text.contains("<title>"),
        "{status} {kind} {text}"
    );
    assert_eq!(cloud.get("global/addresses/a").await.status, 404);
    fault(&cloud, once(json!({ "truncate": {} }))).await;
    let (status, _, text) = raw(&cloud, "POST", "global/addresses", json!({ "name": "a" })).await.unwrap();
    assert!(
        status == 200 && serde_json::from_str::<Value>(&text).is_err() && text.starts_with('{'),
        "{text}"
    );
    cloud.running.idle().await;
    assert_eq!(cloud.get("global/addresses/a").await.status, 200, "it was carried out");
}

#[tokio::test]
async fn connections_end_before_or_after_the_commit() {
    let cloud = Cloud::start().await;
    for (name, kind, when, made) in [
        ("a", "drop", "beforeCommit", false),
        ("b", "drop", "afterCommit", true),
        ("c", "reset", "beforeCommit", false),
        ("d", "reset", "afterCommit", true),
    ] {
        let rule = json!({ "method": "*.insert", "count": 1, "fault": { kind: { "when": when } } });
        fault(&cloud, rule).await;
        let error = raw(&cloud, "POST", "global/addresses", json!({ "name": name })).await.unwrap_err();
        let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
        let reset = causes
            .filter_map(|error| error.downcast_ref::<std::io::Error>())
            .any(|error| error.kind() == std::io::ErrorKind::ConnectionReset);
        assert_eq!(reset, kind == "reset", "{error:?}");
        cloud.running.idle().await;
        let found = cloud.get(&format!("global/addresses/{name}")).await.status;
        assert_eq!(found, if made { 200 } else { 404 }, "{kind} {when}");
    }
    let log = cloud.get("/_emulator/requests?method=addresses.insert").await.ok();
    assert_eq!((&log[3]["connection"], &log[3]["status"]), (&json!("reset"), &Value::Null));
}

#[tokio::test]
async fn a_hanging_call_goes_on_when_the_rule_is_gone() {
    let cloud = Cloud::start().await;
    let id =
        fault(&cloud, json!({ "method": "addresses.list", "fault": { "hang": { "when": "beforeCommit" } } }))
            .await;
    let hanging = cloud.get("global/addresses");
    let removing = async {
        while cloud.get(&format!("/_emulator/faults/{id}")).await.ok()["hits"] == 0 {}
        assert_eq!(cloud.call("DELETE", &format!("/_emulator/faults/{id}"), None).await.status, 204);
    };
    let (answer, ()) =
        tokio::time::timeout(DEADLINE, async { tokio::join!(hanging, removing) }).await.unwrap();
    assert_eq!(answer.status, 200);
    // One that still hangs does not keep the emulator from ending.
    fault(&cloud, json!({ "method": "addresses.list", "fault": { "hang": { "when": "beforeCommit" } } }))
        .await;
    let url = format!("http://{}/compute/v1/projects/p/global/addresses", cloud.running.address());
    let hanging = tokio::spawn(cloud.client.get(url).send());
    while cloud.running.faults()[0]["hits"] == 0 {
        tokio::task::yield_now().await;
    }
    tokio::time::timeout(DEADLINE, cloud.running.shutdown()).await.expect("it stops");
    assert!(hanging.await.unwrap().is_err());
}

#[tokio::test]
async fn operations_fail_are_lost_stick_and_slow_down() {
    let cloud = held().await;
    let step = |seconds| cloud.running.clock().step(Duration::from_secs(seconds));
    let shown = async |operation: &Value| {
        cloud.get(&format!("global/operations/{}", operation["name"].as_str().unwrap())).await
    };
    let insert = async |name: &str| cloud.post("global/addresses", json!({ "name": name })).await.ok();
    let status = async |name: &str| cloud.get(&format!("global/addresses/{name}")).await.status;

    fault(&cloud, json!({ "name": "^fails", "fault": { "failOperation": { "status": 503 } } })).await;
    let partly =
        json!({ "failOperation": { "code": "QUOTA_EXCEEDED", "message": "too many", "effect": "whole" } });
    fault(&cloud, json!({ "name": "^bare", "fault": partly })).await;
    let (fails, bare) = (insert("fails").await, insert("bare").await);
    step(10).await;
    let failed = shown(&fails).await.ok();
    assert_eq!((&failed["status"], &failed["httpErrorStatusCode"]), (&json!("DONE"), &json!(503)));
    assert_eq!(failed["error"]["errors"][0]["code"], "INTERNAL_ERROR");
    let failed = shown(&bare).await.ok();
    assert_eq!(failed["error"]["errors"][0], json!({ "code": "QUOTA_EXCEEDED", "message": "too many" }));
    assert_eq!(failed.get("httpErrorStatusCode"), None, "an operation may lack it");
    assert_eq!((status("fails").await, status("bare").await), (404, 200));

    fault(&cloud, json!({ "name": "^lost", "fault": { "loseOperation": {} } })).await;
    let lost = insert("lost").await;
    assert_eq!(shown(&lost).await.status, 404);
    let stuck = fault(&cloud, json!({ "name": "^stuck", "fault": { "stickOperation": {} } })).await;
    let sticks = insert("stuck").await;
    let slow = json!({ "slow": { "pending": "1m", "running": "1h" } });
    fault(&cloud, json!({ "name": "^slow", "fault": slow })).await;
    let slow = insert("slow").await;
    let warning = json!({ "warnOperation": { "code": "DEPRECATED_RESOURCE_USED", "message": "old" } });
    fault(&cloud, json!({ "name": "^warns", "fault": warning })).await;
    let warns = insert("warns").await;
    step(59).await;
    assert_eq!(status("lost").await, 200, "the change is made all the same");
    assert_eq!(shown(&sticks).await.ok()["status"], "RUNNING");
    assert_eq!(shown(&slow).await.ok()["status"], "PENDING");
    assert_eq!(shown(&warns).await.ok()["warnings"][0]["code"], "DEPRECATED_RESOURCE_USED");
    step(3600).await;
    assert_eq!(shown(&sticks).await.ok()["status"], "RUNNING");
    assert_eq!(shown(&slow).await.ok()["status"], "RUNNING");
    step(1).await;
    assert_eq!(shown(&slow).await.ok()["status"], "DONE");
    assert!(cloud.running.remove_fault(&stuck));
    tokio::time::timeout(DEADLINE, cloud.running.idle()).await.unwrap();
    assert_eq!(shown(&sticks).await.ok()["status"], "DONE");
    // After two weeks operations are not found any more.
    step(14 * 24 * 3600 + 1).await;
    assert_eq!(shown(&slow).await.status, 404);
}

#[tokio::test]
async fn a_failed_change_may_be_made_in_part() {
    let cloud = Cloud::start().await;
    cloud.insert("global/healthChecks", json!({ "name": "h", "type": "TCP" })).await;
    cloud
        .running
        .add_fault(Rule::new(
            "healthChecks.patch",
            serde_json::from_value::<Fault>(json!({ "failOperation": { "effect": "part" } })).unwrap(),
        ))
        .unwrap();
    let patch = json!({ "description": "new", "healthyThreshold": 7, "unhealthyThreshold": 9 });
    let failed = cloud.ended("PATCH", "global/healthChecks/h", &patch).await;
    assert!(failed.get("error").is_some());
    let now = cloud.get("global/healthChecks/h").await.ok();
    // By name: the first and the third, not the second.
    assert_eq!((&now["description"], &now["unhealthyThreshold"]), (&json!("new"), &json!(9)));
    assert_eq!(now["healthyThreshold"], 2);
}

#[tokio::test]
async fn a_wait_may_answer_early_and_a_fingerprint_be_stale() {
    let cloud = held().await;
    fault(&cloud, json!({ "method": "globalOperations.wait", "fault": { "earlyWait": {} } })).await;
    let operation = cloud.post("global/healthChecks", json!({ "name": "h", "type": "TCP" })).await.ok();
    let wait = format!("global/operations/{}/wait", operation["name"].as_str().unwrap());
    assert_eq!(cloud.call("POST", &wait, None).await.ok()["status"], "PENDING");
    cloud.running.clock().step(Duration::from_secs(10)).await;
    let service = json!({ "name": "s", "healthChecks": ["global/healthChecks/h"] });
    cloud.post("global/backendServices", service).await.ok();
    cloud.running.clock().step(Duration::from_secs(10)).await;
    let read = cloud.get("global/backendServices/s").await.ok();
    fault(&cloud, json!({ "method": "backendServices.*", "nth": 1, "fault": { "staleFingerprint": {} } }))
        .await;
    let patch = json!({ "description": "x", "fingerprint": read["fingerprint"] });
    let stale = cloud.call("PATCH", "global/backendServices/s", Some(&patch)).await;
    stale.refused(412, "conditionNotMet", "Invalid fingerprint.");
    let again = cloud.get("global/backendServices/s").await.ok();
    let patch = json!({ "description": "x", "fingerprint": again["fingerprint"] });
    cloud.call("PATCH", "global/backendServices/s", Some(&patch)).await.ok();
}

#[tokio::test]
async fn aggregated_lists_may_be_partial() {
    let cloud = Cloud::start().await;
    cloud.insert("regions/us-central1/addresses", json!({ "name": "a" })).await;
    let rule = json!({ "fault": { "unreachable": { "scopes": ["regions/us-central1"] } } });
    fault(&cloud, rule).await;
    let list = cloud.get("aggregated/addresses?returnPartialSuccess=true").await.ok();
    assert!(list["unreachables"][0].as_str().unwrap().ends_with("projects/p/regions/us-central1"), "{list}");
    let place = &list["items"]["regions/us-central1"];
    assert_eq!((&place["warning"]["code"], place.get("addresses")), (&json!("UNREACHABLE"), None));
    cloud.get("aggregated/addresses").await.refused(503, "backendError", "");
    cloud.get("global/addresses").await.ok();
    let nowhere = json!({ "fault": { "unreachable": { "scopes": ["us-central1"] } } });
    assert_eq!(cloud.call("POST", "/_emulator/faults", Some(&nowhere)).await.status, 400);
}

#[tokio::test]
async fn drift_by_hand_is_checked_by_nobody() {
    let cloud = Cloud::start().await;
    cloud.url_map("web").await;
    let before = cloud.get("global/urlMaps/web").await.ok();
    let path = "/_emulator/resources/projects/p/global/urlMaps/web";
    let drifted = cloud.call("PATCH", path, Some(&json!({ "description": "by hand" }))).await.ok();
    assert_eq!(drifted["description"], "by hand");
    let after = cloud.get("global/urlMaps/web").await.ok();
    assert_eq!(after["description"], "by hand");
    assert_ne!(after["fingerprint"], before["fingerprint"]);
    let service = "/_emulator/resources/projects/p/global/backendServices/web";
    assert_eq!(cloud.call("DELETE", service, None).await.status, 204);
    cloud.get("global/backendServices/web").await.refused(404, "notFound", "was not found");
    assert_eq!(cloud.call("DELETE", service, None).await.status, 404);
    assert_eq!(cloud.call("PATCH", path, Some(&json!([]))).await.status, 400);
    assert_eq!(cloud.call("DELETE", "/_emulator/resources/nonsense", None).await.status, 400);
}

#[tokio::test]
async fn rules_that_make_no_sense_are_refused_with_what_is_wrong() {
    let cloud = Cloud::start().await;
    for (bad, part) in [
        (json!({ "fault": { "tuncate": {} } }), "tuncate"),
        (json!([{ "probability": 2, "fault": { "truncate": {} } }]), "probability"),
        (json!({ "method": "x" }), "fault"),
    ] {
        let refused = cloud.post("/_emulator/faults", bad).await;
        assert_eq!(refused.status, 400);
        assert!(refused.body["error"].as_str().unwrap().contains(part), "{}", refused.body);
    }
    let two = json!([{ "id": "a", "fault": { "truncate": {} } }, { "id": "b", "fault": { "truncate": {} } }]);
    let listed = cloud.call("PUT", "/_emulator/faults", Some(&two)).await.ok();
    assert_eq!((&listed[0]["id"], &listed[1]["id"]), (&json!("a"), &json!("b")));
    assert_eq!(
        cloud.post("/_emulator/faults", json!({ "id": "a", "fault": { "truncate": {} } })).await.status,
        400
    );
}

#[tokio::test]
async fn a_file_of_faults_is_read_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("faults.yaml");
    std::fs::write(&path, "- method: addresses.list\n  fault:\n    error: {status: 503}\n").unwrap();
    let log = folder.path().join("requests.jsonl");
    let config =
        Config { fault_file: Some(path.clone()), request_log_file: Some(log.clone()), ..Config::default() };
    let cloud = Cloud::with(config.clone()).await;
    cloud.get("global/addresses").await.refused(503, "backendError", "");
    let line: Value =
        serde_json::from_str(std::fs::read_to_string(log).unwrap().lines().next().unwrap()).unwrap();
    assert_eq!(
        (&line["call"], &line["fault"], &line["status"]),
        (&json!("addresses.list"), &json!("1"), &json!(503))
    );
    std::fs::write(&path, "- method: addresses.list\n  fualt: {}\n").unwrap();
    let error = emulator::Emulator::start(config).await.unwrap_err().to_string();
    assert!(error.contains("faults.yaml") && error.contains("line 2") && error.contains("fualt"), "{error}");
}
