//! Health checks.

use std::time::Duration;

/// A health check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    /// From the start of one probe to the start of the next.
    pub interval: Duration,
    /// How long one probe may take.
    pub timeout: Duration,
    /// Successes in a row that make an unhealthy endpoint healthy; at least one.
    pub healthy_threshold: u32,
    /// Failures in a row that make a healthy endpoint unhealthy; at least one.
    pub unhealthy_threshold: u32,
    /// Which port is probed.
    pub port: ProbePort,
    /// What is asked.
    pub probe: Probe,
    /// What comes before that, and before TLS.
    pub preamble: Preamble,
}

/// `proxyHeader`: what a connection of a probe begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preamble {
    /// Nothing.
    #[default]
    None,
    /// `PROXY_V1`: the line of the PROXY protocol that says nothing of where the probe comes from.
    ProxyUnknown,
}

/// Which port of an endpoint is probed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbePort {
    /// `USE_FIXED_PORT`.
    Fixed(u16),
    /// `USE_SERVING_PORT`: the port that traffic goes to.
    Serving,
}

/// What a probe does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// GET a path; 200 and nothing else is success.
    Http(HttpProbe),
    /// Connect, with an optional exchange of text.
    Connect {
        /// In the clear (`TCP`) or over TLS (`SSL`).
        transport: Transport,
        /// What is sent and expected.
        payload: Payload,
    },
    /// `grpc.health.v1.Health/Check` must answer `SERVING`.
    Grpc {
        /// In the clear (`GRPC`) or over TLS (`GRPC_WITH_TLS`).
        transport: Transport,
        /// The service name asked for; empty asks for the server as a whole.
        service: String,
    },
}

/// An HTTP probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpProbe {
    /// In the clear or over TLS (never verified).
    pub transport: Transport,
    /// The HTTP version.
    pub version: HttpVersion,
    /// The `Host` header; the endpoint's address when empty.
    pub host: Option<String>,
    /// Path and query.
    pub path: String,
    /// Text that the first 1024 bytes of the body must contain.
    pub response: Option<String>,
}

/// In the clear or over TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Plain TCP.
    Plain,
    /// TLS; the peer's certificate is not verified.
    Tls,
}

/// The HTTP version of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpVersion {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

/// The text exchange of a TCP or SSL probe.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Payload {
    /// Sent after connecting, if any.
    pub request: Option<String>,
    /// What the answer must begin with, if anything is expected.
    pub response: Option<String>,
}
