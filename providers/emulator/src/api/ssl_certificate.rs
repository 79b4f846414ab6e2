//! SSL certificates. Immutable; the private key goes in and never comes out.
//!
//! Google-managed certificates begin as `PROVISIONING`; the engine issues them.

use crate::declaration::{Fields, Resource, ScopeKind, Standard, Type, choice, list, map, object, text};
use crate::draft::Draft;
use crate::engine::CERTIFICATE_STATUSES;
use crate::error::ApiError;
use crate::timestamp;
use crate::world::World;
use jiff::Timestamp;
use rustls::crypto::ring;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

pub(super) static RESOURCE: Resource = Resource {
    collection: "sslCertificates",
    singular: "ssl_certificate",
    kind: "compute#sslCertificate",
    scopes: &[ScopeKind::Global, ScopeKind::Region],
    fields: FIELDS,
    verbs: &[Standard::Insert, Standard::Delete],
    complete,
    ..Resource::PLAIN
};

const FIELDS: Fields = &[
    text("certificate"),
    text("description"),
    text("expireTime").output(),
    object(
        "managed",
        &[
            map("domainStatus", &Type::Text).output(),
            list("domains", &Type::Text).at_most(100),
            choice("status", CERTIFICATE_STATUSES).output(),
        ],
    ),
    text("privateKey").secret(),
    object("selfManaged", &[text("certificate"), text("privateKey").secret()]),
    list("subjectAlternativeNames", &Type::Text).output(),
    choice("type", &["MANAGED", "SELF_MANAGED", "TYPE_UNSPECIFIED"]).default_text("SELF_MANAGED"),
];

/// A chain may have this many certificates.
const MAX_CHAIN: usize = 5;

fn complete(draft: &mut Draft, _: &World<'_>) -> Result<(), ApiError> {
    if draft.text("type") == Some("MANAGED") { managed(draft) } else { self_managed(draft) }
}

fn managed(draft: &mut Draft) -> Result<(), ApiError> {
    let domains: Vec<Value> = draft
        .body()
        .get("managed")
        .and_then(|managed| managed.get("domains"))
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    if domains.is_empty() {
        return Err(ApiError::required("resource.managed.domains"));
    }
    let status: serde_json::Map<String, Value> = domains
        .iter()
        .filter_map(|domain| Some((domain.as_str()?.to_owned(), json!("PROVISIONING"))))
        .collect();
    let managed = json!({ "domains": domains, "status": "PROVISIONING", "domainStatus": status });
    draft.body_mut().insert("managed".to_owned(), managed);
    Ok(())
}

fn self_managed(draft: &mut Draft) -> Result<(), ApiError> {
    let key = take_key(draft);
    let nested = draft
        .body()
        .get("selfManaged")
        .and_then(|inner| inner.get("certificate"))
        .and_then(Value::as_str)
        .map(str::to_owned);
    let chain = draft
        .text("certificate")
        .map(str::to_owned)
        .or(nested)
        .filter(|pem| !pem.is_empty())
        .ok_or_else(|| ApiError::required("resource.certificate"))?;
    let key = key.filter(|pem| !pem.is_empty()).ok_or_else(|| ApiError::required("resource.privateKey"))?;
    let read = read(&chain, &key)?;
    draft.next.secrets.insert("privateKey".to_owned(), Value::String(key));
    let body = draft.body_mut();
    body.insert("certificate".to_owned(), json!(chain));
    body.insert("selfManaged".to_owned(), json!({ "certificate": chain }));
    body.insert("expireTime".to_owned(), json!(timestamp::show(read.expires)));
    if !read.names.is_empty() {
        body.insert("subjectAlternativeNames".to_owned(), json!(read.names));
    }
    Ok(())
}

/// Takes the private key out of the body, from wherever it was put.
fn take_key(draft: &mut Draft) -> Option<String> {
    let body = draft.body_mut();
    let inner = body
        .get_mut("selfManaged")
        .and_then(Value::as_object_mut)
        .and_then(|inner| inner.shift_remove("privateKey"));
    match body.shift_remove("privateKey").or(inner) {
        Some(Value::String(key)) => Some(key),
        _ => None,
    }
}

/// What a certificate says about itself.
struct Read {
    expires: Timestamp,
    names: Vec<String>,
}

/// Refuses what is no certificate, what is no key, and a key of another certificate. The messages never quote the key.
fn read(chain: &str, key: &str) -> Result<Read, ApiError> {
    let bad_chain = |why: &str| ApiError::invalid("resource.certificate", "", why);
    let bad_key = |why: &str| ApiError::invalid("resource.privateKey", "", why);
    let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(chain.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|_| bad_chain("The SSL certificate could not be parsed."))?;
    let Some(leaf) = certificates.first() else {
        return Err(bad_chain("The SSL certificate could not be parsed."));
    };
    if certificates.len() > MAX_CHAIN {
        return Err(bad_chain("The certificate chain is too long: at most 5 certificates are allowed."));
    }
    let (_, parsed) =
        X509Certificate::from_der(leaf).map_err(|_| bad_chain("The SSL certificate could not be parsed."))?;
    let expires = Timestamp::from_second(parsed.validity().not_after.timestamp())
        .map_err(|_| bad_chain("The SSL certificate could not be parsed."))?;
    let names = parsed
        .subject_alternative_name()
        .ok()
        .flatten()
        .map(|extension| {
            extension
                .value
                .general_names
                .iter()
                .filter_map(|name| match name {
                    GeneralName::DNSName(name) => Some((*name).to_owned()),
                    _ => None,
                })
                .collect()
        })
        .unwrap_or_default();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
        .map_err(|_| bad_key("The SSL key could not be parsed."))?;
    let key =
        ring::sign::any_supported_type(&key).map_err(|_| bad_key("The SSL key could not be parsed."))?;
    match CertifiedKey::new(certificates.clone(), key).keys_match() {
        Ok(()) => Ok(Read { expires, names }),
        Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::KeyMismatch)) => {
            Err(bad_key("The SSL key is not for the specified certificate."))
        }
        Err(_) => Err(bad_chain("The SSL certificate is of a kind that is not supported.")),
    }
}
