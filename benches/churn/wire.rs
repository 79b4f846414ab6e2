//! The way to the emulator, and what passes on it.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use bytes::Bytes;
use gce::{Reached, Sending, TransportError};
use http::{Request, Response};
use serde_json::Value;

/// A call that changes the members of a group.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) sent: Instant,
    pub(crate) zone: String,
    pub(crate) what: What,
    pub(crate) addresses: Vec<String>,
    /// The name of its operation.
    operation: String,
    /// When the cloud said that it is done.
    pub(crate) ended: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Attach,
    Detach,
}

/// Calls that change members, in the order in which they were sent.
#[derive(Debug, Default)]
pub(crate) struct Calls(Mutex<Vec<Call>>);

impl Calls {
    pub(crate) fn take(&self) -> Vec<Call> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    /// Where it is noted, if it changes members.
    fn note(&self, request: &Request<Bytes>) -> Option<usize> {
        let path = request.uri().path();
        let what = match path.rsplit('/').next() {
            Some("attachNetworkEndpoints") => What::Attach,
            Some("detachNetworkEndpoints") => What::Detach,
            _ => return None,
        };
        let sent = Instant::now();
        let zone = path.split('/').skip_while(|part| *part != "zones").nth(1).unwrap_or_default().to_owned();
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        let endpoints = body["networkEndpoints"].as_array().unwrap();
        let address = |endpoint: &Value| endpoint["ipAddress"].as_str().unwrap().to_owned();
        let addresses = endpoints.iter().map(address).collect();
        let mut calls = self.0.lock().unwrap();
        calls.push(Call { sent, zone, what, addresses, operation: String::new(), ended: None });
        Some(calls.len() - 1)
    }

    /// The answer to the call that was noted there, or to something else: it may be that an operation is done.
    fn answered(&self, noted: Option<usize>, path: &str, body: &[u8]) {
        if noted.is_none() && !path.ends_with("/wait") {
            return;
        }
        let operation: Value = serde_json::from_slice(body).unwrap_or_default();
        let Some(name) = operation["name"].as_str() else { return };
        let mut calls = self.0.lock().unwrap();
        if let Some(call) = noted.and_then(|at| calls.get_mut(at)) {
            name.clone_into(&mut call.operation);
        }
        if operation["status"] == "DONE"
            && let Some(call) = calls.iter_mut().rev().find(|call| call.operation == name)
        {
            call.ended = Some(Instant::now());
        }
    }
}

impl gce::Observer for Calls {
    fn attempt(&self, attempt: &gce::Attempt<'_>) {
        if attempt.failure.is_some() {
            eprintln!("{} {}: status {:?}", attempt.verb, attempt.resource, attempt.status);
        }
    }
}

/// Sends requests as they are, and notes those that change members.
pub(crate) fn noting(calls: Arc<Calls>) -> impl Fn(Request<Bytes>) -> Sending + Send + Sync + 'static {
    let http = reqwest::Client::new();
    move |request| {
        let (noted, path) = (calls.note(&request), request.uri().path().to_owned());
        let calls = Arc::clone(&calls);
        let (parts, body) = request.into_parts();
        let sending =
            http.request(parts.method, parts.uri.to_string()).headers(parts.headers).body(body).send();
        Box::pin(async move {
            let failed = |error| TransportError::new(Reached::Perhaps, error);
            let answer = sending.await.map_err(failed)?;
            let mut response = Response::builder().status(answer.status());
            if let Some(headers) = response.headers_mut() {
                headers.clone_from(answer.headers());
            }
            let body = answer.bytes().await.map_err(failed)?;
            calls.answered(noted, &path, &body);
            Ok(response.body(body).unwrap())
        })
    }
}
