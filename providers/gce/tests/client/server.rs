//! An HTTP server that answers from a script and remembers what it was asked.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::time::Instant;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// One line of the script.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// A status and a body.
    Say(u16, String, Vec<(&'static str, &'static str)>),
    /// The connection is closed without an answer.
    Drop,
    /// Nothing, for ever.
    Hang,
}

/// What the server was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) at: Instant,
}

impl Asked {
    /// Method and path, without the part that all paths share.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.path.strip_prefix("/compute/v1/projects/p/").unwrap_or(&self.path))
    }

    pub(crate) fn request_id(&self) -> &str {
        self.query.get("requestId").map_or("", String::as_str)
    }
}

#[derive(Default)]
struct State {
    script: Mutex<VecDeque<Answer>>,
    asked: Mutex<Vec<Asked>>,
}

pub(crate) struct Server {
    address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(crate) async fn start(script: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State { script: Mutex::new(script.into_iter().collect()), ..State::default() });
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let state = Arc::clone(&shared);
                tokio::spawn(async move {
                    let service = service_fn(move |request| answer(Arc::clone(&state), request));
                    // An error here is a connection that the script or the client closed.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { address, state, task }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}/compute/v1/", self.address)
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.state.asked.lock().unwrap().clone()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.asked().iter().map(Asked::line).collect()
    }

    /// How much of the script is left.
    pub(crate) fn left(&self) -> usize {
        self.state.script.lock().unwrap().len()
    }
}

/// The connection ends here.
#[derive(Debug)]
struct Closed;

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("closed by the script")
    }
}

impl std::error::Error for Closed {}

async fn answer(state: Arc<State>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Closed> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Closed)?.to_bytes();
    let query = head
        .uri
        .query()
        .map(|query| url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
        .unwrap_or_default();
    state.asked.lock().unwrap().push(Asked {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query,
        headers: head.headers,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
        at: Instant::now(),
    });
    let next = state.script.lock().unwrap().pop_front();
    match next.unwrap_or_else(|| refusal(501, "scriptEnded", "more calls than the script has answers")) {
        Answer::Drop => Err(Closed),
        Answer::Hang => match std::future::pending::<Infallible>().await {},
        Answer::Say(status, body, headers) => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            Ok(response.body(Full::from(body)).unwrap())
        }
    }
}

pub(crate) fn ok(body: &Value) -> Answer {
    Answer::Say(200, body.to_string(), Vec::new())
}

pub(crate) fn refusal(status: u16, reason: &str, message: &str) -> Answer {
    let body = json!({"error": {
        "code": status,
        "message": message,
        "errors": [{"message": message, "domain": "global", "reason": reason}],
    }});
    Answer::Say(status, body.to_string(), Vec::new())
}

/// An operation as a change answers with it.
pub(crate) fn operation(status: &str) -> Answer {
    ok(&json!({
        "kind": "compute#operation",
        "name": "operation-1",
        "operationType": "insert",
        "status": status,
        "targetId": "42",
        "targetLink": "https://compute.googleapis.com/compute/v1/projects/p/global/urlMaps/web",
    }))
}
