use serde_json::{Value, json};

use super::*;
use crate::model::ClusterId;

fn object<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn key(name: &str) -> ObjectKey {
    ObjectKey::new("default", name)
}

fn class() -> IngressClass {
    object(json!({"metadata": {"name": "gclb"}, "spec": {"controller": "gclb.dev/ingress"}}))
}

fn ingress(version: &str, service: &str) -> Ingress {
    object(json!({
        "metadata": {"name": "test", "namespace": "default", "uid": "u", "resourceVersion": version,
            "managedFields": [{"manager": "kubectl"}]},
        "spec": {"ingressClassName": "gclb", "tls": [{"secretName": "tls"}],
            "rules": [{"http": {"paths": [{"path": "/", "pathType": "Prefix",
                "backend": {"service": {"name": service, "port": {"number": 80}}}}]}}]},
    }))
}

fn service(name: &str, node_port: u16) -> core::Service {
    object(json!({"metadata": {"name": name, "namespace": "default"},
        "spec": {"type": "NodePort", "ports": [{"port": 80, "nodePort": node_port}]}}))
}

fn slice(service: &str, address: &str) -> EndpointSlice {
    object(json!({"addressType": "IPv4",
        "metadata": {"name": format!("{service}-1"), "namespace": "default",
            "labels": {"kubernetes.io/service-name": service}},
        "ports": [{"name": "", "port": 8080}],
        "endpoints": [{"addresses": [address], "nodeName": "n1"}]}))
}

fn node(ready: &str) -> core::Node {
    object(json!({"metadata": {"name": "n1"}, "spec": {"providerID": "gce://p/us-central1-a/n1"},
        "status": {"conditions": [{"type": "Ready", "status": ready, "lastHeartbeatTime": "2026-01-01T00:00:00Z"}]}}))
}

/// Everything listed: one Ingress that refers to one Service and one Secret, and another Service.
fn listed() -> Stores {
    let mut stores = Stores::new(false, ReadinessProbes::Read);
    let _ = [stores.class(Seen::Item(class())), stores.class(Seen::Listed)];
    let _ = [stores.ingress(Seen::Item(ingress("1", "web"))), stores.ingress(Seen::Listed)];
    let _ = [
        stores.service(Seen::Item(service("web", 30_080))),
        stores.service(Seen::Item(service("other", 30_081))),
    ];
    let _ = [stores.service(Seen::Listed), stores.slice(Seen::Listed)];
    let _ = [stores.node(Seen::Item(node("True"))), stores.node(Seen::Listed)];
    let _ = [stores.secret(Seen::Item((key("tls"), "5".to_owned()))), stores.secret(Seen::Listed)];
    stores.without_custom_resources();
    let _ = stores.pod(Seen::Listed);
    stores
}

fn certificate() -> Result<Certificate, CertificateError> {
    Err(CertificateError::NoKey)
}

fn read(stores: &mut Stores) -> Matters {
    let unread = stores.unread().remove(0);
    stores.read(unread, certificate())
}

fn snapshot(stores: &Stores) -> Snapshot {
    let cluster = Cluster::of(ClusterId::new("0a1b2c3d").unwrap());
    stores.snapshot(cluster, Timestamp::UNIX_EPOCH, Held::default())
}

#[test]
fn nothing_is_known_until_every_kind_was_listed_and_every_secret_read() {
    let mut stores = Stores::new(false, ReadinessProbes::Read);
    assert_eq!(
        stores.missing(),
        [
            "IngressClasses",
            "Ingresses",
            "Services",
            "EndpointSlices",
            "Nodes",
            "Secrets",
            "Pods",
            "BackendConfigs",
            "FrontendConfigs",
            "ManagedCertificates"
        ]
    );
    stores = listed();
    assert_eq!(stores.missing(), ["what is in the Secrets that are referred to"]);
    assert_eq!(read(&mut stores), Matters::Yes);
    assert_eq!(stores.missing(), Vec::<&str>::new());
}

#[test]
fn a_list_that_is_under_way_changes_nothing_and_one_that_is_over_everything() {
    let mut stores = listed();
    assert_eq!(stores.ingress(Seen::Listing), Matters::No);
    assert_eq!(stores.ingress(Seen::Item(ingress("9", "other"))), Matters::No);
    assert!(snapshot(&stores).services.contains_key(&key("web")));
    assert_eq!(stores.ingress(Seen::Listed), Matters::Yes);
    assert!(!snapshot(&stores).services.contains_key(&key("web")));
    let _ = stores.ingress(Seen::Listing);
    assert_eq!(stores.ingress(Seen::Listed), Matters::Yes);
    assert!(snapshot(&stores).ingresses.is_empty());
}

#[test]
fn what_nobody_refers_to_does_not_matter() {
    let mut stores = listed();
    assert_eq!(stores.service(Seen::Put(service("other", 30_099))), Matters::No);
    assert_eq!(stores.slice(Seen::Put(slice("other", "10.0.1.1"))), Matters::No);
    assert_eq!(stores.secret(Seen::Put((key("elsewhere"), "6".to_owned()))), Matters::No);
    assert_eq!(stores.service(Seen::Put(service("web", 30_099))), Matters::Yes);
    assert_eq!(stores.slice(Seen::Put(slice("web", "10.0.1.1"))), Matters::Members);
    assert_eq!(stores.slice(Seen::Gone(slice("web", "10.0.1.1"))), Matters::Members);
    assert_eq!(stores.secret(Seen::Gone((key("tls"), "7".to_owned()))), Matters::Yes);
}

#[test]
fn the_same_again_does_not_matter() {
    let mut stores = listed();
    assert_eq!(stores.node(Seen::Put(node("True"))), Matters::No);
    assert_eq!(stores.node(Seen::Put(node("False"))), Matters::Yes);
    assert_eq!(stores.ingress(Seen::Put(ingress("2", "web"))), Matters::No);
    assert_eq!(stores.get_ingress(&key("test")).unwrap().metadata.resource_version.as_deref(), Some("2"));
    assert_eq!(stores.get_ingress(&key("test")).unwrap().metadata.managed_fields, None);
}

#[test]
fn an_older_ingress_does_not_take_the_place_of_a_newer_one() {
    let mut stores = listed();
    assert_eq!(stores.ingress(Seen::Put(ingress("10", "other"))), Matters::Yes);
    assert_eq!(stores.ingress(Seen::Put(ingress("9", "web"))), Matters::No);
    assert_eq!(stores.get_ingress(&key("test")).unwrap().metadata.resource_version.as_deref(), Some("10"));
}

#[test]
fn a_secret_is_read_again_when_its_version_changes_and_only_then() {
    let mut stores = listed();
    let _ = read(&mut stores);
    assert_eq!(stores.unread(), []);
    assert_eq!(stores.secret(Seen::Put((key("tls"), "6".to_owned()))), Matters::Yes);
    let unread = stores.unread();
    assert_eq!(unread, [Unread { secret: key("tls"), version: "6".to_owned() }]);
    // Meanwhile what was known will do.
    assert_eq!(stores.missing(), Vec::<&str>::new());
    assert_eq!(stores.read(unread[0].clone(), certificate()), Matters::No);
    assert_eq!(stores.unread(), []);
}

#[test]
fn a_secret_that_cannot_be_read_is_neither_absent_nor_in_the_way() {
    let mut stores = listed();
    assert_eq!(stores.could_not_read(&key("tls"), "forbidden".to_owned()), Matters::Yes);
    assert_eq!(stores.missing(), Vec::<&str>::new());
    assert!(matches!(snapshot(&stores).secrets[&key("tls")], Err(CertificateError::Unread { .. })));
    assert_eq!(stores.unread().len(), 1, "it is still to be read");
    assert_eq!(read(&mut stores), Matters::Yes);
    assert_eq!(snapshot(&stores).secrets[&key("tls")], certificate());
}

#[test]
fn a_node_that_is_no_instance_any_more_is_gone() {
    let mut stores = listed();
    let mut foreign = node("True");
    foreign.spec.as_mut().unwrap().provider_id = Some("aws:///a/b".to_owned());
    assert_eq!(stores.node(Seen::Put(foreign)), Matters::Yes);
    assert!(snapshot(&stores).nodes.is_empty());
}

#[test]
fn endpoints_are_those_of_all_slices_that_a_service_has_now() {
    let named = |name: &str, service: &str, address: &str| {
        let mut slice = slice(service, address);
        slice.metadata.name = Some(name.to_owned());
        slice
    };
    let addresses = |stores: &Stores, service: &str| -> Vec<String> {
        let endpoints = snapshot(stores).endpoints.remove(&key(service));
        let all = endpoints.iter().flat_map(|endpoints| endpoints.by_port.values().flatten());
        all.map(|endpoint| endpoint.address.to_string()).collect()
    };
    let mut stores = listed();
    let _ = stores.slice(Seen::Put(named("one", "web", "10.0.1.1")));
    assert_eq!(addresses(&stores, "web"), ["10.0.1.1"]);
    let _ = stores.slice(Seen::Put(named("two", "web", "10.0.1.2")));
    assert_eq!(addresses(&stores, "web"), ["10.0.1.1", "10.0.1.2"]);
    let _ = stores.slice(Seen::Put(named("one", "web", "10.0.1.3")));
    assert_eq!(addresses(&stores, "web"), ["10.0.1.2", "10.0.1.3"]);
    // It goes over to another Service.
    let _ = stores.slice(Seen::Put(named("two", "other", "10.0.1.2")));
    assert_eq!(addresses(&stores, "web"), ["10.0.1.3"]);
    let _ = stores.slice(Seen::Gone(named("one", "web", "10.0.1.3")));
    assert_eq!(addresses(&stores, "web"), Vec::<String>::new());
    let _ = [stores.slice(Seen::Item(named("two", "web", "10.0.1.9"))), stores.slice(Seen::Listed)];
    assert_eq!(addresses(&stores, "web"), ["10.0.1.9"]);
}

fn custom(name: &str, data: Value) -> DynamicObject {
    let mut object = data;
    object["metadata"] = json!({"name": name, "namespace": "default"});
    serde_json::from_value(object).unwrap()
}

fn configured(version: &str, annotation: &Value) -> core::Service {
    let mut service = service("web", 30_080);
    let annotations = service.metadata.annotations.get_or_insert_default();
    annotations.insert(version.to_owned(), annotation.to_string());
    service
}

#[test]
fn a_backend_config_matters_while_a_service_of_an_ingress_refers_to_it() {
    let mut stores = listed();
    let config = |seconds: i64| custom("slow", json!({"spec": {"timeoutSec": seconds}}));
    assert_eq!(stores.backend_config(Seen::Put(config(60))), Matters::No);
    assert_eq!(snapshot(&stores).backend_configs, BTreeMap::new());
    let names = json!({"default": "none", "ports": {"http": "slow", "443": 7}});
    let service = configured("beta.cloud.google.com/backend-config", &names);
    assert_eq!(stores.service(Seen::Put(service)), Matters::Yes);
    let read = |stores: &Stores| snapshot(stores).backend_configs[&key("slow")].clone().unwrap().timeout_sec;
    assert_eq!(read(&stores), Some(60));
    assert_eq!(stores.backend_config(Seen::Put(config(60))), Matters::No);
    assert_eq!(stores.backend_config(Seen::Put(config(90))), Matters::Yes);
    assert_eq!(read(&stores), Some(90));
    assert_eq!(stores.backend_config(Seen::Gone(config(90))), Matters::Yes);
    assert_eq!(snapshot(&stores).backend_configs, BTreeMap::new());
}

#[test]
fn a_backend_config_that_cannot_be_read_is_there_and_breaks_nothing() {
    let mut stores = listed();
    let names = json!({"default": "bad", "ports": {"http": "good"}});
    let _ = stores.service(Seen::Put(configured("cloud.google.com/backend-config", &names)));
    let _ = stores.backend_config(Seen::Listing);
    let _ = stores.backend_config(Seen::Item(custom("bad", json!({"spec": {"timeoutSec": "a while"}}))));
    let _ = stores.backend_config(Seen::Item(custom("good", json!({}))));
    assert_eq!(stores.backend_config(Seen::Listed), Matters::Yes);
    let known = snapshot(&stores).backend_configs;
    assert!(known[&key("good")].is_ok());
    let unreadable = known[&key("bad")].clone().unwrap_err();
    assert_eq!(unreadable.to_string(), "spec.timeoutSec must be a whole number, and is a text");
}

#[test]
fn configs_of_ingresses_are_found_by_their_annotations() {
    let mut stores = listed();
    let mut ingress = ingress("2", "web");
    ingress.metadata.annotations = Some(
        [
            (crate::snapshot::FRONTEND_CONFIG_ANNOTATION.to_owned(), "front".to_owned()),
            (crate::snapshot::MANAGED_CERTIFICATES_ANNOTATION.to_owned(), "one, two".to_owned()),
        ]
        .into(),
    );
    let _ = stores.ingress(Seen::Put(ingress));
    assert_eq!(stores.frontend_config(Seen::Put(custom("front", json!({})))), Matters::Yes);
    assert_eq!(stores.frontend_config(Seen::Put(custom("other", json!({})))), Matters::No);
    let certificate = |state: &str| {
        custom("two", json!({"spec": {"domains": ["a.example"]}, "status": {"certificateStatus": state}}))
    };
    assert_eq!(stores.managed_certificate(Seen::Put(certificate("Provisioning"))), Matters::Yes);
    assert_eq!(stores.managed_certificate(Seen::Put(certificate("Active"))), Matters::Yes);
    assert_eq!(stores.managed_certificate(Seen::Put(custom("three", json!({})))), Matters::No);
    let snapshot = snapshot(&stores);
    assert_eq!(snapshot.frontend_configs.len(), 1);
    let two = snapshot.managed_certificates[&key("two")].clone().unwrap();
    assert_eq!(two.spec.domains, ["a.example"]);
    assert_eq!(two.status.certificate_status.as_deref(), Some("Active"));
}

#[test]
fn a_kind_that_is_not_there_has_no_objects_and_one_that_vanishes_keeps_them() {
    let mut stores = Stores::new(false, ReadinessProbes::Read);
    assert_eq!(stores.backend_config(Seen::NoSuchKind), Matters::Yes, "now it is known that there are none");
    assert_eq!(stores.backend_config(Seen::NoSuchKind), Matters::No);
    let mut stores = listed();
    let names = json!({"default": "slow"});
    let _ = stores.service(Seen::Put(configured("cloud.google.com/backend-config", &names)));
    let _ = stores.backend_config(Seen::Put(custom("slow", json!({}))));
    // It goes while a new list has only begun.
    let _ = [stores.backend_config(Seen::Listing), stores.backend_config(Seen::NoSuchKind)];
    assert!(snapshot(&stores).backend_configs.contains_key(&key("slow")));
    // It comes back, and says what there is.
    let _ = [stores.backend_config(Seen::Listing), stores.backend_config(Seen::Listed)];
    assert_eq!(snapshot(&stores).backend_configs, BTreeMap::new());
}

fn selecting(name: &str) -> core::Service {
    let mut service = service(name, 30_080);
    service.spec.as_mut().unwrap().selector = Some([("app".to_owned(), name.to_owned())].into());
    service
}

/// A pod of `app`, made in that minute, whose readiness probe asks for `path`.
fn pod(name: &str, app: &str, minute: u8, path: Option<&str>) -> core::Pod {
    let probe = path.map(|path| json!({"httpGet": {"path": path, "port": 8080}}));
    object(json!({
        "metadata": {"name": name, "namespace": "default", "creationTimestamp": format!("2026-01-01T00:{minute:02}:00Z"),
            "labels": {"app": app, "pod-template-hash": name}},
        "spec": {"containers": [{"name": "web", "ports": [{"containerPort": 8080}], "readinessProbe": probe}]},
    }))
}

/// The path that the pod which speaks for a Service is asked for.
fn probed(stores: &Stores, service: &str) -> Option<String> {
    let probes = snapshot(stores).probes.expect("pods are looked at");
    let target = crate::snapshot::TargetPort::Number(8080);
    let (probe, _) = crate::snapshot::probe_at(probes.get(&key(service))?, &target)?;
    match &probe.asks {
        crate::snapshot::Asks::Http { path, .. } => Some(path.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_oldest_pod_with_a_probe_speaks_for_a_service() {
    let mut stores = listed();
    assert_eq!(stores.service(Seen::Put(selecting("web"))), Matters::Yes);
    assert_eq!(probed(&stores, "web"), None);
    assert_eq!(stores.pod(Seen::Put(pod("b", "web", 5, Some("/b")))), Matters::Yes);
    assert_eq!(probed(&stores, "web").as_deref(), Some("/b"));
    // A newer one, one of somebody else, and one without a probe, however old, do not matter.
    assert_eq!(stores.pod(Seen::Put(pod("c", "web", 6, Some("/c")))), Matters::No);
    assert_eq!(stores.pod(Seen::Put(pod("x", "other", 1, Some("/x")))), Matters::No);
    assert_eq!(stores.pod(Seen::Put(pod("n", "web", 1, None))), Matters::No);
    assert_eq!(probed(&stores, "web").as_deref(), Some("/b"));
    // Of the same age the first by name speaks.
    assert_eq!(stores.pod(Seen::Put(pod("a", "web", 5, Some("/a")))), Matters::Yes);
    assert_eq!(probed(&stores, "web").as_deref(), Some("/a"));
    assert_eq!(stores.pod(Seen::Gone(pod("a", "web", 5, Some("/a")))), Matters::Yes);
    let mut leaving = pod("b", "web", 5, Some("/b"));
    leaving.metadata.deletion_timestamp = leaving.metadata.creation_timestamp.clone();
    assert_eq!(stores.pod(Seen::Put(leaving)), Matters::Yes);
    assert_eq!(probed(&stores, "web").as_deref(), Some("/c"));
}

#[test]
fn a_rolling_update_of_pods_that_are_probed_alike_does_not_matter() {
    let mut stores = listed();
    let _ = stores.service(Seen::Put(selecting("web")));
    let _ = stores.pod(Seen::Put(pod("old", "web", 1, Some("/healthz"))));
    assert_eq!(stores.pod(Seen::Put(pod("new", "web", 2, Some("/healthz")))), Matters::No);
    assert_eq!(stores.pod(Seen::Gone(pod("old", "web", 1, Some("/healthz")))), Matters::No);
    assert_eq!(probed(&stores, "web").as_deref(), Some("/healthz"));
}

#[test]
fn pods_are_found_whenever_a_service_is_referred_to_or_selects_others() {
    let mut stores = listed();
    let _ = stores.service(Seen::Put(selecting("other")));
    let _ = stores.pod(Seen::Put(pod("x", "other", 1, Some("/x"))));
    assert_eq!(snapshot(&stores).probes.unwrap().len(), 0, "no Ingress refers to it");
    assert_eq!(stores.ingress(Seen::Put(ingress("2", "other"))), Matters::Yes);
    assert_eq!(probed(&stores, "other").as_deref(), Some("/x"));
    let mut moved = selecting("other");
    moved.spec.as_mut().unwrap().selector = Some([("app".to_owned(), "web".to_owned())].into());
    assert_eq!(stores.service(Seen::Put(moved)), Matters::Yes);
    assert_eq!(probed(&stores, "other"), None);
    // A list says the same as its changes would.
    let _ = [stores.pod(Seen::Listing), stores.pod(Seen::Item(pod("y", "web", 1, Some("/y"))))];
    assert_eq!(probed(&stores, "other"), None);
    assert_eq!(stores.pod(Seen::Listed), Matters::Yes);
    assert_eq!(probed(&stores, "other").as_deref(), Some("/y"));
    // Without a selector it selects nothing, rather than everything.
    assert_eq!(stores.service(Seen::Put(service("other", 30_081))), Matters::Yes);
    assert_eq!(probed(&stores, "other"), None);
}

#[test]
fn pods_that_nobody_looks_at_are_not_waited_for_and_not_known() {
    let mut stores = Stores::new(false, ReadinessProbes::Ignored);
    assert!(!stores.missing().contains(&"Pods"));
    let _ = stores.service(Seen::Put(selecting("web")));
    assert_eq!(stores.pod(Seen::Put(pod("a", "web", 1, Some("/a")))), Matters::No);
    assert_eq!(snapshot(&stores).probes, None);
}

mod pods_by_any_way {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Whatever came in whichever order, it is as if the pods that are there had just been listed.
        #[test]
        fn changes_lead_where_a_list_leads(
            steps in prop::collection::vec((0_u8..6, 0_u8..3, 0_u8..4, 0_u8..3, any::<bool>()), 1..40),
        ) {
            let mut stores = listed();
            let _ = stores.service(Seen::Put(selecting("web")));
            let mut there = BTreeMap::new();
            for (name, app, minute, path, gone) in steps {
                let path = ["/a", "/b"].get(usize::from(path)).copied();
                let pod = pod(&format!("p{name}"), ["web", "other", "third"][usize::from(app)], minute, path);
                let before = probed(&stores, "web");
                let matters = if gone {
                    there.remove(&name);
                    stores.pod(Seen::Gone(pod))
                } else {
                    there.insert(name, pod.clone());
                    stores.pod(Seen::Put(pod))
                };
                prop_assert_eq!(matters == Matters::Yes, probed(&stores, "web") != before);
            }
            let mut fresh = listed();
            let _ = fresh.service(Seen::Put(selecting("web")));
            let _ = fresh.pod(Seen::Listing);
            for pod in there.into_values() {
                let _ = fresh.pod(Seen::Item(pod));
            }
            let _ = fresh.pod(Seen::Listed);
            prop_assert_eq!(probed(&stores, "web"), probed(&fresh, "web"));
        }
    }
}
