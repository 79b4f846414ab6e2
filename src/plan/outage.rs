//! What only deleting and making anew can do: an outage. One address and port holds one forwarding rule, so there is no making before
//! breaking.
//!
//! It is not done before somebody consents to *this* outage: each has a word of its own, made from the load balancer and from what is to
//! change, which the plan shows and the annotation `gclb.dev/allow-outage` repeats. A consent that was used up allows nothing more,
//! since the next outage, were it of the same resource, has another word as soon as anything about it differs.

use sha2::{Digest as _, Sha256};

use crate::model::{Holder, ResourceId};
use crate::translate::Translation;

use super::FieldChange;

/// The word for an outage: eight hexadecimal digits. The ports of a load balancer that change alike are one outage, so that it does not
/// stop half-way for want of another consent.
pub(super) fn word(id: &ResourceId, holder: &Holder, fields: &[FieldChange]) -> String {
    let what = match holder {
        Holder::LoadBalancer(key) => key.to_string(),
        Holder::Service { .. } | Holder::Secret(_) | Holder::Cluster => id.to_string(),
    };
    let mut hash = Sha256::new();
    for FieldChange { field, from, to } in fields {
        for text in [&what, field, from, to] {
            hash.update(text.len().to_be_bytes());
            hash.update(text.as_bytes());
        }
    }
    let short = hash.finalize().iter().take(4).fold(0_u32, |short, byte| short << 8 | u32::from(*byte));
    format!("{short:08x}")
}

/// Whether one of the objects that the load balancer serves consents to it.
pub(super) fn is_allowed(translation: &Translation, holder: &Holder, word: &str) -> bool {
    let Holder::LoadBalancer(key) = holder else { return false };
    let objects = translation.load_balancers.get(key).map(|translated| &translated.objects);
    objects
        .into_iter()
        .flatten()
        .any(|object| translation.consents.get(object).is_some_and(|said| said == word))
}
