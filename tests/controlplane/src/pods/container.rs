//! What of a pod's spec this stand-in reads: ports, probes, and how its echo servers behave.

use std::collections::BTreeSet;
use std::time::Duration;

use gclb::echo::{AfterAnswer, Behaviour};
use k8s_openapi::api::core::v1::{Container, Pod, PodSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::ResourceExt as _;

use super::probe::{Probe, ProbeAction};

/// The port of the echo server's image, on which a container that names no port is taken to listen.
const IMAGE_PORT: u16 = 8080;

/// Paths, separated by commas, that the pod's echo servers answer with 503. As an annotation of the pod it can be
/// changed while it runs; as an environment variable of a container it holds from the start.
const FAILING_PATHS: (&str, &str) = ("echo/failing-paths", "ECHO_FAILING_PATHS");

/// How many milliseconds every answer waits, in the same two ways.
const DELAY: (&str, &str) = ("echo/delay-ms", "ECHO_DELAY_MS");

/// The TCP ports that the pod's containers listen on.
pub(super) fn ports(spec: &PodSpec) -> BTreeSet<u16> {
    let mut ports = BTreeSet::new();
    for container in &spec.containers {
        let named: Vec<u16> = container
            .ports
            .iter()
            .flatten()
            .filter(|port| port.protocol.as_deref().is_none_or(|protocol| protocol == "TCP"))
            .filter_map(|port| u16::try_from(port.container_port).ok())
            .collect();
        if named.is_empty() && spec.containers.len() == 1 {
            ports.insert(IMAGE_PORT);
        }
        ports.extend(named);
    }
    ports
}

/// How the pod's echo servers are to behave now.
///
/// A pod that was told to end lets go of its connections one by one, each with an answer, while it still serves. Through a
/// node port that is the only way that loses no request: nobody tells who keeps such a connection that its pod ends.
pub(super) fn behaviour(pod: &Pod) -> Behaviour {
    let setting = |(annotation, variable): (&str, &str)| -> Option<String> {
        pod.annotations().get(annotation).cloned().or_else(|| {
            let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
            let mut variables = containers.flat_map(|container| container.env.iter().flatten());
            variables.find(|env| env.name == variable).and_then(|env| env.value.clone())
        })
    };
    let failing = setting(FAILING_PATHS).unwrap_or_default();
    Behaviour {
        failing_paths: failing
            .split(',')
            .map(|path| path.trim().to_owned())
            .filter(|path| !path.is_empty())
            .collect(),
        delay: Duration::from_millis(setting(DELAY).and_then(|text| text.parse().ok()).unwrap_or(0)),
        after_answer: match pod.metadata.deletion_timestamp {
            None => AfterAnswer::KeptOpen,
            Some(_) => AfterAnswer::Closed,
        },
    }
}

/// The container's readiness probe, if it has one that this stand-in can carry out.
pub(super) fn readiness_probe(container: &Container) -> Option<Probe> {
    let probe = container.readiness_probe.as_ref()?;
    let action = if let Some(get) = &probe.http_get {
        let path = get.path.clone().unwrap_or_else(|| "/".into());
        ProbeAction::HttpGet { path, port: port_number(&get.port, container)? }
    } else {
        let socket = probe.tcp_socket.as_ref()?;
        ProbeAction::Connect { port: port_number(&socket.port, container)? }
    };
    let seconds = |value: Option<i32>, default: u64| {
        Duration::from_secs(value.and_then(|value| u64::try_from(value).ok()).unwrap_or(default))
    };
    let count =
        |value: Option<i32>, default| value.and_then(|value| u32::try_from(value).ok()).unwrap_or(default);
    Some(Probe {
        action,
        initial_delay: seconds(probe.initial_delay_seconds, 0),
        period: seconds(probe.period_seconds, 10).max(Duration::from_secs(1)),
        timeout: seconds(probe.timeout_seconds, 1).max(Duration::from_secs(1)),
        success_threshold: count(probe.success_threshold, 1).max(1),
        failure_threshold: count(probe.failure_threshold, 3).max(1),
    })
}

fn port_number(port: &IntOrString, container: &Container) -> Option<u16> {
    match port {
        IntOrString::Int(number) => u16::try_from(*number).ok(),
        IntOrString::String(name) => {
            let port = container.ports.iter().flatten().find(|port| port.name.as_ref() == Some(name))?;
            u16::try_from(port.container_port).ok()
        }
    }
}

/// How long the pod goes on serving after it was told to end: its `preStop` sleep, within its grace period.
pub(super) fn goes_on_for(pod: &Pod) -> Duration {
    let Some(spec) = &pod.spec else { return Duration::ZERO };
    let longest_sleep = spec
        .containers
        .iter()
        .filter_map(|container| container.lifecycle.as_ref()?.pre_stop.as_ref()?.sleep.as_ref())
        .map(|sleep| sleep.seconds)
        .max()
        .unwrap_or(0);
    let grace = pod.metadata.deletion_grace_period_seconds.unwrap_or(30);
    Duration::from_secs(u64::try_from(longest_sleep.min(grace)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::nodes::object;

    fn pod() -> Pod {
        object(json!({
            "metadata": { "annotations": { "echo/failing-paths": "/a, /b" } },
            "spec": { "containers": [
                {
                    "name": "web",
                    "ports": [
                        { "name": "http", "containerPort": 8080 },
                        { "name": "dns", "containerPort": 53, "protocol": "UDP" },
                    ],
                    "env": [
                        { "name": "ECHO_FAILING_PATHS", "value": "/c" },
                        { "name": "ECHO_DELAY_MS", "value": "70" },
                    ],
                    "readinessProbe": { "httpGet": { "path": "/healthz", "port": "http" }, "periodSeconds": 2 },
                    "lifecycle": { "preStop": { "sleep": { "seconds": 90 } } },
                },
                { "name": "metrics", "ports": [{ "containerPort": 9090 }],
                  "readinessProbe": { "exec": { "command": ["true"] } } },
            ]},
        }))
    }

    #[test]
    fn tcp_ports_of_all_containers_are_listened_on() {
        let spec = pod().spec.unwrap();
        assert_eq!(ports(&spec), [8080, 9090].into());
        let one = object(json!({ "containers": [{ "name": "echo" }] }));
        assert_eq!(ports(&one), [8080].into());
    }

    #[test]
    fn an_annotation_wins_over_the_environment() {
        let expected = Behaviour {
            failing_paths: vec!["/a".into(), "/b".into()],
            delay: Duration::from_millis(70),
            after_answer: AfterAnswer::KeptOpen,
        };
        assert_eq!(behaviour(&pod()), expected);
    }

    #[test]
    fn a_pod_that_was_told_to_end_lets_go_of_its_connections() {
        let mut pod = pod();
        pod.metadata.deletion_timestamp = Some(object(json!("2026-01-01T00:00:00Z")));
        assert_eq!(behaviour(&pod).after_answer, AfterAnswer::Closed);
    }

    #[test]
    fn named_ports_are_resolved_and_defaults_filled_in() {
        let spec = pod().spec.unwrap();
        let probe = readiness_probe(&spec.containers[0]).unwrap();
        assert_eq!(probe.action, ProbeAction::HttpGet { path: "/healthz".into(), port: 8080 });
        assert_eq!((probe.period, probe.failure_threshold), (Duration::from_secs(2), 3));
        assert!(readiness_probe(&spec.containers[1]).is_none());
    }

    #[test]
    fn the_pre_stop_sleep_is_cut_to_the_grace_period() {
        let mut pod = pod();
        assert_eq!(goes_on_for(&pod), Duration::from_secs(30));
        pod.metadata.deletion_grace_period_seconds = Some(2);
        assert_eq!(goes_on_for(&pod), Duration::from_secs(2));
    }
}
