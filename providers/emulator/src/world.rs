//! What the rules of a resource may look at: the state, with changes that were accepted counted in, and the
//! configuration.

use crate::address_pool::AddressPool;
use crate::config::Config;
use crate::plane::Plane;
use crate::quota::Quotas;
use crate::scope::ResourcePath;
use crate::state::{Change, State, Stored};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// A read-only view for checks and renderers.
pub(crate) struct World<'a> {
    pub(crate) state: &'a State,
    pub(crate) config: &'a Config,
    pub(crate) plane: &'a Plane,
    pub(crate) pool: &'a AddressPool,
    pub(crate) quotas: &'a Quotas,
}

impl World<'_> {
    /// A resource as it will be once every accepted change has ended. `None`: it is not there, or on its way out.
    pub(crate) fn latest(&self, path: &ResourcePath) -> Option<&Stored> {
        match self.state.in_flight(path) {
            Some(Change::Put(draft)) => Some(&draft.next),
            Some(Change::Delete) => None,
            None => self.state.get(path).map(AsRef::as_ref),
        }
    }

    /// Who refers to a resource, now or by an accepted change.
    pub(crate) fn users(&self, path: &ResourcePath) -> BTreeSet<ResourcePath> {
        self.state.users(path)
    }

    /// Every resource of a collection: as it is, and as accepted changes would have it.
    pub(crate) fn every(&self, collection: &'static str) -> impl Iterator<Item = (ResourcePath, &Stored)> {
        self.every_that(collection, |_| true)
    }

    /// Those of them that fit. Cheaper than to look at all of them where few do.
    pub(crate) fn every_that(
        &self,
        collection: &'static str,
        fits: impl Fn(&Stored) -> bool + Copy,
    ) -> impl Iterator<Item = (ResourcePath, &Stored)> {
        let standing = self.state.all_that(collection, fits).map(|(path, stored)| (path, stored.as_ref()));
        let coming = self.state.changes().filter_map(move |(path, change)| match change {
            Change::Put(draft) if path.collection == collection && fits(&draft.next) => {
                Some((path.clone(), &draft.next))
            }
            Change::Put(_) | Change::Delete => None,
        });
        standing.chain(coming)
    }

    /// A loopback address that no address, no forwarding rule and no other process has.
    pub(crate) fn free_address(&self) -> Option<Ipv4Addr> {
        let addresses = self.every("addresses").map(|(_, address)| address.text("address"));
        let rules = self.every("forwardingRules").map(|(_, rule)| rule.text("IPAddress"));
        let held = addresses.chain(rules).flatten().filter_map(|text| text.parse().ok()).collect();
        self.pool.allocate(&held)
    }
}
