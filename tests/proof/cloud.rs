//! The cloud: the emulator without sockets, with things of others in it that look much like ours.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use emulator::{Caller, Config, Emulator, Instance, Latency, Running, Sockets};
use http::{Method, Request};
use serde_json::{Value, json};

pub(crate) const PROJECT: &str = "proof";
pub(crate) const CLUSTER_ID: &str = "0a1b2c3d";
const OTHER_CLUSTER_ID: &str = "99999999";
/// The last one is a spare, for histories in which nodes come and go.
pub(crate) const NODES: [&str; 3] = ["node-1", "node-2", "node-3"];

/// What an operation takes.
pub(crate) const OPERATION: Duration = Duration::from_secs(2);

/// What the cloud holds, in a form that is the same whenever the same has been built: see [`Cloud::state`].
pub(crate) type State = BTreeMap<String, Value>;

pub(crate) struct Cloud {
    pub(crate) emulator: Running,
    /// What was there before us.
    pub(crate) foreign: BTreeMap<String, Value>,
    /// What people did to our resources.
    by_hand: Mutex<Vec<String>>,
}

/// A cloud at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Saved {
    snapshot: Value,
    foreign: BTreeMap<String, Value>,
}

pub(crate) fn zone_of(node: &str) -> &'static str {
    if node == NODES[1] { "us-central1-b" } else { "us-central1-a" }
}

impl Cloud {
    /// One that holds nothing of ours yet.
    pub(crate) async fn new() -> Self {
        let mut cloud =
            Self { emulator: Self::start().await, foreign: BTreeMap::new(), by_hand: Mutex::default() };
        for (at, name) in (0..).zip(NODES) {
            let instance = Instance {
                project: PROJECT.to_owned(),
                zone: zone_of(name).to_owned(),
                name: name.to_owned(),
                address: [10, 0, 0, 11 + at].into(),
                alias_ranges: vec![ipnet::Ipv4Net::new_assert([10, 1, at, 0].into(), 24)],
                tags: Vec::new(),
                network: "default".to_owned(),
            };
            cloud.emulator.register_instance(&instance).await.unwrap();
        }
        cloud.settle_others().await;
        cloud.foreign = cloud.raw();
        cloud.emulator.set_latency(Latency::of(OPERATION));
        cloud
    }

    /// One that is as another was when it was saved.
    pub(crate) async fn at(saved: &Saved) -> Self {
        let cloud =
            Self { emulator: Self::start().await, foreign: saved.foreign.clone(), by_hand: Mutex::default() };
        let (status, answer) = cloud.call(Method::PUT, "_emulator/snapshot", &saved.snapshot).await;
        assert_eq!(status, 200, "{answer}");
        cloud.emulator.set_latency(Latency::of(OPERATION));
        cloud
    }

    /// Everything there is, to be brought back later.
    pub(crate) async fn save(&self) -> Saved {
        let (status, snapshot) = self.call(Method::GET, "_emulator/snapshot", &Value::Null).await;
        assert_eq!(status, 200);
        Saved { snapshot, foreign: self.foreign.clone() }
    }

    async fn start() -> Running {
        let config = Config {
            sockets: Sockets::None,
            latency: Latency::of(Duration::ZERO),
            request_log: 20_000,
            ..Config::default()
        };
        Emulator::start(config).await.unwrap()
    }

    /// What others have in the project: names like ours without our mark, our mark under other names, another cluster's.
    async fn settle_others(&self) {
        let mark = |cluster: &str| json!({"gclb.dev/cluster": cluster}).to_string();
        let check = |name: &str, description: &str| json!({"name": name, "description": description, "type": "TCP", "tcpHealthCheck": {"port": 80}});
        let ours = format!("gclb1-{CLUSTER_ID}");
        let theirs = format!("gclb1-{OTHER_CLUSTER_ID}");
        for (collection, body) in [
            ("healthChecks", check(&format!("{ours}-default-web-by-hand"), "")),
            ("healthChecks", check("k8s-default-web", &mark(CLUSTER_ID))),
            ("healthChecks", check(&format!("{theirs}-default-web"), &mark(OTHER_CLUSTER_ID))),
            ("healthChecks", check(&format!("{ours}x-default-web"), &mark(CLUSTER_ID))),
            ("addresses", json!({"name": format!("{ours}-default-main"), "description": "mine"})),
            ("addresses", json!({"name": "default-main", "description": mark(CLUSTER_ID)})),
            (
                "backendServices",
                json!({"name": format!("{theirs}-default-web"), "description": mark(OTHER_CLUSTER_ID),
                    "loadBalancingScheme": "EXTERNAL_MANAGED",
                    "healthChecks": [format!("global/healthChecks/{theirs}-default-web")]}),
            ),
            (
                "urlMaps",
                json!({"name": format!("{theirs}-default-main"), "description": mark(OTHER_CLUSTER_ID),
                    "defaultService": format!("global/backendServices/{theirs}-default-web")}),
            ),
        ] {
            let path = format!("projects/{PROJECT}/global/{collection}");
            let (status, answer) = self.call(Method::POST, &format!("compute/v1/{path}"), &body).await;
            assert_eq!(status, 200, "{answer}");
            self.emulator.idle().await;
        }
    }

    /// Somebody makes so many health checks more, under names like ours.
    pub(crate) async fn settle_more_others(&self, number: usize) {
        self.emulator.set_latency(Latency::of(Duration::ZERO));
        for at in 0..number {
            let body = json!({"name": format!("gclb1-{CLUSTER_ID}-others-{at}"), "type": "TCP", "tcpHealthCheck": {"port": 80}});
            let path = format!("compute/v1/projects/{PROJECT}/global/healthChecks");
            let (status, answer) = self.call(Method::POST, &path, &body).await;
            assert_eq!(status, 200, "{answer}");
        }
        self.emulator.idle().await;
        self.emulator.set_latency(Latency::of(OPERATION));
    }

    /// Somebody changes a resource by hand, behind everybody's back.
    pub(crate) async fn edit_by_hand(&self, path: &str, edit: Value) {
        self.note(&format!("{path}: {edit}"));
        self.emulator.drift(path, edit).await.unwrap();
    }

    /// Somebody deletes one, whoever points at it.
    pub(crate) async fn delete_by_hand(&self, path: &str) {
        self.note(&format!("{path}: deleted"));
        self.emulator.drift_delete(path).await.unwrap();
    }

    fn note(&self, what: &str) {
        let at = jiff::Timestamp::now();
        self.by_hand.lock().unwrap().push(format!("by hand {at} {what}"));
    }

    /// A call as somebody else makes it.
    pub(crate) async fn call(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let request = Request::builder().method(method).uri(format!("http://cloud.invalid/{path}"));
        let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).unwrap() };
        let answer = self.emulator.caller().call(request.body(Bytes::from(body)).unwrap()).await.unwrap();
        let body = serde_json::from_slice(answer.body()).unwrap_or_default();
        (answer.status().as_u16(), body)
    }

    /// What was asked for about a resource, but for being read, for a person who looks for what went wrong.
    pub(crate) async fn story_of(&self, path: &str) -> Vec<String> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let (_, log) = self.call(Method::GET, &format!("_emulator/requests?path={name}"), &Value::Null).await;
        let mut requests: Vec<String> = log
            .as_array()
            .or_else(|| log["requests"].as_array())
            .into_iter()
            .flatten()
            .filter(|request| request["method"] != "GET")
            .map(|request| {
                let mut request = request.clone();
                if let Some(request) = request.as_object_mut() {
                    for long in ["body", "headers", "client", "requestHeaders"] {
                        request.remove(long);
                    }
                }
                request.to_string()
            })
            .collect();
        let mut story = requests.split_off(requests.len().saturating_sub(12));
        let by_hand = self.by_hand.lock().unwrap();
        story.extend(by_hand.iter().filter(|what| what.contains(path)).cloned());
        story
    }

    pub(crate) fn caller(&self) -> Caller {
        self.emulator.caller()
    }

    /// Every resource as it stands.
    pub(crate) fn raw(&self) -> BTreeMap<String, Value> {
        let Value::Object(mut state) = self.emulator.state() else { panic!("the state is an object") };
        let Some(Value::Object(resources)) = state.remove("resources") else { panic!("it has resources") };
        resources.into_iter().collect()
    }

    /// What is ours, without what differs from one creation to the next: numbers, moments, and which address of the pool was free.
    pub(crate) fn state(&self) -> State {
        let ours = |(path, _): &(String, Value)| !self.foreign.contains_key(path);
        let mut state: State = self.raw().into_iter().filter(ours).collect();
        let addresses: BTreeMap<String, String> = state
            .iter()
            .filter(|(path, _)| path.contains("/addresses/"))
            .filter_map(|(path, body)| Some((body["address"].as_str()?.to_owned(), path.clone())))
            .collect();
        for body in state.values_mut().filter_map(Value::as_object_mut) {
            for volatile in ["id", "creationTimestamp", "fingerprint", "labelFingerprint", "selfLinkWithId"] {
                body.remove(volatile);
            }
            // Nothing in it, or not there: the same.
            body.retain(|_, value| value.as_array().is_none_or(|items| !items.is_empty()));
            for field in ["address", "IPAddress"] {
                if let Some(value) = body.get_mut(field)
                    && let Some(path) = value.as_str().and_then(|address| addresses.get(address))
                {
                    *value = json!(format!("that of {path}"));
                }
            }
        }
        state
    }

    /// Whether what was there before us is as it was, to the last field.
    pub(crate) fn assert_others_untouched(&self) {
        let now = self.raw();
        for (path, body) in &self.foreign {
            // What is in the network grows with what others put there.
            if path.contains("/networks/") || path.contains("/subnetworks/") || path.contains("/instances/") {
                assert!(now.contains_key(path), "{path} is gone");
                continue;
            }
            assert_eq!(now.get(path), Some(body), "{path} is not ours to change");
        }
    }
}

/// What differs, in a few lines.
pub(crate) fn difference(wanted: &State, got: &State) -> Option<String> {
    let mut lines = Vec::new();
    for path in wanted.keys().filter(|path| !got.contains_key(*path)) {
        lines.push(format!("missing: {path}"));
    }
    for path in got.keys().filter(|path| !wanted.contains_key(*path)) {
        lines.push(format!("left over: {path}"));
    }
    for (path, body) in wanted {
        let Some(other) = got.get(path) else { continue };
        let (Value::Object(body), Value::Object(other)) = (body, other) else { continue };
        for key in body.keys().chain(other.keys().filter(|key| !body.contains_key(*key))) {
            if body.get(key) != other.get(key) {
                let show =
                    |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), ToString::to_string);
                lines.push(format!(
                    "{path}: {key} is {} and should be {}",
                    show(other.get(key)),
                    show(body.get(key))
                ));
            }
        }
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}
