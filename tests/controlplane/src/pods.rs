//! What stands in for the scheduler and the kubelets: pods run as echo servers in this process.
//!
//! A pod without a node is bound to one, in turn. A pod on one of our nodes gets an address in the node's pod range;
//! an echo server listens on each of its container ports, at the address that its own translates to; and it
//! becomes ready when its readiness probes succeed and its readiness gates are met. `EndpointSlices` then come from the
//! real controller. What a container's image is does not matter: every container is the echo server.
//!
//! Not done, because nothing here needs it: resources, taints and affinity, volumes, restarts, liveness and startup
//! probes, `exec` and gRPC probes (a container that has one counts as ready), and pods that finish (Jobs).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::{self as core, Pod};
use kube::api::{DeleteParams, PostParams, Preconditions};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client, ResourceExt as _};
use serde_json::json;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::nodes::Node;
use crate::prerequisite::chain;
use crate::site::PodRange;

mod container;
mod probe;
mod run;

/// Runs pods until `stop`.
pub(crate) async fn run(client: Client, nodes: Vec<Node>, stop: CancellationToken) {
    let mut kubelets = Kubelets::new(client.clone(), nodes, stop.clone());
    let api: Api<Pod> = Api::all(client);
    let events = watcher(api, watcher::Config::default()).default_backoff();
    let mut events = events.boxed();
    loop {
        let event = tokio::select! {
            () = stop.cancelled() => return,
            event = events.try_next() => event,
        };
        match event {
            Ok(Some(event)) => kubelets.handle(event),
            Ok(None) => return,
            // The watcher starts again by itself, after a pause.
            Err(error) => tracing::debug!("watching pods: {}", chain(&error)),
        }
    }
}

struct Kubelets {
    client: Client,
    nodes: Vec<Node>,
    stop: CancellationToken,
    addresses: BTreeMap<String, Arc<Addresses>>,
    /// By UID: a pod that is made again under the same name is another pod.
    pods: HashMap<String, Running>,
    bound: HashSet<String>,
    /// Which node is next.
    turn: usize,
    /// The pods seen since a list began; those that are not among them when it ends are gone.
    listed: HashSet<String>,
}

struct Running {
    object: watch::Sender<Arc<Pod>>,
    stop: CancellationToken,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Kubelets {
    fn new(client: Client, nodes: Vec<Node>, stop: CancellationToken) -> Self {
        let addresses =
            nodes.iter().map(|node| (node.name.clone(), Arc::new(Addresses::new(node.pod_range)))).collect();
        Self {
            client,
            nodes,
            stop,
            addresses,
            pods: HashMap::new(),
            bound: HashSet::new(),
            turn: 0,
            listed: HashSet::new(),
        }
    }

    fn handle(&mut self, event: watcher::Event<Pod>) {
        match event {
            watcher::Event::Init => self.listed.clear(),
            watcher::Event::InitApply(pod) => {
                self.listed.extend(pod.uid());
                self.see(pod);
            }
            watcher::Event::InitDone => {
                self.pods.retain(|uid, _| self.listed.contains(uid));
                self.bound.retain(|uid| self.listed.contains(uid));
            }
            watcher::Event::Apply(pod) => self.see(pod),
            watcher::Event::Delete(pod) => {
                let uid = pod.uid().unwrap_or_default();
                self.pods.remove(&uid);
                self.bound.remove(&uid);
            }
        }
    }

    fn see(&mut self, pod: Pod) {
        let Some(uid) = pod.uid() else { return };
        if let Some(running) = self.pods.get(&uid) {
            running.object.send_replace(Arc::new(pod));
            return;
        }
        let node = pod.spec.as_ref().and_then(|spec| spec.node_name.clone());
        match node {
            None => {
                if pod.metadata.deletion_timestamp.is_none() && self.bound.insert(uid) {
                    self.bind(&pod);
                }
            }
            Some(node) => {
                let Some(node) = self.nodes.iter().find(|ours| ours.name == node) else { return };
                let Some(addresses) = self.addresses.get(&node.name).cloned() else { return };
                let stop = self.stop.child_token();
                let (object, updates) = watch::channel(Arc::new(pod));
                tokio::spawn(run::run(self.client.clone(), node.clone(), addresses, updates, stop.clone()));
                self.pods.insert(uid, Running { object, stop });
            }
        }
    }

    /// Puts a pod on a node. They are taken in turn, so that two pods are on two nodes; one that is cordoned is left out.
    fn bind(&mut self, pod: &Pod) {
        let first = self.turn % self.nodes.len().max(1);
        self.turn += 1;
        let (name, namespace) = (pod.name_any(), pod.namespace().unwrap_or_default());
        let in_turn: Vec<String> =
            self.nodes[first..].iter().chain(&self.nodes[..first]).map(|node| node.name.clone()).collect();
        let client = self.client.clone();
        tokio::spawn(async move {
            let bound = match schedulable(&client, &in_turn).await {
                Ok(Some(node)) => bind(client, &name, &namespace, &node).await,
                Ok(None) => {
                    tracing::warn!(
                        pod = name,
                        namespace,
                        "every node is cordoned: the pod stays without one"
                    );
                    return;
                }
                Err(error) => Err(error),
            };
            if let Err(error) = bound {
                tracing::warn!(pod = name, namespace, "binding it to a node failed: {}", chain(&error));
            }
        });
    }
}

/// The first of these nodes that is not cordoned.
async fn schedulable(client: &Client, names: &[String]) -> Result<Option<String>, kube::Error> {
    let nodes: Api<core::Node> = Api::all(client.clone());
    for name in names {
        let node = nodes.get_opt(name).await?;
        let cordoned = node.and_then(|node| node.spec?.unschedulable).unwrap_or(false);
        if !cordoned {
            return Ok(Some(name.clone()));
        }
    }
    Ok(None)
}

async fn bind(client: Client, pod: &str, namespace: &str, node: &str) -> Result<(), kube::Error> {
    let api: Api<Pod> = Api::namespaced(client, namespace);
    let binding = json!({
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": { "name": pod },
        "target": { "apiVersion": "v1", "kind": "Node", "name": node },
    });
    let _: serde_json::Value =
        api.create_subresource("binding", pod, &PostParams::default(), &binding).await?;
    Ok(())
}

/// The addresses of one node that are not in use.
#[derive(Debug)]
pub(crate) struct Addresses {
    range: PodRange,
    state: Mutex<AddressesState>,
}

#[derive(Debug)]
struct AddressesState {
    last: u8,
    used: HashSet<u8>,
}

/// An address that belongs to one pod until this is dropped.
#[derive(Debug)]
pub(crate) struct Leased {
    addresses: Arc<Addresses>,
    host: u8,
}

impl Addresses {
    fn new(range: PodRange) -> Self {
        Self { range, state: Mutex::new(AddressesState { last: 1, used: HashSet::new() }) }
    }

    /// Takes the next free address, or none when the node has as many pods as its range has addresses. They are taken
    /// in turn, so that a new pod does not soon get the address of one that has just gone.
    pub(crate) fn lease(self: &Arc<Self>) -> Option<Leased> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let after = (state.last..=254).skip(1).chain(2..=state.last);
        let host = after.into_iter().find(|host| !state.used.contains(host))?;
        state.last = host;
        state.used.insert(host);
        Some(Leased { addresses: Arc::clone(self), host })
    }
}

impl Leased {
    pub(crate) fn address(&self) -> Ipv4Addr {
        self.addresses.range.address(self.host)
    }
}

impl Drop for Leased {
    fn drop(&mut self) {
        self.addresses.state.lock().unwrap_or_else(PoisonError::into_inner).used.remove(&self.host);
    }
}

/// Removes a pod whose containers have ended, as the kubelet does at last.
async fn remove(api: &Api<Pod>, pod: &Pod) -> Result<(), kube::Error> {
    let parameters = DeleteParams {
        grace_period_seconds: Some(0),
        // Only this very pod, not a later one of the same name.
        preconditions: Some(Preconditions { uid: pod.uid(), resource_version: None }),
        ..DeleteParams::default()
    };
    match api.delete(&pod.name_any(), &parameters).await {
        Ok(_) => Ok(()),
        // Gone already, or another pod by now.
        Err(kube::Error::Api(status)) if status.code == 404 || status.code == 409 => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_in_turn_and_given_back() {
        let site = crate::site::Site::reserve().unwrap();
        let addresses = Arc::new(Addresses::new(site.pod_range(0)));
        let first = addresses.lease().unwrap();
        assert_eq!(first.address().octets()[3], 2);
        drop(first);
        assert_eq!(addresses.lease().unwrap().address().octets()[3], 3);
        let all: Vec<_> = std::iter::from_fn(|| addresses.lease()).collect();
        assert_eq!(all.len(), 253);
        assert!(addresses.lease().is_none());
        drop(all);
        assert!(addresses.lease().is_some());
    }
}
