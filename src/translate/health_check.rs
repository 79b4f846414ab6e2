//! The health check of a Service's port.
//!
//! It asks the port that serves what the readiness probe of the pods asks it, or else `GET /`; unless the Service's annotation
//! `gclb.dev/health-check-path` names another path, or its BackendConfig says otherwise. Only an answer of 200 is well.

use crate::custom_resource::backend_config::{
    BackendConfigSpec, HealthCheck as AskedHealthCheck, HealthCheckType,
};
use crate::model::{BackendProtocol, HealthCheck, HealthPort, Holder, ObjectKey, Probe, Ref, Scope};
use crate::naming;
use crate::snapshot::{HEALTH_CHECK_PATH_ANNOTATION as PATH, Service};

use super::draft::Draft;
use super::service_port::Resolved;
use crate::problem::{Problem, Reason};

/// The path that is asked for where nobody names one.
const DEFAULT_PATH: &str = "/";

/// The API's own default. A new backend waits for this at most before its first probe.
const INTERVAL_SECONDS: u32 = 5;

/// As long as the interval, which is the most that the API takes: a slow answer is still an answer.
const TIMEOUT_SECONDS: u32 = 5;

/// One good answer is enough, so a new backend serves as soon as it can.
const HEALTHY_THRESHOLD: u32 = 1;

/// Two bad answers in a row, the API's own default: a single lost probe takes no backend out.
const UNHEALTHY_THRESHOLD: u32 = 2;

/// How a backend's health is found out: as its BackendConfig says, else as its Service's annotation, else as the readiness probe of its
/// pods (or, where there are none, as they were asked before), else as we think best.
pub(super) fn wanted(
    resolved: &Resolved<'_>,
    before: Option<HealthCheck>,
    config: Option<&BackendConfigSpec>,
) -> HealthCheck {
    let HealthCheck {
        probe,
        port: _,
        interval_seconds,
        timeout_seconds,
        healthy_threshold: by_itself_healthy,
        unhealthy_threshold: by_itself_unhealthy,
    } = resolved.readiness.clone().or(before).unwrap_or_else(|| by_default(resolved.protocol));
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
    // A time-out beyond the interval is refused by the API; where only one of them is given, the other gives way.
    let (interval_seconds, timeout_seconds) = match (check_interval_sec, timeout_sec) {
        (Some(interval), Some(timeout)) => (interval, timeout.min(interval)),
        (Some(interval), None) => (interval, timeout_seconds.min(interval)),
        (None, Some(timeout)) => (interval_seconds.max(timeout), timeout),
        (None, None) => (interval_seconds, timeout_seconds),
    };
    HealthCheck {
        probe: asking(
            probe,
            type_,
            request_path.or_else(|| resolved.health_check_path.clone()),
            resolved.protocol,
        ),
        port: port.map_or(HealthPort::Serving, HealthPort::Fixed),
        interval_seconds,
        timeout_seconds,
        healthy_threshold: healthy_threshold.unwrap_or(by_itself_healthy),
        unhealthy_threshold: unhealthy_threshold.unwrap_or(by_itself_unhealthy),
    }
}

fn by_default(protocol: BackendProtocol) -> HealthCheck {
    let (path, host) = (DEFAULT_PATH.to_owned(), None);
    HealthCheck {
        probe: match by_protocol(protocol) {
            HealthCheckType::Https => Probe::Https { path, host },
            HealthCheckType::Http2 => Probe::Http2 { path, host },
            HealthCheckType::Http | HealthCheckType::Grpc | HealthCheckType::Tcp => {
                Probe::Http { path, host }
            }
        },
        port: HealthPort::Serving,
        interval_seconds: INTERVAL_SECONDS,
        timeout_seconds: TIMEOUT_SECONDS,
        healthy_threshold: HEALTHY_THRESHOLD,
        unhealthy_threshold: UNHEALTHY_THRESHOLD,
    }
}

const fn by_protocol(protocol: BackendProtocol) -> HealthCheckType {
    match protocol {
        BackendProtocol::Https => HealthCheckType::Https,
        BackendProtocol::Http2 => HealthCheckType::Http2,
        BackendProtocol::Http | BackendProtocol::H2c | BackendProtocol::Grpc | BackendProtocol::Other => {
            HealthCheckType::Http
        }
    }
}

/// The probe, but of this type and for this path. Of a probe of another type what it has in common stays: path and host, or the service.
/// Who names a path wants it asked for.
fn asking(
    probe: Probe,
    type_: Option<HealthCheckType>,
    path: Option<String>,
    protocol: BackendProtocol,
) -> Probe {
    let (own_type, own_path, host, service) = match probe {
        Probe::Http { path, host } => (HealthCheckType::Http, Some(path), host, None),
        Probe::Https { path, host } => (HealthCheckType::Https, Some(path), host, None),
        Probe::Http2 { path, host } => (HealthCheckType::Http2, Some(path), host, None),
        Probe::Grpc { service } => (HealthCheckType::Grpc, None, None, service),
        Probe::Tcp | Probe::Other(_) => (HealthCheckType::Tcp, None, None, None),
    };
    let type_ = match (type_, &path, own_type) {
        (None, Some(_), HealthCheckType::Grpc | HealthCheckType::Tcp) => by_protocol(protocol),
        (type_, _, own_type) => type_.unwrap_or(own_type),
    };
    let path = path.or(own_path).unwrap_or_else(|| DEFAULT_PATH.to_owned());
    match type_ {
        HealthCheckType::Http => Probe::Http { path, host },
        HealthCheckType::Https => Probe::Https { path, host },
        HealthCheckType::Http2 => Probe::Http2 { path, host },
        HealthCheckType::Grpc => Probe::Grpc { service },
        HealthCheckType::Tcp => Probe::Tcp,
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

/// The path that a Service's annotation wants to be asked for.
pub(super) fn path(key: &ObjectKey, service: &Service) -> (Option<String>, Option<Problem>) {
    let Some(path) = service.health_check_path.as_deref().map(str::trim) else {
        return (None, None);
    };
    let legal = path.starts_with('/') && !path.chars().any(|c| c.is_whitespace() || c.is_control());
    if legal {
        return (Some(path.to_owned()), None);
    }
    let problem = Problem::degraded(
        Reason::AnnotationInvalid,
        format!("Service {key}: metadata.annotations[{PATH}]"),
        format!(
            "{path:?} is not a path, so the health check of Service {key} does not ask for it. Write a path that begins with a slash \
             and holds no spaces."
        ),
    );
    (None, Some(problem))
}
