//! Warming: a backend service is probed only once a forwarding rule reaches it, and sends no request to a backend that was not probed.
//! So one that is to take over requests is made reached first, by a host rule that no client asks for; then it is waited for until it
//! is well; then the requests are moved.
//!
//! Two url maps say which requests move: for each class of requests that either tells apart (by its host and path patterns) there is
//! where they went and where they are to go. Requests that go to another backend service than before are *moved*. The rule:
//!
//! * A move is waited for if the requests were answered before, and the new service could be well and is not known to be.
//! * *Answered before* are those that a backend service got, or a redirect of ours. It does not matter whether a rule named them: a new path
//!   below a default backend moves requests, since the default backend answered them, with 200 or not. What was answered 404 by the
//!   load balancer itself was not served, so a new host or path takes effect at once.
//! * It is not waited for a service without members, since it will never be well: that it serves nobody is what was asked for. Nor
//!   where every service that gets the requests now has and gets no members, or has none that is well: waiting would protect nobody.
//! * A url map that no forwarding rule reaches moves nothing.
//!
//! What is waited for holds up the move alone. Every other change of the same url map is made at once, together with the warming.
//! A warm host rule goes with the update that moves the requests, and so does one that is no longer needed.
//!
//! Half-way through, the cloud itself says how far it is: its url map has the warm host rule, and `Observed::health` the health.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use super::decide::is_absent;
use crate::model::{
    BackendService, Destination, ForwardingRule, Graph, Group, HostRoutes, Node, Observed, PathMatcher,
    PathRule, Ref, ResourceId, Target, UrlMap, Wellness,
};

/// Each backend service that is waited for, with those that get its requests until then (none, where something else answers them).
pub(super) type Awaits = BTreeMap<ResourceId, BTreeSet<ResourceId>>;

/// What is known of who is reached and who is well.
pub(super) struct Warmth<'a> {
    desired: &'a Graph,
    observed: &'a Observed,
    /// Worked out only when some request moves.
    reached: OnceCell<Reached<'a>>,
}

/// What forwarding rules lead to.
struct Reached<'a> {
    maps: BTreeSet<&'a ResourceId>,
    /// By any rule of theirs: these are probed.
    probed: BTreeSet<&'a ResourceId>,
    /// By rules that requests come by, now and in the end: these are probed all the while.
    lasting: BTreeSet<&'a ResourceId>,
}

impl<'a> Warmth<'a> {
    pub(super) const fn new(desired: &'a Graph, observed: &'a Observed) -> Self {
        Self { desired, observed, reached: OnceCell::new() }
    }

    /// What must be well before the url map can go from one state to the other.
    pub(super) fn awaits(&self, id: &ResourceId, from: &UrlMap, to: &UrlMap) -> Awaits {
        let mut awaits = Awaits::new();
        for (service, before) in moves(from, to) {
            if !self.reached().maps.contains(id) || !self.could_be_well(service) {
                continue;
            }
            let answered = before.iter().filter(|before| self.answers(before)).collect::<Vec<_>>();
            let well = self.is_probed(service) && self.observed.health.get(service) == Some(&Wellness::Well);
            if answered.is_empty() || well {
                continue;
            }
            let services = answered.iter().filter_map(|before| match before {
                Destination::Service(service) => Some(service.id().clone()),
                _ => None,
            });
            let services: BTreeSet<ResourceId> = services.collect();
            let all = answered.iter().all(|before| matches!(before, Destination::Service(_)));
            awaits.insert(service.clone(), if all { services } else { BTreeSet::new() });
        }
        // Without a state in between there is nothing to wait in.
        if !awaits.is_empty() && self.warm(from, to, &awaits).is_none() {
            return Awaits::new();
        }
        awaits
    }

    /// Whether something makes the cloud probe it, before anything is changed.
    pub(super) fn is_probed(&self, service: &ResourceId) -> bool {
        self.reached().probed.contains(service)
    }

    /// Whether that stays so whatever is changed meanwhile.
    pub(super) fn stays_probed(&self, service: &ResourceId) -> bool {
        self.reached().lasting.contains(service)
    }

    /// The state in between: all of `to` but the moves that wait, and the warm host rules that make what is waited for reached. `None`:
    /// there is none, since what is there leads to what is there no more, or is not whole, and the cloud does not take it a second time.
    pub(super) fn warm(&self, from: &UrlMap, to: &UrlMap, awaits: &Awaits) -> Option<UrlMap> {
        let held = self.held_back(from, to, awaits);
        // Where that would answer some request otherwise than before or after, nothing but the warming comes first.
        let held = if self.is_in_between(from, &held, to, awaits) { held } else { from.warming([]) };
        let leads_nowhere = held.destinations().any(|destination| match destination {
            Destination::Service(service) | Destination::NotFound { behind: service } => {
                self.is_gone(service.id())
            }
            Destination::Redirect(_) => false,
            // What we never make we do not write either: half a change, or the work of somebody else.
            Destination::Other(_) => true,
        });
        if leads_nowhere {
            return None;
        }
        // What is well already but moved to together with what is not stays warm until then.
        let moved_later: BTreeSet<&ResourceId> = moves(&held, to).into_keys().collect();
        let was_warm: BTreeSet<&ResourceId> = from.warm().map(Ref::id).collect();
        let stays_warm = |id: &ResourceId| was_warm.contains(id) && moved_later.contains(id);
        let warm: BTreeMap<&ResourceId, &Ref<BackendService>> = to
            .destinations()
            .filter_map(|destination| match destination {
                Destination::Service(service) => Some((service.id(), service)),
                _ => None,
            })
            .filter(|(id, _)| (awaits.contains_key(*id) && !self.stays_probed(id)) || stays_warm(id))
            .collect();
        Some(held.warming(warm.into_values()))
    }

    /// Whether somebody has deleted it, and it is not to be made anew.
    fn is_gone(&self, service: &ResourceId) -> bool {
        is_absent(service, self.observed) && !self.desired.contains(service)
    }

    /// `to` without what waits: a rule that is there already leads where it does now, and one that is not does not come yet. (One that is
    /// there but leads elsewhere could be taken for what was asked for.)
    fn held_back(&self, from: &UrlMap, to: &UrlMap, awaits: &Awaits) -> UrlMap {
        let before = Routes::of(from);
        let waits = |destination: &Destination| matches!(destination, Destination::Service(service) if awaits.contains_key(service.id()));
        let held = |destination: &Destination, now: &Destination| {
            if waits(destination) && self.answers(now) { now.clone() } else { destination.clone() }
        };
        let mut hosts = Vec::new();
        for HostRoutes { hosts: names, matcher } in to.routes() {
            let PathMatcher { name, default, path_rules } = matcher;
            let now = names.iter().map(|host| before.hosts.get(host.as_str())).collect::<Option<Vec<_>>>();
            let Some(now) = now.filter(|now| !now.is_empty()) else {
                // A new host comes as a whole.
                let rules = path_rules.iter().map(|rule| &rule.destination);
                if !rules.chain([default]).any(waits) {
                    hosts.push(HostRoutes { hosts: names.clone(), matcher: matcher.clone() });
                }
                continue;
            };
            let mut rules = Vec::new();
            for PathRule { paths, destination } in path_rules {
                let mut by_destination: BTreeMap<Destination, Vec<String>> = BTreeMap::new();
                for path in paths {
                    let is = now.iter().find_map(|now| now.paths.get(path.as_str()));
                    let destination = match is {
                        Some(is) => held(destination, is),
                        None if waits(destination) => continue,
                        None => destination.clone(),
                    };
                    by_destination.entry(destination).or_default().push(path.clone());
                }
                let split = by_destination.into_iter();
                rules.extend(split.map(|(destination, paths)| PathRule { paths, destination }));
            }
            let default = held(default, now.first().map_or(default, |now| now.default));
            let matcher = PathMatcher { name: name.clone(), default, path_rules: rules };
            hosts.push(HostRoutes { hosts: names.clone(), matcher });
        }
        UrlMap { default: held(&to.default, &from.default), hosts }
    }

    /// Whether each request is answered by `held` as before or as in the end, and as before where that is what waits.
    fn is_in_between(&self, from: &UrlMap, held: &UrlMap, to: &UrlMap, awaits: &Awaits) -> bool {
        let maps = [from, held, to].map(Routes::of);
        requests(&maps).into_iter().all(|[was, is, will]| {
            let waits = matches!(will, Destination::Service(service) if awaits.contains_key(service.id()));
            is == was || (is == will && !(waits && self.answers(was)))
        })
    }

    /// Whether somebody answers requests that go there now, as far as is known.
    fn answers(&self, destination: &Destination) -> bool {
        match destination {
            // What somebody else has put there is not what was asked for.
            Destination::NotFound { behind: _ } | Destination::Other(_) => false,
            Destination::Redirect(_) => true,
            Destination::Service(service) => {
                !is_absent(service.id(), self.observed)
                    && self.observed.health.get(service.id()) != Some(&Wellness::Unwell)
                    && (has_members(&self.observed.graph, service.id()) != Some(false)
                        || has_members(self.desired, service.id()) == Some(true))
            }
        }
    }

    /// Whether it has, or is to have, a backend.
    fn could_be_well(&self, service: &ResourceId) -> bool {
        has_members(self.desired, service)
            .or_else(|| has_members(&self.observed.graph, service))
            .unwrap_or(true)
    }

    fn reached(&self) -> &Reached<'a> {
        self.reached.get_or_init(|| {
            let graph = &self.observed.graph;
            let maps: BTreeSet<&ResourceId> = graph
                .of::<ForwardingRule>()
                .filter_map(|(_, _, rule)| match &rule.target {
                    Target::Http(proxy) => Some(graph.get(proxy)?.url_map.id()),
                    Target::Https(proxy) => Some(graph.get(proxy)?.url_map.id()),
                    Target::Other(_) => None,
                })
                .collect();
            let found = maps.iter().filter_map(|id| match &graph.entry(id)?.node {
                Node::UrlMap(map) => Some((*id, map)),
                _ => None,
            });
            let (mut probed, mut lasting) = (BTreeSet::new(), BTreeSet::new());
            for (id, map) in found {
                probed.extend(served(map));
                probed.extend(map.warm().map(Ref::id));
                if let Some(Node::UrlMap(then)) = self.desired.entry(id).map(|entry| &entry.node) {
                    let then: BTreeSet<&ResourceId> = served(then).collect();
                    lasting.extend(served(map).filter(|service| then.contains(service)));
                }
            }
            Reached { maps, probed, lasting }
        })
    }
}

/// The backend services that requests of a url map go to.
fn served(map: &UrlMap) -> impl Iterator<Item = &ResourceId> {
    let of_hosts = map.routes().flat_map(|host| {
        let PathMatcher { name: _, default, path_rules } = &host.matcher;
        std::iter::once(default).chain(path_rules.iter().map(|rule| &rule.destination))
    });
    std::iter::once(&map.default).chain(of_hosts).filter_map(|destination| match destination {
        Destination::Service(service) => Some(service.id()),
        _ => None,
    })
}

/// Whether a backend service has a member in any of its groups; `None` where the graph does not know the service.
fn has_members(graph: &Graph, service: &ResourceId) -> Option<bool> {
    let Node::BackendService(service) = &graph.entry(service)?.node else { return None };
    Some(service.backends.iter().any(|backend| match &backend.group {
        Group::Instances(group) => graph.get(group).is_none_or(|group| !group.members.is_empty()),
        Group::Endpoints(group) => graph.get(group).is_none_or(|group| group.members.count() != Some(0)),
        Group::Other(_) => true,
    }))
}

/// Stands for a host that no rule names.
const ANY_HOST: &str = "*";

/// Stands for a path that no rule names.
const ANY_PATH: &str = "/*";

/// For each backend service that gets requests which went elsewhere: where they went.
pub(super) fn moves<'a>(
    from: &'a UrlMap,
    to: &'a UrlMap,
) -> BTreeMap<&'a ResourceId, BTreeSet<&'a Destination>> {
    let mut moves: BTreeMap<&ResourceId, BTreeSet<&Destination>> = BTreeMap::new();
    for [was, will] in requests(&[from, to].map(Routes::of)) {
        if let Destination::Service(service) = will
            && was != will
        {
            moves.entry(service.id()).or_default().insert(was);
        }
    }
    moves
}

/// Where each class of requests goes by each of several url maps: no two requests of a class are told apart by any of them.
fn requests<'a, const N: usize>(maps: &[Routes<'a>; N]) -> Vec<[&'a Destination; N]> {
    let mut requests = Vec::new();
    let hosts: BTreeSet<&str> =
        maps.iter().flat_map(|map| map.hosts.keys().copied()).chain([ANY_HOST]).collect();
    for host in hosts {
        let of_host: [&Paths<'a>; N] = std::array::from_fn(|nth| maps[nth].of_host(host));
        let paths: BTreeSet<&str> =
            of_host.iter().flat_map(|rules| rules.paths.keys().copied()).chain([ANY_PATH]).collect();
        requests.extend(paths.into_iter().map(|path| of_host.map(|rules| rules.find(path))));
    }
    requests
}

/// A url map, made for finding where a request goes.
struct Routes<'a> {
    hosts: BTreeMap<&'a str, Paths<'a>>,
    /// For any other host.
    default: Paths<'a>,
}

#[derive(Clone)]
struct Paths<'a> {
    paths: BTreeMap<&'a str, &'a Destination>,
    default: &'a Destination,
}

impl<'a> Routes<'a> {
    fn of(map: &'a UrlMap) -> Self {
        let mut hosts = BTreeMap::new();
        for HostRoutes { hosts: names, matcher } in map.routes() {
            let PathMatcher { name: _, default, path_rules } = matcher;
            let paths = path_rules
                .iter()
                .flat_map(|rule| rule.paths.iter().map(|path| (path.as_str(), &rule.destination)));
            let paths = Paths { paths: paths.collect(), default };
            hosts.extend(names.iter().map(|name| (name.as_str(), paths.clone())));
        }
        Self { hosts, default: Paths { paths: BTreeMap::new(), default: &map.default } }
    }

    /// The rules for a host, or for a host that fits a pattern and nothing narrower: the longest pattern wins.
    fn of_host(&self, host: &str) -> &Paths<'a> {
        let mut wider = host;
        let mut found = self.hosts.get(host);
        while let (None, Some((_, rest))) = (found, wider.split_once('.')) {
            wider = rest;
            found = self.hosts.get(format!("*.{rest}").as_str());
        }
        found.or_else(|| self.hosts.get(ANY_HOST)).unwrap_or(&self.default)
    }
}

impl<'a> Paths<'a> {
    /// Where a path goes, or a path that fits a pattern and nothing narrower: the longest pattern wins.
    fn find(&self, path: &str) -> &'a Destination {
        if let Some(found) = self.paths.get(path) {
            return found;
        }
        let wider = path.rmatch_indices('/').map(|(at, _)| format!("{}/*", &path[..at]));
        wider.into_iter().find_map(|wider| self.paths.get(wider.as_str()).copied()).unwrap_or(self.default)
    }
}

#[cfg(test)]
mod tests;
