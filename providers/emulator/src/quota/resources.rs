//! Resource quotas: the metrics, and how much of each a project uses.

use super::QuotaError;
use crate::draft::Draft;
use crate::scope::Scope;
use crate::state::{Change, State, Stored};
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

/// What a metric counts, and where.
pub(crate) struct Metric {
    /// As the API spells it.
    pub(crate) name: &'static str,
    collections: &'static [&'static str],
    count: Count,
    places: Places,
    /// What a project gets that nobody has asked more for. Google documents these limits as differing from project to
    /// project; these are what `projects.get` shows for one without a billing history.
    new_project: u64,
}

enum Count {
    Each,
    EachThat(fn(&Stored) -> bool),
    /// Different values of a text, where it has one.
    Different(fn(&Stored) -> Option<&str>),
}

/// Where a metric is limited: once per project, in each region (its zones included), or both, apart from each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Places {
    Global,
    Region,
    Both,
}

/// What a project may have of each metric that nobody has limited: the emulator is there to be used, also for thousands
/// of load balancers.
const UNLIMITED: u64 = 1_000_000;

const fn metric(
    name: &'static str,
    collections: &'static [&'static str],
    count: Count,
    places: Places,
    new_project: u64,
) -> Metric {
    Metric { name, collections, count, places, new_project }
}

/// Every metric, in the order of the answers.
#[rustfmt::skip]
pub(crate) static METRICS: &[Metric] = &[
    metric("BACKEND_BUCKETS", &["backendBuckets"], Count::Each, Places::Both, 3),
    metric("BACKEND_SERVICES", &["backendServices"], Count::Each, Places::Both, 9),
    metric("EXTERNAL_MANAGED_FORWARDING_RULES", &["forwardingRules"], Count::EachThat(|s| scheme(s, "EXTERNAL_MANAGED")), Places::Region, 15),
    metric("FIREWALLS", &["firewalls"], Count::Each, Places::Global, 100),
    metric("FORWARDING_RULES", &["forwardingRules"], Count::Each, Places::Both, 15),
    metric("GLOBAL_EXTERNAL_MANAGED_BACKEND_SERVICES", &["backendServices"], Count::EachThat(|s| scheme(s, "EXTERNAL_MANAGED")), Places::Global, 75),
    metric("GLOBAL_EXTERNAL_MANAGED_FORWARDING_RULES", &["forwardingRules"], Count::EachThat(|s| scheme(s, "EXTERNAL_MANAGED")), Places::Global, 45),
    metric("GLOBAL_EXTERNAL_PROXY_LB_BACKEND_SERVICES", &["backendServices"], Count::EachThat(|s| scheme(s, "EXTERNAL")), Places::Global, 75),
    metric("GLOBAL_INTERNAL_ADDRESSES", &["addresses"], Count::EachThat(is_internal), Places::Global, 5000),
    metric("GLOBAL_INTERNAL_MANAGED_BACKEND_SERVICES", &["backendServices"], Count::EachThat(|s| scheme(s, "INTERNAL_MANAGED")), Places::Global, 75),
    metric("GLOBAL_INTERNAL_TRAFFIC_DIRECTOR_BACKEND_SERVICES", &["backendServices"], Count::EachThat(|s| scheme(s, "INTERNAL_SELF_MANAGED")), Places::Global, 6000),
    metric("HEALTH_CHECKS", &["healthChecks", "httpHealthChecks", "httpsHealthChecks"], Count::Each, Places::Both, 75),
    metric("IMAGES", &["images"], Count::Each, Places::Global, 100),
    metric("INSTANCES", &["instances"], Count::Each, Places::Region, 24),
    metric("INSTANCE_GROUPS", &["instanceGroups"], Count::Each, Places::Region, 100),
    metric("INSTANCE_TEMPLATES", &["instanceTemplates"], Count::Each, Places::Global, 100),
    metric("INTERNAL_ADDRESSES", &["addresses"], Count::EachThat(is_internal), Places::Region, 200),
    metric("IN_USE_ADDRESSES", &["forwardingRules"], Count::Different(external_address), Places::Both, 8),
    metric("NETWORKS", &["networks"], Count::Each, Places::Global, 5),
    metric("NETWORK_ENDPOINT_GROUPS", &["networkEndpointGroups"], Count::Each, Places::Both, 100),
    metric("REGIONAL_EXTERNAL_MANAGED_BACKEND_SERVICES", &["backendServices"], Count::EachThat(|s| scheme(s, "EXTERNAL_MANAGED")), Places::Region, 75),
    metric("REGIONAL_EXTERNAL_NETWORK_LB_BACKEND_SERVICES", &["backendServices"], Count::EachThat(|s| scheme(s, "EXTERNAL")), Places::Region, 75),
    metric("REGIONAL_INTERNAL_LB_BACKEND_SERVICES", &["backendServices"], Count::EachThat(|s| scheme(s, "INTERNAL")), Places::Region, 75),
    metric("REGIONAL_INTERNAL_MANAGED_BACKEND_SERVICES", &["backendServices"], Count::EachThat(|s| scheme(s, "INTERNAL_MANAGED")), Places::Region, 75),
    metric("SECURITY_POLICIES", &["securityPolicies"], Count::Each, Places::Both, 10),
    metric("SSL_CERTIFICATES", &["sslCertificates"], Count::Each, Places::Both, 10),
    metric("SSL_POLICIES", &["sslPolicies"], Count::Each, Places::Both, 10),
    metric("STATIC_ADDRESSES", &["addresses"], Count::EachThat(|s| !is_internal(s)), Places::Both, 8),
    metric("SUBNETWORKS", &["subnetworks"], Count::Each, Places::Region, 100),
    metric("TARGET_HTTPS_PROXIES", &["targetHttpsProxies"], Count::Each, Places::Both, 10),
    metric("TARGET_HTTP_PROXIES", &["targetHttpProxies"], Count::Each, Places::Both, 10),
    metric("TARGET_POOLS", &["targetPools"], Count::Each, Places::Region, 50),
    metric("TARGET_SSL_PROXIES", &["targetSslProxies"], Count::Each, Places::Global, 10),
    metric("TARGET_TCP_PROXIES", &["targetTcpProxies"], Count::Each, Places::Both, 10),
    metric("URL_MAPS", &["urlMaps"], Count::Each, Places::Both, 10),
];

fn scheme(stored: &Stored, scheme: &str) -> bool {
    stored.text("loadBalancingScheme") == Some(scheme)
}

fn is_internal(address: &Stored) -> bool {
    address.text("addressType") == Some("INTERNAL")
}

/// Reserved or not: a number of which a forwarding rule makes use.
fn external_address(rule: &Stored) -> Option<&str> {
    let external = scheme(rule, "EXTERNAL") || scheme(rule, "EXTERNAL_MANAGED");
    rule.text("IPAddress").filter(|_| external)
}

/// The names, for people.
pub(super) fn names() -> String {
    METRICS.iter().map(|metric| metric.name).collect::<Vec<_>>().join(", ")
}

/// Whether inserts that were accepted and have not ended count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counting {
    WithInserts,
    Standing,
}

/// The quota place of a resource: a zone counts for its region.
fn place_of(state: &State, project: &str, scope: &Scope) -> Scope {
    let Scope::Zone(zone) = scope else { return scope.clone() };
    state
        .table("zones", project, &Scope::Project)
        .and_then(|zones| zones.get(zone))
        .and_then(|zone| zone.text("region"))
        .and_then(|region| region.rsplit('/').next())
        .map_or_else(|| scope.clone(), |region| Scope::Region(region.to_owned()))
}

impl Metric {
    /// Whether it is limited in a place.
    pub(super) fn is_of(&self, place: &Scope) -> bool {
        match place {
            Scope::Global => self.places != Places::Region,
            Scope::Region(_) => self.places != Places::Global,
            Scope::Project | Scope::Zone(_) => false,
        }
    }

    /// Every resource in a place that the metric looks at.
    fn looked_at<'a>(
        &self,
        state: &'a State,
        project: &str,
        place: &Scope,
        counting: Counting,
    ) -> Vec<&'a Stored> {
        let mut scopes = vec![place.clone()];
        if let Scope::Region(_) = place {
            let zones = state.table("zones", project, &Scope::Project).into_iter().flatten();
            let zones = zones.map(|(name, _)| Scope::Zone(name.clone()));
            scopes.extend(zones.filter(|zone| place_of(state, project, zone) == *place));
        }
        let mut found = Vec::new();
        for collection in self.collections {
            for scope in &scopes {
                let table = state.table(collection, project, scope).into_iter().flatten();
                found.extend(table.map(|(_, stored)| stored.as_ref()));
            }
        }
        if counting == Counting::WithInserts {
            found.extend(state.changes().filter_map(|(path, change)| match change {
                Change::Put(draft)
                    if draft.previous.is_none()
                        && path.project == project
                        && self.collections.contains(&path.collection)
                        && scopes.contains(&path.scope) =>
                {
                    Some(&draft.next)
                }
                Change::Put(_) | Change::Delete => None,
            }));
        }
        found
    }

    /// How much of it a project has in a place, and `more` on top.
    pub(super) fn usage(
        &self,
        state: &State,
        project: &str,
        place: &Scope,
        counting: Counting,
        more: Option<&Stored>,
    ) -> u64 {
        let found = self.looked_at(state, project, place, counting).into_iter().chain(more);
        let count = match self.count {
            Count::Each => found.count(),
            Count::EachThat(fits) => found.filter(|stored| fits(stored)).count(),
            Count::Different(value) => found.filter_map(value).collect::<BTreeSet<_>>().len(),
        };
        u64::try_from(count).unwrap_or(u64::MAX)
    }
}

/// When an insert that exceeds a quota is told so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum QuotaTold {
    /// 403 instead of an operation.
    #[default]
    AtOnce,
    /// The operation ends with `QUOTA_EXCEEDED`.
    InOperation,
}

/// How many resources a project may have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ResourceQuotas {
    /// Limits by metric. A metric without one has a limit that nobody reaches.
    pub limits: BTreeMap<&'static str, u64>,
    /// When an insert that exceeds a limit is told so.
    pub told: QuotaTold,
}

impl ResourceQuotas {
    /// The limits that a project has before anybody asks for more: 10 URL maps, 15 forwarding rules, and so on.
    #[must_use]
    pub fn of_new_project() -> Self {
        Self {
            limits: METRICS.iter().map(|metric| (metric.name, metric.new_project)).collect(),
            told: QuotaTold::AtOnce,
        }
    }

    /// Limits one metric, in every project and place.
    ///
    /// # Errors
    /// If no metric has the name.
    pub fn set(&mut self, metric: &str, limit: u64) -> Result<(), QuotaError> {
        let found = METRICS.iter().find(|found| found.name == metric);
        let found = found.ok_or_else(|| QuotaError::Metric { metric: metric.to_owned() })?;
        self.limits.insert(found.name, limit);
        Ok(())
    }

    /// Makes a setting of the command line true. Later ones win.
    pub(crate) fn apply(&mut self, setting: &QuotaSetting) {
        match setting {
            QuotaSetting::NewProject => self.limits = Self::of_new_project().limits,
            QuotaSetting::Limit { metric, limit } => {
                self.limits.insert(metric, *limit);
            }
        }
    }

    pub(super) fn limit(&self, metric: &str) -> u64 {
        self.limits.get(metric).copied().unwrap_or(UNLIMITED)
    }

    /// What is said of an insert that one metric has no room for.
    pub(super) fn exceeded(&self, state: &State, draft: &Draft, counting: Counting) -> Option<String> {
        if draft.previous.is_some() {
            return None;
        }
        let place = place_of(state, &draft.path.project, &draft.path.scope);
        METRICS
            .iter()
            .filter(|metric| self.limits.contains_key(metric.name))
            .filter(|metric| metric.collections.contains(&draft.path.collection) && metric.is_of(&place))
            .find_map(|metric| {
                let limit = self.limit(metric.name);
                let usage = |more| metric.usage(state, &draft.path.project, &place, counting, more);
                let after = usage(Some(&draft.next));
                // A limit that was lowered below what is there stops what adds to it, nothing else.
                let full = after > limit && after > usage(None);
                let place = match &place {
                    Scope::Region(region) => format!("in region {region}"),
                    Scope::Project | Scope::Global | Scope::Zone(_) => "globally".to_owned(),
                };
                // Two blanks and a tenth, as Google writes it.
                full.then(|| format!("Quota '{}' exceeded.  Limit: {limit}.0 {place}.", metric.name))
            })
    }
}

/// A setting of the command line: `URL_MAPS=10`, or `new-project` for all limits of a new project.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum QuotaSetting {
    /// All limits of a project that nobody has asked more for.
    NewProject,
    /// The limit of one metric.
    Limit {
        /// A metric of the API.
        metric: &'static str,
        /// How much of it a project may have in each place.
        limit: u64,
    },
}

impl FromStr for QuotaSetting {
    type Err = QuotaError;

    fn from_str(text: &str) -> Result<Self, QuotaError> {
        if text == "new-project" {
            return Ok(Self::NewProject);
        }
        let form = || QuotaError::Form { text: text.to_owned(), form: "METRIC=N, such as URL_MAPS=10" };
        let (name, limit) = text.split_once('=').ok_or_else(form)?;
        let limit = limit.parse().map_err(|_| form())?;
        let metric = METRICS.iter().find(|metric| metric.name == name);
        let metric = metric.ok_or_else(|| QuotaError::Metric { metric: name.to_owned() })?;
        Ok(Self::Limit { metric: metric.name, limit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_the_command_line() {
        assert_eq!("URL_MAPS=10".parse(), Ok(QuotaSetting::Limit { metric: "URL_MAPS", limit: 10 }));
        assert_eq!("new-project".parse(), Ok(QuotaSetting::NewProject));
        for bad in ["", "URL_MAPS", "URL_MAPS=", "URL_MAPS=-1", "url_maps=1"] {
            assert!(bad.parse::<QuotaSetting>().is_err(), "{bad}");
        }
        let mut quotas = ResourceQuotas::default();
        quotas.apply(&QuotaSetting::NewProject);
        quotas.apply(&QuotaSetting::Limit { metric: "URL_MAPS", limit: 99 });
        assert_eq!((quotas.limit("URL_MAPS"), quotas.limit("FORWARDING_RULES")), (99, 15));
    }

    #[test]
    fn metrics_are_in_order_and_count_what_there_is() {
        assert!(METRICS.windows(2).all(|pair| matches!(pair, [a, b] if a.name < b.name)));
        for Metric { name, collections, .. } in METRICS {
            for collection in *collections {
                assert!(crate::api::find(collection).is_some(), "{name} counts {collection}");
            }
        }
    }
}
