//! Fingerprints: what a body was made from, in eight bytes.

use crate::state::Stored;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A fingerprint, by its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint([u8; 8]);

impl Fingerprint {
    /// Changes with every change of the resource.
    pub(crate) fn of(stored: &Stored) -> Self {
        let mut hash = Sha256::new();
        hash.update(stored.id.to_be_bytes());
        hash.update(stored.generation.to_be_bytes());
        Self::first_bytes(hash)
    }

    /// Changes with the labels.
    pub(crate) fn of_labels(stored: &Stored) -> Self {
        let mut hash = Sha256::new();
        if let Some(Value::Object(labels)) = stored.fields().get("labels") {
            let mut labels: Vec<_> = labels.iter().collect();
            labels.sort_by_key(|(key, _)| *key);
            for (key, value) in labels {
                hash.update(key.as_bytes());
                hash.update([0]);
                hash.update(value.as_str().unwrap_or_default().as_bytes());
                hash.update([0]);
            }
        }
        Self::first_bytes(hash)
    }

    /// Changes with a text that says everything.
    pub(crate) fn of_text(text: &str) -> Self {
        Self::first_bytes(Sha256::new().chain_update(text))
    }

    fn first_bytes(hash: Sha256) -> Self {
        let digest = hash.finalize();
        Self(std::array::from_fn(|at| digest[at]))
    }

    /// As answers show it: in the alphabet that the discovery document means by `byte`. Google's Rust library reads no other.
    pub(crate) fn show(self) -> String {
        URL_SAFE.encode(self.0)
    }

    /// Whether a request sent this one back. Protobuf's JSON writes bytes in the other alphabet of base64, and
    /// padding is optional in it.
    pub(crate) fn is(self, sent: &str) -> bool {
        const LENIENT: GeneralPurpose = GeneralPurpose::new(
            &alphabet::STANDARD,
            GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
        );
        let sent = sent.replace('-', "+").replace('_', "/");
        LENIENT.decode(sent).is_ok_and(|bytes| bytes == self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_alphabet_and_padding() {
        let fingerprint = Fingerprint([0xfb, 0xff, 0xbe, 0, 1, 2, 3, 4]);
        assert_eq!(fingerprint.show(), "-_--AAECAwQ=");
        for same in ["+/++AAECAwQ=", "-_--AAECAwQ=", "+/++AAECAwQ"] {
            assert!(fingerprint.is(same), "{same}");
        }
        for other in ["", "abcdef0123A=", "+/++AAECAwU=", "not base64!"] {
            assert!(!fingerprint.is(other), "{other}");
        }
    }
}
