//! A health check: what a backend must answer to get traffic (Compute API `healthChecks`).

use serde::{Deserialize, Serialize};

use super::ResourceId;

/// How, how often, and how many times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthCheck {
    /// What is asked.
    pub probe: Probe,
    /// At which port.
    pub port: HealthPort,
    /// `checkIntervalSec`
    pub interval_seconds: u32,
    /// `timeoutSec`; at most the interval.
    pub timeout_seconds: u32,
    /// So many good answers in a row make a backend healthy.
    pub healthy_threshold: u32,
    /// So many bad ones make it unhealthy.
    pub unhealthy_threshold: u32,
}

/// What is asked, and of whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Probe {
    /// `GET path`; only 200 is well.
    Http {
        /// Begins with a slash.
        path: String,
        /// The Host header; `None`: the backend's address.
        host: Option<String>,
    },
    /// The same over TLS; the certificate is not checked.
    Https {
        /// Begins with a slash.
        path: String,
        /// The Host header; `None`: the backend's address.
        host: Option<String>,
    },
    /// The same in HTTP/2 over TLS.
    Http2 {
        /// Begins with a slash.
        path: String,
        /// The Host header; `None`: the backend's address.
        host: Option<String>,
    },
    /// A connection that is accepted is well.
    Tcp,
    /// `grpc.health.v1.Health/Check` in the clear; only SERVING is well.
    Grpc {
        /// The service that is asked about; `None`: all of them.
        service: Option<String>,
    },
    /// Anything else. Only ever observed; the text is the API's `type`.
    Other(String),
}

/// Which port is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum HealthPort {
    /// The one that serves: the endpoint's own, or the instance group's named port.
    Serving,
    /// This one.
    Fixed(u16),
}

impl HealthCheck {
    pub(super) fn points_at(&self) -> Vec<&ResourceId> {
        let Self {
            probe: _,
            port: _,
            interval_seconds: _,
            timeout_seconds: _,
            healthy_threshold: _,
            unhealthy_threshold: _,
        } = self;
        Vec::new()
    }
}
