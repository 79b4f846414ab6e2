//! Looks at each plan before it is applied, with what the project's quotas said when they were last read. IO and a cache; the verdict is
//! [`preflight`](crate::preflight)'s.
//!
//! What asking for permissions costs: a call for each kind of resource that is to be changed, once an hour; every ten seconds while one is
//! missing that is needed.
//!
//! What reading the quotas costs: `projects.get` and one `regions.get` for each region that something is to be made in; at most once in
//! ten seconds, when something new is to be made or something waits for room, and never otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::join_all;
use tokio::time::{Instant, timeout};
use tracing::{info, warn};

use crate::brake::{Braked, brake};
use crate::cloud::{Cloud, chain};
use crate::model::{LoadBalancerKey, Observed, ResourceId};
use crate::plan::Plan;
use crate::preflight::{Examined, Quotas, Rights, examine, questions, regions};
use crate::translate::Translation;

/// Quotas that are younger are believed.
const SOON: Duration = Duration::from_secs(10);

/// A permission that we have is believed for so long: who loses one later is told by the first refused call.
const GRANTED: Duration = Duration::from_hours(1);

/// Where the question itself goes wrong, it is put again after so long.
const UNANSWERED: Duration = Duration::from_mins(1);

/// Answers that take longer are not waited for.
const PATIENCE: Duration = Duration::from_secs(5);

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
    /// What we may not do.
    rights: Rights,
    /// When each permission is to be asked for again.
    ask_again: BTreeMap<&'static str, Instant>,
    /// Who waits for a right.
    short_of_rights: BTreeSet<LoadBalancerKey>,
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
        self.asked = Some(Instant::now());
        match cloud.quotas(&regions(new.iter().copied())).await {
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

    /// Asks for the permissions that a plan needs and that nobody has asked for lately. Says whether anything was asked, which takes time:
    /// the world may have gone on.
    pub(super) async fn ask(&mut self, cloud: &impl Cloud, plan: &Plan) -> bool {
        let now = Instant::now();
        let questions =
            questions(plan, |permission| self.ask_again.get(permission).is_some_and(|again| now < *again));
        let answers = questions.iter().map(|(id, permissions)| async move {
            (id, permissions, timeout(PATIENCE, cloud.lacking(id, permissions)).await)
        });
        for (id, permissions, answer) in join_all(answers).await {
            let now = Instant::now();
            let (lacking, believed) = match answer {
                Ok(Ok(lacking)) => (Some(lacking), GRANTED),
                // It may pass; and if not, the cloud itself says so when it refuses a change.
                Ok(Err(error)) => {
                    warn!(error = chain(&error), %id, "permissions cannot be asked for; going on without");
                    (None, UNANSWERED)
                }
                Err(_) => {
                    warn!(%id, "permissions were asked for without an answer; going on without");
                    (None, UNANSWERED)
                }
            };
            for permission in permissions {
                let lacks = lacking.as_ref().is_some_and(|lacking| lacking.contains(permission));
                self.ask_again.insert(permission, now + if lacks { SOON } else { believed });
                if lacks {
                    self.rights.lacking.insert(permission);
                } else {
                    self.rights.lacking.remove(permission);
                }
            }
        }
        !questions.is_empty()
    }

    /// The plan without what cannot be finished.
    pub(super) fn examine(&mut self, plan: Plan, observed: &Observed) -> Plan {
        let Examined { plan, admitted, short_of_quota, short_of_rights } =
            examine(plan, observed, &self.quotas, &self.rights, &self.admitted);
        self.admitted = admitted;
        if short_of_rights != self.short_of_rights {
            let lacking: Vec<&str> = self.rights.lacking.iter().copied().collect();
            info!(
                waiting = short_of_rights.len(),
                lacking = lacking.join(", "),
                "load balancers wait for permissions"
            );
            self.short_of_rights = short_of_rights;
        }
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
        let quotas = self.asked.filter(|_| !self.short_of_quota.is_empty()).map(|asked| asked + SOON);
        let lacking = self.rights.lacking.iter().filter(|_| !self.short_of_rights.is_empty());
        let rights = lacking.filter_map(|permission| self.ask_again.get(permission).copied()).min();
        quotas.into_iter().chain(rights).min()
    }
}
