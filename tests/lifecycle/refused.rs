//! What is refused before it costs anything: by the API server, by the limits of a URL map; and what is none of our business.

use std::fmt::Write as _;

use controlplane::wait::eventually;

use crate::ingresses;
use crate::manifests::{Reach, echo};
use crate::shared::namespace;

#[tokio::test]
async fn the_api_server_refuses_bad_hosts_and_paths_itself() {
    let Some(here) = namespace("refused").await else { return };
    let ingress = |host: &str, path: &str| {
        format!(
            "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{ name: refused }}
spec:
  rules:
  - host: '{host}'
    http: {{ paths: [ {{ path: '{path}', pathType: Prefix, backend: {{ service: {{ name: web, port: {{ number: 80 }} }} }} }} ] }}
"
        )
    };
    let refusal = |host: &'static str, path: &'static str| {
        let (kubectl, manifest) = (here.kubectl.clone(), ingress(host, path));
        async move { kubectl.apply(&manifest).await.unwrap_err().to_string() }
    };
    let bad_host = refusal("Shop_Example", "/").await;
    assert!(bad_host.contains("spec.rules[0].host"), "{bad_host}");
    let bad_path = refusal("shop.example", "cart").await;
    assert!(
        bad_path.contains("spec.rules[0].http.paths[0].path")
            && bad_path.contains("must be an absolute path"),
        "{bad_path}"
    );
}

#[tokio::test]
async fn an_ingress_of_another_class_is_left_alone() {
    let Some(here) = namespace("other-class").await else { return };
    let manifests = "
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: { name: somebody-else }
spec: { controller: example.com/ingress }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: theirs }
spec:
  ingressClassName: somebody-else
  defaultBackend: { service: { name: web, port: { number: 80 } } }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: ours }
spec:
  defaultBackend: { service: { name: web, port: { number: 80 } } }
";
    here.kubectl.apply(&(manifests.to_owned() + "---" + &echo("web", 1, Reach::NodePort))).await.unwrap();
    // The one after it is served, so the controller has seen the other too.
    let visitor = ingresses::address(&here.kubectl, "ours").await;
    visitor.served_by("web", "http://shop.example/").await;
    let theirs = here.kubectl.run(&["get", "ing", "theirs", "-o", "json"]).await.unwrap();
    assert!(!theirs.contains("gclb"), "{theirs}");
    assert_eq!(ingresses::events(&here.kubectl, "theirs").await.unwrap(), "");

    // One that leaves our class is given up: its load balancer and our marks on it go.
    let patch = r#"{"spec":{"ingressClassName":"somebody-else"}}"#;
    here.kubectl.run(&["patch", "ing", "ours", "--type=merge", "--patch", patch]).await.unwrap();
    eventually("the load balancer to be gone", || async {
        match visitor.get("http://shop.example/").await {
            Ok(answer) => Err(format!("{answer:?}")),
            Err(_) => Ok(()),
        }
    })
    .await;
    eventually("the finalizer to be gone", || async {
        let finalizers = ingresses::field(&here.kubectl, "ours", "{.metadata.finalizers}").await?;
        if finalizers.is_empty() { Ok(()) } else { Err(finalizers) }
    })
    .await;
}

#[tokio::test]
async fn rules_past_the_limit_leave_the_load_balancer_as_it_is() {
    let Some(here) = namespace("too-large").await else { return };
    let manifest = |extra: &str| {
        format!(
            "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{ name: large }}
spec:
  rules:
  - host: shop.example
    http:
      paths:
      - {{ path: /, pathType: Prefix, backend: {{ service: {{ name: web, port: {{ number: 80 }} }} }} }}
{extra}"
        )
    };
    here.kubectl.apply(&echo("web", 1, Reach::NodePort)).await.unwrap();
    // On the server's side: otherwise kubectl keeps a copy of it in an annotation, which has limits of its own.
    let apply = |manifest: String| {
        let kubectl = here.kubectl.clone();
        async move { kubectl.run_with_input(&["apply", "--server-side", "-f", "-"], &manifest).await.unwrap() }
    };
    apply(manifest("")).await;
    let visitor = ingresses::address(&here.kubectl, "large").await;
    visitor.served_by("web", "http://shop.example/").await;

    let mut paths = String::new();
    // Long paths: what counts on the way to etcd is the same as what counts in the URL map, and etcd takes 1.5 MB.
    for number in 0..1300 {
        writeln!(
            paths,
            "      - {{ path: /{number:0900}, pathType: Exact, backend: {{ service: {{ name: web, port: {{ number: 80 }} }} }} }}"
        )
        .unwrap();
    }
    apply(manifest(&paths)).await;
    ingresses::warns(&here.kubectl, "large", "UrlMapTooLarge", &["spec.rules", "1024 KB"]).await;
    visitor.served_by("web", "http://shop.example/").await;

    apply(manifest("")).await;
    eventually("the refusal to be taken back", || async {
        let status =
            ingresses::field(&here.kubectl, "large", r"{.metadata.annotations.gclb\.dev/status}").await?;
        if status.contains("UrlMapTooLarge") { Err(status) } else { Ok(()) }
    })
    .await;
}
