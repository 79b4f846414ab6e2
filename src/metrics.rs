//! What is counted and timed. Labels come from fixed sets, never from names of objects: those are in logs and Events.
//!
//! docs/observability.md has the table of all of them; a test holds it, the dashboard and the alerts against [`Metrics::catalogue`].

mod catalogue;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::model::Kind;
use catalogue::{Catalogue, Histograms, labels};

pub use catalogue::{Described, Form};

/// The metrics of one process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    catalogue: Vec<Described>,
    turns: Histograms<TurnLabels>,
    stages: Histograms<StageLabels>,
    planned: Family<ChangeLabels, Counter>,
    executed: Family<ExecutedLabels, Counter>,
    requests: Family<RequestLabels, Counter>,
    operations: Histograms<OperationLabels>,
    under_way: Gauge,
    waiting: Family<WaitingLabels, Gauge>,
    queue_age: Family<QueueLabels, Gauge<f64, AtomicU64>>,
    quota_wait: Histograms<QuotaLabels>,
    drift: Family<KindLabels, Gauge>,
    problems: Family<ProblemLabels, Gauge>,
    load_balancers: Family<PhaseLabels, Gauge>,
    leaks: Gauge,
    leader: Gauge,
    settled: Gauge<u64, AtomicU64>,
    mirror: Gauge<u64, AtomicU64>,
}

labels! {
    TurnLabels { result: &'static str }
    StageLabels { stage: &'static str }
    KindLabels { kind: &'static str }
    ChangeLabels { kind: &'static str, action: &'static str }
    ExecutedLabels { kind: &'static str, action: &'static str, result: &'static str }
    RequestLabels { kind: &'static str, verb: &'static str, code: String }
    OperationLabels { kind: &'static str, action: &'static str }
    WaitingLabels { reason: &'static str }
    QueueLabels { priority: &'static str }
    QuotaLabels { group: &'static str }
    ProblemLabels { reason: &'static str }
    PhaseLabels { phase: &'static str }
}

/// From a millisecond to a minute: a turn with nothing to do takes the first, one that plans thousands of load balancers the last.
fn turn_buckets() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 4.0, 9))
}

/// From a tenth of a second to four minutes: operations of the cloud take seconds.
fn operation_buckets() -> Histogram {
    Histogram::new(exponential_buckets(0.125, 2.0, 12))
}

impl Default for Metrics {
    fn default() -> Self {
        let mut catalogue = Catalogue::new();
        let turns =
            catalogue.seconds("reconcile_duration", "Turns of the loop, by how they ended", turn_buckets);
        let stages = catalogue.seconds("stage_duration", "Stages of a turn", turn_buckets);
        let planned = catalogue.counter("planned_changes", "Changes that plans asked for");
        let executed = catalogue.counter("executed_changes", "Changes that ended, by how");
        let requests = catalogue.counter("cloud_requests", "Requests to the cloud, each try by itself");
        let operations = catalogue.seconds(
            "operation_duration",
            "Changes of the cloud, from the call until their operation was done",
            operation_buckets,
        );
        let under_way =
            catalogue.one_gauge("changes_under_way", "Changes whose call was made and that have not ended");
        let waiting = catalogue
            .gauge("changes_waiting", "Changes of the plan that have not begun, by what they wait for");
        let queue_age = catalogue.gauge_of_seconds(
            "queue_age",
            "How long the change that has waited longest for its turn has done so, by priority",
        );
        let quota_wait = catalogue.seconds(
            "quota_wait",
            "How long changes waited for a rate quota, by its group",
            operation_buckets,
        );
        let drift =
            catalogue.gauge("drift", "Resources of ours that somebody else changed and that are still so");
        let problems = catalogue.gauge("problems", "Problems with the input at present");
        let load_balancers = catalogue.gauge("load_balancers", "Load balancers by how far they are");
        let leaks = catalogue.one_gauge(
            "leaked_load_balancers",
            "Load balancers in the cloud whose objects vanished without being deleted",
        );
        let leader = catalogue.one_gauge("leader", "1 while this process may write to the cloud");
        let settled = catalogue.one_gauge_of(
            "last_settled",
            "When there was last nothing left to do, since the Unix epoch",
            Unit::Seconds,
        );
        let mirror =
            catalogue.one_gauge_of("mirror", "What the copy of the cloud takes in memory", Unit::Bytes);
        let (registry, catalogue) = catalogue.finish();
        Self {
            registry,
            catalogue,
            turns,
            stages,
            planned,
            executed,
            requests,
            operations,
            under_way,
            waiting,
            queue_age,
            quota_wait,
            drift,
            problems,
            load_balancers,
            leaks,
            leader,
            settled,
            mirror,
        }
    }
}

impl Metrics {
    /// Every metric there is.
    #[must_use]
    pub fn catalogue(&self) -> &[Described] {
        &self.catalogue
    }

    /// A turn of the loop ended.
    pub fn turn_ended(&self, result: &'static str, took: Duration) {
        self.turns.get_or_create(&TurnLabels { result }).observe(took.as_secs_f64());
    }

    /// A stage of a turn ended.
    pub fn stage_ended(&self, stage: &'static str, took: Duration) {
        self.stages.get_or_create(&StageLabels { stage }).observe(took.as_secs_f64());
    }

    /// A plan asks for a change.
    pub fn planned(&self, kind: Kind, action: &'static str) {
        self.planned.get_or_create(&ChangeLabels { kind: kind.collection(), action }).inc();
    }

    /// A change of the cloud ended, so long after its call.
    pub fn change_ended(&self, kind: Kind, action: &'static str, result: &'static str, took: Duration) {
        let kind = kind.collection();
        self.executed.get_or_create(&ExecutedLabels { kind, action, result }).inc();
        self.operations.get_or_create(&OperationLabels { kind, action }).observe(took.as_secs_f64());
    }

    /// So many changes are under way.
    pub fn under_way(&self, count: usize) {
        self.under_way.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// So many changes have not begun, by what they wait for; reasons that are not given have none.
    pub fn waiting(&self, by_reason: &BTreeMap<&'static str, usize>) {
        self.waiting.clear();
        for (reason, count) in by_reason {
            self.waiting
                .get_or_create(&WaitingLabels { reason })
                .set(i64::try_from(*count).unwrap_or(i64::MAX));
        }
    }

    /// The change that has waited longest for its turn has waited so long, by priority; priorities that are not given have none.
    pub fn queue_age(&self, by_priority: &BTreeMap<&'static str, Duration>) {
        self.queue_age.clear();
        for (priority, age) in by_priority {
            self.queue_age.get_or_create(&QueueLabels { priority }).set(age.as_secs_f64());
        }
    }

    /// A change waited for the quota of a group, and now goes on.
    pub fn waited_for_quota(&self, group: &'static str, waited: Duration) {
        self.quota_wait.get_or_create(&QuotaLabels { group }).observe(waited.as_secs_f64());
    }

    /// So many resources of ours are not as we left them, by kind; kinds that are not given have none.
    pub fn drift(&self, by_kind: &BTreeMap<Kind, usize>) {
        self.drift.clear();
        for (kind, count) in by_kind {
            let labels = KindLabels { kind: kind.collection() };
            self.drift.get_or_create(&labels).set(i64::try_from(*count).unwrap_or(i64::MAX));
        }
    }

    /// So many problems there are, by reason; reasons that are not given have none.
    pub fn problems(&self, by_reason: impl IntoIterator<Item = (&'static str, i64)>) {
        self.problems.clear();
        for (reason, count) in by_reason {
            self.problems.get_or_create(&ProblemLabels { reason }).set(count);
        }
    }

    /// So many load balancers are this far.
    pub fn load_balancers(&self, by_phase: impl IntoIterator<Item = (&'static str, i64)>) {
        self.load_balancers.clear();
        for (phase, count) in by_phase {
            self.load_balancers.get_or_create(&PhaseLabels { phase }).set(count);
        }
    }

    /// So many load balancers in the cloud have lost their objects.
    pub fn leaks(&self, count: usize) {
        self.leaks.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// The copy of the cloud takes so many bytes.
    pub fn mirror(&self, bytes: u64) {
        self.mirror.set(bytes);
    }

    /// Whether this process may write.
    pub fn leads(&self, leads: bool) {
        self.leader.set(i64::from(leads));
    }

    /// There is nothing left to do, at this moment (seconds of the Unix era).
    pub fn settled(&self, at: u64) {
        self.settled.set(at);
    }

    /// All of it, in the text form that Prometheus reads.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a string cannot fail.
        encode(&mut text, &self.registry).unwrap_or_default();
        text
    }
}

impl gce::Observer for Metrics {
    fn attempt(&self, attempt: &gce::Attempt<'_>) {
        let code = attempt.status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        self.requests
            .get_or_create(&RequestLabels { kind: attempt.collection, verb: attempt.verb, code })
            .inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_labels_are_as_documented() {
        let metrics = Metrics::default();
        metrics.turn_ended("settled", Duration::from_millis(3));
        metrics.stage_ended("plan", Duration::from_millis(1));
        metrics.planned(Kind::UrlMap, "create");
        metrics.change_ended(Kind::UrlMap, "create", "done", Duration::from_secs(2));
        metrics.problems([("SecretNotFound", 2)]);
        metrics.load_balancers([("Ready", 1)]);
        metrics.leads(true);
        let text = metrics.text();
        for line in [
            r#"gclb_reconcile_duration_seconds_count{result="settled"} 1"#,
            r#"gclb_stage_duration_seconds_count{stage="plan"} 1"#,
            r#"gclb_planned_changes_total{kind="urlMaps",action="create"} 1"#,
            r#"gclb_executed_changes_total{kind="urlMaps",action="create",result="done"} 1"#,
            r#"gclb_operation_duration_seconds_sum{kind="urlMaps",action="create"} 2.0"#,
            r#"gclb_problems{reason="SecretNotFound"} 2"#,
            r#"gclb_load_balancers{phase="Ready"} 1"#,
            "gclb_leader 1",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        metrics.problems([]);
        assert!(!metrics.text().contains("SecretNotFound"));
    }

    #[test]
    fn the_catalogue_has_the_names_that_are_shown() {
        let metrics = Metrics::default();
        metrics.planned(Kind::UrlMap, "create");
        metrics.turn_ended("settled", Duration::from_millis(3));
        metrics.mirror(7);
        metrics.queue_age(&BTreeMap::from([("endpoints", Duration::from_secs(1))]));
        let text = metrics.text();
        for name in [
            "gclb_planned_changes_total",
            "gclb_reconcile_duration_seconds",
            "gclb_mirror_bytes",
            "gclb_queue_age_seconds",
        ] {
            assert!(text.contains(name), "{name} is not in\n{text}");
            assert!(metrics.catalogue().iter().any(|described| described.name == name), "{name}");
        }
    }
}
