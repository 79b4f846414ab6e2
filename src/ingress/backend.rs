//! Backends of an Ingress: a Service and one of its ports.

use k8s_openapi::api::networking::v1::{Ingress, IngressBackend, IngressServiceBackend};

use std::sync::Arc;

use crate::load_balancer::{Backend, BackendPort, DefaultRoute, Place, RouteAction, WeightedBackend};
use crate::model::ObjectKey;
use crate::problem::{Problem, Reason};

/// What happens to requests that no rule fits. `None` where the Ingress does not say.
pub(super) fn default(ingress: &Ingress, object: &Arc<ObjectKey>) -> (Option<DefaultRoute>, Option<Problem>) {
    let Some(backend) = ingress.spec.as_ref().and_then(|spec| spec.default_backend.as_ref()) else {
        return (None, None);
    };
    let place = Place { object: Arc::clone(object), field: "spec.defaultBackend".to_owned() };
    let (action, problem) = action(backend, &place, "every request that no rule fits");
    (Some(DefaultRoute { action, place }), problem)
}

/// What happens to requests with this backend. Where it cannot be read they are answered 404: handing them to the next best rule could
/// show one application's paths to another.
pub(super) fn action(
    backend: &IngressBackend,
    place: &Place,
    requests: &str,
) -> (RouteAction, Option<Problem>) {
    let Place { object, field } = place;
    match read(backend, &object.namespace) {
        Ok(backend) => {
            let forward = WeightedBackend { backend, weight: 1, place: place.clone() };
            (RouteAction::Forward(vec![forward]), None)
        }
        Err(Unreadable { reason, below, what, remedy }) => {
            let message = format!("{what} Until this is mended, {requests} is answered 404. {remedy}");
            (RouteAction::NotFound, Some(Problem::degraded(reason, format!("{field}.{below}"), message)))
        }
    }
}

struct Unreadable {
    reason: Reason,
    below: &'static str,
    what: String,
    remedy: String,
}

fn read(backend: &IngressBackend, namespace: &str) -> Result<Backend, Unreadable> {
    let IngressBackend { resource, service } = backend;
    let Some(IngressServiceBackend { name, port }) = service else {
        let what = resource.as_ref().map_or_else(
            || "The backend names no Service.".to_owned(),
            |resource| {
                format!(
                    "The backend is the {} {:?}; only Services can be backends.",
                    resource.kind, resource.name
                )
            },
        );
        let below = if resource.is_some() { "resource" } else { "service" };
        let remedy = "Name a Service and one of its ports.".to_owned();
        return Err(Unreadable { reason: Reason::BackendUnsupported, below, what, remedy });
    };
    let number = port.as_ref().and_then(|port| port.number);
    let port_name = port.as_ref().and_then(|port| port.name.as_deref()).filter(|name| !name.is_empty());
    let port = match (number, port_name) {
        (Some(number), _) => BackendPort::Number(u16::try_from(number).map_err(|_| Unreadable {
            reason: Reason::ServicePortNotFound,
            below: "service.port.number",
            what: format!("{number} is not a port."),
            remedy: format!("Give one of the ports of Service {namespace}/{name}."),
        })?),
        (None, Some(port_name)) => BackendPort::Name(port_name.to_owned()),
        (None, None) => {
            return Err(Unreadable {
                reason: Reason::ServicePortNotFound,
                below: "service.port",
                what: "No port is named.".to_owned(),
                remedy: format!("Give one of the ports of Service {namespace}/{name}, by number or by name."),
            });
        }
    };
    Ok(Backend { service: ObjectKey::new(namespace, name), port })
}
