//! The loop against the emulator, in one process: what is made, changed and taken away again, that a restart writes nothing, and that
//! a crash after any change heals.
//!
//! The source is a snapshot in memory that keeps finalizers as an API server would. Nothing here looks at the data plane.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use emulator::{Config, Emulator, Instance, Latency, Running};
use gclb::apply::Pace;
use gclb::cloud::Ownership;
use gclb::cloud::gce::Gce;
use gclb::controller::source::{KeyPair, NotReady, Source, SourceError};
use gclb::controller::{self, Options, Progress};
use gclb::ingress::FINALIZER;
use gclb::metrics::Metrics;
use gclb::model::{CertificateFingerprint, CertificatesHeld, ClusterId, Kind, LoadBalancerKey, ObjectKey};
use gclb::snapshot::{Cluster, Service, Snapshot, certificate};
use gclb::status::{Event, Report};
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const PROJECT: &str = "test-project";
const ZONE: &str = "us-central1-a";
const DEADLINE: Duration = Duration::from_secs(60);

/// A snapshot in memory.
struct Memory {
    snapshot: Mutex<Snapshot>,
    secrets: BTreeMap<ObjectKey, (String, String)>,
    changed: Notify,
    published: Mutex<Published>,
}

#[derive(Default)]
struct Published {
    reports: BTreeMap<LoadBalancerKey, Report>,
    events: Vec<Event>,
}

impl Memory {
    fn new(cluster: &ClusterId) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let pem = rcgen::CertificateParams::new(vec!["echoheaders".to_owned()])
            .unwrap()
            .self_signed(&key)
            .unwrap()
            .pem();
        let key = key.serialize_pem();
        let facts = certificate::read(Some(pem.as_bytes()), Some(key.as_bytes()));
        let class = json!({"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass",
            "metadata": {"name": "gclb"}, "spec": {"controller": "gclb.dev/ingress"}});
        let snapshot = Snapshot {
            cluster: Cluster {
                id: cluster.clone(),
                network: "default".to_owned(),
                subnetwork: "default".to_owned(),
                node_tags: BTreeSet::new(),
                claim_classless: false,
            },
            taken_at: jiff::Timestamp::now(),
            classes: BTreeMap::from([("gclb".to_owned(), Arc::new(serde_json::from_value(class).unwrap()))]),
            ingresses: BTreeMap::new(),
            services: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            nodes: BTreeMap::new(),
            secrets: BTreeMap::from([(object("tls"), facts)]),
            certificates_held: CertificatesHeld::default(),
        };
        let memory = Self {
            snapshot: Mutex::new(snapshot),
            secrets: BTreeMap::from([(object("tls"), (pem, key))]),
            changed: Notify::new(),
            published: Mutex::default(),
        };
        for node in NODES {
            memory.put_node(node);
        }
        memory.put_service("web", 30_080);
        memory
    }

    fn edit(&self, edit: impl FnOnce(&mut Snapshot)) {
        edit(&mut self.snapshot.lock().unwrap());
        self.changed.notify_one();
    }

    fn put_node(&self, name: &str) {
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name},
            "spec": {"providerID": format!("gce://{PROJECT}/{ZONE}/{name}")},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]}});
        let node: k8s_openapi::api::core::v1::Node = serde_json::from_value(node).unwrap();
        self.edit(|snapshot| {
            snapshot.nodes.insert(name.to_owned(), (&node).try_into().unwrap());
        });
    }

    fn put_service(&self, name: &str, node_port: u16) {
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
            "spec": {"type": "NodePort", "ports": [{"port": 8080, "nodePort": node_port}]}});
        let service: k8s_openapi::api::core::v1::Service = serde_json::from_value(service).unwrap();
        self.edit(|snapshot| {
            snapshot.services.insert(object(name), Service::from(&service));
        });
    }

    fn put_ingress(&self, name: &str, spec: &Value) {
        let mut spec = spec.clone();
        spec["ingressClassName"] = json!("gclb");
        self.edit(|snapshot| {
            let before = snapshot.ingresses.get(&object(name));
            let finalizers = before.and_then(|before| before.metadata.finalizers.clone());
            let ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
                "metadata": {"name": name, "namespace": "default", "finalizers": finalizers}, "spec": spec});
            snapshot.ingresses.insert(object(name), Arc::new(serde_json::from_value(ingress).unwrap()));
        });
    }

    /// As `kubectl delete` does: the object stays while it has finalizers.
    fn delete_ingress(&self, name: &str) {
        self.edit(|snapshot| {
            let Some(ingress) = snapshot.ingresses.get(&object(name)) else { return };
            if ingress.metadata.finalizers.as_deref().unwrap_or_default().is_empty() {
                snapshot.ingresses.remove(&object(name));
                return;
            }
            let mut ingress = (**ingress).clone();
            ingress.metadata.deletion_timestamp =
                Some(serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap());
            snapshot.ingresses.insert(object(name), Arc::new(ingress));
        });
    }

    fn is_there(&self, name: &str) -> bool {
        self.snapshot.lock().unwrap().ingresses.contains_key(&object(name))
    }

    fn address(&self, name: &str) -> Option<std::net::IpAddr> {
        self.published.lock().unwrap().reports.get(&LoadBalancerKey::ingress(object(name)))?.address
    }
}

impl Source for Memory {
    async fn changed(&self) {
        self.changed.notified().await;
    }

    fn snapshot(&self, certificates_held: CertificatesHeld) -> Result<Snapshot, NotReady> {
        Ok(Snapshot { certificates_held, ..self.snapshot.lock().unwrap().clone() })
    }

    async fn claim(&self, key: &LoadBalancerKey) -> Result<(), SourceError> {
        let has_it = {
            let snapshot = self.snapshot.lock().unwrap();
            let Some(ingress) = snapshot.ingresses.get(&key.object) else {
                return Err(SourceError::Changed { doing: "claim", object: key.to_string() });
            };
            ingress.metadata.finalizers.iter().flatten().any(|finalizer| finalizer == FINALIZER)
        };
        if !has_it {
            self.edit(|snapshot| {
                let mut ingress = (*snapshot.ingresses[&key.object]).clone();
                ingress.metadata.finalizers.get_or_insert_default().push(FINALIZER.to_owned());
                snapshot.ingresses.insert(key.object.clone(), Arc::new(ingress));
            });
        }
        Ok(())
    }

    async fn release(&self, key: &LoadBalancerKey) -> Result<(), SourceError> {
        self.published.lock().unwrap().reports.remove(key);
        self.edit(|snapshot| {
            snapshot.ingresses.remove(&key.object);
        });
        Ok(())
    }

    async fn publish(
        &self,
        key: &LoadBalancerKey,
        report: &Report,
        news: &[Event],
    ) -> Result<(), SourceError> {
        let mut published = self.published.lock().unwrap();
        published.reports.insert(key.clone(), report.clone());
        published.events.extend_from_slice(news);
        Ok(())
    }

    async fn key_pair(
        &self,
        secret: &ObjectKey,
        fingerprint: &CertificateFingerprint,
    ) -> Result<KeyPair, SourceError> {
        let changed = || SourceError::Changed { doing: "read the key of", object: secret.to_string() };
        let (crt, key) = self.secrets.get(secret).ok_or_else(changed)?;
        KeyPair::of(Some(crt.as_bytes()), Some(key.as_bytes()), fingerprint).unwrap().ok_or_else(changed)
    }
}

fn object(name: &str) -> ObjectKey {
    ObjectKey::new("default", name)
}

const NODES: [&str; 2] = ["node-1", "node-2"];

/// The cloud, and what stays of a cluster when its controller is gone.
struct World {
    cloud: Running,
    memory: Arc<Memory>,
    cluster: ClusterId,
    empty: BTreeMap<String, Value>,
}

/// A controller that runs.
struct Controller {
    task: JoinHandle<()>,
    shutdown: CancellationToken,
    progress: mpsc::UnboundedReceiver<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Planned(usize),
    Ended(Kind, String),
    Settled(bool),
    Released,
    Troubled(String),
}

impl World {
    async fn new() -> Self {
        let mut config = Config {
            latency: Latency::of(Duration::from_millis(5)),
            request_log: 100_000,
            ..Config::default()
        };
        let cloud = match Emulator::start(config.clone()).await {
            Ok(cloud) => cloud,
            Err(emulator::StartError::LoadBalancerPort { .. }) => {
                // Nothing here talks to a load balancer, so other ports than 80 and 443 will do.
                config.port_offset = 20_000;
                Emulator::start(config).await.unwrap()
            }
            Err(error) => panic!("{error}"),
        };
        for (at, name) in NODES.into_iter().enumerate() {
            let instance = Instance {
                project: PROJECT.to_owned(),
                zone: ZONE.to_owned(),
                name: name.to_owned(),
                address: [10, 0, 0, 11 + u8::try_from(at).unwrap()].into(),
                alias_ranges: Vec::new(),
                tags: Vec::new(),
                network: "default".to_owned(),
            };
            cloud.register_instance(&instance).await.unwrap();
        }
        let cluster = ClusterId::new("0a1b2c3d").unwrap();
        let memory = Arc::new(Memory::new(&cluster));
        let mut world = Self { cloud, memory, cluster, empty: BTreeMap::new() };
        world.empty = world.state();
        world
    }

    /// What the cloud holds, without what differs from one creation to the next.
    fn state(&self) -> BTreeMap<String, Value> {
        let state = self.cloud.state();
        let resources = state["resources"].as_object().unwrap();
        let steady = resources.iter().map(|(path, body)| {
            let mut body = body.clone();
            for volatile in ["id", "creationTimestamp", "fingerprint", "labelFingerprint", "selfLinkWithId"] {
                body.as_object_mut().unwrap().shift_remove(volatile);
            }
            (path.clone(), body)
        });
        steady.collect()
    }

    fn start(&self) -> Controller {
        let metrics = Arc::new(Metrics::default());
        let mut retry = gce::RetryPolicy::default();
        retry.not_ready.times = 0;
        let client =
            gce::Client::builder(PROJECT).endpoint(self.cloud.endpoint()).retry(retry).build().unwrap();
        let cloud = Gce::new(client, Ownership::new(self.cluster.clone()), Arc::clone(&metrics));
        let (sender, progress) = mpsc::unbounded_channel();
        let observer = move |progress: Progress<'_>| {
            let step = match progress {
                Progress::Planned(plan) => Step::Planned(plan.graph.node_count()),
                Progress::Ended(ended) => Step::Ended(ended.id.kind, format!("{:?}", ended.result)),
                Progress::Settled(retry) => Step::Settled(retry.is_some()),
                Progress::Released(_) => Step::Released,
                Progress::Troubled(text) => Step::Troubled(text.to_owned()),
                Progress::Reported(..) => return,
            };
            // The test may be over already.
            let _ = sender.send(step);
        };
        let shutdown = CancellationToken::new();
        let pace = Pace { first_pause: Duration::from_millis(10), ..Pace::default() };
        let options = Options { pace, metrics, ..Options::default() };
        let running =
            controller::run(Arc::clone(&self.memory), Arc::new(cloud), options, observer, shutdown.clone());
        Controller { task: tokio::spawn(running), shutdown, progress }
    }

    /// Runs a controller until there is nothing to do and every Ingress has what it asks for, and stops it.
    async fn settle(&self) -> Vec<Step> {
        let mut controller = self.start();
        let steps = controller.settled(|| self.is_served_or_gone()).await;
        controller.stop().await;
        steps
    }

    /// Whether the one Ingress has its address, or is gone with all that was made for it.
    fn is_served_or_gone(&self) -> bool {
        if self.memory.is_there("test") {
            let deleting = self.memory.snapshot.lock().unwrap().ingresses[&object("test")]
                .metadata
                .deletion_timestamp
                .is_some();
            !deleting && self.memory.address("test").is_some()
        } else {
            self.state() == self.empty
        }
    }

    fn requests(&self) -> Vec<(String, String)> {
        let requests = self.cloud.requests();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        requests.as_array().unwrap().iter().map(|r| (text(&r["method"]), text(&r["path"]))).collect()
    }
}

impl Controller {
    /// Waits until nothing is left to do and it is as it should be. Yields everything that happened until then.
    async fn settled(&mut self, as_it_should_be: impl Fn() -> bool) -> Vec<Step> {
        let mut steps = Vec::new();
        while !(steps.last() == Some(&Step::Settled(false)) && as_it_should_be()) {
            let step = self.step(&steps).await;
            steps.push(step);
        }
        steps
    }

    async fn step(&mut self, before: &[Step]) -> Step {
        match tokio::time::timeout(DEADLINE, self.progress.recv()).await {
            Ok(Some(step)) => step,
            Ok(None) => panic!("the controller ended after {before:#?}"),
            Err(_) => panic!("nothing more happened after {before:#?}"),
        }
    }

    async fn stop(self) {
        self.shutdown.cancel();
        tokio::time::timeout(DEADLINE, self.task).await.expect("it stops in time").unwrap();
    }

    /// As SIGKILL would: nothing of ours runs any more, and the cloud goes on with what it has begun.
    async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

fn walkthrough() -> Value {
    json!({
        "tls": [{"secretName": "tls"}],
        "defaultBackend": {"service": {"name": "web", "port": {"number": 8080}}},
    })
}

fn writes(requests: &[(String, String)]) -> Vec<&(String, String)> {
    // These POSTs only ask.
    let asks = ["/listInstances", "/listNetworkEndpoints", "/getHealth", "/wait"];
    let is_write = |(method, path): &&(String, String)| {
        let path = path.split('?').next().unwrap_or_default();
        method != "GET" && !asks.iter().any(|ask| path.ends_with(ask))
    };
    requests.iter().filter(is_write).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_walkthrough_is_made_kept_changed_and_taken_away() {
    let world = World::new().await;
    world.memory.put_ingress("test", &walkthrough());
    let mut controller = world.start();
    let steps = controller.settled(|| world.is_served_or_gone()).await;
    assert!(steps.iter().all(|step| !matches!(step, Step::Troubled(_))), "{steps:#?}");
    for kind in [
        Kind::Firewall,
        Kind::InstanceGroup,
        Kind::HealthCheck,
        Kind::BackendService,
        Kind::UrlMap,
        Kind::SslCertificate,
        Kind::TargetHttpProxy,
        Kind::TargetHttpsProxy,
        Kind::Address,
        Kind::ForwardingRule,
    ] {
        assert!(steps.contains(&Step::Ended(kind, "Done".to_owned())), "{kind} was not made: {steps:#?}");
    }
    let address = world.memory.address("test").expect("an address was published");
    let made = world.state();
    let listens = made.values().filter(|body| body["IPAddress"] == json!(address.to_string())).count();
    assert_eq!(listens, 2, "a forwarding rule for each port");
    {
        let published = world.memory.published.lock().unwrap();
        for noun in ["address", "forwarding rule", "url map", "certificate"] {
            let told = published.events.iter().any(|event| event.message.to_lowercase().contains(noun));
            assert!(told, "no Event tells of the {noun}: {:#?}", published.events);
        }
    }
    controller.stop().await;

    let before = world.requests().len();
    let steps = world.settle().await;
    assert_eq!(steps.iter().filter(|step| matches!(step, Step::Ended(..))).count(), 0, "{steps:#?}");
    let requests = world.requests().split_off(before);
    assert_eq!(writes(&requests), Vec::<&(String, String)>::new());
    let asked: Vec<_> = requests.iter().filter(|(_, path)| !path.contains("getHealth")).collect();
    assert!(asked.len() <= Kind::ALL.len() + 1, "a restart asked {} times: {asked:#?}", asked.len());

    let mut controller = world.start();
    controller.settled(|| true).await;
    world.memory.put_service("api", 30_081);
    let mut spec = walkthrough();
    spec["rules"] = json!([{"host": "a.example.com", "http": {"paths": [{"path": "/api", "pathType": "Prefix",
        "backend": {"service": {"name": "api", "port": {"number": 8080}}}}]}}]);
    world.memory.put_ingress("test", &spec);
    // A backend service and a health check more, and the url map names the service.
    let routed = |state: &BTreeMap<String, Value>| {
        state.len() == made.len() + 2
            && state.iter().any(|(path, body)| path.contains("urlMaps") && body["hostRules"].is_array())
    };
    controller.settled(|| routed(&world.state())).await;
    assert_eq!(world.memory.address("test"), Some(address));

    world.memory.put_ingress("test", &walkthrough());
    controller.settled(|| world.state() == made).await;

    world.memory.delete_ingress("test");
    controller.settled(|| !world.memory.is_there("test")).await;
    assert_eq!(world.state(), world.empty);
    controller.stop().await;
    world.cloud.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_after_any_change_heals() {
    let world = World::new().await;
    let nothing = world.empty.clone();
    world.memory.put_ingress("test", &walkthrough());
    world.settle().await;
    let everything = without_addresses(&world.state());
    world.memory.delete_ingress("test");
    let changes = world.settle().await.iter().filter(|step| matches!(step, Step::Ended(..))).count();
    assert_eq!(world.state(), nothing);
    assert!(changes >= 10, "only {changes} changes took it away");

    for after in 0.. {
        world.memory.put_ingress("test", &walkthrough());
        if !killed_after(&world, after).await {
            break;
        }
        world.settle().await;
        assert_eq!(
            without_addresses(&world.state()),
            everything,
            "killed after {after} changes of the making"
        );
        world.memory.delete_ingress("test");
        world.settle().await;
        assert_eq!(world.state(), nothing, "left behind after a crash after {after} changes of the making");
    }
    for after in 0.. {
        world.memory.put_ingress("test", &walkthrough());
        world.settle().await;
        world.memory.delete_ingress("test");
        if !killed_after(&world, after).await {
            break;
        }
        world.settle().await;
        assert_eq!(world.state(), nothing, "killed after {after} changes of the taking away");
        assert!(!world.memory.is_there("test"));
    }
    world.cloud.shutdown().await;
}

/// Starts a controller and kills it when so many changes have ended. False: there were not so many; then it was stopped in peace.
async fn killed_after(world: &World, changes: usize) -> bool {
    let mut controller = world.start();
    let mut steps = Vec::new();
    loop {
        let ended = steps.iter().filter(|step| matches!(step, Step::Ended(..))).count();
        if ended == changes && !steps.is_empty() {
            controller.kill().await;
            return true;
        }
        if steps.last() == Some(&Step::Settled(false)) && world.is_served_or_gone() {
            controller.stop().await;
            return false;
        }
        let step = controller.step(&steps).await;
        steps.push(step);
    }
}

/// Which address of the pool is taken, is the cloud's choice at each time.
fn without_addresses(state: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let mut state = state.clone();
    for body in state.values_mut().filter_map(Value::as_object_mut) {
        body.shift_remove("address");
        body.shift_remove("IPAddress");
    }
    state
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emptied_source_deletes_nothing() {
    let world = World::new().await;
    world.memory.put_ingress("test", &walkthrough());
    let mut controller = world.start();
    controller.settled(|| world.is_served_or_gone()).await;
    let made = world.state();
    world.memory.edit(|snapshot| {
        snapshot.ingresses.clear();
        snapshot.classes.clear();
        snapshot.services.clear();
        snapshot.nodes.clear();
    });
    // The turn that saw the emptied source, and another after it.
    let mut steps = controller.settled(|| true).await;
    world.memory.changed.notify_one();
    steps.extend(controller.settled(|| true).await);
    controller.stop().await;
    let mut anew = world.start();
    steps.extend(anew.settled(|| true).await);
    anew.stop().await;
    assert_eq!(steps.iter().filter(|step| matches!(step, Step::Ended(..))).count(), 0, "{steps:#?}");
    assert_eq!(world.state(), made);
    world.cloud.shutdown().await;
}
