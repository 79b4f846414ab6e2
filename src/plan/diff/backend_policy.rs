//! The settings of a backend service, field by field. Those that are as the API has them by itself are no fields, but for the two times
//! that everybody asks about.

use crate::model::{
    Affinity, BackendPolicy, CacheKey, CacheKeyPart, CacheKeyQuery, CacheMode, CdnPolicy, Coalescing, Iap,
    Logging, NegativeCaching,
};
use crate::plan::Verb;

use super::{Fields, How, list};

pub(super) fn backend_policy(policy: &BackendPolicy, fields: &mut Fields) {
    let BackendPolicy {
        timeout_seconds,
        draining_seconds,
        affinity,
        request_headers,
        response_headers,
        logging,
        cdn,
        iap,
        security_policy,
    } = policy;
    let patch = How::By(Verb::Patch);
    fields.add(patch, "timeoutSec", timeout_seconds.to_string());
    fields.add(patch, "connectionDraining.drainingTimeoutSec", draining_seconds.to_string());
    match affinity {
        Affinity::None => {}
        Affinity::ClientIp => fields.add(patch, "sessionAffinity", "CLIENT_IP"),
        Affinity::GeneratedCookie { ttl_seconds } => {
            fields.add(patch, "sessionAffinity", "GENERATED_COOKIE");
            fields.add(patch, "affinityCookieTtlSec", ttl_seconds.to_string());
        }
        Affinity::Other(word) => fields.add(patch, "sessionAffinity", word),
    }
    if !request_headers.is_empty() {
        fields.add(patch, "customRequestHeaders", list(request_headers, Clone::clone));
    }
    if !response_headers.is_empty() {
        fields.add(patch, "customResponseHeaders", list(response_headers, Clone::clone));
    }
    if let Logging::PerMillion(_) = logging {
        fields.add(patch, "logConfig.sampleRate", logging.rate().to_string());
    }
    if let Some(cdn) = cdn {
        cdn_policy(cdn, fields);
    }
    match iap {
        Iap::Off => {}
        Iap::GoogleManaged => fields.add(patch, "iap", "enabled"),
        Iap::Other(client) => fields.add(patch, "iap", format!("enabled, by the client {client}")),
    }
    if let Some(name) = security_policy {
        fields.add(How::By(Verb::SetSecurityPolicy), "securityPolicy", name.as_str());
    }
}

fn cdn_policy(cdn: &CdnPolicy, fields: &mut Fields) {
    let CdnPolicy {
        mode,
        key: CacheKey { parts, query },
        client_ttl,
        default_ttl,
        max_ttl,
        negative,
        coalescing,
        serve_while_stale,
        bypass_headers,
        signed_url_max_age,
    } = cdn;
    let mut add =
        |name: &str, value: String| fields.add(How::By(Verb::Patch), format!("cdnPolicy.{name}"), value);
    let mode = match mode {
        CacheMode::UseOriginHeaders => "USE_ORIGIN_HEADERS",
        CacheMode::CacheAllStatic => "CACHE_ALL_STATIC",
        CacheMode::ForceCacheAll => "FORCE_CACHE_ALL",
        CacheMode::Other(word) => word,
    };
    add("cacheMode", mode.to_owned());
    let parts = parts.iter().map(|part| match part {
        CacheKeyPart::Host => "host".to_owned(),
        CacheKeyPart::Protocol => "protocol".to_owned(),
    });
    let query = match query {
        CacheKeyQuery::Nothing => None,
        CacheKeyQuery::Everything => Some("query".to_owned()),
        CacheKeyQuery::Only(names) => Some(format!("of the query {}", list(names, Clone::clone))),
        CacheKeyQuery::AllBut(names) => Some(format!("of the query all but {}", list(names, Clone::clone))),
    };
    add("cacheKeyPolicy", list(parts.chain(query), |part| part));
    for (name, ttl) in [("clientTtl", client_ttl), ("defaultTtl", default_ttl), ("maxTtl", max_ttl)] {
        if let Some(ttl) = ttl {
            add(name, ttl.to_string());
        }
    }
    match negative {
        NegativeCaching::Off => add("negativeCaching", "false".to_owned()),
        NegativeCaching::On(by_code) => {
            add("negativeCaching", "true".to_owned());
            for (code, ttl) in by_code {
                add(&format!("negativeCachingPolicy[{code}]"), ttl.to_string());
            }
        }
    }
    add("requestCoalescing", matches!(coalescing, Coalescing::On).to_string());
    add("serveWhileStale", serve_while_stale.to_string());
    if !bypass_headers.is_empty() {
        add("bypassCacheOnRequestHeaders", list(bypass_headers, Clone::clone));
    }
    add("signedUrlCacheMaxAgeSec", signed_url_max_age.to_string());
}
