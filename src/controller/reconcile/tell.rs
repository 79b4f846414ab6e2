//! Tells each load balancer's object how it is: all the time, by the newest input and the newest plan.
//!
//! An address is told as soon as its forwarding rules are there, whatever else of the plan is still to come.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::debug;

use super::stage::pure_stage;
use super::{Newest, Reconciler};
use crate::apply::{Ended, Ending, Outcome, Stage};
use crate::cloud::{Cloud, chain};
use crate::controller::source::Source;
use crate::controller::{Observer, Progress};
use crate::model::{
    BackendService, Held, Kind, LoadBalancerKey, ObjectKey, Observed, Ref, Resource as _, ResourceId,
};
use crate::status::{self, Activity, Event, Phase, Report, Wait, Waits, Work};
use crate::translate::{Disposition, Translation, translate};

/// Ends of changes are told together within so long of each other; a forwarding rule's at once.
const TOGETHER: Duration = Duration::from_millis(250);

/// The states of all load balancers are worked out at most so often; where there are many, less often.
const AT_MOST: Duration = Duration::from_millis(50);

/// Working them out takes no more than about a tenth of the time, however many there are.
const REST_PER_TELLING: u32 = 9;

/// While something is in hand, the states are worked out at least so often.
const WHILE_BUSY: Duration = Duration::from_secs(1);

/// Events about what was done wait so long for each other while there is more to do.
const NEWS: Duration = Duration::from_secs(5);

/// How long what is in hand is not counted again.
const COUNTED: Duration = Duration::from_secs(1);

/// What has been told, and what is to be.
#[derive(Default)]
pub(super) struct Telling {
    /// When the states are to be worked out again.
    pub(super) due: Option<Instant>,
    /// Whether everything is to be told once more when nothing is left to do, so that the source can mend what somebody else
    /// changed.
    everything: bool,
    last: Option<Instant>,
    /// How long that took.
    took: Duration,
    last_news: Option<Instant>,
    last_count: Option<Instant>,
    /// Ends that no Event has told of yet, and what there was before the first of them.
    untold: Vec<Ended>,
    before: Option<Arc<Observed>>,
    /// Events that wait for their object.
    news: BTreeMap<ObjectKey, Vec<Event>>,
    /// What each object was told last.
    told: BTreeMap<ObjectKey, Report>,
    /// An object could not be told something, since it was being written.
    passed_over: bool,
}

impl Telling {
    /// A change ended.
    pub(super) fn ended(&mut self, ended: Ended) {
        self.soon(if is_urgent(&ended) { AT_MOST } else { TOGETHER });
        self.untold.push(ended);
    }

    /// Something else happened that an object is to be told.
    pub(super) fn happened(&mut self, object: &ObjectKey, event: Event) {
        self.news.entry(object.clone()).or_default().push(event);
        self.soon(TOGETHER);
    }

    /// The states are to be worked out again, within so long of the last time.
    pub(super) fn soon(&mut self, within: Duration) {
        let now = Instant::now();
        let rest = within.max(REST_PER_TELLING * self.took);
        let at = self.last.map_or(now, |last| (last + rest).max(now));
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    /// Something else than a change may have changed a state.
    pub(super) fn stir(&mut self) {
        self.soon(AT_MOST);
    }

    /// An object was told.
    pub(super) fn told(&mut self, object: ObjectKey, report: Report) {
        self.told.insert(object, report);
        self.resume();
    }

    /// An object could not be written, since it was being written.
    pub(super) fn passed_over(&mut self) {
        self.passed_over = true;
    }

    fn resume(&mut self) {
        if std::mem::take(&mut self.passed_over) {
            self.stir();
        }
    }

    /// What an object was told is not known any more.
    pub(super) fn forget(&mut self, object: &ObjectKey) {
        self.told.remove(object);
        self.resume();
    }

    /// A plan is made by what was there `before` it.
    pub(super) fn planned(&mut self, before: &Arc<Observed>) {
        self.before.get_or_insert_with(|| Arc::clone(before));
        self.everything = true;
        self.stir();
    }
}

impl<S: Source, C: Cloud, O: Observer> Reconciler<S, C, O> {
    /// Tells each object that nothing is known of the cloud, and why. A source that is not ready has nobody to tell.
    pub(super) async fn tell_unlisted(&mut self, why: &str) {
        let Ok(snapshot) = self.source.snapshot(Held::default()) else { return };
        let reports = status::unlisted(&translate(&snapshot), why);
        for (object, report) in &reports {
            match self.source.publish(object, report, &[]).await {
                Ok(()) => self.observer.on(Progress::Reported(object, report)),
                Err(error) => debug!(%object, error = chain(&error), "it could not be told"),
            }
        }
    }

    /// Works out the states, and begins to tell those that differ from what was told.
    pub(super) fn tell(&mut self) {
        let metrics = Arc::clone(&self.options.metrics);
        let began = Instant::now();
        pure_stage(&metrics, "status", || self.tell_states());
        self.telling.took = began.elapsed();
    }

    fn tell_states(&mut self) {
        let began = Instant::now();
        self.telling.due = None;
        self.telling.last = Some(began);
        let Some(Newest { translation, plan, .. }) = &self.newest else { return };
        let observed = self.mirror.observed();
        self.board.want(probed(translation, &observed));
        let at_rest = self.executor.is_at_rest();
        if !at_rest {
            // What waits for something that is not in our hands ends nothing that could be told of.
            self.telling.soon(WHILE_BUSY);
        }
        let unfinished = self.executor.unfinished();
        let activity = if at_rest { Activity::Over } else { Activity::Applying };
        let waits = waits(self.executor.held_up());
        let work = Work { plan, activity, unfinished: &unfinished, waits: &waits };
        let reports = status::compute(translation, &observed, &work, &self.board.known());
        let telling = &mut self.telling;
        if telling.last_news.is_none_or(|last| at_rest || last.elapsed() >= NEWS)
            && !telling.untold.is_empty()
        {
            telling.last_news = Some(began);
            let outcome = Outcome { ended: std::mem::take(&mut telling.untold) };
            let before = telling.before.replace(Arc::clone(&observed)).unwrap_or_default();
            for (key, news) in status::news(&outcome, translation, &before, &observed) {
                telling.news.entry(key).or_default().extend(news);
            }
        }
        let everything = at_rest && std::mem::take(&mut telling.everything);
        telling.told.retain(|key, _| reports.contains_key(key));
        telling.news.retain(|key, _| reports.contains_key(key));
        for (key, report) in &reports {
            let differs = telling.told.get(key) != Some(report);
            if !differs && !everything && !telling.news.contains_key(key) {
                continue;
            }
            // An object that is being written is looked at again when it has been.
            if self.desk.is_busy(key) {
                telling.passed_over();
            } else {
                self.said_settled = false;
                let news = telling.news.remove(key).unwrap_or_default();
                self.desk.report(key, report.clone(), news);
            }
        }
        self.count(&reports);
    }

    fn count(&mut self, reports: &BTreeMap<ObjectKey, Report>) {
        let Some(Newest { translation, .. }) = &self.newest else { return };
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
        let metrics = &self.options.metrics;
        metrics.problems(problems);
        metrics.load_balancers(phases);
        if self.telling.last_count.is_none_or(|last| self.executor.is_at_rest() || last.elapsed() >= COUNTED)
        {
            self.telling.last_count = Some(Instant::now());
            let counts = self.executor.counts();
            metrics.under_way(counts.under_way);
            metrics.waiting(&counts.waiting);
            metrics.queue_age(&counts.queue_age);
        }
    }
}

/// What the executor holds up, as it is told.
fn waits(held_up: Vec<(ResourceId, Stage)>) -> Waits {
    let now = Instant::now();
    let left = |until: Instant| until.saturating_duration_since(now);
    let waits = held_up.into_iter().filter_map(|(id, stage)| {
        let wait = match stage {
            Stage::Quota { until, .. } => Wait::Quota(until.map(left)),
            Stage::SetBack { until, .. } => {
                Wait::HeldBack { since: None, until: jiff::Timestamp::now().checked_add(left(until)).ok()? }
            }
            _ => return None,
        };
        Some((id, wait))
    });
    waits.collect()
}

/// Whether somebody may be waiting for it: an address that is reached now, or something that went wrong.
fn is_urgent(ended: &Ended) -> bool {
    match ended.result {
        Ending::Done => ended.id.kind == Kind::ForwardingRule,
        Ending::Failed(_) => true,
        Ending::Blocked { .. } | Ending::Waiting { .. } | Ending::Superseded => false,
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
