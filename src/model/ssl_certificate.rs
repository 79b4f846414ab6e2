//! An uploaded certificate (Compute API `sslCertificates`, self-managed).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ResourceId;

/// A certificate in the cloud. It cannot be changed, so its name carries the fingerprint of its content and a renewed one
/// is another resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SslCertificate {
    /// Of the PEM text of the chain.
    pub fingerprint: CertificateFingerprint,
}

/// SHA-256 of a certificate chain's PEM text, as 64 lower-case hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CertificateFingerprint(String);

impl TryFrom<String> for CertificateFingerprint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == 64 && text.bytes().all(digit) {
            Ok(Self(text))
        } else {
            Err(format!("{text:?} is no fingerprint of a certificate: 64 of 0-9 and a-f are"))
        }
    }
}

impl From<CertificateFingerprint> for String {
    fn from(fingerprint: CertificateFingerprint) -> Self {
        fingerprint.0
    }
}

impl CertificateFingerprint {
    /// Of this PEM text. Space around it does not count, since the cloud may not keep it.
    #[must_use]
    pub fn of(chain_pem: &str) -> Self {
        use sha2::{Digest, Sha256};
        Self(format!("{:x}", Sha256::digest(chain_pem.trim().as_bytes())))
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CertificateFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", &self.0[..16])
    }
}

impl SslCertificate {
    pub(super) fn points_at(&self) -> Vec<&ResourceId> {
        let Self { fingerprint: _ } = self;
        Vec::new()
    }
}
