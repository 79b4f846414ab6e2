//! The emulator as a child process.

use std::process::Stdio;
use std::time::Duration;

use futures::StreamExt as _;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::manifests::{NODE, ZONE};
use crate::{OPERATION, PER_MINUTE};

pub(crate) const PROJECT: &str = "bench";

pub(crate) struct Cloud {
    _child: Child,
    pub(crate) endpoint: String,
    root: String,
    http: reqwest::Client,
}

impl Cloud {
    pub(crate) async fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gclb"))
            .args(["emulator", "--listen", "127.0.0.1:0", "--port-offset", "20000", "--log", "error"])
            .args(["--operation-latency", &OPERATION.as_millis().to_string()])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let endpoint = loop {
            let line = lines.next_line().await.unwrap().expect("the emulator says where it is");
            if let Some(endpoint) = line.strip_prefix("Compute Engine") {
                break endpoint.trim().to_owned();
            }
        };
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let root = endpoint.trim_end_matches("compute/v1/").to_owned();
        let cloud = Self { _child: child, endpoint, root, http: reqwest::Client::new() };
        let node = json!({ "project": PROJECT, "zone": ZONE, "name": NODE, "address": "10.0.0.11" });
        cloud.admin(reqwest::Method::POST, "instances", &node).await;
        cloud
    }

    /// From now on there is a quota, or none.
    pub(crate) async fn limit(&self, limited: bool) {
        let rates = if limited { json!({ "queries": PER_MINUTE }) } else { json!({}) };
        self.admin(reqwest::Method::PUT, "rates", &rates).await;
    }

    /// From now on operations take so long.
    pub(crate) async fn latency(&self, latency: Duration) {
        let latency = json!({ "default": latency.as_millis() });
        self.admin(reqwest::Method::PUT, "latency", &latency).await;
    }

    async fn admin(&self, method: reqwest::Method, path: &str, body: &Value) {
        let url = format!("{}_emulator/{path}", self.root);
        let answer = self.http.request(method, url).json(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
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
