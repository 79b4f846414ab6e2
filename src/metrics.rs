//! What is counted and timed. Labels come from fixed sets, never from names of objects: those are in logs and Events.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::model::Kind;

/// The metrics of one process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    turns: Family<TurnLabels, Histogram, fn() -> Histogram>,
    stages: Family<StageLabels, Histogram, fn() -> Histogram>,
    planned: Family<ChangeLabels, Counter>,
    requests: Family<RequestLabels, Counter>,
    operations: Family<OperationLabels, Histogram, fn() -> Histogram>,
    problems: Family<ProblemLabels, Gauge>,
    load_balancers: Family<PhaseLabels, Gauge>,
    leads: Gauge,
    settled: Gauge<u64, AtomicU64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TurnLabels {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StageLabels {
    stage: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ChangeLabels {
    kind: &'static str,
    action: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    kind: &'static str,
    verb: &'static str,
    code: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    kind: &'static str,
    action: &'static str,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProblemLabels {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PhaseLabels {
    phase: &'static str,
}

/// From a millisecond to a minute: a turn with nothing to do takes the first, one that builds a load balancer the last.
fn turn_buckets() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 4.0, 9))
}

/// From a tenth of a second to four minutes: operations of the cloud take seconds.
fn operation_buckets() -> Histogram {
    Histogram::new(exponential_buckets(0.125, 2.0, 12))
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("gclb");
        let turns = Family::new_with_constructor(turn_buckets as fn() -> Histogram);
        let stages = Family::new_with_constructor(turn_buckets as fn() -> Histogram);
        let operations = Family::new_with_constructor(operation_buckets as fn() -> Histogram);
        let planned = Family::default();
        let requests = Family::default();
        let problems = Family::default();
        let load_balancers = Family::default();
        let leads = Gauge::default();
        let settled = Gauge::default();
        registry.register_with_unit(
            "reconcile_duration",
            "Turns of the loop, by how they ended",
            Unit::Seconds,
            turns.clone(),
        );
        registry.register_with_unit("stage_duration", "Stages of a turn", Unit::Seconds, stages.clone());
        registry.register("planned_changes", "Changes that plans asked for", planned.clone());
        registry.register("cloud_requests", "Requests to the cloud, each try by itself", requests.clone());
        registry.register_with_unit(
            "operation_duration",
            "Changes of the cloud, from the call until their operation was done",
            Unit::Seconds,
            operations.clone(),
        );
        registry.register("problems", "Problems with the input at present", problems.clone());
        registry.register("load_balancers", "Load balancers by how far they are", load_balancers.clone());
        registry.register("leader", "1 while this process may write to the cloud", leads.clone());
        registry.register_with_unit(
            "last_settled",
            "When there was last nothing left to do",
            Unit::Seconds,
            settled.clone(),
        );
        Self {
            registry,
            turns,
            stages,
            planned,
            requests,
            operations,
            problems,
            load_balancers,
            leads,
            settled,
        }
    }
}

impl Metrics {
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

    /// A change of the cloud ended.
    pub fn change_ended(&self, kind: Kind, action: &'static str, result: &'static str, took: Duration) {
        let labels = OperationLabels { kind: kind.collection(), action, result };
        self.operations.get_or_create(&labels).observe(took.as_secs_f64());
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

    /// Whether this process may write.
    pub fn leads(&self, leads: bool) {
        self.leads.set(i64::from(leads));
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
            r#"gclb_operation_duration_seconds_sum{kind="urlMaps",action="create",result="done"} 2.0"#,
            r#"gclb_problems{reason="SecretNotFound"} 2"#,
            r#"gclb_load_balancers{phase="Ready"} 1"#,
            "gclb_leader 1",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        metrics.problems([]);
        assert!(!metrics.text().contains("SecretNotFound"));
    }
}
