//! Rate quotas: how many requests of a group a project may send in a minute.
//!
//! Windows are fixed: a minute begins when the clock's minute does, for every group and project at once, and whoever has
//! used a minute up waits for the next. Global methods and the methods of each region are counted apart from each other.

use super::QuotaError;
use crate::error::ApiError;
use crate::latency::matches;
use crate::scope::Scope;
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::str::FromStr;

/// Methods that share a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RateGroup {
    /// Mutations, and all that is in no other group.
    Queries,
    /// `get` and alike.
    Reads,
    /// `list` and alike.
    Lists,
    /// Whatever is asked of operations.
    OperationReads,
    /// Mutations that make the network work hard.
    HeavyMutations,
    /// Reads of many places at once, and of the data plane.
    HeavyReads,
}

/// How a group is called.
struct Words {
    group: RateGroup,
    /// On the command line.
    name: &'static str,
    /// In the error.
    metric: &'static str,
}

const WORDS: &[Words] = &[
    Words { group: RateGroup::Queries, name: "queries", metric: "Queries" },
    Words { group: RateGroup::Reads, name: "reads", metric: "Read requests" },
    Words { group: RateGroup::Lists, name: "lists", metric: "List requests" },
    Words { group: RateGroup::OperationReads, name: "operation-reads", metric: "Operation read requests" },
    Words {
        group: RateGroup::HeavyMutations,
        name: "heavy-mutations",
        metric: "Heavy-weight mutation requests",
    },
    Words { group: RateGroup::HeavyReads, name: "heavy-reads", metric: "Heavy-weight read requests" },
];

/// Which group a method is in: the first pattern that fits.
const GROUPS: &[(&str, RateGroup)] = &[
    ("operations.delete", RateGroup::Queries),
    ("operations.*", RateGroup::OperationReads),
    ("*.aggregatedList", RateGroup::HeavyReads),
    ("*.getHealth", RateGroup::HeavyReads),
    ("*.getEffective*", RateGroup::HeavyReads),
    ("*.list*", RateGroup::Lists),
    ("*.get*", RateGroup::Reads),
    ("*.family", RateGroup::Reads),
    ("*.validate", RateGroup::Reads),
    ("*.testIamPermissions", RateGroup::Reads),
    ("networks.*", RateGroup::HeavyMutations),
    ("subnetworks.*", RateGroup::HeavyMutations),
    ("*", RateGroup::Queries),
];

/// The group of a method such as `urlMaps.insert`.
fn group_of(method: &str) -> RateGroup {
    GROUPS
        .iter()
        .find(|(pattern, _)| matches(pattern, method))
        .map_or(RateGroup::Queries, |(_, group)| *group)
}

/// The names of the groups, for people.
pub(super) fn names() -> String {
    WORDS.iter().map(|words| words.name).collect::<Vec<_>>().join(", ")
}

impl RateGroup {
    fn words(self) -> &'static Words {
        WORDS.iter().find(|words| words.group == self).unwrap_or(&WORDS[0])
    }

    /// As the command line spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.words().name
    }
}

impl FromStr for RateGroup {
    type Err = QuotaError;

    fn from_str(text: &str) -> Result<Self, QuotaError> {
        let found = WORDS.iter().find(|words| words.name == text);
        found.map(|words| words.group).ok_or_else(|| QuotaError::Group { group: text.to_owned() })
    }
}

/// The limit of one group. On the command line `reads=1500`, or `reads=1500/min`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Whose limit.
    pub group: RateGroup,
    /// Requests per minute, project and place.
    pub per_minute: u64,
}

impl FromStr for RateLimit {
    type Err = QuotaError;

    fn from_str(text: &str) -> Result<Self, QuotaError> {
        let form = || QuotaError::Form { text: text.to_owned(), form: "GROUP=N, such as reads=1500" };
        let (group, limit) = text.split_once('=').ok_or_else(form)?;
        let limit = limit.strip_suffix("/min").unwrap_or(limit);
        Ok(Self { group: group.parse()?, per_minute: limit.parse().map_err(|_| form())? })
    }
}

/// How many requests a project may send in a minute. A group without a limit has none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RateLimits {
    /// Requests per minute, project and place.
    pub per_minute: BTreeMap<RateGroup, u64>,
}

impl RateLimits {
    /// These limits; of two for one group the later.
    #[must_use]
    pub fn of(limits: impl IntoIterator<Item = RateLimit>) -> Self {
        Self {
            per_minute: limits
                .into_iter()
                .map(|RateLimit { group, per_minute }| (group, per_minute))
                .collect(),
        }
    }
}

/// What is counted apart: project, group, and `global` or a region.
type Counted = (String, RateGroup, String);

/// What was counted in one minute.
#[derive(Debug, Default)]
pub(super) struct Window {
    minute: i64,
    counts: HashMap<Counted, u64>,
}

impl Window {
    pub(super) fn count(
        &mut self,
        limits: &RateLimits,
        method: &str,
        project: &str,
        project_number: u64,
        place: &Scope,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let group = group_of(method);
        let Some(limit) = limits.per_minute.get(&group) else { return Ok(()) };
        let minute = now.as_second().div_euclid(60);
        if minute != self.minute {
            *self = Self { minute, counts: HashMap::new() };
        }
        let region = region_of(place);
        let location = region.unwrap_or("global");
        let count = self.counts.entry((project.to_owned(), group, location.to_owned())).or_default();
        if *count >= *limit {
            let Words { metric, .. } = group.words();
            let each = if region.is_some() { " per region" } else { "" };
            return Err(ApiError::rate_limit_exceeded(
                metric,
                &format!("{metric} per minute{each}"),
                *limit,
                location,
                project_number,
            ));
        }
        *count += 1;
        Ok(())
    }
}

/// The region of a regional or zonal method. A zone's name is its region's with a letter behind.
fn region_of(place: &Scope) -> Option<&str> {
    match place {
        Scope::Project | Scope::Global => None,
        Scope::Region(region) => Some(region),
        Scope::Zone(zone) => Some(zone.rsplit_once('-').map_or(zone.as_str(), |(region, _)| region)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_have_their_group() {
        for (method, group) in [
            ("urlMaps.insert", RateGroup::Queries),
            ("urlMaps.get", RateGroup::Reads),
            ("urlMaps.list", RateGroup::Lists),
            ("urlMaps.aggregatedList", RateGroup::HeavyReads),
            ("urlMaps.validate", RateGroup::Reads),
            ("backendServices.getHealth", RateGroup::HeavyReads),
            ("networkEndpointGroups.listNetworkEndpoints", RateGroup::Lists),
            ("networkEndpointGroups.attachNetworkEndpoints", RateGroup::Queries),
            ("operations.wait", RateGroup::OperationReads),
            ("operations.list", RateGroup::OperationReads),
            ("networks.insert", RateGroup::HeavyMutations),
            ("networks.get", RateGroup::Reads),
            ("projects.get", RateGroup::Reads),
        ] {
            assert_eq!(group_of(method), group, "{method}");
        }
    }

    #[test]
    fn a_minute_that_is_used_up_comes_back_with_the_next() {
        let limits = RateLimits::of(["reads=2/min".parse().unwrap()]);
        let mut window = Window::default();
        let mut at = |second: i64, project: &str, place: &Scope| {
            let now = Timestamp::from_second(second).unwrap();
            window.count(&limits, "urlMaps.get", project, 7, place, now)
        };
        let region = Scope::Region("r".to_owned());
        assert!(at(59, "p", &Scope::Global).is_ok());
        assert!(at(60, "p", &Scope::Global).is_ok());
        assert!(at(119, "p", &Scope::Global).is_ok());
        let refused = at(119, "p", &Scope::Global).unwrap_err();
        assert_eq!((refused.status.as_u16(), refused.reason), (403, "rateLimitExceeded"));
        assert!(at(119, "q", &Scope::Global).is_ok(), "another project");
        assert!(at(119, "p", &region).is_ok(), "another place");
        assert!(at(119, "p", &Scope::Zone("r-a".to_owned())).is_ok(), "a zone counts for its region");
        let refused = at(119, "p", &region).unwrap_err();
        assert!(refused.message.contains("'Read requests per minute per region'"), "{}", refused.message);
        assert!(at(120, "p", &Scope::Global).is_ok(), "the next minute");
    }
}
