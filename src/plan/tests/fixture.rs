//! Small worlds, built by hand: what is asked for, and what the cloud holds.

use std::collections::BTreeSet;

use crate::model::{
    Address, AddressBinding, Backend, BackendPolicy, BackendProtocol, BackendService, Balancing,
    CertificateFingerprint, Certificates, ClusterId, Destination, Endpoint, Firewall, ForwardingRule, Graph,
    Group, HealthCheck, HealthPort, Holder, HostRoutes, InstanceGroup, Kind, LoadBalancerKey, Mark,
    NetworkEndpointGroup, Node, ObjectKey, Observed, PathMatcher, PathRule, Probe, Redirect, RedirectCode,
    Ref, ResourceId, ResourceName, Scheme, Scope, SslCertificate, Target, TargetHttpProxy, TargetHttpsProxy,
    UrlMap, Zone,
};
use crate::plan::{Action, Change, Plan, order, simulate_with};
use crate::translate::{Disposition, Frontends, Translation};

pub(crate) fn name(text: impl Into<String>) -> ResourceName {
    ResourceName::new(text).unwrap()
}

pub(crate) fn zone(letter: char) -> Scope {
    Scope::Zone(Zone(format!("z-{letter}")))
}

pub(crate) fn key(text: &str) -> LoadBalancerKey {
    LoadBalancerKey::ingress(ObjectKey::new("default", text))
}

pub(crate) fn id(kind: Kind, text: &str) -> ResourceId {
    ResourceId { kind, scope: Scope::Global, name: name(text) }
}

pub(crate) fn zonal(kind: Kind, letter: char, text: &str) -> ResourceId {
    ResourceId { kind, scope: zone(letter), name: name(text) }
}

pub(crate) fn mark(holder: Holder) -> Mark {
    Mark { cluster: ClusterId::new("0a1b2c3d").unwrap(), holder }
}

pub(crate) fn service_holder(service: &str) -> Holder {
    Holder::Service { service: ObjectKey::new("default", service), port: "80".into() }
}

/// A translation that is put together one load balancer after another.
#[derive(Clone, Default)]
pub(crate) struct World {
    pub(crate) translation: Translation,
}

/// What one load balancer of a [`World`] should be.
#[derive(Clone, Default)]
pub(crate) struct Wish<'a> {
    /// Names of services: the first is the default, each other one has `/NAME/*`.
    pub(crate) services: Vec<&'a str>,
    /// Secret and content of each certificate; with one at least, port 80 redirects.
    pub(crate) certificates: Vec<(&'a str, &'a str)>,
}

/// A load balancer for these services, without TLS.
pub(crate) fn http<'a>(services: &[&'a str]) -> Wish<'a> {
    Wish { services: services.to_vec(), certificates: Vec::new() }
}

/// A load balancer for these services, with TLS and a redirect.
pub(crate) fn https<'a>(services: &[&'a str], certificates: &[(&'a str, &'a str)]) -> Wish<'a> {
    Wish { services: services.to_vec(), certificates: certificates.to_vec() }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    fn graph(&mut self) -> &mut Graph {
        &mut self.translation.desired
    }

    /// The cluster's own resources; ports are opened as services come.
    fn cluster(&mut self) -> Ref<InstanceGroup> {
        let cluster = mark(Holder::Cluster);
        let graph = self.graph();
        if graph.reference::<Firewall>(&Scope::Global, &name("fw")).is_none() {
            let firewall = Firewall {
                network: "default".into(),
                source_ranges: Firewall::GOOGLE_RANGES.iter().map(|range| range.parse().unwrap()).collect(),
                ports: BTreeSet::new(),
                target_tags: BTreeSet::new(),
            };
            graph.add(Scope::Global, name("fw"), cluster.clone(), firewall).unwrap();
            let group = InstanceGroup {
                network: Some("default".into()),
                named_ports: [].into(),
                members: ["node-1".into(), "node-2".into()].into(),
            };
            graph.add(zone('a'), name("ig"), cluster, group).unwrap();
        }
        graph.reference(&zone('a'), &name("ig")).unwrap()
    }

    /// A service at a node port.
    pub(crate) fn node_port(&mut self, service: &str, port: u16) -> Ref<BackendService> {
        let group = self.cluster();
        let graph = self.graph();
        let firewall = graph.reference::<Firewall>(&Scope::Global, &name("fw")).unwrap();
        graph.change(&firewall, |firewall| {
            firewall.ports.insert((port, port));
        });
        let port_name = format!("port{port}");
        graph.change(&group, |group| {
            group.named_ports.insert(port_name.clone(), port);
        });
        let backend = Backend { group: Group::Instances(group), balancing: Balancing::RatePerInstance(1) };
        self.service(service, Some(port_name), vec![backend])
    }

    /// A container-native service with so many pods in one zone.
    pub(crate) fn pods(&mut self, service: &str, pods: usize) -> Ref<BackendService> {
        self.cluster();
        let members = (0..pods)
            .map(|n| Endpoint {
                instance: "node-1".into(),
                address: [10, 0, u8::try_from(n / 256).unwrap(), u8::try_from(n % 256).unwrap()].into(),
                port: 8080,
            })
            .collect();
        let group = NetworkEndpointGroup { network: "default".into(), subnetwork: "default".into(), members };
        let group = self
            .graph()
            .add(zone('a'), name(format!("neg-{service}")), mark(service_holder(service)), group)
            .unwrap();
        let backend = Backend { group: Group::Endpoints(group), balancing: Balancing::RatePerEndpoint(1) };
        self.service(service, None, vec![backend])
    }

    pub(crate) fn service(
        &mut self,
        service: &str,
        port_name: Option<String>,
        backends: Vec<Backend>,
    ) -> Ref<BackendService> {
        let mark = mark(service_holder(service));
        let check = HealthCheck {
            probe: Probe::Http { path: "/".into(), host: None },
            port: HealthPort::Serving,
            interval_seconds: 15,
            timeout_seconds: 15,
            healthy_threshold: 1,
            unhealthy_threshold: 2,
        };
        let check =
            self.graph().add(Scope::Global, name(format!("hc-{service}")), mark.clone(), check).unwrap();
        let backend_service = BackendService {
            scheme: Scheme::ExternalManaged,
            protocol: BackendProtocol::Http,
            port_name,
            backends,
            health_check: Some(check),
            policy: BackendPolicy { draining_seconds: 30, ..BackendPolicy::default() },
        };
        self.graph().add(Scope::Global, name(format!("bs-{service}")), mark, backend_service).unwrap()
    }

    /// A load balancer whose services are there already.
    pub(crate) fn serve(&mut self, lb: &str, wish: &Wish<'_>) {
        let holder = mark(Holder::LoadBalancer(key(lb)));
        let graph = self.graph();
        let service = |graph: &Graph, service: &str| {
            graph.reference::<BackendService>(&Scope::Global, &name(format!("bs-{service}"))).unwrap()
        };
        let (default, others) = wish.services.split_first().unwrap();
        let default = Destination::Service(service(graph, default));
        let path_rules: Vec<PathRule> = others
            .iter()
            .map(|other| PathRule {
                paths: vec![format!("/{other}/*")],
                destination: Destination::Service(service(graph, other)),
            })
            .collect();
        let hosts = if path_rules.is_empty() {
            Vec::new()
        } else {
            let matcher = PathMatcher { name: "m".into(), default: default.clone(), path_rules };
            vec![HostRoutes { hosts: vec!["*".into()], matcher }]
        };
        let url_map = graph
            .add(Scope::Global, name(format!("um-{lb}")), holder.clone(), UrlMap { default, hosts })
            .unwrap();
        let address = graph.add(Scope::Global, name(format!("ip-{lb}")), holder.clone(), Address {}).unwrap();

        let certificates: Vec<_> = wish
            .certificates
            .iter()
            .map(|(secret, content)| {
                let mark = mark(Holder::Secret(ObjectKey::new("default", *secret)));
                let certificate = SslCertificate { fingerprint: CertificateFingerprint::of(content) };
                graph.add(Scope::Global, name(format!("cert-{secret}-{content}")), mark, certificate).unwrap()
            })
            .collect();
        let mut forwarding_rules = Vec::new();
        let mut rule = |graph: &mut Graph, port: u16, target: Target| {
            let rule = ForwardingRule {
                address: AddressBinding::Reserved(address.clone()),
                port,
                target,
                scheme: Scheme::ExternalManaged,
            };
            let rule =
                graph.add(Scope::Global, name(format!("fr-{lb}-{port}")), holder.clone(), rule).unwrap();
            forwarding_rules.push(rule);
        };
        let plain_map = if certificates.is_empty() {
            url_map.clone()
        } else {
            let redirect = UrlMap {
                default: Destination::Redirect(Redirect {
                    https: true,
                    code: RedirectCode::MovedPermanently,
                }),
                hosts: Vec::new(),
            };
            graph.add(Scope::Global, name(format!("um-{lb}-redirect")), holder.clone(), redirect).unwrap()
        };
        let proxy = TargetHttpProxy { url_map: plain_map };
        let proxy = graph.add(Scope::Global, name(format!("thp-{lb}")), holder.clone(), proxy).unwrap();
        rule(graph, 80, Target::Http(proxy));
        if let Some(certificates) = Certificates::new(certificates) {
            let proxy = TargetHttpsProxy { url_map, certificates, ssl_policy: None };
            let proxy = graph.add(Scope::Global, name(format!("thsp-{lb}")), holder.clone(), proxy).unwrap();
            rule(graph, 443, Target::Https(proxy));
        }
        let frontends =
            Frontends { uses: graph.closure(forwarding_rules.iter().map(Ref::id)), forwarding_rules };
        self.dispose(lb, Disposition::Serve(frontends));
    }

    pub(crate) fn dispose(&mut self, lb: &str, disposition: Disposition) {
        self.translation.insert(key(lb), disposition);
    }

    /// The cloud as this world wishes it.
    pub(crate) fn observed(&self) -> Observed {
        let plan = crate::plan::plan(&self.translation, &Observed::default());
        done(&Observed::default(), &plan)
    }
}

/// What the cloud holds once the plan is done. Every address is 203.0.113.1.
pub(crate) fn done(observed: &Observed, plan: &Plan) -> Observed {
    simulate_with(observed, plan, |_| Some([203, 0, 113, 1].into()))
}

/// The world of the walkthrough: one Ingress with TLS, one Service at a node port.
pub(crate) fn walkthrough() -> World {
    let mut world = World::new();
    world.node_port("echo", 30001);
    world.serve("test", &https(&["echo"], &[("tls", "a")]));
    world
}

/// Each change in order: what is done to what.
pub(crate) fn steps(plan: &Plan) -> Vec<String> {
    order(plan).into_iter().map(|at| step_text(&plan.graph[at])).collect()
}

fn step_text(change: &Change) -> String {
    let what = match &change.action {
        Action::Create(_) => "create".to_owned(),
        Action::Update { verb, .. } => verb.method().to_owned(),
        Action::AttachEndpoints(members) => format!("attach {}", members.len()),
        Action::DetachEndpoints(members) => format!("detach {}", members.len()),
        Action::AddInstances(members) => format!("add {}", members.len()),
        Action::RemoveInstances(members) => format!("remove {}", members.len()),
        Action::Delete => "delete".to_owned(),
        Action::AwaitHealthy { .. } => "await".to_owned(),
    };
    format!("{what} {}", change.id.name)
}

/// Whether `then` always waits for `first`; both as [`steps`] writes them, the `nth` of that text.
pub(crate) fn waits(plan: &Plan, first: (&str, usize), then: (&str, usize)) -> bool {
    let find = |(text, nth): (&str, usize)| {
        order(plan)
            .into_iter()
            .filter(|at| step_text(&plan.graph[*at]) == text)
            .nth(nth)
            .unwrap_or_else(|| panic!("no {text:?} in {:#?}", steps(plan)))
    };
    let (first, then) = (find(first), find(then));
    first != then && petgraph::algo::has_path_connecting(&plan.graph, first, then, None)
}

/// The fields that an update changes, old and new, in one text.
pub(crate) fn changed(plan: &Plan, name: &str) -> Vec<String> {
    order(plan)
        .into_iter()
        .map(|at| &plan.graph[at])
        .filter(|change| change.id.name.as_str() == name)
        .filter_map(|change| match &change.action {
            Action::Update { verb, fields, .. } => Some((verb, fields)),
            _ => None,
        })
        .flat_map(|(verb, fields)| {
            fields
                .iter()
                .map(|field| format!("{} {}: {} -> {}", verb.method(), field.field, field.from, field.to))
        })
        .collect()
}

/// Changes one resource of a graph, behind everybody's back.
pub(crate) fn tamper(graph: &mut Graph, id: &ResourceId, edit: impl FnOnce(&mut Node)) {
    let mut entry = graph.remove(id).unwrap();
    edit(&mut entry.node);
    graph.put(id.clone(), entry);
}
