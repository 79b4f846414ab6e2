//! `gclb emulator` as a child process, at the addresses of a cluster's site, and a client of its admin path.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::nodes::Node;
use crate::process::{self, Process, ProcessError, Program};
use crate::site::Site;
use crate::wait::within;

/// The longest that a start may take.
const START_LIMIT: Duration = Duration::from_secs(30);

/// Fields that say nothing about what a resource was asked to be: made up anew for each, or who refers to it.
const NOT_COMPARED: &[&str] = &[
    "id",
    "creationTimestamp",
    "fingerprint",
    "labelFingerprint",
    "selfLinkWithId",
    "address",
    "IPAddress",
    "usedBy",
    "users",
];

/// Running the emulator, or asking it something, failed.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    /// It did not start.
    #[error("starting the emulator failed")]
    Process(#[from] ProcessError),
    /// It never answered.
    #[error("waiting for the emulator to answer at {url}: {last}\n--- the end of its log:\n{tail}")]
    NotReady {
        /// Where it should answer.
        url: String,
        /// What was there instead.
        last: String,
        /// The last lines it wrote.
        tail: String,
    },
    /// A request did not reach it.
    #[error("asking the emulator: {method} {url} failed")]
    Request {
        /// The method.
        method: reqwest::Method,
        /// What was asked.
        url: String,
        /// Why not.
        #[source]
        source: reqwest::Error,
    },
    /// It refused a request.
    #[error("asking the emulator: {method} {url} was answered {status}: {body}")]
    Refused {
        /// The method.
        method: reqwest::Method,
        /// What was asked.
        url: String,
        /// Its answer.
        status: reqwest::StatusCode,
        /// Its answer.
        body: String,
    },
}

/// A running emulator.
#[derive(Debug)]
pub struct Emulator {
    process: Process,
    url: String,
    client: reqwest::Client,
}

impl Emulator {
    /// Starts `gclb emulator`, where `gclb` is the program at `program`. Its log goes to `folder`.
    pub async fn start(
        program: &Path,
        site: &Site,
        folder: &Path,
        arguments: &[impl AsRef<str>],
    ) -> Result<Self, EmulatorError> {
        let listen = site.emulator();
        let mut all = vec![
            "emulator".to_owned(),
            format!("--listen={listen}"),
            format!("--address-pool={}", site.load_balancer_pool()),
            format!("--dial={}", site.dial()),
        ];
        all.extend(arguments.iter().map(|argument| argument.as_ref().to_owned()));
        let process = Process::start(&Program {
            name: "gclb emulator".into(),
            path: program.to_owned(),
            arguments: all.into_iter().map(Into::into).collect(),
            environment: Vec::new(),
            log: folder.join("emulator.log"),
        })?;
        let mut emulator = Self { process, url: format!("http://{listen}"), client: reqwest::Client::new() };
        emulator.wait_until_ready(listen).await?;
        Ok(emulator)
    }

    async fn wait_until_ready(&mut self, listen: SocketAddr) -> Result<(), EmulatorError> {
        let waited = within(START_LIMIT, || async move {
            tokio::net::TcpStream::connect(listen).await.map(|_| ()).map_err(|error| error.to_string())
        });
        let ended = async {
            loop {
                tokio::time::sleep(Duration::from_millis(50)).await;
                if let Ok(Some(status)) = self.process.ended() {
                    return format!("it ended with {status}");
                }
            }
        };
        let last = tokio::select! {
            waited = waited => match waited {
                Ok(()) => return Ok(()),
                Err(last) => last,
            },
            last = ended => last,
        };
        Err(EmulatorError::NotReady { url: self.url.clone(), last, tail: process::tail(self.process.log()) })
    }

    /// Where it is, without a path: what `--cloud-endpoint` takes.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What gcloud's `api_endpoint_overrides/compute` takes.
    #[must_use]
    pub fn compute_endpoint(&self) -> String {
        format!("{}/compute/v1/", self.url)
    }

    /// Makes the instances that these nodes are, with their addresses and alias ranges.
    pub async fn register(&self, nodes: &[Node]) -> Result<(), EmulatorError> {
        for node in nodes {
            let instance = json!({
                "project": node.project,
                "zone": node.zone,
                "name": node.name,
                "address": node.address,
                "aliasRanges": [node.pod_range.cidr()],
                "tags": [node.name],
            });
            self.ask(reqwest::Method::POST, "/_emulator/instances", Some(&instance)).await?;
        }
        Ok(())
    }

    /// Sends a request to the API or to the admin path, and returns the body of its answer.
    pub async fn ask(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, EmulatorError> {
        let url = format!("{}{path}", self.url);
        let failed = |source| EmulatorError::Request { method: method.clone(), url: url.clone(), source };
        let mut request = self.client.request(method.clone(), &url);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.map_err(failed)?;
        let status = answer.status();
        let body = answer.text().await.map_err(failed)?;
        if !status.is_success() {
            return Err(EmulatorError::Refused { method, url, status, body });
        }
        Ok(serde_json::from_str(&body).unwrap_or(Value::String(body)))
    }

    /// Everything the cloud holds, by path, without what the cloud makes up anew each time (ids, times, fingerprints,
    /// the address that was free) and who refers to it: so two runs that do the same hold the same. Nor the claim on the cluster's id,
    /// which is no part of any load balancer and stays when the last one has gone.
    pub async fn holdings(&self) -> Result<BTreeMap<String, Value>, EmulatorError> {
        let mut state = self.state().await?;
        let resources = match state.get_mut("resources").map(Value::take) {
            Some(Value::Object(resources)) => resources,
            _ => serde_json::Map::new(),
        };
        let mut holdings = BTreeMap::new();
        for (path, mut resource) in resources {
            if is_claim(&resource) {
                continue;
            }
            if let Value::Object(fields) = &mut resource {
                for field in NOT_COMPARED {
                    fields.remove(*field);
                }
            }
            holdings.insert(path, resource);
        }
        Ok(holdings)
    }

    /// The path of the claim on the cluster's id, once there is one.
    pub async fn claim(&self) -> Result<Option<String>, EmulatorError> {
        let state = self.state().await?;
        let resources = state["resources"].as_object();
        Ok(resources.into_iter().flatten().find(|(_, body)| is_claim(body)).map(|(path, _)| path.clone()))
    }

    /// Everything there is to say about the cloud, as its admin path shows it.
    pub async fn state(&self) -> Result<Value, EmulatorError> {
        self.ask(reqwest::Method::GET, "/_emulator/state", None).await
    }

    /// How long operations that begin from now on take.
    pub async fn set_latency(&self, latency: Duration) -> Result<(), EmulatorError> {
        let milliseconds = json!({ "default": latency.as_millis() });
        self.ask(reqwest::Method::PUT, "/_emulator/latency", Some(&milliseconds)).await.map(|_| ())
    }

    /// The process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}

/// Whether a resource is the claim of a cluster on its id.
fn is_claim(resource: &Value) -> bool {
    resource["description"].as_str().is_some_and(|text| text.starts_with("gclb.dev/claimed-by: "))
}
