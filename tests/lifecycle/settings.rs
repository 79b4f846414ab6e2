//! What BackendConfigs and FrontendConfigs ask for, as clients meet it.

use controlplane::wait::eventually;
use reqwest::Method;
use reqwest::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use serde_json::json;

use crate::ingresses;
use crate::manifests::{Reach, certificate, echo, tls_secret};
use crate::shared::{Namespace, namespace};
use crate::visitor::{Answer, Visitor};

const INGRESS: &str = "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: shop }
spec:
  defaultBackend: { service: { name: web, port: { number: 80 } } }
---
";

/// A Service of several pods that names a BackendConfig.
fn web(replicas: u32) -> String {
    let web = echo("web", replicas, Reach::Pods);
    web.replace(
        "annotations: { ",
        "annotations: { cloud.google.com/backend-config: '{\"default\": \"web\"}', ",
    )
}

fn config(spec: &str) -> String {
    format!(
        "apiVersion: cloud.google.com/v1\nkind: BackendConfig\nmetadata: {{ name: web }}\nspec: {{ {spec} }}\n---\n"
    )
}

fn set_cookie(answer: &Answer) -> Option<&str> {
    answer.headers.get(SET_COOKIE)?.to_str().ok()?.split(';').next()
}

async fn until(visitor: &Visitor, what: &str, holds: impl Fn(&Answer) -> bool) -> Answer {
    eventually(what, || async {
        let answer = visitor.get("http://shop.example/").await?;
        if holds(&answer) { Ok(answer) } else { Err(format!("{answer:?}")) }
    })
    .await
}

#[tokio::test]
async fn headers_are_set_and_a_cookie_sticks_and_both_are_reset() {
    let Some(here) = namespace("settings").await else { return };
    let kubectl = &here.kubectl;
    let asked = "sessionAffinity: { affinityType: GENERATED_COOKIE, affinityCookieTtlSec: 3600 }, \
                 customRequestHeaders: { headers: [ \"X-Shop: {client_region}-eu\" ] }, \
                 customResponseHeaders: { headers: [ \"X-Served: by gclb\" ] }";
    kubectl.apply(&(config(asked) + &web(3) + INGRESS)).await.unwrap();
    let visitor = ingresses::address(kubectl, "shop").await;
    let first =
        until(&visitor, "the header to arrive", |answer| answer.headers.contains_key("x-served")).await;
    assert_eq!(first.headers["x-served"], "by gclb");
    assert!(first.body.to_lowercase().contains("x-shop"), "{first:?}");

    let all = |pods: usize| {
        let visitor = &visitor;
        eventually("every pod to be asked without a cookie", move || async move {
            let mut seen = std::collections::BTreeSet::new();
            for _ in 0..30 {
                seen.insert(pod(&visitor.get("http://shop.example/").await?));
            }
            if seen.len() == pods { Ok(()) } else { Err(format!("{seen:?}")) }
        })
    };
    all(3).await;
    let handed_out =
        until(&visitor, "a cookie to be handed out", |answer| set_cookie(answer).is_some()).await;
    let mut cookie = HeaderMap::new();
    cookie.insert(COOKIE, HeaderValue::from_str(set_cookie(&handed_out).unwrap()).unwrap());
    for _ in 0..20 {
        let again = visitor.get_with("http://shop.example/", cookie.clone()).await.unwrap();
        assert_eq!(pod(&again), pod(&handed_out), "the cookie leads to the same pod");
    }

    // What is taken out of the object is gone.
    kubectl.apply(&config("timeoutSec: 20")).await.unwrap();
    until(&visitor, "the settings to be reset", |answer| {
        !answer.headers.contains_key("x-served") && set_cookie(answer).is_none()
    })
    .await;
}

fn pod(answer: &Answer) -> String {
    answer.line("pod").unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_denied_address_gets_403_and_a_lost_config_lets_nobody_in() {
    let Some(here) = namespace("guarded").await else { return };
    let kubectl = &here.kubectl;
    policy(&here, "shop-armor", "127.0.0.1/32").await;
    kubectl.apply(&(config("securityPolicy: { name: shop-armor }") + &web(1) + INGRESS)).await.unwrap();
    let visitor = ingresses::address(kubectl, "shop").await;
    visitor.answers(403, "http://shop.example/").await;

    // A config that is lost, or cannot be used, takes no protection away; and says what to do.
    kubectl.run(&["delete", "backendconfig", "web"]).await.unwrap();
    ingresses::warns(kubectl, "shop", "BackendConfigNotFound", &["guarded/web", "Create it"]).await;
    assert_eq!(visitor.get("http://shop.example/").await.unwrap().status, 403);

    // Meanwhile all else is followed.
    let more = echo("other", 1, Reach::Pods)
        + "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: shop }
spec:
  defaultBackend: { service: { name: web, port: { number: 80 } } }
  rules:
  - http: { paths: [ { path: /other, pathType: Prefix, backend: { service: { name: other, port: { number: 80 } } } } ] }
";
    kubectl.apply(&more).await.unwrap();
    visitor.served_by("other", "http://shop.example/other").await;
    assert_eq!(visitor.get("http://shop.example/").await.unwrap().status, 403);

    kubectl.apply(&config("timeoutSec: 20")).await.unwrap();
    visitor.served_by("web", "http://shop.example/").await;
}

/// A security policy of the project that denies these addresses.
async fn policy(here: &Namespace, name: &str, denied: &str) {
    let body = json!({
        "name": name,
        "rules": [
            {"priority": 1000, "action": "deny(403)", "match": {
                "versionedExpr": "SRC_IPS_V1", "config": {"srcIpRanges": [denied]}}},
            {"priority": 2_147_483_647, "action": "allow", "match": {
                "versionedExpr": "SRC_IPS_V1", "config": {"srcIpRanges": ["*"]}}},
        ],
    });
    let path = "/compute/v1/projects/demo/global/securityPolicies";
    here.world.emulator().ask(Method::POST, path, Some(&body)).await.unwrap();
}

#[tokio::test]
async fn a_frontend_config_redirects_and_chooses_the_versions_of_tls() {
    let Some(here) = namespace("frontends").await else { return };
    let kubectl = &here.kubectl;
    let path = "/compute/v1/projects/demo/global/sslPolicies";
    let strict = json!({"name": "strict", "profile": "RESTRICTED", "minTlsVersion": "TLS_1_3"});
    here.world.emulator().ask(Method::POST, path, Some(&strict)).await.unwrap();
    let frontend = |spec: &str| {
        format!(
            "apiVersion: networking.gke.io/v1beta1\nkind: FrontendConfig\nmetadata: {{ name: strict }}\nspec: {{ {spec} }}\n---\n"
        )
    };
    let ingress = "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: shop, annotations: { networking.gke.io/v1beta1.FrontendConfig: strict } }
spec:
  tls: [ { secretName: shop-tls } ]
  defaultBackend: { service: { name: web, port: { number: 80 } } }
";
    let secret = tls_secret("shop-tls", &certificate("shop.example"));
    let asked = frontend(
        "sslPolicy: strict, redirectToHttps: { enabled: true, responseCodeName: PERMANENT_REDIRECT }",
    );
    kubectl.apply(&(asked + &secret + &echo("web", 1, Reach::Pods) + ingress)).await.unwrap();
    let visitor = ingresses::address(kubectl, "shop").await;
    visitor.answers(308, "http://shop.example/").await;
    visitor.served_by("web", "https://shop.example/").await;
    let (old, new) = ("tls1_2", "tls1_3");
    eventually("TLS 1.2 to be refused and 1.3 to be taken", || async {
        match (visitor.speaks(old).await, visitor.speaks(new).await) {
            (false, true) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;

    kubectl.apply(&frontend("redirectToHttps: { enabled: false }")).await.unwrap();
    visitor.served_by("web", "http://shop.example/").await;
    eventually("TLS 1.2 to be taken again", || async {
        if visitor.speaks(old).await { Ok(()) } else { Err("it is refused".to_owned()) }
    })
    .await;
}
