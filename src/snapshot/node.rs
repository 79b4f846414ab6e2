//! From a Node object to the instance behind it.

use k8s_openapi::api::core::v1 as core;

use super::Node;
use crate::model::Zone;

/// Nodes with this label take no traffic from load balancers, whatever its value (Kubernetes, well-known labels).
pub const EXCLUDE_LABEL: &str = "node.kubernetes.io/exclude-from-external-load-balancers";

/// Why no instance is known behind a Node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NodeUnknown {
    /// Nobody has said yet which machine it is.
    #[error(
        "it has no spec.providerID; the kubelet or the cloud controller sets it to gce://PROJECT/ZONE/INSTANCE"
    )]
    NoProviderId,
    /// It is a machine of another cloud, or the text is broken.
    #[error("its spec.providerID {provider_id:?} is not of the form gce://PROJECT/ZONE/INSTANCE")]
    NotCompute {
        /// What it says.
        provider_id: String,
    },
}

impl TryFrom<&core::Node> for Node {
    type Error = NodeUnknown;

    fn try_from(object: &core::Node) -> Result<Self, Self::Error> {
        let provider_id = object
            .spec
            .as_ref()
            .and_then(|spec| spec.provider_id.as_deref())
            .filter(|provider_id| !provider_id.is_empty())
            .ok_or(NodeUnknown::NoProviderId)?;
        let (zone, instance) = instance(provider_id)
            .ok_or_else(|| NodeUnknown::NotCompute { provider_id: provider_id.to_owned() })?;
        Ok(Self {
            instance: instance.to_owned(),
            zone: Zone(zone.to_owned()),
            takes_traffic: is_ready(object) && !is_excluded(object),
        })
    }
}

/// Zone and short name of the instance.
fn instance(provider_id: &str) -> Option<(&str, &str)> {
    let mut parts = provider_id.strip_prefix("gce://")?.split('/');
    match (parts.next()?, parts.next()?, parts.next()?, parts.next()) {
        (project, zone, instance, None)
            if !project.is_empty() && !zone.is_empty() && !instance.is_empty() =>
        {
            Some((zone, instance))
        }
        _ => None,
    }
}

fn is_ready(object: &core::Node) -> bool {
    let conditions =
        object.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

/// A Node that is being deleted is left out too: its instance is on its way out.
fn is_excluded(object: &core::Node) -> bool {
    object.metadata.deletion_timestamp.is_some()
        || object.metadata.labels.as_ref().is_some_and(|labels| labels.contains_key(EXCLUDE_LABEL))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(provider_id: &str, ready: &str, labels: &serde_json::Value) -> Result<Node, NodeUnknown> {
        let object: core::Node = serde_json::from_value(serde_json::json!({
            "apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1", "labels": labels},
            "spec": {"providerID": provider_id},
            "status": {"conditions": [{"type": "Ready", "status": ready}]},
        }))
        .unwrap();
        Node::try_from(&object)
    }

    #[test]
    fn the_provider_id_says_which_instance() {
        let read = node("gce://shop/europe-west4-b/gke-1", "True", &serde_json::json!({})).unwrap();
        assert_eq!((read.instance.as_str(), read.zone.0.as_str()), ("gke-1", "europe-west4-b"));
        assert!(read.takes_traffic);
        assert_eq!(node("", "True", &serde_json::json!({})), Err(NodeUnknown::NoProviderId));
        for foreign in ["aws:///eu-1a/i-1", "gce://p/z", "gce://p/z/i/x", "gce:///z/i", "gce://p//i"] {
            assert!(
                matches!(node(foreign, "True", &serde_json::json!({})), Err(NodeUnknown::NotCompute { .. })),
                "{foreign}"
            );
        }
    }

    #[test]
    fn unready_and_excluded_nodes_take_no_traffic() {
        for status in ["False", "Unknown"] {
            assert!(!node("gce://p/z/i", status, &serde_json::json!({})).unwrap().takes_traffic);
        }
        assert!(!node("gce://p/z/i", "True", &serde_json::json!({EXCLUDE_LABEL: ""})).unwrap().takes_traffic);
    }
}
