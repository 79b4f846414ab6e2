//! What things are called: names, scopes, kinds, and the keys of the objects they are made for.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A text that is not a legal name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not a legal {what}: {rule}")]
pub struct InvalidName {
    what: &'static str,
    value: String,
    rule: &'static str,
}

/// The name of a cloud resource: 1 to 63 characters, a lower-case letter first, then lower-case letters,
/// digits and dashes, no dash at the end (Compute API, `name` of every resource; RFC 1035 label). Its copies share one text: a name
/// stands in whatever refers to the resource as well.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ResourceName(Arc<str>);

impl TryFrom<String> for ResourceName {
    type Error = InvalidName;

    fn try_from(value: String) -> Result<Self, Self::Error> {
        Self::new(value)
    }
}

impl ResourceName {
    /// Checks `value` against the rule above.
    pub fn new(value: impl Into<String>) -> Result<Self, InvalidName> {
        let value = value.into();
        if is_label(&value, 63) {
            Ok(Self(value.into()))
        } else {
            Err(InvalidName {
                what: "resource name",
                value,
                rule: "1 to 63 of a-z, 0-9 and '-', a letter first, no '-' last",
            })
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ResourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_label(value: &str, max: usize) -> bool {
    let bytes = value.as_bytes();
    !bytes.is_empty()
        && bytes.len() <= max
        && bytes[0].is_ascii_lowercase()
        && bytes[bytes.len() - 1] != b'-'
        && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
}

/// Tells this cluster's resources from those of other clusters in the same project.
///
/// Eight lower-case hexadecimal digits, by default taken from the UID of the `kube-system` namespace, which lives as long
/// as the cluster does. It stands in every name, so it must never change during a cluster's life.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ClusterId(Arc<str>);

impl TryFrom<String> for ClusterId {
    type Error = InvalidName;

    fn try_from(value: String) -> Result<Self, Self::Error> {
        Self::new(value)
    }
}

impl ClusterId {
    /// Accepts exactly eight lower-case hexadecimal digits.
    pub fn new(value: impl Into<String>) -> Result<Self, InvalidName> {
        let value = value.into();
        if value.len() == 8 && value.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            Ok(Self(value.into()))
        } else {
            Err(InvalidName { what: "cluster id", value, rule: "eight of 0-9 and a-f" })
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A zone by its short name, such as `us-central1-a`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Zone(pub String);

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A region by its short name, such as `us-central1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Region(pub String);

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where in a project a resource lives. Names are unique per kind and scope.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// `global/…`
    Global,
    /// `regions/R/…`
    Region(Region),
    /// `zones/Z/…`
    Zone(Zone),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Global => f.write_str("global"),
            Self::Region(region) => write!(f, "regions/{region}"),
            Self::Zone(zone) => write!(f, "zones/{zone}"),
        }
    }
}

/// The kinds of resource that gclb makes. The order is that of a request's way back from the backend,
/// which makes sorted lists read well; it carries no other meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// `firewalls`
    Firewall,
    /// `instanceGroups`
    InstanceGroup,
    /// `networkEndpointGroups`
    NetworkEndpointGroup,
    /// `healthChecks`
    HealthCheck,
    /// `backendServices`
    BackendService,
    /// `urlMaps`
    UrlMap,
    /// `sslCertificates`
    SslCertificate,
    /// `targetHttpProxies`
    TargetHttpProxy,
    /// `targetHttpsProxies`
    TargetHttpsProxy,
    /// `addresses`
    Address,
    /// `forwardingRules`
    ForwardingRule,
}

impl Kind {
    /// Every kind, once.
    pub const ALL: [Self; 11] = [
        Self::Firewall,
        Self::InstanceGroup,
        Self::NetworkEndpointGroup,
        Self::HealthCheck,
        Self::BackendService,
        Self::UrlMap,
        Self::SslCertificate,
        Self::TargetHttpProxy,
        Self::TargetHttpsProxy,
        Self::Address,
        Self::ForwardingRule,
    ];

    /// The field's own term, as people read it: `backend service`.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Firewall => "firewall rule",
            Self::InstanceGroup => "instance group",
            Self::NetworkEndpointGroup => "network endpoint group",
            Self::HealthCheck => "health check",
            Self::BackendService => "backend service",
            Self::UrlMap => "url map",
            Self::SslCertificate => "ssl certificate",
            Self::TargetHttpProxy => "target http proxy",
            Self::TargetHttpsProxy => "target https proxy",
            Self::Address => "address",
            Self::ForwardingRule => "forwarding rule",
        }
    }

    /// The collection's name in the Compute API: `backendServices`.
    #[must_use]
    pub const fn collection(self) -> &'static str {
        match self {
            Self::Firewall => "firewalls",
            Self::InstanceGroup => "instanceGroups",
            Self::NetworkEndpointGroup => "networkEndpointGroups",
            Self::HealthCheck => "healthChecks",
            Self::BackendService => "backendServices",
            Self::UrlMap => "urlMaps",
            Self::SslCertificate => "sslCertificates",
            Self::TargetHttpProxy => "targetHttpProxies",
            Self::TargetHttpsProxy => "targetHttpsProxies",
            Self::Address => "addresses",
            Self::ForwardingRule => "forwardingRules",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.noun())
    }
}

/// One resource of a project: what it is, where, and its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId {
    /// What it is.
    pub kind: Kind,
    /// Where it lives.
    pub scope: Scope,
    /// Its name there.
    pub name: ResourceName,
}

impl ResourceId {
    /// What comes before every resource of a kind, and after every one of the kinds before it.
    pub(super) fn before_all_of(kind: Kind) -> Self {
        Self { kind, scope: Scope::Global, name: ResourceName("".into()) }
    }
}

impl fmt::Display for ResourceId {
    /// `backend service gclb1-…`, with the zone or region where there is one: `instance group zones/us-central1-a/gclb1-…`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.scope {
            Scope::Global => write!(f, "{} {}", self.kind, self.name),
            scope => write!(f, "{} {scope}/{}", self.kind, self.name),
        }
    }
}

/// Namespace and name of a Kubernetes object (of whatever kind the context says).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl ObjectKey {
    /// A key from its two parts.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Display for ObjectKey {
    /// `namespace/name`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Which front end described a load balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// One Ingress object.
    Ingress,
    /// Every object of one namespace that names the same group.
    Group,
    /// Every object of one class that names the same group, whatever its namespace.
    ClassGroup,
}

impl Origin {
    /// Every origin, once.
    pub const ALL: [Self; 3] = [Self::Ingress, Self::Group, Self::ClassGroup];

    /// The word that stands for it in marks and messages.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Group => "group",
            Self::ClassGroup => "class-group",
        }
    }
}

/// The unit of work: what one load balancer is made for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LoadBalancerKey {
    /// Which front end described it.
    pub origin: Origin,
    /// The object that asks for it. For a group: its namespace (or class) and its name.
    pub object: ObjectKey,
}

impl LoadBalancerKey {
    /// The key of the load balancer of one Ingress.
    #[must_use]
    pub const fn ingress(object: ObjectKey) -> Self {
        Self { origin: Origin::Ingress, object }
    }

    /// The key of the load balancer of a group within a namespace.
    #[must_use]
    pub fn group(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { origin: Origin::Group, object: ObjectKey::new(namespace, name) }
    }

    /// The key of the load balancer of a group of a whole class.
    #[must_use]
    pub fn class_group(class: impl Into<String>, name: impl Into<String>) -> Self {
        Self { origin: Origin::ClassGroup, object: ObjectKey::new(class, name) }
    }

    /// Whether several objects may share it.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        match self.origin {
            Origin::Ingress => false,
            Origin::Group | Origin::ClassGroup => true,
        }
    }
}

impl fmt::Display for LoadBalancerKey {
    /// `ingress/namespace/name`, `group/namespace/name`, `class-group/class/name`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.origin.word(), self.object)
    }
}

impl std::str::FromStr for LoadBalancerKey {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, '/');
        let origin =
            parts.next().and_then(|word| Origin::ALL.into_iter().find(|origin| origin.word() == word));
        match (origin, parts.next(), parts.next()) {
            (Some(origin), Some(namespace), Some(name)) if !namespace.is_empty() && !name.is_empty() => {
                Ok(Self { origin, object: ObjectKey::new(namespace, name) })
            }
            _ => Err(InvalidName {
                what: "load balancer key",
                value: text.to_owned(),
                rule: "ingress/NAMESPACE/NAME, group/NAMESPACE/NAME or class-group/CLASS/NAME",
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resource_names_follow_rfc_1035() {
        for good in ["a", "a-b", "a1", &"a".repeat(63)] {
            assert!(ResourceName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "A", "1a", "-a", "a-", "a_b", "a.b", &"a".repeat(64)] {
            assert!(ResourceName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn keys_survive_their_text() {
        for (key, text) in [
            (LoadBalancerKey::ingress(ObjectKey::new("default", "test")), "ingress/default/test"),
            (LoadBalancerKey::group("default", "test"), "group/default/test"),
            (LoadBalancerKey::class_group("gclb", "test"), "class-group/gclb/test"),
        ] {
            assert_eq!(key.to_string(), text);
            assert_eq!(text.parse(), Ok(key));
        }
        for bad in ["", "ingress", "ingress/a", "ingress//b", "gateway/a/b", "groups/a/b"] {
            assert!(bad.parse::<LoadBalancerKey>().is_err(), "{bad}");
        }
    }
}
