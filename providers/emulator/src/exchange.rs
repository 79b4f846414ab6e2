//! One request and its answer, direct or inside a batch: what happens to every call of the API alike, in one place.
//!
//! The order: the log takes it down, the token is looked at, and then the engine answers. Whatever is to see each call once
//! belongs here, so that the calls of a batch are seen as well.

use crate::call::Call;
use crate::engine::{Engine, Purpose, Reply, Request};
use crate::error::ApiError;
use crate::fault;
use crate::fields::Selection;
use crate::request_log::{self, KeepAnswers, Outcome};
use crate::token;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use std::collections::BTreeMap;
use std::net::SocketAddr;
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
    pub(crate) origin: Origin,
}

/// Where a request came from, for the log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    /// The other end of the connection.
    pub(crate) peer: Option<SocketAddr>,
    /// The batch it is part of.
    pub(crate) batch: Option<Arc<str>>,
}

/// What goes out.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) reply: Reply,
    /// Beyond the type of the content.
    pub(crate) headers: Vec<(header::HeaderName, HeaderValue)>,
    pub(crate) pretty: bool,
    pub(crate) delivery: Delivery,
}

/// How an answer gets to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    Whole,
    /// As a page of HTML, whatever the reply says.
    Html,
    /// Its JSON ends in the middle.
    Cut,
    /// Not at all: the connection is closed.
    Close,
    /// Not at all: the connection is reset.
    Reset,
}

/// The connection ends instead of an answer. Goes with a response as an extension, down to the one who has the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConnectionEnd {
    Closed,
    Reset,
}

impl ConnectionEnd {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Reset => "reset",
        }
    }
}

/// Answers one call of the API.
pub(crate) async fn answer(engine: &Arc<Engine>, incoming: Incoming) -> Outgoing {
    logged(engine, incoming, async |mut request| {
        let call = Call::parse(&request.method, &request.path);
        match token::admit(engine, &request, call.as_ref().map(|(_, call)| call)) {
            Ok(caller) => {
                request.caller = caller;
                engine.answer(&request).await
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
    let arrived = Instant::now();
    let Incoming { method, target, headers, body, origin } = incoming;
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let begun = Arc::new(engine.requests.begin(request_log::Entry {
        path: request_log::redacted_target(&target),
        user_agent: agent.to_owned(),
        body: body.as_ref().ok().and_then(|body| request_log::redacted(body)),
        peer: origin.peer,
        batch: origin.batch.map(|batch| batch.to_string()),
        ..request_log::Entry::at(engine.clock.now(), method.as_str())
    }));
    let (path, query) = split_target(&target);
    // Looked at first: a request whose answer cannot be cut changes nothing.
    let fields = query.get("fields").filter(|fields| !fields.is_empty());
    let selection = fields.map(|fields| Selection::parse(fields)).transpose();
    let pretty = query.get("prettyPrint").is_none_or(|value| value != "false");
    let (body, selection) = match (body, selection) {
        (Ok(body), Ok(selection)) => (Ok(body), selection),
        (Err(error), _) | (_, Err(error)) => (Err(error), None),
    };
    let mut outgoing = match body {
        Ok(body) => {
            let log = Some(Arc::clone(&begun));
            let purpose = Purpose::Change;
            answer(Request { method, path, query, headers, body, caller: None, log, purpose }).await
        }
        Err(error) => Outgoing::of(error.into()),
    };
    if outgoing.reply.status.is_success() {
        let body = outgoing.reply.body.take();
        outgoing.reply.body = match &selection {
            Some(selection) => body.map(|body| selection.of(&body)),
            None => body,
        };
    }
    outgoing.pretty = pretty;
    let ended = outgoing.connection_end();
    let body = match engine.requests.answers {
        KeepAnswers::No => None,
        KeepAnswers::Yes => outgoing.reply.body.clone().map(|mut body| {
            request_log::redact(&mut body);
            body
        }),
    };
    let status = ended.is_none().then(|| outgoing.reply.status.as_u16());
    engine.requests.end(&begun, Outcome { status, took: arrived.elapsed(), ended, body });
    outgoing
}

impl Outgoing {
    pub(crate) fn of(reply: Reply) -> Self {
        Self { reply, headers: Vec::new(), pretty: true, delivery: Delivery::Whole }
    }

    /// No answer, but the end of the connection. Nobody sees the status.
    pub(crate) fn ending(delivery: Delivery) -> Self {
        Self { delivery, ..Self::of(Reply { status: StatusCode::BAD_GATEWAY, body: None }) }
    }

    /// Whether the connection is to end.
    pub(crate) fn connection_end(&self) -> Option<ConnectionEnd> {
        match self.delivery {
            Delivery::Whole | Delivery::Html | Delivery::Cut => None,
            Delivery::Close => Some(ConnectionEnd::Closed),
            Delivery::Reset => Some(ConnectionEnd::Reset),
        }
    }

    /// The type of the content, if there is any.
    pub(crate) fn content_type(&self) -> Option<&'static str> {
        match self.delivery {
            Delivery::Html => Some("text/html; charset=UTF-8"),
            _ => self.reply.body.is_some().then_some(JSON),
        }
    }

    /// The body as it is written.
    pub(crate) fn bytes(&self) -> Option<Vec<u8>> {
        if self.delivery == Delivery::Html {
            return Some(fault::answer::html(self.reply.status.as_u16()).into_bytes());
        }
        self.reply.body.as_ref().map(|body| {
            let json = if self.pretty { serde_json::to_vec_pretty(body) } else { serde_json::to_vec(body) };
            let mut json = json.expect("a JSON value always prints");
            if self.pretty {
                json.push(b'\n');
            }
            if self.delivery == Delivery::Cut {
                json.truncate(json.len() / 2);
            }
            json
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
