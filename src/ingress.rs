//! Reads Ingress objects into the description of [`crate::load_balancer`]. Pure and total.
//!
//! What is wrong with an Ingress becomes a [`Problem`] and costs no more than its own rule, certificate or setting; the rest of the
//! Ingress is still read. This is the only front end so far, and the only place that knows what an Ingress looks like: nothing
//! behind the description may.
//!
//! Services, Secrets and nodes are not looked at here: the description refers to them by name, and `translate` resolves them.

mod annotations;
mod backend;
mod class;
mod rules;
mod tls;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::networking::v1::{Ingress, IngressClass};

use crate::load_balancer::{Frontend, LoadBalancer, PlainHttp};
use crate::model::{LoadBalancerKey, ObjectKey};
use crate::problem::{Problem, Reason};
use crate::snapshot::Snapshot;

pub use annotations::{ALLOW_HTTP, REDIRECT, STATUS};
pub use class::FINALIZER;

use class::Standing;

/// What one Ingress of ours asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Its load balancer.
    pub key: LoadBalancerKey,
    /// What it asks for.
    pub wish: Wish,
    /// What is wrong with it, in the order of the object.
    pub problems: Vec<Problem>,
}

/// What an Ingress asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// This load balancer.
    Serve(LoadBalancer),
    /// Something that cannot be done as a whole: what there is stays as it is. The description says which Services it uses.
    Keep(LoadBalancer),
    /// That its load balancer goes.
    TearDown,
}

/// Every Ingress that is ours, in the order of their keys. One that is not ours yields nothing at all.
#[must_use]
pub fn read(snapshot: &Snapshot) -> Vec<Reading> {
    let Snapshot { cluster, classes, ingresses, .. } = snapshot;
    ingresses
        .iter()
        .filter_map(|(object, ingress)| {
            let key = LoadBalancerKey::ingress(object.clone());
            Some(match class::standing(ingress, classes, cluster.claim_classless) {
                Standing::NotOurs => return None,
                Standing::TearDown => Reading { key, wish: Wish::TearDown, problems: Vec::new() },
                Standing::Ours(class) => read_one(key, ingress, class),
                Standing::ClassGone(problem) => {
                    // Only what it uses is of interest; its settings came from a class that nobody knows.
                    let Described { load_balancer, .. } = describe(key.clone(), ingress, None);
                    Reading { key, wish: Wish::Keep(load_balancer), problems: vec![problem] }
                }
            })
        })
        .collect()
}

/// The Secrets that Ingresses of ours refer to: the only ones that need to be read.
#[must_use]
pub fn secrets(
    classes: &BTreeMap<String, Arc<IngressClass>>,
    ingresses: &BTreeMap<ObjectKey, Arc<Ingress>>,
    claim_classless: bool,
) -> BTreeSet<ObjectKey> {
    ingresses
        .iter()
        .filter(|(_, ingress)| {
            matches!(class::standing(ingress, classes, claim_classless), Standing::Ours(_))
        })
        .flat_map(|(object, ingress)| tls::certificates(ingress, &object.namespace).0)
        .map(|certificate| certificate.secret)
        .collect()
}

fn read_one(key: LoadBalancerKey, ingress: &Ingress, class: Option<&IngressClass>) -> Reading {
    let Described { load_balancer, plain, mut problems } = describe(key.clone(), ingress, class);
    if (&load_balancer.frontend, plain) != (&Frontend::Http, PlainHttp::Refuse) {
        return Reading { key, wish: Wish::Serve(load_balancer), problems };
    }
    problems.push(Problem::rejected(
        Reason::NothingToServe,
        "spec.tls",
        format!(
            "Plain HTTP is refused ({ALLOW_HTTP}: \"false\") and no certificate is named, so there is no port to serve on. The load \
             balancer stays as it is. Name a Secret in spec.tls, or remove the annotation (it may stand on the IngressClass)."
        ),
    ));
    Reading { key, wish: Wish::Keep(load_balancer), problems }
}

/// An Ingress, read.
struct Described {
    load_balancer: LoadBalancer,
    /// What port 80 should do, whether or not there is TLS for it to stand beside.
    plain: PlainHttp,
    problems: Vec<Problem>,
}

fn describe(key: LoadBalancerKey, ingress: &Ingress, class: Option<&IngressClass>) -> Described {
    let namespace = &key.object.namespace;
    let (plain, mut problems) = annotations::plain_http(ingress, class);
    let (certificates, more) = tls::certificates(ingress, namespace);
    problems.extend(more);
    let (default, more) = backend::default(ingress, namespace);
    problems.extend(more);
    let (hosts, more) = rules::hosts(ingress, namespace);
    if default.is_none() && more.is_empty() && hosts.iter().all(|host| host.routes.is_empty()) {
        problems.push(Problem::degraded(
            Reason::NothingToServe,
            "spec",
            "There is neither a default backend nor a rule with a path, so every request is answered 404. Set \
             spec.defaultBackend or add paths to spec.rules.",
        ));
    }
    problems.extend(more);
    let frontend = if certificates.is_empty() {
        problems.extend(annotations::redirect_without_tls(ingress));
        Frontend::Http
    } else {
        Frontend::Https { certificates, plain }
    };
    Described { load_balancer: LoadBalancer { key, frontend, default, hosts }, plain, problems }
}

#[cfg(test)]
mod tests;
