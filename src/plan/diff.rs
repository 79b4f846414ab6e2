//! What a resource is, field by field, in the words of the Compute API; and where two differ.
//!
//! Every conversion destructures without `..`, so a field that the model gains stops the build here. Two resources are the same
//! when all their fields are; what has no meaning in the API (the order of a url map's hosts, of a service's backends) has none here.
//! Members of groups are no fields: they come and go by calls of their own.

mod backend_policy;

use std::collections::BTreeMap;

use crate::model::{
    Address, AddressBinding, Backend, BackendProtocol, BackendService, Balancing, Destination, Firewall,
    ForwardingRule, Group, HealthCheck, HealthPort, HostRoutes, InstanceGroup, NetworkEndpointGroup, Node,
    PathMatcher, PathRule, Probe, Redirect, RedirectCode, ResourceId, Scheme, Scope, SslCertificate, Target,
    TargetHttpProxy, TargetHttpsProxy, UrlMap,
};

use super::{FieldChange, Verb};

/// One field of a resource, as people read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name in the Compute API; parts of a repeated field carry their key: `backends[gclb1-…]`.
    pub name: String,
    /// Its value. Equal values have equal texts and the other way round.
    pub value: String,
    /// How it is changed.
    pub(super) change: How,
}

/// How a field of an existing resource can be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// By this call.
    By(Verb),
    /// Not at all.
    Never,
}

/// A field that differs, and how it could be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) change: FieldChange,
    pub(super) how: How,
}

/// The field of a url map for each backend service that it warms.
const WARM: &str = "warm";

/// The field of a forwarding rule for its address.
pub(super) const ADDRESS: &str = "IPAddress";

/// What stands for a field that is not there.
pub(super) const NONE: &str = "(none)";

/// Every field of a resource but its members, in the order in which people think of them.
#[must_use]
pub fn fields(node: &Node) -> Vec<Field> {
    let mut fields = Fields::default();
    match node {
        Node::Firewall(node) => firewall(node, &mut fields),
        Node::InstanceGroup(node) => instance_group(node, &mut fields),
        Node::NetworkEndpointGroup(node) => network_endpoint_group(node, &mut fields),
        Node::HealthCheck(node) => health_check(node, &mut fields),
        Node::BackendService(node) => backend_service(node, &mut fields),
        Node::UrlMap(node) => url_map(node, &mut fields),
        Node::SslCertificate(node) => ssl_certificate(node, &mut fields),
        Node::TargetHttpProxy(node) => target_http_proxy(node, &mut fields),
        Node::TargetHttpsProxy(node) => target_https_proxy(node, &mut fields),
        Node::Address(Address {}) => {}
        Node::ForwardingRule(node) => forwarding_rule(node, &mut fields),
    }
    fields.list
}

/// Where `to` differs from `from`, in the order of the fields.
pub(super) fn differences(from: &Node, to: &Node) -> Vec<Difference> {
    if from == to {
        return Vec::new();
    }
    let (was, will) = (fields(from), fields(to));
    let by_name = |fields: &[Field]| -> BTreeMap<String, usize> {
        fields.iter().enumerate().map(|(index, field)| (field.name.clone(), index)).collect()
    };
    let (was_at, will_at) = (by_name(&was), by_name(&will));
    // A group that has never had a member has no network yet; it takes that of its first one.
    let not_yet = |field: &Field| matches!(to, Node::InstanceGroup(_)) && field.change == How::Never;

    let changed = was.iter().filter_map(|old| {
        let new = will_at.get(&old.name).and_then(|index| will.get(*index));
        match new {
            Some(new) if new.value == old.value => None,
            None if not_yet(old) => None,
            _ => Some(Difference::new(&old.name, Some(old), new)),
        }
    });
    let added = will
        .iter()
        .filter(|new| !was_at.contains_key(&new.name) && !not_yet(new))
        .map(|new| Difference::new(&new.name, None, Some(new)));
    changed.chain(added).collect()
}

impl FieldChange {
    /// Whether it is but a warm host rule of a url map that comes or goes: our own doing on the way, never somebody else's change.
    #[must_use]
    pub fn is_warming(&self) -> bool {
        self.field.strip_prefix(WARM).is_some_and(|rest| rest.starts_with('['))
    }
}

impl Difference {
    fn new(name: &str, from: Option<&Field>, to: Option<&Field>) -> Self {
        let text = |field: Option<&Field>| field.map_or_else(|| NONE.to_owned(), |field| field.value.clone());
        Self {
            change: FieldChange { field: name.to_owned(), from: text(from), to: text(to) },
            how: strictest(from, to),
        }
    }
}

fn strictest(from: Option<&Field>, to: Option<&Field>) -> How {
    match (from.map(|field| field.change), to.map(|field| field.change)) {
        (Some(How::Never), _) | (_, Some(How::Never)) | (None, None) => How::Never,
        // A forwarding rule's target may be changed to a proxy of the same kind only.
        (Some(How::By(Verb::SetTarget)), _)
            if from.and_then(kind_of_target) != to.and_then(kind_of_target) =>
        {
            How::Never
        }
        (Some(how), _) | (None, Some(how)) => how,
    }
}

fn kind_of_target(field: &Field) -> Option<&str> {
    field.value.split_once(' ').map(|(kind, _)| kind)
}

#[derive(Default)]
struct Fields {
    list: Vec<Field>,
    by_name: BTreeMap<String, usize>,
}

impl Fields {
    fn add(&mut self, change: How, name: impl Into<String>, value: impl Into<String>) {
        let (name, value) = (name.into(), value.into());
        let known = self.by_name.get(&name).and_then(|index| self.list.get_mut(*index));
        // A key that stands twice (somebody else's doing) is one field with both values.
        if let Some(field) = known {
            field.value.push_str(" and ");
            field.value.push_str(&value);
        } else {
            self.by_name.insert(name.clone(), self.list.len());
            self.list.push(Field { name, value, change });
        }
    }
}

/// The short form of a reference: the name, with the zone where there is one.
fn short(id: &ResourceId) -> String {
    match &id.scope {
        Scope::Global => id.name.to_string(),
        Scope::Zone(zone) => format!("{zone}/{}", id.name),
        Scope::Region(region) => format!("{region}/{}", id.name),
    }
}

fn list<T>(items: impl IntoIterator<Item = T>, text: impl Fn(T) -> String) -> String {
    let items: Vec<_> = items.into_iter().map(text).collect();
    if items.is_empty() { NONE.to_owned() } else { items.join(", ") }
}

fn firewall(node: &Firewall, fields: &mut Fields) {
    let Firewall { network, source_ranges, ports, target_tags } = node;
    let patch = How::By(Verb::Patch);
    fields.add(How::Never, "network", network);
    fields.add(patch, "sourceRanges", list(source_ranges, ToString::to_string));
    fields.add(
        patch,
        "allowed.ports",
        list(
            ports,
            |(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") },
        ),
    );
    fields.add(patch, "targetTags", list(target_tags, Clone::clone));
}

fn instance_group(node: &InstanceGroup, fields: &mut Fields) {
    let InstanceGroup { network, named_ports, members: _ } = node;
    if let Some(network) = network {
        fields.add(How::Never, "network", network);
    }
    fields.add(
        How::By(Verb::SetNamedPorts),
        "namedPorts",
        list(named_ports, |(name, port)| format!("{name}:{port}")),
    );
}

fn network_endpoint_group(node: &NetworkEndpointGroup, fields: &mut Fields) {
    let NetworkEndpointGroup { network, subnetwork, members: _ } = node;
    fields.add(How::Never, "network", network);
    fields.add(How::Never, "subnetwork", subnetwork);
}

fn health_check(node: &HealthCheck, fields: &mut Fields) {
    let HealthCheck {
        probe,
        port,
        interval_seconds,
        timeout_seconds,
        healthy_threshold,
        unhealthy_threshold,
    } = node;
    let patch = How::By(Verb::Patch);
    let (kind, request) = match probe {
        Probe::Http { path, host } => ("HTTP", Some((path, host))),
        Probe::Https { path, host } => ("HTTPS", Some((path, host))),
        Probe::Http2 { path, host } => ("HTTP2", Some((path, host))),
        Probe::Tcp => ("TCP", None),
        Probe::Grpc { .. } => ("GRPC", None),
        Probe::Other(kind) => (kind.as_str(), None),
    };
    fields.add(patch, "type", kind);
    if let Some((path, host)) = request {
        fields.add(patch, "requestPath", path);
        if let Some(host) = host {
            fields.add(patch, "host", host);
        }
    }
    if let Probe::Grpc { service: Some(service) } = probe {
        fields.add(patch, "grpcServiceName", service);
    }
    let port = match port {
        HealthPort::Serving => "the serving port".to_owned(),
        HealthPort::Fixed(port) => port.to_string(),
    };
    fields.add(patch, "port", port);
    fields.add(patch, "checkIntervalSec", interval_seconds.to_string());
    fields.add(patch, "timeoutSec", timeout_seconds.to_string());
    fields.add(patch, "healthyThreshold", healthy_threshold.to_string());
    fields.add(patch, "unhealthyThreshold", unhealthy_threshold.to_string());
}

fn scheme(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::External => "EXTERNAL",
        Scheme::ExternalManaged => "EXTERNAL_MANAGED",
        Scheme::Other => "another one",
    }
}

fn backend_service(node: &BackendService, fields: &mut Fields) {
    let BackendService { scheme: load_balancing_scheme, protocol, port_name, backends, health_check, policy } =
        node;
    let patch = How::By(Verb::Patch);
    fields.add(How::Never, "loadBalancingScheme", scheme(*load_balancing_scheme));
    let protocol = match protocol {
        BackendProtocol::Http => "HTTP",
        BackendProtocol::Https => "HTTPS",
        BackendProtocol::Http2 => "HTTP2",
        BackendProtocol::H2c => "H2C",
        BackendProtocol::Grpc => "GRPC",
        BackendProtocol::Other => "another one",
    };
    fields.add(patch, "protocol", protocol);
    if let Some(port_name) = port_name {
        fields.add(patch, "portName", port_name);
    }
    let mut backends: Vec<&Backend> = backends.iter().collect();
    backends.sort_unstable();
    for Backend { group, balancing } in backends {
        let group = match group {
            Group::Instances(group) => short(group.id()),
            Group::Endpoints(group) => short(group.id()),
            Group::Other(link) => link.clone(),
        };
        let balancing = match balancing {
            Balancing::RatePerInstance(rate) => format!("RATE, {rate} per instance"),
            Balancing::RatePerEndpoint(rate) => format!("RATE, {rate} per endpoint"),
            Balancing::Other => "something else".to_owned(),
        };
        fields.add(patch, format!("backends[{group}]"), balancing);
    }
    if let Some(health_check) = health_check {
        fields.add(patch, "healthChecks", short(health_check.id()));
    }
    backend_policy::backend_policy(policy, fields);
}

fn url_map(node: &UrlMap, fields: &mut Fields) {
    let UrlMap { default, hosts } = node;
    let patch = How::By(Verb::Patch);
    fields.add(patch, "default", destination(default));
    // Which hosts share a path matcher, and what it is called, has no meaning: a host's rules are what people know.
    for HostRoutes { hosts, matcher } in hosts.iter().filter(|host| host.warms().is_none()) {
        let PathMatcher { name: _, default, path_rules } = matcher;
        for host in hosts {
            fields.add(patch, format!("hosts[{host}].default"), destination(default));
            for PathRule { paths, destination: to } in path_rules {
                for path in paths {
                    fields.add(patch, format!("hosts[{host}].paths[{path}]"), destination(to));
                }
            }
        }
    }
    // That it is there is all that matters of a warm host rule.
    for service in node.warm() {
        fields.add(patch, format!("{WARM}[{}]", short(service.id())), "probed");
    }
}

fn destination(destination: &Destination) -> String {
    match destination {
        Destination::Service(service) => short(service.id()),
        Destination::Redirect(Redirect { https, code }) => {
            let code = match code {
                RedirectCode::MovedPermanently => 301,
                RedirectCode::Found => 302,
                RedirectCode::SeeOther => 303,
                RedirectCode::TemporaryRedirect => 307,
                RedirectCode::PermanentRedirect => 308,
            };
            if *https { format!("redirect to https ({code})") } else { format!("redirect ({code})") }
        }
        Destination::NotFound { behind } => format!("404 (before {})", short(behind.id())),
        Destination::Other(text) => format!("something else: {text}"),
    }
}

fn ssl_certificate(node: &SslCertificate, fields: &mut Fields) {
    let SslCertificate { fingerprint } = node;
    fields.add(How::Never, "certificate", format!("sha256:{}", fingerprint.as_str()));
}

fn target_http_proxy(node: &TargetHttpProxy, fields: &mut Fields) {
    let TargetHttpProxy { url_map } = node;
    fields.add(How::By(Verb::SetUrlMap), "urlMap", short(url_map.id()));
}

fn target_https_proxy(node: &TargetHttpsProxy, fields: &mut Fields) {
    let TargetHttpsProxy { url_map, certificates, ssl_policy } = node;
    fields.add(How::By(Verb::SetUrlMap), "urlMap", short(url_map.id()));
    fields.add(
        How::By(Verb::SetSslCertificates),
        "sslCertificates",
        list(certificates.iter(), |certificate| short(certificate.id())),
    );
    if let Some(name) = ssl_policy {
        fields.add(How::By(Verb::SetSslPolicy), "sslPolicy", name.as_str());
    }
}

fn forwarding_rule(node: &ForwardingRule, fields: &mut Fields) {
    let ForwardingRule { address, port, target, scheme: load_balancing_scheme } = node;
    let address = match address {
        AddressBinding::Reserved(address) => short(address.id()),
        AddressBinding::Literal(address) => address.to_string(),
    };
    fields.add(How::Never, ADDRESS, address);
    fields.add(How::Never, "portRange", port.to_string());
    let target = match target {
        Target::Http(proxy) => format!("targetHttpProxies {}", short(proxy.id())),
        Target::Https(proxy) => format!("targetHttpsProxies {}", short(proxy.id())),
        Target::Other(link) => link.clone(),
    };
    fields.add(How::By(Verb::SetTarget), "target", target);
    fields.add(How::Never, "loadBalancingScheme", scheme(*load_balancing_scheme));
}
