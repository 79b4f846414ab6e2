//! Random small clusters, and what is asked for in them.

use std::collections::{BTreeMap, BTreeSet};

use gclb::model::{
    Address, AddressBinding, Backend, BackendPolicy, BackendProtocol, BackendService, Balancing,
    CertificateFingerprint, Certificates, ClusterId, Destination, Endpoint, Firewall, ForwardingRule, Graph,
    Group, HealthCheck, HealthPort, Holder, HostRoutes, InstanceGroup, LoadBalancerKey, Mark,
    NetworkEndpointGroup, ObjectKey, PathMatcher, PathRule, Probe, Redirect, RedirectCode, Ref, ResourceId,
    ResourceName, Scheme, Scope, SslCertificate, Target, TargetHttpProxy, TargetHttpsProxy, UrlMap, Zone,
};
use gclb::translate::{Disposition, Frontends, Translation};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;

/// A small cluster. Numbers are names.
#[derive(Debug, Clone)]
pub(crate) struct World {
    /// Nodes by zone.
    pub(crate) nodes: BTreeMap<u8, BTreeSet<u8>>,
    pub(crate) services: BTreeMap<u8, Service>,
    pub(crate) load_balancers: BTreeMap<u8, LoadBalancer>,
}

#[derive(Debug, Clone)]
pub(crate) enum Service {
    NodePort { port: u16, timeout: u32 },
    Pods { by_zone: BTreeMap<u8, BTreeSet<u8>>, timeout: u32 },
}

#[derive(Debug, Clone)]
pub(crate) enum LoadBalancer {
    Serve { services: BTreeSet<u8>, certificates: BTreeSet<(u8, u8)>, redirect: bool },
    Keep,
    TearDown,
}

pub(crate) const SERVICES: u8 = 4;

/// Certificates of this number are nobody's Secrets: somebody has put them into the project.
const UPLOADED: u8 = 2;

/// Whether somebody else has made it: a plan only ever points at it.
pub(crate) fn is_foreign(id: &ResourceId) -> bool {
    ["reserved-", "uploaded-"].iter().any(|prefix| id.name.as_str().starts_with(prefix))
}

/// Load balancers of odd numbers answer at addresses that somebody has reserved.
const fn is_at_a_foreign_address(lb: u8) -> bool {
    lb % 2 == 1
}

pub(crate) fn service() -> impl Strategy<Value = Service> {
    // Those beyond 30 are guarded, each by a security policy of its own.
    let timeout = prop_oneof![Just(30_u32), Just(45), Just(60)];
    prop_oneof![
        (30001..30005_u16, timeout.clone()).prop_map(|(port, timeout)| Service::NodePort { port, timeout }),
        (btree_map(0..2_u8, btree_set(0..6_u8, 0..4), 1..3), timeout)
            .prop_map(|(by_zone, timeout)| Service::Pods { by_zone, timeout }),
    ]
}

pub(crate) fn serve() -> impl Strategy<Value = LoadBalancer> {
    (btree_set(0..SERVICES, 1..4), btree_set((0..=UPLOADED, 0..2_u8), 0..3), any::<bool>()).prop_map(
        |(services, certificates, redirect)| LoadBalancer::Serve { services, certificates, redirect },
    )
}

pub(crate) fn world() -> impl Strategy<Value = World> {
    let load_balancer =
        prop_oneof![6 => serve(), 1 => Just(LoadBalancer::Keep), 2 => Just(LoadBalancer::TearDown)];
    (
        btree_map(0..2_u8, btree_set(0..4_u8, 0..3), 1..3),
        vec(service(), usize::from(SERVICES)),
        btree_map(0..4_u8, load_balancer, 0..4),
    )
        .prop_map(|(nodes, services, load_balancers)| World {
            nodes,
            services: (0..SERVICES).zip(services).collect(),
            load_balancers,
        })
}

pub(crate) fn name(text: impl Into<String>) -> ResourceName {
    ResourceName::new(text).unwrap()
}

pub(crate) fn zone(zone: u8) -> Scope {
    Scope::Zone(Zone(format!("z-{zone}")))
}

pub(crate) fn key(lb: u8) -> LoadBalancerKey {
    LoadBalancerKey::ingress(ObjectKey::new("ns", format!("l{lb}")))
}

pub(crate) fn mark(holder: Holder) -> Mark {
    Mark { cluster: ClusterId::new("0a1b2c3d").unwrap(), holder }
}

pub(crate) fn add<K: gclb::model::Resource>(
    graph: &mut Graph,
    scope: Scope,
    text: String,
    holder: &Holder,
    resource: K,
) -> Ref<K> {
    graph.add(scope, name(text), mark(holder.clone()), resource).unwrap()
}

impl World {
    pub(crate) fn translation(&self) -> Translation {
        let mut translation = Translation::default();
        let used: BTreeSet<u8> = self
            .load_balancers
            .values()
            .flat_map(|lb| match lb {
                LoadBalancer::Serve { services, .. } => services.clone(),
                LoadBalancer::Keep | LoadBalancer::TearDown => BTreeSet::new(),
            })
            .collect();
        let graph = &mut translation.desired;
        let services = self.draw_services(graph, &used);
        let mut dispositions = Vec::new();
        for (lb, wish) in &self.load_balancers {
            let disposition = match wish {
                LoadBalancer::Serve { services: of, certificates, redirect } => {
                    let of: Vec<_> = of.iter().map(|service| services[service].clone()).collect();
                    Disposition::Serve(draw_front(graph, *lb, &of, certificates, *redirect))
                }
                LoadBalancer::Keep => Disposition::Keep,
                LoadBalancer::TearDown => Disposition::TearDown,
            };
            dispositions.push((key(*lb), disposition));
        }
        for (key, disposition) in dispositions {
            translation.insert(key, disposition);
        }
        translation
    }

    fn draw_services(&self, graph: &mut Graph, used: &BTreeSet<u8>) -> BTreeMap<u8, Ref<BackendService>> {
        let cluster = Holder::Cluster;
        let node_ports: BTreeSet<u16> = used
            .iter()
            .filter_map(|service| match &self.services[service] {
                Service::NodePort { port, .. } => Some(*port),
                Service::Pods { .. } => None,
            })
            .collect();
        if !used.is_empty() {
            let firewall = Firewall {
                network: "default".into(),
                source_ranges: Firewall::GOOGLE_RANGES.iter().map(|range| range.parse().unwrap()).collect(),
                ports: node_ports.iter().map(|port| (*port, *port)).chain([(8080, 8080)]).collect(),
                target_tags: BTreeSet::new(),
            };
            add(graph, Scope::Global, "fw".into(), &cluster, firewall);
        }
        let mut groups = Vec::new();
        if !node_ports.is_empty() {
            for (z, nodes) in &self.nodes {
                let group = InstanceGroup {
                    network: Some("default".into()),
                    named_ports: node_ports.iter().map(|port| (format!("port{port}"), *port)).collect(),
                    members: nodes.iter().map(|node| format!("node-{z}-{node}")).collect(),
                };
                groups.push(add(graph, zone(*z), "ig".into(), &cluster, group));
            }
        }
        used.iter().map(|service| (*service, self.draw_service(graph, *service, &groups))).collect()
    }

    fn draw_service(
        &self,
        graph: &mut Graph,
        service: u8,
        groups: &[Ref<InstanceGroup>],
    ) -> Ref<BackendService> {
        let holder =
            Holder::Service { service: ObjectKey::new("ns", format!("s{service}")), port: "80".into() };
        let (port_name, backends, timeout_seconds) = match &self.services[&service] {
            Service::NodePort { port, timeout } => {
                let backends = groups.iter().map(|group| Backend {
                    group: Group::Instances(group.clone()),
                    balancing: Balancing::RatePerInstance(1),
                });
                (Some(format!("port{port}")), backends.collect::<Vec<_>>(), *timeout)
            }
            Service::Pods { by_zone, timeout } => {
                let backends = by_zone.iter().map(|(z, pods)| {
                    let group = NetworkEndpointGroup {
                        network: "default".into(),
                        subnetwork: "default".into(),
                        members: pods
                            .iter()
                            .map(|pod| Endpoint {
                                instance: format!("node-{z}-0"),
                                address: [10, *z, service, *pod].into(),
                                port: 8080,
                            })
                            .collect(),
                    };
                    let group = add(graph, zone(*z), format!("neg-{service}"), &holder, group);
                    Backend { group: Group::Endpoints(group), balancing: Balancing::RatePerEndpoint(1) }
                });
                (None, backends.collect(), *timeout)
            }
        };
        // The two kinds of service have different names, as those of `naming` do.
        let kind = if port_name.is_some() { "np" } else { "neg" };
        let check = HealthCheck {
            probe: Probe::Http { path: "/".into(), host: None },
            port: HealthPort::Serving,
            interval_seconds: 15,
            timeout_seconds: 15,
            healthy_threshold: 1,
            unhealthy_threshold: 2,
        };
        let health_check = Some(add(graph, Scope::Global, format!("hc-{kind}-{service}"), &holder, check));
        let backend_service = BackendService {
            scheme: Scheme::ExternalManaged,
            protocol: BackendProtocol::Http,
            port_name,
            backends,
            health_check,
            policy: BackendPolicy {
                timeout_seconds,
                draining_seconds: 30,
                security_policy: (timeout_seconds > 30)
                    .then(|| ResourceName::new(format!("armor-{timeout_seconds}")).unwrap()),
                ..BackendPolicy::default()
            },
        };
        add(graph, Scope::Global, format!("bs-{kind}-{service}"), &holder, backend_service)
    }
}

pub(crate) fn draw_front(
    graph: &mut Graph,
    lb: u8,
    services: &[Ref<BackendService>],
    certificates: &BTreeSet<(u8, u8)>,
    redirect: bool,
) -> Frontends {
    let holder = Holder::LoadBalancer(key(lb));
    let default = Destination::Service(services[0].clone());
    let path_rules: Vec<_> = services[1..]
        .iter()
        .map(|service| PathRule {
            paths: vec![format!("/{}", service.name())],
            destination: Destination::Service(service.clone()),
        })
        .collect();
    let matcher = PathMatcher { name: "m".into(), default: default.clone(), path_rules };
    let map = UrlMap { default, hosts: vec![HostRoutes { hosts: vec!["*".into()], matcher }] };
    let map = add(graph, Scope::Global, format!("um-{lb}"), &holder, map);
    let certificates: Vec<_> = certificates
        .iter()
        .map(|(secret, version)| {
            let content = format!("{secret}-{version}");
            if *secret == UPLOADED {
                return graph.foreign(Scope::Global, name(format!("uploaded-{version}")));
            }
            let certificate = SslCertificate { fingerprint: CertificateFingerprint::of(&content) };
            let holder = Holder::Secret(ObjectKey::new("ns", format!("t{secret}")));
            add(graph, Scope::Global, format!("cert-{content}"), &holder, certificate)
        })
        .collect();
    let certificates = Certificates::new(certificates);
    let plain_map = if certificates.is_some() && redirect {
        let code = RedirectCode::MovedPermanently;
        let map =
            UrlMap { default: Destination::Redirect(Redirect { https: true, code }), hosts: Vec::new() };
        add(graph, Scope::Global, format!("um-{lb}-redirect"), &holder, map)
    } else {
        map.clone()
    };
    let address = if is_at_a_foreign_address(lb) {
        graph.foreign(Scope::Global, name(format!("reserved-{lb}")))
    } else {
        add(graph, Scope::Global, format!("ip-{lb}"), &holder, Address {})
    };
    let proxy = TargetHttpProxy { url_map: plain_map };
    let proxy = add(graph, Scope::Global, format!("thp-{lb}"), &holder, proxy);
    let mut targets = vec![(80, Target::Http(proxy))];
    if let Some(certificates) = certificates {
        let proxy = TargetHttpsProxy {
            url_map: map,
            certificates,
            ssl_policy: redirect.then(|| ResourceName::new("modern").unwrap()),
        };
        let proxy = add(graph, Scope::Global, format!("thsp-{lb}"), &holder, proxy);
        targets.push((443, Target::Https(proxy)));
    }
    let forwarding_rules: Vec<_> = targets
        .into_iter()
        .map(|(port, target)| {
            let address = AddressBinding::Reserved(address.clone());
            let rule = ForwardingRule { address, port, target, scheme: Scheme::ExternalManaged };
            add(graph, Scope::Global, format!("fr-{lb}-{port}"), &holder, rule)
        })
        .collect();
    let uses = graph.closure(forwarding_rules.iter().map(Ref::id));
    Frontends { forwarding_rules, uses }
}
