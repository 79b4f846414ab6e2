//! What metrics there are. Whatever is registered is described here by its full name, so that docs, dashboards and alerts can be held
//! against it.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Stands before every name.
const PREFIX: &str = "gclb";

/// One metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// As it is asked for, without the endings of histograms (`_bucket`, `_sum`, `_count`): `gclb_planned_changes_total`.
    pub name: String,
    /// Which kind.
    pub form: Form,
    /// What it says, in one line.
    pub help: &'static str,
    /// The names of its labels.
    pub labels: &'static [&'static str],
}

/// The kinds of metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts values by size.
    Histogram,
}

impl Form {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Labels that say their own names.
pub(super) trait Labels: EncodeLabelSet + Debug + Clone + Hash + Eq + Send + Sync + 'static {
    const NAMES: &'static [&'static str];
}

macro_rules! labels {
    ($($(#[$doc:meta])* $name:ident { $($label:ident: $type:ty),+ $(,)? })+) => {
        $($(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, prometheus_client::encoding::EncodeLabelSet)]
        struct $name { $($label: $type),+ }
        impl $crate::metrics::catalogue::Labels for $name {
            const NAMES: &'static [&'static str] = &[$(stringify!($label)),+];
        })+
    };
}
pub(super) use labels;

/// A histogram for each set of labels.
pub(super) type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// Registers metrics, and remembers what they are.
pub(super) struct Catalogue {
    registry: Registry,
    described: Vec<Described>,
}

impl Catalogue {
    pub(super) fn new() -> Self {
        Self { registry: Registry::with_prefix(PREFIX), described: Vec::new() }
    }

    pub(super) fn finish(self) -> (Registry, Vec<Described>) {
        (self.registry, self.described)
    }

    fn describe(&mut self, name: &str, form: Form, help: &'static str, labels: &'static [&'static str]) {
        self.described.push(Described { name: format!("{PREFIX}_{name}"), form, help, labels });
    }

    pub(super) fn seconds<L: Labels>(
        &mut self,
        name: &str,
        help: &'static str,
        buckets: fn() -> Histogram,
    ) -> Histograms<L> {
        let family = Histograms::new_with_constructor(buckets);
        self.registry.register_with_unit(name, help, Unit::Seconds, family.clone());
        self.describe(&format!("{name}_seconds"), Form::Histogram, help, L::NAMES);
        family
    }

    pub(super) fn counter<L: Labels>(&mut self, name: &str, help: &'static str) -> Family<L, Counter> {
        let family = Family::default();
        self.registry.register(name, help, family.clone());
        self.describe(&format!("{name}_total"), Form::Counter, help, L::NAMES);
        family
    }

    pub(super) fn gauge<L: Labels>(&mut self, name: &str, help: &'static str) -> Family<L, Gauge> {
        let family = Family::default();
        self.registry.register(name, help, family.clone());
        self.describe(name, Form::Gauge, help, L::NAMES);
        family
    }

    pub(super) fn gauge_of_seconds<L: Labels>(
        &mut self,
        name: &str,
        help: &'static str,
    ) -> Family<L, Gauge<f64, AtomicU64>> {
        let family = Family::default();
        self.registry.register_with_unit(name, help, Unit::Seconds, family.clone());
        self.describe(&format!("{name}_seconds"), Form::Gauge, help, L::NAMES);
        family
    }

    pub(super) fn one_gauge(&mut self, name: &str, help: &'static str) -> Gauge {
        let gauge = Gauge::default();
        self.registry.register(name, help, gauge.clone());
        self.describe(name, Form::Gauge, help, &[]);
        gauge
    }

    pub(super) fn one_gauge_of(
        &mut self,
        name: &str,
        help: &'static str,
        unit: Unit,
    ) -> Gauge<u64, AtomicU64> {
        let gauge = Gauge::default();
        let ending = unit.as_str().to_owned();
        self.registry.register_with_unit(name, help, unit, gauge.clone());
        self.describe(&format!("{name}_{ending}"), Form::Gauge, help, &[]);
        gauge
    }
}
