//! One request and its answer, direct or inside a batch: what happens to every call of the API alike, in one place.
//!
//! The order: the log takes it down, the token is looked at, and then the engine answers. Whatever is to see each call once
//! belongs here, so that the calls of a batch are seen as well.

use crate::call::Call;
use crate::engine::{Engine, Reply, Request};
use crate::error::ApiError;
use crate::request_log;
use crate::token;
use http::{HeaderMap, HeaderValue, Method, header};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

/// A request as it came in.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) method: Method,
    /// Path and query, as they came.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    /// The body, unpacked; or why it could not be read.
    pub(crate) body: Result<Vec<u8>, ApiError>,
}

/// What goes out.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) reply: Reply,
    /// Beyond the type of the content.
    pub(crate) headers: Vec<(header::HeaderName, HeaderValue)>,
    pub(crate) pretty: bool,
}

/// Answers one call of the API.
pub(crate) async fn answer(engine: &Arc<Engine>, incoming: Incoming) -> Outgoing {
    logged(engine, incoming, async |mut request| {
        let call = Call::parse(&request.method, &request.path);
        match token::admit(engine, &request, call.as_ref().map(|(_, call)| call)) {
            Ok(caller) => {
                request.caller = caller;
                Outgoing::of(engine.answer(&request).await)
            }
            Err(refusal) => {
                let method = call.map(|(version, call)| token::rpc(version, &call));
                let (error, challenge) = refusal.answer(method.as_deref());
                let headers = challenge.map(|challenge| (header::WWW_AUTHENTICATE, challenge));
                Outgoing { headers: headers.into_iter().collect(), ..Outgoing::of(error.into()) }
            }
        }
    })
    .await
}

/// Takes a request down in the log, lets it be answered, and takes down the outcome.
pub(crate) async fn logged(
    engine: &Arc<Engine>,
    incoming: Incoming,
    answer: impl AsyncFnOnce(Request) -> Outgoing,
) -> Outgoing {
    let began = Instant::now();
    let Incoming { method, target, headers, body } = incoming;
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let begun = engine.requests.begin(request_log::Entry {
        at: engine.clock.now(),
        method: method.to_string(),
        path: target.clone(),
        user_agent: agent.to_owned(),
        outcome: None,
    });
    let (path, query) = split_target(&target);
    let pretty = query.get("prettyPrint").is_none_or(|value| value != "false");
    let mut outgoing = match body {
        Ok(body) => answer(Request { method, path, query, headers, body, caller: None }).await,
        Err(error) => Outgoing::of(error.into()),
    };
    outgoing.pretty = pretty;
    engine.requests.end(&begun, outgoing.reply.status.as_u16(), began.elapsed());
    outgoing
}

impl Outgoing {
    pub(crate) fn of(reply: Reply) -> Self {
        Self { reply, headers: Vec::new(), pretty: true }
    }

    /// The body as it is written.
    pub(crate) fn bytes(&self) -> Option<Vec<u8>> {
        self.reply.body.as_ref().map(|body| {
            let json = if self.pretty { serde_json::to_vec_pretty(body) } else { serde_json::to_vec(body) };
            json.expect("a JSON value always prints")
        })
    }
}

/// The type of every JSON answer.
pub(crate) const JSON: &str = "application/json; charset=UTF-8";

/// Path and query parameters of a request target.
fn split_target(target: &str) -> (String, BTreeMap<String, String>) {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    // Recorded traffic has queries that begin with `&`, and they were answered.
    let (path, tail) = path.split_once('&').map_or((path, None), |(path, tail)| (path, Some(tail)));
    let query = tail
        .into_iter()
        .chain(query)
        .flat_map(|query| url::form_urlencoded::parse(query.as_bytes()))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    (path.to_owned(), query)
}
