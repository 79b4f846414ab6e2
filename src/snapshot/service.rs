//! From a Service object to the little of it that a translation reads.

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{Annotated, Service, ServicePort, TargetPort};

/// The annotation that makes a Service container-native. Its value is read by `translate`.
pub const NEG_ANNOTATION: &str = "cloud.google.com/neg";

/// The annotation that says which path of a Service its health check asks for. Its value is read by `translate`.
pub const HEALTH_CHECK_PATH_ANNOTATION: &str = "gclb.dev/health-check-path";

/// The annotations that name the `BackendConfig`s of a Service's ports; the first that is there counts.
pub const BACKEND_CONFIG_ANNOTATIONS: [&str; 2] =
    ["cloud.google.com/backend-config", "beta.cloud.google.com/backend-config"];

/// The annotations that say by which protocol a Service's ports are spoken to; the first that is there counts.
pub const APP_PROTOCOLS_ANNOTATIONS: [&str; 2] =
    ["service.alpha.kubernetes.io/app-protocols", "cloud.google.com/app-protocols"];

impl From<&core::Service> for Service {
    /// Expects an object as the API server returns it: defaults filled in. Ports outside 1 to 65535 cannot occur there and are left out.
    fn from(object: &core::Service) -> Self {
        let spec = object.spec.as_ref();
        let kind = spec.and_then(|spec| spec.type_.clone()).unwrap_or_else(|| "ClusterIP".to_owned());
        let ports = spec.and_then(|spec| spec.ports.as_deref()).unwrap_or_default();
        Self {
            neg_annotation: annotation(object, NEG_ANNOTATION),
            health_check_path: annotation(object, HEALTH_CHECK_PATH_ANNOTATION),
            backend_config: first_of(object, BACKEND_CONFIG_ANNOTATIONS),
            app_protocols: first_of(object, APP_PROTOCOLS_ANNOTATIONS),
            selector: spec.and_then(|spec| spec.selector.clone()).unwrap_or_default(),
            ..Self::of_type(&kind, ports.iter().filter_map(service_port).collect())
        }
    }
}

fn first_of(object: &core::Service, names: [&'static str; 2]) -> Option<Annotated> {
    names.into_iter().find_map(|key| Some(Annotated { key, value: annotation(object, key)? }))
}

fn annotation(object: &core::Service, name: &str) -> Option<String> {
    object.metadata.annotations.as_ref().and_then(|annotations| annotations.get(name).cloned())
}

fn service_port(port: &core::ServicePort) -> Option<ServicePort> {
    let core::ServicePort { app_protocol, name, node_port, port, protocol, target_port } = port;
    let own = number(*port)?;
    Some(ServicePort {
        name: name.clone().unwrap_or_default(),
        port: own,
        node_port: node_port.and_then(number),
        tcp: protocol.as_deref().unwrap_or("TCP") == "TCP",
        app_protocol: app_protocol.clone(),
        target_port: match target_port {
            Some(IntOrString::String(name)) if !name.is_empty() => TargetPort::Name(name.clone()),
            Some(IntOrString::Int(target)) => TargetPort::Number(number(*target).unwrap_or(own)),
            _ => TargetPort::Number(own),
        },
    })
}

/// A port number; zero is how the API writes "none".
fn number(port: i32) -> Option<u16> {
    u16::try_from(port).ok().filter(|port| *port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(spec: &serde_json::Value) -> Service {
        let object = serde_json::json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "web", "annotations": {
                NEG_ANNOTATION: "{\"ingress\": true}",
                HEALTH_CHECK_PATH_ANNOTATION: "/healthz",
                BACKEND_CONFIG_ANNOTATIONS[0]: "{\"default\": \"all\", \"ports\": {\"http\": \"one\"}}",
            }},
            "spec": spec,
        });
        Service::from(&serde_json::from_value::<core::Service>(object).unwrap())
    }

    #[test]
    fn what_is_read_is_kept() {
        let read = service(&serde_json::json!({
            "type": "NodePort",
            "selector": {"app": "web"},
            "ports": [
                {"name": "http", "port": 80, "nodePort": 30080, "protocol": "TCP", "appProtocol": "kubernetes.io/h2c",
                 "targetPort": "web"},
                {"name": "dns", "port": 53, "protocol": "UDP"},
            ],
        }));
        assert!(read.opens_node_ports);
        assert_eq!(read.kind, "NodePort");
        assert_eq!(read.neg_annotation.as_deref(), Some("{\"ingress\": true}"));
        assert_eq!(read.health_check_path.as_deref(), Some("/healthz"));
        assert_eq!(read.backend_config_names(), ["all".to_owned(), "one".to_owned()].into());
        assert_eq!(read.selector, [("app".to_owned(), "web".to_owned())].into());
        assert_eq!(
            read.ports,
            [
                ServicePort {
                    name: "http".to_owned(),
                    port: 80,
                    node_port: Some(30080),
                    tcp: true,
                    app_protocol: Some("kubernetes.io/h2c".to_owned()),
                    target_port: TargetPort::Name("web".to_owned()),
                },
                ServicePort {
                    name: "dns".to_owned(),
                    port: 53,
                    node_port: None,
                    tcp: false,
                    app_protocol: None,
                    target_port: TargetPort::Number(53),
                },
            ]
        );
    }

    #[test]
    fn the_first_of_several_names_counts() {
        let named = |annotations: serde_json::Value| {
            let object = serde_json::json!({
                "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "annotations": annotations},
            });
            let read = Service::from(&serde_json::from_value::<core::Service>(object).unwrap());
            [read.backend_config, read.app_protocols].map(|found| found.map(|found| (found.key, found.value)))
        };
        let [ga, beta] = BACKEND_CONFIG_ANNOTATIONS;
        let [alpha, newer] = APP_PROTOCOLS_ANNOTATIONS;
        let both = serde_json::json!({ga: "1", beta: "2", alpha: "3", newer: "4"});
        assert_eq!(named(both), [Some((ga, "1".to_owned())), Some((alpha, "3".to_owned()))]);
        let others = serde_json::json!({beta: "2", newer: "4"});
        assert_eq!(named(others), [Some((beta, "2".to_owned())), Some((newer, "4".to_owned()))]);
        assert_eq!(named(serde_json::json!({})), [None, None]);
    }

    #[test]
    fn an_absent_type_is_cluster_ip() {
        let read = service(&serde_json::json!({"ports": [{"port": 80}]}));
        assert_eq!((read.kind.as_str(), read.opens_node_ports), ("ClusterIP", false));
        assert!(service(&serde_json::json!({"type": "LoadBalancer"})).opens_node_ports);
    }
}
