//! Answers those who ask how it goes: `/healthz`, `/readyz`, `/metrics` and `/debug/plan`.

use std::net::SocketAddr;
use std::sync::{Arc, RwLock};

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::running::{Question, Running, USUAL_LIMIT};
use crate::metrics::Metrics;

/// How far the process is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// Not yet doing its work, and why.
    Starting(String),
    /// Another one leads; this one is ready to take over.
    StandingBy,
    /// Working.
    Ready,
}

/// What is answered.
#[derive(Debug)]
pub struct Answers {
    readiness: RwLock<Readiness>,
    metrics: Arc<Metrics>,
    running: Arc<Running>,
}

/// The address cannot be listened at.
#[derive(Debug, thiserror::Error)]
#[error("listen at {address} for /healthz, /readyz, /metrics and /debug/plan: choose another with --listen")]
pub struct ListenError {
    address: SocketAddr,
    #[source]
    source: std::io::Error,
}

impl Answers {
    /// At the start.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>, running: Arc<Running>) -> Self {
        Self { readiness: RwLock::new(Readiness::Starting("starting".to_owned())), metrics, running }
    }

    /// From now on it is so.
    pub fn set(&self, readiness: Readiness) {
        *self.readiness.write().unwrap_or_else(std::sync::PoisonError::into_inner) = readiness;
    }

    fn readiness(&self) -> Readiness {
        self.readiness.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

/// Answers until `stop` is cancelled, in a task of its own.
///
/// # Errors
/// When the address cannot be listened at.
pub async fn listen(
    address: SocketAddr,
    answers: Arc<Answers>,
    stop: CancellationToken,
) -> Result<SocketAddr, ListenError> {
    let failed = |source| ListenError { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    info!(address = %bound, "listening for /healthz, /readyz, /metrics and /debug/plan");
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/debug/plan", get(debug_plan))
        .with_state(answers);
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await
        {
            warn!(%error, "no longer listening");
        }
    });
    Ok(bound)
}

async fn ready(State(answers): State<Arc<Answers>>) -> impl IntoResponse {
    match answers.readiness() {
        Readiness::Starting(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n")),
        Readiness::StandingBy => (StatusCode::OK, "standing by: another one leads\n".to_owned()),
        Readiness::Ready => (StatusCode::OK, "ok\n".to_owned()),
    }
}

async fn metrics(State(answers): State<Arc<Answers>>) -> impl IntoResponse {
    // OpenMetrics 1.0, as the encoder writes it.
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, content_type)], answers.metrics.text())
}

/// How the plan is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Output {
    Text,
    Json,
}

/// `?output=text|json&limit=N&for=HOLDER`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    output: Option<Output>,
    limit: Option<usize>,
    r#for: Option<String>,
}

async fn debug_plan(
    State(answers): State<Arc<Answers>>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let Asked { output, limit, r#for } = asked;
    let question = Question { limit: limit.unwrap_or(USUAL_LIMIT), holder: r#for };
    let accepts_json = || {
        let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
        accept.is_some_and(|accept| accept.contains("application/json"))
    };
    let output = output.unwrap_or_else(|| if accepts_json() { Output::Json } else { Output::Text });
    // A large plan takes some time to write down: others are answered meanwhile.
    let written = tokio::task::spawn_blocking(move || {
        let Some(document) = answers.running.document(&question) else {
            let why = "nothing is in hand: this process does not lead, or has not begun\n";
            return (StatusCode::SERVICE_UNAVAILABLE, why).into_response();
        };
        match output {
            Output::Json => Json(document).into_response(),
            Output::Text => document.to_string().into_response(),
        }
    });
    written.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_says_how_far_it_is() {
        let metrics = Arc::new(Metrics::default());
        metrics.leads(true);
        let answers = Arc::new(Answers::new(metrics, Arc::default()));
        let stop = CancellationToken::new();
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let address = listen(any, Arc::clone(&answers), stop.clone()).await.unwrap();
        gce::install_crypto_provider();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let ask = async |path: &str| {
            let answer = client.get(format!("http://{address}{path}")).send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        };
        assert_eq!(ask("/healthz").await, (200, "ok\n".to_owned()));
        answers.set(Readiness::Starting("waiting for the first list of Nodes".to_owned()));
        assert_eq!(
            ask("/readyz").await,
            (503, "not ready: waiting for the first list of Nodes\n".to_owned())
        );
        answers.set(Readiness::StandingBy);
        assert_eq!(ask("/readyz").await.0, 200);
        answers.set(Readiness::Ready);
        assert_eq!(ask("/readyz").await, (200, "ok\n".to_owned()));
        let (status, text) = ask("/metrics").await;
        assert_eq!(status, 200);
        assert!(text.contains("gclb_leader 1"), "{text}");
        assert_eq!(ask("/debug/plan").await.0, 503, "nobody leads");
        assert_eq!(ask("/debug/plan?output=xml").await.0, 400);
        assert!(listen(address, answers, stop.clone()).await.is_err(), "the address is taken");
        stop.cancel();
    }
}
