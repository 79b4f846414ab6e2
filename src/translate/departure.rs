//! When an object may be let go, and which load balancers it must remember until then.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Certificates, Destination, Holdings, HostRoutes, LoadBalancerKey, Node, ObjectKey, PathMatcher, PathRule,
    Ref, ResourceName, UrlMap,
};

use super::{Claimant, Disposition, Translated, Translation};

impl Translation {
    /// The objects that must not vanish unseen, since something is made for them, with the shared load balancers that each must
    /// remember.
    pub fn claims<'a>(
        &'a self,
        held: &Holdings<'_>,
    ) -> impl Iterator<Item = (&'a ObjectKey, BTreeSet<LoadBalancerKey>)> {
        self.claimants.iter().filter_map(|(object, claimant)| {
            let home = self.load_balancers.get(claimant.home.as_ref()?)?;
            match home.disposition {
                Disposition::Serve(_) => Some((object, self.remembered(object, claimant, held))),
                Disposition::Keep | Disposition::TearDown => None,
            }
        })
    }

    /// The shared load balancers that an object must remember, since they hold something of it or are about to.
    #[must_use]
    pub fn remembered(
        &self,
        object: &ObjectKey,
        claimant: &Claimant,
        held: &Holdings<'_>,
    ) -> BTreeSet<LoadBalancerKey> {
        let Claimant { home, elsewhere, share: _, problems: _ } = claimant;
        let left = elsewhere.iter().filter(|key| self.may_hold(object, key, held));
        home.iter().chain(left).filter(|key| key.is_shared()).cloned().collect()
    }

    /// Whether nothing of an object that has no home any more is left in the cloud.
    #[must_use]
    pub fn is_gone(&self, object: &ObjectKey, claimant: &Claimant, held: &Holdings<'_>) -> bool {
        let Claimant { home, elsewhere, share: _, problems: _ } = claimant;
        // What it had for itself alone before it joined a group is among those only if it was seen when this was translated.
        let may_hold_its_own = || {
            let own = LoadBalancerKey::ingress(object.clone());
            held.may_hold_more() || !held.of(&own).is_empty()
        };
        home.is_none() && !elsewhere.iter().any(|key| self.may_hold(object, key, held)) && !may_hold_its_own()
    }

    /// Whether a load balancer may still hold something of an object that has left it.
    fn may_hold(&self, object: &ObjectKey, key: &LoadBalancerKey, held: &Holdings<'_>) -> bool {
        let Some(Translated { disposition, objects }) = self.load_balancers.get(key) else { return false };
        // Until it is served elsewhere it is served there.
        if objects.contains(object) {
            return true;
        }
        match disposition {
            Disposition::TearDown => !held.of(key).is_empty() || held.may_hold_more(),
            Disposition::Serve(_) if !key.is_shared() => true,
            Disposition::Serve(_) => held.may_hold_more() || !self.holds_only_what_is_wanted(key, held),
            // It cannot be changed now because of those that stay; they are the ones who hold it, and nobody is kept for that.
            Disposition::Keep => false,
        }
    }

    /// Whether everything that it serves is asked for by somebody who stays. What is still to come does not matter.
    fn holds_only_what_is_wanted(&self, key: &LoadBalancerKey, held: &Holdings<'_>) -> bool {
        held.of(key).iter().all(|(id, node)| {
            let wanted = self.desired.entry(id).map(|entry| &entry.node);
            match (node, wanted) {
                (Node::UrlMap(is), Some(Node::UrlMap(wanted))) => {
                    let (is, wanted) = (requests(is), requests(wanted));
                    is.iter().all(|(request, destination)| wanted.get(request) == Some(destination))
                }
                // A map that nobody wants is on its way out.
                (Node::UrlMap(_), _) => false,
                (Node::TargetHttpsProxy(is), wanted) => {
                    let wanted = match wanted {
                        Some(Node::TargetHttpsProxy(proxy)) => Some(&proxy.certificates),
                        _ => None,
                    };
                    let wanted: BTreeSet<&ResourceName> =
                        wanted.into_iter().flat_map(Certificates::iter).map(Ref::name).collect();
                    is.certificates.iter().all(|certificate| wanted.contains(certificate.name()))
                }
                _ => true,
            }
        })
    }
}

/// Where requests go, by host and path; the map's own default under two empty texts.
fn requests(map: &UrlMap) -> BTreeMap<(&str, &str), &Destination> {
    let UrlMap { default, hosts } = map;
    let mut requests = BTreeMap::from([(("", ""), default)]);
    for HostRoutes { hosts, matcher: PathMatcher { name: _, default, path_rules } } in hosts {
        for host in hosts {
            requests.insert((host, ""), default);
            for PathRule { paths, destination } in path_rules {
                requests.extend(paths.iter().map(|path| ((host.as_str(), path.as_str()), destination)));
            }
        }
    }
    requests
}
