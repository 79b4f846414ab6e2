//! One recorded story against a fresh emulator.

mod names;
mod normal;

use emulator::{Config, Emulator};
use names::Names;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

/// Collections that the emulator has and that the notes say count.
const COMPARED: &[&str] = &[
    "addresses",
    "backendBuckets",
    "backendServices",
    "firewalls",
    "forwardingRules",
    "healthChecks",
    "httpHealthChecks",
    "instanceGroups",
    "networkEndpointGroups",
    "securityPolicies",
    "sslCertificates",
    "sslPolicies",
    "targetHttpProxies",
    "targetHttpsProxies",
    "urlMaps",
];

/// Collections that only need to exist so that a story goes through.
const PLAIN: &[&str] =
    &["images", "instanceTemplates", "instances", "networks", "subnetworks", "zones", "regions"];

/// How long an operation may take to be DONE.
const DEADLINE: Duration = Duration::from_secs(20);

#[derive(Debug, serde::Deserialize)]
struct Exchange {
    method: String,
    path: String,
    request: Option<Value>,
    status: u16,
    response: Option<Value>,
}

pub(crate) struct Story(Vec<Exchange>);

#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) exchanges: usize,
    pub(crate) compared: usize,
    pub(crate) corrected: usize,
    pub(crate) differences: Vec<String>,
}

impl Exchange {
    /// The path from the scope on, without a query.
    fn parts(&self) -> Vec<&str> {
        let path = self.path.split(['?', '&']).next().unwrap();
        let rest = path.strip_prefix("/compute/").unwrap().split_once("/projects/").unwrap().1;
        let parts: Vec<&str> = rest.split('/').skip(1).collect();
        match parts.as_slice() {
            ["global", rest @ ..] | ["regions" | "zones", _, rest @ ..] if !rest.is_empty() => rest.to_vec(),
            _ => parts,
        }
    }

    fn collection(&self) -> &str {
        self.parts()[0]
    }

    fn is_operation(&self) -> bool {
        self.collection() == "operations"
    }

    fn is_mutation(&self) -> bool {
        self.response.as_ref().is_some_and(|body| body["kind"] == "compute#operation") && !self.is_operation()
    }

    fn is_insert(&self) -> bool {
        self.method == "POST" && self.parts().len() == 1
    }
}

impl Story {
    pub(crate) fn read(file: &Path) -> Self {
        Self(serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap())
    }

    /// A collection of the story that the emulator does not have.
    pub(crate) fn unknown_collection(&self) -> Option<&str> {
        self.0.iter().map(Exchange::collection).find(|collection| {
            *collection != "operations" && !COMPARED.contains(collection) && !PLAIN.contains(collection)
        })
    }

    pub(crate) async fn replay(&self) -> Outcome {
        // Another test of this process may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let running = Emulator::start(Config::default()).await.unwrap();
        let mut player = Player {
            client: reqwest::Client::new(),
            host: format!("http://{}", running.address()),
            names: Names::new(),
            fingerprints: HashMap::new(),
            last_put: HashMap::new(),
            corrected: HashMap::new(),
            about_compared: false,
        };
        let mut outcome = Outcome::default();
        for (index, exchange) in self.0.iter().enumerate() {
            outcome.exchanges += 1;
            if let Err(difference) = player.play(exchange, &mut outcome).await {
                let Exchange { method, path, .. } = exchange;
                outcome.differences.push(format!("exchange {index}, {method} {path}\n{difference}"));
            }
        }
        running.shutdown().await;
        outcome
    }
}

struct Player {
    client: reqwest::Client,
    host: String,
    names: Names,
    /// The fingerprints of a resource, by its path: what a real client would send back.
    fingerprints: HashMap<String, Map<String, Value>>,
    /// What a resource looked like in the recording, and what it was then changed with: for [`normal::undo_append`].
    last_put: HashMap<String, (Option<Value>, Value)>,
    /// Recorded bodies that were corrected, by path: what follows is corrected alike.
    corrected: HashMap<String, (Value, Value)>,
    /// Whether the operation that comes next is of a compared collection.
    about_compared: bool,
}

impl Player {
    async fn play(&mut self, exchange: &Exchange, outcome: &mut Outcome) -> Result<(), String> {
        let path = self.names.path(exchange);
        let request = exchange.request.as_ref().map(|request| {
            let mut request = self.names.request(exchange, request);
            self.put_fingerprints(&path, &mut request);
            request
        });
        let done = exchange.is_operation()
            && exchange.response.as_ref().is_some_and(|body| body["status"] == "DONE");
        let (status, answer) = self.send(&exchange.method, &path, request.as_ref(), done).await;
        self.names.answered(exchange, &answer);
        self.keep_fingerprints(&path, &answer);
        if exchange.is_mutation() && status == 200 {
            // The next step of a story begins when this one is done.
            let operation = answer["selfLink"].as_str().unwrap();
            let operation = operation.split_once("/compute/").unwrap().1;
            self.send("GET", &format!("/compute/{operation}"), None, true).await;
        }
        if !exchange.is_operation() {
            self.about_compared = COMPARED.contains(&exchange.collection());
        }
        if !self.about_compared {
            return if status == exchange.status || exchange.collection() == "instanceTemplates" {
                Ok(())
            } else {
                Err(format!("  recorded status {}, answered {status}: {answer}", exchange.status))
            };
        }
        outcome.compared += 1;
        if status != exchange.status {
            return Err(format!("  recorded status {}, answered {status}: {answer}", exchange.status));
        }
        let recorded = exchange.response.clone().unwrap_or_default();
        let (recorded, corrected) = self.correct(exchange, &path, recorded);
        outcome.corrected += usize::from(corrected);
        let expected = normal::normal(&recorded, &Names::new());
        let found = normal::normal(&answer, &self.names);
        normal::compare(&expected, &found)
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        request: Option<&Value>,
        until_done: bool,
    ) -> (u16, Value) {
        let method: reqwest::Method = method.parse().unwrap();
        let url = format!("{}{path}", self.host);
        let send = async {
            loop {
                let mut call = self.client.request(method.clone(), &url);
                if let Some(request) = request {
                    call = call.json(request);
                }
                let answer = call.send().await.unwrap();
                let status = answer.status().as_u16();
                let text = answer.text().await.unwrap();
                let body: Value =
                    if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() };
                if !until_done || status != 200 || body["status"] == "DONE" {
                    return (status, body);
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(DEADLINE, send).await.unwrap_or_else(|_| panic!("{url} was never DONE"))
    }

    /// Undoes what the recorder's stand-in did to lists in a PUT or PATCH.
    fn correct(&mut self, exchange: &Exchange, path: &str, recorded: Value) -> (Value, bool) {
        if matches!(exchange.method.as_str(), "PUT" | "PATCH") {
            let before = self.last_put.remove(path).and_then(|(before, _)| before);
            self.last_put.insert(path.to_owned(), (before, exchange.request.clone().unwrap_or_default()));
            return (recorded, false);
        }
        if exchange.method != "GET" || exchange.status != 200 {
            return (recorded, false);
        }
        if let Some((raw, corrected)) = self.corrected.get(path)
            && *raw == recorded
        {
            return (corrected.clone(), true);
        }
        let corrected = match self.last_put.get(path) {
            Some((Some(before), request)) if !request.is_null() => {
                normal::undo_append(before, request, &recorded)
            }
            _ => None,
        };
        self.last_put.insert(path.to_owned(), (Some(recorded.clone()), Value::Null));
        match corrected {
            Some(corrected) => {
                self.corrected.insert(path.to_owned(), (recorded, corrected.clone()));
                (corrected, true)
            }
            None => (recorded, false),
        }
    }

    fn keep_fingerprints(&mut self, path: &str, answer: &Value) {
        let Value::Object(body) = answer else { return };
        let kept: Map<String, Value> = ["fingerprint", "labelFingerprint"]
            .into_iter()
            .filter_map(|field| Some((field.to_owned(), body.get(field)?.clone())))
            .collect();
        if !kept.is_empty() {
            self.fingerprints.insert(path.to_owned(), kept);
        }
    }

    fn put_fingerprints(&self, path: &str, request: &mut Value) {
        let resource = path.strip_suffix("/setLabels").unwrap_or(path);
        for (field, value) in self.fingerprints.get(resource).into_iter().flatten() {
            if let Some(sent) = request.get_mut(field) {
                *sent = value.clone();
            }
        }
    }
}
