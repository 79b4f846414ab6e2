//! The cloud and the controllers that run against it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use emulator::{Config, Emulator, Instance, Latency, Running};
use gclb::apply::Pace;
use gclb::cloud::Ownership;
use gclb::cloud::gce::Gce;
use gclb::controller::{self, Options, Progress};
use gclb::metrics::Metrics;
use gclb::model::{ClusterId, Kind};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::memory::{Memory, NODES, object};

pub(crate) const PROJECT: &str = "test-project";
pub(crate) const ZONE: &str = "us-central1-a";
const DEADLINE: Duration = Duration::from_mins(1);

/// The cloud, and what stays of a cluster when its controller is gone.
pub(crate) struct World {
    pub(crate) cloud: Running,
    pub(crate) memory: Arc<Memory>,
    pub(crate) cluster: ClusterId,
    pub(crate) empty: BTreeMap<String, Value>,
}

/// A controller that runs.
pub(crate) struct Controller {
    pub(crate) task: JoinHandle<()>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) progress: mpsc::UnboundedReceiver<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Planned(usize),
    Ended(Kind, String),
    Settled(bool),
    Released,
    /// An object was told an address.
    Addressed,
    Troubled(String),
}

impl World {
    pub(crate) async fn new() -> Self {
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
                // Where its pods are.
                alias_ranges: vec![ipnet::Ipv4Net::new_assert(
                    [10, 1, u8::try_from(at).unwrap(), 0].into(),
                    24,
                )],
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
    pub(crate) fn state(&self) -> BTreeMap<String, Value> {
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

    /// A client by which somebody else does things in the same project.
    pub(crate) fn somebody(&self) -> gce::Client {
        gce::Client::builder(PROJECT).endpoint(self.cloud.endpoint()).build().unwrap()
    }

    pub(crate) fn start(&self) -> Controller {
        self.start_with(Options::default())
    }

    pub(crate) fn start_with(&self, options: Options) -> Controller {
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
                Progress::Reported(_, report) if report.address.is_some() => Step::Addressed,
                Progress::Reported(..) => return,
            };
            // The test may be over already.
            let _ = sender.send(step);
        };
        let shutdown = CancellationToken::new();
        let pace = Pace { first_pause: Duration::from_millis(10), ..Pace::default() };
        let options = Options { pace, metrics, ..options };
        let running =
            controller::run(Arc::clone(&self.memory), Arc::new(cloud), options, observer, shutdown.clone());
        Controller { task: tokio::spawn(running), shutdown, progress }
    }

    /// Runs a controller until there is nothing to do and every Ingress has what it asks for, and stops it.
    pub(crate) async fn settle(&self) -> Vec<Step> {
        let mut controller = self.start();
        let steps = controller.settled(|| self.is_served_or_gone()).await;
        controller.stop().await;
        steps
    }

    /// Whether the one Ingress has its address, or is gone with all that was made for it.
    pub(crate) fn is_served_or_gone(&self) -> bool {
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

    pub(crate) fn requests(&self) -> Vec<(String, String)> {
        let requests = self.cloud.requests();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        requests.as_array().unwrap().iter().map(|r| (text(&r["method"]), text(&r["path"]))).collect()
    }
}

impl Controller {
    /// Waits until nothing is left to do and it is as it should be. Yields everything that happened until then.
    pub(crate) async fn settled(&mut self, as_it_should_be: impl Fn() -> bool) -> Vec<Step> {
        let mut steps = Vec::new();
        while !(steps.last() == Some(&Step::Settled(false)) && as_it_should_be()) {
            let step = self.step(&steps).await;
            steps.push(step);
        }
        steps
    }

    /// Waits until a turn is over, with or without failures, and it is as it should be.
    pub(crate) async fn until(&mut self, as_it_should_be: impl Fn() -> bool) {
        let mut steps = Vec::new();
        while !(matches!(steps.last(), Some(Step::Settled(_))) && as_it_should_be()) {
            let step = self.step(&steps).await;
            steps.push(step);
        }
    }

    pub(crate) async fn step(&mut self, before: &[Step]) -> Step {
        match tokio::time::timeout(DEADLINE, self.progress.recv()).await {
            Ok(Some(step)) => step,
            Ok(None) => panic!("the controller ended after {before:#?}"),
            Err(elapsed) => panic!("nothing more happened within {elapsed} after {before:#?}"),
        }
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        tokio::time::timeout(DEADLINE, self.task).await.expect("it stops in time").unwrap();
    }

    /// As SIGKILL would: nothing of ours runs any more, and the cloud goes on with what it has begun.
    pub(crate) async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}
