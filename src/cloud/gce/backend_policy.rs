//! The settings of a backend service.

use std::collections::{BTreeMap, BTreeSet};

use gce_api::{
    BackendService as WireBackendService, BackendServiceCdnPolicy,
    BackendServiceCdnPolicyBypassCacheOnRequestHeader, BackendServiceCdnPolicyNegativeCachingPolicy,
    BackendServiceIap, BackendServiceLogConfig, CacheKeyPolicy, ConnectionDraining,
};
use serde_json::{Map, Value};

use super::link::last_part;
use super::wire::{Unspeakable, clear_others, from_i32, to_i32};
use crate::model::{
    Affinity, BackendPolicy, CacheKey, CacheKeyPart, CacheKeyQuery, CacheMode, CdnPolicy, Coalescing, Iap,
    Logging, NegativeCaching, ResourceName,
};

/// What the API fills in (reference of `backendServices`).
const DEFAULT_TIMEOUT: u32 = 30;
const DEFAULT_DRAINING: u32 = 0;

/// Puts the settings into a body, all but the security policy: that has a call of its own.
pub(super) fn write(
    policy: &BackendPolicy,
    body: WireBackendService,
) -> Result<WireBackendService, Unspeakable> {
    let BackendPolicy {
        timeout_seconds,
        draining_seconds,
        affinity,
        request_headers,
        response_headers,
        logging,
        cdn,
        iap,
        security_policy: _,
    } = policy;
    let (affinity, cookie_ttl) = match affinity {
        Affinity::None => (None, None),
        Affinity::ClientIp => (Some("CLIENT_IP"), None),
        Affinity::GeneratedCookie { ttl_seconds } => {
            (Some("GENERATED_COOKIE"), Some(to_i32("time of the affinity cookie", *ttl_seconds)?))
        }
        Affinity::Other(word) => return Err(Unspeakable(format!("the session affinity {word}"))),
    };
    Ok(WireBackendService {
        timeout_sec: Some(to_i32("timeout", *timeout_seconds)?),
        connection_draining: Some(ConnectionDraining {
            draining_timeout_sec: Some(to_i32("draining time", *draining_seconds)?),
            ..ConnectionDraining::default()
        }),
        session_affinity: affinity.map(str::to_owned),
        affinity_cookie_ttl_sec: cookie_ttl,
        custom_request_headers: some_of(request_headers),
        custom_response_headers: some_of(response_headers),
        log_config: match logging {
            Logging::Off => None,
            Logging::PerMillion(_) => Some(BackendServiceLogConfig {
                enable: Some(true),
                sample_rate: Some(logging.rate()),
                ..BackendServiceLogConfig::default()
            }),
        },
        iap: match iap {
            Iap::Off => None,
            Iap::GoogleManaged => {
                Some(BackendServiceIap { enabled: Some(true), ..BackendServiceIap::default() })
            }
            Iap::Other(client) => return Err(Unspeakable(format!("sign-in by the OAuth client {client}"))),
        },
        enable_cdn: cdn.as_ref().map(|_| true),
        cdn_policy: cdn.as_deref().map(cdn_to_wire).transpose()?,
        ..body
    })
}

pub(super) fn read(body: &WireBackendService) -> BackendPolicy {
    let cookie_ttl = from_i32(body.affinity_cookie_ttl_sec, 0);
    BackendPolicy {
        timeout_seconds: from_i32(body.timeout_sec, DEFAULT_TIMEOUT),
        draining_seconds: from_i32(
            body.connection_draining.as_ref().and_then(|draining| draining.draining_timeout_sec),
            DEFAULT_DRAINING,
        ),
        affinity: match body.session_affinity.as_deref() {
            None | Some("NONE") => Affinity::None,
            Some("CLIENT_IP") => Affinity::ClientIp,
            Some("GENERATED_COOKIE") => Affinity::GeneratedCookie { ttl_seconds: cookie_ttl },
            Some(word) => Affinity::Other(word.to_owned()),
        },
        request_headers: body.custom_request_headers.clone().unwrap_or_default(),
        response_headers: body.custom_response_headers.clone().unwrap_or_default(),
        logging: body.log_config.as_ref().map_or(Logging::Off, logging_from),
        cdn: body.enable_cdn.unwrap_or_default().then(|| Box::new(cdn_from(body.cdn_policy.as_ref()))),
        iap: match body.iap.as_ref().filter(|iap| iap.enabled.unwrap_or_default()) {
            None => Iap::Off,
            Some(iap) => match iap.oauth2_client_id.as_deref() {
                None | Some("") => Iap::GoogleManaged,
                Some(client) => Iap::Other(client.to_owned()),
            },
        },
        security_policy: body
            .security_policy
            .as_deref()
            .and_then(|link| ResourceName::new(last_part(link)).ok()),
    }
}

/// In a patch, everything that was there before and is not wanted.
pub(super) fn clear_within(patch: &mut Map<String, Value>) {
    clear_others(
        patch,
        "cdnPolicy",
        &["clientTtl", "defaultTtl", "maxTtl", "negativeCachingPolicy", "bypassCacheOnRequestHeaders"],
    );
    if let Some(Value::Object(cdn)) = patch.get_mut("cdnPolicy") {
        clear_others(cdn, "cacheKeyPolicy", &["queryStringWhitelist", "queryStringBlacklist"]);
    }
    clear_others(patch, "iap", &["oauth2ClientId", "oauth2ClientSecret"]);
}

fn some_of(list: &[String]) -> Option<Vec<String>> {
    (!list.is_empty()).then(|| list.to_vec())
}

/// A rate that is none, or none at all while it is enabled, is the API's own: everything.
fn logging_from(config: &BackendServiceLogConfig) -> Logging {
    if !config.enable.unwrap_or_default() {
        return Logging::Off;
    }
    config.sample_rate.and_then(Logging::sampled).unwrap_or(Logging::EVERYTHING)
}

fn cdn_to_wire(cdn: &CdnPolicy) -> Result<BackendServiceCdnPolicy, Unspeakable> {
    let CdnPolicy {
        mode,
        key,
        client_ttl,
        default_ttl,
        max_ttl,
        negative,
        coalescing,
        serve_while_stale,
        bypass_headers,
        signed_url_max_age,
    } = cdn;
    let mode = match mode {
        CacheMode::UseOriginHeaders => "USE_ORIGIN_HEADERS",
        CacheMode::CacheAllStatic => "CACHE_ALL_STATIC",
        CacheMode::ForceCacheAll => "FORCE_CACHE_ALL",
        CacheMode::Other(word) => return Err(Unspeakable(format!("the cache mode {word}"))),
    };
    let ttl = |ttl: &Option<u32>| ttl.map(|ttl| to_i32("time to live", ttl)).transpose();
    let by_code = match negative {
        NegativeCaching::Off => None,
        NegativeCaching::On(by_code) => Some(by_code),
    };
    let by_code: Vec<_> = by_code
        .into_iter()
        .flatten()
        .map(|(code, ttl)| {
            Ok(BackendServiceCdnPolicyNegativeCachingPolicy {
                code: Some(i32::from(*code)),
                ttl: Some(to_i32("time to live", *ttl)?),
                ..BackendServiceCdnPolicyNegativeCachingPolicy::default()
            })
        })
        .collect::<Result<_, Unspeakable>>()?;
    let bypass: Vec<_> = bypass_headers
        .iter()
        .map(|name| BackendServiceCdnPolicyBypassCacheOnRequestHeader {
            header_name: Some(name.clone()),
            ..BackendServiceCdnPolicyBypassCacheOnRequestHeader::default()
        })
        .collect();
    Ok(BackendServiceCdnPolicy {
        cache_mode: Some(mode.to_owned()),
        cache_key_policy: Some(key_to_wire(key)),
        client_ttl: ttl(client_ttl)?,
        default_ttl: ttl(default_ttl)?,
        max_ttl: ttl(max_ttl)?,
        negative_caching: Some(matches!(negative, NegativeCaching::On(_))),
        negative_caching_policy: (!by_code.is_empty()).then_some(by_code),
        request_coalescing: Some(*coalescing == Coalescing::On),
        serve_while_stale: Some(to_i32("time to serve what is stale", *serve_while_stale)?),
        bypass_cache_on_request_headers: (!bypass.is_empty()).then_some(bypass),
        signed_url_cache_max_age_sec: Some(
            i64::try_from(*signed_url_max_age)
                .map_err(|_| Unspeakable(format!("signed url age {signed_url_max_age} is too large")))?
                .into(),
        ),
        ..BackendServiceCdnPolicy::default()
    })
}

fn key_to_wire(key: &CacheKey) -> CacheKeyPolicy {
    let CacheKey { parts, query } = key;
    let names = |names: &BTreeSet<String>| Some(names.iter().cloned().collect());
    let (with_query, only, all_but) = match query {
        CacheKeyQuery::Nothing => (false, None, None),
        CacheKeyQuery::Everything => (true, None, None),
        CacheKeyQuery::Only(only) => (true, names(only), None),
        CacheKeyQuery::AllBut(others) => (true, None, names(others)),
    };
    CacheKeyPolicy {
        include_host: Some(parts.contains(&CacheKeyPart::Host)),
        include_protocol: Some(parts.contains(&CacheKeyPart::Protocol)),
        include_query_string: Some(with_query),
        query_string_whitelist: only,
        query_string_blacklist: all_but,
        ..CacheKeyPolicy::default()
    }
}

/// What the API leaves out is what it fills in (reference of `backendServices.cdnPolicy`).
fn cdn_from(wire: Option<&BackendServiceCdnPolicy>) -> CdnPolicy {
    let none = BackendServiceCdnPolicy::default();
    let wire = wire.unwrap_or(&none);
    let ttl = |ttl: Option<i32>| ttl.and_then(|ttl| u32::try_from(ttl).ok());
    let by_code: BTreeMap<u16, u32> = wire
        .negative_caching_policy
        .iter()
        .flatten()
        .filter_map(|policy| Some((u16::try_from(policy.code?).ok()?, from_i32(policy.ttl, 0))))
        .collect();
    let on = |flag: Option<bool>| flag.unwrap_or_default();
    CdnPolicy {
        mode: match wire.cache_mode.as_deref() {
            Some("USE_ORIGIN_HEADERS") => CacheMode::UseOriginHeaders,
            None | Some("CACHE_ALL_STATIC") => CacheMode::CacheAllStatic,
            Some("FORCE_CACHE_ALL") => CacheMode::ForceCacheAll,
            Some(word) => CacheMode::Other(word.to_owned()),
        },
        key: key_from(wire.cache_key_policy.as_ref()),
        client_ttl: ttl(wire.client_ttl),
        default_ttl: ttl(wire.default_ttl),
        max_ttl: ttl(wire.max_ttl),
        negative: if on(wire.negative_caching) { NegativeCaching::On(by_code) } else { NegativeCaching::Off },
        coalescing: if on(wire.request_coalescing) { Coalescing::On } else { Coalescing::Off },
        serve_while_stale: from_i32(wire.serve_while_stale, 0),
        bypass_headers: wire
            .bypass_cache_on_request_headers
            .iter()
            .flatten()
            .filter_map(|header| header.header_name.clone())
            .collect(),
        signed_url_max_age: wire
            .signed_url_cache_max_age_sec
            .as_ref()
            .and_then(gce_api::Int64::get)
            .and_then(|age| u64::try_from(age).ok())
            .unwrap_or_default(),
    }
}

fn key_from(wire: Option<&CacheKeyPolicy>) -> CacheKey {
    let Some(wire) = wire else {
        return CacheKey { parts: BTreeSet::new(), query: CacheKeyQuery::Nothing };
    };
    let parts = [(CacheKeyPart::Host, wire.include_host), (CacheKeyPart::Protocol, wire.include_protocol)];
    let names =
        |names: &Option<Vec<String>>| -> BTreeSet<String> { names.iter().flatten().cloned().collect() };
    let (only, all_but) = (names(&wire.query_string_whitelist), names(&wire.query_string_blacklist));
    CacheKey {
        parts: parts
            .into_iter()
            .filter(|(_, included)| included.unwrap_or_default())
            .map(|(part, _)| part)
            .collect(),
        query: match (wire.include_query_string.unwrap_or_default(), only.is_empty(), all_but.is_empty()) {
            (false, _, _) => CacheKeyQuery::Nothing,
            (true, true, true) => CacheKeyQuery::Everything,
            (true, false, _) => CacheKeyQuery::Only(only),
            (true, true, false) => CacheKeyQuery::AllBut(all_but),
        },
    }
}
