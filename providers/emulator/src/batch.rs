//! Batches: several calls in one request (`multipart/mixed`), answered in the order they came in.
//!
//! Each call goes through [`exchange`] as if it had come alone, so the log, tokens, faults and quotas see every one.

mod multipart;

use crate::engine::Engine;
use crate::error::ApiError;
use crate::exchange::{self, Incoming, Origin, Outgoing};
use crate::server::respond;
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::Full;
use multipart::{Call, Part};
pub(crate) use multipart::{boundary, split};
use std::sync::Arc;

/// How many calls one batch may hold.
const MAX_CALLS: usize = 1000;

/// Whether a path takes batches: `/batch/compute/v1` and its like, or the old one for all APIs.
pub(crate) fn is_batch(path: &str) -> bool {
    matches!(path, "/batch" | "/batch/compute/v1" | "/batch/compute/beta" | "/batch/compute/alpha")
}

/// Answers a batch.
pub(crate) async fn answer(engine: &Arc<Engine>, incoming: Incoming) -> Response<Full<Bytes>> {
    let Incoming { method, target, headers, body, origin } = incoming;
    if method != Method::POST {
        // As any other method that does not exist.
        return respond(exchange::answer(engine, Incoming { method, target, headers, body, origin }).await);
    }
    let parts = match body.and_then(|body| read(&headers, &body)) {
        Ok(parts) => parts,
        Err(error) => {
            let refused = Incoming { method, target, headers, body: Err(error), origin };
            return respond(exchange::answer(engine, refused).await);
        }
    };
    let origin = Origin { batch: Some(format!("{:016x}", crate::random::id()).into()), ..origin };
    // All at once, for a `wait` may take two minutes; each begins in its turn, and the answers keep the order.
    let answers = stream::iter(parts)
        .map(|part| {
            let (headers, origin) = (&headers, origin.clone());
            async move { (part.id.clone(), one(engine, headers, part, origin).await) }
        })
        .buffered(MAX_CALLS)
        .collect::<Vec<_>>()
        .await;
    write(&answers)
}

fn read(headers: &HeaderMap, body: &[u8]) -> Result<Vec<Part>, ApiError> {
    let unreadable = |why: &str| {
        ApiError::payload(
            "",
            format!(
                "Failed to parse batch request, error: {why}. Received batch body: ({}) bytes redacted",
                body.len()
            ),
        )
    };
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let boundary =
        boundary(kind).ok_or_else(|| unreadable("the content is not multipart/mixed with a boundary"))?;
    let parts = split(body, &boundary).map_err(|error| unreadable(&error.to_string()))?;
    if parts.is_empty() {
        return Err(unreadable("0 items"));
    }
    if parts.len() > MAX_CALLS {
        return Err(ApiError::payload(
            "",
            format!("The batch request has {} calls. At most {MAX_CALLS} are allowed.", parts.len()),
        ));
    }
    Ok(parts)
}

/// One call of a batch. What the batch's own headers say counts for each call that does not say otherwise, but for those
/// that describe the content.
async fn one(engine: &Arc<Engine>, outer: &HeaderMap, part: Part, origin: Origin) -> Outgoing {
    let Call { method, target, headers: own, body } = match part.call {
        Ok(call) => call,
        Err(error) => {
            let message = format!("Failed to parse a call of the batch request: {error}");
            return Outgoing::of(ApiError::payload("", message).into());
        }
    };
    let mut headers: HeaderMap = outer
        .iter()
        .filter(|(name, _)| !name.as_str().starts_with("content-") && *name != header::TRANSFER_ENCODING)
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    for name in own.keys() {
        headers.remove(name);
    }
    headers.extend(own);
    let body = Ok(body);
    exchange::answer(engine, Incoming { method, target, headers, body, origin }).await
}

fn write(answers: &[(Option<String>, Outgoing)]) -> Response<Full<Bytes>> {
    let boundary = format!("batch_{:016x}{:016x}", crate::random::id(), crate::random::id());
    let mut text = Vec::new();
    for (id, outgoing) in answers {
        let body = outgoing.bytes();
        let status = match outgoing.reply.status {
            StatusCode::OK if body.is_none() => StatusCode::NO_CONTENT,
            status => status,
        };
        text.extend(format!("--{boundary}\r\nContent-Type: application/http\r\n").bytes());
        if let Some(id) = id {
            text.extend(format!("Content-ID: {}\r\n", answered(id)).bytes());
        }
        let phrase = status.canonical_reason().unwrap_or_default();
        text.extend(format!("\r\nHTTP/1.1 {} {phrase}\r\n", status.as_u16()).bytes());
        if let Some(kind) = outgoing.content_type() {
            text.extend(format!("Content-Type: {kind}\r\n").bytes());
        }
        for (name, value) in &outgoing.headers {
            text.extend(
                name.as_str().bytes().chain(*b": ").chain(value.as_bytes().iter().copied()).chain(*b"\r\n"),
            );
        }
        let body = body.unwrap_or_default();
        text.extend(format!("Content-Length: {}\r\n\r\n", body.len()).bytes());
        text.extend(body);
        text.extend(*b"\r\n");
    }
    text.extend(format!("--{boundary}--\r\n").bytes());
    let mut response = Response::new(Full::from(text));
    let kind = format!("multipart/mixed; boundary={boundary}");
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_str(&kind).expect("the boundary is made of letters and digits"),
    );
    // There is one connection for all of them.
    if let Some(end) = answers.iter().find_map(|(_, outgoing)| outgoing.connection_end()) {
        response.extensions_mut().insert(end);
    }
    response
}

/// The id of an answer: `<response-X>` for `<X>`.
fn answered(id: &str) -> String {
    match id.strip_prefix('<') {
        Some(rest) => format!("<response-{rest}"),
        None => format!("response-{id}"),
    }
}
