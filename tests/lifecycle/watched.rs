//! What is only seen by watching a real API server: kinds that come and go (a cluster without the definitions of `deploy/crds`, then
//! with them, then without), and the probes of pods.

use controlplane::prerequisite::or_skip;
use controlplane::wait::eventually;
use controlplane::{Kubectl, Options, World};
use gclb::controller::cluster::{ClusterSource, ListedCluster};
use gclb::controller::source::Source as _;
use gclb::model::{ClusterId, Held, ObjectKey};
use gclb::snapshot::{Asks, Cluster, ReadinessProbes, Snapshot, probe_at};

use crate::manifests::{Reach, echo};
use crate::shared::namespace;
use crate::{gclb, ingresses};

const DEFINITION: &str = include_str!("../../deploy/crds/backendconfigs.cloud.google.com.yaml");

const MANIFESTS: &str = "
apiVersion: v1
kind: Service
metadata:
  name: web
  annotations: { cloud.google.com/backend-config: '{\"default\": \"slow\"}' }
spec: { type: NodePort, ports: [ { port: 80 } ] }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web }
spec: { defaultBackend: { service: { name: web, port: { number: 80 } } } }
";

const CONFIG: &str = "
apiVersion: cloud.google.com/v1
kind: BackendConfig
metadata: { name: slow }
spec: { timeoutSec: 45 }
";

fn cluster() -> Cluster {
    Cluster::of(ClusterId::new("c1a2b3d4").unwrap())
}

/// How long the one config that is referred to lets its backends take.
fn time_out(snapshot: &Snapshot) -> Option<u32> {
    snapshot.backend_configs.get(&ObjectKey::new("default", "slow"))?.as_ref().ok()?.timeout_sec
}

/// Takes away everything of `deploy/crds` that is installed.
async fn uninstall(kubectl: &Kubectl) {
    for definition in gclb::custom_resource::definitions() {
        uninstall_one(kubectl, &definition.metadata.name.unwrap()).await;
    }
}

async fn uninstall_one(kubectl: &Kubectl, definition: &str) {
    kubectl.run(&["delete", "crd", definition, "--wait", "--timeout=60s"]).await.unwrap();
}

#[tokio::test]
async fn a_definition_that_is_installed_later_is_picked_up_without_a_restart() {
    let Some(world) = or_skip(World::start(gclb(), Options::default()).await) else { return };
    let kubectl = world.cluster().kubectl();
    uninstall(&kubectl).await;
    kubectl.apply(MANIFESTS).await.unwrap();
    let client = world.cluster().client().await.unwrap();

    // Without the kinds there are none of their objects, and that is known.
    let source = ClusterSource::start(client.clone(), cluster(), None);
    eventually("everything to be listed", || async {
        source.snapshot(Held::default()).map(|_| ()).map_err(|error| error.to_string())
    })
    .await;
    let listed = ListedCluster::list(client.clone(), cluster(), None).await.unwrap();
    assert!(listed.snapshot(Held::default()).backend_configs.is_empty());

    kubectl.apply(DEFINITION).await.unwrap();
    let wait =
        ["wait", "--for=condition=Established", "--timeout=60s", "crd/backendconfigs.cloud.google.com"];
    kubectl.run(&wait).await.unwrap();
    eventually("the object to be taken", || async {
        // Right after the definition kubectl may not know the kind yet.
        kubectl.apply(CONFIG).await.map_err(|error| error.to_string())
    })
    .await;
    let sees = |seconds: u32| {
        let source = &source;
        eventually("the running watch to see the object", move || async move {
            let known = source.snapshot(Held::default()).map_err(|error| error.to_string())?;
            if time_out(&known) == Some(seconds) {
                Ok(())
            } else {
                Err(format!("{:?}", known.backend_configs))
            }
        })
    };
    sees(45).await;
    // From here on it is watched like any other kind.
    kubectl.apply(&CONFIG.replace("45", "46")).await.unwrap();
    sees(46).await;
    let listed = ListedCluster::list(client, cluster(), None).await.unwrap();
    assert_eq!(time_out(&listed.snapshot(Held::default())), Some(46));

    // Gone again: nothing waits for it, and everything else is seen as before.
    uninstall_one(&kubectl, "backendconfigs.cloud.google.com").await;
    kubectl.run(&["annotate", "service", "web", "cloud.google.com/neg={}"]).await.unwrap();
    eventually("another change to be seen", || async {
        let known = source.snapshot(Held::default()).map_err(|error| error.to_string())?;
        let service = &known.services[&ObjectKey::new("default", "web")];
        if service.neg_annotation.is_some() { Ok(()) } else { Err(format!("{service:?}")) }
    })
    .await;
}

const PODS: &str = "
apiVersion: v1
kind: Service
metadata: { name: probed }
spec: { selector: { app: probed }, ports: [ { port: 80, targetPort: http } ] }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: probed }
spec: { defaultBackend: { service: { name: probed, port: { number: 80 } } } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: probed }
spec:
  selector: { matchLabels: { app: probed } }
  template:
    metadata: { labels: { app: probed } }
    spec:
      containers:
      - name: web
        image: any
        ports: [ { name: http, containerPort: 8080 } ]
        readinessProbe: { httpGet: { path: /healthz, port: http, httpHeaders: [ { name: X-Probe, value: 'yes' } ] }, periodSeconds: 7 }
";

#[tokio::test]
async fn the_readiness_probes_of_real_pods_are_seen_while_they_come_and_go() {
    let Some(here) = namespace("probes").await else { return };
    here.kubectl.apply(PODS).await.unwrap();
    let client = here.world.cluster().client().await.unwrap();
    let source = ClusterSource::start(client.clone(), cluster(), Some("probes"));
    let service = ObjectKey::new("probes", "probed");
    let sees = |wanted: Option<&'static str>| {
        let (source, service) = (&source, &service);
        eventually("the probe to be seen", move || async move {
            let known = source.snapshot(Held::default()).map_err(|error| error.to_string())?;
            let target = &known.services.get(service).ok_or("no Service")?.ports[0].target_port;
            let probes = known.probes.expect("pods are looked at");
            let path = probes.get(service).and_then(|containers| probe_at(containers, target)).map(
                |(probe, port)| {
                    assert_eq!((port, probe.period_seconds, probe.failure_threshold), (8080, 7, 3));
                    match &probe.asks {
                        Asks::Http { path, .. } => path.clone(),
                        other => panic!("{other:?}"),
                    }
                },
            );
            if path.as_deref() == wanted { Ok(()) } else { Err(format!("{path:?}")) }
        })
    };
    sees(Some("/healthz")).await;
    here.kubectl.apply(&PODS.replace("/healthz", "/ready")).await.unwrap();
    sees(Some("/ready")).await;
    let listed = ListedCluster::list(client.clone(), cluster(), Some("probes")).await.unwrap();
    assert_eq!(listed.snapshot(Held::default()).probes.unwrap().len(), 1);
    here.kubectl.run(&["scale", "deployment", "probed", "--replicas=0"]).await.unwrap();
    sees(None).await;

    // Whoever may not read pods says so, and then nothing is known of them.
    let ignoring = Cluster { readiness_probes: ReadinessProbes::Ignored, ..cluster() };
    let listed = ListedCluster::list(client, ignoring, Some("probes")).await.unwrap();
    assert_eq!(listed.snapshot(Held::default()).probes, None);
}

#[tokio::test]
async fn without_the_right_to_read_pods_a_flag_does_without_them_and_else_it_is_waited_for() {
    let Some(mut world) = or_skip(World::start(gclb(), Options::default()).await) else { return };
    let kubectl = world.cluster().kubectl();
    let rights = include_str!("../../deploy/manifests/rbac.yaml");
    let pods = "  - apiGroups: [\"\"]\n    resources: [pods]\n    verbs: [get, list, watch]\n";
    assert!(rights.contains(pods), "the right is written in another way now: write it so here");
    kubectl.apply(&rights.replace(pods, "")).await.unwrap();

    world.start_controller().unwrap();
    eventually("the controller to say which right it lacks", || async {
        let log = std::fs::read_to_string(world.log()).map_err(|error| error.to_string())?;
        let says = |line: &str| line.contains("\"kind\":\"Pods\"") && line.contains("forbidden");
        if log.lines().any(says) { Ok(()) } else { Err(log) }
    })
    .await;
    world.kill_controller().unwrap();

    world.controller().arguments = vec!["--ignore-readiness-probes".into()];
    world.start_controller().unwrap();
    let ingress = "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web }
spec: { defaultBackend: { service: { name: web, port: { number: 80 } } } }
";
    kubectl.apply(&(echo("web", 1, Reach::NodePort) + ingress)).await.unwrap();
    let visitor = ingresses::address(&kubectl, "web").await;
    visitor.served_by("web", "http://shop.example/").await;
}
