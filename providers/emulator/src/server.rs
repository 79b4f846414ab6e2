//! The listener: HTTP in, JSON out. Knows the parts of the path space (API, batches of it, admin) and nothing of any.

use crate::admin;
use crate::batch;
use crate::engine::Engine;
use crate::error::ApiError;
use crate::exchange::{self, ConnectionEnd, Origin, Outgoing};
use crate::line::Line;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

/// The largest request body. The largest message of the API, a URL map, is limited to 1 MB.
const MAX_BODY: usize = 8 << 20;

/// How long a connection may take to finish what it is answering at shutdown.
const GRACE: Duration = Duration::from_secs(2);

/// Accepts connections until the engine stops; returns when the last of them is closed.
pub(crate) async fn serve<H, F>(engine: Arc<Engine>, listener: TcpListener, handle: H)
where
    H: Fn(Arc<Engine>, http::Request<Incoming>) -> F + Copy + Send + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = engine.stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, _)) => {
                connections.spawn(connection(Arc::clone(&engine), stream, handle));
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

/// The other end of a connection.
#[derive(Clone, Copy)]
struct Peer(SocketAddr);

async fn connection<H, F>(engine: Arc<Engine>, stream: TcpStream, handle: H)
where
    H: Fn(Arc<Engine>, http::Request<Incoming>) -> F + Copy + Send + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let stop = engine.stop.clone();
    let peer = stream.peer_addr().ok();
    let (stream, line) = Line::of(stream);
    let line = Arc::new(line);
    let ended = line.ended.clone();
    let service = service_fn(move |mut request: http::Request<Incoming>| {
        if let Some(peer) = peer {
            request.extensions_mut().insert(Peer(peer));
        }
        let engine = Arc::clone(&engine);
        let line = Arc::clone(&line);
        async move {
            let response = handle(engine, request).await;
            match response.extensions().get::<ConnectionEnd>() {
                None => Ok::<_, Infallible>(response),
                Some(end) => {
                    line.end(*end);
                    // The connection is taken away from around this.
                    std::future::pending().await
                }
            }
        }
    });
    let builder = auto::Builder::new(TokioExecutor::new());
    let serving = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(serving);
    let outcome = tokio::select! {
        outcome = serving.as_mut() => outcome,
        () = ended.cancelled() => return,
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

/// Answers one request to the API or to the admin path.
pub(crate) async fn handle(engine: Arc<Engine>, request: http::Request<Incoming>) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let body = read(body).await;
    answer(&engine, parts, body).await
}

/// The same for a request whose body is here, or could not be read. The end of a connection is in the extensions.
pub(crate) async fn answer(
    engine: &Arc<Engine>,
    parts: http::request::Parts,
    body: Result<Vec<u8>, ApiError>,
) -> Response<Full<Bytes>> {
    let target = parts.uri.path_and_query().map_or_else(|| parts.uri.path().to_owned(), ToString::to_string);
    let incoming = exchange::Incoming {
        method: parts.method,
        target,
        body,
        headers: parts.headers,
        origin: Origin { peer: parts.extensions.get::<Peer>().map(|peer| peer.0), batch: None },
    };
    let answer = match parts.uri.path() {
        "/_emulator" => respond(administer(engine, incoming).await),
        path if path.starts_with("/_emulator/") => respond(administer(engine, incoming).await),
        path if batch::is_batch(path) => batch::answer(engine, incoming).await,
        _ => respond(exchange::answer(engine, incoming).await),
    };
    // What an answer speaks of must outlive the process before anybody is told.
    match engine.settled().await {
        Ok(()) => answer,
        Err(failed) => respond(Outgoing::of(ApiError::unavailable(failed.to_string()).into())),
    }
}

/// The admin path is logged, and nothing else of what happens to calls of the API happens to it.
async fn administer(engine: &Arc<Engine>, incoming: exchange::Incoming) -> Outgoing {
    exchange::logged(engine, incoming, async |request| Outgoing::of(admin::answer(engine, &request).await))
        .await
}

async fn read(body: Incoming) -> Result<Vec<u8>, ApiError> {
    match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => Ok(body.to_bytes().to_vec()),
        Err(error) if error.is::<LengthLimitError>() => Err(ApiError::too_large(MAX_BODY)),
        Err(error) => Err(ApiError::invalid_text(format!("The request body could not be read: {error}"))),
    }
}

pub(crate) fn respond(outgoing: Outgoing) -> Response<Full<Bytes>> {
    let (kind, end) = (outgoing.content_type(), outgoing.connection_end());
    let mut response = Response::new(Full::from(outgoing.bytes().unwrap_or_default()));
    *response.status_mut() = outgoing.reply.status;
    match kind {
        Some(kind) => {
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        None if outgoing.reply.status == StatusCode::OK => *response.status_mut() = StatusCode::NO_CONTENT,
        None => {}
    }
    response.headers_mut().extend(outgoing.headers);
    if let Some(end) = end {
        response.extensions_mut().insert(end);
    }
    response
}
