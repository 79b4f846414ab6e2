//! The certificates of a load balancer: those that somebody else has put into the cloud, by name, and those of Secrets.
//!
//! What is served once is not given up for want of something better. Where a Secret is lost or spoiled, the certificate of it that
//! the cloud already has stays in use. Where a Secret has never been there, such as one that is still to be issued, or nothing is known of
//! a certificate that is named, whatever the load balancer serves now stays beside the certificates that can be had.

use std::collections::{BTreeMap, BTreeSet};

use crate::load_balancer::{self, CertificateSource, Frontend, LoadBalancer, Place, PlainHttp};
use crate::model::{
    CertificateFingerprint, Certificates, ForeignId, ForeignKind, ForeignStanding, Holder, ObjectKey, Ref,
    ResourceName, Scope, SslCertificate,
};
use crate::naming;
use crate::snapshot;

use super::Findings;
use super::draft::Draft;
use crate::problem::{Problem, Reason, Severity};

/// Where a certificate comes from.
enum Found<'a> {
    /// The Secret; it may have to be uploaded.
    Secret(&'a ObjectKey, &'a CertificateFingerprint),
    /// The cloud, which has it already.
    Held(&'a ResourceName),
}

/// A certificate to serve.
struct Serving<'a> {
    found: Found<'a>,
    /// By what people know it.
    known_as: String,
    /// Where it is asked for, if it still is.
    place: Option<&'a Place>,
}

impl<'a> Serving<'a> {
    fn asked(certificate: &'a load_balancer::Certificate, found: Found<'a>) -> Self {
        Self { found, known_as: certificate.source.to_string(), place: Some(&certificate.place) }
    }
}

/// Why a certificate cannot be had.
struct Fault {
    reason: Reason,
    what: String,
    remedy: &'static str,
}

/// Asks about the certificates that are named by their names in the cloud.
pub(super) fn look_up(draft: &mut Draft<'_>, description: &LoadBalancer) {
    let Frontend::Https { certificates, plain: _ } = &description.frontend else { return };
    for certificate in certificates {
        if let CertificateSource::Cloud(name) = &certificate.source {
            draft.look_up(named(name));
        }
    }
}

fn named(name: &ResourceName) -> ForeignId {
    ForeignId::global(ForeignKind::SslCertificate, name.clone())
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
    let served = snapshot.held.certificates.by_load_balancer.get(&description.key);
    let served = served.map(Vec::as_slice).unwrap_or_default();
    let mut found: Vec<Serving<'_>> = Vec::new();
    let mut faults: Vec<(&load_balancer::Certificate, Fault)> = Vec::new();
    for certificate in asked {
        let object = &certificate.place.object;
        match &certificate.source {
            CertificateSource::Secret(secret) => match read(snapshot, secret) {
                Ok(read) => {
                    if read.not_after <= snapshot.taken_at {
                        findings.push(object, expired(secret, &certificate.place, read));
                    }
                    found.push(Serving::asked(certificate, Found::Secret(secret, &read.fingerprint)));
                }
                Err(fault) => match snapshot.held.certificates.by_secret.get(secret) {
                    Some(name) => {
                        findings
                            .push(object, fault.problem(certificate, Severity::Degraded, Cost::StaysInUse));
                        found.push(Serving::asked(certificate, Found::Held(name)));
                    }
                    None => faults.push((certificate, fault)),
                },
            },
            CertificateSource::Unclear(name) => faults.push((certificate, unclear(name))),
            CertificateSource::Cloud(name) => match draft.look_up(named(name)) {
                ForeignStanding::Found(_) => found.push(Serving::asked(certificate, Found::Held(name))),
                ForeignStanding::Assumed => {
                    findings.push(object, assumed(name, &certificate.place));
                    found.push(Serving::asked(certificate, Found::Held(name)));
                }
                ForeignStanding::Missing => faults.push((certificate, missing(name))),
                // What is being served is there, whoever cannot say so.
                ForeignStanding::Unknown(_) if served.iter().any(|(_, serves)| serves == name) => {
                    found.push(Serving::asked(certificate, Found::Held(name)));
                }
                ForeignStanding::Unknown(why) => faults.push((certificate, unknown(name, why))),
            },
        }
    }
    let can_be_had = found.len();
    if !faults.is_empty() {
        let asked: BTreeSet<&CertificateSource> =
            asked.iter().map(|certificate| &certificate.source).collect();
        found.extend(served.iter().filter_map(|(secret, name)| {
            let source = match secret {
                Some(secret) => CertificateSource::Secret(secret.clone()),
                None => CertificateSource::Cloud(name.clone()),
            };
            let known_as = source.to_string();
            (!asked.contains(&source)).then_some(Serving { found: Found::Held(name), known_as, place: None })
        }));
    }
    let (severity, cost) = match (found.is_empty(), plain) {
        (false, _) if found.len() > can_be_had => (Severity::Degraded, Cost::StaysBeside),
        (false, _) => (Severity::Degraded, Cost::LeftOut),
        (true, PlainHttp::Serve | PlainHttp::Redirect(_)) => (Severity::Degraded, Cost::OnlyPlainHttp),
        (true, PlainHttp::Refuse) => (Severity::Rejected, Cost::NothingToServe),
    };
    for (certificate, fault) in &faults {
        findings.push(&certificate.place.object, fault.problem(certificate, severity, cost));
    }
    too_many(&found, description, findings);
    found.truncate(Certificates::MAX);
    let mut certificates: Vec<Ref<SslCertificate>> = Vec::new();
    for Serving { found, known_as: _, place: asked } in found {
        let certificate = place(draft, &found);
        if let Some(asked) = asked {
            findings.share(&asked.object, description, certificate.id());
        }
        // Somebody may name one of ours by its name, and its Secret as well.
        if !certificates.contains(&certificate) {
            certificates.push(certificate);
        }
    }
    Certificates::new(certificates)
}

/// What it costs that a certificate cannot be had.
#[derive(Clone, Copy)]
enum Cost {
    /// Nothing yet.
    StaysInUse,
    /// It alone, and nothing that is served now.
    StaysBeside,
    /// It alone.
    LeftOut,
    /// TLS.
    OnlyPlainHttp,
    /// Everything new.
    NothingToServe,
}

impl Cost {
    fn text(self, source: &CertificateSource) -> String {
        let it = match source {
            CertificateSource::Secret(_) => "Its certificate",
            CertificateSource::Cloud(_) | CertificateSource::Unclear(_) => "It",
        };
        match self {
            Self::StaysInUse => "The last certificate of it stays in use.".to_owned(),
            Self::StaysBeside => format!(
                "{it} is left out, and every certificate that port 443 serves now stays in use until it comes."
            ),
            Self::LeftOut => format!(
                "{it} is left out, and clients that ask for its hosts get another one; port 443 serves on with those that there are."
            ),
            Self::OnlyPlainHttp => "There is no certificate to serve yet, so port 80 serves without a redirect and nothing listens on port \
                                    443."
                .to_owned(),
            Self::NothingToServe => {
                "There is no certificate to serve and plain HTTP is refused, so the load balancer stays as it is.".to_owned()
            }
        }
    }
}

fn missing(name: &ResourceName) -> Fault {
    Fault {
        reason: Reason::PreSharedCertificateNotFound,
        what: format!("There is no global SSL certificate {name} in the project."),
        remedy: "Create it, or correct the name; it is taken up within a minute.",
    }
}

fn unclear(name: &str) -> Fault {
    Fault {
        reason: Reason::AnnotationInvalid,
        what: format!("{name:?} cannot be the name of an SSL certificate."),
        remedy: "Such a name has 1 to 63 lower-case letters, digits and dashes, begins with a letter and does not end with a dash; several \
                 are separated by commas. Correct it, or remove it.",
    }
}

fn unknown(name: &ResourceName, why: Option<&str>) -> Fault {
    let why = why.map_or_else(
        || "has not been looked up yet".to_owned(),
        |why| format!("could not be looked up: {why}"),
    );
    Fault {
        reason: Reason::NotLookedUp,
        what: format!("The SSL certificate {name} {why}."),
        remedy: "It is asked for again within a minute.",
    }
}

fn assumed(name: &ResourceName, place: &Place) -> Problem {
    Problem::note(
        Reason::NotLookedUp,
        place.field.clone(),
        format!(
            "There is no cloud to ask whether the SSL certificate {name} exists: it is taken to exist. Name the project with --project to \
             have it looked up."
        ),
    )
}

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
    fn problem(&self, certificate: &load_balancer::Certificate, severity: Severity, cost: Cost) -> Problem {
        let Self { reason, what, remedy } = self;
        let cost = cost.text(&certificate.source);
        let message = format!("{what} {cost} {remedy}");
        Problem { severity, reason: *reason, field: certificate.place.field.clone(), message }
    }
}

fn expired(secret: &ObjectKey, place: &Place, read: &snapshot::Certificate) -> Problem {
    Problem::warning(
        Reason::CertificateExpired,
        place.field.clone(),
        format!(
            "The certificate in Secret {} ceased to be valid at {}. It is served all the same, and clients refuse it. Put a renewed one into \
             the Secret.",
            secret, read.not_after
        ),
    )
}

/// Each object is told of its own that are left out; of what nobody asks for any more the first is told.
fn too_many(found: &[Serving<'_>], description: &LoadBalancer, findings: &mut Findings) {
    let mut left_out: BTreeMap<&ObjectKey, Vec<String>> = BTreeMap::new();
    for Serving { found: _, known_as, place } in found.iter().skip(Certificates::MAX) {
        let object = place.map(|place| &place.object).or(description.objects.first());
        let Some(object) = object else { continue };
        left_out.entry(object).or_default().push(known_as.clone());
    }
    let spread = if description.key.is_shared() { "groups" } else { "objects" };
    for (object, names) in left_out {
        let problem = Problem::degraded(
            Reason::TooManyCertificates,
            "spec.tls",
            format!(
                "There are {} certificates, and one load balancer takes at most {}. The first {} are served; left out: {}. Put several hosts \
                 into one certificate, or spread them over several {spread}.",
                found.len(),
                Certificates::MAX,
                Certificates::MAX,
                names.join(", ")
            ),
        );
        findings.push(object, problem);
    }
}

fn place(draft: &mut Draft<'_>, found: &Found<'_>) -> Ref<SslCertificate> {
    match found {
        Found::Held(name) => draft.graph.foreign(Scope::Global, (*name).clone()),
        Found::Secret(secret, fingerprint) => {
            let secret = *secret;
            let name = naming::ssl_certificate(&draft.snapshot.cluster.id, secret, fingerprint);
            let certificate = SslCertificate { fingerprint: (*fingerprint).clone() };
            draft.place(Scope::Global, name, Holder::Secret(secret.clone()), certificate)
        }
    }
}
