//! Where requests go changes, and with which certificate.

use controlplane::Kubectl;
use controlplane::wait::eventually;

use super::crowd::{Ask, Crowd};
use super::{Place, lasting, place, ready};
use crate::ingresses;
use crate::manifests::{Reach, certificate, tls_secret};
use crate::visitor::Visitor;

#[tokio::test]
#[ignore = "long: a cloud with slow operations"]
async fn a_certificate_is_rotated() {
    let Some(here) = place("rotation").await else { return };
    let ingress = "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web }
spec:
  tls: [ { secretName: tls } ]
  defaultBackend: { service: { name: web, port: { number: 80 } } }
";
    let secret = tls_secret("tls", &certificate("first.example"));
    here.kubectl.apply(&(lasting("web", 2, Reach::NodePort) + &secret + ingress)).await.unwrap();
    let visitor = ingresses::address(&here.kubectl, "web").await;
    ready(&here.kubectl, "web").await;
    let asks = vec![
        Ask::page("https://first.example/", &["web"]),
        Ask::page("https://second.example/", &["web"]),
        Ask::status("http://first.example/", &[301]),
    ];
    let crowd = Crowd::gather(&visitor, asks).await;
    for next in ["second.example", "third.example"] {
        here.kubectl.apply(&tls_secret("tls", &certificate(next))).await.unwrap();
        eventually(&format!("the certificate of {next} to be shown"), || async {
            let shown = visitor.certificate("first.example").await?;
            if shown == next { Ok(()) } else { Err(shown) }
        })
        .await;
        ready(&here.kubectl, "web").await;
    }
    crowd.leave().await;
}

/// An Ingress for `shop.example` with these paths, and with more below its spec.
fn shop(paths: &[(&str, &str, &str, &str)], more: &str) -> String {
    let paths: Vec<String> = paths
        .iter()
        .map(|(path, kind, service, port)| {
            format!("{{ path: {path}, pathType: {kind}, backend: {{ service: {{ name: {service}, port: {{ {port} }} }} }} }}")
        })
        .collect();
    format!(
        "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{ name: shop }}
spec:
{more}
  rules:
  - host: shop.example
    http: {{ paths: [ {} ] }}
",
        paths.join(", ")
    )
}

const NEW_HOST: &str = "
  - host: new.example
    http: { paths: [ { path: /, pathType: Prefix, backend: { service: { name: third, port: { number: 80 } } } } ] }
";

async fn change(here: &Place, visitor: &Visitor, ingress: &str, url: &str, deployment: &str) {
    here.kubectl.apply(ingress).await.unwrap();
    visitor.served_by(deployment, url).await;
    ready(&here.kubectl, "shop").await;
}

#[tokio::test]
#[ignore = "long: many changes, one after the other, on a cloud with slow operations"]
async fn routes_are_added_moved_and_removed() {
    let Some(here) = place("routes").await else { return };
    let all: String = ["first", "second", "third", "fourth", "fifth"]
        .iter()
        .zip([Reach::Pods, Reach::NodePort, Reach::Pods, Reach::Pods, Reach::NodePort])
        .map(|(name, reach)| lasting(name, 2, reach))
        .collect();
    let number = "number: 80";
    let root = ("/", "Prefix", "first", number);
    let api = ("/api", "Prefix", "second", number);
    here.kubectl.apply(&(all + &shop(&[root, api], ""))).await.unwrap();
    let visitor = ingresses::address(&here.kubectl, "shop").await;
    ready(&here.kubectl, "shop").await;
    let asks = vec![
        Ask::page("http://shop.example/", &["first"]),
        Ask::page("http://shop.example/api", &["second", "fourth"]),
        Ask::page("http://shop.example/deep", &["first", "fifth"]),
        Ask::page("http://shop.example/deep/down", &["first", "fifth"]),
        Ask::status("http://nobody.example/", &[404, 200]),
    ];
    let crowd = Crowd::gather(&visitor, asks).await;

    // A host more, with a Service that nothing led to.
    let with_host = shop(&[root, api], "") + NEW_HOST;
    change(&here, &visitor, &with_host, "http://new.example/", "third").await;
    // A path moves to another Service.
    let api = ("/api", "Prefix", "fourth", number);
    let moved = shop(&[root, api], "") + NEW_HOST;
    change(&here, &visitor, &moved, "http://shop.example/api", "fourth").await;
    // A path more, below one that was served already.
    let deep = ("/deep", "Prefix", "fifth", number);
    let deeper = shop(&[root, api, deep], "") + NEW_HOST;
    change(&here, &visitor, &deeper, "http://shop.example/deep/down", "fifth").await;
    // Another path type.
    let exact = shop(&[root, api, ("/deep", "Exact", "fifth", number)], "") + NEW_HOST;
    change(&here, &visitor, &exact, "http://shop.example/deep/down", "first").await;
    // The same port by its name, which is another backend service.
    let named = shop(&[("/", "Prefix", "first", "name: http"), api], "") + NEW_HOST;
    change(&here, &visitor, &named, "http://shop.example/deep", "first").await;
    // A default backend.
    let default = "  defaultBackend: { service: { name: third, port: { number: 80 } } }";
    let with_default = shop(&[("/", "Prefix", "first", "name: http"), api], default) + NEW_HOST;
    change(&here, &visitor, &with_default, "http://nobody.example/", "third").await;
    // A host less, and no default.
    here.kubectl.apply(&shop(&[root, api], "")).await.unwrap();
    visitor.answers(404, "http://new.example/").await;
    ready(&here.kubectl, "shop").await;

    let tally = crowd.leave().await;
    for deployment in ["first", "second", "fourth", "fifth"] {
        assert!(tally.of(deployment) > 0, "{deployment} never answered");
    }
}

#[tokio::test]
#[ignore = "long: a cloud with slow operations"]
async fn a_service_is_switched_to_pods_and_back() {
    let Some(here) = place("switch").await else { return };
    let ingress = "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web }
spec:
  defaultBackend: { service: { name: web, port: { number: 80 } } }
";
    here.kubectl.apply(&(lasting("web", 3, Reach::NodePort) + ingress)).await.unwrap();
    let visitor = ingresses::address(&here.kubectl, "web").await;
    ready(&here.kubectl, "web").await;
    let crowd = Crowd::gather(&visitor, vec![Ask::page("http://any.example/", &["web"])]).await;
    annotate(&here.kubectl, "cloud.google.com/neg={\"ingress\": true}").await;
    reached_through_a_node(&here, &visitor, false).await;
    ready(&here.kubectl, "web").await;
    annotate(&here.kubectl, "cloud.google.com/neg-").await;
    reached_through_a_node(&here, &visitor, true).await;
    ready(&here.kubectl, "web").await;
    crowd.leave().await;
}

async fn annotate(kubectl: &Kubectl, annotation: &str) {
    kubectl.run(&["annotate", "service", "web", "--overwrite", annotation]).await.unwrap();
}

/// Over a node port the pod sees its client at a node's address; directly it does not.
async fn reached_through_a_node(here: &Place, visitor: &Visitor, wanted: bool) {
    let nodes = here.world.cluster().nodes();
    let nodes: Vec<String> = nodes
        .iter()
        .filter_map(|node| controlplane::site::translate(node.address))
        .map(|address| address.to_string())
        .collect();
    eventually(&format!("pods to be reached through nodes: {wanted}"), || async {
        let page = visitor.get("http://any.example/").await?;
        let client = page.line("client_address").ok_or_else(|| format!("{page:?}"))?;
        if nodes.iter().any(|node| node == client) == wanted { Ok(()) } else { Err(client.to_owned()) }
    })
    .await;
}

#[tokio::test]
#[ignore = "long: a cloud with slow operations"]
async fn a_group_is_joined_and_left() {
    let Some(here) = place("group").await else { return };
    let member = |name: &str, group: &str| {
        format!(
            "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{ name: {name}, annotations: {{ {group} }} }}
spec:
  rules:
  - host: {name}.example
    http: {{ paths: [ {{ path: /, pathType: Prefix, backend: {{ service: {{ name: {name}, port: {{ number: 80 }} }} }} }} ] }}
---
"
        )
    };
    let in_group = "gclb.dev/group: shops";
    let pods: String = ["one", "two"].iter().map(|name| lasting(name, 2, Reach::Pods)).collect();
    here.kubectl.apply(&(pods + &member("one", in_group))).await.unwrap();
    let visitor = ingresses::address(&here.kubectl, "one").await;
    ready(&here.kubectl, "one").await;
    let crowd = Crowd::gather(&visitor, vec![Ask::page("http://one.example/", &["one"])]).await;
    for _ in 0..2 {
        here.kubectl.apply(&member("two", in_group)).await.unwrap();
        visitor.served_by("two", "http://two.example/").await;
        ready(&here.kubectl, "two").await;
        here.kubectl.run(&["delete", "ing", "two", "--timeout=60s"]).await.unwrap();
        visitor.answers(404, "http://two.example/").await;
        ready(&here.kubectl, "one").await;
    }
    crowd.leave().await;
}
