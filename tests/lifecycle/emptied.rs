//! An API server that has lost everything.

use controlplane::prerequisite::or_skip;
use controlplane::wait::eventually;
use controlplane::{Options, World};

use crate::manifests::{Reach, certificate, echo, tls_secret};
use crate::{gclb, ingresses};

const INGRESSES: &str = "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: first }
spec:
  tls: [ { secretName: tls } ]
  defaultBackend: { service: { name: web, port: { number: 80 } } }
";

/// Absence alone is a leak to report and never a deletion: a lost etcd, or a kubeconfig of another cluster, must not take down
/// what serves.
#[tokio::test]
async fn an_emptied_api_server_deletes_nothing_in_the_cloud() {
    let Some(mut world) = or_skip(World::start(gclb(), Options::default()).await) else { return };
    // The id of the cluster is made of an object that will be another one, and the service account's token will be void.
    world.controller().arguments = vec!["--cluster-id=c1a2b3d4".into()];
    world.controller().kubeconfig = world.cluster().control_plane().admin_kubeconfig().to_owned();
    world.start_controller().unwrap();
    let kubectl = world.cluster().kubectl();
    let secret = tls_secret("tls", &certificate("web.example"));
    kubectl.apply(&(echo("web", 1, Reach::Pods) + &secret + INGRESSES)).await.unwrap();
    let visitor = ingresses::address(&kubectl, "first").await;
    visitor.served_by("web", "https://web.example/").await;
    let before = world.emulator().holdings().await.unwrap();

    // Once with the controller running through it, and once with one that starts on the empty API server.
    world.cluster_mut().lose_etcd().await.unwrap();
    assert!(world.controller_runs().unwrap());
    world.kill_controller().unwrap();
    world.start_controller().unwrap();

    // It is another cluster now by what it can tell, and takes the place of the one before when a person says so (docs/runbook.md).
    let claim = world.emulator().claim().await.unwrap().expect("the first one claimed the id");
    world.emulator().ask(reqwest::Method::DELETE, &format!("/compute/v1/{claim}"), None).await.unwrap();

    // That it has taken the empty cluster in is seen from a new Ingress that it serves.
    let manifests = include_str!("../../deploy/manifests/ingressclass.yaml");
    kubectl.apply(manifests).await.unwrap();
    let second = "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: second }
spec:
  defaultBackend: { service: { name: other, port: { number: 80 } } }
";
    kubectl.apply(&(echo("other", 1, Reach::NodePort) + second)).await.unwrap();
    let second = ingresses::address(&kubectl, "second").await;
    second.served_by("other", "http://other.example/").await;
    let after = world.emulator().holdings().await.unwrap();
    let gone: Vec<&String> = before.keys().filter(|path| !after.contains_key(*path)).collect();
    assert_eq!(gone, Vec::<&String>::new());
    // The old address still answers; its pods are gone with the cluster, which is not ours to mend.
    visitor.answers(301, "http://web.example/").await;
    // And it is said that something is left which nobody asks for.
    eventually("the leak to be reported", || async {
        let log = std::fs::read_to_string(world.log()).map_err(|error| error.to_string())?;
        let reported = |line: &str| line.contains("WARN") && line.contains("ingress/default/first");
        if log.lines().any(reported) { Ok(()) } else { Err(log) }
    })
    .await;
}
