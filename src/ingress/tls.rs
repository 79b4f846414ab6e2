//! The certificates that an Ingress names: `spec.tls[].secretName`.
//!
//! Only the Secrets' names count. Which certificate serves which host is decided by the client's server name and the names in the
//! certificates, so `spec.tls[].hosts` is not read. The first certificate serves every client whose server name fits none.

use std::sync::Arc;

use k8s_openapi::api::networking::v1::Ingress;

use crate::load_balancer::{Certificate, Place};
use crate::model::ObjectKey;
use crate::problem::{Problem, Reason};

/// In the order of the Ingress, each Secret once.
pub(super) fn certificates(ingress: &Ingress, object: &Arc<ObjectKey>) -> (Vec<Certificate>, Vec<Problem>) {
    let mut certificates: Vec<Certificate> = Vec::new();
    let mut problems = Vec::new();
    let entries = ingress.spec.iter().filter_map(|spec| spec.tls.as_ref()).flatten();
    for (index, entry) in entries.enumerate() {
        let field = format!("spec.tls[{index}].secretName");
        match entry.secret_name.as_deref() {
            None | Some("") => problems.push(Problem::degraded(
                Reason::SecretNotFound,
                field,
                "This entry names no Secret, so it brings no certificate and is left out. Name the Secret that holds the \
                 certificate and its key, or remove the entry.",
            )),
            Some(name) => {
                let secret = ObjectKey::new(object.namespace.as_str(), name);
                if certificates.iter().all(|known| known.secret != secret) {
                    let place = Place { object: Arc::clone(object), field };
                    certificates.push(Certificate { secret, place });
                }
            }
        }
    }
    (certificates, problems)
}
