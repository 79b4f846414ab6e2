//! The address that an Ingress names: `kubernetes.io/ingress.global-static-ip-name` and `kubernetes.io/ingress.regional-static-ip-name`.
//!
//! As ingress-gce has it, a name is looked up where the load balancer is, whichever of the two says it; an empty one says nothing; and
//! both together cannot be followed.

use std::sync::Arc;

use k8s_openapi::api::networking::v1::Ingress;

use crate::load_balancer::{AddressWish, Place};
use crate::model::{ObjectKey, ResourceName};

use super::annotations::{annotation, field_of};

/// The name of a reserved global address.
pub const GLOBAL_STATIC_IP: &str = "kubernetes.io/ingress.global-static-ip-name";

/// The name of a reserved regional address.
pub const REGIONAL_STATIC_IP: &str = "kubernetes.io/ingress.regional-static-ip-name";

/// Which address it asks for.
pub(super) fn wish(ingress: &Ingress, object: &Arc<ObjectKey>) -> AddressWish {
    let said = |key: &'static str| {
        let name = annotation(&ingress.metadata, key).filter(|name| !name.is_empty())?;
        Some((name, Place { object: Arc::clone(object), field: field_of(key) }))
    };
    match (said(GLOBAL_STATIC_IP), said(REGIONAL_STATIC_IP)) {
        (None, None) => AddressWish::Any,
        (Some((global, place)), Some((regional, _))) => AddressWish::Unclear {
            place,
            why: format!(
                "Both {GLOBAL_STATIC_IP} ({global:?}) and {REGIONAL_STATIC_IP} ({regional:?}) are there, and a load balancer has one \
                 address. Remove the one that is not meant."
            ),
        },
        (Some((name, place)), None) | (None, Some((name, place))) => match ResourceName::new(name) {
            Ok(name) => AddressWish::Named { name, place },
            Err(_) => AddressWish::Unclear {
                place,
                why: format!(
                    "{name:?} cannot be the name of an address. Such a name has 1 to 63 lower-case letters, digits and dashes, begins with \
                     a letter and does not end with a dash. Correct it, or remove the annotation."
                ),
            },
        },
    }
}
