//! Which failures are followed by another try, and how those tries look.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gce::{Attempt, Error, Global, Observer, Retry, RetryPolicy, Timeouts};
use gce_api::UrlMap;
use serde_json::json;
use tokio::time::Instant;

use crate::server::{Answer, Server, ok, operation, refusal};
use crate::{builder, client, quick};

fn map() -> UrlMap {
    UrlMap { name: Some("web".into()), ..UrlMap::default() }
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_under_the_same_id() {
    let server = Server::start([Answer::Drop, Answer::Drop, operation("RUNNING")]).await;
    let _ = client(&server).url_maps(Global).insert(&map()).await.unwrap();
    let asked = server.asked();
    assert_eq!(asked.len(), 3);
    assert!(!asked[0].request_id().is_empty());
    assert!(asked.iter().all(|asked| asked.body == json!({"name": "web"})));
    assert_eq!(asked[0].request_id(), asked[1].request_id());
    assert_eq!(asked[1].request_id(), asked[2].request_id());
}

#[tokio::test]
async fn a_failing_server_may_have_acted_so_the_id_stays() {
    let server = Server::start([
        refusal(500, "internalError", "Internal Error"),
        Answer::Say(502, "<html><title>502</title></html>".into(), vec![("content-type", "text/html")]),
        refusal(503, "backendError", "Backend Error"),
        operation("RUNNING"),
    ])
    .await;
    let _ = client(&server).url_maps(Global).insert(&map()).await.unwrap();
    let asked = server.asked();
    assert_eq!(asked.len(), 4);
    assert!(asked.windows(2).all(|pair| pair[0].request_id() == pair[1].request_id()));
}

#[tokio::test]
async fn a_server_that_refused_has_not_acted_so_the_next_try_is_a_new_one() {
    let server = Server::start([
        refusal(400, "resourceNotReady", "not ready"),
        refusal(400, "resourceNotReady", "not ready"),
        refusal(400, "resourceNotReady", "not ready"),
        operation("RUNNING"),
    ])
    .await;
    let _ = client(&server).url_maps(Global).insert(&map()).await.unwrap();
    let mut ids: Vec<String> = server.asked().iter().map(|asked| asked.request_id().to_owned()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

#[tokio::test]
async fn each_class_has_a_limit() {
    for answer in [
        Answer::Drop,
        refusal(504, "", ""),
        refusal(429, "rateLimitExceeded", ""),
        refusal(400, "resourceNotReady", ""),
    ] {
        let server = Server::start(vec![answer.clone(); 10]).await;
        let error = client(&server).url_maps(Global).get("web").await.unwrap_err();
        assert!(error.is_transient(), "{error}");
        assert_eq!(server.asked().len(), 4, "one try and three more after {answer:?}");
    }
}

#[tokio::test]
async fn everything_else_is_handed_up_at_once() {
    let refusals = [
        refusal(400, "invalid", "Invalid value"),
        refusal(400, "resourceInUseByAnotherResource", "used"),
        refusal(401, "authError", "Invalid Credentials"),
        refusal(403, "forbidden", "Required 'x' permission for 'y'"),
        refusal(403, "quotaExceeded", "Quota 'URL_MAPS' exceeded.  Limit: 10.0 globally."),
        Answer::Say(403, "<html>Forbidden</html>".into(), Vec::new()),
        refusal(404, "notFound", "not found"),
        refusal(409, "alreadyExists", "exists"),
        refusal(412, "conditionNotMet", "Invalid fingerprint."),
        refusal(501, "notImplemented", "no"),
        Answer::Say(302, String::new(), vec![("location", "https://example.com/")]),
    ];
    for answer in refusals {
        let server = Server::start(vec![answer.clone(); 10]).await;
        let error = client(&server).url_maps(Global).insert(&map()).await.unwrap_err();
        assert_eq!(error.retry(), Retry::Never, "{error}");
        assert!(matches!(error, Error::Refused { .. }), "{error}");
        assert_eq!(server.asked().len(), 1, "{answer:?}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_tried_again_and_got_nothing() {
    let server = Server::start([]).await;
    let endpoint = server.endpoint();
    drop(server);
    let seen = Arc::new(Seen::default());
    let observer: Arc<dyn Observer> = seen.clone();
    let client =
        gce::Client::builder("p").endpoint(endpoint).retry(quick()).observer(observer).build().unwrap();
    let error = client.url_maps(Global).insert(&map()).await.unwrap_err();
    assert!(matches!(error, Error::Transport { .. }) && !error.is_outcome_unknown(), "{error}");
    assert_eq!(seen.0.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn a_try_without_an_answer_times_out() {
    let server = Server::start([Answer::Hang, ok(&json!({"name": "web"}))]).await;
    let timeouts = Timeouts { request: Duration::from_millis(50), ..Timeouts::default() };
    let client = builder(&server).timeouts(timeouts).build().unwrap();
    client.url_maps(Global).get("web").await.unwrap();
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn retry_after_is_honoured_and_a_deadline_before_it_is_not_slept_through() {
    let asked_for = Answer::Say(429, "{}".into(), vec![("retry-after", "1")]);
    let server = Server::start([asked_for.clone(), ok(&json!({})), asked_for]).await;
    let client = client(&server);
    let begun = Instant::now();
    client.url_maps(Global).get("web").await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1));
    let soon = client.until(Instant::now() + Duration::from_millis(500));
    let begun = Instant::now();
    let error = soon.url_maps(Global).get("web").await.unwrap_err();
    assert!(error.is_throttled(), "the refusal itself is handed up: {error}");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(1)));
    assert!(begun.elapsed() < Duration::from_millis(500));
}

#[tokio::test]
async fn retries_can_be_switched_off() {
    let server = Server::start(vec![refusal(503, "backendError", ""); 3]).await;
    let client = builder(&server).retry(RetryPolicy::never()).build().unwrap();
    client.url_maps(Global).get("web").await.unwrap_err();
    assert_eq!(server.asked().len(), 1);
}

#[derive(Default)]
struct Seen(Mutex<Vec<String>>);

impl Observer for Seen {
    fn attempt(&self, attempt: &Attempt<'_>) {
        let Attempt { verb, collection, resource, number, status, latency, failure } = attempt;
        assert!(*latency > Duration::ZERO);
        self.0.lock().unwrap().push(format!(
            "{number} {verb} {collection} ({resource}) {status:?} {} {}",
            failure.map_or("ok", Retry::as_str),
            attempt.throttled()
        ));
    }
}

#[tokio::test]
async fn an_observer_sees_every_try() {
    let server = Server::start([
        Answer::Drop,
        refusal(403, "rateLimitExceeded", "slow down"),
        refusal(400, "resourceNotReady", "not ready"),
        operation("RUNNING"),
        refusal(404, "notFound", "not found"),
    ])
    .await;
    let seen = Arc::new(Seen::default());
    let observer: Arc<dyn Observer> = seen.clone();
    let client = builder(&server).observer(observer).build().unwrap();
    client.url_maps(Global).get("web").await.unwrap();
    client.url_maps(Global).get("gone").await.unwrap_err();
    assert_eq!(
        *seen.0.lock().unwrap(),
        [
            "1 get urlMaps (url map web) None transient false",
            "2 get urlMaps (url map web) Some(403) throttled true",
            "3 get urlMaps (url map web) Some(400) not_ready false",
            "4 get urlMaps (url map web) Some(200) ok false",
            "1 get urlMaps (url map gone) Some(404) never false",
        ]
    );
}
