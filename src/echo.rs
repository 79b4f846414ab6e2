//! The echo server: the page that stands for an application behind a load balancer.
//!
//! It answers every request with what it saw of it: the address of the client, the method, the real path, every
//! header, and the body. Who tries a load balancer reads from that page what reached the application and how.
//! `gclb local` runs one for each Service that no cluster stands behind; the test control plane runs one for each pod.
//!
//! Beyond the page it echoes WebSocket messages, and a few paths below [`CONTROL_PREFIX`] make it slow, streaming or
//! failing, so that the data plane in front of it can be tried in those cases too. What it does by itself can be
//! changed while it runs through a [`Behaviour`].
//!
//! It deliberately does not do TLS or HTTP/2, and knows nothing of Kubernetes or of Google Cloud.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{ConnectInfo, FromRequestParts as _, Query, Request, State};
use axum::response::{IntoResponse as _, Response};
use futures::stream;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Paths below this prefix are orders to the echo server; every other path is answered with the page.
///
/// * `/_echo/slow?ms=N` waits N milliseconds and then answers with the page.
/// * `/_echo/stream?chunks=N&interval_ms=M` sends N lines, one every M milliseconds.
/// * `/_echo/status/NNN` answers with that status code.
pub const CONTROL_PREFIX: &str = "/_echo/";

/// A longer body is counted but not repeated on the page, so that an upload does not come back whole.
const LARGEST_REPEATED_BODY: usize = 64 * 1024;

/// Who answers, as the page says it. Empty parts are left out of the page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// The name of the pod (or whatever stands for one).
    pub pod: String,
    /// The namespace of the pod.
    pub namespace: String,
    /// The node the pod runs on.
    pub node: String,
}

/// What the echo server does beside answering, changeable while it runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Behaviour {
    /// Requests for these paths (compared whole, without the query) are answered 503. `*` is every path.
    pub failing_paths: Vec<String>,
    /// Every answer waits this long first.
    pub delay: Duration,
    /// What becomes of a connection once it has carried an answer.
    pub after_answer: AfterAnswer,
}

/// What becomes of a connection once it has carried an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AfterAnswer {
    /// It stays open for the next request.
    #[default]
    KeptOpen,
    /// It is closed, and the answer says so (`Connection: close`). A server that is about to end does this for a while
    /// first: if it only hung up on the connections nobody uses just then, a request that is already on its way on one of
    /// them would be lost.
    Closed,
}

impl Behaviour {
    fn fails(&self, path: &str) -> bool {
        self.failing_paths.iter().any(|failing| failing == "*" || failing == path)
    }
}

/// Serves the echo page on `listener` until `stop` is cancelled; then finishes the requests it has and returns.
///
/// The error is that of the listening socket.
pub async fn serve(
    listener: TcpListener,
    identity: Identity,
    behaviour: watch::Receiver<Behaviour>,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let port = listener.local_addr()?.port();
    let echo = Echo { identity, behaviour, port, stop: stop.clone() };
    let router = Router::new().fallback(answer).with_state(echo);
    axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
}

#[derive(Debug, Clone)]
struct Echo {
    identity: Identity,
    behaviour: watch::Receiver<Behaviour>,
    port: u16,
    stop: CancellationToken,
}

async fn answer(
    State(echo): State<Echo>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let behaviour = echo.behaviour.borrow().clone();
    let after = behaviour.after_answer;
    let mut response = content(echo, behaviour, client, request).await;
    let switches = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    if after == AfterAnswer::Closed && !switches {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn content(echo: Echo, behaviour: Behaviour, client: SocketAddr, request: Request) -> Response {
    if !behaviour.delay.is_zero() {
        tokio::time::sleep(behaviour.delay).await;
    }
    let (mut parts, body) = request.into_parts();
    if behaviour.fails(parts.uri.path()) {
        let text = format!("{} fails by order for {}\n", echo.identity.pod, parts.uri.path());
        return (StatusCode::SERVICE_UNAVAILABLE, text).into_response();
    }
    if let Some(order) = parts.uri.path().strip_prefix(CONTROL_PREFIX) {
        let order = order.to_owned();
        return obey(&order, &echo, client, parts, body).await;
    }
    if asks_for_websocket(&parts.headers) {
        return match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
            Ok(upgrade) => upgrade.on_upgrade(move |socket| repeat_messages(socket, echo.stop)),
            Err(rejection) => rejection.into_response(),
        };
    }
    page(&echo, client, &parts, body).await
}

#[derive(Debug, Deserialize)]
#[serde(default)]
struct Pace {
    ms: u64,
    chunks: u32,
    interval_ms: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { ms: 1000, chunks: 5, interval_ms: 200 }
    }
}

async fn obey(order: &str, echo: &Echo, client: SocketAddr, parts: Parts, body: Body) -> Response {
    let pace = match Query::<Pace>::try_from_uri(&parts.uri) {
        Ok(Query(pace)) => pace,
        Err(rejection) => return rejection.into_response(),
    };
    match order.split_once('/').unwrap_or((order, "")) {
        ("slow", "") => {
            tokio::time::sleep(Duration::from_millis(pace.ms)).await;
            page(echo, client, &parts, body).await
        }
        ("stream", "") => stream_lines(&pace),
        ("status", code) => match code.parse::<u16>().map(StatusCode::from_u16) {
            Ok(Ok(status)) => (status, format!("{status}, by order\n")).into_response(),
            _ => (StatusCode::BAD_REQUEST, format!("'{code}' is no HTTP status code\n")).into_response(),
        },
        _ => {
            let text = format!("unknown order '{order}': there are slow, stream and status/NNN\n");
            (StatusCode::NOT_FOUND, text).into_response()
        }
    }
}

fn stream_lines(pace: &Pace) -> Response {
    let (chunks, interval) = (pace.chunks, Duration::from_millis(pace.interval_ms));
    let lines = stream::unfold(1, move |number| async move {
        if number > chunks {
            return None;
        }
        if number > 1 {
            tokio::time::sleep(interval).await;
        }
        Some((Ok::<_, Infallible>(Bytes::from(format!("chunk {number} of {chunks}\n"))), number + 1))
    });
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], Body::from_stream(lines)).into_response()
}

fn asks_for_websocket(headers: &HeaderMap) -> bool {
    headers
        .get(header::UPGRADE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
}

async fn repeat_messages(mut socket: WebSocket, stop: CancellationToken) {
    loop {
        let received = tokio::select! {
            received = socket.recv() => received,
            () = stop.cancelled() => None,
        };
        let repeated = match received {
            Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => socket.send(message).await,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
            Some(Ok(Message::Close(_)) | Err(_)) | None => return,
        };
        if repeated.is_err() {
            return;
        }
    }
}

async fn page(echo: &Echo, client: SocketAddr, parts: &Parts, body: Body) -> Response {
    // A body that breaks off is the client's business; the page says how far it came.
    let body = match axum::body::to_bytes(body, usize::MAX).await {
        Ok(bytes) => bytes,
        Err(error) => {
            return (StatusCode::BAD_REQUEST, format!("the request's body broke off: {error}\n"))
                .into_response();
        }
    };
    let text = page_text(echo, client, parts, &body);
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

fn page_text(echo: &Echo, client: SocketAddr, parts: &Parts, body: &[u8]) -> String {
    let uri = &parts.uri;
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("-");
    let host_name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let real_path = uri.path_and_query().map_or("/", |path| path.as_str());
    let version = format!("{:?}", parts.version);

    let mut page = String::new();
    let mut line = |key: &str, value: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(page, "{key}{value}");
    };
    for (key, value) in [
        ("pod=", &echo.identity.pod),
        ("namespace=", &echo.identity.namespace),
        ("node=", &echo.identity.node),
    ] {
        if !value.is_empty() {
            line(key, value);
        }
    }
    line("", "\nCLIENT VALUES:");
    line("client_address=", &client.ip().to_string());
    line("command=", parts.method.as_str());
    line("real path=", real_path);
    line("query=", uri.query().unwrap_or("nil"));
    line("request_version=", version.strip_prefix("HTTP/").unwrap_or(&version));
    line("request_uri=", &format!("http://{host_name}:{}{real_path}", echo.port));
    line("", "\nHEADERS RECEIVED:");
    let mut headers: Vec<_> = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())))
        .collect();
    headers.sort();
    for (name, value) in headers {
        line(name, &format!("={value}"));
    }
    line("", "\nBODY:");
    match body.len() {
        0 => line("", "-no body in request-"),
        length if length > LARGEST_REPEATED_BODY => line("", &format!("-{length} bytes, not repeated-")),
        _ => line("", &String::from_utf8_lossy(body)),
    }
    page
}

#[cfg(test)]
mod tests;
