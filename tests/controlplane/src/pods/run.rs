//! The life of one pod: address, echo servers, probes, status, end.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use gclb::echo::{self, Behaviour, Identity};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Pod, PodSpec};
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, ResourceExt as _};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Addresses, container};
use crate::nodes::Node;
use crate::prerequisite::chain;
use crate::site::translate;

/// The pause before a status that the API server did not take is written again.
const WRITE_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// The longest that requests in flight may take once the pod has stopped listening, when its grace is over sooner
/// than that. Without a limit a client that never hangs up would keep the pod for ever.
const LONGEST_FINISH: Duration = Duration::from_secs(30);

/// Runs one pod until it is deleted, or until `stop` because the object is gone.
pub(super) async fn run(
    client: Client,
    node: Node,
    addresses: Arc<Addresses>,
    mut updates: watch::Receiver<Arc<Pod>>,
    stop: CancellationToken,
) {
    let pod = Arc::clone(&updates.borrow());
    let api: Api<Pod> = Api::namespaced(client, &pod.namespace().unwrap_or_default());
    let told = tokio::select! {
        () = stop.cancelled() => return,
        told = live(&api, &pod, &node, &addresses, &mut updates, &stop) => told,
    };
    if let Err(error) = told {
        tracing::warn!(pod = pod.name_any(), "running it failed: {}", chain(&error));
    }
}

async fn live(
    api: &Api<Pod>,
    pod: &Arc<Pod>,
    node: &Node,
    addresses: &Arc<Addresses>,
    updates: &mut watch::Receiver<Arc<Pod>>,
    stop: &CancellationToken,
) -> Result<(), kube::Error> {
    if pod.metadata.deletion_timestamp.is_some() {
        return super::remove(api, pod).await;
    }
    let Some(lease) = addresses.lease() else {
        tracing::warn!(pod = pod.name_any(), node = node.name, "no address is left in the node's pod range");
        return Ok(());
    };
    let (Some(spec), Some(listens_at)) = (&pod.spec, translate(lease.address())) else { return Ok(()) };
    // Each pod ends its own servers and probes, also when it ends itself.
    let stop = stop.child_token();
    let _ends_with_this = stop.clone().drop_guard();
    let (behaviour, observed) = watch::channel(container::behaviour(pod));
    let identity = Identity {
        pod: pod.name_any(),
        namespace: pod.namespace().unwrap_or_default(),
        node: node.name.clone(),
    };
    let started = Timestamp::now();
    let mut servers = JoinSet::new();
    let served = serve(spec, listens_at, &identity, &observed, &stop, &mut servers).await;
    let mut probes = Probes::start(spec, listens_at, &stop);

    let mut transitions = Transitions::default();
    let mut written = Value::Null;
    loop {
        let now = Arc::clone(&updates.borrow_and_update());
        if now.metadata.deletion_timestamp.is_some() {
            break;
        }
        behaviour.send_if_modified(|before| {
            let after = container::behaviour(&now);
            std::mem::replace(before, after.clone()) != after
        });
        let facts = Facts {
            pod: &now,
            spec,
            node,
            address: lease.address(),
            started,
            failure: served.as_ref().err().map(ToString::to_string),
            ready: probes.ready(),
        };
        let status = facts.status(&mut transitions);
        if status != written {
            match write(api, &now, &status).await {
                Ok(()) => written = status,
                Err(error) => {
                    tracing::debug!(pod = now.name_any(), "writing its status failed: {}", chain(&error));
                    tokio::time::sleep(WRITE_AGAIN_AFTER).await;
                    continue;
                }
            }
        }
        tokio::select! {
            changed = updates.changed() => if changed.is_err() { return Ok(()) },
            () = probes.changed() => {}
        }
    }

    let now = Arc::clone(&updates.borrow());
    behaviour.send_replace(container::behaviour(&now));
    tokio::time::sleep(container::goes_on_for(&now)).await;
    stop.cancel();
    let finish = async { while servers.join_next().await.is_some() {} };
    if tokio::time::timeout(LONGEST_FINISH, finish).await.is_err() {
        tracing::debug!(pod = now.name_any(), "requests were cut off at its end");
    }
    super::remove(api, &now).await
}

/// Starts an echo server on every port of the pod.
async fn serve(
    spec: &PodSpec,
    address: Ipv4Addr,
    identity: &Identity,
    behaviour: &watch::Receiver<Behaviour>,
    stop: &CancellationToken,
    servers: &mut JoinSet<std::io::Result<()>>,
) -> std::io::Result<()> {
    for port in container::ports(spec) {
        let listener = TcpListener::bind(SocketAddr::from((address, port))).await?;
        servers.spawn(echo::serve(listener, identity.clone(), behaviour.clone(), stop.clone()));
    }
    Ok(())
}

/// The verdict of each container's readiness probe; a container without one is always ready.
struct Probes {
    verdicts: Vec<Option<watch::Receiver<bool>>>,
}

impl Probes {
    fn start(spec: &PodSpec, address: Ipv4Addr, stop: &CancellationToken) -> Self {
        let verdicts = spec.containers.iter().map(|container| {
            let probe = container::readiness_probe(container)?;
            let (verdict, receiver) = watch::channel(false);
            tokio::spawn(probe.run(address, verdict, stop.clone()));
            Some(receiver)
        });
        Self { verdicts: verdicts.collect() }
    }

    fn ready(&mut self) -> Vec<bool> {
        self.verdicts
            .iter_mut()
            .map(|verdict| verdict.as_mut().is_none_or(|verdict| *verdict.borrow_and_update()))
            .collect()
    }

    async fn changed(&mut self) {
        let waiting = self.verdicts.iter_mut().flatten().map(|verdict| Box::pin(verdict.changed()));
        let waiting: Vec<_> = waiting.collect();
        if waiting.is_empty() {
            return std::future::pending().await;
        }
        // A probe ends only with its pod.
        let _ = futures::future::select_all(waiting).await;
    }
}

/// All that a pod's status is computed from.
struct Facts<'a> {
    pod: &'a Pod,
    spec: &'a PodSpec,
    node: &'a Node,
    address: Ipv4Addr,
    started: Timestamp,
    /// Why its echo servers do not listen.
    failure: Option<String>,
    /// Container by container.
    ready: Vec<bool>,
}

impl Facts<'_> {
    fn status(&self, transitions: &mut Transitions) -> Value {
        let Self { pod, spec, node, address, started, failure, ready } = self;
        let running = failure.is_none();
        let containers_ready = running && ready.iter().all(|ready| *ready);
        let pod_ready = containers_ready && self.gates_are_met();
        let containers: Vec<Value> = spec
            .containers
            .iter()
            .zip(ready)
            .map(|(container, ready)| {
                let state = match failure {
                    None => json!({ "running": { "startedAt": started } }),
                    Some(message) => {
                        json!({ "waiting": { "reason": "RunContainerError", "message": message } })
                    }
                };
                json!({
                    "name": container.name,
                    "image": container.image.clone().unwrap_or_default(),
                    "imageID": "",
                    "ready": running && *ready,
                    "started": running,
                    "restartCount": 0,
                    "state": state,
                })
            })
            .collect();
        json!({
            "phase": if running { "Running" } else { "Pending" },
            "hostIP": node.address,
            "hostIPs": [{ "ip": node.address }],
            "podIP": address,
            "podIPs": [{ "ip": address }],
            "startTime": started,
            "containerStatuses": containers,
            "conditions": [
                transitions.condition("PodReadyToStartContainers", true),
                transitions.condition("Initialized", true),
                transitions.condition("PodScheduled", true),
                transitions.condition("ContainersReady", containers_ready),
                transitions.condition("Ready", pod_ready),
            ],
            "observedGeneration": pod.metadata.generation,
        })
    }

    /// A readiness gate is a condition that somebody else must have set to true.
    fn gates_are_met(&self) -> bool {
        let conditions = || self.pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
        self.spec.readiness_gates.iter().flatten().all(|gate| {
            conditions().any(|condition| condition.type_ == gate.condition_type && condition.status == "True")
        })
    }
}

/// Since when each condition is what it is.
#[derive(Default)]
struct Transitions(BTreeMap<&'static str, (bool, Timestamp)>);

impl Transitions {
    fn condition(&mut self, kind: &'static str, holds: bool) -> Value {
        let entry = self.0.entry(kind).or_insert_with(|| (holds, Timestamp::now()));
        if entry.0 != holds {
            *entry = (holds, Timestamp::now());
        }
        let status = if holds { "True" } else { "False" };
        json!({ "type": kind, "status": status, "lastTransitionTime": entry.1, "lastProbeTime": null })
    }
}

async fn write(api: &Api<Pod>, pod: &Pod, status: &Value) -> Result<(), kube::Error> {
    // A strategic merge keeps the conditions of others, such as those that readiness gates wait for.
    let patch = json!({ "metadata": { "uid": pod.uid() }, "status": status });
    match api.patch_status(&pod.name_any(), &PatchParams::default(), &Patch::Strategic(patch)).await {
        Ok(_) => Ok(()),
        // The pod is gone, or is another one by now: the watch will say so.
        Err(kube::Error::Api(status)) if status.code == 404 || status.code == 409 => Ok(()),
        Err(error) => Err(error),
    }
}
