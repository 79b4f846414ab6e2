//! The emulator as a child process, for benches.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// It ends with this.
pub(crate) struct Emulated {
    _child: Child,
    /// Where the API is.
    pub(crate) endpoint: String,
    root: String,
    http: reqwest::Client,
}

impl Emulated {
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gclb"))
            .args(["emulator", "--listen", "127.0.0.1:0", "--port-offset", "20000", "--log", "error"])
            .args(arguments)
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
        Self { _child: child, endpoint, root, http: reqwest::Client::new() }
    }

    /// What somebody does to the emulator beside the API.
    pub(crate) async fn admin(&self, method: reqwest::Method, path: &str, body: &Value) {
        let url = format!("{}_emulator/{path}", self.root);
        let answer = self.http.request(method, url).json(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
    }

    /// What the emulator says of itself.
    #[allow(dead_code, reason = "not every bench asks")]
    pub(crate) async fn get(&self, path: &str) -> bytes::Bytes {
        let answer = self.http.get(format!("{}_emulator/{path}", self.root)).send().await.unwrap();
        answer.error_for_status().unwrap().bytes().await.unwrap()
    }
}

/// The same number for every group of calls that a project has by default.
pub(crate) fn rates(per_minute: u32) -> Value {
    json!({
        "queries": per_minute, "reads": per_minute, "lists": per_minute,
        "operation-reads": per_minute, "heavy-reads": per_minute,
    })
}
