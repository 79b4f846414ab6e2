//! Quotas: how many resources a project may have, and how many requests it may send in a minute.
//!
//! What is counted, and in which group a method is, are two tables: `resources::METRICS` and `rates::GROUPS`.

mod rates;
mod resources;

pub use rates::{RateGroup, RateLimit, RateLimits};
pub use resources::{QuotaSetting, QuotaTold, ResourceQuotas};

use crate::error::{ApiError, OperationError};
use crate::scope::Scope;
use crate::state::State;
use jiff::Timestamp;
use rates::Window;
use resources::{METRICS, Metric};
use serde_json::{Value, json};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A setting of quotas that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuotaError {
    /// No metric has this name.
    #[error("reading a quota: there is no metric '{metric}'; the metrics are {}", resources::names())]
    Metric {
        /// As given.
        metric: String,
    },
    /// No group has this name.
    #[error("reading a rate limit: there is no group '{group}'; the groups are {}", rates::names())]
    Group {
        /// As given.
        group: String,
    },
    /// Neither `NAME=N` nor a word that is known.
    #[error("reading a quota: '{text}' is not of the form {form}")]
    Form {
        /// As given.
        text: String,
        /// What it should look like.
        form: &'static str,
    },
}

/// The quotas of a running emulator: the settings, which can be changed, and what was counted in this minute.
#[derive(Debug)]
pub(crate) struct Quotas {
    resources: Mutex<ResourceQuotas>,
    rates: Mutex<Rates>,
}

#[derive(Debug)]
struct Rates {
    limits: RateLimits,
    window: Window,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is inside is replaced whole or counted up: a panic elsewhere leaves it sound.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Quotas {
    pub(crate) fn new(resources: ResourceQuotas, limits: RateLimits) -> Self {
        Self {
            resources: Mutex::new(resources),
            rates: Mutex::new(Rates { limits, window: Window::default() }),
        }
    }

    pub(crate) fn resources(&self) -> ResourceQuotas {
        lock(&self.resources).clone()
    }

    pub(crate) fn set_resources(&self, quotas: ResourceQuotas) {
        *lock(&self.resources) = quotas;
    }

    pub(crate) fn rates(&self) -> RateLimits {
        lock(&self.rates).limits.clone()
    }

    /// Also begins the running minute anew.
    pub(crate) fn set_rates(&self, limits: RateLimits) {
        *lock(&self.rates) = Rates { limits, window: Window::default() };
    }

    /// Counts a request, or refuses it. A method is one such as `urlMaps.insert`.
    pub(crate) fn count(
        &self,
        method: &str,
        project: &str,
        project_number: u64,
        place: &Scope,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let Rates { limits, window } = &mut *lock(&self.rates);
        window.count(limits, method, project, project_number, place, now)
    }

    /// Refuses an insert that the quotas have no room for.
    pub(crate) fn check(&self, state: &State, draft: &crate::draft::Draft) -> Result<(), ApiError> {
        let quotas = self.resources();
        match quotas.told {
            QuotaTold::AtOnce => quotas.exceeded(state, draft, resources::Counting::WithInserts),
            QuotaTold::InOperation => None,
        }
        .map_or(Ok(()), |message| Err(ApiError::quota_exceeded(message)))
    }

    /// The same, when the insert is about to be made and the settings say that it is told only then.
    pub(crate) fn check_late(
        &self,
        state: &State,
        draft: &crate::draft::Draft,
    ) -> Result<(), OperationError> {
        let quotas = self.resources();
        match quotas.told {
            QuotaTold::AtOnce => None,
            QuotaTold::InOperation => quotas.exceeded(state, draft, resources::Counting::Standing),
        }
        .map_or(Ok(()), |message| {
            Err(OperationError {
                code: "QUOTA_EXCEEDED".into(),
                status: Some(http::StatusCode::FORBIDDEN),
                message,
            })
        })
    }

    /// `quotas[]` of a project (`place` global) or of a region. Doubles in the API, which writes whole ones like integers.
    pub(crate) fn show(&self, state: &State, project: &str, place: &Scope) -> Value {
        let quotas = self.resources();
        METRICS
            .iter()
            .filter(|metric| metric.is_of(place))
            .map(|metric: &Metric| {
                let usage = metric.usage(state, project, place, resources::Counting::WithInserts, None);
                json!({
                    "metric": metric.name,
                    "limit": quotas.limit(metric.name),
                    "usage": usage,
                })
            })
            .collect()
    }
}
