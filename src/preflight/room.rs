//! Resource quotas: what there may be of each kind, and what is left.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::Refusal;
use crate::model::{Kind, Region, ResourceId, Scope, Zone};

/// Where a quota counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// Global resources of the project.
    Global,
    /// Resources of one region and its zones.
    Region(Region),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Global => f.write_str("(global)"),
            Self::Region(region) => write!(f, "(region {region})"),
        }
    }
}

/// How many there may be, and how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// The most there may be.
    pub limit: u64,
    /// How many there were when this was read.
    pub usage: u64,
}

/// The project's quotas, as far as they are known. What is not known refuses nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quotas {
    /// By place and the API's name of the metric.
    pub by_metric: BTreeMap<(Place, String), Quota>,
}

/// How many more of each metric are used.
#[derive(Debug, Clone, Default)]
pub(super) struct Spent(BTreeMap<(Place, &'static str), u64>);

impl Spent {
    pub(super) fn of<'a>(resources: impl Iterator<Item = &'a ResourceId>) -> Self {
        let mut spent = Self::default();
        spent.add(resources);
        spent
    }

    pub(super) fn add<'a>(&mut self, resources: impl Iterator<Item = &'a ResourceId>) {
        for id in resources {
            for metric in metrics(id.kind) {
                *self.0.entry((place(&id.scope), *metric)).or_default() += 1;
            }
        }
    }

    fn count(&self, key: &(Place, &'static str)) -> u64 {
        self.0.get(key).copied().unwrap_or_default()
    }
}

impl Quotas {
    /// The first quota that has no room for making all of these, with the resource that names it.
    pub(super) fn shortage(
        &self,
        spent: &Spent,
        made: &BTreeSet<&ResourceId>,
        freed: &Spent,
    ) -> Option<(ResourceId, Refusal)> {
        let wanted = Spent::of(made.iter().copied());
        wanted.0.iter().find_map(|(key, wanted)| {
            let (place, metric) = key;
            let Quota { limit, usage } = *self.by_metric.get(&(place.clone(), (*metric).to_owned()))?;
            let left = limit.saturating_sub(usage.saturating_add(spent.count(key)));
            let need = wanted.saturating_sub(freed.count(key));
            if need <= left {
                return None;
            }
            let counts =
                |id: &ResourceId| self::place(&id.scope) == *place && metrics(id.kind).contains(metric);
            let first = (*made.iter().find(|id| counts(id))?).clone();
            let metric = (*metric).to_owned();
            Some((first, Refusal::Quota { metric, place: place.clone(), limit, left, need }))
        })
    }
}

/// A zone counts for its region.
pub(super) fn place(scope: &Scope) -> Place {
    match scope {
        Scope::Global => Place::Global,
        Scope::Region(region) => Place::Region(region.clone()),
        Scope::Zone(zone) => Place::Region(region_of(zone)),
    }
}

/// A zone's name is its region's and a letter.
pub(crate) fn region_of(Zone(zone): &Zone) -> Region {
    Region(zone.rsplit_once('-').map_or(zone.as_str(), |(region, _)| region).to_owned())
}

/// Which metrics count a resource of this kind, as the API spells them (`projects.get`, `regions.get`). A load balancer's address is
/// in use as soon as it has a forwarding rule, so it counts for both.
const fn metrics(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Firewall => &["FIREWALLS"],
        Kind::InstanceGroup => &["INSTANCE_GROUPS"],
        Kind::NetworkEndpointGroup => &["NETWORK_ENDPOINT_GROUPS"],
        Kind::HealthCheck => &["HEALTH_CHECKS"],
        Kind::BackendService => &["BACKEND_SERVICES", "GLOBAL_EXTERNAL_MANAGED_BACKEND_SERVICES"],
        Kind::UrlMap => &["URL_MAPS"],
        Kind::SslCertificate => &["SSL_CERTIFICATES"],
        Kind::TargetHttpProxy => &["TARGET_HTTP_PROXIES"],
        Kind::TargetHttpsProxy => &["TARGET_HTTPS_PROXIES"],
        Kind::Address => &["STATIC_ADDRESSES", "IN_USE_ADDRESSES"],
        Kind::ForwardingRule => &["FORWARDING_RULES", "GLOBAL_EXTERNAL_MANAGED_FORWARDING_RULES"],
    }
}
