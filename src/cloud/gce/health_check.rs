//! Health checks.

use gce_api::{
    GrpcHealthCheck, HealthCheck as WireHealthCheck, Http2HealthCheck, HttpHealthCheck, HttpsHealthCheck,
    TcpHealthCheck,
};
use serde_json::{Map, Value};

use super::link::Links;
use super::wire::{NotUnderstood, Patched, Unspeakable, Wire, clear_others, from_i32, to_i32};
use crate::model::{HealthCheck, HealthPort, Mark, Probe, ResourceId, Scope};

const SERVING: &str = "USE_SERVING_PORT";
const FIXED: &str = "USE_FIXED_PORT";

/// What the API fills in (reference of `healthChecks`).
const DEFAULT_SECONDS: u32 = 5;
const DEFAULT_THRESHOLD: u32 = 2;
const DEFAULT_HTTP_PORT: u16 = 80;
const DEFAULT_HTTPS_PORT: u16 = 443;

impl Wire for WireHealthCheck {
    type Model = HealthCheck;

    fn write(model: &HealthCheck, id: &ResourceId, mark: &Mark, _: &Links) -> Result<Self, Unspeakable> {
        let HealthCheck {
            probe,
            port,
            interval_seconds,
            timeout_seconds,
            healthy_threshold,
            unhealthy_threshold,
        } = model;
        let (number, specification) = match port {
            HealthPort::Serving => (None, Some(SERVING.to_owned())),
            HealthPort::Fixed(port) => (Some(i32::from(*port)), Some(FIXED.to_owned())),
        };
        let mut body = Self {
            name: Some(id.name.to_string()),
            description: Some(mark.render()),
            check_interval_sec: Some(to_i32("interval", *interval_seconds)?),
            timeout_sec: Some(to_i32("timeout", *timeout_seconds)?),
            healthy_threshold: Some(to_i32("healthy threshold", *healthy_threshold)?),
            unhealthy_threshold: Some(to_i32("unhealthy threshold", *unhealthy_threshold)?),
            ..Self::default()
        };
        match probe {
            Probe::Http { path, host } => {
                body.r#type = Some("HTTP".to_owned());
                body.http_health_check = Some(HttpHealthCheck {
                    port: number,
                    port_specification: specification,
                    request_path: Some(path.clone()),
                    host: host.clone(),
                    ..HttpHealthCheck::default()
                });
            }
            Probe::Https { path, host } => {
                body.r#type = Some("HTTPS".to_owned());
                body.https_health_check = Some(HttpsHealthCheck {
                    port: number,
                    port_specification: specification,
                    request_path: Some(path.clone()),
                    host: host.clone(),
                    ..HttpsHealthCheck::default()
                });
            }
            Probe::Http2 { path, host } => {
                body.r#type = Some("HTTP2".to_owned());
                body.http2_health_check = Some(Http2HealthCheck {
                    port: number,
                    port_specification: specification,
                    request_path: Some(path.clone()),
                    host: host.clone(),
                    ..Http2HealthCheck::default()
                });
            }
            Probe::Grpc { service } => {
                body.r#type = Some("GRPC".to_owned());
                body.grpc_health_check = Some(GrpcHealthCheck {
                    port: number,
                    port_specification: specification,
                    grpc_service_name: service.clone(),
                    ..GrpcHealthCheck::default()
                });
            }
            Probe::Tcp => {
                body.r#type = Some("TCP".to_owned());
                body.tcp_health_check = Some(TcpHealthCheck {
                    port: number,
                    port_specification: specification,
                    ..TcpHealthCheck::default()
                });
            }
            Probe::Other(of_type) => return Err(Unspeakable(format!("a health check of type {of_type}"))),
        }
        Ok(body)
    }

    fn read(&self, _: &Scope) -> Result<HealthCheck, NotUnderstood> {
        let path = |path: &Option<String>| path.clone().unwrap_or_else(|| "/".to_owned());
        let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        // Exactly one of these stands in a body.
        let plain = self.http_health_check.as_ref().map(|check| {
            let probe = Probe::Http { path: path(&check.request_path), host: text(&check.host) };
            (probe, port(check.port, check.port_specification.as_deref(), DEFAULT_HTTP_PORT))
        });
        let encrypted = self.https_health_check.as_ref().map(|check| {
            let probe = Probe::Https { path: path(&check.request_path), host: text(&check.host) };
            (probe, port(check.port, check.port_specification.as_deref(), DEFAULT_HTTPS_PORT))
        });
        let multiplexed = self.http2_health_check.as_ref().map(|check| {
            let probe = Probe::Http2 { path: path(&check.request_path), host: text(&check.host) };
            (probe, port(check.port, check.port_specification.as_deref(), DEFAULT_HTTPS_PORT))
        });
        let tcp = self
            .tcp_health_check
            .as_ref()
            .map(|tcp| (Probe::Tcp, port(tcp.port, tcp.port_specification.as_deref(), DEFAULT_HTTP_PORT)));
        // It has no port of its own accord.
        let grpc = self.grpc_health_check.as_ref().map(|grpc| {
            let probe = Probe::Grpc { service: text(&grpc.grpc_service_name) };
            (probe, port(grpc.port, grpc.port_specification.as_deref(), 0))
        });
        let mut found = [plain, encrypted, multiplexed, tcp, grpc].into_iter().flatten();
        let (probe, port) = match (found.next(), found.next()) {
            (Some(found), None) => found,
            _ => (Probe::Other(self.r#type.clone().unwrap_or_default()), HealthPort::Serving),
        };
        Ok(HealthCheck {
            probe,
            port,
            interval_seconds: from_i32(self.check_interval_sec, DEFAULT_SECONDS),
            timeout_seconds: from_i32(self.timeout_sec, DEFAULT_SECONDS),
            healthy_threshold: from_i32(self.healthy_threshold, DEFAULT_THRESHOLD),
            unhealthy_threshold: from_i32(self.unhealthy_threshold, DEFAULT_THRESHOLD),
        })
    }

    fn created(&self) -> Option<&str> {
        self.creation_timestamp.as_deref()
    }
}

impl Patched for WireHealthCheck {
    const OWNED: &'static [&'static str] = &[
        "type",
        "httpHealthCheck",
        "httpsHealthCheck",
        "http2HealthCheck",
        "tcpHealthCheck",
        "grpcHealthCheck",
        "checkIntervalSec",
        "timeoutSec",
        "healthyThreshold",
        "unhealthyThreshold",
    ];

    fn clear_within(patch: &mut Map<String, Value>) {
        clear_others(patch, "httpHealthCheck", &["port", "host"]);
        clear_others(patch, "httpsHealthCheck", &["port", "host"]);
        clear_others(patch, "http2HealthCheck", &["port", "host"]);
        clear_others(patch, "tcpHealthCheck", &["port"]);
        clear_others(patch, "grpcHealthCheck", &["port", "grpcServiceName"]);
    }
}

fn port(number: Option<i32>, specification: Option<&str>, default: u16) -> HealthPort {
    match specification {
        Some(SERVING) => HealthPort::Serving,
        _ => HealthPort::Fixed(number.and_then(|number| u16::try_from(number).ok()).unwrap_or(default)),
    }
}
