//! What the cloud holds, as far as we know.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use jiff::Timestamp;

use serde::{Deserialize, Serialize};

use super::{
    Address, AddressBinding, Entry, ForeignFacts, ForeignHeld, ForeignId, Graph, Holder, HostRoutes, Kind,
    LoadBalancerKey, Lookup, Node, ObjectKey, PathMatcher, PathRule, Ref, ResourceId, ResourceName, Scheme,
    Scope, SslCertificate, TargetHttpsProxy,
};

/// The observed graph with what only the cloud can say about its nodes.
///
/// The graph holds *our* resources only: those that carry the cluster's mark and a name with its prefix.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// Our resources.
    pub graph: Graph,
    /// What the cloud says about each of them.
    pub facts: BTreeMap<ResourceId, Facts>,
    /// Names that are taken by resources that are not ours.
    pub taken: BTreeSet<ResourceId>,
    /// What could not be seen. There, not finding a resource does not mean that it is absent.
    pub unknown: BTreeSet<Unknown>,
    /// Resources of ours that somebody else changed or deleted since we left them, until we change them again.
    pub altered: BTreeMap<ResourceId, Altered>,
    /// What the cloud last said of the backends of backend services. Of one that is not here nothing is known.
    pub health: BTreeMap<ResourceId, Wellness>,
    /// What came of looking up resources that are not ours and are pointed at.
    pub foreign: BTreeMap<ForeignId, Lookup>,
}

/// How a resource was before somebody else changed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Altered {
    /// As we left it, or found it first.
    pub was: Entry,
    /// When that was noticed; for people.
    pub since: Timestamp,
}

/// How the backends of a backend service are, as far as moving requests to it or away from it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wellness {
    /// As many are well as can be expected: requests may be sent there.
    Well,
    /// There are some, and none is well: nobody there answers.
    Unwell,
}

/// A part of the cloud that could not be seen, such as a zone that did not answer an aggregated list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unknown {
    /// Resources of this kind,
    pub kind: Kind,
    /// in this scope as the API spells it (`zones/us-central1-a`); `None`: anywhere.
    pub scope: Option<String>,
}

/// What only the cloud can say about a resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// For the next change of it: sent back so that a change made by somebody else in between is noticed.
    pub fingerprint: Option<Fingerprint>,
    /// The address of an address resource, or of a forwarding rule.
    pub address: Option<IpAddr>,
    /// When it was made, as the API says it (RFC 3339); for people, never for decisions other than "the newest".
    pub created: Option<String>,
}

/// Certificates that the cloud already has: what stays in use when the Secret of a certificate is lost, or not there yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CertificatesHeld {
    /// For each Secret, the certificate of it that the cloud already serves or, where none is served, the newest that it holds.
    pub by_secret: BTreeMap<ObjectKey, ResourceName>,
    /// For each load balancer with TLS, what it serves at present, in order: each certificate with its Secret, or without one where it is
    /// not ours.
    pub by_load_balancer: BTreeMap<LoadBalancerKey, Vec<(Option<ObjectKey>, ResourceName)>>,
}

/// What a translation may know of the cloud.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// Certificates that stay in use when their Secrets are lost.
    pub certificates: CertificatesHeld,
    /// Backend services and health checks, as they are: what stays as it is where nobody can say what it should be.
    pub backends: Graph,
    /// Load balancers of which anything exists: what objects that move from one to another wait for.
    pub load_balancers: BTreeMap<LoadBalancerKey, LoadBalancerHeld>,
    /// Load balancers that were given up, by the record in the cluster: nothing of the cloud tells it, and nothing of them is touched.
    pub released: BTreeSet<LoadBalancerKey>,
    /// Load balancers that were taken down before our eyes, and whose objects were let go since: what still shows up of them is unwanted.
    pub departed: BTreeSet<LoadBalancerKey>,
    /// Resources that are not ours, as far as they were asked about.
    pub foreign: ForeignHeld,
}

/// What exists of a load balancer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadBalancerHeld {
    /// Its address, where it is known: that of its forwarding rules, else the one that is reserved for it.
    pub address: Option<IpAddr>,
    /// Whether an address of ours is reserved for it.
    pub has_own_address: bool,
    /// Whether somebody may reach it, or may have been told to: it has an address or a forwarding rule, or that cannot be told.
    pub may_be_reached: bool,
    /// Which kind of load balancer it is, as its forwarding rules say; `None` where there is none of them.
    pub scheme: Option<Scheme>,
    /// The SSL policy that its proxy keeps to.
    pub ssl_policy: Option<ResourceName>,
    /// The ports that are answered, each with the address that its forwarding rule is bound to.
    pub ports: BTreeMap<u16, AddressHeld>,
    /// For a shared one, the paths of each host that its url map names, as the map writes them.
    pub paths: BTreeMap<String, BTreeSet<String>>,
}

/// The address that a forwarding rule is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressHeld {
    /// The one that is reserved for its load balancer.
    Own,
    /// An address resource that is not ours.
    Foreign(ResourceId),
    /// A bare number: which address resource it is, if any, is not known.
    Number(IpAddr),
}

/// An opaque version of a resource (Compute API `fingerprint`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub String);

impl Observed {
    /// Whether not finding `id` means that it does not exist.
    #[must_use]
    pub fn can_tell(&self, id: &ResourceId) -> bool {
        let scope = id.scope.to_string();
        !self.unknown.iter().any(|unknown| {
            unknown.kind == id.kind && unknown.scope.as_ref().is_none_or(|missing| *missing == scope)
        })
    }

    /// The resources that exist for one load balancer alone.
    pub fn held_by<'a>(&'a self, key: &'a LoadBalancerKey) -> impl Iterator<Item = &'a ResourceId> {
        self.graph.entries().filter_map(move |(id, entry)| match &entry.mark.holder {
            Holder::LoadBalancer(holder) if holder == key => Some(id),
            _ => None,
        })
    }

    /// The same for each of many load balancers: everything is looked at once, when somebody is asked about first.
    #[must_use]
    pub const fn holdings(&self) -> Holdings<'_> {
        Holdings { observed: self, by_key: OnceCell::new() }
    }

    /// Whether something that exists for one load balancer alone may be where could not be looked. What is not found then may be there.
    #[must_use]
    pub fn may_hold_more(&self) -> bool {
        const OF_ONE: [Kind; 5] = [
            Kind::UrlMap,
            Kind::TargetHttpProxy,
            Kind::TargetHttpsProxy,
            Kind::Address,
            Kind::ForwardingRule,
        ];
        let global = Scope::Global.to_string();
        let holds = |unknown: &Unknown| {
            OF_ONE.contains(&unknown.kind) && unknown.scope.as_ref().is_none_or(|scope| *scope == global)
        };
        self.unknown.iter().any(holds)
    }

    /// What the next snapshot is told of the cloud.
    #[must_use]
    pub fn held(&self) -> Held {
        Held {
            certificates: self.certificates_held(),
            backends: self.graph.only(&[Kind::BackendService, Kind::HealthCheck]),
            load_balancers: self.load_balancers_held(),
            released: BTreeSet::new(),
            departed: BTreeSet::new(),
            foreign: ForeignHeld::Known(self.foreign.clone()),
        }
    }

    /// The number of an address, ours or not, where it is known.
    #[must_use]
    pub fn number_of(&self, address: &ResourceId) -> Option<IpAddr> {
        let ours = self.facts.get(address).and_then(|facts| facts.address);
        ours.or_else(|| match self.foreign.get(&ForeignId::of(address)?) {
            Some(Lookup::Found(ForeignFacts::Address { number, reach: _, users: _ })) => *number,
            _ => None,
        })
    }

    fn load_balancers_held(&self) -> BTreeMap<LoadBalancerKey, LoadBalancerHeld> {
        let unseen =
            self.unknown.iter().any(|unknown| matches!(unknown.kind, Kind::Address | Kind::ForwardingRule));
        // Found by hash, since each has some ten resources and there may be thousands.
        let mut held: HashMap<&LoadBalancerKey, LoadBalancerHeld> = HashMap::new();
        for (id, entry) in self.graph.entries() {
            let Holder::LoadBalancer(key) = &entry.mark.holder else { continue };
            let one = held
                .entry(key)
                .or_insert_with(|| LoadBalancerHeld { may_be_reached: unseen, ..Default::default() });
            match &entry.node {
                Node::Address(Address {}) => {
                    one.may_be_reached = true;
                    one.has_own_address = true;
                    // Forwarding rules come after addresses, and know better.
                    one.address = self.facts.get(id).and_then(|facts| facts.address).or(one.address);
                }
                Node::ForwardingRule(rule) => {
                    one.may_be_reached = true;
                    one.scheme = one.scheme.or(Some(rule.scheme));
                    one.address = self.facts.get(id).and_then(|facts| facts.address).or(one.address);
                    one.ports.insert(rule.port, self.address_held(&rule.address, key));
                }
                Node::TargetHttpsProxy(proxy) => one.ssl_policy.clone_from(&proxy.ssl_policy),
                Node::UrlMap(map) if key.is_shared() => {
                    for HostRoutes { hosts, matcher: PathMatcher { path_rules, .. } } in &map.hosts {
                        let paths = path_rules.iter().flat_map(|PathRule { paths, .. }| paths);
                        for host in hosts {
                            one.paths.entry(host.clone()).or_default().extend(paths.clone().cloned());
                        }
                    }
                }
                _ => {}
            }
        }
        held.into_iter().map(|(key, held)| (key.clone(), held)).collect()
    }

    fn address_held(&self, binding: &AddressBinding, key: &LoadBalancerKey) -> AddressHeld {
        match binding {
            AddressBinding::Literal(number) => AddressHeld::Number(*number),
            AddressBinding::Reserved(address) => {
                let own = self.graph.entry(address.id()).is_some_and(
                    |entry| matches!(&entry.mark.holder, Holder::LoadBalancer(holder) if holder == key),
                );
                if own { AddressHeld::Own } else { AddressHeld::Foreign(address.id().clone()) }
            }
        }
    }

    /// The certificates that the cloud has, for the next snapshot.
    #[must_use]
    pub fn certificates_held(&self) -> CertificatesHeld {
        CertificatesHeld {
            by_secret: self.certificate_of_each_secret(),
            by_load_balancer: self.certificates_of_each_load_balancer(),
        }
    }

    fn certificate_of_each_secret(&self) -> BTreeMap<ObjectKey, ResourceName> {
        let served: BTreeSet<&ResourceId> = self
            .graph
            .of::<TargetHttpsProxy>()
            .flat_map(|(_, _, proxy)| proxy.certificates.iter().map(Ref::id))
            .collect();
        let mut best: BTreeMap<&ObjectKey, (bool, Option<&String>, &ResourceId)> = BTreeMap::new();
        for (id, mark, _) in self.graph.of::<SslCertificate>() {
            let Holder::Secret(secret) = &mark.holder else { continue };
            let created = self.facts.get(id).and_then(|facts| facts.created.as_ref());
            let candidate = (served.contains(id), created, id);
            let entry = best.entry(secret).or_insert(candidate);
            if candidate > *entry {
                *entry = candidate;
            }
        }
        best.into_iter().map(|(secret, (_, _, id))| (secret.clone(), id.name.clone())).collect()
    }

    fn certificates_of_each_load_balancer(
        &self,
    ) -> BTreeMap<LoadBalancerKey, Vec<(Option<ObjectKey>, ResourceName)>> {
        let mut held = BTreeMap::new();
        for (_, mark, proxy) in self.graph.of::<TargetHttpsProxy>() {
            let Holder::LoadBalancer(key) = &mark.holder else { continue };
            let served: Vec<_> = proxy
                .certificates
                .iter()
                .map(|certificate| {
                    let secret = match self.graph.entry(certificate.id()).map(|entry| &entry.mark.holder) {
                        Some(Holder::Secret(secret)) => Some(secret.clone()),
                        _ => None,
                    };
                    (secret, certificate.name().clone())
                })
                .collect();
            held.insert(key.clone(), served);
        }
        held
    }
}

/// Which resources exist for which load balancer alone: see [`Observed::holdings`].
#[derive(Debug)]
pub struct Holdings<'a> {
    observed: &'a Observed,
    by_key: OnceCell<BTreeMap<&'a LoadBalancerKey, Vec<(&'a ResourceId, &'a Node)>>>,
}

impl<'a> Holdings<'a> {
    /// What exists for this one alone.
    pub fn of(&self, key: &LoadBalancerKey) -> &[(&'a ResourceId, &'a Node)] {
        let by_key = self.by_key.get_or_init(|| {
            let mut by_key: BTreeMap<_, Vec<_>> = BTreeMap::new();
            for (id, entry) in self.observed.graph.entries() {
                if let Holder::LoadBalancer(holder) = &entry.mark.holder {
                    by_key.entry(holder).or_default().push((id, &entry.node));
                }
            }
            by_key
        });
        by_key.get(key).map_or(&[], Vec::as_slice)
    }

    /// See [`Observed::may_hold_more`].
    #[must_use]
    pub fn may_hold_more(&self) -> bool {
        self.observed.may_hold_more()
    }
}
