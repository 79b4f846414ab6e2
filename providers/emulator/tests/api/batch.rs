//! Several calls in one request.

use super::cloud::Cloud;
use emulator::clock::Pace;
use emulator::{Config, Latency, RateLimits};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// The answer to one call of a batch.
struct Part {
    id: String,
    status: u16,
    body: Value,
}

/// A batch as gcloud writes it: one call a part, numbered from 0.
fn batch(calls: &[(&str, String, Option<Value>)]) -> String {
    let mut text = String::new();
    for (at, (method, target, body)) in calls.iter().enumerate() {
        let body = body.as_ref().map(Value::to_string).unwrap_or_default();
        write!(
            text,
            "--===1==\nContent-Type: application/http\nMIME-Version: 1.0\nContent-ID: <u+{at}>\n\n\
             {method} {target} HTTP/1.1\ncontent-type: application/json\ncontent-length: {}\n\n{body}\n",
            body.len()
        )
        .unwrap();
    }
    text + "--===1==--"
}

async fn send(cloud: &Cloud, path: &str, body: String) -> reqwest::Response {
    cloud
        .client
        .post(format!("http://{}{path}", cloud.running.address()))
        .header("content-type", "multipart/mixed; boundary=\"===1==\"")
        .header("user-agent", "tests")
        .body(body)
        .send()
        .await
        .unwrap()
}

async fn parts(response: reqwest::Response) -> Vec<Part> {
    assert_eq!(response.status(), 200);
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    let boundary = kind.strip_prefix("multipart/mixed; boundary=").unwrap().to_owned();
    let text = response.text().await.unwrap();
    let text = text.strip_suffix(&format!("--{boundary}--\r\n")).expect("the end is marked");
    text.split(&format!("--{boundary}\r\n"))
        .skip(1)
        .map(|part| {
            let mut pieces = part.splitn(3, "\r\n\r\n");
            let (outer, head) = (pieces.next().unwrap(), pieces.next().unwrap());
            let body = pieces.next().unwrap().strip_suffix("\r\n").unwrap();
            assert!(outer.contains("Content-Type: application/http"), "{outer}");
            assert!(head.contains(&format!("Content-Length: {}", body.len())), "{head}");
            let id = outer.split("Content-ID: ").nth(1).unwrap_or_default().to_owned();
            let status = head.split(' ').nth(1).unwrap().parse().unwrap();
            let body = if body.is_empty() { Value::Null } else { serde_json::from_str(body).unwrap() };
            Part { id, status, body }
        })
        .collect()
}

#[tokio::test]
async fn calls_are_answered_in_order_and_each_is_logged() {
    let cloud = Cloud::start().await;
    let list = "/compute/beta/projects/p/global/healthChecks";
    let calls = [
        ("POST", format!("{list}?alt=json"), Some(json!({ "name": "a", "type": "HTTP" }))),
        ("GET", format!("{list}/missing"), None),
        ("POST", list.to_owned(), Some(json!({ "name": "b", "type": "TCP" }))),
        ("GET", "/compute/v1/projects/p/zones/us-central1-a".to_owned(), None),
        ("GET", "/_emulator/state".to_owned(), None),
        ("POST", "/batch/compute/v1".to_owned(), None),
    ];
    for path in ["/batch/compute/beta", "/batch"] {
        let answers = parts(send(&cloud, path, batch(&calls)).await).await;
        let ids: Vec<&str> = answers.iter().map(|part| part.id.as_str()).collect();
        assert_eq!(
            ids,
            [
                "<response-u+0>",
                "<response-u+1>",
                "<response-u+2>",
                "<response-u+3>",
                "<response-u+4>",
                "<response-u+5>"
            ]
        );
        let statuses: Vec<u16> = answers.iter().map(|part| part.status).collect();
        if path == "/batch" {
            assert_eq!(statuses, [409, 404, 409, 200, 404, 404], "made by the batch before");
            continue;
        }
        assert_eq!(statuses, [200, 404, 200, 200, 404, 404]);
        assert_eq!(answers[0].body["kind"], "compute#operation");
        assert!(answers[0].body["targetLink"].as_str().unwrap().ends_with("/healthChecks/a"));
        assert!(answers[0].body["selfLink"].as_str().unwrap().contains("/compute/beta/"));
        assert!(answers[2].body["targetLink"].as_str().unwrap().ends_with("/healthChecks/b"));
        assert_eq!(answers[3].body["name"], "us-central1-a");
        for answer in [&answers[0], &answers[2]] {
            cloud.wait(&answer.body).await;
        }
    }
    let log = cloud.running.requests();
    let logged: Vec<(&str, u64)> = log
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["userAgent"] == "tests")
        .map(|entry| (entry["path"].as_str().unwrap(), entry["status"].as_u64().unwrap()))
        .collect();
    assert_eq!(logged.len(), 12, "{logged:?}");
    assert_eq!(logged[1], ("/compute/beta/projects/p/global/healthChecks/missing", 404));
}

#[tokio::test]
async fn waits_of_a_batch_run_side_by_side() {
    let latency = Latency::of(Duration::from_millis(400));
    let cloud = Cloud::with(Config { latency, ..Config::default() }).await;
    let list = "/compute/v1/projects/p/global/healthChecks";
    let inserts: Vec<_> = (0..1000)
        .map(|at| ("POST", list.to_owned(), Some(json!({ "name": format!("h-{at}"), "type": "HTTP" }))))
        .collect();
    let began = Instant::now();
    let operations = parts(send(&cloud, "/batch/compute/v1", batch(&inserts)).await).await;
    assert_eq!(operations.len(), 1000);
    let waits: Vec<_> = operations
        .iter()
        .map(|part| {
            assert_eq!(part.status, 200, "{}", part.body);
            let name = part.body["name"].as_str().unwrap();
            ("POST", format!("/compute/v1/projects/p/global/operations/{name}/wait"), None)
        })
        .collect();
    let ended = parts(send(&cloud, "/batch/compute/v1", batch(&waits)).await).await;
    for (at, part) in ended.iter().enumerate() {
        assert_eq!((part.status, &part.body["status"]), (200, &json!("DONE")));
        let target = part.body["targetLink"].as_str().unwrap();
        assert!(target.ends_with(&format!("/healthChecks/h-{at}")), "{target}");
    }
    assert!(began.elapsed() < Duration::from_mins(1), "one after the other they would take 400 seconds");
    let more: Vec<_> = (0..1001).map(|_| ("GET", list.to_owned(), None)).collect();
    let refused = send(&cloud, "/batch/compute/v1", batch(&more)).await;
    assert_eq!(refused.status(), 400);
}

#[tokio::test]
async fn what_is_no_batch_is_refused_and_a_bad_part_alone() {
    let cloud = Cloud::start().await;
    for bad in ["", "nothing", "--===1==\n\n", "--===1==--"] {
        let refused = send(&cloud, "/batch/compute/v1", bad.to_owned()).await;
        assert_eq!(refused.status(), 400, "{bad}");
        let body: Value = refused.json().await.unwrap();
        let message = body["error"]["message"].as_str().unwrap();
        assert!(message.starts_with("Failed to parse batch request, error: "), "{message}");
        assert_eq!(body["error"]["errors"][0]["reason"], "badRequest");
    }
    cloud.get("/batch/compute/v1").await.refused(404, "notFound", "/batch/compute/v1 was not found");
    let calls = [
        ("GET", "no-path".to_owned(), None),
        ("GET", "/compute/v1/projects/p/global/urlMaps?prettyPrint=false".to_owned(), None),
    ];
    let answers = parts(send(&cloud, "/batch/compute/v1", batch(&calls)).await).await;
    assert_eq!((answers[0].status, answers[1].status), (400, 200));
}

#[tokio::test]
async fn every_call_of_a_batch_counts_against_the_rate() {
    let rates = RateLimits::of(["lists=3".parse().unwrap()]);
    let cloud = Cloud::with(Config { pace: Pace::Held, rates, ..Config::default() }).await;
    let list = |collection: &str| ("GET", format!("/compute/v1/projects/p/global/{collection}"), None);
    let calls = ["urlMaps", "healthChecks", "firewalls", "networks"].map(list);
    let mut answers: Vec<u16> = parts(send(&cloud, "/batch/compute/v1", batch(&calls)).await)
        .await
        .iter()
        .map(|part| part.status)
        .collect();
    // They run side by side, so nobody knows which of them comes too late.
    answers.sort_unstable();
    assert_eq!(answers, [200, 200, 200, 403]);
}
