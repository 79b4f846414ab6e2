//! Consent to outages: what only deleting and making anew can do is not done before somebody who owns the load balancer says so.

use std::collections::BTreeMap;

use crate::load_balancer::ALLOW_OUTAGE;
use crate::model::ObjectKey;
use crate::snapshot::Snapshot;

use super::annotations::annotation;

/// The outage that each Ingress consents to, as its plan names it.
#[must_use]
pub fn consents(snapshot: &Snapshot) -> BTreeMap<ObjectKey, String> {
    let said = snapshot.ingresses.iter().filter_map(|(key, ingress)| {
        let outage = annotation(&ingress.metadata, ALLOW_OUTAGE)?;
        Some((key.clone(), outage.to_owned()))
    });
    said.collect()
}
