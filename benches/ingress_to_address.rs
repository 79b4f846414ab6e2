//! How long one HTTPS Ingress takes from `kubectl apply` to its ADDRESS, against what no controller can beat: the longest
//! chain of operations, one after the other. Both are measured in one run, so that the machine's speed cancels out.
//!
//! It prints and judges nothing: `make bench`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::time::{Duration, Instant};

use controlplane::wait::eventually;
use controlplane::{Kubectl, Options, World};
use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::networking::v1::Ingress;
use kube::Api;
use kube::runtime::{WatchStreamExt as _, watcher};
use rcgen::{CertifiedKey, generate_simple_self_signed};

/// How long each operation of the cloud takes.
const OPERATION: Duration = Duration::from_secs(1);

/// Each of these needs the one before it, so no plan can be faster. Everything else can be made beside them.
const CHAIN: [&str; 5] =
    ["healthChecks", "backendServices", "urlMaps", "targetHttpsProxies", "forwardingRules"];

const RUNS: usize = 3;

const MANIFESTS: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [ { name: web, image: echoheaders, ports: [ { containerPort: 8080 } ] } ] }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { type: NodePort, selector: { app: web }, ports: [ { port: 8080 } ] }
";

const INGRESS: &str = "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: bench }
spec:
  tls: [ { secretName: tls } ]
  defaultBackend: { service: { name: web, port: { number: 8080 } } }
";

#[tokio::main]
async fn main() {
    let gclb = Path::new(env!("CARGO_BIN_EXE_gclb"));
    let mut world = World::start(gclb, Options::default()).await.expect("the world starts");
    let kubectl = world.cluster().kubectl();
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["bench.example".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("tls.crt"), folder.path().join("tls.key"));
    std::fs::write(&certificate, cert.pem()).unwrap();
    std::fs::write(&key, signing_key.serialize_pem()).unwrap();
    let files = [format!("--cert={}", certificate.display()), format!("--key={}", key.display())];
    kubectl.run(&["create", "secret", "tls", "tls", &files[0], &files[1]]).await.unwrap();
    kubectl.apply(MANIFESTS).await.unwrap();
    kubectl.run(&["rollout", "status", "deployment/web", "--timeout=60s"]).await.unwrap();
    world.start_controller().unwrap();
    let without = world.emulator().holdings().await.unwrap();

    let bound = OPERATION * u32::try_from(CHAIN.len()).unwrap();
    println!("kubectl apply to ADDRESS, one HTTPS Ingress, operations of {} s", OPERATION.as_secs());
    println!("the longest chain: {} = {:.1} s", CHAIN.join(" → "), bound.as_secs_f64());
    let mut ratios = Vec::new();
    for run in 1..=RUNS {
        world.emulator().set_latency(OPERATION).await.unwrap();
        let took = apply_to_address(&world, &kubectl).await;
        assert_made(&world).await;
        let ratio = took.as_secs_f64() / bound.as_secs_f64();
        println!("run {run}: {:.2} s, {ratio:.2} times the chain", took.as_secs_f64());
        ratios.push(ratio);
        world.emulator().set_latency(Duration::from_millis(20)).await.unwrap();
        kubectl.run(&["delete", "ing", "bench", "--timeout=60s"]).await.unwrap();
        eventually("the cloud to be as before", || async {
            let held = world.emulator().holdings().await.unwrap();
            if held == without { Ok(()) } else { Err(format!("{} resources", held.len())) }
        })
        .await;
    }
    ratios.sort_by(f64::total_cmp);
    println!("median {:.2} times the chain (aim: at most 1.30)", ratios[RUNS / 2]);
}

async fn apply_to_address(world: &World, kubectl: &Kubectl) -> Duration {
    let ingresses: Api<Ingress> = Api::namespaced(world.cluster().client().await.unwrap(), "default");
    let watch = watcher(ingresses, watcher::Config::default()).default_backoff().applied_objects().boxed();
    let addressed = watch.try_filter_map(|ingress| async move {
        let status = ingress.status.and_then(|status| status.load_balancer);
        Ok(status.and_then(|status| status.ingress?.into_iter().next()?.ip))
    });
    let mut addressed = std::pin::pin!(addressed);
    let began = Instant::now();
    kubectl.apply(INGRESS).await.unwrap();
    addressed.next().await.expect("the watch goes on").expect("the API server answers");
    began.elapsed()
}

/// The bound holds only if each link of the chain had to be made.
async fn assert_made(world: &World) {
    let held = world.emulator().holdings().await.unwrap();
    for collection in CHAIN {
        let part = format!("/{collection}/");
        assert!(held.keys().any(|path| path.contains(&part)), "no {collection} in {:?}", held.keys());
    }
}
