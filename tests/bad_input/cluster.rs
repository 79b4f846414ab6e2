//! A small cluster, as its API server holds it, read by the stores that the watches feed.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use gclb::ingress::{FINALIZER, MEMBER_OF};
use gclb::model::{ClusterId, Held};
use gclb::snapshot::stores::{Matters, Seen, Stores};
use gclb::snapshot::{self, ReadinessProbes, Snapshot, certificate};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::values::Edit;

pub(crate) struct Cluster {
    objects: BTreeMap<&'static str, Value>,
}

/// A certificate and its key, made once.
static TLS: LazyLock<(String, String)> = LazyLock::new(|| {
    let key = rcgen::KeyPair::generate().unwrap();
    let names = vec!["shop.example".to_owned()];
    let pem = rcgen::CertificateParams::new(names).unwrap().self_signed(&key).unwrap().pem();
    (pem, key.serialize_pem())
});

impl Cluster {
    pub(crate) fn new() -> Self {
        let named = |name: &str| json!({"namespace": "default", "name": name, "creationTimestamp": "2026-01-01T00:00:00Z"});
        let to = |service: &str| json!({"service": {"name": service, "port": {"number": 80}}});
        let ingress = |name: &str, annotations: Value, spec: Value| {
            let mut metadata = named(name);
            metadata["finalizers"] = json!([FINALIZER]);
            metadata["annotations"] = annotations;
            let mut spec = spec;
            spec["ingressClassName"] = json!("gclb");
            json!({"metadata": metadata, "spec": spec})
        };
        let rules = |service: &str| {
            json!([{"host": "shop.example", "http": {"paths": [
                {"path": "/a", "pathType": "Prefix", "backend": to(service)},
                {"path": "/b", "pathType": "Exact", "backend": to("pods")},
            ]}}])
        };
        let service = |name: &str, annotations: Value, kind: &str, port: Value| {
            let mut metadata = named(name);
            metadata["annotations"] = annotations;
            json!({"metadata": metadata, "spec": {"type": kind, "selector": {"app": name}, "ports": [port]}})
        };
        let config = "{\"default\": \"config\"}";
        let objects = BTreeMap::from([
            (
                "IngressClass/gclb",
                json!({"metadata": {"name": "gclb", "annotations": {}}, "spec": {"controller": "gclb.dev/ingress"}}),
            ),
            (
                "Ingress/plain",
                ingress("plain", json!({}), json!({"rules": rules("nodes"), "defaultBackend": to("pods")})),
            ),
            (
                "Ingress/tls",
                ingress(
                    "tls",
                    json!({"networking.gke.io/v1beta1.FrontendConfig": "config"}),
                    json!({"rules": rules("pods"), "tls": [{"secretName": "tls"}]}),
                ),
            ),
            (
                "Ingress/member",
                ingress(
                    "member",
                    json!({"gclb.dev/group": "front", MEMBER_OF: "group/default/front"}),
                    json!({"rules": rules("nodes")}),
                ),
            ),
            (
                "Service/nodes",
                service(
                    "nodes",
                    json!({}),
                    "NodePort",
                    json!({"name": "http", "port": 80, "nodePort": 30080, "targetPort": "web"}),
                ),
            ),
            (
                "Service/pods",
                service(
                    "pods",
                    json!({"cloud.google.com/neg": "{\"ingress\": true}", "cloud.google.com/backend-config": config}),
                    "ClusterIP",
                    json!({"name": "http", "port": 80, "targetPort": 8080}),
                ),
            ),
            (
                "EndpointSlice/pods",
                json!({
                "metadata": {"namespace": "default", "name": "pods", "labels": {"kubernetes.io/service-name": "pods"}},
                "addressType": "IPv4", "ports": [{"name": "http", "port": 8080}],
                "endpoints": [{"addresses": ["10.4.0.7"], "nodeName": "node", "conditions": {"ready": true}}]}),
            ),
            (
                "Pod/pod",
                json!({"metadata": {"namespace": "default", "name": "pod", "labels": {"app": "pods"}, "creationTimestamp": "2026-01-01T00:00:00Z"},
                "spec": {"containers": [{"name": "c", "ports": [{"name": "web", "containerPort": 8080}],
                    "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}}}]},
                "status": {"phase": "Running"}}),
            ),
            (
                "Node/node",
                json!({"metadata": {"name": "node"}, "spec": {"providerID": "gce://demo/us-central1-a/node"},
                "status": {"conditions": [{"type": "Ready", "status": "True"}]}}),
            ),
            (
                "BackendConfig/config",
                json!({"apiVersion": "cloud.google.com/v1", "kind": "BackendConfig", "metadata": named("config"),
                "spec": {"timeoutSec": 40, "securityPolicy": {"name": "armor"}, "sessionAffinity": {"affinityType": "CLIENT_IP"}}}),
            ),
            (
                "FrontendConfig/config",
                json!({"apiVersion": "networking.gke.io/v1beta1", "kind": "FrontendConfig", "metadata": named("config"),
                "spec": {"sslPolicy": "modern", "redirectToHttps": {"enabled": true}}}),
            ),
        ]);
        Self { objects }
    }

    /// Puts a value in. What Kubernetes' own types cannot hold its API server refuses: then nothing is changed.
    pub(crate) fn apply(&mut self, edit: &Edit) {
        let Edit { object, place, value } = edit;
        let before = self.objects[object].clone();
        let changed = self.objects.get_mut(object).unwrap();
        put(changed, place, value.clone());
        if !decodes(object, changed) {
            *changed = before;
        }
    }

    pub(crate) fn snapshot(&self, held: Held) -> Snapshot {
        let mut stores = Stores::new(false, ReadinessProbes::Read);
        self.list(&mut stores, "IngressClass/", Stores::class);
        self.list(&mut stores, "Ingress/", Stores::ingress);
        self.list(&mut stores, "Service/", Stores::service);
        self.list(&mut stores, "EndpointSlice/", Stores::slice);
        self.list(&mut stores, "Node/", Stores::node);
        self.list(&mut stores, "Pod/", Stores::pod);
        stores.without_custom_resources();
        self.list(&mut stores, "BackendConfig/", Stores::backend_config);
        self.list(&mut stores, "FrontendConfig/", Stores::frontend_config);
        let _ = stores.secret(Seen::Listing);
        let _ = stores.secret(Seen::Item((gclb::model::ObjectKey::new("default", "tls"), "1".to_owned())));
        let _ = stores.secret(Seen::Listed);
        for unread in stores.unread() {
            let (pem, key) = &*TLS;
            let _ = stores.read(unread, certificate::read(Some(pem.as_bytes()), Some(key.as_bytes())));
        }
        assert_eq!(stores.missing(), Vec::<&str>::new());
        let cluster = snapshot::Cluster::of(ClusterId::new("0a1b2c3d").unwrap());
        stores.snapshot(cluster, "2026-06-01T00:00:00Z".parse().unwrap(), held)
    }

    fn list<K: DeserializeOwned>(
        &self,
        stores: &mut Stores,
        kind: &str,
        see: fn(&mut Stores, Seen<K>) -> Matters,
    ) {
        let _ = see(stores, Seen::Listing);
        for (_, object) in self.objects.iter().filter(|(name, _)| name.starts_with(kind)) {
            let _ = see(stores, Seen::Item(serde_json::from_value(object.clone()).unwrap()));
        }
        let _ = see(stores, Seen::Listed);
    }
}

fn decodes(object: &str, value: &Value) -> bool {
    use k8s_openapi::api::{core::v1 as core, networking::v1 as networking};
    fn is<T: DeserializeOwned>(value: &Value) -> bool {
        serde_json::from_value::<T>(value.clone()).is_ok()
    }
    match object.split('/').next().unwrap() {
        "Ingress" => is::<networking::Ingress>(value),
        "IngressClass" => is::<networking::IngressClass>(value),
        "Service" => is::<core::Service>(value),
        "Pod" => is::<core::Pod>(value),
        _ => true,
    }
}

/// Puts a value where a pointer says, over whatever is in the way.
fn put(at: &mut Value, place: &str, value: Value) {
    let mut at = at;
    for part in place.split('/').skip(1) {
        let key = part.replace("~1", "/").replace("~0", "~");
        at = match (at, key.parse::<usize>()) {
            (Value::Array(items), Ok(index)) => {
                while items.len() <= index {
                    items.push(json!({}));
                }
                &mut items[index]
            }
            (other, _) => {
                if !other.is_object() {
                    *other = json!({});
                }
                &mut other[key]
            }
        };
    }
    *at = value;
}
