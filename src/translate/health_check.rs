//! The health check of a Service's port.
//!
//! It asks `GET /` of the port that serves, unless the Service's annotation `gclb.dev/health-check-path` names another path. Only an answer
//! of 200 is well.

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

pub(super) fn draw(draft: &mut Draft<'_>, resolved: &Resolved<'_>) -> Ref<HealthCheck> {
    let path = resolved.health_check_path.clone();
    let probe = match resolved.protocol {
        BackendProtocol::Https | BackendProtocol::Http2 => Probe::Https { path, host: None },
        BackendProtocol::Http | BackendProtocol::H2c | BackendProtocol::Grpc | BackendProtocol::Other => {
            Probe::Http { path, host: None }
        }
    };
    let cluster = &draft.snapshot.cluster.id;
    let name = naming::health_check(cluster, &resolved.service, &resolved.port, resolved.mode(), &probe);
    let holder = Holder::Service { service: resolved.service.clone(), port: resolved.port.to_string() };
    let health_check = HealthCheck {
        probe,
        port: HealthPort::Serving,
        interval_seconds: INTERVAL_SECONDS,
        timeout_seconds: TIMEOUT_SECONDS,
        healthy_threshold: HEALTHY_THRESHOLD,
        unhealthy_threshold: UNHEALTHY_THRESHOLD,
    };
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
