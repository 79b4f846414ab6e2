//! Connections to backends, for requests and for probes.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;

/// A byte stream, in the clear or over TLS.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connected stream as hyper takes it.
pub(super) type Io = TokioIo<Box<dyn Stream>>;

/// Why a connection could not be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("connecting to {target}")]
    Tcp {
        target: SocketAddr,
        #[source]
        source: std::io::Error,
    },
    #[error("connecting to {target}: no answer within {after:?}")]
    Timeout { target: SocketAddr, after: Duration },
    #[error("starting TLS with {target}")]
    Tls {
        target: SocketAddr,
        #[source]
        source: std::io::Error,
    },
    #[error("starting HTTP with {target}")]
    Http {
        target: SocketAddr,
        #[source]
        source: hyper::Error,
    },
}

/// What connections to backends are made with.
#[derive(Debug)]
pub(super) struct Connector {
    dial_from: Option<IpAddr>,
    timeout: Duration,
    tls_http1: Arc<ClientConfig>,
    tls_http2: Arc<ClientConfig>,
}

/// What ALPN offers to a TLS backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alpn {
    Http1,
    Http2,
}

impl Connector {
    pub(super) fn new(dial_from: Option<IpAddr>, timeout: Duration) -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = |alpn: &[&[u8]]| -> Result<Arc<ClientConfig>, rustls::Error> {
            let mut config = ClientConfig::builder_with_provider(provider.clone())
                .with_safe_default_protocol_versions()?
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider.clone())))
                .with_no_client_auth();
            config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
            Ok(Arc::new(config))
        };
        Ok(Self { dial_from, timeout, tls_http1: config(&[b"http/1.1"])?, tls_http2: config(&[b"h2"])? })
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// A TCP connection, within the connect time-out.
    pub(super) async fn tcp(&self, target: SocketAddr) -> Result<TcpStream, ConnectError> {
        let connect = async {
            let socket = if target.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
            if let Some(from) = self.dial_from.filter(|from| from.is_ipv4() == target.is_ipv4()) {
                socket.bind(SocketAddr::new(from, 0))?;
            }
            let stream = socket.connect(target).await?;
            stream.set_nodelay(true)?;
            Ok(stream)
        };
        match tokio::time::timeout(self.timeout, connect).await {
            Ok(connected) => connected.map_err(|source| ConnectError::Tcp { target, source }),
            Err(_) => Err(ConnectError::Timeout { target, after: self.timeout }),
        }
    }

    /// TLS over a connection, within the connect time-out.
    pub(super) async fn tls(
        &self,
        target: SocketAddr,
        stream: TcpStream,
        alpn: Alpn,
    ) -> Result<Box<dyn Stream>, ConnectError> {
        let config = match alpn {
            Alpn::Http1 => &self.tls_http1,
            Alpn::Http2 => &self.tls_http2,
        };
        // An address as the name: backends get no SNI.
        let name = ServerName::from(target.ip());
        let connect = TlsConnector::from(config.clone()).connect(name, stream);
        match tokio::time::timeout(self.timeout, connect).await {
            Ok(Ok(stream)) => Ok(Box::new(stream)),
            Ok(Err(source)) => Err(ConnectError::Tls { target, source }),
            Err(_) => Err(ConnectError::Timeout { target, after: self.timeout }),
        }
    }
}

/// Accepts any certificate, as the load balancer does towards its backends. Signatures are still checked: the
/// peer must hold the key of the certificate it shows.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
