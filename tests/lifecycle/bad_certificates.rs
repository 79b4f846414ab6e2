//! Secrets that are not there, not yet, no longer, or hold nothing that could be served.

use controlplane::wait::eventually;

use crate::ingresses;
use crate::manifests::{Reach, certificate, echo, expired_certificate, secret, tls_secret};
use crate::shared::namespace;

const INGRESS: &str = "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: shop }
spec:
  tls: [ { secretName: tls } ]
  defaultBackend: { service: { name: web, port: { number: 80 } } }
";

#[tokio::test]
async fn a_secret_that_comes_later_and_goes_again() {
    let Some(here) = namespace("secret-later").await else { return };
    here.kubectl.apply(&(echo("web", 1, Reach::NodePort) + INGRESS)).await.unwrap();

    // Without it plain HTTP is served and not redirected, since there is nothing to redirect to.
    let visitor = ingresses::address(&here.kubectl, "shop").await;
    visitor.served_by("web", "http://shop.example/").await;
    assert!(visitor.get("https://shop.example/").await.is_err());
    let parts = ["secret-later/tls", "spec.tls[0]", "Create it"];
    ingresses::warns(&here.kubectl, "shop", "SecretNotFound", &parts).await;

    here.kubectl.apply(&tls_secret("tls", &certificate("first.example"))).await.unwrap();
    visitor.served_by("web", "https://shop.example/").await;
    visitor.answers(301, "http://shop.example/").await;
    assert_eq!(visitor.certificate("shop.example").await.unwrap(), "first.example");

    // The address stays: whoever had it in a name server keeps it.
    assert_eq!(ingresses::address(&here.kubectl, "shop").await.address(), visitor.address());

    // A renewed certificate takes the place of the old one.
    here.kubectl.apply(&tls_secret("tls", &certificate("second.example"))).await.unwrap();
    eventually("the renewed certificate to be shown", || async {
        let shown = visitor.certificate("shop.example").await?;
        if shown == "second.example" { Ok(()) } else { Err(shown) }
    })
    .await;

    // Without the Secret the last good certificate goes on being served.
    here.kubectl.run(&["delete", "secret", "tls"]).await.unwrap();
    eventually("the loss to be noticed", || async {
        let status =
            ingresses::field(&here.kubectl, "shop", r"{.metadata.annotations.gclb\.dev/status}").await?;
        if status.contains("SecretNotFound") { Ok(()) } else { Err(status) }
    })
    .await;
    visitor.served_by("web", "https://shop.example/").await;
    assert_eq!(visitor.certificate("shop.example").await.unwrap(), "second.example");
    visitor.answers(301, "http://shop.example/").await;
}

#[tokio::test]
async fn secrets_that_hold_no_usable_certificate_cost_only_themselves() {
    let Some(here) = namespace("secrets-bad").await else { return };
    let (good, other) = (certificate("good.example"), certificate("other.example"));
    let secrets = [
        tls_secret("good", &good),
        secret("keyless", &[("tls.crt", &other.certificate)]),
        secret("mismatched", &[("tls.crt", &other.certificate), ("tls.key", &good.key)]),
        tls_secret("expired", &expired_certificate("expired.example")),
    ]
    .concat();
    let ingress = "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: shop }
spec:
  tls: [ { secretName: good }, { secretName: keyless }, { secretName: mismatched }, { secretName: expired } ]
  defaultBackend: { service: { name: web, port: { number: 80 } } }
";
    here.kubectl.apply(&(echo("web", 1, Reach::NodePort) + &secrets + ingress)).await.unwrap();
    let visitor = ingresses::address(&here.kubectl, "shop").await;
    visitor.served_by("web", "https://good.example/").await;
    assert_eq!(visitor.certificate("good.example").await.unwrap(), "good.example");
    // What is wrong with them is said of each; one that is merely too old is served all the same.
    let (kubectl, warns) = (&here.kubectl, ingresses::warns);
    warns(kubectl, "shop", "SecretInvalid", &["secrets-bad/keyless", "spec.tls[1]", "tls.key"]).await;
    warns(kubectl, "shop", "SecretInvalid", &["secrets-bad/mismatched", "spec.tls[2]"]).await;
    warns(kubectl, "shop", "CertificateExpired", &["secrets-bad/expired", "spec.tls[3]", "2020"]).await;
    assert_eq!(visitor.certificate("expired.example").await.unwrap(), "expired.example");
}
