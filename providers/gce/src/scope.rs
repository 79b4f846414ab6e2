//! Where a collection lives.

use gce_api::Scope;

use crate::methods::Placed;

/// The scope of resources that exist once for all regions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Global;

/// The scope of one region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(String);

/// The scope of one zone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Zone(String);

impl Region {
    /// The region of this name, e.g. `us-central1`. Whether it exists is for the API to say.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl Zone {
    /// The zone of this name, e.g. `us-central1-a`. Whether it exists is for the API to say.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }
}

/// The kinds of place that a resource type can have a collection in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Below `global/`.
    Global,
    /// Below `regions/REGION/`.
    Region,
    /// Below `zones/ZONE/`.
    Zone,
    /// Directly below the project, as regions and zones themselves are. Their scope is [`Scope::Global`].
    Project,
}

impl Place {
    /// Whether a scope is a place of this kind.
    #[must_use]
    pub fn holds(self, scope: &Scope) -> bool {
        match (self, scope) {
            (Self::Global | Self::Project, Scope::Global)
            | (Self::Region, Scope::Region(_))
            | (Self::Zone, Scope::Zone(_)) => true,
            (Self::Global | Self::Project | Self::Region | Self::Zone, _) => false,
        }
    }
}

/// A scope in which resources of type `R` exist.
///
/// [`Global`], [`Region`] and [`Zone`] are one only where `R` has such a collection, so a wrong one does not compile.
/// A [`Scope`] found at run time is accepted for every `R` and checked when a request is made.
pub trait ScopeOf<R> {
    /// The scope as a value.
    fn into_scope(self) -> Scope;
}

impl<R: Placed> ScopeOf<R> for Scope {
    fn into_scope(self) -> Scope {
        self
    }
}

impl<R: Placed> ScopeOf<R> for &Scope {
    fn into_scope(self) -> Scope {
        self.clone()
    }
}

impl<R: crate::methods::InGlobal> ScopeOf<R> for Global {
    fn into_scope(self) -> Scope {
        Scope::Global
    }
}

impl<R: crate::methods::InRegion> ScopeOf<R> for Region {
    fn into_scope(self) -> Scope {
        Scope::Region(self.0)
    }
}

impl<R: crate::methods::InZone> ScopeOf<R> for Zone {
    fn into_scope(self) -> Scope {
        Scope::Zone(self.0)
    }
}
