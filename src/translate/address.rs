//! Where a load balancer is reached: at an address that is reserved for it, or at one that somebody else reserved and that is named.
//!
//! An address that cannot be used costs nothing that is there: a load balancer that serves stays where it is, and a new one is not
//! made before. What nobody names any more stays in use too, since another address would be an outage that nobody asked for. See
//! `docs/decisions/0045-addresses-of-others.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::load_balancer::{AddressWish, LoadBalancer, Place};
use crate::model::{
    Address, AddressBinding, AddressHeld, AddressReach, ForeignFacts, ForeignId, ForeignKind,
    ForeignStanding, Holder, LoadBalancerHeld, LoadBalancerKey, ObjectKey, ResourceId, ResourceName, Scope,
};
use crate::naming;
use crate::problem::{Problem, Reason};
use crate::snapshot::Snapshot;

use super::Findings;
use super::draft::Draft;

/// Where load balancers are reached.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    pub(super) reached: BTreeMap<LoadBalancerKey, Reached>,
    /// The addresses that are asked about.
    pub(super) lookups: BTreeSet<ForeignId>,
}

/// Where one load balancer is reached.
#[derive(Debug, Clone)]
pub(super) enum Reached {
    /// At these addresses.
    At(Bindings),
    /// Nowhere yet, since the address that it is to have cannot be had: it stays as it is.
    Waits,
}

/// The address of each port. They are one and the same, but for a load balancer that is on its way from one to another.
#[derive(Debug, Clone)]
pub(super) struct Bindings {
    by_port: BTreeMap<u16, AddressHeld>,
    otherwise: AddressHeld,
}

impl Bindings {
    const fn all(address: AddressHeld) -> Self {
        Self { by_port: BTreeMap::new(), otherwise: address }
    }

    /// What it has. `None` where it answers on no port.
    fn present(held: &LoadBalancerHeld) -> Option<Self> {
        let otherwise = held.ports.values().next()?.clone();
        Some(Self { by_port: held.ports.clone(), otherwise })
    }
}

/// Why an address cannot be used.
struct Fault {
    reason: Reason,
    what: String,
    remedy: String,
}

/// Decides for all load balancers together, since two cannot answer on the same port of one address.
pub(super) fn settle<'a>(
    snapshot: &Snapshot,
    load_balancers: impl Iterator<Item = &'a LoadBalancer>,
    findings: &mut Findings,
    is_at_home: impl Fn(&LoadBalancerKey, &ObjectKey) -> bool,
) -> Addresses {
    let mut desk = Desk { snapshot, lookups: BTreeSet::new(), taken: BTreeMap::new() };
    let mut reached = BTreeMap::new();
    for load_balancer in load_balancers {
        let (key, mut found) = (&load_balancer.key, Findings::default());
        reached.insert(key.clone(), desk.reached(load_balancer, &mut found));
        findings.add(found, |object| is_at_home(key, object));
    }
    Addresses { reached, lookups: desk.lookups }
}

struct Desk<'a> {
    snapshot: &'a Snapshot,
    lookups: BTreeSet<ForeignId>,
    /// Ports of named addresses, and who has them.
    taken: BTreeMap<(ResourceName, u16), LoadBalancerKey>,
}

impl Desk<'_> {
    fn reached(&mut self, load_balancer: &LoadBalancer, findings: &mut Findings) -> Reached {
        let held = self.snapshot.held.load_balancers.get(&load_balancer.key);
        let present = held.and_then(Bindings::present);
        let (fault, place) = match &load_balancer.address {
            AddressWish::Any => {
                // One that has an address of its own and answers elsewhere was changed by somebody.
                let own = held.is_none_or(|held| held.has_own_address);
                let stays = present.filter(|_| !own);
                return Reached::At(stays.unwrap_or_else(|| Bindings::all(AddressHeld::Own)));
            }
            AddressWish::Unclear { place, why } => {
                (Fault { reason: Reason::AnnotationInvalid, what: why.clone(), remedy: String::new() }, place)
            }
            AddressWish::Named { name, place } => {
                let id = ForeignId::global(ForeignKind::Address, name.clone());
                let named = self.named(load_balancer, &id, place);
                self.lookups.insert(id.clone());
                match named {
                    Err(fault) => (fault, place),
                    Ok(Sure::Yes) => return Reached::At(Bindings::all(foreign(&id))),
                    Ok(Sure::Assumed) => {
                        findings.push(&place.object, assumed(&id, place));
                        // A bare number may well be that of the address that is named.
                        let may_be_it = |held: &Bindings| {
                            !held.by_port.values().any(|address| *address == AddressHeld::Own)
                        };
                        let stays = present.filter(may_be_it);
                        return Reached::At(stays.unwrap_or_else(|| Bindings::all(foreign(&id))));
                    }
                }
            }
        };
        let Fault { reason, what, remedy } = fault;
        let message = |cost: &str| format!("{what} {cost} {remedy}").trim_end().to_owned();
        if let Some(present) = present {
            let message = message("The load balancer stays at the address that it has.");
            findings.push(&place.object, Problem::degraded(reason, place.field.clone(), message));
            Reached::At(present)
        } else {
            let message = message("Nothing is made before that is mended.");
            findings.push(&place.object, Problem::rejected(reason, place.field.clone(), message));
            for object in load_balancer.objects.iter().filter(|object| **object != place.object) {
                findings.push(object, waits(&load_balancer.key, place, reason));
            }
            Reached::Waits
        }
    }

    /// Whether a load balancer can use the address that it names.
    fn named(&mut self, load_balancer: &LoadBalancer, id: &ForeignId, place: &Place) -> Result<Sure, Fault> {
        let name = &id.name;
        if naming::is_ours(name.as_str(), &self.snapshot.cluster.id) {
            return Err(Fault {
                reason: Reason::StaticAddressUnusable,
                what: format!("The {id} is one that gclb reserves and gives back itself."),
                remedy: "Name one that you have reserved, or remove the annotation.".to_owned(),
            });
        }
        let (number, users) = match self.snapshot.held.foreign.standing(id) {
            ForeignStanding::Found(ForeignFacts::Address { number: Some(number), reach, users }) => {
                usable(id, *number, *reach)?;
                (Some(*number), users.as_slice())
            }
            ForeignStanding::Found(_) => {
                return Err(Fault {
                    reason: Reason::NotLookedUp,
                    what: format!("The {id} has no number yet."),
                    remedy: "It is looked at again within a minute.".to_owned(),
                });
            }
            ForeignStanding::Assumed => (None, [].as_slice()),
            ForeignStanding::Missing => return Err(missing(id, place)),
            ForeignStanding::Unknown(why) => return Err(unknown(id, why)),
        };
        let key = &load_balancer.key;
        let ports = load_balancer.frontend.ports();
        for port in ports {
            let user = users.iter().find(|user| user.takes(*port)).map(|user| user.path.clone());
            let other = number.and_then(|number| self.holder(number, *port, key));
            let other = other.or_else(|| self.taken.get(&(name.clone(), *port)));
            if let Some(user) = user.or_else(|| other.map(|other| format!("the load balancer {other}"))) {
                return Err(in_use(id, number, *port, &user));
            }
        }
        self.taken.extend(ports.iter().map(|port| ((name.clone(), *port), key.clone())));
        Ok(if number.is_some() { Sure::Yes } else { Sure::Assumed })
    }

    /// Another load balancer of ours that answers on this port of this address.
    fn holder(&self, number: IpAddr, port: u16, key: &LoadBalancerKey) -> Option<&LoadBalancerKey> {
        let all = &self.snapshot.held.load_balancers;
        let answers =
            |held: &LoadBalancerHeld| held.address == Some(number) && held.ports.contains_key(&port);
        all.iter().find(|(other, held)| *other != key && answers(held)).map(|(other, _)| other)
    }
}

/// Whether an address is known to be there.
enum Sure {
    Yes,
    Assumed,
}

fn foreign(id: &ForeignId) -> AddressHeld {
    AddressHeld::Foreign(id.resource().expect("addresses are referred to as our own are"))
}

fn usable(id: &ForeignId, number: IpAddr, reach: AddressReach) -> Result<(), Fault> {
    let fault = |what: String| Fault {
        reason: Reason::StaticAddressUnusable,
        what,
        remedy: format!(
            "Reserve an external IPv4 address (gcloud compute addresses create NAME --global), and name that instead of {}.",
            id.name
        ),
    };
    if reach == AddressReach::Internal {
        return Err(fault(format!(
            "The {id} ({number}) is an internal one, and the load balancer is to be reached from the internet."
        )));
    }
    if number.is_ipv6() {
        return Err(fault(format!(
            "The {id} ({number}) is an IPv6 address, and load balancers are made with IPv4 ones."
        )));
    }
    Ok(())
}

fn missing(id: &ForeignId, place: &Place) -> Fault {
    let name = &id.name;
    let regional = if place.field.contains(REGIONAL) {
        " A regional address of that name cannot be used, since the load balancer is a global one."
    } else {
        ""
    };
    Fault {
        reason: Reason::StaticAddressNotFound,
        what: format!("There is no global address {name} in the project.{regional}"),
        remedy: format!(
            "Reserve it (gcloud compute addresses create {name} --global), correct the name, or remove the annotation. A new address is \
             noticed within a minute."
        ),
    }
}

/// What tells the annotation for regional addresses from the other, for messages.
const REGIONAL: &str = "regional";

fn unknown(id: &ForeignId, why: Option<&str>) -> Fault {
    let why = why.map_or_else(
        || "has not been looked up yet".to_owned(),
        |why| format!("could not be looked up: {why}"),
    );
    Fault {
        reason: Reason::NotLookedUp,
        what: format!("The {id} {why}."),
        remedy: "It is asked for again within a minute.".to_owned(),
    }
}

fn in_use(id: &ForeignId, number: Option<IpAddr>, port: u16, user: &str) -> Fault {
    let number = number.map_or_else(String::new, |number| format!(" ({number})"));
    Fault {
        reason: Reason::StaticAddressUnusable,
        what: format!("Port {port} of the {id}{number} is used already, by {user}."),
        remedy: "Name another address, or delete what uses this one; that is noticed within a minute."
            .to_owned(),
    }
}

/// For those that share a load balancer with whoever names its address.
fn waits(key: &LoadBalancerKey, place: &Place, reason: Reason) -> Problem {
    Problem::rejected(
        reason,
        "metadata",
        format!(
            "Nothing is made for {key} before the address that {} names in {} can be used. See what is said there.",
            place.object, place.field
        ),
    )
}

fn assumed(id: &ForeignId, place: &Place) -> Problem {
    Problem::note(
        Reason::NotLookedUp,
        place.field.clone(),
        format!(
            "There is no cloud to ask whether the {id} exists: it is taken to exist. Name the project with --project to have it looked up."
        ),
    )
}

/// The address of one port; one of our own is drawn with it.
pub(super) fn draw(
    draft: &mut Draft<'_>,
    key: &LoadBalancerKey,
    bindings: &Bindings,
    port: u16,
) -> AddressBinding {
    match bindings.by_port.get(&port).unwrap_or(&bindings.otherwise) {
        AddressHeld::Own => {
            let name = naming::address(&draft.snapshot.cluster.id, key);
            let holder = Holder::LoadBalancer(key.clone());
            AddressBinding::Reserved(draft.place(Scope::Global, name, holder, Address {}))
        }
        AddressHeld::Foreign(ResourceId { kind: _, scope, name }) => {
            AddressBinding::Reserved(draft.graph.foreign(scope.clone(), name.clone()))
        }
        AddressHeld::Number(number) => AddressBinding::Literal(*number),
    }
}
