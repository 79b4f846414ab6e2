//! An emulator and somebody who calls it.

use emulator::{Config, Emulator, Instance, Latency, Running};
use serde_json::{Value, json};
use std::time::Duration;

/// How long anything may take before a test gives up.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) struct Cloud {
    pub(crate) running: Running,
    pub(crate) client: reqwest::Client,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or_default()
    }

    pub(crate) fn reason(&self) -> &str {
        self.body["error"]["errors"][0]["reason"].as_str().unwrap_or_default()
    }

    /// Asserts an error: its status, its reason, and a part of its message.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, reason: &str, message: &str) {
        assert_eq!((self.status, self.reason()), (status, reason), "{}", self.body);
        assert!(self.message().contains(message), "{}", self.message());
        assert_eq!(self.body["error"]["code"], status);
        assert_eq!(self.body["error"]["errors"][0]["message"], self.message(), "both messages are one text");
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body
    }
}

impl Cloud {
    pub(crate) async fn start() -> Self {
        Self::with(Config { latency: Latency::of(Duration::from_millis(1)), ..Config::default() }).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        // Another test of this process may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let running = Emulator::start(config).await.unwrap();
        Self { running, client: reqwest::Client::new() }
    }

    /// Calls a path: from the project on, or from the root if it begins with a slash.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let path =
            if path.starts_with('/') { path.to_owned() } else { format!("/compute/v1/projects/p/{path}") };
        let url = format!("http://{}{path}", self.running.address());
        let mut request = self.client.request(method.parse().unwrap(), url);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() };
        Answer { status, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call("POST", path, Some(&body)).await
    }

    /// Mutates and waits for the end; the operation as it ended, without an error.
    #[track_caller]
    pub(crate) fn done<'a>(
        &'a self,
        method: &'a str,
        path: &'a str,
        body: &'a Value,
    ) -> impl Future<Output = Value> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            let operation = self.ended(method, path, body).await;
            assert!(operation.get("error").is_none(), "{caller}: {method} {path}: {operation}");
            operation
        }
    }

    /// Mutates and waits for the end, good or bad.
    #[track_caller]
    pub(crate) fn ended<'a>(
        &'a self,
        method: &'a str,
        path: &'a str,
        body: &'a Value,
    ) -> impl Future<Output = Value> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            let answer = self.call(method, path, (!body.is_null()).then_some(body)).await;
            assert_eq!(answer.status, 200, "{caller}: {method} {path}: {}", answer.body);
            self.wait(&answer.body).await
        }
    }

    /// Waits for an operation.
    pub(crate) async fn wait(&self, operation: &Value) -> Value {
        let link = operation["selfLink"].as_str().unwrap();
        let path = format!("/compute/{}/wait", link.split_once("/compute/").unwrap().1);
        let ended =
            tokio::time::timeout(DEADLINE, self.call("POST", &path, None)).await.expect("the operation ends");
        assert_eq!(ended.body["status"], "DONE", "{}", ended.body);
        ended.body
    }

    pub(crate) async fn insert(&self, collection: &str, body: Value) {
        self.done("POST", collection, &body).await;
    }

    /// Waits until a resource is there and nothing holds it.
    pub(crate) async fn wait_for(&self, path: &str) {
        let there = async {
            while self.get(path).await.status != 200 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(DEADLINE, there).await.expect("the resource comes");
    }

    pub(crate) async fn delete(&self, path: &str) {
        self.done("DELETE", path, &Value::Null).await;
    }

    pub(crate) async fn health_check(&self, name: &str) {
        self.insert("global/healthChecks", json!({ "name": name, "type": "HTTP" })).await;
    }

    /// A backend service without backends, its health check, and a URL map for it, all of one name.
    pub(crate) async fn url_map(&self, name: &str) {
        self.health_check(name).await;
        let service = json!({
            "name": name,
            "protocol": "HTTP",
            "loadBalancingScheme": "EXTERNAL_MANAGED",
            "healthChecks": [format!("global/healthChecks/{name}")],
        });
        self.insert("global/backendServices", service).await;
        let map = json!({ "name": name, "defaultService": format!("global/backendServices/{name}") });
        self.insert("global/urlMaps", map).await;
    }

    pub(crate) async fn instance(&self, name: &str, address: [u8; 4]) {
        self.running
            .register_instance(&Instance {
                project: "p".to_owned(),
                zone: "us-central1-a".to_owned(),
                name: name.to_owned(),
                address: address.into(),
                alias_ranges: vec![format!("10.1.{}.0/24", address[3]).parse().unwrap()],
                tags: vec!["node".to_owned()],
                network: "default".to_owned(),
            })
            .await
            .unwrap();
    }
}

/// A certificate without alternative names, as the walkthrough's, and its key.
pub(crate) fn certificate(names: &[&str]) -> (String, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut parameters = rcgen::CertificateParams::new(names).unwrap();
    parameters.distinguished_name.push(rcgen::DnType::CommonName, "echoheaders");
    (parameters.self_signed(&key).unwrap().pem(), key.serialize_pem())
}
