//! A node is emptied, and taken out of the load balancers.

use controlplane::World;
use controlplane::prerequisite::or_skip;
use controlplane::wait::eventually;

use super::{Crowd, TURNS, crowd::Ask, lasting, ready, rolled_out, slow_cloud};
use crate::manifests::Reach;
use crate::{gclb, ingresses};

const INGRESSES: &str = "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: both }
spec:
  rules:
  - host: pods.example
    http: { paths: [ { path: /, pathType: Prefix, backend: { service: { name: direct, port: { number: 80 } } } } ] }
  - host: nodes.example
    http: { paths: [ { path: /, pathType: Prefix, backend: { service: { name: through, port: { number: 80 } } } } ] }
";

/// One node of three: its pods are evicted and made again elsewhere, and then it serves no node ports any more.
#[tokio::test]
#[ignore = "long: pods end slowly"]
async fn a_node_is_drained() {
    let _turn = TURNS.acquire().await.unwrap();
    let mut options = slow_cloud();
    options.zones = ["us-central1-a", "us-central1-b", "us-central1-b"].map(str::to_owned).into();
    let Some(mut world) = or_skip(World::start(gclb(), options).await) else { return };
    world.start_controller().unwrap();
    let kubectl = world.cluster().kubectl();
    let available = |name: &str, reach| {
        // Eviction asks for another pod first, and heeds how many must stay.
        let budget = format!(
            "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {{ name: {name} }}\nspec: {{ maxUnavailable: 1, selector: {{ matchLabels: {{ app: {name} }} }} }}\n---\n"
        );
        lasting(name, 3, reach).replace("  replicas: 3\n", "  replicas: 3\n  minReadySeconds: 8\n") + &budget
    };
    kubectl
        .apply(&(available("direct", Reach::Pods) + &available("through", Reach::NodePort) + INGRESSES))
        .await
        .unwrap();
    let visitor = ingresses::address(&kubectl, "both").await;
    rolled_out(&kubectl, "direct").await;
    rolled_out(&kubectl, "through").await;
    ready(&kubectl, "both").await;

    let asks = vec![
        Ask::page("http://pods.example/", &["direct"]),
        Ask::page("http://nodes.example/", &["through"]),
    ];
    let crowd = Crowd::gather(&visitor, asks).await;
    let node = world.cluster().nodes()[1].name.clone();
    kubectl
        .run(&["drain", &node, "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=180s"])
        .await
        .unwrap();
    rolled_out(&kubectl, "direct").await;
    rolled_out(&kubectl, "through").await;
    kubectl
        .run(&["label", "node", &node, "node.kubernetes.io/exclude-from-external-load-balancers=true"])
        .await
        .unwrap();
    let groups = "/compute/v1/projects/demo/zones/us-central1-b/instanceGroups";
    eventually("the instance to leave its group", || async {
        let answer = world.emulator().ask(reqwest::Method::GET, groups, None).await;
        let answer = answer.map_err(|error| error.to_string())?;
        let size = answer["items"][0]["size"].as_u64();
        if size == Some(1) { Ok(()) } else { Err(answer.to_string()) }
    })
    .await;
    ready(&kubectl, "both").await;
    crowd.leave().await;
}
