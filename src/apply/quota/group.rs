//! What is counted together.

use std::fmt;
use std::str::FromStr;

use crate::model::{ResourceId, Scope};

/// Kinds of calls that the cloud counts together (Compute Engine: "rate quotas", per minute and project).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Calls {
    /// Everything that changes something.
    Mutations,
    /// One resource, read.
    Reads,
    /// Lists of one place.
    Lists,
    /// Operations: asked about, waited for.
    OperationReads,
    /// Lists of all places at once, and the health of backends.
    HeavyReads,
}

impl Calls {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Mutations, Self::Reads, Self::Lists, Self::OperationReads, Self::HeavyReads];

    /// On the command line, and as a label.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Mutations => "mutations",
            Self::Reads => "reads",
            Self::Lists => "lists",
            Self::OperationReads => "operation-reads",
            Self::HeavyReads => "heavy-reads",
        }
    }

    /// Whether a call may be answered long after it was counted: waiting for an operation takes as long as that.
    pub(super) const fn are_answered_late(self) -> bool {
        match self {
            Self::OperationReads => true,
            Self::Mutations | Self::Reads | Self::Lists | Self::HeavyReads => false,
        }
    }
}

/// Calls of a region are counted apart from global ones, and those of a zone for its region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// Global resources, and lists of all places.
    Global,
    /// One region.
    Region(String),
}

impl Place {
    /// Where calls about a zone are counted. A zone's name is its region's with a letter behind.
    #[must_use]
    pub fn of_zone(zone: &str) -> Self {
        Self::Region(zone.rsplit_once('-').map_or(zone, |(region, _)| region).to_owned())
    }
}

/// Calls that share a quota.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group {
    /// Which calls.
    pub calls: Calls,
    /// Where.
    pub place: Place,
}

impl Group {
    /// The group that a change of this resource counts for.
    #[must_use]
    pub fn of_change(id: &ResourceId) -> Self {
        let place = match &id.scope {
            Scope::Global => Place::Global,
            Scope::Region(region) => Place::Region(region.to_string()),
            Scope::Zone(zone) => Place::of_zone(&zone.0),
        };
        Self { calls: Calls::Mutations, place }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.calls.word())?;
        match &self.place {
            Place::Global => Ok(()),
            Place::Region(region) => write!(f, " in {region}"),
        }
    }
}

/// How many calls a minute are believed to be allowed, until the cloud shows otherwise. On the command line `mutations=1500`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Belief {
    /// Of which calls, in each place.
    pub calls: Calls,
    /// How many.
    pub per_minute: u32,
}

/// What was given is no belief.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBelief {
    /// It has another form.
    #[error("`{0}` is not of the form GROUP=N, such as mutations=1500, with N above 0")]
    Form(String),
    /// There is no such group.
    #[error("there is no group `{group}`: there are {}", Calls::ALL.map(Calls::word).join(", "))]
    Group {
        /// What was given.
        group: String,
    },
}

impl FromStr for Belief {
    type Err = InvalidBelief;

    fn from_str(text: &str) -> Result<Self, InvalidBelief> {
        let form = || InvalidBelief::Form(text.to_owned());
        let (group, number) = text.split_once('=').ok_or_else(form)?;
        let calls = Calls::ALL.into_iter().find(|calls| calls.word() == group);
        let calls = calls.ok_or_else(|| InvalidBelief::Group { group: group.to_owned() })?;
        let per_minute = number.parse().ok().filter(|number| *number > 0).ok_or_else(form)?;
        Ok(Self { calls, per_minute })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::fixture::id;
    use crate::model::Kind;

    #[test]
    fn a_change_counts_where_its_resource_is() {
        let mut group = id(Kind::NetworkEndpointGroup, "web");
        group.scope = Scope::Zone(crate::model::Zone("europe-west1-b".to_owned()));
        assert_eq!(Group::of_change(&group).to_string(), "mutations in europe-west1");
        assert_eq!(Group::of_change(&id(Kind::UrlMap, "web")).to_string(), "mutations");
    }

    #[test]
    fn beliefs_are_read_and_refused() {
        assert_eq!("lists=40".parse(), Ok(Belief { calls: Calls::Lists, per_minute: 40 }));
        assert_eq!("mutations=0".parse::<Belief>(), Err(InvalidBelief::Form("mutations=0".to_owned())));
        assert_eq!("mutations".parse::<Belief>(), Err(InvalidBelief::Form("mutations".to_owned())));
        let error = "writes=3".parse::<Belief>().unwrap_err().to_string();
        assert!(error.contains("mutations, reads, lists"), "{error}");
    }
}
