//! Looks at each plan before it is applied, with what the project's quotas said when they were last read. IO and a cache; the verdict is
//! [`preflight`](crate::preflight)'s.
//!
//! What reading the quotas costs: `projects.get` and one `regions.get` for each region that something is to be made in; at most once in
//! ten seconds, when something new is to be made or something waits for room, and never otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;
use tracing::{info, warn};

use crate::brake::{Braked, brake};
use crate::cloud::{Cloud, chain};
use crate::model::{LoadBalancerKey, Observed, ResourceId, Scope};
use crate::plan::Plan;
use crate::preflight::{Examined, Quotas, examine, region_of};
use crate::translate::Translation;

/// Quotas that are younger are believed.
const SOON: Duration = Duration::from_secs(10);

/// Load balancers that go within so long of each other count together for the brake on mass deletion.
const TOGETHER: Duration = Duration::from_mins(10);

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Preflight {
    quotas: Quotas,
    /// When the quotas were last asked for.
    asked: Option<Instant>,
    /// What was let in since, or before and is not made yet.
    admitted: BTreeSet<ResourceId>,
    /// Who waits for room.
    short_of_quota: BTreeSet<LoadBalancerKey>,
    /// Who was let go, and when that was last seen.
    gone: BTreeMap<LoadBalancerKey, Instant>,
    /// Who waits for consent to go.
    held: BTreeSet<LoadBalancerKey>,
}

impl Preflight {
    /// Reads the quotas where what is to be made asks for that.
    pub(super) async fn refresh(
        &mut self,
        cloud: &impl Cloud,
        translation: &Translation,
        observed: &Observed,
    ) {
        if self.asked.is_some_and(|asked| asked.elapsed() < SOON) {
            return;
        }
        let to_be_made = |id: &&ResourceId| !observed.graph.contains(id);
        let new: Vec<&ResourceId> =
            translation.desired.entries().map(|(id, _)| id).filter(to_be_made).collect();
        if new.iter().all(|id| self.admitted.contains(*id)) && self.short_of_quota.is_empty() {
            return;
        }
        let regions = new.iter().filter_map(|id| match &id.scope {
            Scope::Global => None,
            Scope::Region(region) => Some(region.clone()),
            Scope::Zone(zone) => Some(region_of(zone)),
        });
        self.asked = Some(Instant::now());
        match cloud.quotas(&regions.collect()).await {
            Ok(quotas) => {
                self.quotas = quotas;
                // What is made by now is among what the project uses. What is under way may be counted twice for a while: rather
                // that than promise the same room to two.
                self.admitted.retain(|id| !observed.graph.contains(id) && translation.desired.contains(id));
            }
            // It may pass, or the right to look may be missing: then the cloud itself says so when there is no room.
            Err(error) => {
                warn!(error = chain(&error), "the project's quotas cannot be read; going on without");
            }
        }
    }

    /// The plan without what cannot be finished.
    pub(super) fn examine(&mut self, plan: Plan, observed: &Observed) -> Plan {
        let Examined { plan, admitted, short_of_quota } =
            examine(plan, observed, &self.quotas, &self.admitted);
        self.admitted = admitted;
        if short_of_quota != self.short_of_quota {
            info!(waiting = short_of_quota.len(), "load balancers wait for room in a quota of the project");
            self.short_of_quota = short_of_quota;
        }
        plan
    }

    /// The brake on mass deletion, where more than `limit` may not go together: see [`brake`](crate::brake).
    pub(super) fn brake(&mut self, translation: &mut Translation, observed: &Observed, limit: usize) {
        let now = Instant::now();
        self.gone.retain(|_, seen| now.duration_since(*seen) < TOGETHER);
        let gone = self.gone.keys().cloned().collect();
        let Braked { going, held } = brake(translation, observed, &gone, limit);
        self.gone.extend(going.into_iter().map(|key| (key, now)));
        if held != self.held {
            warn!(
                waiting = held.len(),
                going = self.gone.len(),
                "most load balancers would go at once: those that wait are kept until somebody consents"
            );
            self.held = held;
        }
    }

    /// When it is worth while to look again, though nothing has changed that we could see.
    pub(super) fn next_look(&self) -> Option<Instant> {
        self.asked.filter(|_| !self.short_of_quota.is_empty()).map(|asked| asked + SOON)
    }
}
