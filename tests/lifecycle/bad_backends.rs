//! Backends that cannot be: each costs only the paths that lead to it.

use crate::ingresses;
use crate::manifests::{Reach, echo};
use crate::shared::namespace;

#[tokio::test]
async fn a_broken_backend_costs_only_its_own_paths_and_heals() {
    let Some(here) = namespace("bad-backends").await else { return };
    let unreachable = echo("unreachable", 1, Reach::NodePort).replace("type: NodePort", "type: ClusterIP");
    let ingress = "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: shop }
spec:
  rules:
  - host: shop.example
    http:
      paths:
      - { path: /, pathType: Prefix, backend: { service: { name: good, port: { number: 80 } } } }
      - { path: /missing, pathType: Prefix, backend: { service: { name: missing, port: { number: 80 } } } }
      - { path: /port, pathType: Prefix, backend: { service: { name: good, port: { name: htpp } } } }
      - { path: /unreachable, pathType: Prefix, backend: { service: { name: unreachable, port: { number: 80 } } } }
";
    here.kubectl.apply(&(echo("good", 1, Reach::NodePort) + &unreachable + ingress)).await.unwrap();
    let visitor = ingresses::address(&here.kubectl, "shop").await;
    let service = |name: &str| format!("bad-backends/{name}");
    let path = |index: usize| format!("spec.rules[0].http.paths[{index}].backend.service");
    let (kubectl, warns) = (&here.kubectl, ingresses::warns);
    warns(kubectl, "shop", "ServiceNotFound", &[&service("missing"), &path(1), "Create it"]).await;
    warns(kubectl, "shop", "ServicePortNotFound", &[&service("good"), &path(2), "htpp"]).await;
    warns(kubectl, "shop", "ServiceNotReachable", &[&service("unreachable"), &path(3), "ClusterIP"]).await;

    // The rest works, and the broken paths go nowhere else.
    visitor.served_by("good", "http://shop.example/").await;
    for path in ["missing", "port", "unreachable"] {
        visitor.answers(503, &format!("http://shop.example/{path}")).await;
    }
    // A host that no rule names, without a default backend.
    visitor.answers(404, "http://other.example/").await;

    // Each heals by what its message said, without a restart and without touching the Ingress.
    here.kubectl.apply(&echo("missing", 1, Reach::Pods)).await.unwrap();
    here.kubectl.apply(&echo("unreachable", 1, Reach::NodePort)).await.unwrap();
    visitor.served_by("missing", "http://shop.example/missing").await;
    visitor.served_by("unreachable", "http://shop.example/unreachable").await;
    visitor.answers(503, "http://shop.example/port").await;
}

#[tokio::test]
async fn two_rules_with_one_host_are_merged() {
    let Some(here) = namespace("merged").await else { return };
    let ingress = "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: merged }
spec:
  rules:
  - host: shop.example
    http: { paths: [ { path: /a, pathType: Prefix, backend: { service: { name: first, port: { number: 80 } } } } ] }
  - host: shop.example
    http: { paths: [ { path: /b, pathType: Prefix, backend: { service: { name: second, port: { number: 80 } } } } ] }
";
    let backends = echo("first", 1, Reach::NodePort) + &echo("second", 1, Reach::NodePort);
    here.kubectl.apply(&(backends + ingress)).await.unwrap();
    let visitor = ingresses::address(&here.kubectl, "merged").await;
    visitor.served_by("first", "http://shop.example/a").await;
    visitor.served_by("second", "http://shop.example/b").await;
}
