//! What is told while nothing is known of the cloud.

use std::collections::BTreeMap;

use crate::model::ObjectKey;
use crate::translate::Translation;

use super::{Event, Phase, Report, Summary};

/// For each object that the translation speaks of: that the cloud's resources cannot be listed, and why. Addresses that were published
/// stay.
#[must_use]
pub fn unlisted(translation: &Translation, why: &str) -> BTreeMap<ObjectKey, Report> {
    let message = format!(
        "The cloud's resources cannot be listed, so nothing can be made, changed or deleted: {why}. It is tried again until it succeeds."
    );
    let report = Report {
        resources: None,
        address: None,
        summary: Summary {
            phase: Phase::Failing,
            reason: Some("CloudNotListed".to_owned()),
            message: Some(message.clone()),
            healthy: None,
        },
        events: vec![Event::warning("CloudNotListed", message)],
    };
    translation.claimants.keys().map(|object| (object.clone(), report.clone())).collect()
}
