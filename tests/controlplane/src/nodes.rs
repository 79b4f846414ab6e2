//! Nodes, as the kubelet and the cloud controller manager of a cluster on Compute Engine would register them.
//!
//! Each has a provider id, zone labels, an internal address and a pod range, and is kept alive by renewing its lease,
//! as the kubelet does: otherwise the node lifecycle controller declares it dead after less than a minute. A node
//! that vanishes from the API server is registered again.

use std::net::Ipv4Addr;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1 as core;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::prerequisite::chain;
use crate::site::{PodRange, Site};

/// How often the kubelet renews the lease of its node.
const RENEW_EVERY: Duration = Duration::from_secs(10);

/// Where the leases of nodes are, in every cluster.
const LEASES: &str = "kube-node-lease";

/// A node, in the cluster and in the cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its name: the same in both.
    pub name: String,
    /// Its number within the site.
    pub index: u8,
    /// The project its instance is in.
    pub project: String,
    /// The zone its instance is in.
    pub zone: String,
    /// Its internal address.
    pub address: Ipv4Addr,
    /// The alias range its pods have their addresses from.
    pub pod_range: PodRange,
}

impl Node {
    pub(crate) fn new(site: &Site, index: u8, project: &str, zone: &str) -> Self {
        Self {
            name: format!("node-{}-{index}", site.slot()),
            index,
            project: project.to_owned(),
            zone: zone.to_owned(),
            address: site.node(index),
            pod_range: site.pod_range(index),
        }
    }

    /// The region of its zone.
    #[must_use]
    pub fn region(&self) -> &str {
        self.zone.rsplit_once('-').map_or(&self.zone, |(region, _)| region)
    }

    fn object(&self) -> core::Node {
        let Self { name, index: _, project, zone, address: _, pod_range } = self;
        let cidr = pod_range.cidr();
        object(json!({
            "metadata": {
                "name": name,
                "labels": {
                    "kubernetes.io/hostname": name,
                    "kubernetes.io/os": "linux",
                    "kubernetes.io/arch": "amd64",
                    "node.kubernetes.io/instance-type": "e2-standard-2",
                    "topology.kubernetes.io/region": self.region(),
                    "topology.kubernetes.io/zone": zone,
                },
            },
            "spec": {
                "providerID": format!("gce://{project}/{zone}/{name}"),
                "podCIDR": cidr,
                "podCIDRs": [cidr],
            },
        }))
    }

    fn status(&self) -> serde_json::Value {
        let now = jiff::Timestamp::now();
        let condition = |kind: &str, status: &str, reason: &str| {
            json!({
                "type": kind, "status": status, "reason": reason, "message": reason,
                "lastHeartbeatTime": now, "lastTransitionTime": now,
            })
        };
        let capacity = json!({ "cpu": "16", "memory": "64Gi", "pods": "250" });
        json!({ "status": {
            "addresses": [
                { "type": "InternalIP", "address": self.address },
                { "type": "Hostname", "address": self.name },
            ],
            "capacity": capacity,
            "allocatable": capacity,
            "conditions": [
                condition("Ready", "True", "KubeletReady"),
                condition("MemoryPressure", "False", "KubeletHasSufficientMemory"),
                condition("DiskPressure", "False", "KubeletHasNoDiskPressure"),
                condition("PIDPressure", "False", "KubeletHasSufficientPID"),
            ],
        }})
    }
}

/// Reads an object that this crate itself wrote down as JSON.
pub(crate) fn object<T: serde::de::DeserializeOwned>(json: serde_json::Value) -> T {
    serde_json::from_value(json).expect("written in this crate in the shape of its type")
}

/// Makes the Node object, and makes it ready.
pub(crate) async fn register(client: &Client, node: &Node) -> Result<(), kube::Error> {
    let nodes: Api<core::Node> = Api::all(client.clone());
    match nodes.create(&PostParams::default(), &node.object()).await {
        Ok(_) => {}
        Err(kube::Error::Api(status)) if status.code == 409 => {}
        Err(error) => return Err(error),
    }
    nodes.patch_status(&node.name, &PatchParams::default(), &Patch::Strategic(node.status())).await?;
    Ok(())
}

/// Keeps the nodes alive until `stop`.
pub(crate) async fn keep_alive(client: Client, nodes: Vec<Node>, stop: CancellationToken) {
    let mut interval = tokio::time::interval(RENEW_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = interval.tick() => {}
        }
        for node in &nodes {
            if let Err(error) = renew(&client, node).await {
                tracing::warn!(node = node.name, "renewing the lease failed: {}", chain(&error));
            }
        }
    }
}

async fn renew(client: &Client, node: &Node) -> Result<(), kube::Error> {
    let nodes: Api<core::Node> = Api::all(client.clone());
    if nodes.get_metadata_opt(&node.name).await?.is_none() {
        register(client, node).await?;
    }
    let leases: Api<Lease> = Api::namespaced(client.clone(), LEASES);
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": { "name": node.name },
        "spec": {
            "holderIdentity": node.name,
            "leaseDurationSeconds": 40,
            "renewTime": format!("{:.6}", jiff::Timestamp::now()),
        },
    });
    leases.patch(&node.name, &PatchParams::apply("controlplane").force(), &Patch::Apply(lease)).await?;
    Ok(())
}
