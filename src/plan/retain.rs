//! Who keeps what: the ownership rule, and the brake on mass deletion.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Entry, Holder, Kind, LoadBalancerKey, Node, Observed, ResourceId};
use crate::translate::{Disposition, Translation};

use super::decide::only_in;
use super::{Block, Blocked};

/// Load balancers in the cloud that the translation does not speak of.
pub(super) fn leaks(translation: &Translation, observed: &Observed) -> Vec<LoadBalancerKey> {
    // Whose resources are desired is spoken of.
    let keys: BTreeSet<&LoadBalancerKey> = only_in(&observed.graph, &translation.desired)
        .filter_map(|(_, entry)| match &entry.mark.holder {
            Holder::LoadBalancer(key) => Some(key),
            Holder::Service { .. } | Holder::Secret(_) | Holder::Cluster => None,
        })
        .filter(|key| !translation.load_balancers.contains_key(key))
        .collect();
    keys.into_iter().cloned().collect()
}

/// Which kinds of resource can point at one of this kind (gce-api, "who blocks whom").
const fn referrers(kind: Kind) -> &'static [Kind] {
    match kind {
        Kind::Firewall | Kind::ForwardingRule => &[],
        Kind::InstanceGroup | Kind::NetworkEndpointGroup | Kind::HealthCheck => &[Kind::BackendService],
        Kind::BackendService => &[Kind::UrlMap],
        Kind::UrlMap => &[Kind::TargetHttpProxy, Kind::TargetHttpsProxy],
        Kind::SslCertificate => &[Kind::TargetHttpsProxy],
        Kind::TargetHttpProxy | Kind::TargetHttpsProxy | Kind::Address => &[Kind::ForwardingRule],
    }
}

/// Whether something that we could not see may point at `id`.
fn may_be_referenced_unseen(observed: &Observed, id: &ResourceId) -> bool {
    observed.unknown.iter().any(|unknown| referrers(id.kind).contains(&unknown.kind))
}

/// What is deleted, and why nothing else is.
pub(super) struct Retention<'a> {
    /// What goes.
    pub(super) deleted: BTreeMap<&'a ResourceId, &'a Entry>,
    /// Whether something stays that the desired graph does not hold: then what the cluster's own resources allow may be
    /// needed by more than the desired graph knows.
    pub(super) more_than_desired: bool,
}

/// What of the observed graph goes. `unwanted` is what of it is not desired; `after` says what each resource is once everything else of the
/// plan is done, and is asked only where that matters; `stuck` are load balancers a part of which cannot be planned, and which part.
pub(super) fn retain<'a>(
    translation: &Translation,
    observed: &'a Observed,
    unwanted: &[(&'a ResourceId, &'a Entry)],
    after: impl FnOnce() -> BTreeMap<&'a ResourceId, &'a Node>,
    stuck: &BTreeMap<LoadBalancerKey, ResourceId>,
    blocked: &mut Vec<Blocked>,
) -> Retention<'a> {
    if unwanted.is_empty() {
        return Retention { deleted: BTreeMap::new(), more_than_desired: false };
    }
    let after = &after();
    let mut candidates: BTreeMap<&ResourceId, &Entry> = BTreeMap::new();
    for (id, entry) in unwanted.iter().copied() {
        let goes = match &entry.mark.holder {
            Holder::LoadBalancer(key) => {
                match translation.load_balancers.get(key).map(|lb| &lb.disposition) {
                    None | Some(Disposition::Keep) => false,
                    Some(Disposition::TearDown) => true,
                    // Make before break: as long as a part of what replaces it cannot be made, the old part stays.
                    Some(Disposition::Serve(_)) => match stuck.get(key) {
                        None => true,
                        Some(by) => {
                            blocked.push(block(id, entry, Block::DependsOn(by.clone())));
                            false
                        }
                    },
                }
            }
            Holder::Service { .. } | Holder::Secret(_) | Holder::Cluster => true,
        };
        if goes {
            candidates.insert(id, entry);
        }
    }
    let (cluster, mut candidates): (BTreeMap<_, _>, BTreeMap<_, _>) =
        candidates.into_iter().partition(|(_, entry)| entry.mark.holder == Holder::Cluster);

    // Whatever something that stays points at stays too.
    if !candidates.is_empty() {
        let roots = after
            .keys()
            .copied()
            .filter(|id| !candidates.contains_key(id) && !cluster.contains_key(id))
            .collect::<Vec<_>>();
        keep_reachable(roots, after, &mut candidates);
    }

    // And so does what may be pointed at from where we could not look, with all that it points at.
    let unseen: Vec<_> = candidates
        .iter()
        .filter(|(id, _)| !observed.can_tell(id) || may_be_referenced_unseen(observed, id))
        .map(|(id, entry)| (*id, *entry))
        .collect();
    blocked.extend(unseen.iter().map(|(id, entry)| block(id, entry, Block::Unseen)));
    keep_reachable(unseen.into_iter().map(|(id, _)| id).collect(), after, &mut candidates);

    let stays = |(id, entry): &(&ResourceId, &Entry)| {
        entry.mark.holder != Holder::Cluster && !candidates.contains_key(id)
    };
    let more_than_desired = unwanted.iter().any(stays);
    let anything_stays = observed.graph.entries().any(|entry| stays(&entry))
        || translation
            .desired
            .entries()
            .any(|(id, entry)| after.contains_key(id) && entry.mark.holder != Holder::Cluster);

    let mut deleted = candidates;
    if !anything_stays {
        for (id, entry) in cluster {
            if observed.unknown.is_empty() {
                deleted.insert(id, entry);
            } else {
                blocked.push(block(id, entry, Block::Unseen));
            }
        }
    }
    Retention { deleted, more_than_desired }
}

/// Takes everything out of `candidates` that can be reached from `roots`, the roots included.
fn keep_reachable<'a>(
    roots: Vec<&'a ResourceId>,
    after: &BTreeMap<&'a ResourceId, &'a Node>,
    candidates: &mut BTreeMap<&'a ResourceId, &'a Entry>,
) {
    let mut seen = BTreeSet::new();
    let mut todo = roots;
    while let Some(id) = todo.pop() {
        if seen.insert(id) {
            candidates.remove(id);
            todo.extend(after.get(id).into_iter().flat_map(|node| node.references()));
        }
    }
}

fn block(id: &ResourceId, entry: &Entry, why: Block) -> Blocked {
    Blocked { id: id.clone(), holder: entry.mark.holder.clone(), why }
}
