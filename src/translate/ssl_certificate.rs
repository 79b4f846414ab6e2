//! The certificates of a load balancer.
//!
//! What is served once is not given up for want of something better. Where a Secret is lost or spoiled, the certificate of it that
//! the cloud already has stays in use. Where a Secret has never been there, such as one that is still to be issued, whatever the load
//! balancer serves now stays beside the certificates that can be had.

use std::collections::{BTreeMap, BTreeSet};

use crate::load_balancer::{self, LoadBalancer, Place, PlainHttp};
use crate::model::{
    CertificateFingerprint, Certificates, Holder, ObjectKey, Ref, ResourceName, Scope, SslCertificate,
};
use crate::naming;
use crate::snapshot;

use super::Findings;
use super::draft::Draft;
use crate::problem::{Problem, Reason, Severity};

/// Where a certificate comes from.
enum Found<'a> {
    /// The Secret; it may have to be uploaded.
    Secret(&'a CertificateFingerprint),
    /// The cloud, which has it already.
    Held(&'a ResourceName),
}

/// A certificate to serve.
struct Serving<'a> {
    secret: &'a ObjectKey,
    found: Found<'a>,
    /// Where it is asked for, if it still is.
    place: Option<&'a Place>,
}

impl<'a> Serving<'a> {
    const fn asked(certificate: &'a load_balancer::Certificate, found: Found<'a>) -> Self {
        Self { secret: &certificate.secret, found, place: Some(&certificate.place) }
    }
}

/// Why a Secret yields no certificate.
struct Fault {
    reason: Reason,
    what: String,
    remedy: &'static str,
}

/// The certificates to serve, in order, the default first. `None` where there are none at all.
pub(super) fn draw(
    draft: &mut Draft<'_>,
    description: &LoadBalancer,
    asked: &[load_balancer::Certificate],
    plain: PlainHttp,
    findings: &mut Findings,
) -> Option<Certificates> {
    let snapshot = draft.snapshot;
    let mut found: Vec<Serving<'_>> = Vec::new();
    let mut faults: Vec<(&load_balancer::Certificate, Fault)> = Vec::new();
    for certificate in asked {
        match read(snapshot, &certificate.secret) {
            Ok(read) => {
                if read.not_after <= snapshot.taken_at {
                    findings.push(&certificate.place.object, expired(certificate, read));
                }
                found.push(Serving::asked(certificate, Found::Secret(&read.fingerprint)));
            }
            Err(fault) => {
                let held = snapshot.held.certificates.by_secret.get(&certificate.secret);
                match held {
                    Some(name) => {
                        let problem = fault.problem(certificate, Severity::Degraded, STAYS_IN_USE);
                        findings.push(&certificate.place.object, problem);
                        found.push(Serving::asked(certificate, Found::Held(name)));
                    }
                    None => faults.push((certificate, fault)),
                }
            }
        }
    }
    let can_be_had = found.len();
    if !faults.is_empty() {
        let asked: BTreeSet<&ObjectKey> = asked.iter().map(|certificate| &certificate.secret).collect();
        let served = snapshot.held.certificates.by_load_balancer.get(&description.key);
        let others = served.into_iter().flatten().filter(|(secret, _)| !asked.contains(secret));
        found.extend(others.map(|(secret, name)| Serving { secret, found: Found::Held(name), place: None }));
    }
    let (severity, cost) = match (found.is_empty(), plain) {
        (false, _) if found.len() > can_be_had => (Severity::Degraded, STAYS_BESIDE),
        (false, _) => (Severity::Degraded, LEFT_OUT),
        (true, PlainHttp::Serve | PlainHttp::Redirect(_)) => (Severity::Degraded, ONLY_PLAIN_HTTP),
        (true, PlainHttp::Refuse) => (Severity::Rejected, NOTHING_TO_SERVE),
    };
    for (certificate, fault) in &faults {
        findings.push(&certificate.place.object, fault.problem(certificate, severity, cost));
    }
    too_many(&found, description, findings);
    found.truncate(Certificates::MAX);
    let mut certificates = Vec::new();
    for Serving { secret, found, place: asked } in found {
        let certificate = place(draft, secret, &found);
        if let Some(asked) = asked {
            findings.share(&asked.object, description, certificate.id());
        }
        certificates.push(certificate);
    }
    Certificates::new(certificates)
}

const STAYS_IN_USE: &str = "The last certificate of it stays in use.";
const STAYS_BESIDE: &str = "Its certificate is left out, and every certificate that port 443 serves now stays in use until it comes.";
const LEFT_OUT: &str = "Its certificate is left out, and clients that ask for its hosts get another one; port 443 serves on with those \
                        that there are.";
const ONLY_PLAIN_HTTP: &str = "There is no certificate to serve yet, so port 80 serves without a redirect and nothing listens on port 443.";
const NOTHING_TO_SERVE: &str =
    "There is no certificate to serve and plain HTTP is refused, so the load balancer stays as it is.";

fn read<'a>(
    snapshot: &'a snapshot::Snapshot,
    secret: &ObjectKey,
) -> Result<&'a snapshot::Certificate, Fault> {
    match snapshot.secrets.get(secret) {
        Some(Ok(certificate)) => Ok(certificate),
        Some(Err(error)) => Err(Fault {
            reason: Reason::SecretInvalid,
            what: format!("Secret {secret} yields no certificate: {error}."),
            remedy: "Put the certificate chain (tls.crt) and its private key (tls.key), both in PEM form, into the Secret; it is then taken \
                     up at once.",
        }),
        None => Err(Fault {
            reason: Reason::SecretNotFound,
            what: format!("There is no Secret {secret}."),
            remedy: "Create it with tls.crt and tls.key; it is then taken up at once.",
        }),
    }
}

impl Fault {
    fn problem(&self, certificate: &load_balancer::Certificate, severity: Severity, cost: &str) -> Problem {
        let Self { reason, what, remedy } = self;
        let message = format!("{what} {cost} {remedy}");
        Problem { severity, reason: *reason, field: certificate.place.field.clone(), message }
    }
}

fn expired(certificate: &load_balancer::Certificate, read: &snapshot::Certificate) -> Problem {
    Problem::warning(
        Reason::CertificateExpired,
        certificate.place.field.clone(),
        format!(
            "The certificate in Secret {} ceased to be valid at {}. It is served all the same, and clients refuse it. Put a renewed one into \
             the Secret.",
            certificate.secret, read.not_after
        ),
    )
}

/// Each object is told of its own that are left out; of what nobody asks for any more the first is told.
fn too_many(found: &[Serving<'_>], description: &LoadBalancer, findings: &mut Findings) {
    let mut left_out: BTreeMap<&ObjectKey, Vec<String>> = BTreeMap::new();
    for Serving { secret, found: _, place } in found.iter().skip(Certificates::MAX) {
        let object = place.map(|place| &place.object).or(description.objects.first());
        let Some(object) = object else { continue };
        left_out.entry(object).or_default().push(secret.to_string());
    }
    let spread = if description.key.is_shared() { "groups" } else { "objects" };
    for (object, secrets) in left_out {
        let problem = Problem::degraded(
            Reason::TooManyCertificates,
            "spec.tls",
            format!(
                "There are {} certificates, and one load balancer takes at most {}. The first {} are served; left out: {}. Put several hosts \
                 into one certificate, or spread them over several {spread}.",
                found.len(),
                Certificates::MAX,
                Certificates::MAX,
                secrets.join(", ")
            ),
        );
        findings.push(object, problem);
    }
}

fn place(draft: &mut Draft<'_>, secret: &ObjectKey, found: &Found<'_>) -> Ref<SslCertificate> {
    match found {
        Found::Held(name) => draft.graph.foreign(Scope::Global, (*name).clone()),
        Found::Secret(fingerprint) => {
            let name = naming::ssl_certificate(&draft.snapshot.cluster.id, secret, fingerprint);
            let certificate = SslCertificate { fingerprint: (*fingerprint).clone() };
            draft.place(Scope::Global, name, Holder::Secret(secret.clone()), certificate)
        }
    }
}
