//! The three small variations that a newcomer tries next, over node ports and over pods.

use crate::manifests::{Reach, certificate, echo, tls_secret};
use crate::shared::namespace;
use crate::visitor::Visitor;
use crate::{ingresses, shared};

#[tokio::test]
async fn plain_http_over_node_ports() {
    plain_http(Reach::NodePort).await;
}

#[tokio::test]
async fn plain_http_over_pods() {
    plain_http(Reach::Pods).await;
}

async fn plain_http(reach: Reach) {
    let Some(here) = namespace(&format!("plain-{reach:?}").to_lowercase()).await else { return };
    let ingress = "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: plain }
spec:
  defaultBackend: { service: { name: web, port: { name: http } } }
";
    here.kubectl.apply(&(echo("web", 2, reach) + ingress)).await.unwrap();
    let visitor = ingresses::address(&here.kubectl, "plain").await;
    let page = visitor.served_by("web", "http://anything.example/a/b?c=d").await;
    assert_eq!(page.line("real path"), Some("/a/b?c=d"));
    assert_eq!(page.line("host"), Some("anything.example"));
    assert_eq!(page.line("x-forwarded-proto"), Some("http"));
    assert_reached(&here, reach, page.line("client_address").unwrap());
    // Without TLS nothing listens for it.
    assert!(visitor.get("https://anything.example/").await.is_err());
}

/// Over a node port the pod sees its client at a node's address; directly it does not.
fn assert_reached(here: &shared::Namespace, reach: Reach, client: &str) {
    let nodes = here.world.cluster().nodes();
    let addresses: Vec<String> = nodes
        .iter()
        .filter_map(|node| controlplane::site::translate(node.address))
        .map(|address| address.to_string())
        .collect();
    let through_a_node = addresses.iter().any(|address| address == client);
    assert_eq!(
        through_a_node,
        reach == Reach::NodePort,
        "{client} is the client; the nodes are {addresses:?}"
    );
}

#[tokio::test]
async fn hosts_and_paths_over_node_ports() {
    hosts_and_paths(Reach::NodePort).await;
}

#[tokio::test]
async fn hosts_and_paths_over_pods() {
    hosts_and_paths(Reach::Pods).await;
}

async fn hosts_and_paths(reach: Reach) {
    let Some(here) = namespace(&format!("paths-{reach:?}").to_lowercase()).await else { return };
    let ingress = "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: paths }
spec:
  defaultBackend: { service: { name: fallback, port: { number: 80 } } }
  rules:
  - host: shop.example
    http:
      paths:
      - { path: /cart, pathType: Exact, backend: { service: { name: exact, port: { number: 80 } } } }
      - { path: /cart, pathType: Prefix, backend: { service: { name: prefix, port: { number: 80 } } } }
      - { path: /img/*, pathType: ImplementationSpecific, backend: { service: { name: specific, port: { number: 80 } } } }
  - host: '*.shop.example'
    http:
      paths:
      - { path: /, pathType: Prefix, backend: { service: { name: wildcard, port: { number: 80 } } } }
";
    let backends: String = ["fallback", "exact", "prefix", "specific", "wildcard"]
        .iter()
        .map(|name| echo(name, 1, reach))
        .collect();
    here.kubectl.apply(&(backends + ingress)).await.unwrap();
    let visitor = ingresses::address(&here.kubectl, "paths").await;
    for (url, deployment) in [
        ("http://shop.example/cart", "exact"),
        ("http://shop.example/cart/", "prefix"),
        ("http://shop.example/cart/items?page=2", "prefix"),
        ("http://shop.example/img/logo.png", "specific"),
        // A prefix is of path elements, not of characters.
        ("http://shop.example/carton", "fallback"),
        ("http://shop.example/", "fallback"),
        ("http://www.shop.example/cart", "wildcard"),
        ("http://other.example/cart", "fallback"),
    ] {
        visitor.served_by(deployment, url).await;
    }
}

#[tokio::test]
async fn two_certificates_over_node_ports() {
    two_certificates(Reach::NodePort).await;
}

#[tokio::test]
async fn two_certificates_over_pods() {
    two_certificates(Reach::Pods).await;
}

async fn two_certificates(reach: Reach) {
    let Some(here) = namespace(&format!("sni-{reach:?}").to_lowercase()).await else { return };
    let ingress = "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: sni }
spec:
  tls:
  - { hosts: [ one.example ], secretName: one }
  - { hosts: [ two.example ], secretName: two }
  rules:
  - host: one.example
    http: { paths: [ { path: /, pathType: Prefix, backend: { service: { name: first, port: { number: 80 } } } } ] }
  - host: two.example
    http: { paths: [ { path: /, pathType: Prefix, backend: { service: { name: second, port: { number: 80 } } } } ] }
";
    let secrets =
        tls_secret("one", &certificate("one.example")) + &tls_secret("two", &certificate("two.example"));
    let backends = echo("first", 1, reach) + &echo("second", 1, reach);
    here.kubectl.apply(&(backends + &secrets + ingress)).await.unwrap();
    let visitor = ingresses::address(&here.kubectl, "sni").await;
    visitor.served_by("first", "https://one.example/").await;
    visitor.served_by("second", "https://two.example/").await;
    assert_eq!(visitor.certificate("one.example").await.unwrap(), "one.example");
    assert_eq!(visitor.certificate("two.example").await.unwrap(), "two.example");
    // The first is the default.
    assert_eq!(visitor.certificate("").await.unwrap(), "one.example");
    redirects(&visitor).await;
}

async fn redirects(visitor: &Visitor) {
    let answer = visitor.get("http://two.example/path?query=1").await.unwrap();
    assert_eq!(answer.status, 301);
    assert_eq!(answer.location.as_deref(), Some("https://two.example/path?query=1"));
}
