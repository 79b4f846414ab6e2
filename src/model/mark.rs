//! The ownership mark: how a resource in the cloud says that it is ours, and what it is for.
//!
//! The mark is the resource's `description`. Descriptions of proxies, certificates and others cannot be changed, so a mark must
//! never need to: it is a pure function of the cluster and of what the resource is held for.

use std::fmt;

use serde_json::{Map, Value};

use super::{ClusterId, LoadBalancerKey, ObjectKey};

const CLUSTER: &str = "gclb.dev/cluster";
const LOAD_BALANCER: &str = "gclb.dev/load-balancer";
const SERVICE: &str = "gclb.dev/service";
const SECRET: &str = "gclb.dev/secret";

/// What a resource is held for, and with that who may say that it is no longer needed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    /// One load balancer. Gone when that load balancer is torn down.
    LoadBalancer(LoadBalancerKey),
    /// A port of a Service; shared by every load balancer that sends traffic to it.
    Service {
        /// The Service.
        service: ObjectKey,
        /// The port, as the load balancers name it: a number, or a name that could not be resolved.
        port: String,
    },
    /// A Secret; shared by every load balancer that serves its certificate.
    Secret(ObjectKey),
    /// The cluster as a whole: instance groups, the firewall rule.
    Cluster,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LoadBalancer(key) => write!(f, "{key}"),
            Self::Service { service, port } => write!(f, "service/{service}:{port}"),
            Self::Secret(secret) => write!(f, "secret/{secret}"),
            Self::Cluster => f.write_str("cluster"),
        }
    }
}

/// The whole mark: which cluster, and what for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    /// The cluster whose controller made the resource.
    pub cluster: ClusterId,
    /// What it is held for.
    pub holder: Holder,
}

impl Mark {
    /// The description that is written to the cloud. Its form is frozen: see the module's note.
    #[must_use]
    pub fn render(&self) -> String {
        let mut map = Map::new();
        map.insert(CLUSTER.into(), Value::String(self.cluster.to_string()));
        match &self.holder {
            Holder::LoadBalancer(key) => {
                map.insert(LOAD_BALANCER.into(), Value::String(key.to_string()));
            }
            Holder::Service { service, port } => {
                map.insert(SERVICE.into(), Value::String(format!("{service}:{port}")));
            }
            Holder::Secret(secret) => {
                map.insert(SECRET.into(), Value::String(secret.to_string()));
            }
            Holder::Cluster => {}
        }
        Value::Object(map).to_string()
    }

    /// Reads a description back. `None` means: not a mark of ours, so not our resource.
    #[must_use]
    pub fn parse(description: &str) -> Option<Self> {
        let Value::Object(map) = serde_json::from_str(description).ok()? else { return None };
        let text = |key: &str| map.get(key).and_then(Value::as_str);
        let cluster = ClusterId::new(text(CLUSTER)?).ok()?;
        let holder = match (text(LOAD_BALANCER), text(SERVICE), text(SECRET), map.len()) {
            (Some(key), None, None, 2) => Holder::LoadBalancer(key.parse().ok()?),
            (None, Some(service), None, 2) => {
                let (service, port) = service.rsplit_once(':')?;
                Holder::Service { service: object_key(service)?, port: port.to_owned() }
            }
            (None, None, Some(secret), 2) => Holder::Secret(object_key(secret)?),
            (None, None, None, 1) => Holder::Cluster,
            _ => return None,
        };
        Some(Self { cluster, holder })
    }
}

fn object_key(text: &str) -> Option<ObjectKey> {
    let (namespace, name) = text.split_once('/')?;
    (!namespace.is_empty() && !name.is_empty()).then(|| ObjectKey::new(namespace, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks() -> Vec<Mark> {
        let cluster = ClusterId::new("0a1b2c3d").unwrap();
        let object = ObjectKey::new("default", "test");
        [
            Holder::LoadBalancer(LoadBalancerKey::ingress(object.clone())),
            Holder::Service { service: object.clone(), port: "8080".into() },
            Holder::Secret(object),
            Holder::Cluster,
            Holder::LoadBalancer(LoadBalancerKey::group("default", "test")),
            Holder::LoadBalancer(LoadBalancerKey::class_group("gclb", "test")),
        ]
        .map(|holder| Mark { cluster: cluster.clone(), holder })
        .to_vec()
    }

    #[test]
    fn a_mark_survives_its_text() {
        for mark in marks() {
            assert_eq!(Mark::parse(&mark.render()), Some(mark));
        }
    }

    #[test]
    fn the_form_is_frozen() {
        let texts: Vec<_> = marks().iter().map(Mark::render).collect();
        assert_eq!(
            texts,
            [
                r#"{"gclb.dev/cluster":"0a1b2c3d","gclb.dev/load-balancer":"ingress/default/test"}"#,
                r#"{"gclb.dev/cluster":"0a1b2c3d","gclb.dev/service":"default/test:8080"}"#,
                r#"{"gclb.dev/cluster":"0a1b2c3d","gclb.dev/secret":"default/test"}"#,
                r#"{"gclb.dev/cluster":"0a1b2c3d"}"#,
                r#"{"gclb.dev/cluster":"0a1b2c3d","gclb.dev/load-balancer":"group/default/test"}"#,
                r#"{"gclb.dev/cluster":"0a1b2c3d","gclb.dev/load-balancer":"class-group/gclb/test"}"#,
            ]
        );
    }

    #[test]
    fn what_others_wrote_is_not_a_mark() {
        for other in [
            "",
            "by hand",
            "{}",
            r#"{"kubernetes.io/ingress-name": "default/test"}"#,
            r#"{"gclb.dev/cluster":"0a1b2c3d","more":"x"}"#,
            r#"{"gclb.dev/cluster":"nope"}"#,
        ] {
            assert_eq!(Mark::parse(other), None, "{other}");
        }
    }
}
