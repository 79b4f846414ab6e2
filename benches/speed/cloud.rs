//! The emulator as a child process.

use std::time::Duration;

use futures::StreamExt as _;
use serde_json::json;

use crate::emulated::Emulated;
use crate::manifests::{NODE, ZONE};
use crate::{OPERATION, PER_MINUTE};

pub(crate) const PROJECT: &str = "bench";

pub(crate) struct Cloud {
    emulated: Emulated,
    pub(crate) endpoint: String,
    http: reqwest::Client,
}

impl Cloud {
    pub(crate) async fn start() -> Self {
        let emulated = Emulated::start(&["--operation-latency", &OPERATION.as_millis().to_string()]).await;
        let cloud = Self { endpoint: emulated.endpoint.clone(), emulated, http: reqwest::Client::new() };
        let node = json!({ "project": PROJECT, "zone": ZONE, "name": NODE, "address": "10.0.0.11" });
        cloud.emulated.admin(reqwest::Method::POST, "instances", &node).await;
        cloud
    }

    /// From now on there is a quota, or none.
    pub(crate) async fn limit(&self, limited: bool) {
        let rates = if limited { crate::emulated::rates(PER_MINUTE) } else { json!({}) };
        self.emulated.admin(reqwest::Method::PUT, "rates", &rates).await;
    }

    /// From now on operations take so long.
    pub(crate) async fn latency(&self, latency: Duration) {
        let latency = json!({ "default": latency.as_millis() });
        self.emulated.admin(reqwest::Method::PUT, "latency", &latency).await;
    }

    /// Everything it holds, for another emulator to begin with.
    pub(crate) async fn state(&self) -> bytes::Bytes {
        self.emulated.get("snapshot").await
    }

    /// Somebody else uses up what is left of the minute's mutations.
    pub(crate) async fn exhaust(&self) {
        let calls = futures::stream::iter(0..PER_MINUTE * 2).map(|at| {
            let url = format!("{}projects/{PROJECT}/global/healthChecks/nobody-{at}", self.endpoint);
            async move { self.http.delete(url).send().await.unwrap().status() }
        });
        let mut answers = std::pin::pin!(calls.buffer_unordered(16));
        while let Some(status) = answers.next().await {
            if status == reqwest::StatusCode::FORBIDDEN {
                return;
            }
        }
        panic!("the quota has no end");
    }
}
