//! A client of the Kubernetes API whose calls are answered by a function instead of by a server. Unit tests use it too.

use http::{Method, Request, Response, StatusCode};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};

/// What a call is answered: status and body.
pub(crate) type Answer = (StatusCode, Value);

/// The client. What is given no answer waits for ever.
pub(crate) fn answered_by(
    namespace: &str,
    answer: impl Fn(&Method, Option<Value>) -> Option<Answer> + Clone + Send + 'static,
) -> Client {
    let service = tower::service_fn(move |request: Request<Body>| {
        let answer = answer.clone();
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect_bytes().await.unwrap();
            let body = (!body.is_empty()).then(|| serde_json::from_slice(&body).unwrap());
            let Some((status, answer)) = answer(&parts.method, body) else {
                return std::future::pending().await;
            };
            let answer = Body::from(serde_json::to_vec(&answer).unwrap());
            Ok::<_, std::convert::Infallible>(Response::builder().status(status).body(answer).unwrap())
        }
    });
    Client::new(service, namespace)
}

/// As the API server refuses.
pub(crate) fn refused(status: StatusCode, reason: &str) -> Answer {
    let body = json!({"status": "Failure", "message": "", "reason": reason, "code": status.as_u16()});
    (status, body)
}
