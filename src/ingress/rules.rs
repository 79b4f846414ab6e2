//! Host and path rules of an Ingress.
//!
//! * A host that stands in two rules is one host with the paths of both.
//! * Within a host, an exact path comes before a prefix of the same length, and a longer path before a shorter one (KEP-1453). The
//!   routes are yielded in that order.
//! * The same path twice is a conflict: the first wins. Where both go to the same place nothing is lost, and nothing is said.
//! * `Prefix` compares whole elements of a path, and a slash at its end does not count.
//! * `ImplementationSpecific` is a path as a Compute Engine URL map writes it: `/a` is that path alone, `/a/*` is everything below it.
//!   An empty one is `/*`, everything.
//!
//! Hosts and paths are checked for more than the API server checks: it lets through what a URL map cannot express. What it
//! refuses is refused here too, since a folder of manifests never meets it.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use k8s_openapi::api::networking::v1::{HTTPIngressPath, Ingress};

use crate::load_balancer::{Host, HostPattern, PathMatch, Place, Route};
use crate::model::ObjectKey;
use crate::problem::{Problem, Reason};

use super::backend;

/// The longest path that a URL map takes (Compute API, `pathRules.paths`).
const PATH_LENGTH: usize = 1024;

/// The longest host name of the DNS (RFC 1035), and the longest label in one.
const HOST_LENGTH: usize = 253;
const LABEL_LENGTH: usize = 63;

/// Hosts in the order of their first appearance, with their routes in the order of precedence.
pub(super) fn hosts(ingress: &Ingress, object: &Arc<ObjectKey>) -> (Vec<Host>, Vec<Problem>) {
    let mut reader = Reader { object, hosts: Vec::new(), by_pattern: BTreeMap::new(), problems: Vec::new() };
    let rules = ingress.spec.iter().filter_map(|spec| spec.rules.as_ref()).flatten();
    for (index, rule) in rules.enumerate() {
        let host = match host_pattern(rule.host.as_deref().unwrap_or_default()) {
            Ok(pattern) => reader.host(pattern),
            Err(why) => {
                reader.problems.push(Problem::degraded(
                    Reason::HostInvalid,
                    format!("spec.rules[{index}].host"),
                    format!("{why} The paths of this rule are not served; all other rules are."),
                ));
                continue;
            }
        };
        let paths = rule.http.iter().flat_map(|http| &http.paths);
        for (path_index, path) in paths.enumerate() {
            reader.route(host, path, format!("spec.rules[{index}].http.paths[{path_index}]"));
        }
    }
    let Reader { hosts, problems, .. } = reader;
    (hosts.into_iter().map(HostRoutes::in_order).collect(), problems)
}

struct Reader<'a> {
    object: &'a Arc<ObjectKey>,
    hosts: Vec<HostRoutes>,
    by_pattern: BTreeMap<HostPattern, usize>,
    problems: Vec<Problem>,
}

/// A host while its routes are gathered.
struct HostRoutes {
    pattern: HostPattern,
    routes: Vec<Route>,
    by_path: BTreeMap<PathMatch, usize>,
}

impl HostRoutes {
    fn in_order(self) -> Host {
        let Self { pattern, mut routes, by_path: _ } = self;
        // Stable, so routes of equal precedence stay in their order.
        routes.sort_by_key(|route| precedence(&route.path));
        Host { pattern, routes }
    }
}

impl Reader<'_> {
    /// The place of a host: a new one, or the one it has already.
    fn host(&mut self, pattern: HostPattern) -> usize {
        *self.by_pattern.entry(pattern).or_insert_with_key(|pattern| {
            self.hosts.push(HostRoutes {
                pattern: pattern.clone(),
                routes: Vec::new(),
                by_path: BTreeMap::new(),
            });
            self.hosts.len() - 1
        })
    }

    fn route(&mut self, host: usize, path: &HTTPIngressPath, field: String) {
        let HTTPIngressPath { backend, path, path_type } = path;
        let text = path.as_deref().unwrap_or_default();
        let path = match path_match(text, path_type) {
            Ok(path) => path,
            Err(why) => {
                self.problems.push(Problem::degraded(
                    Reason::PathInvalid,
                    format!("{field}.path"),
                    format!("{why} This path is not served; all others are."),
                ));
                return;
            }
        };
        let host = &mut self.hosts[host];
        let requests = format!("{}{text}", host.pattern);
        let place = |field| Place { object: Arc::clone(self.object), field };
        let (action, problem) = backend::action(backend, &place(format!("{field}.backend")), &requests);
        self.problems.extend(problem);
        let Some(first) = host.by_path.get(&path).map(|first| &host.routes[*first]) else {
            host.by_path.insert(path.clone(), host.routes.len());
            host.routes.push(Route { path, action, place: place(field) });
            return;
        };
        if !first.action.goes_where(&action) {
            self.problems.push(Problem::degraded(
                Reason::PathConflict,
                format!("{field}.path"),
                format!(
                    "The requests for {path_type} {text:?} of host {} are already sent elsewhere by {}, which wins: none reaches the \
                     backend given here. Remove one of the two, or change its path.",
                    host.pattern, first.place.field
                ),
            ));
        }
    }
}

/// Longer first; of equal length, exact first.
pub(super) fn precedence(path: &PathMatch) -> (Reverse<usize>, u8) {
    match path {
        PathMatch::Exact(path) => (Reverse(path.len()), 0),
        // Without the asterisk.
        PathMatch::Pattern(path) => (Reverse(path.len().saturating_sub(1)), 1),
        PathMatch::Prefix(path) => (Reverse(path.len()), 2),
    }
}

/// Reads a host, or says what is wrong with it and what to do.
fn host_pattern(host: &str) -> Result<HostPattern, String> {
    if host.is_empty() || host == "*" {
        return Ok(HostPattern::Any);
    }
    if host.parse::<IpAddr>().is_ok() {
        return Err(format!(
            "{host:?} is an address, and a load balancer tells hosts by name. Leave the host out to serve every host."
        ));
    }
    if host.len() > HOST_LENGTH {
        return Err(format!(
            "The host has {} characters; a DNS name has at most {HOST_LENGTH}. Shorten it.",
            host.len()
        ));
    }
    let wildcard = host.strip_prefix("*.");
    let name = wildcard.unwrap_or(host);
    if name.contains('*') {
        return Err(format!(
            "{host:?} is not a host name: an asterisk may only stand first and for a whole label, as in *.example.com. Correct the host."
        ));
    }
    if name.split('.').all(is_label) {
        let name = name.to_owned();
        return Ok(if wildcard.is_some() { HostPattern::Wildcard(name) } else { HostPattern::Exact(name) });
    }
    Err(if name.split('.').all(|label| is_label(&label.to_ascii_lowercase())) {
        format!("{host:?} is not a host name as Kubernetes takes it. Write it in lower case.")
    } else if let Some((_, port)) = name.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()) {
        format!("{host:?} holds a port. Leave out \":{port}\": a load balancer listens on ports 80 and 443.")
    } else {
        format!(
            "{host:?} is not a DNS name: labels of 1 to {LABEL_LENGTH} lower-case letters, digits and dashes, no dash at either end of a \
             label, joined by dots. Correct the host."
        )
    })
}

pub(super) fn is_label(label: &str) -> bool {
    let bytes = label.as_bytes();
    (1..=LABEL_LENGTH).contains(&bytes.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
}

/// Reads a path, or says what is wrong with it and what to do.
fn path_match(path: &str, path_type: &str) -> Result<PathMatch, String> {
    match path_type {
        "Exact" => {
            check_literal(path)?;
            Ok(PathMatch::Exact(path.to_owned()))
        }
        "Prefix" => {
            check_literal(path)?;
            Ok(prefix(path))
        }
        "ImplementationSpecific" => pattern(if path.is_empty() { "/*" } else { path }),
        other => Err(format!(
            "{other:?} is not a path type. Set pathType to Prefix, Exact or ImplementationSpecific."
        )),
    }
}

/// A slash at the end does not count (KEP-1453).
fn prefix(path: &str) -> PathMatch {
    match path.strip_suffix('/') {
        None => PathMatch::Prefix(path.to_owned()),
        Some("") => PathMatch::Prefix("/".to_owned()),
        Some(path) => PathMatch::Prefix(path.to_owned()),
    }
}

fn pattern(path: &str) -> Result<PathMatch, String> {
    check_text(path)?;
    match path.split_once('*') {
        None => Ok(PathMatch::Exact(path.to_owned())),
        Some(("/", "")) => Ok(PathMatch::Prefix("/".to_owned())),
        Some((stem, "")) if stem.ends_with('/') => Ok(PathMatch::Pattern(path.to_owned())),
        Some(_) => Err(format!(
            "{path:?} cannot be served: in a URL map an asterisk may only stand last, right after a slash, as in /a/*. Correct the path."
        )),
    }
}

fn check_literal(path: &str) -> Result<(), String> {
    check_text(path)?;
    if path.contains('*') {
        return Err(format!(
            "{path:?} holds an asterisk, which Kubernetes takes literally here and a URL map cannot. Use pathType Prefix without the \
             asterisk, or pathType ImplementationSpecific for everything below a path, as in /a/*."
        ));
    }
    let empty_or_dots = ["//", "/./", "/../"].iter().any(|sequence| path.contains(sequence));
    if empty_or_dots
        || path.ends_with("/.")
        || path.ends_with("/..")
        || path.to_ascii_lowercase().contains("%2f")
    {
        return Err(format!(
            "{path:?} is not a path that a request can have: Kubernetes refuses empty elements (//), elements of dots (. and ..) and \
             encoded slashes (%2f). Correct the path."
        ));
    }
    Ok(())
}

/// What holds for paths of every type.
fn check_text(path: &str) -> Result<(), String> {
    if !path.starts_with('/') {
        return Err(format!("{path:?} does not begin with a slash. Write \"/{path}\"."));
    }
    if path.len() > PATH_LENGTH {
        return Err(format!(
            "The path has {} bytes; a URL map takes at most {PATH_LENGTH}. Shorten it, or use a shorter prefix.",
            path.len()
        ));
    }
    if let Some(bad) = path.chars().find(|c| matches!(c, '?' | '#') || c.is_whitespace() || c.is_control()) {
        return Err(format!(
            "{path:?} holds {bad:?}, which cannot be part of a path: queries and fragments are not compared. Leave it out, or encode it."
        ));
    }
    Ok(())
}
