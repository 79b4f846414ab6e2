//! Which requests of a backend service are logged.

use serde_json::Value;

use super::json::{field, flag};
use crate::dataplane::program::{Logging, Share};

/// Without a rate, all of them.
pub(super) fn compile(body: &Value) -> Logging {
    let Some(config) = field(body, "logConfig").filter(|config| flag(config, "enable")) else {
        return Logging::Off;
    };
    let rate = field(config, "sampleRate").and_then(Value::as_f64).unwrap_or(1.0).clamp(0.0, 1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in 0..=1000000")]
    let per_million = (rate * 1_000_000.0).round() as u32;
    Logging::Sampled(Share { per_million })
}
