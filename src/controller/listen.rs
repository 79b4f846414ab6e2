//! Answers those who ask how it goes: `/healthz`, `/readyz` and `/metrics`.

use std::net::SocketAddr;
use std::sync::{Arc, RwLock};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

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
}

/// The address cannot be listened at.
#[derive(Debug, thiserror::Error)]
#[error("listen at {address} for /healthz, /readyz and /metrics: choose another with --listen")]
pub struct ListenError {
    address: SocketAddr,
    #[source]
    source: std::io::Error,
}

impl Answers {
    /// At the start.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self { readiness: RwLock::new(Readiness::Starting("starting".to_owned())), metrics }
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
    info!(address = %bound, "listening for /healthz, /readyz and /metrics");
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_says_how_far_it_is() {
        let metrics = Arc::new(Metrics::default());
        metrics.leads(true);
        let answers = Arc::new(Answers::new(metrics));
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
        assert!(listen(address, answers, stop.clone()).await.is_err(), "the address is taken");
        stop.cancel();
    }
}
