//! Resources that are not ours: pointed at by name, never changed and never deleted.
//!
//! Somebody reserved an address, uploaded a certificate or wrote a policy, and a load balancer of ours is to use it. A translation says
//! which of them it asks about; the mirror finds out, and the next translation is told. That one is missing, that it could not be looked
//! up, and that nobody has looked yet are three things.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use super::{Kind, ResourceId, ResourceName, Scope};

/// The kinds of resource that may be pointed at without being ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ForeignKind {
    /// `addresses`
    Address,
    /// `sslCertificates`
    SslCertificate,
    /// `sslPolicies`
    SslPolicy,
    /// `securityPolicies`
    SecurityPolicy,
    /// `backendBuckets`
    BackendBucket,
}

impl ForeignKind {
    /// The field's own term, as people read it.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::SslCertificate => "ssl certificate",
            Self::SslPolicy => "ssl policy",
            Self::SecurityPolicy => "security policy",
            Self::BackendBucket => "backend bucket",
        }
    }

    /// The collection's name in the Compute API.
    #[must_use]
    pub const fn collection(self) -> &'static str {
        match self {
            Self::Address => "addresses",
            Self::SslCertificate => "sslCertificates",
            Self::SslPolicy => "sslPolicies",
            Self::SecurityPolicy => "securityPolicies",
            Self::BackendBucket => "backendBuckets",
        }
    }
}

/// One resource that is not ours.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ForeignId {
    /// What it is.
    pub kind: ForeignKind,
    /// Where it lives.
    pub scope: Scope,
    /// Its name there.
    pub name: ResourceName,
}

impl ForeignId {
    /// A global one.
    #[must_use]
    pub const fn global(kind: ForeignKind, name: ResourceName) -> Self {
        Self { kind, scope: Scope::Global, name }
    }

    /// The same by the name that references have, where resources of ours refer to ones of its kind as to our own.
    #[must_use]
    pub fn resource(&self) -> Option<ResourceId> {
        let Self { kind, scope, name } = self;
        let kind = match kind {
            ForeignKind::Address => Kind::Address,
            ForeignKind::SslCertificate => Kind::SslCertificate,
            ForeignKind::SslPolicy | ForeignKind::SecurityPolicy | ForeignKind::BackendBucket => return None,
        };
        Some(ResourceId { kind, scope: scope.clone(), name: name.clone() })
    }

    /// The other way round.
    #[must_use]
    pub fn of(id: &ResourceId) -> Option<Self> {
        let ResourceId { kind, scope, name } = id;
        let kind = match kind {
            Kind::Address => ForeignKind::Address,
            Kind::SslCertificate => ForeignKind::SslCertificate,
            _ => return None,
        };
        Some(Self { kind, scope: scope.clone(), name: name.clone() })
    }
}

impl fmt::Display for ForeignId {
    /// `address web-ip`, with the region where there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, scope, name } = self;
        match scope {
            Scope::Global => write!(f, "{} {name}", kind.noun()),
            Scope::Region(_) | Scope::Zone(_) => write!(f, "{} {scope}/{name}", kind.noun()),
        }
    }
}

/// What came of looking one up. Of one that nobody has looked up yet there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// It exists.
    Found(ForeignFacts),
    /// It does not: the cloud said so.
    Missing,
    /// The cloud did not say.
    Failed {
        /// Why not, in a sentence.
        why: String,
    },
}

/// What is known of a resource that is not ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForeignFacts {
    /// An address.
    Address {
        /// Its number; `None` while the cloud is still reserving it.
        number: Option<IpAddr>,
        /// From where it can be reached.
        reach: AddressReach,
        /// What uses it and is not ours.
        users: Vec<AddressUser>,
    },
    /// That it exists is all that matters.
    Exists,
}

/// From where an address can be reached (Compute API `addressType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressReach {
    /// From the internet.
    External,
    /// Only from within its network.
    Internal,
}

/// Somebody else's resource that uses an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressUser {
    /// Its path, for people: `global/forwardingRules/web`.
    pub path: String,
    /// The first and the last port that it takes; `None`: all of them, or it cannot be told.
    pub ports: Option<(u16, u16)>,
}

impl AddressUser {
    /// Whether it is in the way of a forwarding rule for this port.
    #[must_use]
    pub fn takes(&self, port: u16) -> bool {
        self.ports.is_none_or(|(first, last)| (first..=last).contains(&port))
    }
}

/// What a translation is told of the resources that are not ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForeignHeld {
    /// What came of looking. One that is not here has not been looked up yet.
    Known(BTreeMap<ForeignId, Lookup>),
    /// Nobody can look: each is taken to exist.
    Assumed,
}

impl Default for ForeignHeld {
    /// Nobody has looked yet.
    fn default() -> Self {
        Self::Known(BTreeMap::new())
    }
}

/// How a resource that is not ours stands, for whoever wants to point at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForeignStanding<'a> {
    /// It exists.
    Found(&'a ForeignFacts),
    /// It is taken to exist, since nobody can look.
    Assumed,
    /// It does not exist.
    Missing,
    /// Nothing is known of it: why not, or (`None`) nobody has looked yet.
    Unknown(Option<&'a str>),
}

impl ForeignHeld {
    /// How one of them stands.
    #[must_use]
    pub fn standing(&self, id: &ForeignId) -> ForeignStanding<'_> {
        match self {
            Self::Assumed => ForeignStanding::Assumed,
            Self::Known(known) => match known.get(id) {
                Some(Lookup::Found(facts)) => ForeignStanding::Found(facts),
                Some(Lookup::Missing) => ForeignStanding::Missing,
                Some(Lookup::Failed { why }) => ForeignStanding::Unknown(Some(why)),
                None => ForeignStanding::Unknown(None),
            },
        }
    }
}
