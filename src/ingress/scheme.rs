//! Which kind of load balancer the Ingresses of a class get: `gclb.dev/scheme` on the IngressClass.
//!
//! | value | load balancer |
//! |---|---|
//! | `global` | global external (`EXTERNAL_MANAGED`); the default |
//! | `classic` | classic global external (`EXTERNAL`) |
//!
//! A value that cannot be read is never taken for the default: a load balancer that was meant to be internal would be open to the world.

use k8s_openapi::api::networking::v1::IngressClass;

use crate::model::Scheme;
use crate::problem::{Problem, Reason};

use super::By;
use super::annotations::{SCHEME, Said, annotation, field_of, name_of};

/// What a class says of its scheme; `None` where that cannot be read.
pub(super) fn scheme(class: Option<&IngressClass>) -> (Said<Option<Scheme>>, Option<Problem>) {
    let Some((class, value)) = class.and_then(|class| Some((class, annotation(&class.metadata, SCHEME)?)))
    else {
        return (Said { value: Some(Scheme::ExternalManaged), by: By::Default }, None);
    };
    let said = |value| Said { value, by: By::Class };
    match value {
        "global" => (said(Some(Scheme::ExternalManaged)), None),
        "classic" => (said(Some(Scheme::External)), None),
        other => {
            let name = name_of(class);
            let problem = Problem::rejected(
                Reason::AnnotationInvalid,
                format!("IngressClass {name}: {}", field_of(SCHEME)),
                format!(
                    "{other:?} is not a value of the annotation {SCHEME} of IngressClass {name}, so nothing is made for its Ingresses, and \
                     load balancers that there are stay of their kind. Legal values are global and classic."
                ),
            );
            (said(None), Some(problem))
        }
    }
}
