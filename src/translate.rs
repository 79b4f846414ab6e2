//! From a snapshot to the desired graph. Pure and total: what is wrong with the input becomes a [`Problem`], and everything
//! else still works.
//!
//! There is one file here for each resource, named as in the model. [`service_port`] resolves what the load balancers name to what
//! can be reached, and [`frontend`] puts one load balancer together. The order of the input does not matter, and the same input
//! yields the same graph.
//!
//! This file is the only one below `translate` that knows that Ingress objects are read; the others see the description that they yield.

mod address;
mod backend_service;
mod draft;
mod firewall;
mod forwarding_rule;
mod frontend;
mod health_check;
mod instance_group;
mod network_endpoint_group;
mod service_port;
mod ssl_certificate;
mod target_proxy;
mod url_map;

use std::collections::{BTreeMap, BTreeSet};

use crate::ingress::{self, Reading, Wish};
use crate::model::{Address, ForwardingRule, Graph, LoadBalancerKey, Ref, ResourceId};
use crate::problem::Problem;
use crate::snapshot::Snapshot;

use draft::Draft;

/// What should exist, and what is wrong with the input.
#[must_use]
pub fn translate(snapshot: &Snapshot) -> Translation {
    let readings = ingress::read(snapshot);
    let described = readings.iter().filter_map(|reading| match &reading.wish {
        Wish::Serve(load_balancer) | Wish::Keep(load_balancer) => Some(load_balancer),
        Wish::TearDown => None,
    });
    // What serves comes first, for all load balancers together: they share it.
    let mut draft = Draft::new(snapshot, described);
    let load_balancers = readings
        .into_iter()
        .map(|Reading { key, wish, mut problems }| {
            let disposition = match wish {
                Wish::TearDown => Disposition::TearDown,
                Wish::Keep(_) => Disposition::Keep,
                Wish::Serve(load_balancer) => frontend::draw(&mut draft, &load_balancer, &mut problems),
            };
            (key, Translated { disposition, problems })
        })
        .collect();
    Translation { desired: draft.graph, load_balancers }
}

/// What `translate` yields.
#[derive(Debug, Clone, Default)]
pub struct Translation {
    /// Everything that should exist, over all load balancers.
    pub desired: Graph,
    /// Each load balancer of ours that the snapshot speaks of. One that is not here is not known to be unwanted:
    /// nothing of it may be deleted.
    pub load_balancers: BTreeMap<LoadBalancerKey, Translated>,
}

/// One load balancer, translated.
#[derive(Debug, Clone)]
pub struct Translated {
    /// What is to happen with it.
    pub disposition: Disposition,
    /// What is wrong with its input, in the order of the input.
    pub problems: Vec<Problem>,
}

/// What is to happen with a load balancer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// It is to be as the desired graph says.
    Serve(Frontends),
    /// Its input was refused as a whole: it stays as it is, whatever that is. The problems say why.
    Keep,
    /// It is to go: its object is being deleted, or has left our class.
    TearDown,
}

/// The nodes at which a load balancer is reached, and all that it uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frontends {
    /// The one address of all its ports.
    pub address: Ref<Address>,
    /// By port, ascending.
    pub forwarding_rules: Vec<Ref<ForwardingRule>>,
    /// Every node of the desired graph that it uses.
    pub uses: BTreeSet<ResourceId>,
}

#[cfg(test)]
mod tests;
