use std::collections::BTreeSet;
use std::net::SocketAddr;

use super::*;
use crate::prerequisite::or_skip;
use crate::site::{translate, translate_text};
use crate::wait::eventually;

const MANIFESTS: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: { name: echo }
spec:
  replicas: 2
  selector: { matchLabels: { app: echo } }
  template:
    metadata: { labels: { app: echo } }
    spec:
      containers:
      - name: echo
        image: echo
        ports: [ { name: web, containerPort: 8080 } ]
        readinessProbe: { httpGet: { path: /healthz, port: web }, periodSeconds: 1, failureThreshold: 1 }
---
apiVersion: v1
kind: Service
metadata: { name: echo }
spec:
  type: NodePort
  selector: { app: echo }
  ports: [ { port: 80, targetPort: web } ]
";

async fn get(address: SocketAddr, path: &str) -> Result<String, String> {
    let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
    let answer = client.get(format!("http://{address}{path}")).send().await;
    answer.map_err(|error| error.to_string())?.text().await.map_err(|error| error.to_string())
}

async fn jsonpath(kubectl: &Kubectl, what: &[&str], path: &str) -> Result<String, String> {
    let path = format!("-o=jsonpath={path}");
    let arguments: Vec<&str> =
        ["get"].into_iter().chain(what.iter().copied()).chain([path.as_str()]).collect();
    kubectl.run(&arguments).await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_deployment_serves_through_every_node_port() {
    let Some(mut cluster) = or_skip(Cluster::start(Options::default()).await) else { return };
    let kubectl = cluster.kubectl();
    kubectl.run(&["wait", "nodes", "--all", "--for=condition=Ready", "--timeout=60s"]).await.unwrap();
    kubectl.apply(MANIFESTS).await.unwrap();
    kubectl.run(&["rollout", "status", "deployment/echo", "--timeout=60s"]).await.unwrap();

    let port = jsonpath(&kubectl, &["service/echo"], "{.spec.ports[0].nodePort}").await.unwrap();
    let port: u16 = port.parse().unwrap();
    let node_ports: Vec<SocketAddr> = cluster
        .nodes()
        .iter()
        .map(|node| SocketAddr::from((translate(node.address).unwrap(), port)))
        .collect();
    let pods: BTreeSet<String> =
        jsonpath(&kubectl, &["pods", "--selector=app=echo"], "{.items[*].metadata.name}")
            .await
            .unwrap()
            .split_whitespace()
            .map(str::to_owned)
            .collect();
    for address in &node_ports {
        let reached: BTreeSet<String> = eventually("both pods to be reached", || async {
            let mut reached = BTreeSet::new();
            for _ in 0..2 {
                let page = get(*address, "/shop?item=1").await?;
                // The pod sees the node's address, as kube-proxy has it.
                assert!(page.contains(&format!("client_address={}", address.ip())), "{page}");
                assert!(page.contains("real path=/shop?item=1"), "{page}");
                reached.extend(
                    page.lines().next().and_then(|line| line.strip_prefix("pod=")).map(str::to_owned),
                );
            }
            if reached.len() == 2 { Ok(reached) } else { Err(format!("{reached:?}")) }
        })
        .await;
        assert_eq!(reached, pods);
    }

    readiness_counts(&kubectl, &pods, node_ports[0]).await;
    a_deleted_pod_is_replaced(&kubectl, &pods).await;

    cluster.lose_etcd().await.unwrap();
    kubectl.run(&["wait", "nodes", "--all", "--for=condition=Ready", "--timeout=60s"]).await.unwrap();
    eventually("the pods of the lost Deployment to be gone", || async {
        match get(node_ports[0], "/").await {
            Ok(page) => Err(page),
            Err(_) => Ok(()),
        }
    })
    .await;
}

/// A failing readiness probe takes a pod out; when all fail the node port refuses.
async fn readiness_counts(kubectl: &Kubectl, pods: &BTreeSet<String>, node_port: SocketAddr) {
    kubectl.run(&["annotate", "pods", "--selector=app=echo", "echo/failing-paths=/healthz"]).await.unwrap();
    eventually("the node port to refuse", || async {
        match get(node_port, "/").await {
            Ok(page) => Err(page),
            Err(_) => Ok(()),
        }
    })
    .await;
    let one = pods.first().unwrap();
    kubectl.run(&["annotate", "pod", one, "echo/failing-paths-"]).await.unwrap();
    let page = eventually("the healed pod to be reached", || get(node_port, "/")).await;
    assert!(page.starts_with(&format!("pod={one}\n")), "{page}");
    kubectl.run(&["annotate", "pods", "--all", "echo/failing-paths-"]).await.unwrap();
}

/// The pod object goes away, its address stops answering, and the Deployment's next pod is another one.
async fn a_deleted_pod_is_replaced(kubectl: &Kubectl, pods: &BTreeSet<String>) {
    let gone = pods.first().unwrap();
    let ip = jsonpath(kubectl, &["pod", gone], "{.status.podIP}").await.unwrap();
    let address = SocketAddr::new(translate_text(&ip).unwrap(), 8080);
    assert!(get(address, "/").await.unwrap().starts_with(&format!("pod={gone}\n")));
    kubectl.run(&["delete", "pod", gone, "--timeout=60s"]).await.unwrap();
    assert!(get(address, "/").await.is_err());
    kubectl.run(&["rollout", "status", "deployment/echo", "--timeout=60s"]).await.unwrap();
    let now = jsonpath(kubectl, &["pods", "--selector=app=echo"], "{.items[*].metadata.name}").await.unwrap();
    assert!(!now.contains(gone.as_str()) && now.split_whitespace().count() == 2, "{now}");
}
