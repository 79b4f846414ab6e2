//! The backend service of a Service's port.

use crate::model::{
    Backend, BackendProtocol, BackendService, Balancing, Destination, Group, Holder, InstanceGroup, Ref,
    Scheme, Scope, UrlMap,
};
use crate::naming;

use super::draft::Draft;
use super::service_port::{Reach, Resolved};
use super::settings::{Admits, Settings};
use super::{health_check, network_endpoint_group, settings};

/// Every instance, or endpoint, counts the same. With the balancing mode RATE the number is a weight and not a limit: beyond it the
/// load balancer still spreads requests evenly.
const RATE: u32 = 1;

pub(super) fn draw(
    draft: &mut Draft<'_>,
    scheme: Scheme,
    resolved: &Resolved<'_>,
    settings: Settings,
    instance_groups: &[Ref<InstanceGroup>],
) -> Ref<BackendService> {
    let (port_name, mut backends): (_, Vec<Backend>) = match &resolved.reach {
        Reach::NodePort(port) => {
            let balancing = Balancing::RatePerInstance(RATE);
            let group =
                |group: &Ref<InstanceGroup>| Backend { group: Group::Instances(group.clone()), balancing };
            (Some(naming::named_port(*port)), instance_groups.iter().map(group).collect())
        }
        Reach::Pods(endpoints) => {
            let balancing = Balancing::RatePerEndpoint(RATE);
            let groups = network_endpoint_group::draw_all(draft, resolved, endpoints);
            let group = |group| Backend { group: Group::Endpoints(group), balancing };
            (None, groups.into_iter().map(group).collect())
        }
        Reach::Nowhere(_) => (None, Vec::new()),
    };
    if settings.admits == Admits::Nothing {
        backends.clear();
    }
    backends.sort_unstable();
    let health_check = health_check::draw(draft, resolved, settings.health_check);
    let cluster = &draft.snapshot.cluster.id;
    let name = naming::backend_service(cluster, &resolved.service, &resolved.port, resolved.mode(), scheme);
    let holder = Holder::Service { service: resolved.service.clone(), port: resolved.port.to_string() };
    let service = BackendService {
        scheme,
        protocol: resolved.protocol,
        port_name,
        backends,
        health_check: Some(health_check),
        policy: settings.policy,
    };
    draft.place(Scope::Global, name, holder, service)
}

/// The one that stands where there is none: behind every answer of 404, where no request reaches it, or in place of that answer.
pub(super) fn draw_not_found(draft: &mut Draft<'_>, scheme: Scheme) -> Ref<BackendService> {
    let name = naming::not_found_backend_service(&draft.snapshot.cluster.id, scheme);
    let service = BackendService {
        scheme,
        protocol: BackendProtocol::Http,
        port_name: None,
        backends: Vec::new(),
        health_check: None,
        policy: settings::default_policy(),
    };
    draft.place(Scope::Global, name, Holder::Cluster, service)
}

/// Takes that one out again where no URL map came to stand in front of it.
pub(super) fn drop_unused_not_found(draft: &mut Draft<'_>, scheme: Scheme) {
    let name = naming::not_found_backend_service(&draft.snapshot.cluster.id, scheme);
    let Some(service) = draft.graph.reference::<BackendService>(&Scope::Global, &name) else { return };
    let used = draft.graph.of::<UrlMap>().any(|(_, _, map)| {
        map.destinations().any(|destination| match destination {
            Destination::NotFound { behind: at } | Destination::Service(at) => *at == service,
            Destination::Redirect(_) | Destination::Other(_) => false,
        })
    });
    if !used {
        draft.graph.remove(service.id());
    }
}
