//! What every resource is called: pure functions of the keys it is made for.
//!
//! A name reads `gclb1-<cluster id>-<readable>-<hash>`, at most 63 characters. The readable part is for people and may be cut; the
//! hash tells names apart. It is taken over the *uncut* parts, each with its length before it, so that no two lists of parts yield
//! the same text. What cannot be changed in the cloud is among the parts, so a change of it is another resource.
//!
//! **Names must not change between versions**: a changed name is a replaced load balancer. The tests hold frozen examples. Should
//! the scheme ever have to change, the digit in the prefix changes with it, and both schemes are understood for as long as
//! resources of the older one exist.
//!
//! Nothing here knows whether a resource exists.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::load_balancer::{BackendPort, HostPattern};
use crate::model::{
    CertificateFingerprint, ClusterId, LoadBalancerKey, ObjectKey, Probe, ResourceName, Scheme,
};

/// The scheme's version stands in the prefix.
const SCHEME: &str = "gclb1";

/// Characters of the hash. Twelve of base 32 are 60 bits: among a million names the chance that any two agree is one in two million.
const HASH_LENGTH: usize = 12;

/// The longest name that the Compute API takes.
const NAME_LENGTH: usize = 63;

/// What is left of a name for its readable part.
const READABLE_LENGTH: usize = NAME_LENGTH - SCHEME.len() - 1 - 8 - 1 - 1 - HASH_LENGTH;

/// Which kind of group serves behind a backend service.
///
/// One service cannot hold both kinds, so a Service that is switched from one to the other gets another backend service, which can
/// be made and warmed while the old one still serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BackendMode {
    /// Instance groups: nodes, reached at a node port.
    InstanceGroups,
    /// Network endpoint groups: pods, reached directly.
    NetworkEndpointGroups,
}

impl BackendMode {
    const fn word(self) -> &'static str {
        match self {
            Self::InstanceGroups => "nodes",
            Self::NetworkEndpointGroups => "pods",
        }
    }
}

/// Whether a name is one that this cluster gives. A resource is ours only if its mark says so too.
#[must_use]
pub fn is_ours(name: &str, cluster: &ClusterId) -> bool {
    name.strip_prefix(SCHEME)
        .and_then(|rest| rest.strip_prefix('-'))
        .and_then(|rest| rest.strip_prefix(cluster.as_str()))
        .is_some_and(|rest| rest.starts_with('-'))
}

/// The address of a load balancer.
#[must_use]
pub fn address(cluster: &ClusterId, key: &LoadBalancerKey) -> ResourceName {
    of_load_balancer(cluster, "address", key, "")
}

/// The forwarding rule of one port of a load balancer.
#[must_use]
pub fn forwarding_rule(cluster: &ClusterId, key: &LoadBalancerKey, port: u16) -> ResourceName {
    of_load_balancer(cluster, "forwarding-rule", key, &port.to_string())
}

/// The proxy that answers plain HTTP for a load balancer.
#[must_use]
pub fn target_http_proxy(cluster: &ClusterId, key: &LoadBalancerKey) -> ResourceName {
    of_load_balancer(cluster, "target-http-proxy", key, "")
}

/// The proxy that ends TLS for a load balancer.
#[must_use]
pub fn target_https_proxy(cluster: &ClusterId, key: &LoadBalancerKey) -> ResourceName {
    of_load_balancer(cluster, "target-https-proxy", key, "")
}

/// The URL map that holds a load balancer's rules.
#[must_use]
pub fn url_map(cluster: &ClusterId, key: &LoadBalancerKey) -> ResourceName {
    of_load_balancer(cluster, "url-map", key, "")
}

/// The URL map that only redirects to `https`.
#[must_use]
pub fn redirect_url_map(cluster: &ClusterId, key: &LoadBalancerKey) -> ResourceName {
    of_load_balancer(cluster, "url-map", key, "redirect")
}

/// The backend service of a Service's port. Its scheme cannot be changed.
#[must_use]
pub fn backend_service(
    cluster: &ClusterId,
    service: &ObjectKey,
    port: &BackendPort,
    mode: BackendMode,
    scheme: Scheme,
) -> ResourceName {
    of_service(cluster, "backend-service", service, port, mode, scheme_word(scheme))
}

/// The health check of a Service's port. Its kind cannot be changed.
#[must_use]
pub fn health_check(
    cluster: &ClusterId,
    service: &ObjectKey,
    port: &BackendPort,
    mode: BackendMode,
    probe: &Probe,
) -> ResourceName {
    let kind = match probe {
        Probe::Http { .. } => "http",
        Probe::Https { .. } => "https",
        Probe::Http2 { .. } => "http2",
        Probe::Tcp => "tcp",
        Probe::Grpc { .. } => "grpc",
        Probe::Other(kind) => kind,
    };
    of_service(cluster, "health-check", service, port, mode, &[kind])
}

/// The network endpoint groups of a Service's port, the same in every zone. Their network cannot be changed.
#[must_use]
pub fn network_endpoint_group(
    cluster: &ClusterId,
    service: &ObjectKey,
    port: &BackendPort,
    network: &str,
    subnetwork: &str,
) -> ResourceName {
    let mode = BackendMode::NetworkEndpointGroups;
    of_service(cluster, "network-endpoint-group", service, port, mode, &[network, subnetwork])
}

/// The instance groups of the cluster's nodes, the same in every zone. Their network cannot be changed.
#[must_use]
pub fn instance_group(cluster: &ClusterId, network: &str) -> ResourceName {
    compose(cluster, "instance-group", &["nodes"], &[network])
}

/// What an instance group calls a node port.
#[must_use]
pub fn named_port(node_port: u16) -> String {
    format!("port{node_port}")
}

/// The certificate of a Secret. It cannot be changed, so a renewed one has another name.
#[must_use]
pub fn ssl_certificate(
    cluster: &ClusterId,
    secret: &ObjectKey,
    fingerprint: &CertificateFingerprint,
) -> ResourceName {
    let ObjectKey { namespace, name } = secret;
    compose(cluster, "ssl-certificate", &[namespace, name], &[namespace, name, fingerprint.as_str()])
}

/// The firewall rule of the cluster. Its network cannot be changed.
#[must_use]
pub fn firewall(cluster: &ClusterId, network: &str) -> ResourceName {
    compose(cluster, "firewall", &["backends"], &[network])
}

/// The backend service without backends that stands where there is none.
#[must_use]
pub fn not_found_backend_service(cluster: &ClusterId, scheme: Scheme) -> ResourceName {
    let parts = [&["not-found"], scheme_word(scheme)].concat();
    compose(cluster, "backend-service", &["not-found"], &parts)
}

/// The claim on the cluster's id: whose description says which cluster it is that uses the id in this project.
#[must_use]
pub fn claim(cluster: &ClusterId) -> ResourceName {
    compose(cluster, "claim", &["cluster-id"], &["cluster-id"])
}

/// A path matcher's name: unique within its URL map, which is all that the API asks.
#[must_use]
pub fn path_matcher(host: &HostPattern) -> String {
    let (readable, parts) = match host {
        HostPattern::Any => ("any", ["any", ""]),
        HostPattern::Exact(host) => (host.as_str(), ["exact", host.as_str()]),
        HostPattern::Wildcard(suffix) => (suffix.as_str(), ["wildcard", suffix.as_str()]),
    };
    let readable = self::readable(&[readable], READABLE_LENGTH);
    joined(&["host", &readable, &hash(&parts)])
}

/// The scheme that came first has no word, since it was no part of names then.
const fn scheme_word(scheme: Scheme) -> &'static [&'static str] {
    match scheme {
        Scheme::External => &["classic"],
        Scheme::ExternalManaged | Scheme::Other => &[],
    }
}

fn of_load_balancer(cluster: &ClusterId, what: &str, key: &LoadBalancerKey, which: &str) -> ResourceName {
    let LoadBalancerKey { origin, object: ObjectKey { namespace, name } } = key;
    compose(cluster, what, &[namespace, name, which], &[origin.word(), namespace, name, which])
}

fn of_service(
    cluster: &ClusterId,
    what: &str,
    service: &ObjectKey,
    port: &BackendPort,
    mode: BackendMode,
    immutable: &[&str],
) -> ResourceName {
    let ObjectKey { namespace, name } = service;
    let (form, port) = match port {
        BackendPort::Number(number) => ("number", number.to_string()),
        BackendPort::Name(name) => ("name", name.clone()),
    };
    let mut parts = vec![namespace.as_str(), name, form, &port, mode.word()];
    parts.extend(immutable);
    compose(cluster, what, &[namespace, name, &port, mode.word()], &parts)
}

fn compose(cluster: &ClusterId, what: &str, shown: &[&str], parts: &[&str]) -> ResourceName {
    let mut hashed = vec![cluster.as_str(), what];
    hashed.extend(parts);
    let readable = readable(shown, READABLE_LENGTH);
    let name = joined(&[SCHEME, cluster.as_str(), &readable, &hash(&hashed)]);
    ResourceName::new(name).expect(
        "begins with a letter, ends with a digit of base 32, holds only letters, digits and dashes, and the readable part \
         is cut to what 63 characters leave for it",
    )
}

fn joined(parts: &[&str]) -> String {
    let mut parts = parts.to_vec();
    parts.retain(|part| !part.is_empty());
    parts.join("-")
}

/// The parts, made legal and cut to `length` together. The longest part gives first, so that short ones, such as a port, stay whole.
fn readable(parts: &[&str], length: usize) -> String {
    let mut parts: Vec<String> =
        parts.iter().map(|part| legal(part)).filter(|part| !part.is_empty()).collect();
    while parts.iter().map(|part| part.len() + 1).sum::<usize>() > length + 1 {
        let Some(longest) = parts.iter_mut().rev().max_by_key(|part| part.len()) else { break };
        longest.pop();
    }
    let parts: Vec<&str> = parts.iter().map(|part| part.trim_end_matches('-')).collect();
    joined(&parts)
}

/// Lower-case letters, digits and dashes, no dash at either end.
fn legal(part: &str) -> String {
    let text: String = part
        .chars()
        .map(|c| c.to_ascii_lowercase())
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' })
        .collect();
    text.trim_matches('-').to_owned()
}

/// The first bits of the SHA-256 of the parts, in base 32.
fn hash(parts: &[&str]) -> String {
    const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut text = String::new();
    for part in parts {
        // Writing to a String cannot fail.
        let _ = write!(text, "{}:{part},", part.len());
    }
    let digest = Sha256::digest(text.as_bytes());
    let bits = digest.iter().take(8).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    (0..HASH_LENGTH)
        .map(|place| {
            let index = (bits >> (59 - 5 * place)) & 31;
            char::from(DIGITS[usize::try_from(index).unwrap_or_default()])
        })
        .collect()
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
