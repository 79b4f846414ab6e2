//! Programs for tests: small ones by name, to be changed as needed.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use emulator::dataplane::program::{
    Affinity, Backend, BackendProtocol, BackendService, Capacity, Destination, Forward, Frontend,
    FrontendProtocol, Group, Guard, HeaderAction, HealthCheck, HttpProbe, HttpVersion, Logging,
    NetworkEndpoint, NetworkEndpoints, Preamble, Probe, ProbePort, Program, RouteAction, Routing, Scheme,
    Transport, UrlMap, WeightedService,
};
use emulator::dataplane::resource_id::{
    BackendServiceId, ForwardingRuleId, GroupId, HealthCheckId, InstanceId, UrlMapId,
};

use crate::rig::cloud_address;

pub(crate) fn rule_id(name: &str) -> ForwardingRuleId {
    ForwardingRuleId::new(format!("projects/p/global/forwardingRules/{name}"))
}

pub(crate) fn map_id(name: &str) -> UrlMapId {
    UrlMapId::new(format!("projects/p/global/urlMaps/{name}"))
}

pub(crate) fn service_id(name: &str) -> BackendServiceId {
    BackendServiceId::new(format!("projects/p/global/backendServices/{name}"))
}

pub(crate) fn group_id(name: &str) -> GroupId {
    GroupId::new(format!("projects/p/zones/z/networkEndpointGroups/{name}"))
}

pub(crate) fn check_id(name: &str) -> HealthCheckId {
    HealthCheckId::new(format!("projects/p/global/healthChecks/{name}"))
}

pub(crate) fn instance_id(name: &str) -> InstanceId {
    InstanceId::new(format!("projects/p/zones/z/instances/{name}"))
}

/// An HTTP check of `/healthz` on the serving port, every second, thresholds 2 and 2.
pub(crate) fn health_check() -> HealthCheck {
    HealthCheck {
        interval: Duration::from_secs(1),
        // Never what decides on a busy machine.
        timeout: Duration::from_secs(5),
        healthy_threshold: 2,
        unhealthy_threshold: 2,
        port: ProbePort::Serving,
        preamble: Preamble::None,
        probe: Probe::Http(HttpProbe {
            transport: Transport::Plain,
            version: HttpVersion::Http1,
            host: None,
            path: "/healthz".to_owned(),
            response: None,
        }),
    }
}

/// A group of endpoints outside Compute Engine, so with no firewall before them.
pub(crate) fn group(endpoints: &[SocketAddr]) -> Group {
    Group::NetworkEndpoints(NetworkEndpoints::Outside(
        endpoints
            .iter()
            .map(|socket| NetworkEndpoint {
                instance: None,
                address: cloud_address(socket.ip()),
                port: socket.port(),
            })
            .collect(),
    ))
}

/// A service with the group `g1` and the health check `hc`.
pub(crate) fn service() -> BackendService {
    BackendService {
        protocol: BackendProtocol::Http,
        port_name: "http".to_owned(),
        timeout: Duration::from_secs(30),
        draining: Duration::ZERO,
        affinity: Affinity::None,
        headers: HeaderAction::default(),
        guard: Guard::default(),
        logging: Logging::Off,
        backends: vec![Backend { group: group_id("g1"), capacity: Capacity::WHOLE }],
        health_check: Some(check_id("hc")),
    }
}

/// To `web`, with this done on the way.
pub(crate) fn acting(action: RouteAction) -> Destination {
    let only = WeightedService { service: service_id("web"), weight: 1, headers: HeaderAction::default() };
    Destination::Forward(Box::new(Forward { services: vec![only], action }))
}

/// A URL map that sends everything to one place.
pub(crate) fn everything_to(destination: Destination) -> Arc<UrlMap> {
    Arc::new(UrlMap {
        id: map_id("m"),
        host_rules: Vec::new(),
        path_matchers: BTreeMap::new(),
        default: destination,
        headers: HeaderAction::default(),
    })
}

pub(crate) fn frontend(name: &str, socket: SocketAddr) -> Frontend {
    Frontend {
        id: rule_id(name),
        address: socket.ip(),
        port: socket.port(),
        scheme: Scheme::Classic,
        protocol: FrontendProtocol::Http,
        routing: Routing::UrlMap(map_id("m")),
    }
}

/// One frontend `f`, one URL map `m`, one backend service `web` with a group `g1` of these endpoints.
pub(crate) fn plain(front: SocketAddr, endpoints: &[SocketAddr]) -> Program {
    Program {
        frontends: vec![frontend("f", front)],
        url_maps: [(map_id("m"), everything_to(Destination::to_service(service_id("web"))))].into(),
        backend_services: [(service_id("web"), service())].into(),
        groups: [(group_id("g1"), group(endpoints))].into(),
        health_checks: [(check_id("hc"), health_check())].into(),
        ..Program::default()
    }
}

/// The same for the managed schemes.
pub(crate) fn managed(mut program: Program) -> Program {
    for frontend in &mut program.frontends {
        frontend.scheme = Scheme::Managed;
    }
    program
}

/// Changes the backend service `web`.
pub(crate) fn with_service(mut program: Program, change: impl FnOnce(&mut BackendService)) -> Program {
    change(program.backend_services.get_mut(&service_id("web")).unwrap());
    program
}

/// Changes the health check `hc`.
pub(crate) fn with_check(mut program: Program, change: impl FnOnce(&mut HealthCheck)) -> Program {
    change(program.health_checks.get_mut(&check_id("hc")).unwrap());
    program
}
