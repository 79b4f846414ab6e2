//! What a backend service does with requests besides choosing a backend (Compute API `backendServices`, its settings).
//!
//! All of it is ours: what nobody asks for is reset to the API's own default, so a setting that is taken away again is gone.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::ResourceName;

/// The settings of one backend service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendPolicy {
    /// Seconds a backend has for its answer (`timeoutSec`).
    pub timeout_seconds: u32,
    /// Seconds that requests in flight keep when their backend is taken away (`connectionDraining`).
    pub draining_seconds: u32,
    /// Which requests go to the same backend (`sessionAffinity`).
    pub affinity: Affinity,
    /// `Name: value`, set on requests (`customRequestHeaders`). Variables in braces are the API's.
    pub request_headers: Vec<String>,
    /// `Name: value`, set on answers (`customResponseHeaders`).
    pub response_headers: Vec<String>,
    /// Which requests are logged (`logConfig`).
    pub logging: Logging,
    /// What is kept in Google's caches (`enableCDN`, `cdnPolicy`).
    pub cdn: Option<Box<CdnPolicy>>,
    /// Whether people must be signed in (`iap`).
    pub iap: Iap,
    /// The security policy that lets requests in or not (`securityPolicy`). Set by a call of its own, so a new service has it only
    /// a moment after it was made: nothing is sent there before.
    pub security_policy: Option<ResourceName>,
}

/// As the API fills it in where nothing is said.
impl Default for BackendPolicy {
    fn default() -> Self {
        Self {
            timeout_seconds: 30,
            draining_seconds: 0,
            affinity: Affinity::None,
            request_headers: Vec::new(),
            response_headers: Vec::new(),
            logging: Logging::Off,
            cdn: None,
            iap: Iap::Off,
            security_policy: None,
        }
    }
}

/// Which requests go to the same backend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Affinity {
    /// Any goes anywhere.
    None,
    /// Those of one client address.
    ClientIp,
    /// Those that bring the cookie which the load balancer handed out.
    GeneratedCookie {
        /// Its life in seconds; 0: until the client forgets it.
        ttl_seconds: u32,
    },
    /// Anything else. Only ever observed; the text is the API's word.
    Other(String),
}

/// Which requests are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Logging {
    /// None.
    Off,
    /// So many of a million.
    PerMillion(u32),
}

impl Logging {
    /// All of them.
    pub const EVERYTHING: Self = Self::PerMillion(Self::MILLION);

    /// What a rate of 1 is.
    pub const MILLION: u32 = 1_000_000;

    /// From a rate between 0 and 1 (`logConfig.sampleRate`); `None` where it is neither.
    #[must_use]
    pub fn sampled(rate: f64) -> Option<Self> {
        let share = (rate * f64::from(Self::MILLION)).round();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and a million")]
        (0.0..=f64::from(Self::MILLION)).contains(&share).then_some(Self::PerMillion(share as u32))
    }

    /// The rate, between 0 and 1.
    #[must_use]
    pub fn rate(self) -> f64 {
        match self {
            Self::Off => 0.0,
            Self::PerMillion(share) => f64::from(share) / f64::from(Self::MILLION),
        }
    }
}

/// Whether only people who are signed in reach the backends (Identity-Aware Proxy).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Iap {
    /// Everybody does.
    Off,
    /// They sign in by the OAuth client that Google manages.
    GoogleManaged,
    /// They sign in by another OAuth client. Only ever observed; the text is its id.
    Other(String),
}

/// What is kept in Google's caches, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CdnPolicy {
    /// What may be cached at all (`cacheMode`).
    pub mode: CacheMode,
    /// What tells two answers apart (`cacheKeyPolicy`).
    pub key: CacheKey,
    /// The most that clients are told to keep an answer, in seconds (`clientTtl`); `None` where the mode has no such limit.
    pub client_ttl: Option<u32>,
    /// Seconds that an answer is kept which does not say (`defaultTtl`).
    pub default_ttl: Option<u32>,
    /// The most seconds that an answer is kept (`maxTtl`).
    pub max_ttl: Option<u32>,
    /// Errors that are cached too (`negativeCaching`).
    pub negative: NegativeCaching,
    /// Whether many equal requests become one for the backend (`requestCoalescing`).
    pub coalescing: Coalescing,
    /// Seconds that an answer may be served beyond its time while a new one is fetched (`serveWhileStale`).
    pub serve_while_stale: u32,
    /// Requests with one of these headers are not answered from the cache (`bypassCacheOnRequestHeaders`).
    pub bypass_headers: Vec<String>,
    /// Seconds that answers to signed requests are kept (`signedUrlCacheMaxAgeSec`).
    pub signed_url_max_age: u64,
}

/// What may be cached (Compute API `cacheMode`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CacheMode {
    /// `USE_ORIGIN_HEADERS`: what the backend marks so.
    UseOriginHeaders,
    /// `CACHE_ALL_STATIC`: that, and what is static by its type.
    CacheAllStatic,
    /// `FORCE_CACHE_ALL`: everything, also what is private.
    ForceCacheAll,
    /// Anything else. Only ever observed; the text is the API's word.
    Other(String),
}

/// What tells two answers apart besides the path (Compute API `cacheKeyPolicy`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CacheKey {
    /// Those parts of the request.
    pub parts: BTreeSet<CacheKeyPart>,
    /// Of the query, which parameters.
    pub query: CacheKeyQuery,
}

/// A part of a request that may be in the cache's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CacheKeyPart {
    /// `includeHost`
    Host,
    /// `includeProtocol`
    Protocol,
}

/// The query in the cache's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CacheKeyQuery {
    /// It is not in the key.
    Nothing,
    /// All of it is.
    Everything,
    /// These parameters are (`queryStringWhitelist`).
    Only(BTreeSet<String>),
    /// All but these are (`queryStringBlacklist`).
    AllBut(BTreeSet<String>),
}

/// Errors that are cached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NegativeCaching {
    /// None.
    Off,
    /// By status, for so many seconds; where no status is named, those that the API names.
    On(BTreeMap<u16, u32>),
}

/// Whether many equal requests become one for the backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Coalescing {
    /// Each goes there.
    Off,
    /// One goes there, and all have its answer.
    On,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_what_it_was() {
        for rate in [0.0, 0.1, 0.25, 0.333_333, 1.0] {
            let logging = Logging::sampled(rate).unwrap();
            assert!((logging.rate() - rate).abs() < 1e-9, "{rate}: {logging:?}");
        }
        assert_eq!(Logging::sampled(1.0), Some(Logging::EVERYTHING));
        for wrong in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert_eq!(Logging::sampled(wrong), None, "{wrong}");
        }
    }
}
