//! Values that make no sense, and where they are put.

use proptest::prelude::*;
use serde_json::{Value, json};

/// One value in one place.
#[derive(Debug, Clone)]
pub(crate) struct Edit {
    /// Which object of the cluster.
    pub(crate) object: &'static str,
    /// Where in it (RFC 6901); what is not there on the way is made.
    pub(crate) place: String,
    /// What is put there.
    pub(crate) value: Value,
}

/// Annotations that are read, of each kind of object.
const OF_INGRESSES: [&str; 13] = [
    "gclb.dev/redirect",
    "gclb.dev/allow-http",
    "gclb.dev/group",
    "gclb.dev/group-order",
    "gclb.dev/release-address",
    "gclb.dev/allow-outage",
    "gclb.dev/typo",
    "kubernetes.io/ingress.allow-http",
    "kubernetes.io/ingress.global-static-ip-name",
    "kubernetes.io/ingress.regional-static-ip-name",
    "ingress.gcp.kubernetes.io/pre-shared-cert",
    "networking.gke.io/v1beta1.FrontendConfig",
    "networking.gke.io/managed-certificates",
];
const OF_CLASSES: [&str; 5] =
    ["gclb.dev/redirect", "gclb.dev/allow-http", "gclb.dev/group-scope", "gclb.dev/drift", "gclb.dev/scheme"];
const OF_SERVICES: [&str; 6] = [
    "cloud.google.com/neg",
    "cloud.google.com/backend-config",
    "beta.cloud.google.com/backend-config",
    "cloud.google.com/app-protocols",
    "service.alpha.kubernetes.io/app-protocols",
    "gclb.dev/health-check-path",
];

const FIELDS_OF_INGRESSES: [&str; 9] = [
    "/spec/rules/0/host",
    "/spec/rules/0/http/paths/0/path",
    "/spec/rules/0/http/paths/0/pathType",
    "/spec/rules/0/http/paths/0/backend/service/name",
    "/spec/rules/0/http/paths/0/backend/service/port",
    "/spec/rules/0/http/paths/0/backend",
    "/spec/defaultBackend",
    "/spec/tls",
    "/spec/tls/0/secretName",
];
const FIELDS_OF_SERVICES: [&str; 8] = [
    "/spec/type",
    "/spec/selector",
    "/spec/ports",
    "/spec/ports/0/name",
    "/spec/ports/0/nodePort",
    "/spec/ports/0/protocol",
    "/spec/ports/0/appProtocol",
    "/spec/ports/0/targetPort",
];
const FIELDS_OF_BACKEND_CONFIGS: [&str; 30] = [
    "/spec",
    "/spec/iap",
    "/spec/iap/enabled",
    "/spec/iap/oauthclientCredentials",
    "/spec/cdn",
    "/spec/cdn/enabled",
    "/spec/cdn/cacheMode",
    "/spec/cdn/cachePolicy",
    "/spec/cdn/cachePolicy/queryStringWhitelist",
    "/spec/cdn/clientTtl",
    "/spec/cdn/negativeCachingPolicy",
    "/spec/cdn/signedUrlKeys",
    "/spec/cdn/bypassCacheOnRequestHeaders",
    "/spec/securityPolicy",
    "/spec/securityPolicy/name",
    "/spec/timeoutSec",
    "/spec/connectionDraining/drainingTimeoutSec",
    "/spec/sessionAffinity/affinityType",
    "/spec/sessionAffinity/affinityCookieTtlSec",
    "/spec/customRequestHeaders/headers",
    "/spec/customResponseHeaders/headers",
    "/spec/healthCheck",
    "/spec/healthCheck/checkIntervalSec",
    "/spec/healthCheck/timeoutSec",
    "/spec/healthCheck/healthyThreshold",
    "/spec/healthCheck/type",
    "/spec/healthCheck/port",
    "/spec/healthCheck/requestPath",
    "/spec/logging/enable",
    "/spec/logging/sampleRate",
];
const FIELDS_OF_FRONTEND_CONFIGS: [&str; 4] =
    ["/spec", "/spec/sslPolicy", "/spec/redirectToHttps/enabled", "/spec/redirectToHttps/responseCodeName"];
const FIELDS_OF_PODS: [&str; 5] = [
    "/spec/containers/0/readinessProbe",
    "/spec/containers/0/readinessProbe/httpGet/path",
    "/spec/containers/0/readinessProbe/httpGet/port",
    "/spec/containers/0/readinessProbe/periodSeconds",
    "/spec/containers/0/ports",
];

fn annotation(key: &str) -> String {
    format!("/metadata/annotations/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// Every place, with its object.
fn places() -> Vec<(&'static str, String)> {
    let mut places = Vec::new();
    for ingress in ["Ingress/plain", "Ingress/tls", "Ingress/member"] {
        places.extend(OF_INGRESSES.iter().map(|key| (ingress, annotation(key))));
        places.extend(FIELDS_OF_INGRESSES.iter().map(|field| (ingress, (*field).to_owned())));
    }
    places.extend(OF_CLASSES.iter().map(|key| ("IngressClass/gclb", annotation(key))));
    for service in ["Service/nodes", "Service/pods"] {
        places.extend(OF_SERVICES.iter().map(|key| (service, annotation(key))));
        places.extend(FIELDS_OF_SERVICES.iter().map(|field| (service, (*field).to_owned())));
    }
    let of = |object: &'static str, fields: &[&str]| -> Vec<(&'static str, String)> {
        fields.iter().map(|field| (object, (*field).to_owned())).collect()
    };
    places.extend(of("BackendConfig/config", &FIELDS_OF_BACKEND_CONFIGS));
    places.extend(of("FrontendConfig/config", &FIELDS_OF_FRONTEND_CONFIGS));
    places.extend(of("Pod/pod", &FIELDS_OF_PODS));
    places
}

/// What is put there: nonsense, and things that make sense somewhere else.
fn nonsense() -> Vec<Value> {
    let texts = [
        "",
        " ",
        "true",
        "FALSE",
        "maybe",
        "0",
        "-1",
        "99999999999999999999",
        "{}",
        "[]",
        "null",
        "{\"ingress\": \"yes\"}",
        "{\"ingress\": false}",
        "{\"ingress\": true, \"exposed_ports\": {\"80\": {}}}",
        "{\"default\": 1}",
        "{\"default\": \"nobody\"}",
        "{\"default\": \"config\"}",
        "{\"ports\": {\"80\": \"config\"}}",
        "{\"http\": \"HTTP2\"}",
        "{\"http\": \"SPDY\"}",
        "config",
        "nobody",
        "shop",
        "Classic",
        "classic",
        "internal",
        "class",
        "report",
        "HTTPS",
        "CLIENT_IP",
        "FORCE_CACHE_ALL",
        "TCP",
        "UDP",
        "ClusterIP",
        "ExternalName",
        "Prefix",
        "Exact",
        "*",
        "*.example.com",
        "a.b.c.d.example.com",
        "Shop.Example",
        "-x.example",
        "10.0.0.1",
        "/",
        "/a/*",
        "/a*b",
        "//",
        "/%2f",
        "/a b",
        "a, ,b,,a",
        "é",
        "\u{0}",
        "\"'`<>&;$(x)",
    ];
    let long =
        ["x".repeat(70), "x".repeat(5000), format!("/{}", "p".repeat(2000)), "h: v\r\nx: y".to_owned()];
    let mut values: Vec<Value> =
        texts.iter().map(|text| json!(text)).chain(long.iter().map(|text| json!(text))).collect();
    values.extend([
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(-1),
        json!(1),
        json!(80),
        json!(65_536),
        json!(4_294_967_296_u64),
        json!(0.5),
        json!(1e300),
        json!([]),
        json!({}),
        json!(["a"]),
        json!([{"secretName": "tls"}, {"secretName": "nobody"}, {}]),
        json!([{"port": 80}, {"port": 81, "name": "http"}]),
        json!([{"name": "http", "port": 443, "protocol": "UDP"}]),
        json!({"service": {"name": "nodes", "port": {"name": "http"}}}),
        json!({"resource": {"kind": "Bucket", "name": "b", "apiGroup": "storage.example"}}),
        json!({"number": 70_000}),
        json!({"number": 0, "name": "http"}),
        json!({"enabled": true, "oauthclientCredentials": {"secretName": "x"}}),
        json!({"enabled": true, "signedUrlKeys": [{"keyName": "k", "secretName": "x"}]}),
        json!([{"code": 404, "ttl": 10}]),
        json!({"tcpSocket": {"port": "web"}}),
        json!({"httpGet": {"port": 8080, "httpHeaders": [{"name": "X", "value": "y"}]}}),
    ]);
    values
}

/// Every value in every place.
pub(crate) fn all() -> impl Iterator<Item = Edit> {
    let values = nonsense();
    places().into_iter().flat_map(move |(object, place)| {
        values.clone().into_iter().map(move |value| Edit { object, place: place.clone(), value })
    })
}

/// Some value in some place.
pub(crate) fn edit() -> impl Strategy<Value = Edit> {
    let text =
        prop_oneof![".{0,40}", "[a-z0-9.*/-]{0,80}", "[{}\\[\\]\":,a-z0-9]{0,40}"].prop_map(Value::from);
    let value = prop_oneof![
        8 => prop::sample::select(nonsense()),
        2 => text,
        1 => any::<i64>().prop_map(Value::from),
    ];
    (prop::sample::select(places()), value).prop_map(|((object, place), value)| Edit { object, place, value })
}
