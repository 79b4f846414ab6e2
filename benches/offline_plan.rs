//! `gclb plan` of a folder of 10,000 Ingress manifests, offline, stage by stage: once as a file for each, and once as one file.
//!
//! Meant for a release build, as a pipeline has it: `cargo bench --bench offline_plan`. It prints and judges nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use gclb::controller::folder;
use gclb::model::{Held, Observed};
use gclb::plan::{Colours, plan};
use gclb::snapshot::Cluster;
use gclb::snapshot::manifests::{Supplies, cluster_id};
use gclb::translate::translate;
use jiff::Timestamp;

const INGRESSES: usize = 10_000;

/// An Ingress with two hosts and three paths, and its Service.
fn manifest(number: usize) -> String {
    let mut text = String::new();
    let _ = write!(
        text,
        "apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: i{number}
  namespace: n{of}
spec:
  ingressClassName: gclb
  rules:
  - host: a.i{number}.example
    http:
      paths:
      - {{path: /, pathType: Prefix, backend: {{service: {{name: s{number}, port: {{number: 80}}}}}}}}
      - {{path: /api, pathType: Prefix, backend: {{service: {{name: s{number}, port: {{number: 80}}}}}}}}
  - host: b.i{number}.example
    http:
      paths:
      - {{path: /, pathType: Prefix, backend: {{service: {{name: s{number}, port: {{number: 80}}}}}}}}
---
apiVersion: v1
kind: Service
metadata:
  name: s{number}
  namespace: n{of}
  annotations:
    cloud.google.com/neg: '{{\"ingress\": true}}'
spec:
  selector: {{app: s{number}}}
  ports:
  - {{port: 80, targetPort: 8080}}
",
        of = number % 50,
    );
    text
}

struct Stages {
    read: Duration,
    supply: Duration,
    translate: Duration,
    plan: Duration,
    show: Duration,
}

fn run(folder: &Path) -> (Stages, usize) {
    let began = Instant::now();
    let manifests = folder::read(&[folder.to_owned()]).unwrap();
    let read = began.elapsed();
    assert!(!manifests.has_errors(), "{:?}", manifests.diagnostics.first());

    let began = Instant::now();
    let world = manifests.world(&Supplies::default());
    let cluster = Cluster::of(cluster_id());
    let snapshot = world.snapshot(cluster, Timestamp::now(), Held::default());
    let supply = began.elapsed();

    let began = Instant::now();
    let translation = translate(&snapshot);
    let translated = began.elapsed();

    let began = Instant::now();
    let plan = plan(&translation, &Observed::default());
    let planned = began.elapsed();

    let began = Instant::now();
    let shown = plan.text(Colours::None).to_string();
    let show = began.elapsed();
    assert!(shown.len() > INGRESSES);
    let stages = Stages { read, supply, translate: translated, plan: planned, show };
    (stages, plan.graph.node_count())
}

fn main() {
    let (many, one) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut whole = String::new();
    for number in 0..INGRESSES {
        let text = manifest(number);
        std::fs::write(many.path().join(format!("i{number}.yaml")), &text).unwrap();
        whole.push_str("---\n");
        whole.push_str(&text);
    }
    std::fs::write(one.path().join("all.yaml"), whole).unwrap();

    println!("gclb plan of {INGRESSES} Ingresses and as many Services, offline (milliseconds)");
    println!(
        "{:>12} {:>8} {:>8} {:>9} {:>8} {:>8} {:>8}  changes",
        "files", "read", "supply", "translate", "plan", "show", "all"
    );
    for (files, folder) in [(INGRESSES, many.path()), (1, one.path())] {
        let (stages, changes) = run(folder);
        let Stages { read, supply, translate, plan, show } = stages;
        let all = read + supply + translate + plan + show;
        let [read, supply, translate, plan, show, all] =
            [read, supply, translate, plan, show, all].map(|stage| stage.as_millis());
        println!("{files:>12} {read:>8} {supply:>8} {translate:>9} {plan:>8} {show:>8} {all:>8}  {changes}");
    }
}
