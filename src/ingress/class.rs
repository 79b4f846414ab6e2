//! Which Ingresses are ours.
//!
//! An Ingress is ours through its class: an IngressClass whose `spec.controller` is ours, named by the annotation
//! `kubernetes.io/ingress.class` or by `spec.ingressClassName`. Where both are there the annotation counts, as Kubernetes asks of
//! controllers that still honour it. An Ingress without a class belongs to somebody else unless the cluster's configuration
//! claims those.
//!
//! An Ingress that `gclb release` let go is somebody else's from then on, whatever its class: its load balancer is left as it is.
//!
//! An Ingress that carries our finalizer was ours when it was last seen. It is torn down only on an explicit sign: a deletion
//! timestamp, or a class that belongs to another controller. A class that cannot be found is no sign. It may have been
//! deleted by mistake, and a hundred load balancers would go with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::networking::v1::{Ingress, IngressClass};

use crate::model::LoadBalancerKey;
use crate::problem::{Problem, Reason};
use crate::snapshot::{CLASS_ANNOTATION, CONTROLLER};

/// Our finalizer: an Ingress with it cannot vanish before its load balancer has been torn down.
pub const FINALIZER: &str = "gclb.dev/ingress";

/// How an Ingress stands to us.
#[derive(Debug)]
pub(super) enum Standing<'a> {
    /// Somebody else's.
    NotOurs,
    /// Ours, with its class where it has one.
    Ours(Option<&'a IngressClass>),
    /// It was ours and is to go.
    TearDown,
    /// It was ours, and whether it still is cannot be told.
    ClassGone(Problem),
}

pub(super) fn standing<'a>(
    ingress: &Ingress,
    classes: &'a BTreeMap<String, Arc<IngressClass>>,
    claim_classless: bool,
) -> Standing<'a> {
    let was_ours = is_claimed(ingress);
    // Its finalizer went when it was let go; where somebody put the annotation there by hand, it is still ours.
    let annotations = ingress.metadata.annotations.as_ref();
    if !was_ours && annotations.is_some_and(|all| all.contains_key(super::RELEASED)) {
        return Standing::NotOurs;
    }
    if ingress.metadata.deletion_timestamp.is_some() {
        return if was_ours { Standing::TearDown } else { Standing::NotOurs };
    }
    let Some((field, name)) = class_name(ingress) else {
        return match (claim_classless, was_ours) {
            (true, _) => Standing::Ours(None),
            (false, true) => Standing::ClassGone(Problem::rejected(
                Reason::ClassNotFound,
                "spec.ingressClassName",
                "No class is named any more. The load balancer stays as it is and follows no changes. Name a class of gclb \
                 again, or delete the Ingress to have the load balancer removed.",
            )),
            (false, false) => Standing::NotOurs,
        };
    };
    match (classes.get(name), was_ours) {
        (Some(class), _) if is_our_class(class) => Standing::Ours(Some(class)),
        (Some(_), true) => Standing::TearDown,
        (None, true) => Standing::ClassGone(Problem::rejected(
            Reason::ClassNotFound,
            field,
            format!(
                "There is no IngressClass {name:?}. The load balancer stays as it is and follows no changes. Create the \
                 IngressClass again with spec.controller {CONTROLLER}, or delete the Ingress to have the load balancer removed."
            ),
        )),
        (_, false) => Standing::NotOurs,
    }
}

/// Whether it has our finalizer.
pub(super) fn is_claimed(ingress: &Ingress) -> bool {
    let finalizers = ingress.metadata.finalizers.as_deref().unwrap_or_default();
    finalizers.iter().any(|finalizer| finalizer == FINALIZER)
}

/// What an Ingress is told whose load balancer is on the record of those that were given up.
pub(super) fn released(key: &LoadBalancerKey) -> Problem {
    Problem::rejected(
        Reason::Released,
        "metadata.name",
        format!(
            "The load balancer {key} was given up by `gclb release`, so it is left as it is. To have it served by gclb again, take \
             the entry {} out of the ConfigMap gclb-released, or give the Ingress another name.",
            key.to_string().replace('/', "_")
        ),
    )
}

fn is_our_class(class: &IngressClass) -> bool {
    class.spec.as_ref().and_then(|spec| spec.controller.as_deref()) == Some(CONTROLLER)
}

/// The class's name and the field that names it. An empty annotation names none.
fn class_name(ingress: &Ingress) -> Option<(String, &str)> {
    let annotation = ingress.metadata.annotations.as_ref().and_then(|all| all.get(CLASS_ANNOTATION));
    let field = ingress.spec.as_ref().and_then(|spec| spec.ingress_class_name.as_deref());
    match (annotation.map(String::as_str), field) {
        (Some(name), _) if !name.is_empty() => Some((super::annotations::field_of(CLASS_ANNOTATION), name)),
        (_, Some(name)) => Some(("spec.ingressClassName".to_owned(), name)),
        _ => None,
    }
}
