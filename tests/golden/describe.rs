//! The desired graph, told as a person would: by what things are for, not by what they are called.

use std::fmt::Write as _;

use gclb::model::{
    AddressBinding, Backend, BackendPolicy, BackendService, Balancing, Destination, Endpoint, Firewall,
    ForwardingRule, Graph, Group, HealthCheck, Holder, HostRoutes, InstanceGroup, NetworkEndpointGroup,
    Observed, Origin, PathMatcher, PathRule, Probe, Ref, SslCertificate, Target, TargetHttpProxy,
    TargetHttpsProxy, UrlMap,
};
use gclb::problem::Problem;
use gclb::translate::{Disposition, Frontends, Translated, Translation};

/// Everything that should exist, and everything that is wrong.
pub(crate) fn desired(translation: &Translation, observed: &Observed) -> String {
    let mut desk = Desk { graph: &translation.desired, observed, text: String::new() };
    if translation.load_balancers.is_empty() {
        desk.line(0, "No load balancer is ours.");
    }
    for (key, Translated { disposition, objects }) in &translation.load_balancers {
        match disposition {
            Disposition::Serve(frontends) => {
                desk.line(0, &format!("{key} is served"));
                desk.frontends(frontends);
            }
            Disposition::Keep => desk.line(0, &format!("{key} stays as it is")),
            Disposition::TearDown => desk.line(0, &format!("{key} is torn down")),
        }
        if key.origin != Origin::Ingress {
            let objects: Vec<String> = objects.iter().map(ToString::to_string).collect();
            desk.line(1, &format!("for {}", objects.join(", ")));
        }
        for (object, claimant) in &translation.claimants {
            if claimant.home.as_ref() != Some(key) {
                continue;
            }
            let whose = if key.origin == Origin::Ingress { String::new() } else { format!("{object}: ") };
            for Problem { severity, reason, field, message: _ } in &claimant.problems {
                desk.line(1, &format!("! {whose}{severity:?} {} at {field}", reason.word()));
            }
        }
        desk.text.push('\n');
    }
    desk.services();
    desk.cluster();
    desk.text.trim_end().to_owned() + "\n"
}

struct Desk<'a> {
    graph: &'a Graph,
    observed: &'a Observed,
    text: String,
}

impl Desk<'_> {
    fn line(&mut self, depth: usize, text: &str) {
        writeln!(self.text, "{}{text}", "  ".repeat(depth)).unwrap();
    }

    fn frontends(&mut self, frontends: &Frontends) {
        let Frontends { forwarding_rules, uses: _ } = frontends;
        let mut maps: Vec<&Ref<UrlMap>> = Vec::new();
        for rule in forwarding_rules {
            let ForwardingRule { address, port, target, scheme: _ } = self.graph.get(rule).unwrap();
            let at = match address {
                AddressBinding::Reserved(address) if self.graph.get(address).is_some() => String::new(),
                AddressBinding::Reserved(address) => format!(" at the address {}", address.name()),
                AddressBinding::Literal(number) => format!(" at {number}"),
            };
            let (protocol, map) = match target {
                Target::Http(proxy) => {
                    let TargetHttpProxy { url_map } = self.graph.get(proxy).unwrap();
                    ("http".to_owned(), url_map)
                }
                Target::Https(proxy) => {
                    let TargetHttpsProxy { url_map, certificates, ssl_policy } =
                        self.graph.get(proxy).unwrap();
                    let certificates: Vec<String> =
                        certificates.iter().map(|certificate| self.certificate(certificate)).collect();
                    let policy = ssl_policy
                        .as_ref()
                        .map_or_else(String::new, |policy| format!(" by SSL policy {policy}"));
                    (format!("https with {}{policy}", certificates.join(", ")), url_map)
                }
                Target::Other(other) => panic!("{other}"),
            };
            let does = match self.graph.get(map).unwrap() {
                UrlMap { default: redirect @ Destination::Redirect(_), hosts } if hosts.is_empty() => {
                    self.destination(redirect)
                }
                _ => {
                    if !maps.contains(&map) {
                        maps.push(map);
                    }
                    "by the rules below".to_owned()
                }
            };
            self.line(1, &format!("port {port}{at}, {protocol}: {does}"));
        }
        for map in maps {
            self.url_map(map);
        }
    }

    fn certificate(&self, certificate: &Ref<SslCertificate>) -> String {
        if !self.graph.contains(certificate.id()) && !self.observed.graph.contains(certificate.id()) {
            return format!("{} of the project", certificate.name());
        }
        let secret = |graph: &Graph| match &graph.entry(certificate.id()).unwrap().mark.holder {
            Holder::Secret(secret) => secret.to_string(),
            other => panic!("{other}"),
        };
        match self.graph.get(certificate) {
            Some(SslCertificate { fingerprint }) => {
                format!("{} ({})", secret(self.graph), &fingerprint.as_str()[..8])
            }
            None => format!("{} (as the cloud has it)", secret(&self.observed.graph)),
        }
    }

    fn url_map(&mut self, map: &Ref<UrlMap>) {
        let UrlMap { default, hosts } = self.graph.get(map).unwrap();
        for HostRoutes { hosts, matcher: PathMatcher { name: _, default, path_rules } } in hosts {
            self.line(1, &format!("host {}", hosts.join(", ")));
            for PathRule { paths, destination } in path_rules {
                let destination = self.destination(destination);
                self.line(2, &format!("{} → {destination}", paths.join(" ")));
            }
            let default = self.destination(default);
            self.line(2, &format!("otherwise → {default}"));
        }
        let default = self.destination(default);
        self.line(
            1,
            &format!("{} → {default}", if hosts.is_empty() { "every request" } else { "any other host" }),
        );
    }

    fn destination(&self, destination: &Destination) -> String {
        match destination {
            Destination::Service(service) => self.service_name(service),
            Destination::Redirect(redirect) => format!("redirect to https ({:?})", redirect.code),
            Destination::NotFound { behind: _ } => "404".to_owned(),
            Destination::Other(other) => panic!("{other}"),
        }
    }

    fn service_name(&self, service: &Ref<BackendService>) -> String {
        let entry = self.graph.entry(service.id()).unwrap();
        let backends = &self.graph.get(service).unwrap().backends;
        format!("{}{}", entry.mark.holder, if backends.is_empty() { " (no backends)" } else { "" })
    }

    fn services(&mut self) {
        let graph = self.graph;
        for (_, mark, service) in graph.of::<BackendService>() {
            if mark.holder == Holder::Cluster {
                continue;
            }
            let BackendService { scheme, protocol, port_name, backends, health_check, policy } = service;
            self.line(0, &mark.holder.to_string());
            let port = port_name.as_ref().map_or_else(String::new, |port| format!(" to {port}"));
            self.line(
                1,
                &format!(
                    "{scheme:?}, {protocol:?}{port}, answers within {} s, drains for {} s",
                    policy.timeout_seconds, policy.draining_seconds
                ),
            );
            self.policy(service);
            if let Some(check) = health_check {
                self.health_check(graph.get(check).unwrap());
            }
            if backends.is_empty() {
                self.line(1, "no backends");
            }
            for Backend { group, balancing } in backends {
                self.backend(group, *balancing);
            }
            self.text.push('\n');
        }
    }

    /// What it does besides the two times, where it does something.
    fn policy(&mut self, service: &BackendService) {
        let times = ["timeoutSec", "connectionDraining.drainingTimeoutSec"];
        let all = gclb::plan::fields(&gclb::model::Node::BackendService(service.clone()));
        let none = gclb::plan::fields(&gclb::model::Node::BackendService(BackendService {
            policy: BackendPolicy::default(),
            ..service.clone()
        }));
        for field in all.iter().filter(|field| !times.contains(&field.name.as_str()) && !none.contains(field))
        {
            self.line(1, &format!("{}: {}", field.name, field.value));
        }
    }

    fn health_check(&mut self, check: &HealthCheck) {
        let HealthCheck {
            probe,
            port,
            interval_seconds,
            timeout_seconds,
            healthy_threshold,
            unhealthy_threshold,
        } = check;
        let asks = match probe {
            Probe::Http { path, host: None } => format!("http GET {path}"),
            Probe::Https { path, host: None } => format!("https GET {path}"),
            other => format!("{other:?}"),
        };
        self.line(
            1,
            &format!(
                "health: {asks} at the {port:?} port every {interval_seconds} s within {timeout_seconds} s, \
                 up after {healthy_threshold}, down after {unhealthy_threshold}"
            ),
        );
    }

    fn backend(&mut self, group: &Group, balancing: Balancing) {
        let graph = self.graph;
        let (scope, what) = match group {
            Group::Instances(group) => (group.id().scope.to_string(), "instance group".to_owned()),
            Group::Endpoints(group) => {
                let NetworkEndpointGroup { network, subnetwork, members } = graph.get(group).unwrap();
                let members: Vec<String> = members
                    .known()
                    .unwrap()
                    .iter()
                    .map(|Endpoint { instance, address, port }| format!("{address}:{port} on {instance}"))
                    .collect();
                let members = if members.is_empty() { "nobody".to_owned() } else { members.join(", ") };
                (group.id().scope.to_string(), format!("endpoint group in {network}/{subnetwork}: {members}"))
            }
            Group::Other(other) => panic!("{other}"),
        };
        self.line(1, &format!("{balancing:?} {scope} {what}"));
    }

    fn cluster(&mut self) {
        let graph = self.graph;
        for (id, _, InstanceGroup { network, named_ports, members }) in graph.of::<InstanceGroup>() {
            let ports: Vec<String> =
                named_ports.iter().map(|(name, port)| format!("{name}={port}")).collect();
            let members: Vec<&str> = members.iter().map(String::as_str).collect();
            let members = if members.is_empty() { "nobody".to_owned() } else { members.join(", ") };
            let network = network.as_deref().unwrap_or("no network");
            self.line(
                0,
                &format!("instance group in {} of {network}: {members}; {}", id.scope, ports.join(", ")),
            );
        }
        for (_, _, Firewall { network, source_ranges, ports, target_tags }) in graph.of::<Firewall>() {
            let from: Vec<String> = source_ranges.iter().map(ToString::to_string).collect();
            let ports: Vec<String> = ports
                .iter()
                .map(
                    |(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") },
                )
                .collect();
            let tags: Vec<&str> = target_tags.iter().map(String::as_str).collect();
            let to = if tags.is_empty() {
                "every instance".to_owned()
            } else {
                format!("instances tagged {}", tags.join(", "))
            };
            self.line(
                0,
                &format!(
                    "firewall of {network}: from {} to ports {} of {to}",
                    from.join(", "),
                    ports.join(", ")
                ),
            );
        }
        let in_cluster = graph.of::<BackendService>().any(|(_, mark, _)| mark.holder == Holder::Cluster);
        if in_cluster {
            self.line(0, "a backend service without backends, behind every 404");
        }
    }
}
