use serde_json::json;

use super::world::*;
use crate::ingress::PRE_SHARED_CERT;
use crate::model::{
    Certificates, ForeignFacts, ForeignHeld, ForeignId, ForeignKind, Kind, Lookup, SslCertificate,
    TargetHttpsProxy,
};
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
    let serves = vec![(Some(key("old")), name("the-old-one")), (Some(key("kept")), name("an-older-one"))];
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

const PRE_SHARED: &str = "metadata.annotations[ingress.gcp.kubernetes.io/pre-shared-cert]";

/// Translates an Ingress that names these certificates of the cloud, and these Secrets.
fn pre_shared(snapshot: &mut Snapshot, names: &str, secrets: &[&str]) -> Translation {
    let tls: Vec<_> = secrets.iter().map(|secret| json!({"secretName": secret})).collect();
    let spec = json!({"defaultBackend": to("web"), "tls": tls});
    add_ingress(snapshot, "test", json!({PRE_SHARED_CERT: names}), spec);
    crate::translate::translate(snapshot)
}

fn id(text: &str) -> ForeignId {
    ForeignId::global(ForeignKind::SslCertificate, name(text))
}

fn know(snapshot: &mut Snapshot, name: &str, lookup: Lookup) {
    let ForeignHeld::Known(known) = &mut snapshot.held.foreign else { panic!("{:?}", snapshot.held.foreign) };
    known.insert(id(name), lookup);
}

fn exists(snapshot: &mut Snapshot, names: &[&str]) {
    for name in names {
        know(snapshot, name, Lookup::Found(ForeignFacts::Exists));
    }
}

#[test]
fn certificates_of_the_cloud_come_first_in_their_order_and_each_once() {
    let mut snapshot = world();
    add_secret(&mut snapshot, "tls", VALID);
    exists(&mut snapshot, &["a", "b"]);
    let translation = pre_shared(&mut snapshot, " b, a,,b ", &["tls"]);
    assert_eq!(problems(&translation), []);
    let names = served(&translation);
    assert_eq!(names[..2], ["b", "a"]);
    assert!(names.len() == 3 && names[2].starts_with("gclb1-0a1b2c3d-default-tls-"), "{names:?}");
    assert_eq!(count(&translation, Kind::SslCertificate), 1, "only the Secret's is ours");
    assert_eq!(translation.lookups, [id("a"), id("b")].into());

    let alone = pre_shared(&mut snapshot, "a", &[]);
    assert_eq!((served(&alone), ports(&alone), problems(&alone)), (vec!["a"], vec![80, 443], vec![]));
    assert_eq!(crate::plan::dangling(&alone.desired), []);
}

#[test]
fn one_that_is_missing_costs_only_itself() {
    let mut snapshot = world();
    exists(&mut snapshot, &["a"]);
    know(&mut snapshot, "gone", Lookup::Missing);
    let translation = pre_shared(&mut snapshot, "gone,a,Wrong", &[]);
    assert_eq!(served(&translation), ["a"]);
    let missing = (Severity::Degraded, Reason::PreSharedCertificateNotFound, PRE_SHARED);
    assert_eq!(
        problems(&translation),
        [missing, (Severity::Degraded, Reason::AnnotationInvalid, PRE_SHARED)]
    );

    let translation = pre_shared(&mut snapshot, "gone", &[]);
    assert_eq!((ports(&translation), problems(&translation)), (vec![80], vec![missing]));
    // What is served until now stays until it comes.
    let serves = vec![(None, name("before"))];
    snapshot.held.certificates.by_load_balancer.insert(load_balancer("test"), serves);
    let translation = pre_shared(&mut snapshot, "gone", &[]);
    assert_eq!((served(&translation), ports(&translation)), (vec!["before"], vec![80, 443]));
    let translation = pre_shared(&mut snapshot, "Wrong", &[]);
    assert_eq!(
        (served(&translation), ports(&translation)),
        (vec!["before"], vec![80, 443]),
        "a slip of the pen"
    );
    exists(&mut snapshot, &["gone"]);
    assert_eq!(served(&pre_shared(&mut snapshot, "gone", &[])), ["gone"]);
}

#[test]
fn what_cannot_be_looked_up_changes_nothing() {
    for lookup in [None, Some(Lookup::Failed { why: "no right to".to_owned() })] {
        let mut snapshot = world();
        if let Some(lookup) = lookup {
            know(&mut snapshot, "a", lookup.clone());
            know(&mut snapshot, "b", lookup);
        }
        // What is served is there.
        let serves = vec![(None, name("b")), (None, name("a"))];
        snapshot.held.certificates.by_load_balancer.insert(load_balancer("test"), serves);
        let translation = pre_shared(&mut snapshot, "b,a", &[]);
        assert_eq!((served(&translation), problems(&translation)), (vec!["b", "a"], vec![]));
        // And of one that is not, nothing takes the place of what is.
        let translation = pre_shared(&mut snapshot, "c", &[]);
        assert_eq!(served(&translation), ["b", "a"]);
        assert_eq!(problems(&translation), [(Severity::Degraded, Reason::NotLookedUp, PRE_SHARED)]);
    }
    let mut snapshot = world();
    snapshot.held.foreign = ForeignHeld::Assumed;
    let translation = pre_shared(&mut snapshot, "a", &[]);
    assert_eq!(served(&translation), ["a"]);
    assert_eq!(problems(&translation), [(Severity::Note, Reason::NotLookedUp, PRE_SHARED)]);
}

#[test]
fn certificates_of_the_cloud_count_towards_the_limit() {
    let mut snapshot = world();
    let names: Vec<String> = (0..14).map(|n| format!("cert-{n:02}")).collect();
    exists(&mut snapshot, &names.iter().map(String::as_str).collect::<Vec<_>>());
    for secret in ["tls-a", "tls-b"] {
        add_secret(&mut snapshot, secret, VALID);
    }
    let translation = pre_shared(&mut snapshot, &names.join(","), &["tls-a", "tls-b"]);
    assert_eq!(problems(&translation), [(Severity::Degraded, Reason::TooManyCertificates, "spec.tls")]);
    assert!(problems_of(&translation)[0].message.contains("left out: default/tls-b."));
    assert_eq!(served(&translation).len(), Certificates::MAX);
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
