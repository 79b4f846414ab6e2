//! Backend services.

use gce_api::{Backend as WireBackend, BackendService as WireBackendService};

use serde_json::{Map, Value};

use super::backend_policy;
use super::link::{Links, reference};
use super::wire::{NotUnderstood, Patched, Unspeakable, Wire};
use crate::model::{
    Backend, BackendProtocol, BackendService, Balancing, Group, Mark, ResourceId, Scheme, Scope,
};

/// What the API fills in (reference of `backendServices`).
const DEFAULT_PORT_NAME: &str = "http";

impl Wire for WireBackendService {
    type Model = BackendService;

    fn write(
        model: &BackendService,
        id: &ResourceId,
        mark: &Mark,
        links: &Links,
    ) -> Result<Self, Unspeakable> {
        let BackendService { scheme, protocol, port_name, backends, health_check, policy } = model;
        let body = Self {
            name: Some(id.name.to_string()),
            description: Some(mark.render()),
            load_balancing_scheme: Some(scheme_word(*scheme)?.to_owned()),
            protocol: Some(protocol_word(*protocol)?.to_owned()),
            port_name: port_name.clone(),
            backends: Some(
                backends.iter().map(|backend| backend_to_wire(backend, links)).collect::<Result<_, _>>()?,
            ),
            health_checks: health_check.as_ref().map(|check| vec![links.to(check.id())]),
            ..Self::default()
        };
        backend_policy::write(policy, body)
    }

    fn read(&self, _: &Scope) -> Result<BackendService, NotUnderstood> {
        let backends: Vec<_> = self.backends.iter().flatten().map(backend_from).collect();
        let by_port_name = backends.is_empty()
            || backends.iter().any(|backend| !matches!(backend.group, Group::Endpoints(_)));
        let checks = self.health_checks.as_deref().unwrap_or_default();
        Ok(BackendService {
            scheme: scheme_from(self.load_balancing_scheme.as_deref()),
            protocol: protocol_from(self.protocol.as_deref()),
            // The API fills one in where it means nothing.
            port_name: self.port_name.clone().filter(|name| by_port_name && name != DEFAULT_PORT_NAME),
            backends,
            health_check: checks.first().and_then(|link| reference(link)),
            policy: backend_policy::read(self),
        })
    }

    fn created(&self) -> Option<&str> {
        self.creation_timestamp.as_deref()
    }
}

impl Patched for WireBackendService {
    const OWNED: &'static [&'static str] = &[
        "loadBalancingScheme",
        "protocol",
        "portName",
        "backends",
        "healthChecks",
        "timeoutSec",
        "connectionDraining",
        "sessionAffinity",
        "affinityCookieTtlSec",
        "customRequestHeaders",
        "customResponseHeaders",
        "logConfig",
        "enableCDN",
        "cdnPolicy",
        "iap",
    ];

    fn clear_within(patch: &mut Map<String, Value>) {
        backend_policy::clear_within(patch);
    }
}

fn backend_to_wire(backend: &Backend, links: &Links) -> Result<WireBackend, Unspeakable> {
    let Backend { group, balancing } = backend;
    let (per_instance, per_endpoint) = match balancing {
        Balancing::RatePerInstance(rate) => (Some(f64::from(*rate)), None),
        Balancing::RatePerEndpoint(rate) => (None, Some(f64::from(*rate))),
        Balancing::Other => return Err(Unspeakable("a balancing mode that gclb does not use".to_owned())),
    };
    Ok(WireBackend {
        group: Some(group_link(group, links)),
        balancing_mode: Some("RATE".to_owned()),
        max_rate_per_instance: per_instance,
        max_rate_per_endpoint: per_endpoint,
        ..WireBackend::default()
    })
}

fn backend_from(wire: &WireBackend) -> Backend {
    let link = wire.group.as_deref().unwrap_or_default();
    let group = reference(link)
        .map(Group::Instances)
        .or_else(|| reference(link).map(Group::Endpoints))
        .unwrap_or_else(|| Group::Other(link.to_owned()));
    let balancing =
        match (wire.balancing_mode.as_deref(), wire.max_rate_per_instance, wire.max_rate_per_endpoint) {
            (Some("RATE"), Some(rate), None) => whole(rate).map(Balancing::RatePerInstance),
            (Some("RATE"), None, Some(rate)) => whole(rate).map(Balancing::RatePerEndpoint),
            _ => None,
        };
    Backend { group, balancing: balancing.unwrap_or(Balancing::Other) }
}

pub(super) fn group_link(group: &Group, links: &Links) -> String {
    match group {
        Group::Instances(group) => links.to(group.id()),
        Group::Endpoints(group) => links.to(group.id()),
        Group::Other(link) => link.clone(),
    }
}

/// A rate that is a whole number, as ours all are.
fn whole(rate: f64) -> Option<u32> {
    let in_range = rate.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&rate);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked on the line above")]
    in_range.then_some(rate as u32)
}

pub(super) fn scheme_word(scheme: Scheme) -> Result<&'static str, Unspeakable> {
    match scheme {
        Scheme::External => Ok("EXTERNAL"),
        Scheme::ExternalManaged => Ok("EXTERNAL_MANAGED"),
        Scheme::Other => Err(Unspeakable("a load balancing scheme that gclb does not use".to_owned())),
    }
}

/// An unset scheme means classic.
pub(super) fn scheme_from(word: Option<&str>) -> Scheme {
    match word {
        None | Some("EXTERNAL") => Scheme::External,
        Some("EXTERNAL_MANAGED") => Scheme::ExternalManaged,
        Some(_) => Scheme::Other,
    }
}

fn protocol_word(protocol: BackendProtocol) -> Result<&'static str, Unspeakable> {
    match protocol {
        BackendProtocol::Http => Ok("HTTP"),
        BackendProtocol::Https => Ok("HTTPS"),
        BackendProtocol::Http2 => Ok("HTTP2"),
        BackendProtocol::H2c => Ok("H2C"),
        BackendProtocol::Grpc => Ok("GRPC"),
        BackendProtocol::Other => Err(Unspeakable("a backend protocol that gclb does not use".to_owned())),
    }
}

fn protocol_from(word: Option<&str>) -> BackendProtocol {
    match word {
        None | Some("HTTP") => BackendProtocol::Http,
        Some("HTTPS") => BackendProtocol::Https,
        Some("HTTP2") => BackendProtocol::Http2,
        Some("H2C") => BackendProtocol::H2c,
        Some("GRPC") => BackendProtocol::Grpc,
        Some(_) => BackendProtocol::Other,
    }
}
