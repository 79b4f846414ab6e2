//! From a snapshot to the desired graph. Pure and total: what is wrong with the input becomes a [`Problem`], and everything
//! else still works.
//!
//! There is one file here for each resource, named as in the model. [`service_port`] resolves what the load balancers name to what
//! can be reached, and [`frontend`] puts one load balancer together. The order of the input does not matter, and the same input
//! yields the same graph.
//!
//! This file is the only one below `translate` that knows that Ingress objects are read; the others see the description that they yield.

mod address;
mod app_protocol;
mod backend_config;
mod backend_service;
mod departure;
mod draft;
mod firewall;
mod forwarding_rule;
mod frontend;
mod health_check;
mod instance_group;
mod moving;
mod network_endpoint_group;
mod readiness_probe;
mod room;
mod scheme;
mod service_port;
mod settings;
mod ssl_certificate;
mod target_proxy;
mod url_map;

use std::collections::{BTreeMap, BTreeSet};

use crate::ingress::{self, Membership, Wish};
use crate::load_balancer::LoadBalancer;
use crate::model::{Endpoint, ForeignId, ForwardingRule, Graph, LoadBalancerKey, ObjectKey, Ref, ResourceId};
use crate::problem::Problem;
use crate::snapshot::Snapshot;

use address::{Addresses, Reached};
use draft::Draft;
pub use network_endpoint_group::{Churn, PodPort, PodPorts, Wanted};

/// What should exist, and what is wrong with the input.
#[must_use]
pub fn translate(snapshot: &Snapshot) -> Translation {
    translate_beside(snapshot, &Graph::default())
}

/// The same. What another graph holds just so is shared with it: beside what the cloud holds, a desired graph that is nearly done takes
/// next to nothing.
#[must_use]
pub fn translate_beside(snapshot: &Snapshot, beside: &Graph) -> Translation {
    let mut readings = ingress::read(snapshot);
    let moves = moving::settle(&mut readings, &snapshot.held.load_balancers);
    let mut findings = scheme::settle(&mut readings, &snapshot.held.load_balancers);
    let ingress::Readings { load_balancers: readings, objects } = readings;
    let is_home = |key: &LoadBalancerKey, object: &ObjectKey| {
        objects.get(object).is_some_and(|membership| membership.home.as_ref() == Some(key))
    };
    let to_serve = readings.values().filter_map(|reading| match &reading.wish {
        Wish::Serve(load_balancer) => Some(load_balancer),
        Wish::Keep(_) | Wish::TearDown => None,
    });
    let Addresses { reached, lookups } = address::settle(snapshot, to_serve, &mut findings, is_home);
    // What serves comes first, for all load balancers together: they share it. Of one that waits to be made nothing is.
    let described = readings.iter().filter_map(|(key, reading)| match &reading.wish {
        Wish::Serve(_)
            if matches!(reached.get(key), Some(Reached::Waits))
                && !snapshot.held.load_balancers.contains_key(key) =>
        {
            None
        }
        Wish::Serve(load_balancer) | Wish::Keep(load_balancer) => Some(load_balancer),
        Wish::TearDown => None,
    });
    let mut draft = Draft::new(snapshot, beside, described);
    draft.lookups.extend(lookups);
    // Also of those that wait for something else: each answer may cost a look at the input.
    for reading in readings.values() {
        if let Wish::Serve(load_balancer) = &reading.wish {
            ssl_certificate::look_up(&mut draft, load_balancer);
        }
    }
    let mut load_balancers = BTreeMap::new();
    for (key, reading) in readings {
        let translated = match reading.wish {
            Wish::TearDown => Translated { disposition: Disposition::TearDown, objects: BTreeSet::new() },
            Wish::Keep(description) => {
                Translated { disposition: Disposition::Keep, objects: described_objects(&description) }
            }
            Wish::Serve(description) => {
                let mut found = Findings::default();
                let disposition = match reached.get(&key) {
                    Some(Reached::At(bindings)) => {
                        frontend::draw(&mut draft, &description, bindings, &mut found)
                    }
                    Some(Reached::Waits) | None => Disposition::Keep,
                };
                findings.add(found, |object| is_home(&key, object));
                Translated { disposition, objects: described_objects(&description) }
            }
        };
        load_balancers.insert(key, translated);
    }
    let Findings { mut problems, mut shares } = findings;
    let claimants = objects
        .into_iter()
        .map(|(object, Membership { home, elsewhere, problems: read })| {
            let problems = read.into_iter().chain(problems.remove(&object).unwrap_or_default()).collect();
            let share = match shares.remove(&object) {
                Some(part) => Share::Part(part),
                None if home.as_ref().is_some_and(LoadBalancerKey::is_shared) => Share::Nothing,
                None => Share::Whole,
            };
            (object, Claimant { home, elsewhere, share, problems })
        })
        .collect();
    let (unready, pod_ports, lookups) = (draft.unready, draft.pod_ports, draft.lookups);
    let drift_reported = drift_reported(snapshot, &load_balancers);
    let confirmed = snapshot.ingresses.iter().filter(|(_, ingress)| ingress::confirms_deletion(ingress));
    let confirmed = confirmed.map(|(object, _)| object.clone()).collect();
    Translation {
        desired: draft.graph,
        load_balancers,
        claimants,
        confirmed,
        moves,
        drift_reported,
        unready,
        pod_ports,
        consents: ingress::consents(snapshot),
        lookups,
    }
}

fn drift_reported(
    snapshot: &Snapshot,
    load_balancers: &BTreeMap<LoadBalancerKey, Translated>,
) -> BTreeSet<LoadBalancerKey> {
    let reports = |object: &ObjectKey| ingress::drift_is_only_reported(snapshot, object);
    load_balancers
        .iter()
        .filter(|(_, translated)| !translated.objects.is_empty() && translated.objects.iter().all(reports))
        .map(|(key, _)| key.clone())
        .collect()
}

fn described_objects(description: &LoadBalancer) -> BTreeSet<ObjectKey> {
    description.objects.iter().map(|object| (**object).clone()).collect()
}

/// What `translate` yields.
#[derive(Debug, Clone, Default)]
pub struct Translation {
    /// Everything that should exist, over all load balancers.
    pub desired: Graph,
    /// Each load balancer of ours that the snapshot speaks of. One that is not here is not known to be unwanted:
    /// nothing of it may be deleted.
    pub load_balancers: BTreeMap<LoadBalancerKey, Translated>,
    /// Each object of ours: whose problems, status, Events and finalizer these are.
    pub claimants: BTreeMap<ObjectKey, Claimant>,
    /// Objects whose load balancers may go, however many others go at the same time.
    pub confirmed: BTreeSet<ObjectKey>,
    /// Whether some object is on its way from one load balancer to another.
    pub moves: Moves,
    /// Load balancers of which drift is only reported, since the classes of all their objects say so.
    pub drift_reported: BTreeSet<LoadBalancerKey>,
    /// Of the members of network endpoint groups, those that are not ready: they join after the others.
    pub unready: Unready,
    /// The ports of Services whose pods are reached directly, and in which groups they are.
    pub pod_ports: PodPorts,
    /// The outage that an object consents to, as the plan names it.
    pub consents: BTreeMap<ObjectKey, String>,
    /// Resources that are not ours and are asked about: the next snapshot is to say of each whether it exists.
    pub lookups: BTreeSet<ForeignId>,
}

/// Whether something waits for the cloud to get further, so that it must be translated again when it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Moves {
    /// Nothing does.
    #[default]
    None,
    /// An object is on its way from one load balancer to another: what it leaves stays until it is served where it goes.
    UnderWay,
}

/// Members that are not ready, by group.
pub type Unready = BTreeMap<ResourceId, BTreeSet<Endpoint>>;

/// One load balancer, translated.
#[derive(Debug, Clone)]
pub struct Translated {
    /// What is to happen with it.
    pub disposition: Disposition,
    /// The objects that it serves.
    pub objects: BTreeSet<ObjectKey>,
}

/// One object that asks for a load balancer.
#[derive(Debug, Clone)]
pub struct Claimant {
    /// The load balancer that is to serve it. `None`: it is being deleted, or has left our class.
    pub home: Option<LoadBalancerKey>,
    /// Others that may still hold something of it.
    pub elsewhere: BTreeSet<LoadBalancerKey>,
    /// Which part of its home is its own.
    pub share: Share,
    /// What is wrong with it, in the order of the input.
    pub problems: Vec<Problem>,
}

/// Which part of what a load balancer uses is there for one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Share {
    /// All of it: nobody else asks for the load balancer.
    Whole,
    /// Of what serves requests and of the certificates only these; what the load balancer has alone is everybody's.
    Part(BTreeSet<ResourceId>),
    /// Nothing: it is left out, and the problems say why.
    Nothing,
}

/// What is to happen with a load balancer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// It is to be as the desired graph says.
    Serve(Frontends),
    /// Its input was refused as a whole: it stays as it is, whatever that is. The problems say why.
    Keep,
    /// It is to go: each of its objects is being deleted, has left our class, or is served elsewhere.
    TearDown,
}

/// The nodes at which a load balancer is reached, and all that it uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frontends {
    /// By port, ascending.
    pub forwarding_rules: Vec<Ref<ForwardingRule>>,
    /// Every node of the desired graph that it uses.
    pub uses: BTreeSet<ResourceId>,
}

impl Translation {
    /// Takes note of a load balancer that one object alone asks for.
    pub fn insert(&mut self, key: LoadBalancerKey, disposition: Disposition) {
        let object = key.object.clone();
        let (home, elsewhere) = match &disposition {
            Disposition::Serve(_) | Disposition::Keep => (Some(key.clone()), BTreeSet::new()),
            Disposition::TearDown => (None, [key.clone()].into()),
        };
        let claimant = Claimant { home, elsewhere, share: Share::Whole, problems: Vec::new() };
        self.claimants.insert(object.clone(), claimant);
        self.load_balancers.insert(key, Translated { disposition, objects: [object].into() });
    }

    /// What is wrong, with the object that it is wrong with.
    pub fn problems(&self) -> impl Iterator<Item = (&ObjectKey, &Problem)> {
        self.claimants
            .iter()
            .flat_map(|(object, claimant)| claimant.problems.iter().map(move |problem| (object, problem)))
    }
}

/// What is found out about objects while their load balancers are drawn.
#[derive(Debug, Default)]
struct Findings {
    problems: BTreeMap<ObjectKey, Vec<Problem>>,
    shares: BTreeMap<ObjectKey, BTreeSet<ResourceId>>,
}

impl Findings {
    fn push(&mut self, object: &ObjectKey, problem: Problem) {
        self.problems.entry(object.clone()).or_default().push(problem);
    }

    /// Notes that an object uses a resource, where it is not the only one who could.
    fn share(&mut self, object: &ObjectKey, load_balancer: &LoadBalancer, id: &ResourceId) {
        if load_balancer.key.is_shared() {
            self.shares.entry(object.clone()).or_default().insert(id.clone());
        }
    }

    /// Adds what concerns objects that are at home there: of a load balancer that it leaves, nobody wants to hear.
    fn add(&mut self, found: Self, is_at_home: impl Fn(&ObjectKey) -> bool) {
        let Self { problems, shares } = found;
        for (object, problems) in problems.into_iter().filter(|(object, _)| is_at_home(object)) {
            self.problems.entry(object).or_default().extend(problems);
        }
        self.shares.extend(shares.into_iter().filter(|(object, _)| is_at_home(object)));
    }
}

#[cfg(test)]
mod tests;
