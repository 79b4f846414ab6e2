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

/// Something wrong with the input, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How much it costs.
    pub severity: Severity,
    /// A word for it, for Events and metrics; one of a fixed set.
    pub reason: Reason,
    /// Where in the object: `spec.rules[0].http.paths[1].backend.service.port.name`.
    pub field: String,
    /// What is wrong, what it costs, and what to do, in sentences.
    pub message: String,
}

impl Problem {
    /// One that costs nothing yet.
    pub fn warning(reason: Reason, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, reason, field: field.into(), message: message.into() }
    }

    /// One that costs a part.
    pub fn degraded(reason: Reason, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Degraded, reason, field: field.into(), message: message.into() }
    }

    /// One that costs everything new.
    pub fn rejected(reason: Reason, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Rejected, reason, field: field.into(), message: message.into() }
    }
}

/// What a problem costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing yet.
    Warning,
    /// A part: one rule, one certificate.
    Degraded,
    /// Everything new: the load balancer stays as it was.
    Rejected,
}

/// Why something is a problem. The words are part of what users see and alert on: they do not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// A Service that is named does not exist.
    ServiceNotFound,
    /// A Service has no such port.
    ServicePortNotFound,
    /// A Service opens no node port and is not container-native.
    ServiceNotReachable,
    /// A Service's NEG annotation cannot be read.
    NegAnnotationInvalid,
    /// A Secret that is named does not exist.
    SecretNotFound,
    /// A Secret yields no certificate.
    SecretInvalid,
    /// A certificate's time is over.
    CertificateExpired,
    /// More certificates than a proxy takes.
    TooManyCertificates,
    /// A rule's host cannot be served.
    HostInvalid,
    /// A rule's path cannot be served.
    PathInvalid,
    /// The same host and path twice; the first wins.
    PathConflict,
    /// A backend that is not a Service.
    BackendUnsupported,
    /// More than a URL map takes.
    UrlMapTooLarge,
    /// An annotation's value cannot be read.
    AnnotationInvalid,
    /// No node can be used.
    NodesUnusable,
    /// A name that we need is taken by a resource that is not ours.
    NameTaken,
    /// The class under which it is served is gone, or it names none any more.
    ClassNotFound,
    /// There is nothing that it could serve.
    NothingToServe,
}

impl Reason {
    /// Every reason, once.
    pub const ALL: [Self; 18] = [
        Self::ServiceNotFound,
        Self::ServicePortNotFound,
        Self::ServiceNotReachable,
        Self::NegAnnotationInvalid,
        Self::SecretNotFound,
        Self::SecretInvalid,
        Self::CertificateExpired,
        Self::TooManyCertificates,
        Self::HostInvalid,
        Self::PathInvalid,
        Self::PathConflict,
        Self::BackendUnsupported,
        Self::UrlMapTooLarge,
        Self::AnnotationInvalid,
        Self::NodesUnusable,
        Self::NameTaken,
        Self::ClassNotFound,
        Self::NothingToServe,
    ];

    /// The word, in the form of Kubernetes Event reasons.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::ServiceNotFound => "ServiceNotFound",
            Self::ServicePortNotFound => "ServicePortNotFound",
            Self::ServiceNotReachable => "ServiceNotReachable",
            Self::NegAnnotationInvalid => "NegAnnotationInvalid",
            Self::SecretNotFound => "SecretNotFound",
            Self::SecretInvalid => "SecretInvalid",
            Self::CertificateExpired => "CertificateExpired",
            Self::TooManyCertificates => "TooManyCertificates",
            Self::HostInvalid => "HostInvalid",
            Self::PathInvalid => "PathInvalid",
            Self::PathConflict => "PathConflict",
            Self::BackendUnsupported => "BackendUnsupported",
            Self::UrlMapTooLarge => "UrlMapTooLarge",
            Self::AnnotationInvalid => "AnnotationInvalid",
            Self::NodesUnusable => "NodesUnusable",
            Self::NameTaken => "NameTaken",
            Self::ClassNotFound => "ClassNotFound",
            Self::NothingToServe => "NothingToServe",
        }
    }
}

#[cfg(test)]
mod tests;
