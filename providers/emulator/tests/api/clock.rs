//! The clock, by the admin path and by the library: held, stepped, sped up.

use super::cloud::{Cloud, DEADLINE};
use emulator::clock::Pace;
use emulator::{Config, Latency};
use serde_json::json;
use std::time::Duration;

async fn held(latency: Duration) -> Cloud {
    Cloud::with(Config { pace: Pace::Held, latency: Latency::of(latency), ..Config::default() }).await
}

#[tokio::test]
async fn operations_go_on_when_the_clock_is_stepped_and_not_before() {
    let cloud = held(Duration::from_secs(100)).await;
    let operation = cloud.post("global/addresses", json!({ "name": "a" })).await.ok();
    let path = format!("global/operations/{}", operation["name"].as_str().unwrap());
    let step =
        async |seconds: f64| cloud.post("/_emulator/clock/step", json!({ "seconds": seconds })).await.ok();
    step(9.0).await;
    assert_eq!(cloud.get(&path).await.ok()["status"], "PENDING");
    let stepped = step(41.0).await;
    assert_eq!((&stepped["woken"], &stepped["unfinished"]), (&json!(1), &json!(0)));
    let running = cloud.get(&path).await.ok();
    assert_eq!((&running["status"], &running["progress"]), (&json!("RUNNING"), &json!(50)));
    step(51.0).await;
    let done = cloud.get(&path).await.ok();
    assert_eq!((&done["status"], &done["progress"]), (&json!("DONE"), &json!(100)));
    // Each stage came exactly when it was due, however far the step went.
    let moment = |field: &str| done[field].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let after = |field| moment(field).duration_since(moment("insertTime")).as_secs();
    assert_eq!((after("startTime"), after("endTime")), (10, 100));
    assert_eq!(cloud.get("global/addresses/a").await.status, 200);
}

#[tokio::test]
async fn one_long_step_runs_a_whole_wait_to_its_end() {
    let cloud = held(Duration::from_secs(1000)).await;
    let operation = cloud.post("global/addresses", json!({ "name": "a" })).await.ok();
    let path = format!("global/operations/{}/wait", operation["name"].as_str().unwrap());
    // 120 seconds by the emulator's clock, whatever ours says.
    let waiting = cloud.call("POST", &path, None);
    let stepping = async {
        // The wait has begun when there are two that sleep: it and the operation.
        while cloud.get("/_emulator/clock").await.ok()["sleepers"] != 2 {}
        cloud.running.clock().step(Duration::from_secs(119)).await;
        assert_eq!(cloud.get("/_emulator/clock").await.ok()["sleepers"], 2, "not yet");
        cloud.running.clock().step(Duration::from_secs(1)).await;
    };
    let (answer, ()) =
        tokio::time::timeout(DEADLINE, async { tokio::join!(waiting, stepping) }).await.unwrap();
    assert_eq!(answer.ok()["status"], "RUNNING");
}

#[tokio::test]
async fn the_admin_path_sets_the_pace() {
    let cloud = Cloud::start().await;
    let put = async |body| cloud.call("PUT", "/_emulator/clock", Some(&body)).await;
    let shown = put(json!({ "held": true })).await.ok();
    assert_eq!((&shown["held"], &shown["scale"]), (&json!(true), &json!(null)));
    let before: jiff::Timestamp = shown["now"].as_str().unwrap().parse().unwrap();
    let to = before + jiff::SignedDuration::from_hours(48);
    let stepped = cloud.post("/_emulator/clock/step", json!({ "to": to })).await.ok();
    assert_eq!(stepped["now"], json!(to));
    assert_eq!(put(json!({ "scale": 60 })).await.ok()["scale"], 60.0);
    assert_eq!(put(json!({ "held": false })).await.ok()["scale"], 1.0);
    for bad in [json!({}), json!({ "scale": 0 }), json!({ "held": true, "scale": 2 }), json!({ "pace": 1 })] {
        assert_eq!(put(bad.clone()).await.status, 400, "{bad}");
    }
    for bad in [json!({ "seconds": -1 }), json!({ "to": before }), json!({})] {
        assert_eq!(cloud.post("/_emulator/clock/step", bad.clone()).await.status, 400, "{bad}");
    }
}
