//! What is written to an Ingress: as merge patches, each made only where something differs, so that our own writes cause no others.

use std::collections::BTreeSet;

use k8s_openapi::api::networking::v1::Ingress;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::{Map, Value, json};

use crate::controller::source::SourceError;
use crate::ingress::{FINALIZER, MEMBER_OF, STATUS, remembering};
use crate::model::{LoadBalancerKey, ObjectKey};
use crate::status::{HEALTH_UNKNOWN, Phase, Report, resources};

pub(super) const CLAIM: &str = "put the finalizer on";
pub(super) const RELEASE: &str = "take the finalizer off";
pub(super) const TELL: &str = "write the status of";

/// Adds our finalizer, and writes which shared load balancers there are to remember. `None`: all of it is there.
pub(super) fn claim(ingress: &Ingress, remembered: &BTreeSet<LoadBalancerKey>) -> Option<Value> {
    let mut finalizers = ingress.metadata.finalizers.clone().unwrap_or_default();
    let wanted = remembering(remembered);
    let known = ingress.metadata.annotations.as_ref().and_then(|annotations| annotations.get(MEMBER_OF));
    let has_it = finalizers.iter().any(|finalizer| finalizer == FINALIZER);
    if has_it && known == wanted.as_ref() {
        return None;
    }
    if !has_it {
        finalizers.push(FINALIZER.to_owned());
    }
    // A merge patch replaces lists as a whole, so it must be refused where somebody else has changed the list meanwhile.
    let mut metadata =
        json!({ "resourceVersion": ingress.metadata.resource_version, "finalizers": finalizers });
    if known != wanted.as_ref() {
        metadata["annotations"] = json!({ MEMBER_OF: wanted });
    }
    Some(json!({ "metadata": metadata }))
}

/// Takes our finalizer and our annotations off. `None`: neither is there.
pub(super) fn release(ingress: &Ingress) -> Option<Value> {
    let finalizers = ingress.metadata.finalizers.as_deref().unwrap_or_default();
    let is_ours = finalizers.iter().any(|finalizer| finalizer == FINALIZER) || told(ingress).is_some();
    is_ours.then(|| {
        let mut patch = without_ours(ingress);
        // Nothing that they name is there any more.
        for key in resources::ALL.into_iter().filter(|key| annotation(ingress, key).is_some()) {
            patch["metadata"]["annotations"][key] = Value::Null;
        }
        patch
    })
}

/// Takes our finalizer and our annotations off, whether or not they are there.
pub(super) fn without_ours(ingress: &Ingress) -> Value {
    let mut finalizers = ingress.metadata.finalizers.clone().unwrap_or_default();
    finalizers.retain(|finalizer| finalizer != FINALIZER);
    json!({ "metadata": {
        "resourceVersion": ingress.metadata.resource_version,
        "finalizers": finalizers,
        "annotations": { STATUS: null, MEMBER_OF: null },
    } })
}

/// Writes the address. `None`: nothing differs, or there is nothing to say yet.
pub(super) fn status(ingress: &Ingress, report: &Report) -> Option<Value> {
    let wanted: Vec<Value> = match report.address {
        Some(address) => vec![json!({ "ip": address.to_string() })],
        None if report.summary.phase == Phase::Deleting => Vec::new(),
        // Whatever is there stays: an address that has been published is not taken back because something is being looked into.
        None => return None,
    };
    let points = ingress
        .status
        .as_ref()
        .and_then(|status| status.load_balancer.as_ref())
        .and_then(|load_balancer| load_balancer.ingress.as_deref())
        .unwrap_or_default();
    let there: Vec<Value> = points
        .iter()
        .map(|point| match (&point.ip, &point.hostname, point.ports.as_deref().unwrap_or_default()) {
            (Some(ip), None, []) => json!({ "ip": ip }),
            _ => Value::Null,
        })
        .collect();
    (there != wanted).then(|| json!({ "status": { "loadBalancer": { "ingress": wanted } } }))
}

/// Writes the annotations. `None`: they are there.
pub(super) fn annotations(ingress: &Ingress, report: &Report) -> Option<Value> {
    let mut wanted: Map<String, Value> = report
        .resources
        .iter()
        .flatten()
        .filter(|(key, value)| annotation(ingress, key) != value.as_deref())
        .map(|(key, value)| ((*key).to_owned(), json!(value)))
        .collect();
    let text = summary(report);
    if told(ingress) != Some(text.as_str()) {
        wanted.insert(STATUS.to_owned(), Value::String(text));
    }
    (!wanted.is_empty()).then(|| json!({ "metadata": { "annotations": wanted } }))
}

/// Whether the object says already what the report says, as after a restart.
pub(super) fn is_told(ingress: &Ingress, report: &Report) -> bool {
    annotations(ingress, report).is_none()
}

/// Whether the report says nothing that the object does not show, only less: after a restart the health of the backends is not known
/// for a moment, and that is no reason to take back what was known.
pub(super) fn says_less(ingress: &Ingress, report: &Report) -> bool {
    let Some(told) = told(ingress).and_then(|text| serde_json::from_str::<Value>(text).ok()) else {
        return false;
    };
    if status(ingress, report).is_some() {
        return false;
    }
    let without_health = |mut summary: Value| {
        if let Value::Object(summary) = &mut summary {
            summary.shift_remove("healthy");
        }
        summary
    };
    let summary = &report.summary;
    summary.reason.as_deref() == Some(HEALTH_UNKNOWN)
        || (summary.healthy.is_none()
            && serde_json::to_value(summary).is_ok_and(|new| without_health(new) == without_health(told)))
}

fn told(ingress: &Ingress) -> Option<&str> {
    annotation(ingress, STATUS)
}

fn annotation<'a>(ingress: &'a Ingress, key: &str) -> Option<&'a str> {
    ingress.metadata.annotations.as_ref()?.get(key).map(String::as_str)
}

fn summary(report: &Report) -> String {
    serde_json::to_string(&report.summary).expect("a struct of texts and words can be written as JSON")
}

pub(super) async fn patch(
    api: &Api<Ingress>,
    key: &ObjectKey,
    doing: &'static str,
    patch: &Value,
) -> Result<Ingress, SourceError> {
    api.patch(&key.name, &PatchParams::default(), &Patch::Merge(patch))
        .await
        .map_err(|error| failed(doing, key, error))
}

pub(super) async fn patch_status(
    api: &Api<Ingress>,
    key: &ObjectKey,
    patch: &Value,
) -> Result<Ingress, SourceError> {
    api.patch_status(&key.name, &PatchParams::default(), &Patch::Merge(patch))
        .await
        .map_err(|error| failed(TELL, key, error))
}

/// Nobody needs to be told that an object is gone which is.
pub(super) async fn unless_gone(
    api: &Api<Ingress>,
    key: &ObjectKey,
    error: SourceError,
) -> Result<(), SourceError> {
    match error {
        SourceError::Changed { .. } => match api.get_metadata_opt(&key.name).await {
            Ok(None) => Ok(()),
            Ok(Some(_)) | Err(_) => Err(error),
        },
        SourceError::Failed { .. } => Err(error),
    }
}

pub(super) fn changed(doing: &'static str, key: &ObjectKey) -> SourceError {
    SourceError::Changed { doing, object: format!("Ingress {key}") }
}

/// Whether a write was refused since its object is gone, or of another version.
pub(super) fn has_changed(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if matches!(status.code, 404 | 409))
}

fn failed(doing: &'static str, key: &ObjectKey, error: kube::Error) -> SourceError {
    match error {
        error if has_changed(&error) => changed(doing, key),
        error => SourceError::Failed { doing, object: format!("Ingress {key}"), source: Box::new(error) },
    }
}

#[cfg(test)]
mod tests;
