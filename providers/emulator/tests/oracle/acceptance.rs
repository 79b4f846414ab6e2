//! Generated maps are maps that the API accepts, and the compiler has nothing to say against them.

use emulator::{Config, Emulator, Latency, Running};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use std::time::Duration;

use crate::generate;
use crate::request::Kind;
use crate::router;

/// How many maps of each kind are asked about.
const SAMPLE: usize = 40;

struct Api {
    running: Running,
    client: reqwest::Client,
}

impl Api {
    async fn start() -> Self {
        // Another test of this process may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = Config { latency: Latency::of(Duration::ZERO), ..Config::default() };
        Self { running: Emulator::start(config).await.unwrap(), client: reqwest::Client::new() }
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let url = format!("http://{}/compute/v1/{path}", self.running.address());
        let answer = self.client.post(url).json(body).send().await.unwrap();
        let status = answer.status();
        let answer: Value = answer.json().await.unwrap();
        assert!(status.is_success(), "{path}: {answer}\n{}", serde_json::to_string_pretty(body).unwrap());
        answer
    }

    /// Inserts and waits.
    async fn insert(&self, place: &str, collection: &str, body: &Value) {
        let operation = self.post(&format!("{place}/{collection}"), body).await;
        let name = operation["name"].as_str().unwrap();
        let ended = self.post(&format!("{place}/operations/{name}/wait"), &json!({})).await;
        assert_eq!((&ended["status"], ended.get("error")), (&json!("DONE"), None), "{ended}");
    }
}

#[tokio::test]
async fn the_api_accepts_what_is_generated() {
    for kind in Kind::ALL {
        let api = Api::start().await;
        let place = kind.place();
        api.insert(place, "healthChecks", &json!({ "name": "h", "type": "HTTP" })).await;
        for number in 0..generate::SERVICES {
            let service = json!({
                "name": format!("s{number}"), "protocol": "HTTP", "loadBalancingScheme": kind.scheme(),
                "healthChecks": [format!("{place}/healthChecks/h")],
            });
            api.insert(place, "backendServices", &service).await;
        }
        let mut runner = TestRunner::deterministic();
        let strategy = generate::map(kind);
        for number in 0..SAMPLE {
            let mut map = strategy.new_tree(&mut runner).unwrap().current();
            assert_eq!(said_against(&router::compiled(kind, &map).problems), [""; 0], "{map}");
            map["name"] = json!(format!("m{number}"));
            let mut request = json!({ "resource": map });
            if kind != Kind::RegionalManaged {
                request["loadBalancingSchemes"] = json!([kind.scheme()]);
            }
            let judged = api.post(&format!("{place}/urlMaps/m/validate"), &request).await;
            assert_eq!(judged, json!({ "result": { "loadSucceeded": true, "testPassed": true } }), "{map}");
            api.insert(place, "urlMaps", &map).await;
        }
        api.running.shutdown().await;
    }
}

/// Problems but that a default is missing, which the API accepts.
fn said_against(problems: &[String]) -> Vec<&str> {
    let others = problems.iter().filter(|problem| !problem.ends_with("has no destination"));
    others.map(String::as_str).collect()
}
