//! The health check of a Service's port.
//!
//! It asks `GET /` of the port that serves, unless the Service's annotation `gclb.dev/health-check-path` names another path, or its
//! BackendConfig says otherwise. Only an answer of 200 is well.

use crate::custom_resource::backend_config::{
    BackendConfigSpec, HealthCheck as AskedHealthCheck, HealthCheckType,
};
use crate::model::{BackendProtocol, HealthCheck, HealthPort, Holder, ObjectKey, Probe, Ref, Scope};
use crate::naming;
use crate::snapshot::{HEALTH_CHECK_PATH_ANNOTATION as PATH, Service};

use super::draft::Draft;
use super::service_port::Resolved;
use crate::problem::{Problem, Reason};

/// The path that is asked for where the Service names none.
pub(super) const DEFAULT_PATH: &str = "/";

/// The API's own default. A new backend waits for this at most before its first probe.
const INTERVAL_SECONDS: u32 = 5;

/// As long as the interval, which is the most that the API takes: a slow answer is still an answer.
const TIMEOUT_SECONDS: u32 = 5;

/// One good answer is enough, so a new backend serves as soon as it can.
const HEALTHY_THRESHOLD: u32 = 1;

/// Two bad answers in a row, the API's own default: a single lost probe takes no backend out.
const UNHEALTHY_THRESHOLD: u32 = 2;

/// How a backend's health is found out.
pub(super) fn wanted(resolved: &Resolved<'_>, config: Option<&BackendConfigSpec>) -> HealthCheck {
    let asked = config.and_then(|config| config.health_check.clone()).unwrap_or_default();
    let AskedHealthCheck {
        check_interval_sec,
        timeout_sec,
        healthy_threshold,
        unhealthy_threshold,
        type_,
        port,
        request_path,
    } = asked;
    let path = request_path.unwrap_or_else(|| resolved.health_check_path.clone());
    let by_protocol = match resolved.protocol {
        BackendProtocol::Https => HealthCheckType::Https,
        BackendProtocol::Http2 => HealthCheckType::Http2,
        BackendProtocol::Http | BackendProtocol::H2c | BackendProtocol::Grpc | BackendProtocol::Other => {
            HealthCheckType::Http
        }
    };
    let probe = match type_.unwrap_or(by_protocol) {
        HealthCheckType::Http => Probe::Http { path, host: None },
        HealthCheckType::Https => Probe::Https { path, host: None },
        HealthCheckType::Http2 => Probe::Http2 { path, host: None },
        HealthCheckType::Grpc => Probe::Grpc { service: None },
        HealthCheckType::Tcp => Probe::Tcp,
    };
    // A time-out beyond the interval is refused by the API; where only one of them is given, the other gives way.
    let (interval_seconds, timeout_seconds) = match (check_interval_sec, timeout_sec) {
        (Some(interval), Some(timeout)) => (interval, timeout.min(interval)),
        (Some(interval), None) => (interval, TIMEOUT_SECONDS.min(interval)),
        (None, Some(timeout)) => (INTERVAL_SECONDS.max(timeout), timeout),
        (None, None) => (INTERVAL_SECONDS, TIMEOUT_SECONDS),
    };
    HealthCheck {
        probe,
        port: port.map_or(HealthPort::Serving, HealthPort::Fixed),
        interval_seconds,
        timeout_seconds,
        healthy_threshold: healthy_threshold.unwrap_or(HEALTHY_THRESHOLD),
        unhealthy_threshold: unhealthy_threshold.unwrap_or(UNHEALTHY_THRESHOLD),
    }
}

pub(super) fn draw(
    draft: &mut Draft<'_>,
    resolved: &Resolved<'_>,
    health_check: HealthCheck,
) -> Ref<HealthCheck> {
    let cluster = &draft.snapshot.cluster.id;
    let Resolved { service, port, .. } = resolved;
    let name = naming::health_check(cluster, service, port, resolved.mode(), &health_check.probe);
    let holder = Holder::Service { service: service.clone(), port: port.to_string() };
    draft.place(Scope::Global, name, holder, health_check)
}

/// The path that a Service wants to be asked for.
pub(super) fn path(key: &ObjectKey, service: &Service) -> (String, Option<Problem>) {
    let Some(path) = service.health_check_path.as_deref().map(str::trim) else {
        return (DEFAULT_PATH.to_owned(), None);
    };
    let legal = path.starts_with('/') && !path.chars().any(|c| c.is_whitespace() || c.is_control());
    if legal {
        return (path.to_owned(), None);
    }
    let problem = Problem::degraded(
        Reason::AnnotationInvalid,
        format!("Service {key}: metadata.annotations[{PATH}]"),
        format!(
            "{path:?} is not a path, so the health check of Service {key} asks for {DEFAULT_PATH}. Write a path that begins with a slash \
             and holds no spaces."
        ),
    );
    (DEFAULT_PATH.to_owned(), Some(problem))
}
