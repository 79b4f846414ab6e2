//! SSL policies.

use serde_json::Value;

use super::Resources;
use super::json::{link, text, texts};
use crate::dataplane::program::{Program, TlsPolicy, TlsSuites, TlsVersion};

/// Every cipher of TLS 1.2 and older that Google offers; also what a custom policy may choose from. Those of TLS 1.3
/// cannot be chosen and are not listed.
pub(crate) const COMPATIBLE: &[&str] = &[
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
];

/// The ciphers of TLS 1.3: there whatever a policy says, but for one that FIPS does not know.
const TLS_1_3: &[&str] =
    &["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];

const FIPS: &str = "FIPS_202205";

/// The ciphers of a profile that is not custom: each one is stricter than the one before.
pub(crate) fn features(profile: &str) -> Vec<&'static str> {
    let offered = |feature: &&str| match profile {
        "MODERN" => feature.starts_with("TLS_ECDHE_"),
        "RESTRICTED" => feature.starts_with("TLS_ECDHE_") && !feature.ends_with("_CBC_SHA"),
        FIPS => feature.starts_with("TLS_ECDHE_") && feature.contains("_GCM_"),
        _ => true,
    };
    COMPATIBLE.iter().copied().filter(offered).collect()
}

/// What the policy of a target proxy lets it offer. One that is not there lets it offer everything.
pub(super) fn compile(
    resources: &impl Resources,
    target: &str,
    proxy: &Value,
    program: &mut Program,
) -> TlsPolicy {
    let Some(path) = link(proxy, "sslPolicy") else { return TlsPolicy::default() };
    let Some(body) = resources.get(path) else {
        program.problem(target, format!("names the SSL policy {path}, which does not exist: none applies"));
        return TlsPolicy::default();
    };
    let oldest = match text(body, "minTlsVersion") {
        Some("TLS_1_3") => TlsVersion::V1_3,
        // The older ones cannot be spoken.
        _ => TlsVersion::V1_2,
    };
    let profile = text(body, "profile").unwrap_or_default();
    let chosen: Vec<&str> = match profile {
        "CUSTOM" => texts(body, "customFeatures").collect(),
        profile => features(profile),
    };
    let newest = TLS_1_3.iter().filter(|name| profile != FIPS || !name.contains("CHACHA20"));
    let names = chosen.into_iter().chain(newest.copied()).map(str::to_owned);
    TlsPolicy { oldest, suites: TlsSuites::Only(names.collect()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_grow_stricter() {
        let count = |profile| features(profile).len();
        assert_eq!((count("COMPATIBLE"), count("MODERN"), count("RESTRICTED"), count(FIPS)), (15, 10, 6, 4));
    }
}
