//! What stands in for kube-proxy: every node port is listened on at every node, and leads to the Service's pods.
//!
//! Only node ports and only TCP: nothing here uses a Service's cluster address. As with kube-proxy a connection goes
//! to an endpoint that is ready, or, where none is, to one that still serves while it terminates; with
//! `externalTrafficPolicy: Local` only to one on the same node; and where there is none at all it is refused. The pod
//! sees the node's address as its client, since the real one rewrites the source too. Connections that are open when
//! an endpoint goes away stay open.
//!
//! Not done: session affinity, `healthCheckNodePort`, IPv6.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::core::v1::{Service, ServicePort};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointSlice};
use kube::runtime::reflector::{self, Store};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client, ResourceExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::nodes::Node;
use crate::prerequisite::chain;
use crate::site::{translate, translate_text};

/// Where to listen, as the real loopback address, and where connections to it go.
type Forwarding = BTreeMap<SocketAddr, BTreeSet<SocketAddr>>;

/// Forwards node ports until `stop`.
pub(crate) async fn run(client: Client, nodes: Vec<Node>, stop: CancellationToken) {
    let (services, service_writer) = reflector::store::<Service>();
    let (slices, slice_writer) = reflector::store::<EndpointSlice>();
    let service_events = watcher(Api::all(client.clone()), watcher::Config::default())
        .default_backoff()
        .reflect(service_writer)
        .map_ok(|_| ());
    let slice_events = watcher(Api::all(client), watcher::Config::default())
        .default_backoff()
        .reflect(slice_writer)
        .map_ok(|_| ());
    let events = stream::select(service_events, slice_events).ready_chunks(100);
    let mut events = std::pin::pin!(events);
    let mut listeners = Listeners::default();
    loop {
        let chunk = tokio::select! {
            () = stop.cancelled() => return,
            chunk = events.next() => chunk,
        };
        let Some(chunk) = chunk else { return };
        for error in chunk.iter().filter_map(|event| event.as_ref().err()) {
            tracing::debug!("watching Services and EndpointSlices: {}", chain(error));
        }
        listeners.follow(wanted(&services, &slices, &nodes)).await;
    }
}

fn wanted(services: &Store<Service>, slices: &Store<EndpointSlice>, nodes: &[Node]) -> Forwarding {
    let slices = slices.state();
    let mut forwarding = Forwarding::new();
    for service in services.state() {
        let Some(spec) = &service.spec else { continue };
        let local = spec.external_traffic_policy.as_deref() == Some("Local");
        for port in spec.ports.iter().flatten() {
            let Some(number) = node_port(port) else { continue };
            for node in nodes {
                let Some(address) = translate(node.address) else { continue };
                let on = local.then_some(node.name.as_str());
                let endpoints = endpoints(&service, port, &slices, on);
                if !endpoints.is_empty() {
                    forwarding.insert(SocketAddr::from((address, number)), endpoints);
                }
            }
        }
    }
    forwarding
}

fn node_port(port: &ServicePort) -> Option<u16> {
    let tcp = port.protocol.as_deref().is_none_or(|protocol| protocol == "TCP");
    port.node_port.filter(|_| tcp).and_then(|number| u16::try_from(number).ok())
}

/// The endpoints that a connection to this port may go to, where they really listen.
fn endpoints(
    service: &Service,
    port: &ServicePort,
    slices: &[Arc<EndpointSlice>],
    on_node: Option<&str>,
) -> BTreeSet<SocketAddr> {
    let (mut ready, mut serving) = (BTreeSet::new(), BTreeSet::new());
    for slice in slices {
        let owner = slice.labels().get("kubernetes.io/service-name");
        if slice.namespace() != service.namespace() || owner != Some(&service.name_any()) {
            continue;
        }
        let named =
            |name: &Option<String>| name.as_deref().unwrap_or("") == port.name.as_deref().unwrap_or("");
        let number = slice.ports.iter().flatten().find(|port| named(&port.name)).and_then(|port| port.port);
        let Some(number) = number.and_then(|number| u16::try_from(number).ok()) else { continue };
        for endpoint in slice.endpoints.iter().flatten() {
            if on_node.is_some_and(|node| endpoint.node_name.as_deref() != Some(node)) {
                continue;
            }
            let Some(address) = address(endpoint) else { continue };
            let conditions = endpoint.conditions.as_ref();
            if conditions.and_then(|conditions| conditions.ready).unwrap_or(true) {
                ready.insert(SocketAddr::new(address, number));
            } else if conditions.and_then(|conditions| conditions.serving).unwrap_or(false) {
                serving.insert(SocketAddr::new(address, number));
            }
        }
    }
    if ready.is_empty() { serving } else { ready }
}

fn address(endpoint: &Endpoint) -> Option<IpAddr> {
    // Kubernetes itself uses only the first.
    endpoint.addresses.first().and_then(|address| translate_text(address))
}

#[derive(Default)]
struct Listeners {
    open: BTreeMap<SocketAddr, Listening>,
}

struct Listening {
    endpoints: watch::Sender<BTreeSet<SocketAddr>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Listeners {
    async fn follow(&mut self, wanted: Forwarding) {
        let closing: Vec<SocketAddr> =
            self.open.keys().filter(|address| !wanted.contains_key(address)).copied().collect();
        for address in closing {
            self.open.remove(&address);
        }
        for (address, endpoints) in wanted {
            if let Some(listening) = self.open.get(&address) {
                listening.endpoints.send_if_modified(|before| {
                    let changed = *before != endpoints;
                    *before = endpoints;
                    changed
                });
                continue;
            }
            match TcpListener::bind(address).await {
                Ok(listener) => {
                    let (endpoints, receiver) = watch::channel(endpoints);
                    let task = tokio::spawn(accept(listener, receiver));
                    self.open.insert(address, Listening { endpoints, task });
                }
                Err(error) => tracing::warn!(%address, "listening on a node port failed: {error}"),
            }
        }
    }
}

async fn accept(listener: TcpListener, endpoints: watch::Receiver<BTreeSet<SocketAddr>>) {
    let turn = AtomicUsize::new(0);
    let Ok(SocketAddr::V4(here)) = listener.local_addr() else { return };
    loop {
        let connection = match listener.accept().await {
            Ok((connection, _)) => connection,
            Err(error) => {
                // Such as too many open files: the next attempt may succeed, but not at once.
                tracing::warn!(%here, "accepting a connection failed: {error}");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            }
        };
        let endpoint = {
            let endpoints = endpoints.borrow();
            let turn = turn.fetch_add(1, Ordering::Relaxed);
            endpoints.iter().nth(turn % endpoints.len().max(1)).copied()
        };
        if let Some(endpoint) = endpoint {
            // Of its own, so that closing the port leaves open connections open.
            tokio::spawn(forward(connection, *here.ip(), endpoint));
        }
    }
}

async fn forward(mut connection: TcpStream, node: Ipv4Addr, endpoint: SocketAddr) {
    let carried = async {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((node, 0)))?;
        let mut onward = socket.connect(endpoint).await?;
        tokio::io::copy_bidirectional(&mut connection, &mut onward).await
    };
    if let Err(error) = carried.await {
        tracing::debug!(%node, %endpoint, "a connection through a node port ended: {error}");
    }
}

#[cfg(test)]
mod tests;
