//! SSL certificates. Their content is not in the model: it is put into the body at the upload and nowhere else.

use gce_api::{Secret, SslCertificate as WireSslCertificate};

use super::link::Links;
use super::wire::{NotUnderstood, Unspeakable, Wire};
use crate::controller::source::KeyPair;
use crate::model::{Mark, ResourceId, Scope, SslCertificate};
use crate::snapshot::certificate;

impl Wire for WireSslCertificate {
    type Model = SslCertificate;

    fn write(model: &SslCertificate, id: &ResourceId, mark: &Mark, _: &Links) -> Result<Self, Unspeakable> {
        // The fingerprint is of the content, which follows.
        let SslCertificate { fingerprint: _ } = model;
        Ok(Self {
            name: Some(id.name.to_string()),
            description: Some(mark.render()),
            r#type: Some("SELF_MANAGED".to_owned()),
            ..Self::default()
        })
    }

    fn read(&self, _: &Scope) -> Result<SslCertificate, NotUnderstood> {
        let chain =
            self.certificate.as_deref().or_else(|| self.self_managed.as_ref()?.certificate.as_deref());
        chain
            .map(|chain| SslCertificate { fingerprint: certificate::fingerprint_of(chain) })
            .ok_or_else(|| NotUnderstood::new("certificate", None))
    }

    fn created(&self) -> Option<&str> {
        self.creation_timestamp.as_deref()
    }
}

/// The body with its content. Dropping it drops the key.
pub(super) fn with_content(body: WireSslCertificate, content: &KeyPair) -> WireSslCertificate {
    let KeyPair { chain_pem, key_pem } = content;
    WireSslCertificate {
        certificate: Some(chain_pem.clone()),
        private_key: Some(Secret::from(key_pem.as_str())),
        ..body
    }
}
