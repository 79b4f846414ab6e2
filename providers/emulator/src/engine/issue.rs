//! Google-managed certificates: from `PROVISIONING` to `ACTIVE`, with a key to serve, or to a failure.
//!
//! Nobody here can prove that a domain is somebody's. So a certificate is issued when the admin path says so, or some time
//! after it was made, and signs itself.

use super::Engine;
use crate::api;
use crate::clock::later;
use crate::scope::ResourcePath;
use crate::state::Stored;
use crate::timestamp;
use crate::version::Version;
use jiff::{SignedDuration, Timestamp};
use rcgen::{CertificateParams, DnType, KeyPair};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// When Google-managed certificates are issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Issuance {
    /// When the admin path is told to.
    #[default]
    ByHand,
    /// So long after they were made, by the clock.
    After(Duration),
}

const COLLECTION: &str = "sslCertificates";

/// How long an issued certificate is good for: 90 days, as Google's are.
const VALIDITY: SignedDuration = SignedDuration::from_hours(90 * 24);

/// What may be said of a certificate.
pub(crate) const STATUSES: &[&str] = &[
    "ACTIVE",
    "MANAGED_CERTIFICATE_STATUS_UNSPECIFIED",
    "PROVISIONING",
    "PROVISIONING_FAILED",
    "PROVISIONING_FAILED_PERMANENTLY",
    "RENEWAL_FAILED",
];

/// What may be said of a domain.
const DOMAIN_STATUSES: &[&str] = &[
    "ACTIVE",
    "FAILED_CAA_CHECKING",
    "FAILED_CAA_FORBIDDEN",
    "FAILED_NOT_VISIBLE",
    "FAILED_RATE_LIMITED",
    "PROVISIONING",
];

/// What the authority has found. Domains that it does not name are good.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Findings {
    /// Of the certificate as a whole; otherwise `ACTIVE` if every domain is, else `PROVISIONING`.
    status: Option<String>,
    #[serde(default)]
    domains: BTreeMap<String, String>,
}

/// Why nothing was issued.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IssueError {
    #[error("issuing the certificate '{path}': there is no such certificate")]
    Missing { path: String },
    #[error("issuing the certificate '{path}': it is not managed by Google; its key came with it")]
    SelfManaged { path: String },
    #[error("issuing the certificate '{path}': '{domain}' is none of its domains")]
    Domain { path: String, domain: String },
    #[error("issuing the certificate '{path}': there is no status '{status}'; write one of {}", known.join(", "))]
    Status { path: String, status: String, known: &'static [&'static str] },
    #[error("issuing the certificate '{path}' for its domains")]
    Certificate {
        path: String,
        #[source]
        source: rcgen::Error,
    },
}

impl Engine {
    /// Says what has become of a managed certificate. One that is `ACTIVE` gets a new key each time. Answers with what it is
    /// then; the data plane serves it.
    pub(crate) async fn issue(&self, text: &str, findings: &Findings) -> Result<Value, IssueError> {
        let missing = || IssueError::Missing { path: text.to_owned() };
        let path =
            ResourcePath::parse(text).filter(|path| path.collection == COLLECTION).ok_or_else(missing)?;
        let resource = api::find(COLLECTION).ok_or_else(missing)?;
        let shown = {
            let mut state = self.state();
            let path = Self::name(&state, path);
            let mut stored = Stored::clone(state.get(&path).ok_or_else(missing)?);
            settle(&path.to_string(), &mut stored, findings, self.clock.now())?;
            stored.generation += 1;
            state.put(&path, stored.clone());
            self.show(&state, resource, &path, &stored, &self.base(Version::V1))
        };
        self.publish().await;
        self.changed();
        Ok(Value::Object(shown))
    }

    /// Lets every managed certificate that is being provisioned be issued when its time comes, if that is by time.
    pub(super) fn await_certificates(self: &Arc<Self>) {
        let Issuance::After(span) = self.config.managed_certificates else { return };
        let waiting: Vec<(ResourcePath, u64, Timestamp)> = {
            let state = self.state();
            let waiting = state.all_that(COLLECTION, is_provisioning);
            waiting.map(|(path, stored)| (path, stored.id, stored.created)).collect()
        };
        for (path, id, created) in waiting {
            if !self.issuing.lock().unwrap_or_else(PoisonError::into_inner).insert(id) {
                continue;
            }
            let due = self.clock.sleep_until(later(created, span));
            let engine = Arc::clone(self);
            self.tasks.spawn(async move {
                tokio::select! {
                    turn = due => {
                        engine.issue_if_waiting(&path, id).await;
                        drop(turn);
                    }
                    () = engine.stop.cancelled() => {}
                }
            });
        }
    }

    async fn issue_if_waiting(&self, path: &ResourcePath, id: u64) {
        self.issuing.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        let waits = self.state().get(path).is_some_and(|stored| stored.id == id && is_provisioning(stored));
        if waits && let Err(error) = self.issue(&path.to_string(), &Findings::default()).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "a managed certificate was not issued");
        }
    }
}

fn managed(stored: &Stored) -> Option<&Map<String, Value>> {
    let managed = stored.text("type") == Some("MANAGED");
    stored.fields().get("managed").and_then(Value::as_object).filter(|_| managed)
}

/// Whether nobody has found out anything about it yet.
fn is_provisioning(stored: &Stored) -> bool {
    let provisioning = |status: Option<&Value>| status == Some(&json!("PROVISIONING"));
    managed(stored).is_some_and(|managed| {
        let domains = managed.get("domainStatus").and_then(Value::as_object);
        provisioning(managed.get("status"))
            && domains.is_some_and(|domains| domains.values().all(|status| provisioning(Some(status))))
    })
}

fn settle(path: &str, stored: &mut Stored, findings: &Findings, now: Timestamp) -> Result<(), IssueError> {
    let Findings { status, domains: found } = findings;
    let path = || path.to_owned();
    let managed = managed(stored).ok_or_else(|| IssueError::SelfManaged { path: path() })?;
    let listed = managed.get("domains").and_then(Value::as_array);
    let domains: Vec<String> =
        listed.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    for (domain, status) in found {
        if !domains.contains(domain) {
            return Err(IssueError::Domain { path: path(), domain: domain.clone() });
        }
        known(path, status, DOMAIN_STATUSES)?;
    }
    let of = |domain: &String| found.get(domain).map_or("ACTIVE", String::as_str);
    let status = match status {
        Some(status) => known(path, status, STATUSES)?,
        None if domains.iter().all(|domain| of(domain) == "ACTIVE") => "ACTIVE",
        None => "PROVISIONING",
    };
    let of_domains: Map<String, Value> =
        domains.iter().map(|domain| (domain.clone(), json!(of(domain)))).collect();
    let managed = json!({ "domains": domains, "status": status, "domainStatus": of_domains });
    if status == "ACTIVE" {
        let issued =
            Issued::new(&domains, now).map_err(|source| IssueError::Certificate { path: path(), source })?;
        let Issued { certificate, key, expires } = issued;
        stored.secrets.insert("privateKey".to_owned(), json!(key));
        let body = stored.fields_mut();
        body.insert("certificate".to_owned(), json!(certificate));
        body.insert("expireTime".to_owned(), json!(timestamp::show(expires)));
        body.insert("subjectAlternativeNames".to_owned(), json!(domains));
    }
    stored.fields_mut().insert("managed".to_owned(), managed);
    Ok(())
}

fn known<'a>(
    path: impl Fn() -> String,
    status: &'a str,
    known: &'static [&'static str],
) -> Result<&'a str, IssueError> {
    if known.contains(&status) {
        return Ok(status);
    }
    Err(IssueError::Status { path: path(), status: status.to_owned(), known })
}

/// A certificate that signs itself, with its key, both as PEM.
struct Issued {
    certificate: String,
    key: String,
    expires: Timestamp,
}

impl Issued {
    fn new(domains: &[String], now: Timestamp) -> Result<Self, rcgen::Error> {
        let day = |moment: Timestamp| {
            let date = jiff::tz::Offset::UTC.to_datetime(moment).date();
            let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
            rcgen::date_time_ymd(date.year().into(), month, day)
        };
        // Whole days: some clients' clocks are behind.
        let expires = now.checked_add(VALIDITY).unwrap_or(Timestamp::MAX);
        let midnight = expires.as_second() - expires.as_second().rem_euclid(24 * 3600);
        let mut params = CertificateParams::new(domains.to_vec())?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        if let Some(first) = domains.first() {
            params.distinguished_name.push(DnType::CommonName, first.as_str());
        }
        params.not_before = day(now.checked_sub(SignedDuration::from_hours(24)).unwrap_or(now));
        params.not_after = day(expires);
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?.pem();
        let expires = Timestamp::from_second(midnight).unwrap_or(expires);
        Ok(Self { certificate, key: key.serialize_pem(), expires })
    }
}
