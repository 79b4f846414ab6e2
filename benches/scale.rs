//! A large cluster: what it takes in memory, and how long the stages of a turn take when one Ingress changes.
//!
//! The objects go through the same stores that the watches of an API server feed; the API server itself is left out, since one with
//! five thousand Ingresses and a hundred thousand endpoints does not fit beside its clients on a small machine. What the cloud holds
//! is what the plan of everything leaves behind. It prints and judges nothing: `make bench`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, Instant};

use gclb::model::{CertificateFingerprint, ClusterId, Observed};
use gclb::plan::{plan, simulate};
use gclb::snapshot::stores::{Seen, Stores};
use gclb::snapshot::{Certificate, Cluster, ReadinessProbes};
use gclb::translate::translate_beside;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Node, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::{Ingress, IngressClass};
use serde_json::{Value, json};

const INGRESSES: usize = 5_000;
const SERVICES_OF_EACH: usize = 2;
const ENDPOINTS_OF_EACH: usize = 10;
const NODES: usize = 300;
const ZONES: [&str; 3] = ["us-central1-a", "us-central1-b", "us-central1-c"];
const CHANGES: usize = 20;

fn object<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn ingress(number: usize, extra_path: &str) -> Ingress {
    let rules: Vec<Value> = (0..SERVICES_OF_EACH)
        .map(|of| {
            json!({
                "host": format!("h{of}.i{number}.example"),
                "http": {"paths": [
                    {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": format!("s{number}-{of}"), "port": {"number": 80}}}},
                    {"path": format!("/api{extra_path}"), "pathType": "Prefix", "backend": {"service": {"name": format!("s{number}-0"), "port": {"number": 80}}}},
                ]},
            })
        })
        .collect();
    object(json!({
        "metadata": {"name": format!("i{number}"), "namespace": format!("n{}", number % 50), "uid": format!("{number}"),
            "resourceVersion": format!("{}", 1000 + number), "finalizers": ["gclb.dev/ingress"]},
        "spec": {"ingressClassName": "gclb", "tls": [{"secretName": format!("t{number}")}], "rules": rules},
    }))
}

fn services(stores: &mut Stores) {
    let _ = stores.service(Seen::Listing);
    let _ = stores.slice(Seen::Listing);
    for number in 0..INGRESSES {
        for of in 0..SERVICES_OF_EACH {
            let (name, namespace) = (format!("s{number}-{of}"), format!("n{}", number % 50));
            let neg =
                if of == 0 { json!({"cloud.google.com/neg": "{\"ingress\": true}"}) } else { json!({}) };
            let port = 30_000 + (number * SERVICES_OF_EACH + of) % 2_700;
            let _ = stores.service(Seen::Item(object::<Service>(json!({
                "metadata": {"name": name, "namespace": namespace, "annotations": neg},
                "spec": {"type": "NodePort", "ports": [{"name": "http", "port": 80, "nodePort": port, "protocol": "TCP"}]},
            }))));
            let endpoints: Vec<Value> = (0..ENDPOINTS_OF_EACH)
                .map(|at| {
                    let serial = (number * SERVICES_OF_EACH + of) * ENDPOINTS_OF_EACH + at;
                    let address = format!("10.{}.{}.{}", serial >> 16, (serial >> 8) & 255, serial & 255);
                    json!({"addresses": [address], "nodeName": format!("node-{}", serial % NODES),
                        "conditions": {"ready": true, "serving": true, "terminating": false},
                        "targetRef": {"kind": "Pod", "name": format!("{name}-{at}"), "namespace": namespace, "uid": format!("{serial}")}})
                })
                .collect();
            let slice = json!({
                "metadata": {"name": format!("{name}-x"), "namespace": namespace, "labels": {"kubernetes.io/service-name": name}},
                "addressType": "IPv4", "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}], "endpoints": endpoints,
            });
            let _ = stores.slice(Seen::Item(object::<EndpointSlice>(slice)));
        }
    }
    let _ = stores.service(Seen::Listed);
    let _ = stores.slice(Seen::Listed);
}

fn filled() -> Stores {
    let mut stores = Stores::new(false, ReadinessProbes::Ignored);
    let _ = stores.class(Seen::Listing);
    let class: IngressClass =
        object(json!({"metadata": {"name": "gclb"}, "spec": {"controller": "gclb.dev/ingress"}}));
    let _ = stores.class(Seen::Item(class));
    let _ = stores.class(Seen::Listed);
    let _ = stores.node(Seen::Listing);
    for number in 0..NODES {
        let zone = ZONES[number % ZONES.len()];
        let _ = stores.node(Seen::Item(object::<Node>(json!({
            "metadata": {"name": format!("node-{number}")},
            "spec": {"providerID": format!("gce://project/{zone}/node-{number}")},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        }))));
    }
    let _ = stores.node(Seen::Listed);
    services(&mut stores);
    let _ = stores.secret(Seen::Listing);
    for number in 0..INGRESSES {
        let key = gclb::model::ObjectKey::new(format!("n{}", number % 50), format!("t{number}"));
        let _ = stores.secret(Seen::Item((key, "1".to_owned())));
    }
    let _ = stores.secret(Seen::Listed);
    stores.without_custom_resources();
    let _ = stores.ingress(Seen::Listing);
    for number in 0..INGRESSES {
        let _ = stores.ingress(Seen::Item(ingress(number, "")));
    }
    let _ = stores.ingress(Seen::Listed);
    for unread in stores.unread() {
        let certificate = Certificate {
            fingerprint: CertificateFingerprint::of(&unread.secret.to_string()),
            names: vec![format!("{}.example", unread.secret.name)],
            not_after: Timestamp::now() + jiff::SignedDuration::from_hours(1000),
        };
        let _ = stores.read(unread, Ok(certificate));
    }
    assert_eq!(stores.missing(), Vec::<&str>::new());
    stores
}

fn cluster() -> Cluster {
    Cluster::of(ClusterId::new("0a1b2c3d").unwrap())
}

/// What the process takes at present, and has taken at most, in MiB (`/proc/self/status`).
fn memory() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let field = |name: &str| -> u64 {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    (field("VmRSS:") / 1024, field("VmHWM:") / 1024)
}

struct Timed {
    snapshot: Duration,
    translate: Duration,
    plan: Duration,
    changes: usize,
}

fn turn(stores: &Stores, observed: &Observed) -> (Timed, gclb::plan::Plan) {
    let began = Instant::now();
    let snapshot = stores.snapshot(cluster(), Timestamp::now(), observed.held());
    let taken = began.elapsed();
    let translation = translate_beside(&snapshot, &observed.graph);
    let translated = began.elapsed();
    let made = plan(&translation, observed);
    let timed = Timed {
        snapshot: taken,
        translate: translated.checked_sub(taken).unwrap(),
        plan: began.elapsed().checked_sub(translated).unwrap(),
        changes: made.graph.node_count(),
    };
    (timed, made)
}

fn print(what: &str, timed: &Timed) {
    let ms = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1000.0);
    let Timed { snapshot, translate, plan, changes } = timed;
    let whole = *snapshot + *translate + *plan;
    println!(
        "| {what} | {changes} | {} | {} | {} | {} |",
        ms(*snapshot),
        ms(*translate),
        ms(*plan),
        ms(whole)
    );
}

fn main() {
    println!(
        "{INGRESSES} Ingresses, {} Services, {} endpoints, {NODES} nodes; {} build\n",
        INGRESSES * SERVICES_OF_EACH,
        INGRESSES * SERVICES_OF_EACH * ENDPOINTS_OF_EACH,
        if cfg!(debug_assertions) { "debug" } else { "release" },
    );
    let (bare, _) = memory();
    let mut stores = filled();
    let (with_stores, _) = memory();
    println!("| turn | changes | snapshot ms | translate ms | plan ms | all ms |\n|---|---|---|---|---|---|");
    let nothing = Observed::default();
    let (timed, all) = turn(&stores, &nothing);
    print("everything is new", &timed);
    let observed = simulate(&nothing, &all);
    drop(all);
    let (with_all, _) = memory();
    print("nothing has changed", &turn(&stores, &observed).0);
    let mut changed: Vec<Timed> = (0..CHANGES)
        .map(|change| {
            let number = change * 37 % INGRESSES;
            let mut changed = ingress(number, &format!("/v{change}"));
            changed.metadata.resource_version = Some(format!("{}", 100_000 + change));
            let _ = stores.ingress(Seen::Put(changed));
            let (timed, _) = turn(&stores, &observed);
            timed
        })
        .collect();
    changed.sort_by_key(|timed| timed.snapshot + timed.translate + timed.plan);
    print("one Ingress has changed (the quickest of 20)", &changed[0]);
    print("one Ingress has changed (median of 20)", &changed[CHANGES / 2]);
    let (now, peak) = memory();
    println!(
        "\nresident memory: {bare} MiB at the start, {with_stores} with the stores, {with_all} with the graphs, {now} at the end, {peak} at most"
    );
}
