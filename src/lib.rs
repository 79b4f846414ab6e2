//! gclb: Google Cloud load balancers from Kubernetes Ingress objects.
//!
//! One path leads through this crate, and each module is one step of it:
//!
//! ```text
//!  Kubernetes ──watch──▶ snapshot ──ingress──▶ load_balancer ──translate──▶ desired model ─┐
//!                                                                                         ├─ plan ─▶ apply ─▶ cloud
//!  Compute Engine ──list once──▶ cloud::mirror ─────────────────────────▶ observed model ─┘            │
//!                                                                                                      ▼
//!                                                       status: ADDRESS, Events, annotation, finalizer
//! ```
//!
//! * [`snapshot`] holds everything one translation may read.
//! * [`custom_resource`] holds the kinds of object that ingress-gce brought along.
//! * [`ingress`] reads Ingress objects into [`load_balancer`], a description that no longer says Ingress.
//! * [`translate`] turns that into the desired [`model`] graph. It is pure and never fails: what is wrong
//!   with the input becomes a [`problem`].
//! * [`plan`] compares the desired graph with the observed one and yields an ordered graph of changes.
//!   It is pure too; all choices are in the plan.
//! * [`preflight`] takes out of the plan what could not be finished, and says why; pure as well.
//! * [`apply`] walks the plan and makes each change through the [`cloud`] port. It chooses nothing.
//! * [`status`] computes what the user is told, and writes it.
//! * [`controller`] runs these steps whenever something changes; [`cli`] is how a person starts it.
//!
//! Apart from that path stands [`echo`], the page that `gclb local` and tests put behind a load balancer.
//!
//! `tests/architecture.rs` holds the rules of direction and purity between these modules.

pub mod apply;
pub mod brake;
pub mod cli;
pub mod cloud;
pub mod config;
pub mod controller;
pub mod custom_resource;
#[cfg(feature = "emulator")]
pub mod echo;
pub mod ingress;
pub mod load_balancer;
pub mod metrics;
pub mod model;
pub mod naming;
pub mod plan;
pub mod preflight;
pub mod problem;
pub mod snapshot;
pub mod status;
pub mod telemetry;
pub mod translate;

#[cfg(test)]
#[path = "../tests/proof/kube_client.rs"]
mod kube_client;

/// A turn of the controller makes and drops a hundred thousand small objects; see `docs/decisions/0041-allocator.md`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
