//! Against an API server that holds one Lease, by its own rules of versions.

use std::sync::{Arc, Mutex};

use http::{Method, Request, Response, StatusCode};
use kube::client::Body;
use serde_json::{Value, json};

use super::*;

const DURATION: Duration = Duration::from_secs(15);

/// One Lease and its version.
#[derive(Default)]
struct Server {
    lease: Option<Value>,
    version: u64,
    /// No answer to anything while it is set.
    silent: bool,
}

type Shared = Arc<Mutex<Server>>;

impl Server {
    fn answer(&mut self, method: &Method, body: Option<Value>) -> (StatusCode, Value) {
        let conflict = || {
            (
                StatusCode::CONFLICT,
                json!({"status": "Failure", "message": "", "reason": "Conflict", "code": 409}),
            )
        };
        match (method, body, &self.lease) {
            (&Method::GET, _, None) => (
                StatusCode::NOT_FOUND,
                json!({"status": "Failure", "message": "", "reason": "NotFound", "code": 404}),
            ),
            (&Method::GET, _, Some(lease)) => (StatusCode::OK, lease.clone()),
            (&Method::POST, _, Some(_)) => conflict(),
            (&Method::PUT, Some(body), Some(lease))
                if body["metadata"]["resourceVersion"] != lease["metadata"]["resourceVersion"] =>
            {
                conflict()
            }
            (&Method::POST | &Method::PUT, Some(mut body), _) => {
                self.version += 1;
                body["metadata"]["resourceVersion"] = json!(self.version.to_string());
                self.lease = Some(body.clone());
                (StatusCode::OK, body)
            }
            (method, ..) => panic!("unexpected {method}"),
        }
    }
}

fn client(server: &Shared) -> Client {
    let server = Arc::clone(server);
    let service = tower::service_fn(move |request: Request<Body>| {
        let server = Arc::clone(&server);
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect_bytes().await.unwrap();
            let body = (!body.is_empty()).then(|| serde_json::from_slice(&body).unwrap());
            if server.lock().unwrap().silent {
                std::future::pending::<()>().await;
            }
            let (status, answer) = server.lock().unwrap().answer(&parts.method, body);
            let answer = Body::from(serde_json::to_vec(&answer).unwrap());
            Ok::<_, std::convert::Infallible>(Response::builder().status(status).body(answer).unwrap())
        }
    });
    Client::new(service, "gclb-system")
}

fn settings(identity: &str) -> LeaseSettings {
    LeaseSettings { namespace: "gclb-system".to_owned(), identity: identity.to_owned(), duration: DURATION }
}

fn holder(server: &Shared) -> String {
    server.lock().unwrap().lease.as_ref().unwrap()["spec"]["holderIdentity"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_made_kept_and_given_up() {
    let server = Shared::default();
    let one = lead(client(&server), settings("one")).await;
    assert_eq!(holder(&server), "one");
    tokio::time::sleep(10 * DURATION).await;
    assert!(one.permit().lasts(DURATION / 3), "it has been renewed");
    one.resign().await;
    assert_eq!(holder(&server), "");
    let two = lead(client(&server), settings("two")).await;
    assert_eq!(holder(&server), "two");
    two.resign().await;
}

#[tokio::test(start_paused = true)]
async fn a_rival_leads_only_when_the_lease_is_over() {
    let server = Shared::default();
    let one = lead(client(&server), settings("one")).await;
    let rival = tokio::spawn(lead(client(&server), settings("two")));
    tokio::time::sleep(5 * DURATION).await;
    assert!(!rival.is_finished());
    // As a crash would: nobody renews it, and nobody gives it up.
    let Leadership { permit, renewing, .. } = one;
    let crashed = Instant::now();
    renewing.abort();
    let two = rival.await.unwrap();
    assert!(crashed.elapsed() >= DURATION * 2 / 3, "taken after {:?}", crashed.elapsed());
    assert!(!permit.lasts(Duration::ZERO), "two may never write at the same time");
    assert_eq!(holder(&server), "two");
    two.resign().await;
}

#[tokio::test(start_paused = true)]
async fn without_an_answer_the_permit_ends_before_anybody_can_take_the_lease() {
    let server = Shared::default();
    let one = lead(client(&server), settings("one")).await;
    server.lock().unwrap().silent = true;
    let silent = Instant::now();
    one.permit().ended().await;
    assert!(silent.elapsed() <= DURATION * 9 / 10);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_was_taken_is_lost_at_the_next_renewal() {
    let server = Shared::default();
    let one = lead(client(&server), settings("one")).await;
    {
        let mut server = server.lock().unwrap();
        server.version += 1;
        let version = server.version.to_string();
        let lease = server.lease.as_mut().unwrap();
        lease["spec"]["holderIdentity"] = json!("two");
        lease["metadata"]["resourceVersion"] = json!(version);
    }
    let taken = Instant::now();
    one.permit().ended().await;
    assert!(taken.elapsed() <= DURATION / 3 + Duration::from_millis(1));
    assert_eq!(holder(&server), "two");
}
