//! Each kind of fault of a cloud, and what the client makes of it: against the emulator, whose clock stands still until a
//! test steps it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use emulator::clock::Pace;
use emulator::{Config, Emulator, Latency, Rule, Running};
use gce::{
    Backoff, Builder, Client, Completion, Error, Global, Operation, Query, Retry, RetryPolicy, Timeouts, Zone,
};
use gce_api::{Address, BackendService, HealthCheck, NetworkEndpointGroup, Scope};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// How long an operation takes, by the emulator's clock.
const LATENCY: Duration = Duration::from_secs(10);

struct Cloud {
    running: Running,
}

impl Cloud {
    async fn start() -> Self {
        let config = Config { pace: Pace::Held, latency: Latency::of(LATENCY), ..Config::default() };
        Self { running: Emulator::start(config).await.unwrap() }
    }

    fn builder(&self) -> Builder {
        let backoff = Backoff { first: Duration::from_millis(1), most: Duration::from_millis(4), times: 3 };
        Client::builder("p")
            .endpoint(self.running.endpoint().as_str())
            .retry(RetryPolicy { transient: backoff, throttled: backoff, not_ready: backoff })
            .timeouts(Timeouts { wait_floor: Duration::from_millis(1), ..Timeouts::default() })
    }

    fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    fn fault(&self, rule: Value) -> String {
        self.running.add_fault(serde_json::from_value::<Rule>(rule).unwrap()).unwrap()
    }

    /// Waits for an operation, and lets the time pass that it takes.
    async fn wait(&self, client: &Client, operation: Operation) -> Result<Completion, Error> {
        let stepping = async {
            loop {
                self.running.clock().step(LATENCY).await;
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            waited = client.wait(operation) => waited,
            () = stepping => unreachable!("it steps for ever"),
        }
    }

    /// What was asked of a method: HTTP status, or nothing where the connection ended.
    fn statuses(&self, call: &str) -> Vec<Option<u64>> {
        let requests = self.running.requests();
        let of_call = requests.as_array().unwrap().iter().filter(|request| request["call"] == call);
        of_call.map(|request| request["status"].as_u64()).collect()
    }
}

fn address(name: &str) -> Address {
    Address { name: Some(name.to_owned()), ..Address::default() }
}

fn is_done(completion: &Completion) -> bool {
    matches!(completion, Completion::Done(_))
}

#[tokio::test]
async fn throttling_is_waited_out_by_reads_and_handed_up_by_changes() {
    for status in [403, 429] {
        let cloud = Cloud::start().await;
        cloud.fault(
            json!({ "method": "addresses.*", "count": 3, "fault": { "throttle": { "status": status } } }),
        );
        let error = cloud.client().addresses(Global).insert(&address("a")).await.unwrap_err();
        assert!(error.is_throttled() && !error.is_outcome_unknown(), "{error}");
        assert_eq!(cloud.statuses("addresses.insert"), [Some(status)]);
        assert!(cloud.client().addresses(Global).list().await.unwrap().is_empty());
        assert_eq!(cloud.statuses("addresses.list"), [Some(status), Some(status), Some(200)]);
        // For longer than the client has patience, it is told as what it is.
        cloud.fault(
            json!({ "method": "*.list", "fault": { "throttle": { "status": status, "retryAfter": 0 } } }),
        );
        let error = cloud.client().addresses(Global).list().await.unwrap_err();
        assert!(error.is_throttled() && !error.is_outcome_unknown(), "{error}");
    }
}

#[tokio::test]
async fn errors_of_the_server_are_tried_again_and_refusals_are_not() {
    let cloud = Cloud::start().await;
    for status in [500, 502, 503] {
        cloud.fault(
            json!({ "method": "addresses.list", "count": 2, "fault": { "error": { "status": status } } }),
        );
        assert!(cloud.client().addresses(Global).list().await.unwrap().is_empty());
    }
    assert_eq!(cloud.statuses("addresses.list").len(), 9);
    for (status, retry) in [(401, Retry::Never), (403, Retry::Never), (503, Retry::Transient)] {
        let id = cloud.fault(json!({ "method": "urlMaps.list", "fault": { "error": { "status": status } } }));
        let error = cloud.client().url_maps(Global).list().await.unwrap_err();
        assert_eq!((error.status(), error.retry()), (Some(status), retry), "{error}");
        assert!(cloud.running.remove_fault(&id));
    }
    assert_eq!(cloud.statuses("urlMaps.list").len(), 1 + 1 + 4, "a refusal once, a failure four times");
}

#[tokio::test]
async fn a_page_of_html_is_an_error_of_the_server() {
    let cloud = Cloud::start().await;
    cloud.fault(json!({ "method": "*.insert", "count": 2, "fault": { "html": { "status": 502 } } }));
    let _ = cloud.client().addresses(Global).insert(&address("a")).await.unwrap();
    cloud.fault(json!({ "method": "addresses.get", "fault": { "html": { "status": 502 } } }));
    let error = cloud.client().addresses(Global).get("a").await.unwrap_err();
    assert!(error.is_transient() && error.status() == Some(502), "{error}");
    let text = error.to_string();
    assert!(
        !text.contains('\n') && text.chars().count() < 400,
        "the beginning of the page, on one line: {text}"
    );
}

#[tokio::test]
async fn truncated_json_of_a_change_says_that_the_outcome_is_unknown() {
    let cloud = Cloud::start().await;
    cloud.fault(json!({ "method": "*.insert", "count": 1, "fault": { "truncate": {} } }));
    let client = cloud.client();
    match client.addresses(Global).insert(&address("a")).await {
        // Sent again with its request id, it finds its own operation.
        Ok(operation) => assert!(is_done(&cloud.wait(&client, operation).await.unwrap())),
        Err(error) => assert!(error.is_outcome_unknown(), "{error}"),
    }
    cloud.running.clock().step(LATENCY).await;
    assert_eq!(client.addresses(Global).get("a").await.unwrap().name.as_deref(), Some("a"));
}

#[tokio::test]
async fn a_connection_that_ends_before_or_after_the_commit_is_found_by_its_request_id() {
    for kind in ["reset", "drop"] {
        for when in ["beforeCommit", "afterCommit"] {
            let cloud = Cloud::start().await;
            cloud.fault(json!({ "method": "*.insert", "count": 1, "fault": { kind: { "when": when } } }));
            let client = cloud.client();
            let operation = client.addresses(Global).insert(&address("a")).await.unwrap();
            assert!(is_done(&cloud.wait(&client, operation).await.unwrap()), "{kind} {when}");
            assert_eq!(cloud.statuses("addresses.insert"), [None, Some(200)], "{kind} {when}");
            // Whichever it was, the change was made once.
            let operations = client.operations(Global).list().await.unwrap();
            assert_eq!(operations.len(), 1, "{kind} {when}");
        }
    }
}

#[tokio::test]
async fn a_call_that_hangs_is_given_up_in_time() {
    let cloud = Cloud::start().await;
    cloud.fault(json!({ "method": "*.list", "count": 1, "fault": { "hang": { "when": "beforeCommit" } } }));
    let timeouts = Timeouts { request: Duration::from_millis(100), ..Timeouts::default() };
    let client = cloud.builder().timeouts(timeouts).build().unwrap();
    let begun = Instant::now();
    assert!(client.addresses(Global).list().await.unwrap().is_empty(), "the second try is answered");
    assert!(begun.elapsed() < Duration::from_secs(10));
    // A deadline of the caller counts too.
    cloud.fault(json!({ "method": "*.insert", "fault": { "hang": { "when": "afterCommit" } } }));
    let hurried = cloud.client().until(Instant::now() + Duration::from_millis(200));
    let error = hurried.addresses(Global).insert(&address("a")).await.unwrap_err();
    assert!(error.is_outcome_unknown(), "{error}");
}

#[tokio::test]
async fn a_failed_operation_says_what_where_and_why() {
    let cloud = Cloud::start().await;
    let client = cloud.client();
    cloud.fault(json!({ "name": "^full$", "fault": { "failOperation": {
        "code": "QUOTA_EXCEEDED", "status": 403, "message": "Quota 'STATIC_ADDRESSES' exceeded.  Limit: 8.0 globally.",
    } } }));
    let operation = client.addresses(Global).insert(&address("full")).await.unwrap();
    let name = operation.name().to_owned();
    let error = cloud.wait(&client, operation).await.unwrap_err();
    let text = error.to_string();
    for part in ["insert", "address full", &name, "QUOTA_EXCEEDED", "Limit: 8.0 globally."] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
    assert_eq!(error.quota().unwrap().metric, "STATIC_ADDRESSES");
    // One without a status, whose change was made all the same: the caller is told to look.
    cloud.fault(json!({ "name": "^bare$", "fault": { "failOperation": { "effect": "whole" } } }));
    let operation = client.addresses(Global).insert(&address("bare")).await.unwrap();
    let error = cloud.wait(&client, operation).await.unwrap_err();
    assert!(error.is_outcome_unknown() && error.to_string().contains("INTERNAL_ERROR"), "{error}");
    assert!(client.addresses(Global).get("bare").await.is_ok());
}

#[tokio::test]
async fn a_lost_operation_is_neither_success_nor_failure() {
    let cloud = Cloud::start().await;
    cloud.fault(json!({ "fault": { "loseOperation": {} } }));
    let client = cloud.client();
    let operation = client.addresses(Global).insert(&address("a")).await.unwrap();
    let Completion::Lost(lost) = client.wait(operation).await.unwrap() else { panic!("it was found") };
    // What came of it, only the resource tells.
    cloud.running.clock().step(LATENCY).await;
    let found = client.addresses(Global).get("a").await.unwrap();
    assert_eq!(found.id.and_then(|id| id.get()), lost.target_id());
}

#[tokio::test]
async fn a_stuck_operation_is_still_running_and_can_be_waited_for_again() {
    let cloud = Cloud::start().await;
    let stuck = cloud.fault(json!({ "fault": { "stickOperation": {} } }));
    let client = cloud.client();
    let operation = client.addresses(Global).insert(&address("a")).await.unwrap();
    cloud.running.clock().step(10 * LATENCY).await;
    let hurried = client.until(Instant::now() + Duration::from_millis(100));
    let error = hurried.wait(operation.clone()).await.unwrap_err();
    assert!(matches!(error, Error::StillRunning { .. }) && error.is_outcome_unknown(), "{error}");
    assert!(cloud.running.remove_fault(&stuck));
    assert!(is_done(&client.wait(operation).await.unwrap()));
}

#[tokio::test]
async fn a_slow_operation_is_waited_for() {
    let cloud = Cloud::start().await;
    cloud.fault(json!({ "fault": { "slow": { "pending": "5m", "running": "5m" } } }));
    let client = cloud.client();
    let operation = client.addresses(Global).insert(&address("a")).await.unwrap();
    let begun = cloud.running.clock().now();
    assert!(is_done(&cloud.wait(&client, operation).await.unwrap()));
    let took = cloud.running.clock().now().duration_since(begun);
    assert!(took.as_secs() >= 600, "ten minutes of the cloud's time: {took:?}");
}

#[tokio::test]
async fn a_wait_that_answers_early_does_not_make_it_spin() {
    let cloud = Cloud::start().await;
    cloud.fault(json!({ "method": "*Operations.wait", "count": 5, "fault": { "earlyWait": {} } }));
    let floor = Duration::from_millis(20);
    let timeouts = Timeouts { wait_floor: floor, ..Timeouts::default() };
    let client = cloud.builder().timeouts(timeouts).build().unwrap();
    let group = NetworkEndpointGroup { name: Some("n".to_owned()), ..NetworkEndpointGroup::default() };
    let zone = Zone::new("us-central1-a");
    let operation = client.network_endpoint_groups(zone).insert(&group).await.unwrap();
    let begun = Instant::now();
    let done = async {
        // The clock stands still until the early answers are over.
        while cloud.statuses("operations.wait").len() < 6 {
            tokio::task::yield_now().await;
        }
        let elapsed = begun.elapsed();
        cloud.running.clock().step(LATENCY).await;
        elapsed
    };
    let (waited, elapsed) = tokio::join!(client.wait(operation), done);
    assert!(is_done(&waited.unwrap()));
    assert!(elapsed >= 5 * floor, "{elapsed:?}");
}

#[tokio::test]
async fn a_stale_fingerprint_is_for_the_caller_to_look_again() {
    let cloud = Cloud::start().await;
    let client = cloud.client();
    let check =
        HealthCheck { name: Some("h".to_owned()), r#type: Some("TCP".to_owned()), ..HealthCheck::default() };
    let operation = client.health_checks(Global).insert(&check).await.unwrap();
    let _ = cloud.wait(&client, operation).await.unwrap();
    let service = BackendService {
        name: Some("s".to_owned()),
        health_checks: Some(vec!["global/healthChecks/h".to_owned()]),
        ..BackendService::default()
    };
    let operation = client.backend_services(Global).insert(&service).await.unwrap();
    let _ = cloud.wait(&client, operation).await.unwrap();
    cloud.fault(json!({ "method": "backendServices.update", "nth": 1, "fault": { "staleFingerprint": {} } }));
    let read = client.backend_services(Global).get("s").await.unwrap();
    let error = client.backend_services(Global).update("s", &read).await.unwrap_err();
    assert!(error.is_stale_fingerprint() && error.retry() == Retry::Never, "{error}");
    let read = client.backend_services(Global).get("s").await.unwrap();
    let operation = client.backend_services(Global).update("s", &read).await.unwrap();
    assert!(is_done(&cloud.wait(&client, operation).await.unwrap()));
    assert_eq!(cloud.statuses("backendServices.update"), [Some(412), Some(200)], "never by itself");
}

#[tokio::test]
async fn what_is_not_ready_is_tried_again() {
    let cloud = Cloud::start().await;
    cloud.fault(json!({ "method": "*.insert", "count": 2, "fault": { "notReady": {} } }));
    let _ = cloud.client().addresses(Global).insert(&address("a")).await.unwrap();
    assert_eq!(cloud.statuses("addresses.insert"), [Some(400), Some(400), Some(200)]);
}

#[tokio::test]
async fn what_a_partial_list_lacks_is_not_absent() {
    let cloud = Cloud::start().await;
    cloud.fault(json!({ "fault": { "unreachable": { "scopes": ["zones/us-central1-a"] } } }));
    let list = cloud.client().aggregated_list::<NetworkEndpointGroup>(&Query::all()).await.unwrap();
    assert!(!list.covers(&Scope::Zone("us-central1-a".to_owned())));
    assert!(list.covers(&Scope::Zone("us-central1-b".to_owned())));
    let error = list.complete().unwrap_err();
    assert!(
        matches!(error, Error::Incomplete { .. }) && error.to_string().contains("us-central1-a"),
        "{error}"
    );
}

#[tokio::test]
async fn drift_by_hand_is_seen_as_it_is() {
    let cloud = Cloud::start().await;
    let client = cloud.client();
    for name in ["edited", "deleted"] {
        let operation = client.addresses(Global).insert(&address(name)).await.unwrap();
        let _ = cloud.wait(&client, operation).await.unwrap();
    }
    let path = "projects/p/global/addresses/edited";
    cloud.running.drift(path, json!({ "description": "by hand" })).await.unwrap();
    let found = client.addresses(Global).get("edited").await.unwrap();
    assert_eq!(found.description.as_deref(), Some("by hand"));
    cloud.running.drift_delete("projects/p/global/addresses/deleted").await.unwrap();
    assert!(client.addresses(Global).get("deleted").await.unwrap_err().is_not_found());
    assert!(client.addresses(Global).delete("deleted").await.unwrap_err().is_not_found());
    // What came back meanwhile is there already.
    assert!(client.addresses(Global).insert(&address("edited")).await.unwrap_err().is_already_exists());
}
