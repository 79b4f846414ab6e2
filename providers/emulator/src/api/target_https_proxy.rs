//! Target HTTPS proxies: a URL map and the certificates it is spoken under. The first certificate is the default.

use super::iam;
use crate::declaration::{
    CustomVerb, Effect, Fields, Locking, Resource, ScopeKind, Standard, Type, VerbAddress, choice, flag,
    integer, link, list, text,
};
use crate::draft::Draft;
use crate::error::ApiError;
use crate::scope::ResourcePath;
use crate::world::World;
use serde_json::Value;

pub(super) static RESOURCE: Resource = Resource {
    collection: "targetHttpsProxies",
    singular: "target_https_proxy",
    kind: "compute#targetHttpsProxy",
    scopes: &[ScopeKind::Global, ScopeKind::Region],
    fields: FIELDS,
    verbs: &[Standard::Insert, Standard::Patch, Standard::Delete],
    custom: &[
        CustomVerb {
            name: "setUrlMap",
            request: &[link("urlMap", &["urlMaps"]).required()],
            effect: Effect::Set(&[("urlMap", "urlMap")]),
            address: VerbAddress::ScopedOrBare,
        },
        CustomVerb {
            name: "setSslCertificates",
            request: &[list("sslCertificates", &Type::Link(&["sslCertificates"])).required()],
            effect: Effect::Set(&[("sslCertificates", "sslCertificates")]),
            address: VerbAddress::ScopedOrBare,
        },
        CustomVerb {
            name: "setSslPolicy",
            request: &[link("sslPolicy", &["sslPolicies"])],
            effect: Effect::Set(&[("sslPolicy", "sslPolicy")]),
            address: VerbAddress::Scoped,
        },
        CustomVerb {
            name: "setQuicOverride",
            request: &[choice("quicOverride", QUIC_OVERRIDES)],
            effect: Effect::Set(&[("quicOverride", "quicOverride")]),
            address: VerbAddress::Scoped,
        },
        CustomVerb {
            name: "setCertificateMap",
            request: &[text("certificateMap")],
            effect: Effect::Set(&[("certificateMap", "certificateMap")]),
            address: VerbAddress::Scoped,
        },
        iam::TEST_PERMISSIONS,
    ],
    lacks: &[(ScopeKind::Region, &["setSslPolicy", "setQuicOverride", "setCertificateMap"])],
    locking: Locking::Fingerprint,
    check,
    ..Resource::PLAIN
};

const QUIC_OVERRIDES: &[&str] = &["DISABLE", "ENABLE", "NONE"];

/// A proxy serves at most this many certificates; the limit cannot be raised.
pub(super) const MAX_CERTIFICATES: usize = 15;

const FIELDS: Fields = &[
    text("authentication").beta(),
    text("authorization").beta(),
    text("authorizationPolicy"),
    text("certificateMap"),
    text("description"),
    list("httpFilters", &Type::Text).beta(),
    integer("httpKeepAliveTimeoutSec").range(5, 1200),
    flag("proxyBind"),
    choice("quicOverride", QUIC_OVERRIDES).default_text("NONE"),
    text("serverTlsPolicy"),
    list("sslCertificates", &Type::Link(&["sslCertificates"])).at_most(MAX_CERTIFICATES),
    link("sslPolicy", &["sslPolicies"]),
    choice("tlsEarlyData", &["DISABLED", "PERMISSIVE", "STRICT", "UNRESTRICTED"]).default_text("DISABLED"),
    link("urlMap", &["urlMaps"]).required(),
];

fn check(draft: &Draft, world: &World<'_>) -> Result<(), ApiError> {
    check_certificates(draft, world)?;
    super::scheme::check_placed(draft, world)?;
    let Some(url_map) = draft.text("urlMap") else { return Ok(()) };
    let redirects = ResourcePath::parse(url_map)
        .and_then(|path| world.latest(&path).map(super::url_map::redirects_to_https))
        .unwrap_or(false);
    if redirects {
        return Err(ApiError::invalid("resource.urlMap", url_map, super::url_map::HTTPS_REDIRECT_REFUSED));
    }
    Ok(())
}

/// A proxy has a certificate, or a certificate map.
pub(super) fn check_certificates(draft: &Draft, _: &World<'_>) -> Result<(), ApiError> {
    let certificates = draft.body().get("sslCertificates").and_then(Value::as_array).map_or(0, Vec::len);
    if certificates == 0 && draft.text("certificateMap").is_none_or(str::is_empty) {
        return Err(ApiError::required("resource.sslCertificates"));
    }
    Ok(())
}
