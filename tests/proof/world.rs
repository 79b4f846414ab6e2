//! The cloud, the API server, and the processes that come and go between them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gce::{Reached, Sending, TransportError};
use gclb::apply::Permit;
use gclb::cloud::Ownership;
use gclb::cloud::gce::Gce;
use gclb::controller::{self, Options, Progress};
use gclb::model::ClusterId;
use http::Request;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::api::{self, Api, Objects, Process};
use crate::cloud::{CLUSTER_ID, Cloud, PROJECT, Saved, State, difference};
use crate::gate::{Death, Gate, is_write};

/// Longer than anything may take: every pause there is, and the longest wait for an operation, several times over.
const PATIENCE: Duration = Duration::from_hours(4);

/// Longer than the time between two lists of everything.
pub(crate) const REST: Duration = Duration::from_mins(11);

/// What stays when a process dies.
pub(crate) struct World {
    pub(crate) cloud: Cloud,
    pub(crate) api: Arc<Api>,
    /// After this long nothing is waited for any more.
    pub(crate) patience: Duration,
}

/// Cloud and API server at one moment, to begin from.
#[derive(Debug, Clone)]
pub(crate) struct Beginning {
    cloud: Saved,
    objects: Objects,
}

/// A controller that runs.
pub(crate) struct Controller {
    pub(crate) gate: Arc<Gate>,
    task: JoinHandle<()>,
    shutdown: CancellationToken,
    settled: watch::Receiver<u64>,
    /// Renews its right to write, where that can end.
    lease: Option<CancellationToken>,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self { cloud: Cloud::new().await, api: Api::with(Objects::default()), patience: PATIENCE }
    }

    pub(crate) async fn at(beginning: &Beginning) -> Self {
        let api = Api::with(beginning.objects.clone());
        Self { cloud: Cloud::at(&beginning.cloud).await, api, patience: PATIENCE }
    }

    pub(crate) async fn save(&self) -> Beginning {
        Beginning { cloud: self.cloud.save().await, objects: self.api.objects() }
    }

    /// Starts a process; it may be doomed.
    pub(crate) fn start(&self, death: Option<Death>) -> Controller {
        self.start_with(death, Options::default())
    }

    /// Starts a process that may write for as long as it renews its lease.
    pub(crate) fn lead(&self) -> Controller {
        const LEASE: Duration = Duration::from_secs(15);
        let (grantor, permit) = Permit::granted();
        grantor.grant(Instant::now() + LEASE);
        let deposed = CancellationToken::new();
        let renewing = async move {
            loop {
                tokio::time::sleep(LEASE / 3).await;
                grantor.grant(Instant::now() + LEASE);
            }
        };
        let mut controller = self.start_with(None, Options { permit, ..Options::default() });
        let shutdown = controller.gate.clone();
        let lease = deposed.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = lease.cancelled() => {}
                () = shutdown.died() => {}
                () = renewing => {}
            }
        });
        controller.lease = Some(deposed);
        controller
    }

    pub(crate) fn start_with(&self, death: Option<Death>, options: Options) -> Controller {
        let gate = Arc::new(Gate::new(death));
        let metrics = Arc::clone(&options.metrics);
        // As `gclb controller` builds it.
        let mut retry = gce::RetryPolicy::default();
        retry.not_ready.times = 0;
        let (caller, calls) = (self.cloud.caller(), Arc::clone(&gate));
        let transport = move |request: Request<Bytes>| -> Sending {
            let (caller, calls) = (caller.clone(), Arc::clone(&calls));
            let what = format!("{} {}", request.method(), request.uri().path());
            Box::pin(async move {
                let answer = match calls.held_back(&what) {
                    None => {
                        let call = async {
                            if let Some(path) = made_by(&request) {
                                calls.makes(path);
                            }
                            caller.call(request).await
                        };
                        calls.pass(what, call).await
                    }
                    Some(by) => {
                        // On its way, nobody can call it back.
                        let on_its_way = tokio::spawn(async move {
                            tokio::time::sleep(by).await;
                            caller.call(request).await
                        });
                        calls.pass(what, async move { on_its_way.await.expect("it arrives") }).await
                    }
                };
                answer.map_err(|error| TransportError::new(Reached::Perhaps, error))
            })
        };
        let client = gce::Client::builder(PROJECT)
            .endpoint("http://localhost/compute/v1/")
            .retry(retry)
            .observer(metrics.clone())
            .gate(Arc::new(options.quota.clone()))
            .transport(transport)
            .build()
            .unwrap();
        let ownership = Ownership::new(ClusterId::new(CLUSTER_ID).unwrap());
        let cloud = Gce::new(client, ownership, Arc::clone(&metrics));
        let (told, settled) = watch::channel(0);
        let observer = move |progress: Progress<'_>| {
            if matches!(progress, Progress::Settled(_)) {
                told.send_modify(|times| *times += 1);
            }
        };
        let shutdown = CancellationToken::new();
        let source = Process::new(&self.api, Arc::clone(&gate));
        let task =
            tokio::spawn(controller::run(source, Arc::new(cloud), options, observer, shutdown.clone()));
        Controller { gate, task, shutdown, settled, lease: None }
    }

    /// Why it is not done yet: every object that is served shows the address of the cloud, and those that are to go have gone.
    pub(crate) fn unpublished(&self) -> Option<String> {
        let raw = self.cloud.raw();
        let ours = |path: &String| !self.cloud.foreign.contains_key(path);
        let rules: Vec<&Value> = raw
            .iter()
            .filter(|(path, _)| path.contains("/forwardingRules/") && ours(path))
            .filter_map(|(_, body)| body.get("IPAddress"))
            .collect();
        self.api.objects().ingresses.iter().find_map(|(name, ingress)| {
            if ingress.metadata.deletion_timestamp.is_some() {
                return Some(format!("Ingress {name} is still there"));
            }
            let address = api::address_of(ingress);
            let served = address.as_ref().is_some_and(|address| rules.iter().any(|rule| *rule == address));
            (!served)
                .then(|| format!("Ingress {name} shows {address:?}, and forwarding rules have {rules:?}"))
        })
    }

    /// Waits until everything is as wanted, and says what is lacking if that does not come.
    pub(crate) async fn until(&self, controller: &mut Controller, lacking: impl Fn() -> Option<String>) {
        let began = Instant::now();
        loop {
            // Nothing is looked at before the controller thinks that it is done for the moment.
            let settled = tokio::time::timeout(Duration::from_mins(1), controller.settled.changed()).await;
            if matches!(settled, Ok(Err(_))) {
                panic!("the controller ended");
            }
            let Some(lack) = lacking() else { return };
            if began.elapsed() > self.patience {
                let mut calls = controller.gate.calls();
                calls.retain(|call| !call.ends_with("/getHealth") && !call.contains("/aggregated/"));
                let last = calls[calls.len().saturating_sub(20)..].join("\n  ");
                let mut stories = Vec::new();
                for path in lack.lines().filter_map(|line| line.strip_prefix("left over: ")) {
                    stories.push(format!("{path}:"));
                    stories.extend(self.cloud.story_of(path).await);
                }
                let stories = stories.join("\n  ");
                let told = self.api.statuses().join("\n  ");
                panic!(
                    "after {:?} not there yet:\n{lack}\nthe last calls were\n  {last}\n{stories}\nwhat was told is\n  {told}",
                    self.patience
                );
            }
        }
    }

    /// Waits until the cloud is in a state and everybody has been told.
    pub(crate) async fn until_state(&self, controller: &mut Controller, wanted: &State) {
        let lacking = || difference(wanted, &self.cloud.state()).or_else(|| self.unpublished());
        self.until(controller, lacking).await;
    }

    /// Watches that it stays so: nothing is written to the cloud any more, also after everything has been listed again.
    pub(crate) async fn assert_at_rest(&self, controller: &Controller, wanted: &State) {
        let before = controller.gate.calls().len();
        tokio::time::sleep(REST).await;
        let calls = controller.gate.calls().split_off(before);
        let writes: Vec<&String> = calls.iter().filter(|call| is_write(call)).collect();
        assert!(writes.is_empty(), "there was nothing to do, and yet: {writes:#?}");
        if let Some(difference) = difference(wanted, &self.cloud.state()) {
            panic!("it was as it should be, and did not stay so:\n{difference}");
        }
        self.cloud.assert_others_untouched();
    }

    pub(crate) async fn end(self) {
        self.cloud.emulator.shutdown().await;
    }
}

/// The path of what a request asks to be made.
fn made_by(request: &Request<Bytes>) -> Option<String> {
    let inserts =
        request.method() == http::Method::POST && is_write(&format!("POST {}", request.uri().path()));
    let body: Value = inserts.then(|| serde_json::from_slice(request.body()).ok())??;
    Some(format!("{}/{}", request.uri().path(), body["name"].as_str()?))
}

impl Controller {
    /// As SIGKILL would: nothing of ours runs any more, and the cloud goes on with what it has begun.
    pub(crate) async fn kill(self) {
        self.gate.kill();
        self.task.abort();
        drop(self.task.await);
    }

    /// Somebody else is the leader now.
    pub(crate) fn depose(&self) {
        if let Some(lease) = &self.lease {
            lease.cancel();
        }
    }

    /// It ends by itself.
    pub(crate) async fn ended(self) {
        self.task.await.expect("it ends without a panic");
    }

    /// As SIGTERM would.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.expect("it ends without a panic");
        if let Some(lease) = self.lease {
            lease.cancel();
        }
    }
}
