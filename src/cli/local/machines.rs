//! What a cluster's machines would do: run pods, open node ports, exist in the cloud.
//!
//! Nothing stands behind a folder's Services. So at every address that an endpoint names an echo server answers, on every node each
//! node port is forwarded to those, and the nodes are instances of the emulated cloud. [`Machines::follow`] makes all of that agree with
//! a [`World`], and changes only what is other than before.

mod forward;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use emulator::{Instance, Running};
use ipnet::Ipv4Net;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::network::Network;
use crate::echo::{self, Behaviour, Identity};
use crate::model::ObjectKey;
use crate::snapshot::manifests::World;

/// The machines of one run.
pub(super) struct Machines {
    network: Arc<Network>,
    cloud: Arc<Running>,
    project: String,
    vpc: String,
    tasks: TaskTracker,
    stop: CancellationToken,
    pods: BTreeMap<SocketAddr, Pod>,
    node_ports: BTreeMap<SocketAddr, NodePort>,
    instances: BTreeMap<(String, String), Instance>,
    behaviour: watch::Sender<Behaviour>,
}

struct Pod {
    who: Identity,
    stop: CancellationToken,
}

struct NodePort {
    targets: watch::Sender<Vec<SocketAddr>>,
    stop: CancellationToken,
}

impl Machines {
    pub(super) fn new(network: Arc<Network>, cloud: Arc<Running>, project: String, vpc: String) -> Self {
        Self {
            network,
            cloud,
            project,
            vpc,
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            pods: BTreeMap::new(),
            node_ports: BTreeMap::new(),
            instances: BTreeMap::new(),
            behaviour: watch::Sender::new(Behaviour::default()),
        }
    }

    /// Makes everything agree with `world`. What cannot be had is said, in sentences, and tried again the next time.
    pub(super) async fn follow(&mut self, world: &World) -> Vec<String> {
        let mut troubles = Vec::new();
        self.follow_instances(world, &mut troubles).await;
        let pods = self.wanted_pods(world, &mut troubles);
        self.follow_pods(&pods, &mut troubles).await;
        self.follow_node_ports(world, &mut troubles).await;
        troubles
    }

    /// Ends everything and waits for it.
    pub(super) async fn shutdown(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Each node, with the ranges of its pods and whatever address an endpoint on it has outside of them.
    async fn follow_instances(&mut self, world: &World, troubles: &mut Vec<String>) {
        let mut wanted = BTreeMap::new();
        for (name, machine) in &world.machines {
            let mut ranges = machine.pod_ranges.clone();
            let endpoints =
                world.endpoints.values().flat_map(|endpoints| endpoints.by_port.values().flatten());
            let addresses: BTreeSet<Ipv4Addr> = endpoints
                .filter(|endpoint| endpoint.node == *name)
                .map(|endpoint| endpoint.address)
                .collect();
            for address in addresses {
                if address != machine.address && !ranges.iter().any(|range| range.contains(&address)) {
                    ranges.push(Ipv4Net::from(address));
                }
            }
            let zone = machine.node.zone.0.clone();
            let instance = Instance {
                project: self.project.clone(),
                zone: zone.clone(),
                name: machine.node.instance.clone(),
                address: machine.address,
                alias_ranges: ranges,
                tags: Vec::new(),
                network: self.vpc.clone(),
            };
            wanted.insert((zone, instance.name.clone()), instance);
        }
        let gone: Vec<_> = self.instances.keys().filter(|key| !wanted.contains_key(*key)).cloned().collect();
        for (zone, name) in gone {
            self.cloud.unregister_instance(&self.project, &zone, &name).await;
            self.instances.remove(&(zone, name));
        }
        for (key, instance) in wanted {
            if self.instances.get(&key) == Some(&instance) {
                continue;
            }
            match self.cloud.register_instance(&instance).await {
                Ok(()) => {
                    self.instances.insert(key, instance);
                }
                Err(error) => troubles.push(error.to_string()),
            }
        }
    }

    /// Who is to answer where.
    fn wanted_pods(&self, world: &World, troubles: &mut Vec<String>) -> BTreeMap<SocketAddr, Identity> {
        let mut wanted = BTreeMap::new();
        for (service, endpoints) in &world.endpoints {
            for (nth, endpoint) in endpoints.by_port.values().flatten().enumerate() {
                match self.network.resolve(endpoint.address, endpoint.port) {
                    Some(address) => {
                        wanted.entry(address).or_insert_with(|| Identity {
                            pod: pod_name(service, nth),
                            namespace: service.namespace.clone(),
                            node: endpoint.node.clone(),
                        });
                    }
                    None => troubles.push(format!(
                        "{} is an endpoint of Service {service}, and no private address: nothing is run or dialled there",
                        endpoint.address
                    )),
                }
            }
            for port in world.services.get(service).iter().flat_map(|service| &service.ports) {
                if let Some(protocol) = port.app_protocol.as_deref().filter(|protocol| !is_plain(protocol)) {
                    troubles.push(format!(
                        "port {} of Service {service} wants {protocol} of its pods, and the echo server speaks only plain HTTP/1.1: \
                         its backends will not become healthy",
                        port.port
                    ));
                }
            }
        }
        wanted
    }

    async fn follow_pods(&mut self, wanted: &BTreeMap<SocketAddr, Identity>, troubles: &mut Vec<String>) {
        self.pods.retain(|address, pod| {
            let stays = wanted.get(address) == Some(&pod.who);
            if !stays {
                pod.stop.cancel();
            }
            stays
        });
        for (address, who) in
            wanted.iter().filter(|(address, _)| !self.pods.contains_key(*address)).collect::<Vec<_>>()
        {
            match listen(*address).await {
                Ok(listener) => {
                    let stop = self.stop.child_token();
                    self.pods.insert(*address, Pod { who: who.clone(), stop: stop.clone() });
                    self.tasks.spawn(echo::serve(listener, who.clone(), self.behaviour.subscribe(), stop));
                }
                Err(error) => troubles.push(format!("pod {} cannot listen on {address}: {error}", who.pod)),
            }
        }
    }

    async fn follow_node_ports(&mut self, world: &World, troubles: &mut Vec<String>) {
        let mut wanted: BTreeMap<SocketAddr, Vec<SocketAddr>> = BTreeMap::new();
        for (key, service) in world.services.iter().filter(|(_, service)| service.opens_node_ports) {
            for port in service.ports.iter().filter(|port| port.tcp) {
                let Some(node_port) = port.node_port else { continue };
                let endpoints =
                    world.endpoints.get(key).and_then(|endpoints| endpoints.by_port.get(&port.name));
                let targets: Vec<SocketAddr> = endpoints
                    .into_iter()
                    .flatten()
                    .filter(|endpoint| endpoint.ready)
                    .filter_map(|endpoint| self.network.resolve(endpoint.address, endpoint.port))
                    .collect();
                for machine in world.machines.values() {
                    if let Some(address) = self.network.resolve(machine.address, node_port) {
                        wanted.insert(address, targets.clone());
                    }
                }
            }
        }
        self.node_ports.retain(|address, node_port| {
            let stays = wanted.contains_key(address);
            if !stays {
                node_port.stop.cancel();
            }
            stays
        });
        for (address, targets) in wanted {
            if let Some(known) = self.node_ports.get(&address) {
                known.targets.send_replace(targets);
                continue;
            }
            match listen(address).await {
                Ok(listener) => {
                    let stop = self.stop.child_token();
                    let (sender, receiver) = watch::channel(targets);
                    self.tasks.spawn(forward::run(listener, receiver, stop.clone(), self.tasks.clone()));
                    self.node_ports.insert(address, NodePort { targets: sender, stop });
                }
                Err(error) => troubles.push(format!("node port {address} cannot be opened: {error}")),
            }
        }
    }
}

/// As a Deployment's pods are called, but the same every time.
fn pod_name(service: &ObjectKey, nth: usize) -> String {
    format!("{}-{nth}", service.name)
}

fn is_plain(protocol: &str) -> bool {
    matches!(protocol.to_ascii_lowercase().as_str(), "" | "http" | "kubernetes.io/ws" | "tcp")
}

/// An address that was just given up may take a moment to be free: whoever had it is on its way out.
async fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    const TRIES: u32 = 20;
    let mut tried = 0;
    loop {
        match TcpListener::bind(address).await {
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse && tried < TRIES => {
                tried += 1;
                tokio::time::sleep(std::time::Duration::from_millis(25)).await;
            }
            result => return result,
        }
    }
}
