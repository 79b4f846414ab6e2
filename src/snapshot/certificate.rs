//! Reads a certificate out of a Secret's data. Pure: bytes in, facts out.
//!
//! Any type of Secret will do; only `tls.crt` and `tls.key` count. The key is looked at once, to see whether it belongs to the
//! certificate, and is not kept. Whether the certificate is still valid is for the reader of [`Certificate::not_after`] to say, since
//! there is no clock here.

use jiff::Timestamp;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::{Certificate, CertificateError};
use crate::model::CertificateFingerprint;

/// The certificate in a Secret's `tls.crt`, if its `tls.key` belongs to it.
///
/// # Errors
/// What is missing, unreadable or does not fit; never with a word of the key in it.
pub fn read(tls_crt: Option<&[u8]>, tls_key: Option<&[u8]>) -> Result<Certificate, CertificateError> {
    let chain = chain(tls_crt.unwrap_or_default())?;
    let (_, leaf) = X509Certificate::from_der(&chain[0])
        .map_err(|error| CertificateError::BadCertificate { detail: error.to_string() })?;
    let not_after = Timestamp::from_second(leaf.validity().not_after.timestamp())
        .map_err(|error| CertificateError::BadCertificate { detail: error.to_string() })?;
    if public_key_of(tls_key.unwrap_or_default())? != leaf.public_key().raw {
        return Err(CertificateError::Mismatch);
    }
    Ok(Certificate {
        fingerprint: CertificateFingerprint::of(&render(&chain)),
        names: names(&leaf),
        not_after,
    })
}

/// A chain's PEM text in one form, whatever was around or between its certificates: what is uploaded and what the fingerprint is of.
/// Nothing but certificates is in it, so a key that somebody put into `tls.crt` is not uploaded with them.
///
/// # Errors
/// When there is no certificate in it, or one that cannot be read.
pub fn chain_pem(tls_crt: &[u8]) -> Result<String, CertificateError> {
    Ok(render(&chain(tls_crt)?))
}

/// The fingerprint of a chain that somebody else may have written: in our one form where it can be read, as it stands where not.
#[must_use]
pub fn fingerprint_of(pem: &str) -> CertificateFingerprint {
    chain_pem(pem.as_bytes())
        .map_or_else(|_| CertificateFingerprint::of(pem), |chain| CertificateFingerprint::of(&chain))
}

/// At least one certificate.
fn chain(tls_crt: &[u8]) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    if tls_crt.trim_ascii().is_empty() {
        return Err(CertificateError::NoCertificate);
    }
    let bad = |detail: String| CertificateError::BadCertificate { detail };
    let chain = CertificateDer::pem_slice_iter(tls_crt)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| bad(error.to_string()))?;
    if chain.is_empty() {
        return Err(bad("there is no BEGIN CERTIFICATE in it".to_owned()));
    }
    for (at, der) in chain.iter().enumerate() {
        X509Certificate::from_der(der).map_err(|error| bad(format!("certificate {}: {error}", at + 1)))?;
    }
    Ok(chain)
}

fn render(chain: &[CertificateDer<'_>]) -> String {
    use base64::Engine as _;
    // 64 characters to a line: RFC 7468, section 2.
    const LINE: usize = 64;
    let mut text = String::new();
    for der in chain {
        let encoded = base64::engine::general_purpose::STANDARD.encode(der);
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        let mut rest = encoded.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at(rest.len().min(LINE));
            text.push_str(line);
            text.push('\n');
            rest = after;
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    text
}

/// The public half of a private key, as it stands in a certificate (`SubjectPublicKeyInfo`, DER).
fn public_key_of(tls_key: &[u8]) -> Result<Vec<u8>, CertificateError> {
    if tls_key.trim_ascii().is_empty() {
        return Err(CertificateError::NoKey);
    }
    let bad = |detail: &str| CertificateError::BadKey { detail: detail.to_owned() };
    // The readers' own messages are not passed on: they may quote what they read.
    let key = PrivateKeyDer::from_pem_slice(tls_key).map_err(|_| {
        bad("there is no unencrypted private key in it (BEGIN PRIVATE KEY, RSA PRIVATE KEY or EC PRIVATE KEY)")
    })?;
    let key = rustls::crypto::ring::sign::any_supported_type(&key).map_err(|_| {
        bad("it is of no kind that can be used: RSA of at least 2048 bits, or ECDSA P-256 or P-384")
    })?;
    let public = key.public_key().ok_or_else(|| bad("its public half cannot be told"))?;
    Ok(public.as_ref().to_vec())
}

/// Who the certificate is for: the alternative names, or the common name where there are none (RFC 6125, section 6.4.4).
fn names(leaf: &X509Certificate<'_>) -> Vec<String> {
    let alternative: Vec<String> = leaf
        .subject_alternative_name()
        .ok()
        .flatten()
        .map(|extension| {
            extension
                .value
                .general_names
                .iter()
                .filter_map(|name| match name {
                    GeneralName::DNSName(name) => Some((*name).to_owned()),
                    GeneralName::IPAddress(bytes) => address(bytes),
                    _ => None,
                })
                .collect()
        })
        .unwrap_or_default();
    if alternative.is_empty() {
        leaf.subject().iter_common_name().filter_map(|name| name.as_str().ok().map(str::to_owned)).collect()
    } else {
        alternative
    }
}

fn address(bytes: &[u8]) -> Option<String> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(std::net::Ipv4Addr::from(four).to_string());
    }
    <[u8; 16]>::try_from(bytes).ok().map(|sixteen| std::net::Ipv6Addr::from(sixteen).to_string())
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

    use super::*;

    fn made(common_name: &str, names: &[&str]) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params =
            CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, common_name);
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    #[test]
    fn a_certificate_with_a_common_name_alone_is_for_that_name() {
        let (crt, key) = made("echoheaders", &[]);
        let certificate = read(Some(crt.as_bytes()), Some(key.as_bytes())).unwrap();
        assert_eq!(certificate.names, ["echoheaders"]);
        assert!(certificate.not_after > Timestamp::UNIX_EPOCH);
    }

    #[test]
    fn alternative_names_come_before_the_common_name() {
        let (crt, key) = made("ignored", &["a.example.com", "b.example.com"]);
        let certificate = read(Some(crt.as_bytes()), Some(key.as_bytes())).unwrap();
        assert_eq!(certificate.names, ["a.example.com", "b.example.com"]);
    }

    #[test]
    fn what_stands_around_the_certificates_does_not_count() {
        let (crt, key) = made("a", &[]);
        let noisy = format!("Bag Attributes\r\n  friendlyName: a\r\n{}\n{key}\n", crt.replace('\n', "\r\n"));
        let plain = read(Some(crt.as_bytes()), Some(key.as_bytes())).unwrap();
        let same = read(Some(noisy.as_bytes()), Some(key.as_bytes())).unwrap();
        assert_eq!(plain, same);
        assert_eq!(plain.fingerprint, fingerprint_of(&noisy));
        let uploaded = chain_pem(noisy.as_bytes()).unwrap();
        assert!(!uploaded.contains("PRIVATE KEY"));
        assert_eq!(chain_pem(uploaded.as_bytes()).unwrap(), uploaded);
    }

    #[test]
    fn the_chain_keeps_its_order() {
        let (one, key) = made("one", &[]);
        let (two, _) = made("two", &[]);
        let both = read(Some(format!("{one}{two}").as_bytes()), Some(key.as_bytes())).unwrap();
        assert_eq!(both.names, ["one"]);
        let other_way = read(Some(format!("{two}{one}").as_bytes()), Some(key.as_bytes()));
        assert_eq!(other_way, Err(CertificateError::Mismatch));
    }

    #[test]
    fn every_defect_has_its_own_error() {
        let (crt, key) = made("a", &[]);
        let (_, other) = made("a", &[]);
        let (crt, key, other) = (crt.as_bytes(), key.as_bytes(), other.as_bytes());
        assert_eq!(read(None, Some(key)), Err(CertificateError::NoCertificate));
        assert_eq!(read(Some(b" \n"), Some(key)), Err(CertificateError::NoCertificate));
        assert_eq!(read(Some(crt), None), Err(CertificateError::NoKey));
        assert_eq!(read(Some(crt), Some(other)), Err(CertificateError::Mismatch));
        assert!(matches!(read(Some(b"nonsense"), Some(key)), Err(CertificateError::BadCertificate { .. })));
        let hollow = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(read(Some(hollow), Some(key)), Err(CertificateError::BadCertificate { .. })));
        for bad in [&b"s3cr3t"[..], b"-----BEGIN PRIVATE KEY-----\nczNjcjN0\n-----END PRIVATE KEY-----\n"] {
            let error = read(Some(crt), Some(bad)).unwrap_err();
            assert!(matches!(error, CertificateError::BadKey { .. }), "{error}");
            assert!(!error.to_string().contains("s3cr3t") && !error.to_string().contains("czNjcjN0"));
        }
    }
}
