//! What somebody made in the project himself: an address that was reserved, a certificate that was uploaded. It is used, and it is there
//! when the Ingress has gone.

use controlplane::wait::eventually;
use reqwest::Method;
use serde_json::{Value, json};

use crate::ingresses;
use crate::manifests::{Reach, certificate, echo, tls_secret};
use crate::shared::{Namespace, namespace};

fn path(here: &Namespace, collection: &str, name: &str) -> String {
    let project = &here.world.cluster().nodes()[0].project;
    format!("/compute/v1/projects/{project}/global/{collection}/{name}")
}

/// Makes something in the project, as a person would.
async fn make(here: &Namespace, collection: &str, body: &Value) -> Value {
    let name = body["name"].as_str().unwrap();
    let list = path(here, collection, "");
    here.world.emulator().ask(Method::POST, list.trim_end_matches('/'), Some(body)).await.unwrap();
    let what = format!("{collection} {name} to be made");
    eventually(&what, || async {
        here.world
            .emulator()
            .ask(Method::GET, &path(here, collection, name), None)
            .await
            .map_err(|e| e.to_string())
    })
    .await
}

async fn is_there(here: &Namespace, collection: &str, name: &str) -> bool {
    here.world.emulator().ask(Method::GET, &path(here, collection, name), None).await.is_ok()
}

/// Waits until nothing of this namespace's load balancers is left.
async fn gone(here: &Namespace) {
    let ours = format!("\"ingress/{}/", here.name);
    eventually("the load balancer to be gone", || async {
        let held = here.world.emulator().holdings().await.map_err(|error| error.to_string())?;
        let left: Vec<&String> = held
            .iter()
            .filter(|(_, body)| body["description"].as_str().is_some_and(|text| text.contains(&ours)))
            .map(|(path, _)| path)
            .collect();
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
    })
    .await;
}

fn ingress(name: &str, annotations: &str) -> String {
    format!(
        "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{ name: {name}, annotations: {{ {annotations} }} }}
spec:
  defaultBackend: {{ service: {{ name: web, port: {{ number: 80 }} }} }}
---
"
    )
}

#[tokio::test]
async fn an_address_that_comes_later_is_used_and_stays() {
    let Some(here) = namespace("reserved-address").await else { return };
    let named = ingress("shop", "kubernetes.io/ingress.global-static-ip-name: shop-lifecycle-ip");
    here.kubectl.apply(&(echo("web", 1, Reach::Pods) + &named)).await.unwrap();
    let parts = ["shop-lifecycle-ip", "global-static-ip-name", "gcloud compute addresses create"];
    ingresses::warns(&here.kubectl, "shop", "StaticAddressNotFound", &parts).await;
    // Nothing is half-made.
    gone(&here).await;

    let address = make(&here, "addresses", &json!({"name": "shop-lifecycle-ip"})).await;
    let visitor = ingresses::address(&here.kubectl, "shop").await;
    assert_eq!(Some(visitor.address()), address["address"].as_str());
    visitor.served_by("web", "http://shop.example/").await;

    here.kubectl.run(&["delete", "ingress", "shop", "--wait=true"]).await.unwrap();
    gone(&here).await;
    assert!(is_there(&here, "addresses", "shop-lifecycle-ip").await, "it is not ours to give back");
}

#[tokio::test]
async fn a_load_balancer_moves_to_another_address_by_consent() {
    let Some(here) = namespace("moved-address").await else { return };
    let address = make(&here, "addresses", &json!({"name": "moved-lifecycle-ip"})).await;
    here.kubectl.apply(&(echo("web", 1, Reach::Pods) + &ingress("shop", ""))).await.unwrap();
    let before = ingresses::address(&here.kubectl, "shop").await;
    before.served_by("web", "http://shop.example/").await;

    let annotate = async |annotation: &str| {
        here.kubectl.run(&["annotate", "--overwrite", "ingress", "shop", annotation]).await.unwrap();
    };
    annotate("kubernetes.io/ingress.global-static-ip-name=moved-lifecycle-ip").await;
    ingresses::warns(&here.kubectl, "shop", "OutageNeedsConsent", &["moved-lifecycle-ip"]).await;
    before.served_by("web", "http://shop.example/").await;
    let events = ingresses::events(&here.kubectl, "shop").await.unwrap();
    let asked = "gclb.dev/allow-outage: \"";
    let word = events.split_once(asked).unwrap().1.split_once('"').unwrap().0;

    annotate(&format!("gclb.dev/allow-outage={word}")).await;
    let after = eventually("the new address to be told", || async {
        let visitor = ingresses::address(&here.kubectl, "shop").await;
        if Some(visitor.address()) == address["address"].as_str() {
            Ok(visitor)
        } else {
            Err(visitor.address().to_owned())
        }
    })
    .await;
    after.served_by("web", "http://shop.example/").await;
    eventually("the address that it had to be given back", || async {
        let held = here.world.emulator().holdings().await.map_err(|error| error.to_string())?;
        let ours = format!("\"ingress/{}/", here.name);
        let is_left = |(path, body): (&String, &Value)| {
            path.contains("/addresses/")
                && body["description"].as_str().is_some_and(|text| text.contains(&ours))
        };
        if held.iter().any(is_left) { Err("it is still there".to_owned()) } else { Ok(()) }
    })
    .await;

    // To name it no longer changes nothing.
    annotate("kubernetes.io/ingress.global-static-ip-name-").await;
    here.kubectl.apply(&tls_secret("tls", &certificate("shop.example"))).await.unwrap();
    let patch = r#"{"spec": {"tls": [{"secretName": "tls"}]}}"#;
    here.kubectl.run(&["patch", "ingress", "shop", "--type=merge", "-p", patch]).await.unwrap();
    after.served_by("web", "https://shop.example/").await;
    assert_eq!(ingresses::address(&here.kubectl, "shop").await.address(), after.address());
}

#[tokio::test]
async fn a_certificate_that_was_uploaded_is_what_the_client_sees_and_stays() {
    let Some(here) = namespace("pre-shared").await else { return };
    let uploaded = certificate("uploaded.example");
    let body = json!({
        "name": "lifecycle-uploaded", "type": "SELF_MANAGED",
        "certificate": uploaded.certificate, "privateKey": uploaded.key,
    });
    make(&here, "sslCertificates", &body).await;
    let named = "ingress.gcp.kubernetes.io/pre-shared-cert: 'lifecycle-missing, lifecycle-uploaded'";
    let secret = tls_secret("tls", &certificate("secret.example"));
    here.kubectl.apply(&(echo("web", 1, Reach::Pods) + &secret + &ingress("shop", named))).await.unwrap();
    let visitor = ingresses::address(&here.kubectl, "shop").await;
    visitor.served_by("web", "https://uploaded.example/").await;
    visitor.answers(301, "http://uploaded.example/").await;
    assert_eq!(visitor.certificate("uploaded.example").await.unwrap(), "uploaded.example");
    ingresses::warns(&here.kubectl, "shop", "PreSharedCertificateNotFound", &["lifecycle-missing"]).await;

    // It comes first, so that it is what a client sees that names no host of either.
    let patch = r#"{"spec": {"tls": [{"secretName": "tls"}]}}"#;
    here.kubectl.run(&["patch", "ingress", "shop", "--type=merge", "-p", patch]).await.unwrap();
    eventually("the Secret's certificate to be served beside it", || async {
        let shown = visitor.certificate("secret.example").await?;
        if shown == "secret.example" { Ok(()) } else { Err(shown) }
    })
    .await;
    assert_eq!(visitor.certificate("").await.unwrap(), "uploaded.example");

    here.kubectl.run(&["delete", "ingress", "shop", "--wait=true"]).await.unwrap();
    gone(&here).await;
    assert!(is_there(&here, "sslCertificates", "lifecycle-uploaded").await, "it is not ours to delete");
}
