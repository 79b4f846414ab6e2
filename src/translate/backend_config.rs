//! The BackendConfig of a Service's port: which it is, and what it asks of the backend service.
//!
//! Where the config cannot be had (it is named and does not exist, it cannot be read, it asks for what gclb cannot do yet) nobody knows what
//! protection it asks for. So a backend service that is there stays as it is, and a new one serves nothing; everything else of the load
//! balancer goes on.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::custom_resource::backend_config::{
    AffinityType, BackendConfigSpec, CacheMode as AskedCacheMode, CachePolicy, Cdn, ConnectionDraining,
    CustomHeaders, Iap as AskedIap, Logging as AskedLogging, SecurityPolicy, SessionAffinity,
};
use crate::model::{
    Affinity, BackendPolicy, CacheKey, CacheKeyPart, CacheKeyQuery, CacheMode, CdnPolicy, Coalescing, Iap,
    Logging, NegativeCaching, ObjectKey, ResourceName,
};
use crate::problem::{Problem, Reason};
use crate::snapshot::{Annotated, Service, ServicePort, Snapshot};

/// What follows from a config that cannot be had.
const UNTIL: &str =
    "Until then a backend service that is there stays as it is, and a new one serves nothing.";

/// The annotation's value.
#[derive(Debug, Default, Deserialize)]
struct Named {
    /// For ports that `ports` does not name.
    #[serde(default)]
    default: String,
    /// By port, by name or by number.
    #[serde(default)]
    ports: BTreeMap<String, String>,
}

/// The config that a port has, if it has one.
pub(super) fn of<'a>(
    snapshot: &'a Snapshot,
    key: &ObjectKey,
    service: &Service,
    port: &ServicePort,
) -> Result<Option<&'a BackendConfigSpec>, Problem> {
    let Some(Annotated { key: annotation, value }) = &service.backend_config else { return Ok(None) };
    let field = format!("Service {key}: metadata.annotations[{annotation}]");
    let write = "Write the name of a BackendConfig for all ports, as in '{\"default\":\"web\"}', or for some of them by name or number, as in \
                 '{\"ports\":{\"80\":\"web\"}}'.";
    let unreadable = |why: String| {
        Problem::degraded(
            Reason::BackendConfigInvalid,
            field.clone(),
            format!("{value:?} {why}. {write} {UNTIL}"),
        )
    };
    let named: Named =
        serde_json::from_str(value).map_err(|error| unreadable(format!("cannot be read ({error})")))?;
    if named.default.is_empty() && named.ports.is_empty() {
        return Err(unreadable("names neither a default nor a port".to_owned()));
    }
    let by_port = [port.name.clone(), port.port.to_string()]
        .into_iter()
        .filter(|port| !port.is_empty())
        .find_map(|port| named.ports.get(&port));
    let name = by_port.unwrap_or(&named.default);
    if name.is_empty() {
        return Ok(None);
    }
    let config = ObjectKey::new(key.namespace.as_str(), name.as_str());
    match snapshot.backend_configs.get(&config) {
        None => Err(Problem::degraded(
            Reason::BackendConfigNotFound,
            field,
            format!("There is no BackendConfig {config}. Create it, or name another one. {UNTIL}"),
        )),
        Some(Err(unreadable)) => Err(Problem::degraded(
            Reason::BackendConfigInvalid,
            format!("BackendConfig {config}: {}", unreadable.field),
            format!("The field {} {}. Correct it. {UNTIL}", unreadable.field, unreadable.why),
        )),
        Some(Ok(spec)) => match unsupported(spec) {
            None => Ok(Some(spec)),
            Some((field, what)) => Err(Problem::degraded(
                Reason::BackendConfigUnsupported,
                format!("BackendConfig {config}: {field}"),
                format!("{what} Take the field out, or keep this Service away from gclb. {UNTIL}"),
            )),
        },
    }
}

/// What it asks for and nobody here can do yet.
fn unsupported(spec: &BackendConfigSpec) -> Option<(&'static str, &'static str)> {
    let with_client =
        spec.iap.as_ref().is_some_and(|iap| iap.enabled && iap.oauthclient_credentials.is_some());
    if with_client {
        return Some((
            "spec.iap.oauthclientCredentials",
            "An OAuth client of one's own cannot be set by gclb yet, only the one that Google manages.",
        ));
    }
    let with_keys =
        |cdn: &Cdn| cdn.enabled && cdn.signed_url_keys.as_ref().is_some_and(|keys| !keys.is_empty());
    spec.cdn
        .as_ref()
        .is_some_and(with_keys)
        .then_some(("spec.cdn.signedUrlKeys", "Keys for signed requests cannot be set by gclb yet."))
}

/// What a config makes of the settings that hold without one. What it does not say is as without it: nothing stays from before.
pub(super) fn policy(without: BackendPolicy, spec: &BackendConfigSpec) -> BackendPolicy {
    let BackendConfigSpec {
        iap,
        cdn,
        security_policy,
        timeout_sec,
        connection_draining,
        session_affinity,
        custom_request_headers,
        custom_response_headers,
        health_check: _,
        logging,
    } = spec;
    let draining = connection_draining
        .as_ref()
        .and_then(|ConnectionDraining { draining_timeout_sec }| *draining_timeout_sec);
    BackendPolicy {
        timeout_seconds: timeout_sec.unwrap_or(without.timeout_seconds),
        draining_seconds: draining.unwrap_or(without.draining_seconds),
        affinity: session_affinity.as_ref().map_or(without.affinity, affinity),
        request_headers: custom_request_headers.as_ref().map_or(without.request_headers, headers),
        response_headers: custom_response_headers.as_ref().map_or(without.response_headers, headers),
        logging: logging.as_ref().map_or(without.logging, self::logging),
        cdn: cdn.as_ref().filter(|cdn| cdn.enabled).map(|asked| Box::new(self::cdn(asked))).or(without.cdn),
        iap: match iap {
            Some(AskedIap { enabled: true, oauthclient_credentials: _ }) => Iap::GoogleManaged,
            Some(AskedIap { enabled: false, oauthclient_credentials: _ }) | None => without.iap,
        },
        security_policy: security_policy
            .as_ref()
            // Another name than a legal one is refused when the object is read.
            .and_then(|SecurityPolicy { name }| ResourceName::new(name.as_str()).ok())
            .or(without.security_policy),
    }
}

fn affinity(asked: &SessionAffinity) -> Affinity {
    let SessionAffinity { affinity_type, affinity_cookie_ttl_sec } = asked;
    match affinity_type {
        None | Some(AffinityType::None) => Affinity::None,
        Some(AffinityType::ClientIp) => Affinity::ClientIp,
        Some(AffinityType::GeneratedCookie) => {
            Affinity::GeneratedCookie { ttl_seconds: affinity_cookie_ttl_sec.unwrap_or_default() }
        }
    }
}

fn headers(asked: &CustomHeaders) -> Vec<String> {
    let CustomHeaders { headers } = asked;
    headers.clone().unwrap_or_default()
}

fn logging(asked: &AskedLogging) -> Logging {
    let AskedLogging { enable, sample_rate } = asked;
    match (enable, sample_rate) {
        (false, _) => Logging::Off,
        (true, rate) => rate.and_then(Logging::sampled).unwrap_or(Logging::EVERYTHING),
    }
}

/// What is left out is as ingress-gce has it.
fn cdn(asked: &Cdn) -> CdnPolicy {
    const HOUR: u32 = 3600;
    const DAY: u32 = 24 * HOUR;
    let Cdn {
        enabled: _,
        bypass_cache_on_request_headers,
        cache_policy,
        cache_mode,
        client_ttl,
        default_ttl,
        max_ttl,
        negative_caching,
        negative_caching_policy,
        request_coalescing,
        serve_while_stale,
        signed_url_cache_max_age_sec,
        signed_url_keys: _,
    } = asked;
    let mode = match cache_mode {
        None | Some(AskedCacheMode::CacheAllStatic) => CacheMode::CacheAllStatic,
        Some(AskedCacheMode::UseOriginHeaders) => CacheMode::UseOriginHeaders,
        Some(AskedCacheMode::ForceCacheAll) => CacheMode::ForceCacheAll,
    };
    let ours = mode != CacheMode::UseOriginHeaders;
    let by_code = negative_caching_policy.iter().flatten().map(|policy| (policy.code, policy.ttl));
    CdnPolicy {
        key: cache_key(cache_policy.as_ref()),
        client_ttl: ours.then(|| client_ttl.unwrap_or(HOUR)),
        default_ttl: ours.then(|| default_ttl.unwrap_or(HOUR)),
        max_ttl: (mode == CacheMode::CacheAllStatic).then(|| max_ttl.unwrap_or(DAY)),
        mode,
        negative: if negative_caching.unwrap_or(true) {
            NegativeCaching::On(by_code.collect())
        } else {
            NegativeCaching::Off
        },
        coalescing: if request_coalescing.unwrap_or(true) { Coalescing::On } else { Coalescing::Off },
        serve_while_stale: serve_while_stale.unwrap_or(DAY),
        bypass_headers: bypass_cache_on_request_headers
            .iter()
            .flatten()
            .map(|header| header.header_name.clone())
            .collect(),
        signed_url_max_age: u64::from(signed_url_cache_max_age_sec.unwrap_or_default()),
    }
}

fn cache_key(asked: Option<&CachePolicy>) -> CacheKey {
    let Some(asked) = asked else {
        return CacheKey {
            parts: [CacheKeyPart::Host, CacheKeyPart::Protocol].into(),
            query: CacheKeyQuery::Everything,
        };
    };
    let CachePolicy {
        include_host,
        include_protocol,
        include_query_string,
        query_string_blacklist,
        query_string_whitelist,
    } = asked;
    let parts = [(CacheKeyPart::Host, *include_host), (CacheKeyPart::Protocol, *include_protocol)];
    let names =
        |names: &Option<Vec<String>>| -> BTreeSet<String> { names.iter().flatten().cloned().collect() };
    let (only, all_but) = (names(query_string_whitelist), names(query_string_blacklist));
    CacheKey {
        parts: parts.into_iter().filter(|(_, included)| *included).map(|(part, _)| part).collect(),
        query: match (*include_query_string, only.is_empty(), all_but.is_empty()) {
            (false, _, _) => CacheKeyQuery::Nothing,
            (true, true, true) => CacheKeyQuery::Everything,
            (true, false, _) => CacheKeyQuery::Only(only),
            (true, true, false) => CacheKeyQuery::AllBut(all_but),
        },
    }
}
