//! Why a change is made, for people.

use crate::model::{Entry, Holder, Node, Observed, ResourceId, SslCertificate};
use crate::translate::{Disposition, Translation};

use super::decide::{Reach, Step};
use super::diff::NONE;
use super::{FieldChange, Verb};

pub(super) fn create(entry: &Entry, observed: &Observed) -> String {
    let renewed = matches!(entry.node, Node::SslCertificate(_))
        && observed.graph.of::<SslCertificate>().any(|(_, mark, _)| mark.holder == entry.mark.holder);
    if renewed { "the Secret holds another certificate" } else { "new" }.to_owned()
}

pub(super) fn delete(id: &ResourceId, entry: &Entry, translation: &Translation) -> String {
    match &entry.mark.holder {
        Holder::LoadBalancer(key) => match translation.load_balancers.get(key).map(|lb| &lb.disposition) {
            Some(Disposition::TearDown) => "its load balancer is being deleted",
            _ => "no longer a part of its load balancer",
        },
        Holder::Secret(_)
            if translation
                .desired
                .of::<SslCertificate>()
                .any(|(other, mark, _)| mark.holder == entry.mark.holder && other != id) =>
        {
            "the Secret holds another certificate"
        }
        Holder::Service { .. } | Holder::Secret(_) => "no longer used by any load balancer",
        Holder::Cluster => "no load balancer is left",
    }
    .to_owned()
}

/// Why a url map's update waits.
pub(super) fn await_healthy(map: &ResourceId) -> String {
    format!("its backends must be healthy before {map} sends requests there")
}

pub(super) fn update(step: &Step) -> String {
    let warms = FieldChange::is_warming;
    if !step.awaits.is_empty() {
        let rest: Vec<FieldChange> = step.fields.iter().filter(|change| !warms(change)).cloned().collect();
        return format!("moves requests once backends there are healthy ({})", names(&rest));
    }
    if step.fields.iter().any(|change| warms(change) && change.to != NONE) {
        return "makes the cloud probe what requests are to be moved to".to_owned();
    }
    if step.fields.iter().all(warms) {
        return "nothing is to be moved any more".to_owned();
    }
    match (step.verb, step.reach) {
        (_, Reach::Wider) => "opened before it is needed".to_owned(),
        (_, Reach::Narrower) => "closed since it is no longer needed".to_owned(),
        (Verb::SetUrlMap, Reach::Same) => "requests are to be answered otherwise".to_owned(),
        (Verb::SetSslCertificates, Reach::Same) => "other certificates are to be served".to_owned(),
        (Verb::SetSslPolicy, Reach::Same) => {
            "clients are to speak other versions or ciphers of TLS".to_owned()
        }
        (Verb::SetSecurityPolicy, Reach::Same) => "what guards it changes".to_owned(),
        (Verb::SetTarget, Reach::Same) => "another proxy is to answer".to_owned(),
        (Verb::Patch | Verb::SetNamedPorts, Reach::Same) => {
            format!("differs in {}", names(&step.fields))
        }
    }
}

/// At most three names of fields, without their keys.
fn names(fields: &[FieldChange]) -> String {
    let mut names: Vec<&str> =
        fields.iter().map(|change| change.field.split('[').next().unwrap_or(&change.field)).collect();
    names.dedup();
    match names.as_slice() {
        [a, b, c, rest @ ..] if !rest.is_empty() => format!("{a}, {b}, {c} and {} more", rest.len()),
        names => names.join(", "),
    }
}

/// For members that join (`true`) or leave.
pub(super) fn members(entry: &Entry, join: bool) -> String {
    match (&entry.node, join) {
        (Node::InstanceGroup(_), true) => "nodes of its zone that are not in it yet",
        (Node::InstanceGroup(_), false) => "no longer nodes that take traffic",
        (_, true) => "pods of the Service that are not in it yet",
        (_, false) => "no longer pods of the Service",
    }
    .to_owned()
}
