//! What becomes of a group that is more than one URL map can hold: the later members give way, host by host.

use std::collections::{BTreeMap, BTreeSet};

use crate::load_balancer::{HostPattern, LoadBalancer, Place};
use crate::model::{ObjectKey, UrlMap};
use crate::problem::{Problem, Reason};

use super::draft::Draft;
use super::{Findings, url_map};

/// One member's part of one host, or (`None`) of the default.
type Part<'a> = (usize, Option<&'a HostPattern>);

/// The map with as much as there is room for, in the order of the members; within one, the default first, and hosts in its own order.
pub(super) fn cut(draft: &mut Draft<'_>, load_balancer: &LoadBalancer, findings: &mut Findings) -> UrlMap {
    let rank: BTreeMap<&ObjectKey, usize> =
        load_balancer.objects.iter().enumerate().map(|(rank, object)| (&**object, rank)).collect();
    let of = |place: &Place| rank.get(&*place.object).copied().unwrap_or(usize::MAX);
    let mut order: Vec<Part<'_>> =
        load_balancer.default.iter().map(|default| (of(&default.place), None)).collect();
    for host in &load_balancer.hosts {
        let members: BTreeSet<usize> = host.routes.iter().map(|route| of(&route.place)).collect();
        order.extend(members.into_iter().map(|member| (member, Some(&host.pattern))));
    }
    // Stable, so the hosts of one member stay in their order.
    order.sort_by_key(|(member, host)| (*member, host.is_some()));
    let place_of: BTreeMap<Part<'_>, usize> =
        order.iter().enumerate().map(|(at, part)| (*part, at)).collect();

    let mut composed = |parts: usize| {
        let mut description = load_balancer.clone();
        description.keep_routes(|host, place| place_of.get(&(of(place), host)).is_some_and(|at| *at < parts));
        // What is wrong with it was said of the whole.
        url_map::compose(draft, &description, &mut Findings::default())
    };
    // The most parts that fit: the more there are, the larger the map.
    let (mut fit, mut too_many) = (0, order.len());
    while fit + 1 < too_many {
        let middle = fit.midpoint(too_many);
        if url_map::fits(&composed(middle), load_balancer.scheme) { fit = middle } else { too_many = middle }
    }
    let map = composed(fit);

    let mut left_out: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for (member, host) in order.iter().skip(fit) {
        let what = host.map_or_else(|| "the default backend".to_owned(), |host| format!("host {host}"));
        left_out.entry(*member).or_default().push(what);
    }
    for (member, what) in left_out {
        let Some(object) = load_balancer.objects.get(member) else { continue };
        let more = match what.len() {
            0 | 1 => String::new(),
            parts => format!(" and {} more", parts - 1),
        };
        let first = what.first().cloned().unwrap_or_default();
        findings.push(
            object,
            Problem::degraded(
                Reason::UrlMapTooLarge,
                "spec.rules",
                format!(
                    "The rules of all members of {} need more than one URL map can hold (1 MB). Members that come first go first, so of this \
                     one {first}{more} cannot be served. Move it to another group, or replace long lists of paths by prefixes.",
                    load_balancer.key
                ),
            ),
        );
    }
    map
}
