//! The listener: HTTP in, JSON out. Knows the two halves of the path space (API and admin) and nothing of either.

use crate::admin;
use crate::engine::{Engine, Reply, Request};
use crate::error::ApiError;
use crate::request_log::Entry;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

/// The largest request body. The largest message of the API, a URL map, is limited to 1 MB.
const MAX_BODY: usize = 8 << 20;

/// How long a connection may take to finish what it is answering at shutdown.
const GRACE: Duration = Duration::from_secs(2);

/// Accepts connections until the engine stops; returns when the last of them is closed.
pub(crate) async fn serve(engine: Arc<Engine>, listener: TcpListener) {
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = engine.stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, _)) => {
                connections.spawn(connection(Arc::clone(&engine), stream));
            }
            Err(error) => {
                // Out of file descriptors, most likely: the next accept would fail at once as well.
                tracing::warn!(%error, "accepting a connection failed");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn connection(engine: Arc<Engine>, stream: TcpStream) {
    let stop = engine.stop.clone();
    let service = service_fn(move |request| {
        let engine = Arc::clone(&engine);
        async move { Ok::<_, Infallible>(handle(engine, request).await) }
    });
    let builder = auto::Builder::new(TokioExecutor::new());
    let serving = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(serving);
    let outcome = tokio::select! {
        outcome = serving.as_mut() => outcome,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            match tokio::time::timeout(GRACE, serving).await {
                Ok(outcome) => outcome,
                Err(_) => return,
            }
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(error, "a connection ended early");
    }
}

async fn handle(engine: Arc<Engine>, request: http::Request<Incoming>) -> Response<Full<Bytes>> {
    let began = Instant::now();
    let at = engine.clock.now();
    let (parts, body) = request.into_parts();
    let agent =
        parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let logged = engine.requests.begin(Entry {
        at,
        method: parts.method.to_string(),
        path: parts.uri.path_and_query().map_or_else(|| parts.uri.path().to_owned(), ToString::to_string),
        user_agent: agent.to_owned(),
        outcome: None,
    });
    // Recorded traffic has queries that begin with `&`, and they were answered.
    let (path, tail) =
        parts.uri.path().split_once('&').map_or((parts.uri.path(), None), |(a, b)| (a, Some(b)));
    let query: BTreeMap<String, String> = tail
        .into_iter()
        .chain(parts.uri.query())
        .flat_map(|query| url::form_urlencoded::parse(query.as_bytes()))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let pretty = query.get("prettyPrint").is_none_or(|value| value != "false");
    let reply = match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => {
            let request = Request {
                method: parts.method.clone(),
                path: path.to_owned(),
                query,
                body: body.to_bytes().to_vec(),
            };
            if request.path == "/_emulator" || request.path.starts_with("/_emulator/") {
                admin::answer(&engine, &request).await
            } else {
                engine.answer(&request).await
            }
        }
        Err(error) if error.is::<LengthLimitError>() => ApiError::too_large(MAX_BODY).into(),
        Err(error) => ApiError::invalid_text(format!("The request body could not be read: {error}")).into(),
    };
    engine.requests.end(&logged, reply.status.as_u16(), began.elapsed());
    respond(reply, pretty)
}

fn respond(reply: Reply, pretty: bool) -> Response<Full<Bytes>> {
    let Reply { status, body } = reply;
    let bytes = body.map(|body| {
        let json = if pretty { serde_json::to_vec_pretty(&body) } else { serde_json::to_vec(&body) };
        json.expect("a JSON value always prints")
    });
    let typed = bytes.is_some();
    let mut response = Response::new(Full::from(bytes.unwrap_or_default()));
    *response.status_mut() = status;
    if typed {
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8"));
    } else if status == StatusCode::OK {
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    response
}
