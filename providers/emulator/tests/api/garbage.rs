//! Nothing that is sent brings the emulator down: every request is answered, and with JSON.

use super::cloud::Cloud;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Map, Value, json};

/// Fields that mean something somewhere, so that random bodies get past the first check.
const FIELDS: &[&str] = &[
    "name",
    "type",
    "description",
    "fingerprint",
    "backends",
    "group",
    "balancingMode",
    "capacityScaler",
    "maxRate",
    "healthChecks",
    "urlMap",
    "sslCertificates",
    "certificate",
    "privateKey",
    "selfManaged",
    "target",
    "IPAddress",
    "portRange",
    "ports",
    "loadBalancingScheme",
    "hostRules",
    "hosts",
    "pathMatcher",
    "pathMatchers",
    "pathRules",
    "paths",
    "service",
    "defaultService",
    "defaultUrlRedirect",
    "httpsRedirect",
    "routeRules",
    "priority",
    "matchRules",
    "prefixMatch",
    "networkEndpoints",
    "instance",
    "instances",
    "ipAddress",
    "port",
    "namedPorts",
    "labels",
    "httpHealthCheck",
    "requestPath",
    "timeoutSec",
    "checkIntervalSec",
    "network",
    "ipCidrRange",
    "allowed",
    "IPProtocol",
    "sourceRanges",
    "address",
    "prefixLength",
    "networkInterfaces",
    "networkIP",
    "iap",
    "oauth2ClientSecret",
    "protocol",
];

const TEXTS: &[&str] = &[
    "",
    "a",
    "x-1",
    "HTTP",
    "TCP",
    "EXTERNAL",
    "EXTERNAL_MANAGED",
    "INTERNAL",
    "RATE",
    "80",
    "80-90",
    "90-80",
    "10.0.0.1",
    "::1",
    "*",
    "*.a.com",
    "/",
    "/*",
    "/a/*",
    "global/urlMaps/a",
    "projects/p/global/backendServices/a",
    "zones/us-central1-a/instances/a",
    "https://x/compute/v1/projects/p/global/healthChecks/a",
    "projects//x",
    "ä",
    "\u{0}",
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    "18446744073709551616",
    "GCE_VM_IP_PORT",
];

const COLLECTIONS: &[&str] = &[
    "global/addresses",
    "global/backendBuckets",
    "global/backendServices",
    "global/firewalls",
    "global/forwardingRules",
    "global/healthChecks",
    "global/httpHealthChecks",
    "global/images",
    "global/instanceTemplates",
    "global/networks",
    "global/sslCertificates",
    "global/targetHttpProxies",
    "global/targetHttpsProxies",
    "global/urlMaps",
    "regions/us-central1/addresses",
    "regions/us-central1/subnetworks",
    "regions/us-central1/urlMaps",
    "zones/us-central1-a/instanceGroups",
    "zones/us-central1-a/instances",
    "zones/us-central1-a/networkEndpointGroups",
];

const VERBS: &[&str] = &[
    "setLabels",
    "setTarget",
    "setUrlMap",
    "setSslCertificates",
    "setNamedPorts",
    "addInstances",
    "removeInstances",
    "listInstances",
    "attachNetworkEndpoints",
    "detachNetworkEndpoints",
    "listNetworkEndpoints",
    "getHealth",
    "setSecurityPolicy",
];

fn value(random: &mut StdRng, depth: usize) -> Value {
    match random.random_range(0..if depth == 0 { 6 } else { 9 }) {
        0 => Value::Null,
        1 => json!(random.random::<bool>()),
        2 => json!(random.random_range(-2..70_000)),
        3 => json!(random.random::<f64>() * 10.0_f64.powi(random.random_range(-3..20))),
        4 | 5 => json!(TEXTS.choose(random).unwrap()),
        6 => (0..random.random_range(0..3)).map(|_| value(random, depth - 1)).collect(),
        _ => object(random, depth - 1),
    }
}

fn object(random: &mut StdRng, depth: usize) -> Value {
    let mut fields = Map::new();
    for _ in 0..random.random_range(0..6) {
        fields.insert((*FIELDS.choose(random).unwrap()).to_owned(), value(random, depth));
    }
    Value::Object(fields)
}

#[tokio::test]
async fn random_requests_are_all_answered() {
    answered(3000).await;
}

#[tokio::test]
#[ignore = "long: many more of the same"]
async fn many_random_requests_are_all_answered() {
    answered(60_000).await;
}

async fn answered(rounds: usize) {
    // Printed by an assertion that fails, so that a failure can be had again.
    let seed: u64 =
        std::env::var("GCLB_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
    let mut random = StdRng::seed_from_u64(seed);
    let cloud = Cloud::start().await;
    cloud.instance("a", [10, 0, 0, 1]).await;
    cloud.url_map("a").await;
    let mut accepted = 0;
    for round in 0..rounds {
        let collection = COLLECTIONS.choose(&mut random).unwrap();
        let name = TEXTS[1..3].choose(&mut random).unwrap();
        let verb = VERBS.choose(&mut random).unwrap();
        let (method, path) = match random.random_range(0..8) {
            0..=2 => ("POST", (*collection).to_owned()),
            3 => ("PUT", format!("{collection}/{name}")),
            4 => ("PATCH", format!("{collection}/{name}")),
            5 => ("DELETE", format!("{collection}/{name}")),
            6 => ("POST", format!("{collection}/{name}/{verb}")),
            _ => ("GET", format!("{collection}/{name}")),
        };
        let mut body = object(&mut random, 4);
        if random.random_bool(0.7) {
            body["name"] = json!(name);
        }
        let answer = cloud.call(method, &path, Some(&body)).await;
        assert!(
            (200..500).contains(&answer.status),
            "seed {seed}, round {round}: {method} {path} {body}: {} {}",
            answer.status,
            answer.body
        );
        accepted += usize::from(answer.status == 200);
    }
    assert!(accepted > rounds / 100, "random requests that are all refused prove little: {accepted}");
    assert_eq!(cloud.get("global/urlMaps").await.status, 200, "seed {seed}: it still answers");
}

#[tokio::test]
async fn bytes_that_are_no_requests() {
    let cloud = Cloud::start().await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let nested = "{\"pathMatchers\":".repeat(60) + "1" + &"}".repeat(60);
    let url = format!("{}projects/p/global/urlMaps", cloud.running.endpoint());
    for body in
        ["{", "\u{feff}{}", "null", "1", "\"x\"", deep.as_str(), nested.as_str(), "{\"name\":\"\\ud800\"}"]
    {
        let answer = cloud.client.post(&url).body(body.to_owned()).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{}", body.chars().take(20).collect::<String>());
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("application/json"));
    }
    let large = vec![b'x'; 9 << 20];
    if let Ok(answer) = cloud.client.post(&url).body(large).send().await {
        assert_eq!(answer.status(), 413);
    }
    for path in ["/%00", "/compute/v1/projects/%ff/global/urlMaps", "//"] {
        assert_eq!(cloud.get(path).await.status, 404, "{path}");
    }
    for name in ["%2F", "UPPER", "a_b", "0", &"a".repeat(64)] {
        let answer = cloud.get(&format!("global/urlMaps/{name}")).await;
        answer.refused(
            400,
            "invalid",
            "Must be a match of regex '[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?|[1-9][0-9]{0,19}'",
        );
        assert!(answer.message().starts_with("Invalid value for field 'urlMap': '"), "{}", answer.message());
    }
    assert_eq!(cloud.get("global/urlMaps").await.status, 200);
}
