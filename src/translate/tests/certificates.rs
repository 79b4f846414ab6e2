use serde_json::json;

use super::world::*;
use crate::model::{Certificates, Kind, SslCertificate, TargetHttpsProxy};
use crate::problem::{Reason, Severity};
use crate::snapshot::Snapshot;
use crate::translate::{Disposition, Translation};

const VALID: &str = "2027-01-01T00:00:00Z";

/// Translates an Ingress that names these Secrets.
fn with_secrets(snapshot: &mut Snapshot, secrets: &[&str]) -> Translation {
    let tls: Vec<_> = secrets.iter().map(|secret| json!({"secretName": secret})).collect();
    translated(snapshot, json!({"defaultBackend": to("web"), "tls": tls}))
}

/// The names of the certificates that are served, in order.
fn served(translation: &Translation) -> Vec<&str> {
    only::<TargetHttpsProxy>(translation).certificates.iter().map(|c| c.name().as_str()).collect()
}

fn ports(translation: &Translation) -> Vec<u16> {
    frontends(translation).forwarding_rules.iter().map(|rule| at(translation, rule).port).collect()
}

fn hold(snapshot: &mut Snapshot, secret: &str, certificate: &str) {
    snapshot.held.certificates.by_secret.insert(key(secret), name(certificate));
}

#[test]
fn the_order_is_that_of_the_object_and_the_name_follows_the_content() {
    let mut snapshot = world();
    for secret in ["b", "a"] {
        add_secret(&mut snapshot, secret, VALID);
    }
    let translation = with_secrets(&mut snapshot, &["b", "a"]);
    assert_eq!(problems(&translation), []);
    let names = served(&translation);
    assert!(names[0].starts_with("gclb1-0a1b2c3d-default-b-"), "{names:?}");
    assert!(names[1].starts_with("gclb1-0a1b2c3d-default-a-"), "{names:?}");
    assert_eq!(ports(&translation), [80, 443]);
}

#[test]
fn a_missing_first_certificate_leaves_plain_http() {
    let mut snapshot = world();
    let translation = with_secrets(&mut snapshot, &["tls"]);
    assert_eq!(
        problems(&translation),
        [(Severity::Degraded, Reason::SecretNotFound, "spec.tls[0].secretName")]
    );
    assert_eq!(ports(&translation), [80]);
    assert_eq!(count(&translation, Kind::UrlMap), 1, "no redirect");

    spoil_secret(&mut snapshot, "tls");
    let translation = with_secrets(&mut snapshot, &["tls"]);
    assert_eq!(
        problems(&translation),
        [(Severity::Degraded, Reason::SecretInvalid, "spec.tls[0].secretName")]
    );
    let message = &problems_of(&translation)[0].message;
    assert!(message.contains("its tls.key does not belong to its tls.crt"), "{message}");
    assert_eq!(ports(&translation), [80]);

    add_secret(&mut snapshot, "tls", VALID);
    let translation = with_secrets(&mut snapshot, &["tls"]);
    assert_eq!(problems(&translation), []);
    assert_eq!(ports(&translation), [80, 443]);
}

#[test]
fn a_lost_secret_keeps_its_last_certificate() {
    for spoil in [false, true] {
        let mut snapshot = world();
        hold(&mut snapshot, "tls", "the-last-good-one");
        if spoil {
            spoil_secret(&mut snapshot, "tls");
        }
        let translation = with_secrets(&mut snapshot, &["tls"]);
        let reason = if spoil { Reason::SecretInvalid } else { Reason::SecretNotFound };
        assert_eq!(problems(&translation), [(Severity::Degraded, reason, "spec.tls[0].secretName")]);
        assert!(problems_of(&translation)[0].message.contains("stays in use"));
        assert_eq!(served(&translation), ["the-last-good-one"]);
        assert_eq!(ports(&translation), [80, 443]);
        assert_eq!(count(&translation, Kind::SslCertificate), 0, "nothing is uploaded");
    }
}

#[test]
fn a_renewed_certificate_is_another_one() {
    let mut snapshot = world();
    hold(&mut snapshot, "tls", "the-old-one");
    add_secret(&mut snapshot, "tls", VALID);
    let translation = with_secrets(&mut snapshot, &["tls"]);
    assert_eq!(problems(&translation), []);
    assert_eq!(count(&translation, Kind::SslCertificate), 1);
    assert_ne!(served(&translation), ["the-old-one"]);
    let _: &SslCertificate = only(&translation);
}

#[test]
fn a_secret_that_is_still_to_come_takes_nothing_away() {
    // The Ingress used to name the Secret `old` and was edited to name `new`, which a certificate issuer has yet to write.
    let mut snapshot = world();
    let serves = vec![(key("old"), name("the-old-one")), (key("kept"), name("an-older-one"))];
    snapshot.held.certificates.by_load_balancer.insert(load_balancer("test"), serves);
    let translation = with_secrets(&mut snapshot, &["new"]);
    assert_eq!(served(&translation), ["the-old-one", "an-older-one"]);
    assert_eq!(ports(&translation), [80, 443]);

    add_secret(&mut snapshot, "kept", VALID);
    let translation = with_secrets(&mut snapshot, &["kept", "new"]);
    let names = served(&translation);
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names[0].starts_with("gclb1-0a1b2c3d-default-kept-"), "{names:?}");
    assert_eq!(names[1], "the-old-one", "only what is not asked for any more is kept beside");

    add_secret(&mut snapshot, "new", VALID);
    let translation = with_secrets(&mut snapshot, &["kept", "new"]);
    assert_eq!(problems(&translation), []);
    assert_eq!(served(&translation).len(), 2);
    assert!(!served(&translation).contains(&"the-old-one"));
}

#[test]
fn where_plain_http_is_refused_a_missing_certificate_changes_nothing() {
    let mut snapshot = world();
    add_ingress(
        &mut snapshot,
        "test",
        json!({"gclb.dev/allow-http": "false"}),
        json!({"defaultBackend": to("web"), "tls": [{"secretName": "tls"}]}),
    );
    let translation = crate::translate::translate(&snapshot);
    assert_eq!(test_of(&translation).disposition, Disposition::Keep);
    assert_eq!(
        problems(&translation),
        [(Severity::Rejected, Reason::SecretNotFound, "spec.tls[0].secretName")]
    );
    assert_eq!(count(&translation, Kind::ForwardingRule), 0);
    assert_eq!(count(&translation, Kind::BackendService), 1, "what it uses stays");

    add_secret(&mut snapshot, "tls", VALID);
    let translation = crate::translate::translate(&snapshot);
    assert_eq!(problems(&translation), []);
    assert_eq!(ports(&translation), [443]);
}

#[test]
fn an_expired_certificate_is_served_and_said() {
    let mut snapshot = world();
    add_secret(&mut snapshot, "tls", "2026-06-01T00:00:00Z");
    let translation = with_secrets(&mut snapshot, &["tls"]);
    assert_eq!(
        problems(&translation),
        [(Severity::Warning, Reason::CertificateExpired, "spec.tls[0].secretName")]
    );
    assert_eq!(ports(&translation), [80, 443]);
}

#[test]
fn more_certificates_than_a_proxy_takes() {
    let mut snapshot = world();
    let secrets: Vec<String> = (0..17).map(|n| format!("tls-{n:02}")).collect();
    for secret in &secrets {
        add_secret(&mut snapshot, secret, VALID);
    }
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
    let translation = with_secrets(&mut snapshot, &secrets);
    assert_eq!(problems(&translation), [(Severity::Degraded, Reason::TooManyCertificates, "spec.tls")]);
    let message = &problems_of(&translation)[0].message;
    assert!(message.contains("left out: default/tls-15, default/tls-16"), "{message}");
    assert_eq!(served(&translation).len(), Certificates::MAX);
    assert_eq!(count(&translation, Kind::SslCertificate), Certificates::MAX, "none is uploaded in vain");
}
