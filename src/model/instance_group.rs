//! A zonal unmanaged instance group: nodes, reached at node ports (Compute API `instanceGroups`).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::ResourceId;

/// The nodes of one zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceGroup {
    /// Short name of the VPC network. Cannot be changed; `None` while an empty group has none.
    pub network: Option<String>,
    /// Node ports by name. Changed, as a whole, by `setNamedPorts`.
    pub named_ports: BTreeMap<String, u16>,
    /// Short names of the instances in it. Changed by adding and removing, never by an update.
    pub members: BTreeSet<String>,
}

impl InstanceGroup {
    pub(super) fn points_at(&self) -> Vec<&ResourceId> {
        let Self { network: _, named_ports: _, members: _ } = self;
        Vec::new()
    }
}
