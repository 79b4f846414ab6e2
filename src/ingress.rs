//! Reads Ingress objects into the description of [`crate::load_balancer`]. Pure and total.
//!
//! What is wrong with an Ingress becomes a [`Problem`] and costs no more than its own rule, certificate or setting; the rest of the
//! Ingress is still read. This is the only front end so far, and the only place that knows what an Ingress looks like: nothing
//! behind the description may.
//!
//! Most Ingresses have a load balancer of their own. Those that name a group share one: which, and what becomes of the one that an
//! Ingress had before, is decided in `membership`, and how several are merged in `group`.
//!
//! Services, Secrets and nodes are not looked at here: the description refers to them by name, and `translate` resolves them.

mod address;
mod annotations;
mod backend;
mod class;
mod consent;
mod frontend_config;
mod group;
mod membership;
mod rules;
mod scheme;
mod tls;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::networking::v1::{Ingress, IngressClass};

use crate::load_balancer::{
    AddressWish, Certificate, CertificateSource, DefaultRoute, Frontend, Host, LoadBalancer, PlainHttp,
    SslPolicy,
};
use crate::model::{LoadBalancerKey, ObjectKey, Scheme};
use crate::problem::{Problem, Reason};
use crate::snapshot::Snapshot;

pub use crate::load_balancer::ALLOW_OUTAGE;
pub use address::{GLOBAL_STATIC_IP, REGIONAL_STATIC_IP};
pub use annotations::{
    ALLOW_HTTP, ALLOW_HTTP_OF_INGRESS_GCE, CONFIRM_DELETION, DRIFT, GROUP, GROUP_ORDER, GROUP_SCOPE,
    MEMBER_OF, REDIRECT, RELEASE_ADDRESS, RELEASED, SCHEME, STATUS, confirms_deletion,
};
pub use class::FINALIZER;
pub use consent::consents;
pub use membership::{record, remembering};
pub use tls::PRE_SHARED_CERT;

use annotations::{By, PlainSettings, Said};
use class::Standing;

/// What all Ingresses of ours ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Readings {
    /// Each load balancer that some Ingress has a say in.
    pub load_balancers: BTreeMap<LoadBalancerKey, Reading>,
    /// Every Ingress that is ours. One that is not ours is not here at all.
    pub objects: BTreeMap<ObjectKey, Membership>,
}

/// What is asked of one load balancer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// What is asked for.
    pub wish: Wish,
    /// Objects of the description that are on their way to another load balancer: what they ask for stays until they are served
    /// there. A load balancer that nobody else asks for goes then.
    pub moving: BTreeSet<Arc<ObjectKey>>,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// This load balancer.
    Serve(LoadBalancer),
    /// Something that cannot be done as a whole: what there is stays as it is. The description says which Services it uses.
    Keep(LoadBalancer),
    /// That it goes.
    TearDown,
}

/// Where one Ingress belongs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Membership {
    /// The load balancer that is to serve it. `None`: none is to, it is being deleted or has left our class.
    pub home: Option<LoadBalancerKey>,
    /// Others that may still hold something of it.
    pub elsewhere: BTreeSet<LoadBalancerKey>,
    /// What is wrong with it, in the order of the object.
    pub problems: Vec<Problem>,
}

/// Reads every Ingress.
#[must_use]
pub fn read(snapshot: &Snapshot) -> Readings {
    let mut draft = membership::Draft::new(snapshot);
    for (object, ingress) in &snapshot.ingresses {
        draft.read(object, ingress);
    }
    draft.finish()
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
        .filter(|(object, ingress)| match class::standing(ingress, classes, claim_classless) {
            Standing::Ours(_) => true,
            // A member of a group goes on being served.
            Standing::ClassGone(_) => !record(object, ingress).is_empty(),
            Standing::NotOurs | Standing::TearDown => false,
        })
        .flat_map(|(object, ingress)| tls::certificates(ingress, &Arc::new(object.clone())).0)
        .filter_map(|certificate| match certificate.source {
            CertificateSource::Secret(secret) => Some(secret),
            CertificateSource::Cloud(_) | CertificateSource::Unclear(_) => None,
        })
        .collect()
}

/// Whether the class of this Ingress wants drift to be reported and not undone.
#[must_use]
pub fn drift_is_only_reported(snapshot: &Snapshot, object: &ObjectKey) -> bool {
    let Some(ingress) = snapshot.ingresses.get(object) else { return false };
    match class::standing(ingress, &snapshot.classes, snapshot.cluster.claim_classless) {
        Standing::Ours(class) => annotations::drift_is_only_reported(class).0,
        Standing::NotOurs | Standing::TearDown | Standing::ClassGone(_) => false,
    }
}

/// One Ingress, read, before it is known with whom it shares a load balancer.
#[derive(Debug, Clone)]
struct Parts {
    object: Arc<ObjectKey>,
    /// `None`: what the class says cannot be read.
    scheme: Said<Option<Scheme>>,
    plain: PlainSettings,
    address: AddressWish,
    ssl_policy: Said<SslPolicy>,
    certificates: Vec<Certificate>,
    default: Option<DefaultRoute>,
    hosts: Vec<Host>,
    /// Of settings, certificates and the default backend.
    problems: Vec<Problem>,
    /// Of rules.
    rule_problems: Vec<Problem>,
    /// To be said where there turns out to be no certificate.
    redirect_without_tls: Option<Problem>,
}

fn parts(
    snapshot: &Snapshot,
    object: Arc<ObjectKey>,
    ingress: &Ingress,
    class: Option<&IngressClass>,
) -> Parts {
    let config = frontend_config::read(snapshot, &object, ingress);
    let (plain, mut problems) = annotations::plain_http(ingress, config.plain, class);
    problems.extend(config.problem);
    let (scheme, unreadable) = scheme::scheme(class);
    problems.extend(unreadable);
    problems.extend(annotations::drift_is_only_reported(class).1);
    let (certificates, more) = tls::certificates(ingress, &object);
    problems.extend(more);
    let (default, more) = backend::default(ingress, &object);
    problems.extend(more);
    let (hosts, rule_problems) = rules::hosts(ingress, &object);
    let redirect_without_tls = annotations::redirect_without_tls(ingress);
    let address = address::wish(ingress, &object);
    let ssl_policy = config.ssl_policy;
    Parts {
        object,
        scheme,
        plain,
        address,
        ssl_policy,
        certificates,
        default,
        hosts,
        problems,
        rule_problems,
        redirect_without_tls,
    }
}

/// An Ingress with a load balancer of its own.
struct Described {
    load_balancer: LoadBalancer,
    /// Whether it is known which kind of load balancer it is to be.
    readable: bool,
    /// What port 80 should do, whether or not there is TLS for it to stand beside.
    plain: PlainHttp,
    problems: Vec<Problem>,
}

impl Parts {
    fn alone(self) -> Described {
        let Self {
            object,
            scheme,
            plain,
            address,
            ssl_policy,
            certificates,
            default,
            hosts,
            mut problems,
            rule_problems,
            redirect_without_tls,
        } = self;
        if default.is_none() && rule_problems.is_empty() && hosts.iter().all(|host| host.routes.is_empty()) {
            problems.push(Problem::degraded(
                Reason::NothingToServe,
                "spec",
                "There is neither a default backend nor a rule with a path, so every request is answered 404. Set \
                 spec.defaultBackend or add paths to spec.rules.",
            ));
        }
        problems.extend(rule_problems);
        let encrypted_only = (!plain.allowed.value).then(|| Arc::clone(&object)).into_iter().collect();
        let plain = plain.plain();
        let frontend = if certificates.is_empty() {
            problems.extend(redirect_without_tls);
            Frontend::Http
        } else {
            Frontend::Https { certificates, plain }
        };
        let key = LoadBalancerKey::ingress((*object).clone());
        let readable = scheme.value.is_some();
        let scheme = scheme.value.unwrap_or(Scheme::ExternalManaged);
        let load_balancer = LoadBalancer {
            key,
            scheme,
            objects: vec![object],
            encrypted_only,
            address,
            frontend,
            ssl_policy: ssl_policy.value,
            default,
            hosts,
        };
        Described { load_balancer, readable, plain, problems }
    }
}

impl Described {
    fn wish(self) -> (Wish, Vec<Problem>) {
        let Self { load_balancer, readable, plain, mut problems } = self;
        if !readable {
            return (Wish::Keep(load_balancer), problems);
        }
        if (&load_balancer.frontend, plain) != (&Frontend::Http, PlainHttp::Refuse) {
            return (Wish::Serve(load_balancer), problems);
        }
        problems.push(Problem::rejected(
            Reason::NothingToServe,
            "spec.tls",
            format!(
                "Plain HTTP is refused ({ALLOW_HTTP}: \"false\") and no certificate is named, so there is no port to serve on. The load \
                 balancer stays as it is. Name a Secret in spec.tls, or remove the annotation (it may stand on the IngressClass)."
            ),
        ));
        (Wish::Keep(load_balancer), problems)
    }
}

#[cfg(test)]
mod tests;
