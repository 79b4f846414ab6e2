//! A health check made of the readiness probe of a Service's pods, so that the load balancer and Kubernetes mean the same by healthy.
//!
//! Of all the pods that a Service selects the oldest with a usable probe speaks. Its probe counts where it asks at the very port that the
//! Service's requests arrive at, by the protocol that they come by, and says nothing that a health check cannot say. It is followed: a
//! probe that changes changes the health check.

use crate::model::{BackendProtocol, HealthCheck, HealthPort, ObjectKey, Probe};
use crate::problem::{Problem, Reason};
use crate::snapshot::{Asks, ReadinessProbe, ServicePort, Snapshot, probe_at};

/// The most that the API takes (`checkIntervalSec`, `healthyThreshold`, `unhealthyThreshold`).
const LONGEST_INTERVAL: u32 = 300;
const HIGHEST_THRESHOLD: u32 = 10;

/// The health check of a port, where a probe yields one, and why it does not where that may be a surprise.
pub(super) fn health_check(
    snapshot: &Snapshot,
    key: &ObjectKey,
    port: &ServicePort,
    protocol: BackendProtocol,
) -> (Option<HealthCheck>, Option<Problem>) {
    let containers = snapshot.probes.as_ref().and_then(|probes| probes.get(key));
    let Some((probe, at)) = containers.and_then(|containers| probe_at(containers, &port.target_port)) else {
        return (None, None);
    };
    let ReadinessProbe {
        asks,
        port: _,
        period_seconds,
        timeout_seconds,
        success_threshold,
        failure_threshold,
    } = probe;
    let encrypted = matches!(protocol, BackendProtocol::Https | BackendProtocol::Http2);
    let asked = match asks {
        Asks::Http { path, tls, host, headers } => {
            if let Some((name, _)) = headers.first() {
                let problem = Problem::warning(
                    Reason::ReadinessProbeNotUsed,
                    format!("Service {key}: spec.ports[{}]", port.port),
                    format!(
                        "The readiness probe of the pods at port {at} sends the header {name}, which no health check of the cloud can send, so the \
                         health check of Service {key}, port {} is not made from it. Have the pods answer without the header, or say in a \
                         BackendConfig how to ask.",
                        port.port
                    ),
                );
                return (None, Some(problem));
            }
            // Where one speaks TLS and the other does not, one of them is wrong, and nobody knows which.
            if *tls != encrypted {
                return (None, None);
            }
            let path = if path.starts_with('/') { path.clone() } else { format!("/{path}") };
            let host = host.clone();
            match protocol {
                BackendProtocol::Http2 => Probe::Http2 { path, host },
                _ if *tls => Probe::Https { path, host },
                _ => Probe::Http { path, host },
            }
        }
        // A check of this kind speaks in the clear, as Kubernetes does.
        Asks::Grpc { service } => {
            Probe::Grpc { service: Some(service.clone()).filter(|service| !service.is_empty()) }
        }
        Asks::Tcp => Probe::Tcp,
    };
    let interval_seconds = (*period_seconds).clamp(1, LONGEST_INTERVAL);
    let threshold = |threshold: u32| threshold.clamp(1, HIGHEST_THRESHOLD);
    let health_check = HealthCheck {
        probe: asked,
        port: HealthPort::Serving,
        interval_seconds,
        // Kubernetes lets a probe take longer than the pause between two; the API does not.
        timeout_seconds: (*timeout_seconds).clamp(1, interval_seconds),
        healthy_threshold: threshold(*success_threshold),
        unhealthy_threshold: threshold(*failure_threshold),
    };
    (Some(health_check), None)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::ClusterId;
    use crate::snapshot::{Cluster, Container, ContainerPort, TargetPort};

    fn http(path: &str, tls: bool) -> Asks {
        Asks::Http { path: path.to_owned(), tls, host: None, headers: Vec::new() }
    }

    fn probe(asks: Asks) -> ReadinessProbe {
        ReadinessProbe {
            asks,
            port: TargetPort::Name("web".to_owned()),
            period_seconds: 10,
            timeout_seconds: 3,
            success_threshold: 1,
            failure_threshold: 4,
        }
    }

    fn made(probe: ReadinessProbe, protocol: BackendProtocol) -> (Option<HealthCheck>, Option<Problem>) {
        let mut snapshot =
            Snapshot::empty(Cluster::of(ClusterId::new("0a1b2c3d").unwrap()), jiff::Timestamp::UNIX_EPOCH);
        let key = ObjectKey::new("default", "web");
        let ports = vec![ContainerPort { name: "web".to_owned(), number: 8080 }];
        let container = Container { name: "c".to_owned(), ports, probe: Some(probe) };
        snapshot.probes = Some([(key.clone(), Arc::from([container]))].into());
        let port = ServicePort { target_port: TargetPort::Number(8080), ..ServicePort::tcp(80) };
        health_check(&snapshot, &key, &port, protocol)
    }

    fn asked(asks: Asks, protocol: BackendProtocol) -> Option<Probe> {
        made(probe(asks), protocol).0.map(|check| check.probe)
    }

    #[test]
    fn a_probe_at_the_serving_port_becomes_the_health_check() {
        let (check, problem) = made(probe(http("/ready", false)), BackendProtocol::Http);
        assert_eq!(problem, None);
        assert_eq!(
            check,
            Some(HealthCheck {
                probe: Probe::Http { path: "/ready".to_owned(), host: None },
                port: HealthPort::Serving,
                interval_seconds: 10,
                timeout_seconds: 3,
                healthy_threshold: 1,
                unhealthy_threshold: 4,
            })
        );
    }

    #[test]
    fn the_protocol_decides_what_an_http_probe_becomes() {
        let (path, host) = ("/".to_owned(), None);
        let https = Probe::Https { path: path.clone(), host: None };
        assert_eq!(asked(http("/", true), BackendProtocol::Https), Some(https));
        assert_eq!(asked(http("/", true), BackendProtocol::Http2), Some(Probe::Http2 { path, host }));
        assert_eq!(
            asked(http("/", false), BackendProtocol::Https),
            None,
            "one speaks TLS, the other does not"
        );
        assert_eq!(asked(http("/", true), BackendProtocol::Http), None);
        let plain = asked(http("ready", false), BackendProtocol::H2c);
        assert_eq!(plain, Some(Probe::Http { path: "/ready".to_owned(), host: None }));
    }

    #[test]
    fn other_kinds_of_probes() {
        let grpc = |service: &str| asked(Asks::Grpc { service: service.to_owned() }, BackendProtocol::H2c);
        assert_eq!(grpc(""), Some(Probe::Grpc { service: None }));
        assert_eq!(grpc("cart"), Some(Probe::Grpc { service: Some("cart".to_owned()) }));
        assert_eq!(asked(Asks::Tcp, BackendProtocol::Http), Some(Probe::Tcp));
    }

    #[test]
    fn what_no_health_check_can_say_is_said() {
        let headers = vec![("X-Probe".to_owned(), "1".to_owned())];
        let asks = Asks::Http { path: "/".to_owned(), tls: false, host: None, headers };
        let (check, problem) = made(probe(asks), BackendProtocol::Http);
        assert_eq!(check, None);
        assert!(problem.unwrap().message.contains("X-Probe"));
    }

    #[test]
    fn numbers_that_kubernetes_takes_and_the_api_does_not_are_brought_into_its_range() {
        let slow = ReadinessProbe {
            period_seconds: 600,
            timeout_seconds: 900,
            success_threshold: 1,
            failure_threshold: 60,
            ..probe(Asks::Tcp)
        };
        let check = made(slow, BackendProtocol::Http).0.unwrap();
        assert_eq!(
            (check.interval_seconds, check.timeout_seconds, check.unhealthy_threshold),
            (300, 300, 10)
        );
    }
}
