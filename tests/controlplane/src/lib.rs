//! A real Kubernetes control plane, for tests and for trying gclb by hand.
//!
//! * [`assets`] finds etcd, the API server, the controllers and `kubectl`, or builds them once.
//! * [`control_plane`] starts and stops them, on loopback addresses that no other process uses ([`site`]); what it
//!   starts cannot outlive this process ([`process`]).
//! * [`cluster`] adds what a cluster has beyond that: [`nodes`], pods that serve, node ports that lead to them.
//! * [`emulator`] and [`controller`] run the two programs of this project that go with it, as children; a [`world`] is all of it together.
//!
//! The programs are the real ones, and so are the controllers that make `ReplicaSets`, pods and `EndpointSlices`. What
//! stands in for the scheduler, the kubelets and kube-proxy is ours and small; its gaps are named in `pods.rs` and
//! `node_ports.rs`.

pub mod assets;
mod certificates;
pub mod cluster;
pub mod command;
pub mod control_plane;
pub mod controller;
pub mod emulator;
pub mod kubectl;
mod node_ports;
pub mod nodes;
mod pods;
pub mod prerequisite;
pub mod process;
pub mod site;
pub mod wait;
pub mod world;

pub use certificates::CertificatesError;
pub use cluster::{Cluster, Options};
pub use control_plane::{ControlPlane, ControlPlaneError};
pub use kubectl::{Kubectl, KubectlError};
pub use world::{World, WorldError};
