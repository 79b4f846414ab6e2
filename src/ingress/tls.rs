//! The certificates that an Ingress names: by their names in the cloud in `ingress.gcp.kubernetes.io/pre-shared-cert`, and then those of
//! `spec.tls[].secretName`, as ingress-gce has it.
//!
//! Of `spec.tls` only the Secrets' names count. Which certificate serves which host is decided by the client's server name and the names in the
//! certificates, so `spec.tls[].hosts` is not read. The first certificate serves every client whose server name fits none.

use std::sync::Arc;

use k8s_openapi::api::networking::v1::Ingress;

use crate::load_balancer::{Certificate, CertificateSource, Place};
use crate::model::{ObjectKey, ResourceName};
use crate::problem::{Problem, Reason};
use crate::snapshot::MANAGED_CERTIFICATES_ANNOTATION;

use super::annotations::{annotation, field_of};

/// Names of certificates in the cloud, separated by commas.
pub const PRE_SHARED_CERT: &str = "ingress.gcp.kubernetes.io/pre-shared-cert";

/// In the order of the Ingress, each once.
pub(super) fn certificates(ingress: &Ingress, object: &Arc<ObjectKey>) -> (Vec<Certificate>, Vec<Problem>) {
    let mut certificates = pre_shared(ingress, object);
    let mut problems: Vec<Problem> =
        managed(ingress).filter(|_| certificates.is_empty()).into_iter().collect();
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
                let secret = CertificateSource::Secret(ObjectKey::new(object.namespace.as_str(), name));
                add(&mut certificates, secret, Place { object: Arc::clone(object), field });
            }
        }
    }
    (certificates, problems)
}

/// What an Ingress is told that waits for certificates which nobody here makes. GKE's own controller makes them, and names them in the
/// annotation that is read here.
fn managed(ingress: &Ingress) -> Option<Problem> {
    let names =
        annotation(&ingress.metadata, MANAGED_CERTIFICATES_ANNOTATION).filter(|names| !names.is_empty())?;
    Some(Problem::degraded(
        Reason::ManagedCertificateUnsupported,
        field_of(MANAGED_CERTIFICATES_ANNOTATION),
        format!(
            "gclb does not make the certificates of ManagedCertificates ({names}) yet, and {PRE_SHARED_CERT} names none that was made for \
             them, so they bring no TLS. Name certificates of the project in that annotation (GKE's own controller for ManagedCertificates \
             writes it), or Secrets in spec.tls."
        ),
    ))
}

fn pre_shared(ingress: &Ingress, object: &Arc<ObjectKey>) -> Vec<Certificate> {
    let mut certificates = Vec::new();
    let names = annotation(&ingress.metadata, PRE_SHARED_CERT).unwrap_or_default().split(',').map(str::trim);
    for name in names.filter(|name| !name.is_empty()) {
        let source = ResourceName::new(name)
            .map_or_else(|_| CertificateSource::Unclear(name.to_owned()), CertificateSource::Cloud);
        let place = Place { object: Arc::clone(object), field: field_of(PRE_SHARED_CERT) };
        add(&mut certificates, source, place);
    }
    certificates
}

fn add(certificates: &mut Vec<Certificate>, source: CertificateSource, place: Place) {
    if certificates.iter().all(|known| known.source != source) {
        certificates.push(Certificate { source, place });
    }
}
