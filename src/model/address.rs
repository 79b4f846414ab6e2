//! A reserved external address (Compute API `addresses`, global).

use serde::{Deserialize, Serialize};

use super::ResourceId;

/// A global external IPv4 address.
///
/// Which address it is, is not ours to decide: the cloud picks it and says so in [`super::Facts::address`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Address {}

impl Address {
    pub(super) fn points_at(&self) -> Vec<&ResourceId> {
        let Self {} = self;
        Vec::new()
    }
}
