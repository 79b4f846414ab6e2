//! A zonal network endpoint group: pods, reached directly (Compute API `networkEndpointGroups`, type `GCE_VM_IP_PORT`).

use std::collections::BTreeSet;
use std::fmt;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::ResourceId;

/// Endpoints in one zone. Everything but the members is immutable, so it is in the name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkEndpointGroup {
    /// Short name of the VPC network.
    pub network: String,
    /// Short name of the subnetwork, in the zone's region.
    pub subnetwork: String,
    /// Who is in it. Changed by attaching and detaching, never by an update.
    pub members: Members,
}

/// Who is in a network endpoint group, as far as is known. No list of groups shows it, only how many there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Members {
    /// These, and nobody else. What is desired is always known.
    Known(BTreeSet<Endpoint>),
    /// Not known yet. That is not the same as nobody: nothing may be attached or detached before it is.
    Unlisted(Unlisted),
}

/// What is known of members that were not listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unlisted {
    /// How many there are; `None` where the cloud did not say.
    pub size: Option<usize>,
    /// Who they were when it was last known, while nothing speaks against it.
    pub believed: Option<Checkpoint>,
}

/// Members without their names: enough to see whether they are those that are desired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Checkpoint {
    /// How many.
    pub count: usize,
    /// Of all of them, whatever the order. The same in every version of this program.
    pub hash: u64,
}

/// One pod's address and port, on the instance that carries it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// Short name of the instance, in the group's zone.
    pub instance: String,
    /// An address of the instance or of its alias ranges.
    pub address: Ipv4Addr,
    /// Where it serves.
    pub port: u16,
}

impl NetworkEndpointGroup {
    pub(super) fn points_at(&self) -> Vec<&ResourceId> {
        let Self { network: _, subnetwork: _, members: _ } = self;
        Vec::new()
    }
}

impl Members {
    /// Nobody, and that is known.
    #[must_use]
    pub const fn nobody() -> Self {
        Self::Known(BTreeSet::new())
    }

    /// Who, where that is known.
    #[must_use]
    pub const fn known(&self) -> Option<&BTreeSet<Endpoint>> {
        match self {
            Self::Known(members) => Some(members),
            Self::Unlisted(_) => None,
        }
    }

    /// The same, to be changed.
    pub const fn known_mut(&mut self) -> Option<&mut BTreeSet<Endpoint>> {
        match self {
            Self::Known(members) => Some(members),
            Self::Unlisted(_) => None,
        }
    }

    /// How many, where that is known.
    #[must_use]
    pub fn count(&self) -> Option<usize> {
        match self {
            Self::Known(members) => Some(members.len()),
            Self::Unlisted(Unlisted { size, believed }) => {
                size.or_else(|| believed.map(|checkpoint| checkpoint.count))
            }
        }
    }
}

impl FromIterator<Endpoint> for Members {
    fn from_iter<I: IntoIterator<Item = Endpoint>>(members: I) -> Self {
        Self::Known(members.into_iter().collect())
    }
}

impl From<BTreeSet<Endpoint>> for Members {
    fn from(members: BTreeSet<Endpoint>) -> Self {
        Self::Known(members)
    }
}

impl Checkpoint {
    /// Of these members.
    #[must_use]
    pub fn of(members: &BTreeSet<Endpoint>) -> Self {
        let mut hash = Sha256::new();
        for Endpoint { instance, address, port } in members {
            hash.update(instance.as_bytes());
            hash.update([0]);
            hash.update(address.octets());
            hash.update(port.to_be_bytes());
        }
        let hash = hash.finalize().iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte));
        Self { count: members.len(), hash }
    }

    /// Reads the text that [`Display`](fmt::Display) writes: `COUNT.HASH`, the hash as sixteen hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (count, hash) = text.split_once('.')?;
        if hash.len() != 16 {
            return None;
        }
        Some(Self { count: count.parse().ok()?, hash: u64::from_str_radix(hash, 16).ok()? })
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, hash } = self;
        write!(f, "{count}.{hash:016x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(n: u8) -> Endpoint {
        Endpoint { instance: format!("node-{n}"), address: [10, 0, 0, n].into(), port: 8080 }
    }

    /// It is kept in clusters, so what it is must never change.
    #[test]
    fn a_checkpoint_is_frozen() {
        let of =
            |members: &[u8]| Checkpoint::of(&members.iter().copied().map(endpoint).collect()).to_string();
        assert_eq!(of(&[]), "0.e3b0c44298fc1c14");
        assert_ne!(of(&[1]), of(&[2]));
        assert_eq!(of(&[1, 2]), of(&[2, 1]));
    }

    #[test]
    fn a_checkpoint_is_read_as_it_was_written_and_nothing_else_is() {
        let checkpoint = Checkpoint::of(&[endpoint(1), endpoint(2)].into());
        assert_eq!(Checkpoint::parse(&checkpoint.to_string()), Some(checkpoint));
        for text in ["", "2", "2.", "x.e3b0c44298fc1c14", "2.e3b0", "2.e3b0c44298fc1c1g"] {
            assert_eq!(Checkpoint::parse(text), None, "{text}");
        }
    }
}
