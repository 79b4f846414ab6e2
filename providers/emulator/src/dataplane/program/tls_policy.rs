//! What a TLS frontend offers.

use std::collections::BTreeSet;

/// Versions and cipher suites that clients may choose from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsPolicy {
    /// The oldest version.
    pub oldest: TlsVersion,
    /// The suites of all versions.
    pub suites: TlsSuites,
}

/// A version of TLS that can be spoken here; older ones cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TlsVersion {
    /// TLS 1.2.
    #[default]
    V1_2,
    /// TLS 1.3.
    V1_3,
}

/// Cipher suites.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TlsSuites {
    /// All that there are.
    #[default]
    All,
    /// Those of these names in IANA's list. Names that cannot be offered here count for nothing.
    Only(BTreeSet<String>),
}

impl TlsSuites {
    /// Whether a suite may be offered.
    #[must_use]
    pub fn admit(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(name),
        }
    }
}
