//! A control plane together with what a cluster has beyond it: nodes, pods that serve, node ports.

use std::path::PathBuf;

use kube::Client;
use tokio::runtime::Runtime;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

use crate::control_plane::{ControlPlane, ControlPlaneError, connect};
use crate::kubectl::Kubectl;
use crate::nodes::{self, Node};
use crate::site::Site;
use crate::{node_ports, pods};

/// What a cluster is like.
#[derive(Debug, Clone)]
pub struct Options {
    /// The project that the nodes' instances are in.
    pub project: String,
    /// The zone of each node; as many nodes as zones are named here.
    pub zones: Vec<String>,
    /// Flags of `gclb emulator`, where a cloud is started as well: how long its operations take, for instance.
    pub cloud: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            project: "demo".into(),
            zones: ["us-central1-a", "us-central1-b"].map(str::to_owned).into(),
            cloud: Vec::new(),
        }
    }
}

/// A running cluster. Dropping it stops all of it.
///
/// It has threads of its own, so one cluster can serve many tests, each with its own async runtime.
#[derive(Debug)]
pub struct Cluster {
    stop: CancellationToken,
    control_plane: ControlPlane,
    nodes: Vec<Node>,
    runtime: Option<Runtime>,
}

impl Cluster {
    /// Starts one: the control plane serves and the nodes are ready when this returns.
    pub async fn start(options: Options) -> Result<Self, ControlPlaneError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("controlplane")
            .enable_all()
            .build()
            .map_err(|source| ControlPlaneError::File {
                action: "starting threads for",
                path: PathBuf::from("the stand-ins of nodes and pods"),
                source,
            })?;
        // In its own runtime, because the client's connections must live as long as the cluster.
        let started = runtime.spawn(start(options)).await;
        match joined(started) {
            Ok((control_plane, nodes, stop)) => {
                Ok(Self { stop, control_plane, nodes, runtime: Some(runtime) })
            }
            Err(error) => {
                runtime.shutdown_background();
                Err(error)
            }
        }
    }

    /// See [`ControlPlane::lose_etcd`]. The nodes register again, as kubelets do; the pods are gone.
    ///
    /// Resource versions begin again at 1. A watch that goes on from before then hears nothing until they have grown
    /// past where it was: whoever watches must be started again to see that everything is gone.
    pub async fn lose_etcd(&mut self) -> Result<(), ControlPlaneError> {
        self.stop.cancel();
        self.control_plane.lose_etcd().await?;
        let nodes = self.nodes.clone();
        if let Some(runtime) = &self.runtime {
            // The client's connections must live as long as the cluster, so it is made in the cluster's own runtime.
            let config = self.control_plane.client_config().await?;
            let stood_in = runtime.spawn(async move { stand_in(connect(config)?, nodes).await }).await;
            self.stop = joined(stood_in)?;
        }
        Ok(())
    }

    /// The control plane.
    #[must_use]
    pub fn control_plane(&self) -> &ControlPlane {
        &self.control_plane
    }

    /// The nodes.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The addresses of this cluster and of what goes with it.
    #[must_use]
    pub fn site(&self) -> &Site {
        self.control_plane.site()
    }

    /// The real `kubectl`, with all rights.
    #[must_use]
    pub fn kubectl(&self) -> Kubectl {
        self.control_plane.kubectl()
    }

    /// A client with all rights, for the async runtime this is called in.
    pub async fn client(&self) -> Result<Client, ControlPlaneError> {
        self.control_plane.client().await
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(runtime) = self.runtime.take() {
            // Dropping it here could block, which an async test must not.
            runtime.shutdown_background();
        }
    }
}

async fn start(options: Options) -> Result<(ControlPlane, Vec<Node>, CancellationToken), ControlPlaneError> {
    let control_plane = ControlPlane::start().await?;
    let client = control_plane.client().await?;
    let Options { project, zones, cloud: _ } = options;
    let nodes: Vec<Node> = zones
        .iter()
        .zip(0_u8..)
        .map(|(zone, index)| Node::new(control_plane.site(), index, &project, zone))
        .collect();
    let stop = stand_in(client, nodes.clone()).await?;
    Ok((control_plane, nodes, stop))
}

/// Registers the nodes and starts everything that acts in a cluster beyond the control plane.
async fn stand_in(client: Client, nodes: Vec<Node>) -> Result<CancellationToken, ControlPlaneError> {
    for node in &nodes {
        let action = format!("registering the node {}", node.name);
        nodes::register(&client, node).await.map_err(ControlPlaneError::request(action))?;
    }
    let stop = CancellationToken::new();
    tokio::spawn(nodes::keep_alive(client.clone(), nodes.clone(), stop.clone()));
    tokio::spawn(pods::run(client.clone(), nodes.clone(), stop.clone()));
    tokio::spawn(node_ports::run(client, nodes, stop.clone()));
    Ok(stop)
}

/// What a task of the cluster's own runtime yielded; its panic goes on here.
fn joined<T>(result: Result<Result<T, ControlPlaneError>, JoinError>) -> Result<T, ControlPlaneError> {
    match result {
        Ok(result) => result,
        Err(failure) => match failure.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => unreachable!("nothing cancels it"),
        },
    }
}

#[cfg(test)]
mod tests;
