//! The TLS side of an HTTPS frontend: which certificate a client gets.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, SupportedCipherSuite, SupportedProtocolVersion};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::program::{Certificate, TlsPolicy, TlsVersion};
use super::route::TlsFacts;

/// Why a certificate cannot be served.
#[derive(Debug, thiserror::Error)]
#[error("loading the private key of {certificate}")]
pub(super) struct UnusableCertificate {
    certificate: super::resource_id::CertificateId,
    #[source]
    source: rustls::Error,
}

/// What header values may say of a connection after its handshake.
pub(super) fn facts(connection: &rustls::ServerConnection) -> TlsFacts {
    let suite = connection.negotiated_cipher_suite().map(|suite| u16::from(suite.suite()));
    TlsFacts {
        server_name: connection.server_name().unwrap_or_default().to_owned(),
        version: match connection.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2",
            Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3",
            _ => "",
        },
        cipher_suite: suite.map(|suite| format!("{suite:04x}")).unwrap_or_default(),
    }
}

/// What a policy lets be offered, with these certificates. Those that cannot be served are left out and returned.
pub(super) fn server_config(
    certificates: &[Arc<Certificate>],
    policy: &TlsPolicy,
) -> Result<(Arc<ServerConfig>, Vec<UnusableCertificate>), rustls::Error> {
    let TlsPolicy { oldest, suites } = policy;
    let mut provider = rustls::crypto::ring::default_provider();
    provider.cipher_suites.retain(|suite| suites.admit(&iana_name(*suite)));
    let provider = Arc::new(provider);
    let versions: &[&SupportedProtocolVersion] = match oldest {
        TlsVersion::V1_2 => &[&rustls::version::TLS13, &rustls::version::TLS12],
        TlsVersion::V1_3 => &[&rustls::version::TLS13],
    };
    let mut served = Vec::new();
    let mut unusable = Vec::new();
    for certificate in certificates {
        match Served::new(certificate, &provider) {
            Ok(certificate) => served.push(certificate),
            Err(source) => unusable.push(UnusableCertificate { certificate: certificate.id.clone(), source }),
        }
    }
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(BySni(served)));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok((Arc::new(config), unusable))
}

/// A suite's name in IANA's list; rustls has a way of its own for those of TLS 1.3.
fn iana_name(suite: SupportedCipherSuite) -> String {
    suite.suite().as_str().unwrap_or_default().replacen("TLS13_", "TLS_", 1)
}

#[derive(Debug)]
struct Served {
    key: Arc<CertifiedKey>,
    names: Vec<String>,
}

impl Served {
    fn new(certificate: &Certificate, provider: &CryptoProvider) -> Result<Self, rustls::Error> {
        let key = provider.key_provider.load_private_key(certificate.key.clone_key())?;
        let names = certificate.chain.first().map(|leaf| names(leaf)).unwrap_or_default();
        Ok(Self { key: Arc::new(CertifiedKey::new(certificate.chain.clone(), key)), names })
    }
}

/// The DNS names of a certificate in lower case: subject alternative names and common names alike, as old
/// certificates have only the latter. One that cannot be read has none; it can still be the default.
fn names(leaf: &[u8]) -> Vec<String> {
    let Ok((_, certificate)) = X509Certificate::from_der(leaf) else { return Vec::new() };
    let alternative = certificate.subject_alternative_name().ok().flatten();
    let alternative = alternative.iter().flat_map(|extension| &extension.value.general_names);
    let dns = alternative.filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(*name),
        _ => None,
    });
    let common = certificate.subject().iter_common_name().filter_map(|name| name.as_str().ok());
    dns.chain(common).map(str::to_ascii_lowercase).collect()
}

/// Chooses by server name: an exact name, then a wildcard over one label, then the first certificate. Among those
/// that fit, the first whose key the client can use.
#[derive(Debug)]
struct BySni(Vec<Served>);

impl ResolvesServerCert for BySni {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let usable = |served: &&Served| served.key.key.choose_scheme(hello.signature_schemes()).is_some();
        let by_name = hello.server_name().and_then(|name| {
            let exact = name.to_ascii_lowercase();
            let wildcard = exact.split_once('.').map(|(_, parent)| format!("*.{parent}"));
            let named = |wanted: &str| {
                self.0.iter().filter(|served| served.names.iter().any(|name| name == wanted)).find(usable)
            };
            named(&exact).or_else(|| named(&wildcard?))
        });
        by_name
            .or_else(|| self.0.iter().find(usable))
            .or_else(|| self.0.first())
            .map(|served| served.key.clone())
    }
}
