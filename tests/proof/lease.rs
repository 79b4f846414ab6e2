//! An API server that holds one Lease, by its own rules of versions. The unit tests of the lease use it too.

#![allow(dead_code, reason = "each of the two that use it needs a part")]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use http::{Method, StatusCode};
use kube::Client;
use serde_json::{Value, json};

use crate::kube_client::{Answer, answered_by, refused};

/// One Lease and its version.
#[derive(Default)]
pub(crate) struct Server {
    lease: Option<Value>,
    version: u64,
    /// Those who get no answer to anything.
    cut_off: BTreeSet<String>,
}

pub(crate) type Shared = Arc<Mutex<Server>>;

impl Server {
    /// Nothing that `who` sends arrives any more, until it does again.
    pub(crate) fn cut_off(&mut self, who: &str, cut: bool) {
        if cut {
            self.cut_off.insert(who.to_owned());
        } else {
            self.cut_off.remove(who);
        }
    }

    /// Who has it.
    pub(crate) fn holder(&self) -> String {
        let holder = self.lease.as_ref().map(|lease| &lease["spec"]["holderIdentity"]);
        holder.and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// Somebody writes himself into it, against all custom.
    pub(crate) fn usurp(&mut self, holder: &str) {
        self.version += 1;
        let version = self.version.to_string();
        let lease = self.lease.as_mut().expect("there is one");
        lease["spec"]["holderIdentity"] = json!(holder);
        lease["metadata"]["resourceVersion"] = json!(version);
    }

    /// A backup of its store.
    pub(crate) fn save(&self) -> (Option<Value>, u64) {
        (self.lease.clone(), self.version)
    }

    /// Puts a backup back: versions begin again from there.
    pub(crate) fn restore(&mut self, (lease, version): (Option<Value>, u64)) {
        (self.lease, self.version) = (lease, version);
    }

    fn answer(&mut self, method: &Method, body: Option<Value>) -> Answer {
        match (method, body, &self.lease) {
            (&Method::GET, _, None) => refused(StatusCode::NOT_FOUND, "NotFound"),
            (&Method::GET, _, Some(lease)) => (StatusCode::OK, lease.clone()),
            (&Method::POST, _, Some(_)) => refused(StatusCode::CONFLICT, "Conflict"),
            (&Method::PUT, Some(body), Some(lease))
                if body["metadata"]["resourceVersion"] != lease["metadata"]["resourceVersion"] =>
            {
                refused(StatusCode::CONFLICT, "Conflict")
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

/// `who`'s client of it.
pub(crate) fn client(server: &Shared, who: &str) -> Client {
    let (server, who) = (Arc::clone(server), who.to_owned());
    answered_by("gclb-system", move |method, body| {
        let mut server = server.lock().unwrap();
        (!server.cut_off.contains(&who)).then(|| server.answer(method, body))
    })
}
