//! HTTPS frontends.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use emulator::dataplane::program::{
    Certificate, FrontendProtocol, Program, TlsPolicy, TlsSuites, TlsVersion,
};
use emulator::dataplane::resource_id::CertificateId;
use http::{Request, StatusCode, Version};
use http_body_util::Empty;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::{
    ClientConfig, DigitallySignedStruct, ProtocolVersion, SignatureScheme, SupportedProtocolVersion,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::backends::Backend;
use crate::client::{Answer, get, read};
use crate::programs::plain;
use crate::rig::{Rig, free_socket};

const ECDSA_128: &str = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
const ECDSA_CHACHA: &str = "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256";

/// A self-signed certificate with a common name and alternative names.
fn certificate(name: &str, common_name: &str, alternative: &[&str]) -> Arc<Certificate> {
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = alternative.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    let signed = params.self_signed(&key).unwrap();
    Arc::new(Certificate {
        id: CertificateId::new(format!("projects/p/global/sslCertificates/{name}")),
        chain: vec![signed.der().clone()],
        key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
    })
}

fn https(mut program: Program, certificates: &[&Arc<Certificate>]) -> Program {
    let certificates = certificates.iter().map(|&certificate| certificate.clone()).collect();
    let policy = TlsPolicy::default();
    program.frontends[0].protocol = FrontendProtocol::Https { certificates, policy };
    program
}

/// Shakes hands; a name that is an address sends no SNI.
async fn connect(
    socket: SocketAddr,
    name: &str,
    alpn: &[&str],
    versions: &[&'static SupportedProtocolVersion],
) -> std::io::Result<TlsStream<TcpStream>> {
    connect_with(socket, name, alpn, versions, |_| true).await
}

/// The same with some cipher suites alone.
async fn connect_with(
    socket: SocketAddr,
    name: &str,
    alpn: &[&str],
    versions: &[&'static SupportedProtocolVersion],
    suites: impl Fn(&str) -> bool,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut provider = rustls::crypto::ring::default_provider();
    provider.cipher_suites.retain(|suite| suites(suite.suite().as_str().unwrap()));
    let provider = Arc::new(provider);
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Trusting))
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|alpn| alpn.as_bytes().to_vec()).collect();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let stream = TcpStream::connect(socket).await?;
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

async fn shown(socket: SocketAddr, name: &str) -> CertificateDer<'static> {
    let stream = connect(socket, name, &[], rustls::ALL_VERSIONS).await.unwrap();
    stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
}

async fn get_https(socket: SocketAddr, host: &str, alpn: &str) -> Answer {
    let stream = connect(socket, host, &[alpn], rustls::ALL_VERSIONS).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(alpn.as_bytes()));
    let io = TokioIo::new(stream);
    if alpn == "h2" {
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
        tokio::spawn(connection);
        let request = Request::get(format!("https://{host}/x")).body(Empty::<Bytes>::new()).unwrap();
        read(sender.send_request(request).await.unwrap()).await.unwrap()
    } else {
        let (mut sender, connection) = http1::handshake(io).await.unwrap();
        tokio::spawn(connection);
        let request = Request::get("/x").header("host", host).body(Empty::<Bytes>::new()).unwrap();
        read(sender.send_request(request).await.unwrap()).await.unwrap()
    }
}

#[tokio::test]
async fn the_server_name_chooses_the_certificate() {
    let (rig, front) = (Rig::new(), free_socket());
    let first = certificate("first", "echoheaders", &[]);
    let shop = certificate("shop", "ignored.example", &["Shop.example", "pay.shop.example"]);
    let star = certificate("star", "*.shop.example", &[]);
    rig.apply(https(plain(front, &[]), &[&first, &shop, &star])).await;

    for (name, expected) in [
        ("shop.example", &shop),
        ("SHOP.EXAMPLE", &shop),
        ("ignored.example", &shop),
        ("pay.shop.example", &shop),
        ("www.shop.example", &star),
        ("a.b.shop.example", &first),
        ("echoheaders", &first),
        ("stranger.example", &first),
        ("127.0.0.1", &first),
    ] {
        assert_eq!(shown(front, name).await, expected.chain[0], "{name}");
    }
}

#[tokio::test]
async fn both_http_versions_are_spoken_over_tls() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    let certificate = certificate("c", "shop.example", &[]);
    rig.serve(https(plain(front, &[backend.socket]), &[&certificate]), "web", 1).await;
    for (alpn, version) in [("h2", Version::HTTP_2), ("http/1.1", Version::HTTP_11)] {
        let answer = get_https(front, "shop.example", alpn).await;
        assert_eq!((answer.status, answer.version, answer.body.as_str()), (StatusCode::OK, version, "one"));
        let seen = backend.requests().pop().unwrap();
        assert_eq!(seen.headers["x-forwarded-proto"], "https");
        assert_eq!(seen.headers["host"], "shop.example");
    }
}

#[tokio::test]
async fn tls_1_2_is_the_oldest_that_is_spoken_and_plain_http_is_not_answered() {
    let (rig, front) = (Rig::new(), free_socket());
    let certificate = certificate("c", "shop.example", &[]);
    rig.apply(https(plain(front, &[]), &[&certificate])).await;
    for version in rustls::ALL_VERSIONS {
        let stream = connect(front, "shop.example", &[], &[*version]).await.unwrap();
        let spoken = stream.get_ref().1.protocol_version().unwrap();
        assert_eq!(spoken, version.version);
        assert!(matches!(spoken, ProtocolVersion::TLSv1_2 | ProtocolVersion::TLSv1_3));
    }
    assert!(crate::client::try_get(front, "shop.example", "/").await.is_err());
}

#[tokio::test]
async fn a_policy_decides_which_versions_and_ciphers_are_offered_and_a_new_one_counts_at_once() {
    use rustls::version::{TLS12, TLS13};
    let (rig, front) = (Rig::new(), free_socket());
    let certificate = certificate("c", "shop.example", &[]);
    let with = |oldest, suites: &[&str]| {
        let mut program = https(plain(front, &[]), &[&certificate]);
        let suites = TlsSuites::Only(suites.iter().map(|&suite| suite.to_owned()).collect());
        let policy = TlsPolicy { oldest, suites };
        let certificates = vec![certificate.clone()];
        program.frontends[0].protocol = FrontendProtocol::Https { certificates, policy };
        program
    };
    let talks = |version: &'static SupportedProtocolVersion, suite: &'static str| async move {
        connect_with(front, "shop.example", &[], &[version], |name| name == suite).await.is_ok()
    };
    rig.apply(https(plain(front, &[]), &[&certificate])).await;
    for (version, suite) in [
        (&TLS12, ECDSA_128),
        (&TLS12, ECDSA_CHACHA),
        (&TLS13, "TLS13_AES_128_GCM_SHA256"),
        (&TLS13, "TLS13_CHACHA20_POLY1305_SHA256"),
    ] {
        assert!(talks(version, suite).await, "without a policy: {suite}");
    }
    let both = [ECDSA_128, "TLS_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"];
    rig.apply(with(TlsVersion::V1_2, &both)).await;
    for (version, suite, admitted) in [
        (&TLS12, ECDSA_128, true),
        (&TLS12, ECDSA_CHACHA, false),
        (&TLS13, "TLS13_AES_128_GCM_SHA256", true),
        (&TLS13, "TLS13_CHACHA20_POLY1305_SHA256", false),
    ] {
        assert_eq!(talks(version, suite).await, admitted, "{suite}");
    }
    rig.apply(with(TlsVersion::V1_3, &both)).await;
    assert!(!talks(&TLS12, ECDSA_128).await, "1.3 is the oldest");
    assert!(talks(&TLS13, "TLS13_AES_128_GCM_SHA256").await);
}

#[tokio::test]
async fn certificates_are_replaced_while_the_listener_stays() {
    let (rig, front) = (Rig::new(), free_socket());
    let (old, new) = (certificate("c", "shop.example", &[]), certificate("c", "shop.example", &[]));
    rig.apply(https(plain(front, &[]), &[&old])).await;
    assert_eq!(shown(front, "shop.example").await, old.chain[0]);
    rig.apply(https(plain(front, &[]), &[&new])).await;
    assert_eq!(shown(front, "shop.example").await, new.chain[0]);
}

#[tokio::test]
async fn without_a_usable_certificate_handshakes_are_refused_and_plain_http_is_not_served() {
    let (rig, front) = (Rig::new(), free_socket());
    rig.apply(https(plain(front, &[]), &[])).await;
    assert!(connect(front, "shop.example", &[], rustls::ALL_VERSIONS).await.is_err());
    assert!(crate::client::try_get(front, "shop.example", "/").await.is_err());
}

#[tokio::test]
async fn a_frontend_can_change_from_http_to_https() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    let certificate = certificate("c", "shop.example", &[]);
    let plain = plain(front, &[backend.socket]);
    rig.serve(plain.clone(), "web", 1).await;
    assert_eq!(get(front, "h", "/").await.status, StatusCode::OK);
    rig.apply(https(plain, &[&certificate])).await;
    assert_eq!(get_https(front, "shop.example", "http/1.1").await.status, StatusCode::OK);
}

#[test]
fn a_private_key_is_not_shown() {
    let certificate = certificate("c", "shop.example", &[]);
    let shown = format!("{certificate:?}");
    assert!(shown.contains("[redacted]"), "{shown}");
    assert!(shown.len() < 200, "{shown}");
}

/// Takes any certificate: which one was shown is what is asked here.
#[derive(Debug)]
struct Trusting;

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
