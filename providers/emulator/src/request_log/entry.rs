//! One request in the log.

use crate::exchange::ConnectionEnd;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Counted from 0 over the life of the emulator; the log sets it.
    pub(crate) number: u64,
    /// By the emulator's clock.
    pub(crate) at: Timestamp,
    /// Of HTTP.
    pub(crate) method: String,
    /// Path and query, as they came, without secrets.
    pub(crate) path: String,
    /// The id of the method of the API, if it is one: `urlMaps.insert`.
    pub(crate) call: Option<String>,
    /// The JSON of the body, without secrets.
    pub(crate) body: Option<Value>,
    pub(crate) user_agent: String,
    /// The other end of the connection.
    pub(crate) peer: Option<SocketAddr>,
    /// The batch it came in.
    pub(crate) batch: Option<String>,
    /// The rule that hit it.
    pub(crate) fault: Option<String>,
    /// None: it is still under way.
    pub(crate) outcome: Option<Outcome>,
}

/// What came of a request.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    /// None: the connection was ended instead.
    pub(crate) status: Option<u16>,
    /// By the machine's clock.
    pub(crate) took: Duration,
    pub(crate) ended: Option<ConnectionEnd>,
    /// The answer, if answers are kept, without secrets.
    pub(crate) body: Option<Value>,
}

impl Entry {
    /// A request of which nothing else is known yet.
    pub(crate) fn at(at: Timestamp, method: &str) -> Self {
        Self {
            number: 0,
            at,
            method: method.to_owned(),
            path: String::new(),
            call: None,
            body: None,
            user_agent: String::new(),
            peer: None,
            batch: None,
            fault: None,
            outcome: None,
        }
    }

    /// As the admin path and the file have it. What there is not is left out, but for the status.
    pub(super) fn show(&self) -> Value {
        let Self { number, at, method, path, call, body, user_agent, peer, batch, fault, outcome } = self;
        let mut shown = json!({
            "number": number,
            "time": at.to_string(),
            "method": method,
            "path": path,
            "status": outcome.as_ref().and_then(|outcome| outcome.status),
            "ms": outcome.as_ref().map(|outcome| u64::try_from(outcome.took.as_millis()).unwrap_or(u64::MAX)),
            "userAgent": user_agent,
        });
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                shown[name] = value;
            }
        };
        set("call", call.as_ref().map(|call| json!(call)));
        set("peer", peer.map(|peer| json!(peer.to_string())));
        set("batch", batch.as_ref().map(|batch| json!(batch)));
        set("fault", fault.as_ref().map(|fault| json!(fault)));
        set("body", body.clone());
        if let Some(Outcome { status: _, took: _, ended, body }) = outcome {
            set("connection", ended.map(|end| json!(end.name())));
            set("answer", body.clone());
        }
        shown
    }
}
