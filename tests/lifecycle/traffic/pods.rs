//! Pods come and go.

use super::{Crowd, crowd::Ask, lasting, place, ready, rolled_out};
use crate::ingresses;
use crate::manifests::Reach;

const INGRESS: &str = "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web }
spec:
  defaultBackend: { service: { name: web, port: { number: 80 } } }
";

/// A new pod counts as available when it has been ready for longer than the load balancer takes to send it requests: attached (1 s),
/// served (2 s), probed (1 s).
const AVAILABLE_AFTER: &str = r#"{"spec":{"minReadySeconds":8}}"#;

#[tokio::test]
#[ignore = "long: eleven pods are replaced, a few at a time"]
async fn a_rolling_update_of_eleven_pods_over_pods() {
    rolling_update(Reach::Pods).await;
}

#[tokio::test]
#[ignore = "long: eleven pods are replaced, a few at a time"]
async fn a_rolling_update_of_eleven_pods_over_node_ports() {
    rolling_update(Reach::NodePort).await;
}

async fn rolling_update(reach: Reach) {
    let Some(here) = place(&format!("rolling-{reach:?}").to_lowercase()).await else { return };
    here.kubectl.apply(&(lasting("web", 11, reach) + INGRESS)).await.unwrap();
    here.kubectl.run(&["patch", "deployment", "web", "-p", AVAILABLE_AFTER]).await.unwrap();
    let visitor = ingresses::address(&here.kubectl, "web").await;
    rolled_out(&here.kubectl, "web").await;
    ready(&here.kubectl, "web").await;
    let old = pods(&here.kubectl).await;

    let crowd = Crowd::gather(&visitor, vec![Ask::page("http://any.example/", &["web"])]).await;
    here.kubectl.run(&["set", "env", "deployment/web", "VERSION=2"]).await.unwrap();
    rolled_out(&here.kubectl, "web").await;
    for pod in &old {
        here.kubectl.run(&["wait", "--for=delete", &format!("pod/{pod}"), "--timeout=60s"]).await.unwrap();
    }
    let tally = crowd.leave().await;
    let new = pods(&here.kubectl).await;
    assert_eq!(new.len(), 11);
    let answered = new.iter().filter(|pod| tally.by_pod.contains_key(*pod)).count();
    // Behind node ports a connection that is kept stays with its pod.
    let least = if reach == Reach::Pods { 9 } else { 1 };
    assert!(answered >= least, "only {answered} of the new pods answered: {:?}", tally.by_pod);
}

async fn pods(kubectl: &controlplane::Kubectl) -> Vec<String> {
    let names = kubectl.run(&["get", "pods", "-o=jsonpath={.items[*].metadata.name}"]).await.unwrap();
    names.split_whitespace().map(str::to_owned).collect()
}
