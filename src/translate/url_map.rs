//! The URL maps of a load balancer: one with its rules and, beside TLS, one that only redirects.
//!
//! Path rules are those of the Compute API, where the longest fitting pattern wins whatever the order. A prefix `/a` becomes the two
//! patterns `/a` and `/a/*`. Paths with the same destination share a rule, which keeps the map small; hosts and paths are sorted, so
//! that an Ingress whose rules were only reordered changes nothing.
//!
//! One thing cannot be said: a wildcard host of Kubernetes stands for one label, the Compute API's for any number. So `*.example.com`
//! serves `a.b.example.com` too, unless another host fits it better.

use std::collections::{BTreeMap, BTreeSet};

use crate::load_balancer::{Host, LoadBalancer, PathMatch, Place, Route, RouteAction, WeightedBackend};
use crate::model::{
    Destination, Holder, HostRoutes, LoadBalancerKey, PathMatcher, PathRule, Redirect, RedirectCode, Ref,
    Scheme, Scope, UrlMap,
};
use crate::naming;

use super::draft::Draft;
use super::{Findings, backend_service};
use crate::problem::{Problem, Reason};

/// The most that one URL map of a scheme may be: 1 MB, or 64 KB where it is classic (Google Cloud, "URL map size and quota units").
const fn size_limit(scheme: Scheme) -> usize {
    match scheme {
        Scheme::External => 64 << 10,
        Scheme::ExternalManaged | Scheme::Other => 1 << 20,
    }
}

/// What the load balancer does with requests. It is not in the graph yet, since it may be more than a URL map can hold.
pub(super) fn compose(
    draft: &mut Draft<'_>,
    load_balancer: &LoadBalancer,
    findings: &mut Findings,
) -> UrlMap {
    let scheme = load_balancer.scheme;
    let default = load_balancer.default.as_ref().map(|default| &default.action);
    let default = destination(draft, scheme, default, findings);
    let mut hosts: Vec<&Host> = load_balancer.hosts.iter().collect();
    hosts.sort_unstable_by(|one, other| one.pattern.cmp(&other.pattern));
    let hosts = hosts
        .into_iter()
        .map(|Host { pattern, routes }| HostRoutes {
            hosts: vec![pattern.to_string()],
            matcher: PathMatcher {
                name: naming::path_matcher(pattern),
                default: default.clone(),
                path_rules: path_rules(draft, scheme, routes, findings),
            },
        })
        .collect();
    UrlMap { default, hosts }
}

pub(super) fn draw(draft: &mut Draft<'_>, key: &LoadBalancerKey, url_map: UrlMap) -> Ref<UrlMap> {
    let name = naming::url_map(&draft.snapshot.cluster.id, key);
    draft.place(Scope::Global, name, Holder::LoadBalancer(key.clone()), url_map)
}

/// The map of port 80 where that only redirects.
pub(super) fn draw_redirect(draft: &mut Draft<'_>, key: &LoadBalancerKey, code: RedirectCode) -> Ref<UrlMap> {
    let name = naming::redirect_url_map(&draft.snapshot.cluster.id, key);
    let url_map =
        UrlMap { default: Destination::Redirect(Redirect { https: true, code }), hosts: Vec::new() };
    draft.place(Scope::Global, name, Holder::LoadBalancer(key.clone()), url_map)
}

/// Routes come in the order of precedence, so of two that yield the same pattern the first has it.
fn path_rules(
    draft: &mut Draft<'_>,
    scheme: Scheme,
    routes: &[Route],
    findings: &mut Findings,
) -> Vec<PathRule> {
    let mut taken = BTreeSet::new();
    let mut rules: BTreeMap<Destination, BTreeSet<String>> = BTreeMap::new();
    for Route { path, action, place: _ } in routes {
        let mut patterns = patterns(path);
        patterns.retain(|pattern| taken.insert(pattern.clone()));
        if !patterns.is_empty() {
            let destination = destination(draft, scheme, Some(action), findings);
            rules.entry(destination).or_default().extend(patterns);
        }
    }
    let mut rules: Vec<PathRule> = rules
        .into_iter()
        .map(|(destination, paths)| PathRule { paths: paths.into_iter().collect(), destination })
        .collect();
    rules.sort_unstable_by(|one, other| one.paths.cmp(&other.paths));
    rules
}

/// The patterns of a path, as the Compute API's path rules write them.
pub(super) fn patterns(path: &PathMatch) -> Vec<String> {
    match path {
        PathMatch::Exact(path) | PathMatch::Pattern(path) => vec![path.clone()],
        PathMatch::Prefix(path) if path == "/" => vec!["/*".to_owned()],
        PathMatch::Prefix(path) => vec![path.clone(), format!("{path}/*")],
    }
}

fn destination(
    draft: &mut Draft<'_>,
    scheme: Scheme,
    action: Option<&RouteAction>,
    findings: &mut Findings,
) -> Destination {
    match action {
        Some(RouteAction::Redirect(code)) => Destination::Redirect(Redirect { https: true, code: *code }),
        Some(RouteAction::Forward(backends)) => match backends.as_slice() {
            [] => not_found(draft, scheme),
            [WeightedBackend { backend, .. }, rest @ ..] => {
                if let Some(WeightedBackend { place: Place { object, field }, .. }) = rest.first() {
                    findings.push(object, Problem::degraded(
                        Reason::BackendUnsupported,
                        field.clone(),
                        "Requests cannot be spread over several backends by weight yet: all go to the first. Name one backend.",
                    ));
                }
                match draft.service(scheme, backend) {
                    Some(service) => Destination::Service(service.clone()),
                    None => not_found(draft, scheme),
                }
            }
        },
        None | Some(RouteAction::NotFound) => not_found(draft, scheme),
    }
}

/// A classic load balancer cannot answer 404 by itself: it answers 502, having no backend.
fn not_found(draft: &mut Draft<'_>, scheme: Scheme) -> Destination {
    let service = backend_service::draw_not_found(draft, scheme);
    match scheme {
        Scheme::External => Destination::Service(service),
        Scheme::ExternalManaged | Scheme::Other => Destination::NotFound { behind: service },
    }
}

/// Whether the map cannot be made for its size.
pub(super) fn fits(url_map: &UrlMap, scheme: Scheme) -> bool {
    estimated_bytes(url_map) <= size_limit(scheme)
}

/// Whether the API would refuse the map for its size.
pub(super) fn too_large(url_map: &UrlMap, scheme: Scheme) -> Option<Problem> {
    let (size, limit) = (estimated_bytes(url_map), size_limit(scheme));
    (size > limit).then(|| {
        Problem::rejected(
            Reason::UrlMapTooLarge,
            "spec.rules",
            format!(
                "The rules need a URL map of about {} KB, and Google Cloud takes at most {} KB. The load balancer stays as it is. \
                 Spread the hosts over several objects, or replace long lists of paths by prefixes.",
                size.div_ceil(1024),
                limit / 1024
            ),
        )
    })
}

/// How large the map is on the wire, rather too much than too little.
fn estimated_bytes(url_map: &UrlMap) -> usize {
    /// Name, description, the keys around the lists.
    const MAP: usize = 1024;
    /// `{"hosts":[],"pathMatcher":""},{"name":"","defaultService":"","pathRules":[]},` and some.
    const HOST: usize = 96;
    /// `{"paths":[],"service":""},` and some.
    const RULE: usize = 32;
    /// Quotes and a comma.
    const TEXT: usize = 3;
    let UrlMap { default, hosts } = url_map;
    let mut size = MAP + destination_bytes(default);
    for HostRoutes { hosts, matcher: PathMatcher { name, default, path_rules } } in hosts {
        size += HOST + 2 * name.len() + destination_bytes(default);
        size += hosts.iter().map(|host| host.len() + TEXT).sum::<usize>();
        for PathRule { paths, destination } in path_rules {
            size += RULE + destination_bytes(destination);
            size += paths.iter().map(|path| path.escape_debug().count() + TEXT).sum::<usize>();
        }
    }
    size
}

fn destination_bytes(destination: &Destination) -> usize {
    /// The longest link to a backend service but for its name: host, version, and a project id of 63 characters.
    const LINK: usize = 144;
    /// A redirect's or a fault policy's fields.
    const ACTION: usize = 192;
    match destination {
        Destination::Service(service) => LINK + service.name().as_str().len(),
        Destination::NotFound { behind } => ACTION + LINK + behind.name().as_str().len(),
        Destination::Redirect(_) => ACTION,
        Destination::Other(text) => text.len(),
    }
}
