//! Tells each load balancer's object how it is: while a plan is being applied, and when it is over.
//!
//! An address is told as soon as its forwarding rules are there, whatever else of the plan is still to come.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;
use tracing::debug;

use super::{Reconciler, Turn, WRITERS};
use crate::apply::{Ended, Ending, Outcome, Unfinished};
use crate::cloud::{Cloud, chain};
use crate::controller::source::Source;
use crate::controller::{Observer, Progress};
use crate::model::{
    BackendService, Held, Kind, LoadBalancerKey, ObjectKey, Observed, Ref, Resource as _, ResourceId,
};
use crate::plan::Plan;
use crate::status::{self, Activity, Event, Phase, Report, Waits, Work};
use crate::translate::{Disposition, Translation, translate};

/// While a plan is applied, its ends are told together within so long of each other; a forwarding rule's at once.
const TOGETHER: Duration = Duration::from_millis(250);

/// The states of all load balancers are worked out at most so often.
const AT_MOST: Duration = Duration::from_millis(50);

/// Events about what was done wait so long for each other while a plan is applied.
const NEWS: Duration = Duration::from_secs(5);

/// What is known about how a plan is going.
struct Going<'a> {
    translation: &'a Translation,
    plan: &'a Plan,
    before: &'a Observed,
    /// What the plan before left undone, as far as nothing has been heard of it since.
    earlier: Unfinished,
    /// What could not be done of this plan.
    failed: Unfinished,
    /// Ends that no Event has told of yet.
    untold: Vec<Ended>,
    /// What was told last.
    reports: BTreeMap<ObjectKey, Report>,
}

impl<S: Source, C: Cloud, O: Observer> Reconciler<S, C, O> {
    /// Tells until `endings` is over, and then everything once more.
    pub(super) async fn tell(
        &self,
        translation: &Translation,
        plan: &Plan,
        before: &Observed,
        mut endings: UnboundedReceiver<Ended>,
    ) -> Turn {
        let mut going = Going {
            translation,
            plan,
            before,
            earlier: self.unfinished.clone(),
            failed: Unfinished::new(),
            untold: Vec::new(),
            reports: BTreeMap::new(),
        };
        let mut turn = Turn::Settled;
        let mut last_news = Instant::now();
        if plan.is_empty() {
            while let Some(ended) = endings.recv().await {
                going.take(ended);
            }
        } else {
            turn = turn.or(self.publish(&mut going, Activity::Applying, false).await);
            let mut last = Instant::now();
            let mut due: Option<Instant> = None;
            loop {
                tokio::select! {
                    ended = endings.recv() => {
                        let Some(ended) = ended else { break };
                        let at = last + if is_urgent(&ended) { AT_MOST } else { TOGETHER };
                        due = Some(due.map_or(at, |due| due.min(at)));
                        going.take(ended);
                        continue;
                    }
                    () = self.board.changed() => {}
                    () = sleep_until(due) => {}
                }
                let news = last_news.elapsed() >= NEWS;
                if news {
                    last_news = Instant::now();
                }
                due = None;
                turn = turn.or(self.publish(&mut going, Activity::Applying, news).await);
                last = Instant::now();
            }
        }
        // From here on only this plan counts.
        going.earlier.clear();
        turn.or(self.publish(&mut going, Activity::Over, true).await)
    }

    /// Tells each object that nothing is known of the cloud, and why. A source that is not ready has nobody to tell.
    pub(super) async fn tell_unlisted(&self, why: &str) {
        let Ok(snapshot) = self.source.snapshot(Held::default()) else { return };
        let reports = status::unlisted(&translate(&snapshot), why);
        for (object, report) in &reports {
            match self.source.publish(object, report, &[]).await {
                Ok(()) => self.observer.on(Progress::Reported(object, report)),
                Err(error) => debug!(%object, error = chain(&error), "it could not be told"),
            }
        }
    }

    async fn publish(&self, going: &mut Going<'_>, activity: Activity, with_news: bool) -> Turn {
        let began = Instant::now();
        let observed = self.mirror.observed();
        self.board.want(probed(going.translation, &observed));
        let mut unfinished = going.earlier.clone();
        unfinished.extend(going.failed.clone());
        let waits = Waits::new();
        let work = Work { plan: going.plan, activity, unfinished: &unfinished, waits: &waits };
        let reports = status::compute(going.translation, &observed, &work, &self.board.known());
        let mut news = BTreeMap::new();
        if with_news && !going.untold.is_empty() {
            let outcome = Outcome { ended: std::mem::take(&mut going.untold) };
            news = status::news(&outcome, going.translation, going.before, &observed);
        }
        self.count(going.translation, &reports);

        let none: Vec<Event> = Vec::new();
        let over = activity == Activity::Over;
        let before = &going.reports;
        // At the end everything is told once more, so that the source can mend what somebody else changed.
        let telling: Vec<BoxFuture<'_, Turn>> = reports
            .iter()
            .filter(|(key, report)| over || news.contains_key(*key) || before.get(*key) != Some(*report))
            .map(|(key, report)| {
                let news = news.get(key).unwrap_or(&none);
                async move {
                    let result = self.source.publish(key, report, news).await;
                    self.observer.on(Progress::Reported(key, report));
                    match result {
                        Ok(()) => Turn::Settled,
                        Err(error) => self.failed("tell", key, &error, Turn::Settled),
                    }
                }
                .boxed()
            })
            .collect();
        let turn = futures::stream::iter(telling)
            .buffer_unordered(WRITERS)
            .fold(Turn::Settled, |all, one| std::future::ready(all.or(one)))
            .await;
        going.reports = reports;
        self.options.metrics.stage_ended("status", began.elapsed());
        turn
    }

    fn count(&self, translation: &Translation, reports: &BTreeMap<ObjectKey, Report>) {
        let mut problems: BTreeMap<&'static str, i64> = BTreeMap::new();
        for (_, problem) in translation.problems() {
            *problems.entry(problem.reason.word()).or_default() += 1;
        }
        // A load balancer of several is as far as the one of them that is least well.
        let mut worst: BTreeMap<&LoadBalancerKey, Phase> = BTreeMap::new();
        for (object, report) in reports {
            let Some(claimant) = translation.claimants.get(object) else { continue };
            let key = claimant.home.as_ref().or(claimant.elsewhere.first());
            let phase = report.summary.phase;
            key.map(|key| worst.entry(key).and_modify(|worst| *worst = phase.max(*worst)).or_insert(phase));
        }
        let mut phases: BTreeMap<&'static str, i64> = BTreeMap::new();
        for phase in worst.into_values() {
            *phases.entry(phase.word()).or_default() += 1;
        }
        self.options.metrics.problems(problems);
        self.options.metrics.load_balancers(phases);
    }
}

impl Going<'_> {
    fn take(&mut self, ended: Ended) {
        self.earlier.remove(&ended.id);
        if ended.result != Ending::Done {
            self.failed.insert(ended.id.clone(), ended.result.clone());
        }
        self.untold.push(ended);
    }
}

/// Whether somebody may be waiting for it: an address that is reached now, or something that went wrong.
fn is_urgent(ended: &Ended) -> bool {
    match ended.result {
        Ending::Done => ended.id.kind == Kind::ForwardingRule,
        Ending::Failed(_) => true,
        Ending::Blocked { .. } | Ending::Superseded => false,
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// The backend services that are probed: those that a forwarding rule reaches.
fn probed(translation: &Translation, observed: &Observed) -> BTreeMap<ResourceId, BackendService> {
    let served = translation.load_balancers.values().filter_map(|translated| match &translated.disposition {
        Disposition::Serve(frontends) => Some(frontends),
        Disposition::Keep | Disposition::TearDown => None,
    });
    let reached = served.filter(|frontends| {
        frontends.forwarding_rules.iter().map(Ref::id).any(|id| observed.graph.contains(id))
    });
    reached
        .flat_map(|frontends| &frontends.uses)
        .filter_map(|id| {
            let service = BackendService::from_node(&observed.graph.entry(id)?.node)?;
            (!service.backends.is_empty()).then(|| (id.clone(), service.clone()))
        })
        .collect()
}
