//! Thousands of odd `BackendConfig`s, `FrontendConfig`s and annotations that name them, each against a load balancer that serves: nothing
//! panics, nothing that serves is deleted, what cannot be read changes nothing, and each problem says where it is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "custom_resources/odd.rs"]
mod odd;

use std::collections::BTreeMap;

use gclb::custom_resource::{BackendConfigSpec, Spec as _, backend_configs, frontend_configs};
use gclb::model::{
    CertificateFingerprint, ClusterId, ForeignFacts, ForeignId, ForeignKind, Kind, Lookup, ObjectKey,
    Observed,
};
use gclb::plan::{Action, plan, simulate};
use gclb::snapshot::stores::{Seen, Stores};
use gclb::snapshot::{Certificate, Cluster, ReadinessProbes, Snapshot};
use gclb::translate::{Translation, translate};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps,
};
use odd::any_value;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn object<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn key(name: &str) -> ObjectKey {
    ObjectKey::new("default", name)
}

fn service(annotations: &Value) -> Value {
    json!({
        "metadata": {"name": "web", "namespace": "default", "annotations": annotations},
        "spec": {"type": "NodePort", "ports": [{"name": "http", "port": 80, "nodePort": 30_080}]},
    })
}

fn config(name: &str, spec: &Value) -> Value {
    json!({"metadata": {"name": name, "namespace": "default"}, "spec": spec})
}

/// A cluster with an Ingress that names both configs, one directly and one by its Service.
fn stores() -> Stores {
    let mut stores = Stores::new(false, ReadinessProbes::Ignored);
    stores.without_custom_resources();
    let class = json!({"metadata": {"name": "gclb"}, "spec": {"controller": "gclb.dev/ingress"}});
    let node = json!({"metadata": {"name": "n1"}, "spec": {"providerID": "gce://p/us-central1-a/n1"},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]}});
    let ingress = json!({
        "metadata": {"name": "web", "namespace": "default", "uid": "u", "finalizers": ["gclb.dev/ingress"],
            "annotations": {"networking.gke.io/v1beta1.FrontendConfig": "front"}},
        "spec": {"ingressClassName": "gclb", "tls": [{"secretName": "tls"}],
            "defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}},
    });
    let _ = [stores.class(Seen::Item(object(class))), stores.class(Seen::Listed)];
    let _ = [stores.node(Seen::Item(object(node))), stores.node(Seen::Listed)];
    let _ = [stores.ingress(Seen::Item(object(ingress))), stores.ingress(Seen::Listed)];
    let annotations = json!({"cloud.google.com/backend-config": "{\"default\": \"back\"}"});
    let _ = [stores.service(Seen::Item(object(service(&annotations)))), stores.service(Seen::Listed)];
    let _ = stores.slice(Seen::Listed);
    let _ = [stores.secret(Seen::Item((key("tls"), "1".to_owned()))), stores.secret(Seen::Listed)];
    for unread in stores.unread() {
        let certificate = Certificate {
            fingerprint: CertificateFingerprint::of("tls"),
            names: vec!["shop.example".to_owned()],
            not_after: "2030-01-01T00:00:00Z".parse().unwrap(),
        };
        let _ = stores.read(unread, Ok(certificate));
    }
    let good = json!({"timeoutSec": 45, "securityPolicy": {"name": "only-us"}, "healthCheck": {"requestPath": "/healthz"}});
    let _ = stores.backend_config(Seen::Put(object(config("back", &good))));
    let _ = stores.frontend_config(Seen::Put(object(config("front", &json!({"sslPolicy": "modern"})))));
    assert_eq!(stores.missing(), Vec::<&str>::new());
    stores
}

fn snapshot(stores: &Stores, observed: &Observed) -> Snapshot {
    let cluster = Cluster::of(ClusterId::new("0a1b2c3d").unwrap());
    stores.snapshot(cluster, "2026-06-01T00:00:00Z".parse().unwrap(), observed.held())
}

/// Translates until nothing more is asked about. Of what is, that exists whose name has an even length.
fn translated(stores: &Stores, observed: &mut Observed) -> Translation {
    loop {
        let translation = translate(&snapshot(stores, observed));
        let unknown: BTreeMap<ForeignId, Lookup> = translation
            .lookups
            .iter()
            .filter(|id| !observed.foreign.contains_key(id))
            .map(|id| (id.clone(), looked_up(id)))
            .collect();
        if unknown.is_empty() {
            return translation;
        }
        observed.foreign.extend(unknown);
    }
}

fn looked_up(id: &ForeignId) -> Lookup {
    let exists = id.kind != ForeignKind::Address && id.name.as_str().len().is_multiple_of(2);
    if exists { Lookup::Found(ForeignFacts::Exists) } else { Lookup::Missing }
}

fn schema_of(definition: &CustomResourceDefinition) -> JSONSchemaProps {
    let schema = definition.spec.versions[0].schema.as_ref().unwrap().open_api_v3_schema.as_ref().unwrap();
    schema.properties.as_ref().unwrap()["spec"].clone()
}

/// Most rounds are about one part of a spec: else hardly any would be good.
fn any_spec(schema: &JSONSchemaProps, dice: &mut StdRng) -> Value {
    let parts: Vec<&String> = schema.properties.as_ref().unwrap().keys().collect();
    let keep = parts[dice.random_range(0..parts.len())];
    let mut spec = any_value(schema, dice);
    if let Some(object) = spec.as_object_mut().filter(|_| dice.random_bool(0.8)) {
        object.retain(|name, _| name == keep);
    }
    spec
}

#[test]
fn no_config_takes_down_what_serves() {
    hold(1000);
}

#[test]
#[ignore = "long: ten thousand of them"]
fn none_of_ten_thousand_configs_takes_down_what_serves() {
    hold(10_000);
}

fn hold(rounds: usize) {
    let mut stores = stores();
    let mut observed = Observed::default();
    for _ in 0..3 {
        let first = plan(&translated(&stores, &mut observed), &observed);
        observed = simulate(&observed, &first);
    }
    let rest = plan(&translated(&stores, &mut observed), &observed);
    assert!(rest.is_empty() && !observed.graph.is_empty(), "{rest}");

    let (back, front) = (schema_of(&backend_configs()), schema_of(&frontend_configs()));
    let annotations = [
        "",
        "{",
        "[]",
        "7",
        "{\"default\": 7}",
        "{\"ports\": {\"80\": \"gone\"}}",
        "{\"default\": \"\\u0000\"}",
    ];
    let mut dice = StdRng::seed_from_u64(66);
    let (mut unreadable, mut changing) = (0, 0);
    for round in 0..rounds {
        let spec = any_spec(&back, &mut dice);
        let named = match dice.random_range(0..10) {
            0 => annotations[dice.random_range(0..annotations.len())].to_owned(),
            _ => "{\"default\": \"back\"}".to_owned(),
        };
        let _ = stores
            .service(Seen::Put(object(service(&json!({"cloud.google.com/backend-config": named.clone()})))));
        let _ = stores.backend_config(Seen::Put(object(config("back", &spec))));
        let _ = stores.frontend_config(Seen::Put(object(config("front", &any_spec(&front, &mut dice)))));
        let what = format!("round {round}: {named} {spec}");

        let mut seen = observed.clone();
        let translation = translated(&stores, &mut seen);
        let plan = plan(&translation, &seen);
        let serving = [Kind::ForwardingRule, Kind::Address, Kind::SslCertificate, Kind::BackendService];
        for change in plan.graph.node_weights() {
            let goes = change.action == Action::Delete && serving.contains(&change.id.kind);
            assert!(!goes, "{what}: {:?} is deleted", change.id);
        }
        let problems: Vec<_> =
            translation.claimants.values().flat_map(|claimant| &claimant.problems).collect();
        for problem in &problems {
            let complete = !problem.field.is_empty() && problem.message.ends_with('.');
            assert!(complete && !problem.message.contains("Err("), "{what}: {problem:?}");
        }
        if named.contains("back") && BackendConfigSpec::read(&json!({ "spec": spec })).is_err() {
            unreadable += 1;
            let said =
                problems.iter().any(|problem| problem.field.starts_with("BackendConfig default/back: spec"));
            assert!(said, "{what}: {problems:?}");
            let touched = |kind: Kind| plan.graph.node_weights().any(|change| change.id.kind == kind);
            assert!(!touched(Kind::BackendService) && !touched(Kind::HealthCheck), "{what}: {plan}");
        }
        changing += usize::from(!plan.is_empty());
    }
    assert!(
        unreadable > rounds / 10 && changing > rounds / 10,
        "{unreadable} could not be read, {changing} changed something"
    );
}
