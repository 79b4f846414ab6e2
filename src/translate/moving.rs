//! Objects on their way from one load balancer to another: make before break.
//!
//! What they leave stays as long as they are not served where they go. When they are is read from the cloud: the forwarding rules of
//! the new load balancer exist on each port that it is to have, and, where that one was there before and is shared, its url map has every
//! host and path of theirs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ingress::{Readings, Wish};
use crate::load_balancer::LoadBalancer;
use crate::model::{LoadBalancerHeld, LoadBalancerKey, ObjectKey};

use super::{Moves, url_map};

/// Takes out of each description what its objects need no longer there.
pub(super) fn settle(readings: &mut Readings, held: &BTreeMap<LoadBalancerKey, LoadBalancerHeld>) -> Moves {
    let Readings { load_balancers, objects } = readings;
    let moving: BTreeSet<Arc<ObjectKey>> =
        load_balancers.values().flat_map(|reading| &reading.moving).cloned().collect();
    if moving.is_empty() {
        return Moves::None;
    }
    let arrived: BTreeSet<Arc<ObjectKey>> = moving
        .into_iter()
        .filter(|object| {
            let home = objects.get(&**object).and_then(|membership| membership.home.as_ref());
            let wish = home.and_then(|home| Some((home, &load_balancers.get(home)?.wish)));
            match wish {
                Some((home, Wish::Serve(description))) => {
                    held.get(home).is_some_and(|held| is_served(object, description, held))
                }
                Some((_, Wish::Keep(_) | Wish::TearDown)) | None => false,
            }
        })
        .collect();
    let mut moves = Moves::None;
    for reading in load_balancers.values_mut() {
        if reading.moving.is_empty() {
            continue;
        }
        if !reading.moving.is_subset(&arrived) {
            moves = Moves::UnderWay;
        }
        let gone: BTreeSet<_> = reading.moving.intersection(&arrived).cloned().collect();
        let stays =
            |description: &LoadBalancer| description.objects.iter().any(|object| !gone.contains(object));
        reading.wish = match std::mem::replace(&mut reading.wish, Wish::TearDown) {
            Wish::Serve(description) if stays(&description) => Wish::Serve(description.without(&gone)),
            Wish::Keep(description) if stays(&description) => Wish::Keep(description),
            Wish::Serve(_) | Wish::Keep(_) | Wish::TearDown => Wish::TearDown,
        };
    }
    moves
}

fn is_served(object: &Arc<ObjectKey>, home: &LoadBalancer, held: &LoadBalancerHeld) -> bool {
    home.frontend.ports().iter().all(|port| held.ports.contains_key(port))
        && (!home.key.is_shared() || has_all(object, home, held))
}

/// A route that another member's takes the place of is not there, and is not waited for either: the description has the winner's.
fn has_all(object: &Arc<ObjectKey>, home: &LoadBalancer, held: &LoadBalancerHeld) -> bool {
    home.hosts.iter().all(|host| {
        let mut own = host.routes.iter().filter(|route| route.place.object == *object).peekable();
        if own.peek().is_none() {
            return true;
        }
        held.paths.get(&host.pattern.to_string()).is_some_and(|paths| {
            own.all(|route| url_map::patterns(&route.path).iter().all(|path| paths.contains(path)))
        })
    })
}
