//! Health checks.

use std::time::Duration;

use serde_json::Value;

use super::Resources;
use super::json::{collection, field, integer, port, seconds, text};
use crate::dataplane::program::{
    HealthCheck, HttpProbe, HttpVersion, Payload, Preamble, Probe, ProbePort, Program, Transport,
};
use crate::dataplane::resource_id::HealthCheckId;

/// The API's default for `checkIntervalSec` and `timeoutSec`.
const DEFAULT_PERIOD: Duration = Duration::from_secs(5);
/// The API's default for both thresholds.
const DEFAULT_THRESHOLD: u32 = 2;

/// Adds a health check, unless it is there already. One that cannot be served is left out, so that nothing
/// behind it becomes healthy.
pub(super) fn compile(resources: &impl Resources, id: &HealthCheckId, program: &mut Program) {
    if program.health_checks.contains_key(id) {
        return;
    }
    let Some(body) = resources.get(id.as_str()) else {
        program.problem(id.as_str(), "is named by a backend service but does not exist: nothing is probed");
        return;
    };
    // The legacy ones have the fields of their block in the body itself, and no type.
    let legacy = match collection(id.as_str()) {
        "httpHealthChecks" => Some("HTTP"),
        "httpsHealthChecks" => Some("HTTPS"),
        _ => None,
    };
    match health_check(body, legacy) {
        Ok(check) => {
            program.health_checks.insert(id.clone(), check);
        }
        Err(message) => program.problem(id.as_str(), message),
    }
}

fn health_check(body: &Value, legacy: Option<&str>) -> Result<HealthCheck, String> {
    let kind = legacy.or(text(body, "type")).unwrap_or("TCP");
    let (block, transport, default_port) = match kind {
        "HTTP" => ("httpHealthCheck", Transport::Plain, Some(80)),
        "HTTPS" => ("httpsHealthCheck", Transport::Tls, Some(443)),
        "HTTP2" => ("http2HealthCheck", Transport::Tls, Some(443)),
        "TCP" => ("tcpHealthCheck", Transport::Plain, Some(80)),
        "SSL" => ("sslHealthCheck", Transport::Tls, Some(443)),
        "GRPC" => ("grpcHealthCheck", Transport::Plain, None),
        "GRPC_WITH_TLS" => ("grpcTlsHealthCheck", Transport::Tls, None),
        other => return Err(format!("is of type {other}, which is not served: nothing is probed")),
    };
    let block = if legacy.is_some() { body } else { field(body, block).unwrap_or(&Value::Null) };
    let http = |version| {
        Probe::Http(HttpProbe {
            transport,
            version,
            host: text(block, "host").map(str::to_owned),
            path: text(block, "requestPath").unwrap_or("/").to_owned(),
            response: text(block, "response").map(str::to_owned),
        })
    };
    let probe = match kind {
        "HTTP" | "HTTPS" => http(HttpVersion::Http1),
        "HTTP2" => http(HttpVersion::Http2),
        "GRPC" | "GRPC_WITH_TLS" => {
            Probe::Grpc { transport, service: text(block, "grpcServiceName").unwrap_or_default().to_owned() }
        }
        _ => Probe::Connect {
            transport,
            payload: Payload {
                request: text(block, "request").map(str::to_owned),
                response: text(block, "response").map(str::to_owned),
            },
        },
    };
    let threshold = |name| {
        integer(body, name)
            .and_then(|value| u32::try_from(value).ok())
            .filter(|value| *value > 0)
            .unwrap_or(DEFAULT_THRESHOLD)
    };
    let period = |name| seconds(body, name).filter(|period| !period.is_zero()).unwrap_or(DEFAULT_PERIOD);
    Ok(HealthCheck {
        interval: period("checkIntervalSec"),
        timeout: period("timeoutSec"),
        healthy_threshold: threshold("healthyThreshold"),
        unhealthy_threshold: threshold("unhealthyThreshold"),
        port: probe_port(block, default_port)?,
        probe,
        preamble: match text(block, "proxyHeader") {
            Some("PROXY_V1") => Preamble::ProxyUnknown,
            _ => Preamble::None,
        },
    })
}

fn probe_port(block: &Value, default: Option<u16>) -> Result<ProbePort, String> {
    match text(block, "portSpecification") {
        Some("USE_SERVING_PORT") => Ok(ProbePort::Serving),
        None | Some("USE_FIXED_PORT") => port(block, "port")
            .or(default)
            .map(ProbePort::Fixed)
            .ok_or_else(|| "names no port to probe: nothing is probed".to_owned()),
        Some(other) => Err(format!("has portSpecification {other}, which is not served: nothing is probed")),
    }
}
