//! Waiting for operations.

use std::time::Duration;

use gce::{Completion, Error, Global, Operation, Timeouts, Zone};
use gce_api::{Network, NetworkEndpointGroup, Scope};
use serde_json::json;
use tokio::time::Instant;

use crate::server::{Answer, Server, ok, operation, refusal};
use crate::{builder, client};

#[tokio::test]
async fn a_change_that_is_done_at_once_is_not_waited_for() {
    let server = Server::start([operation("DONE")]).await;
    let client = client(&server);
    let change = client.url_maps(Global).delete("web").await.unwrap();
    assert!(matches!(client.wait(change).await.unwrap(), Completion::Done(_)));
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn answers_that_come_too_early_do_not_make_it_spin() {
    let mut script = vec![operation("PENDING")];
    script.extend(vec![operation("RUNNING"); 4]);
    script.push(operation("DONE"));
    let server = Server::start(script).await;
    let floor = Duration::from_millis(40);
    let client =
        builder(&server).timeouts(Timeouts { wait_floor: floor, ..Timeouts::default() }).build().unwrap();
    let change = client.url_maps(Global).delete("web").await.unwrap();
    let Completion::Done(done) = client.wait(change).await.unwrap() else { panic!("lost") };
    assert_eq!(done.status.as_deref(), Some("DONE"));
    let waits: Vec<_> = server.asked().into_iter().skip(1).collect();
    assert_eq!(waits.len(), 5);
    for wait in &waits {
        assert_eq!(wait.line(), "POST global/operations/operation-1/wait");
        assert_eq!(wait.headers["content-length"], "0");
        assert!(wait.request_id().is_empty());
    }
    // The floor is kept where the calls begin; arrival may be a little earlier or later than that.
    let least = Duration::from_millis(30);
    for pair in waits.windows(2) {
        assert!(pair[1].at - pair[0].at >= least, "{:?}", pair[1].at - pair[0].at);
    }
}

#[tokio::test]
async fn an_operation_is_waited_for_where_it_runs() {
    let server = Server::start([operation("RUNNING"), operation("DONE")]).await;
    let client = client(&server);
    let group = NetworkEndpointGroup { name: Some("n".into()), ..NetworkEndpointGroup::default() };
    let change = client.network_endpoint_groups(Zone::new("z")).insert(&group).await.unwrap();
    assert_eq!(change.scope(), &Scope::Zone("z".into()));
    let _ = client.wait(change).await.unwrap();
    assert_eq!(server.lines()[1], "POST zones/z/operations/operation-1/wait");
}

#[tokio::test]
async fn a_failed_operation_is_an_error() {
    let failed = ok(&json!({
        "name": "operation-1",
        "status": "DONE",
        "httpErrorStatusCode": 400,
        "httpErrorMessage": "BAD REQUEST",
        "error": {"errors": [{
            "code": "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE",
            "message": "The url_map resource 'x' is already being used by 'y'",
        }]},
    }));
    let server = Server::start([operation("RUNNING"), failed]).await;
    let client = client(&server);
    let change = client.url_maps(Global).delete("web").await.unwrap();
    let error = client.wait(change).await.unwrap_err();
    assert!(error.is_in_use() && error.is_outcome_unknown());
    assert_eq!(error.status(), Some(400));
    assert_eq!(
        error.to_string(),
        "delete url map web: operation operation-1 failed: 400 RESOURCE_IN_USE_BY_ANOTHER_RESOURCE: \
         The url_map resource 'x' is already being used by 'y'"
    );
}

#[tokio::test]
async fn a_lost_operation_is_not_an_error_and_not_a_success() {
    let server = Server::start([operation("RUNNING"), refusal(404, "notFound", "not found")]).await;
    let client = client(&server);
    let change = client.url_maps(Global).delete("web").await.unwrap();
    let Completion::Lost(operation) = client.wait(change).await.unwrap() else { panic!("found") };
    assert_eq!(operation.name(), "operation-1");
}

#[tokio::test]
async fn transient_failures_do_not_end_the_wait() {
    let server = Server::start([
        operation("RUNNING"),
        Answer::Drop,
        refusal(503, "backendError", "Backend Error"),
        operation("RUNNING"),
        refusal(403, "rateLimitExceeded", "slow down"),
        operation("DONE"),
    ])
    .await;
    let client = client(&server);
    let change = client.url_maps(Global).delete("web").await.unwrap();
    assert!(matches!(client.wait(change).await.unwrap(), Completion::Done(_)));
    assert_eq!(server.left(), 0);
}

#[tokio::test]
async fn an_operation_that_never_ends_is_given_up() {
    let server = Server::start(vec![operation("RUNNING"); 1000]).await;
    let timeouts = Timeouts {
        wait_floor: Duration::from_millis(10),
        operation: Duration::from_millis(100),
        ..Timeouts::default()
    };
    let client = builder(&server).timeouts(timeouts).build().unwrap();
    let change = client.url_maps(Global).delete("web").await.unwrap();
    let kept = change.clone();
    let error = client.wait(change).await.unwrap_err();
    assert!(matches!(error, Error::StillRunning { .. }) && error.is_outcome_unknown(), "{error}");
    assert!(server.asked().len() <= 12, "{} calls", server.asked().len());
    // It can be waited for again, with a deadline of the caller's.
    let again = client.until(Instant::now() + Duration::from_millis(30)).wait(kept).await.unwrap_err();
    assert!(matches!(again, Error::StillRunning { .. }), "{again}");
}

#[tokio::test]
async fn a_wait_that_hangs_ends_at_the_deadline() {
    let server = Server::start([operation("RUNNING"), Answer::Hang]).await;
    let client = client(&server);
    let change = client.url_maps(Global).delete("web").await.unwrap();
    let error = client.until(Instant::now() + Duration::from_millis(50)).wait(change).await.unwrap_err();
    assert!(matches!(error, Error::StillRunning { .. }), "{error}");
}

#[tokio::test]
async fn an_operation_found_in_a_list_can_be_waited_for() {
    let root = "https://compute.googleapis.com/compute/v1/projects/p";
    let server = Server::start([
        ok(&json!({"items": [
            {"name": "o1", "status": "RUNNING", "zone": format!("{root}/zones/z"), "targetLink": "t"},
            {"name": "o2", "status": "RUNNING", "selfLink": format!("{root}/regions/r/operations/o2")},
        ]})),
        operation("DONE"),
        operation("DONE"),
    ])
    .await;
    let client = client(&server);
    for found in client.operations(Zone::new("z")).list().await.unwrap() {
        let _ = client.wait(Operation::found(found).unwrap()).await.unwrap();
    }
    assert_eq!(server.lines()[1..], ["POST zones/z/operations/o1/wait", "POST regions/r/operations/o2/wait"]);
    assert!(Operation::found(gce_api::Operation::default()).is_err());
}

/// Networks are here because their deletion is what `resourceNotReady` is best known for.
#[tokio::test]
async fn what_is_not_ready_is_tried_again() {
    let not_ready = refusal(400, "resourceNotReady", "The resource 'x' is not ready");
    let server = Server::start([not_ready.clone(), not_ready, operation("DONE")]).await;
    let client = client(&server);
    let networks: gce::Collection<Network> = client.networks(Global);
    assert!(networks.delete("n").await.unwrap().is_done());
    assert_eq!(server.asked().len(), 3);
}
