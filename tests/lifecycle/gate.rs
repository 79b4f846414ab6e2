//! A gate between the controller and the cloud that lets a chosen number of changes through, so that the controller can be
//! killed exactly then.
//!
//! The last change that is let through reaches the cloud, but its answer does not come back: the worst moment there is.
//! Every later one waits at the gate, so nothing else happens until the controller is dead.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use http::{Method, StatusCode};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Requests that are sent with POST and change nothing.
const READS: [&str; 6] =
    ["wait", "getHealth", "listInstances", "listNetworkEndpoints", "validate", "testIamPermissions"];

/// A running gate.
pub(crate) struct Gate {
    shared: Arc<Shared>,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Shared {
    cloud: String,
    client: reqwest::Client,
    state: watch::Sender<Passage>,
}

/// How many changes have come, and how many may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Passage {
    /// Counts up whenever the gate is set anew; what waited before then is turned away.
    setting: u32,
    /// `None`: all of them.
    may_pass: Option<usize>,
    came: usize,
    reached_the_cloud: usize,
}

impl Gate {
    pub(crate) async fn start(cloud: &str) -> Self {
        let open = Passage { setting: 0, may_pass: None, came: 0, reached_the_cloud: 0 };
        let shared = Arc::new(Shared {
            cloud: cloud.to_owned(),
            client: reqwest::Client::new(),
            state: watch::channel(open).0,
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(pass).with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { shared, address, task }
    }

    /// What the controller takes for the cloud.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on this many changes pass.
    pub(crate) fn close_after(&self, changes: usize) {
        self.set(Some(changes));
    }

    /// From now on everything passes. What waited is turned away: its sender is dead.
    pub(crate) fn open(&self) {
        self.set(None);
    }

    fn set(&self, may_pass: Option<usize>) {
        self.shared.state.send_modify(|state| {
            *state = Passage { setting: state.setting + 1, may_pass, came: 0, reached_the_cloud: 0 };
        });
    }

    /// Returns when all changes that may pass have reached the cloud.
    pub(crate) async fn has_closed(&self) {
        let mut state = self.shared.state.subscribe();
        let closed = |state: &Passage| state.may_pass.is_some_and(|limit| state.reached_the_cloud >= limit);
        state.wait_for(closed).await.expect("the gate is there");
    }

    /// How many changes have reached the cloud since the gate was set.
    pub(crate) fn passed(&self) -> usize {
        self.shared.state.borrow().reached_the_cloud
    }
}

fn changes_something(request: &Request) -> bool {
    let last = request.uri().path().rsplit('/').next().unwrap_or_default();
    request.method() != Method::GET && !READS.contains(&last)
}

async fn pass(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    if !changes_something(&request) {
        return forward(&shared, request).await;
    }
    let mut mine = Passage { setting: 0, may_pass: None, came: 0, reached_the_cloud: 0 };
    shared.state.send_modify(|state| {
        state.came += 1;
        mine = *state;
    });
    let waits = mine.may_pass.is_some_and(|limit| mine.came > limit);
    if !waits {
        let answer = forward(&shared, request).await;
        shared.state.send_if_modified(|state| {
            let same = state.setting == mine.setting;
            state.reached_the_cloud += usize::from(same);
            same
        });
        if mine.may_pass != Some(mine.came) {
            return answer;
        }
    }
    // Kept until its sender is dead, and then turned away.
    let mut state = shared.state.subscribe();
    let _ = state.wait_for(|state| state.setting != mine.setting).await;
    status(StatusCode::BAD_GATEWAY)
}

async fn forward(shared: &Shared, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let mut headers = parts.headers;
    headers.remove(http::header::HOST);
    let sent =
        shared.client.request(parts.method, format!("{}{path}", shared.cloud)).headers(headers).body(body);
    let Ok(answer) = sent.send().await else { return status(StatusCode::BAD_GATEWAY) };
    let (status_code, headers) = (answer.status(), answer.headers().clone());
    let Ok(body) = answer.bytes().await else { return status(StatusCode::BAD_GATEWAY) };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status_code;
    for (name, value) in &headers {
        if name != http::header::TRANSFER_ENCODING && name != http::header::CONNECTION {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

fn status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
