//! From a Pod to the little of it that a health check can be made of: its ports, and how Kubernetes finds out whether it is ready.

use std::sync::Arc;

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::TargetPort;

/// A container with a readiness probe or ports.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// The TCP ports that it names or numbers.
    pub ports: Vec<ContainerPort>,
    /// Its readiness probe, where it is of a kind that a load balancer can make too.
    pub probe: Option<ReadinessProbe>,
}

/// A TCP port of a container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContainerPort {
    /// Empty where it has none.
    pub name: String,
    /// Where it listens.
    pub number: u16,
}

/// How a kubelet finds out whether a container is ready. What the Pod left out is what the API server's defaults are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReadinessProbe {
    /// What is asked.
    pub asks: Asks,
    /// Where.
    pub port: TargetPort,
    /// `periodSeconds`
    pub period_seconds: u32,
    /// `timeoutSeconds`
    pub timeout_seconds: u32,
    /// `successThreshold`
    pub success_threshold: u32,
    /// `failureThreshold`
    pub failure_threshold: u32,
}

/// What a probe asks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asks {
    /// `httpGet`
    Http {
        /// The path.
        path: String,
        /// Whether over TLS.
        tls: bool,
        /// The header `Host`, from `host` or from the headers.
        host: Option<String>,
        /// Other headers, name and value.
        headers: Vec<(String, String)>,
    },
    /// `grpc`
    Grpc {
        /// The service that is asked for; empty: the server as a whole.
        service: String,
    },
    /// `tcpSocket`
    Tcp,
}

/// The containers of a Pod as far as they are read; `None` where no load balancer can ask any of them what Kubernetes asks it.
pub(super) fn containers(spec: &core::PodSpec) -> Option<Arc<[Container]>> {
    // One that is restarted always goes on running beside the others.
    let beside = spec
        .init_containers
        .iter()
        .flatten()
        .filter(|container| container.restart_policy.as_deref() == Some("Always"));
    let read: Arc<[Container]> = spec.containers.iter().chain(beside).map(container).collect();
    read.iter().any(|container| container.probe.is_some()).then_some(read)
}

fn container(container: &core::Container) -> Container {
    let tcp =
        container.ports.iter().flatten().filter(|port| port.protocol.as_deref().unwrap_or("TCP") == "TCP");
    Container {
        name: container.name.clone(),
        ports: tcp
            .filter_map(|port| {
                let number = number(port.container_port)?;
                Some(ContainerPort { name: port.name.clone().unwrap_or_default(), number })
            })
            .collect(),
        probe: container.readiness_probe.as_ref().and_then(probe),
    }
}

fn probe(probe: &core::Probe) -> Option<ReadinessProbe> {
    let (asks, port) = if let Some(get) = &probe.http_get {
        let mut headers = Vec::new();
        let mut host = get.host.clone().filter(|host| !host.is_empty());
        for header in get.http_headers.iter().flatten() {
            if header.name.eq_ignore_ascii_case("host") {
                host = Some(header.value.clone());
            } else {
                headers.push((header.name.clone(), header.value.clone()));
            }
        }
        let path = get.path.clone().filter(|path| !path.is_empty()).unwrap_or_else(|| "/".to_owned());
        let tls = get.scheme.as_deref() == Some("HTTPS");
        (Asks::Http { path, tls, host, headers }, target(&get.port)?)
    } else if let Some(grpc) = &probe.grpc {
        let service = grpc.service.clone().unwrap_or_default();
        (Asks::Grpc { service }, TargetPort::Number(number(grpc.port)?))
    } else if let Some(socket) = &probe.tcp_socket {
        (Asks::Tcp, target(&socket.port)?)
    } else {
        return None;
    };
    let or = |value: Option<i32>, default: u32| {
        value.and_then(|value| u32::try_from(value).ok()).filter(|value| *value != 0).unwrap_or(default)
    };
    Some(ReadinessProbe {
        asks,
        port,
        period_seconds: or(probe.period_seconds, 10),
        timeout_seconds: or(probe.timeout_seconds, 1),
        success_threshold: or(probe.success_threshold, 1),
        failure_threshold: or(probe.failure_threshold, 3),
    })
}

fn target(port: &IntOrString) -> Option<TargetPort> {
    match port {
        IntOrString::Int(port) => number(*port).map(TargetPort::Number),
        IntOrString::String(name) => Some(TargetPort::Name(name.clone())),
    }
}

fn number(port: i32) -> Option<u16> {
    u16::try_from(port).ok().filter(|port| *port != 0)
}

impl Container {
    /// The number of a port of this container. A number need not be declared to be one.
    #[must_use]
    pub fn resolve(&self, port: &TargetPort) -> Option<u16> {
        match port {
            TargetPort::Number(number) => Some(*number),
            TargetPort::Name(name) => {
                self.ports.iter().find(|port| port.name == *name).map(|port| port.number)
            }
        }
    }
}

/// The probe that asks at the very port where a Service's requests arrive, and that port. A probe at another port says nothing of it.
#[must_use]
pub fn probe_at<'a>(containers: &'a [Container], target: &TargetPort) -> Option<(&'a ReadinessProbe, u16)> {
    containers.iter().find_map(|container| {
        let probe = container.probe.as_ref()?;
        let serves = container.resolve(target)?;
        (container.resolve(&probe.port) == Some(serves)).then_some((probe, serves))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(containers: &Value) -> Option<Arc<[Container]>> {
        super::containers(&serde_json::from_value(json!({ "containers": containers })).unwrap())
    }

    fn name(name: &str) -> TargetPort {
        TargetPort::Name(name.to_owned())
    }

    #[test]
    fn what_is_left_out_is_what_the_api_server_would_fill_in() {
        let read = read(&json!([{"name": "web", "readinessProbe": {"httpGet": {"port": 8080}}}])).unwrap();
        let probe = read[0].probe.as_ref().unwrap();
        let path = "/".to_owned();
        assert_eq!(probe.asks, Asks::Http { path, tls: false, host: None, headers: vec![] });
        let numbers =
            (probe.period_seconds, probe.timeout_seconds, probe.success_threshold, probe.failure_threshold);
        assert_eq!(numbers, (10, 1, 1, 3));
    }

    #[test]
    fn each_kind_of_probe_is_read() {
        let http = json!({"httpGet": {"path": "/healthz", "port": "http", "scheme": "HTTPS", "host": "a.example",
            "httpHeaders": [{"name": "host", "value": "b.example"}, {"name": "X-Probe", "value": "1"}]},
            "periodSeconds": 5, "timeoutSeconds": 4, "successThreshold": 2, "failureThreshold": 7});
        let grpc = json!({"grpc": {"port": 9000, "service": "ready"}});
        let tcp = json!({"tcpSocket": {"port": "db"}});
        let exec = json!({"exec": {"command": ["true"]}});
        let probe = |probe: &Value| {
            read(&json!([{"name": "c", "readinessProbe": probe}])).map(|read| read[0].probe.clone().unwrap())
        };
        let read = probe(&http).unwrap();
        assert_eq!(
            read.asks,
            Asks::Http {
                path: "/healthz".to_owned(),
                tls: true,
                host: Some("b.example".to_owned()),
                headers: vec![("X-Probe".to_owned(), "1".to_owned())],
            }
        );
        assert_eq!((read.period_seconds, read.timeout_seconds), (5, 4));
        assert_eq!((read.success_threshold, read.failure_threshold), (2, 7));
        assert_eq!(read.port, name("http"));
        let read = probe(&grpc).unwrap();
        assert_eq!(
            (read.asks, read.port),
            (Asks::Grpc { service: "ready".to_owned() }, TargetPort::Number(9000))
        );
        assert_eq!(probe(&tcp).unwrap().asks, Asks::Tcp);
        assert_eq!(probe(&exec), None, "no load balancer runs a command");
    }

    #[test]
    fn a_probe_counts_for_the_port_at_which_it_asks() {
        let pod = read(&json!([
            {"name": "sidecar", "ports": [{"name": "metrics", "containerPort": 9090}],
             "readinessProbe": {"httpGet": {"path": "/metrics", "port": "metrics"}}},
            {"name": "web", "ports": [{"name": "http", "containerPort": 8080}, {"name": "dns", "containerPort": 53, "protocol": "UDP"}],
             "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080}}},
        ]))
        .unwrap();
        let path = |target: &TargetPort| match probe_at(&pod, target) {
            Some((ReadinessProbe { asks: Asks::Http { path, .. }, .. }, port)) => Some((path.clone(), port)),
            _ => None,
        };
        let web = Some(("/healthz".to_owned(), 8080));
        assert_eq!(path(&name("http")), web);
        assert_eq!(path(&TargetPort::Number(8080)), web);
        assert_eq!(path(&name("metrics")), Some(("/metrics".to_owned(), 9090)));
        assert_eq!(path(&name("dns")), None);
        assert_eq!(path(&TargetPort::Number(8081)), None);
    }

    #[test]
    fn a_sidecar_that_goes_on_running_counts_and_one_that_ends_does_not() {
        let of = |policy: Value| {
            let spec = json!({
                "initContainers": [{"name": "proxy", "restartPolicy": policy,
                    "readinessProbe": {"tcpSocket": {"port": 15000}}}],
                "containers": [{"name": "web"}],
            });
            super::containers(&serde_json::from_value(spec).unwrap()).is_some()
        };
        assert!(of(json!("Always")));
        assert!(!of(Value::Null));
    }
}
