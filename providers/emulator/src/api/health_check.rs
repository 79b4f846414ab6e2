//! Health checks: how backends are probed.

use super::iam;
use crate::declaration::{
    Fields, INT32_MAX, ListOf, Resource, ScopeKind, Standard, Type, choice, flag, integer, list, object, text,
};
use crate::draft::Draft;
use crate::error::ApiError;
use crate::scope::Scope;
use crate::world::World;
use serde_json::{Map, Value, json};

pub(super) static RESOURCE: Resource = Resource {
    collection: "healthChecks",
    singular: "health_check",
    kind: "compute#healthCheck",
    scopes: &[ScopeKind::Global, ScopeKind::Region],
    fields: FIELDS,
    verbs: &[Standard::Insert, Standard::Update, Standard::Patch, Standard::Delete],
    custom: &[iam::TEST_PERMISSIONS],
    list_kinds: &[(ListOf::Everywhere, "compute#healthChecksAggregatedList")],
    fill,
    check,
    ..Resource::PLAIN
};

const PORT_SPECIFICATIONS: &[&str] = &["USE_FIXED_PORT", "USE_NAMED_PORT", "USE_SERVING_PORT"];
const PROXY_HEADERS: &[&str] = &["NONE", "PROXY_V1"];

const HTTP: Fields = &[
    text("host"),
    integer("port").range(1, 65535),
    text("portName"),
    choice("portSpecification", PORT_SPECIFICATIONS),
    choice("proxyHeader", PROXY_HEADERS).default_text("NONE"),
    text("requestPath").default_text("/"),
    text("response").length(0, 1024),
];

const TCP: Fields = &[
    integer("port").range(1, 65535),
    text("portName"),
    choice("portSpecification", PORT_SPECIFICATIONS),
    choice("proxyHeader", PROXY_HEADERS).default_text("NONE"),
    text("request").length(0, 1024),
    text("response").length(0, 1024),
];

const GRPC: Fields = &[
    text("grpcServiceName").length(0, 1024),
    integer("port").range(1, 65535),
    text("portName"),
    choice("portSpecification", PORT_SPECIFICATIONS),
];

const GRPC_TLS: Fields = &[
    text("grpcServiceName").length(0, 1024),
    integer("port").range(1, 65535),
    choice("portSpecification", PORT_SPECIFICATIONS),
];

const FIELDS: Fields = &[
    integer("checkIntervalSec").default_integer(5).range(1, INT32_MAX),
    text("description"),
    object("grpcHealthCheck", GRPC),
    object("grpcTlsHealthCheck", GRPC_TLS),
    integer("healthyThreshold").default_integer(2).range(1, 10),
    object("http2HealthCheck", HTTP),
    object("httpHealthCheck", HTTP),
    object("httpsHealthCheck", HTTP),
    object("logConfig", &[flag("enable")]),
    list("sourceRegions", &Type::Text),
    object("sslHealthCheck", TCP),
    object("tcpHealthCheck", TCP),
    integer("timeoutSec").default_integer(5).range(1, INT32_MAX),
    choice("type", &["GRPC", "GRPC_WITH_TLS", "HTTP", "HTTP2", "HTTPS", "INVALID", "SSL", "TCP"]).required(),
    integer("unhealthyThreshold").default_integer(2).range(1, 10),
];

/// A type, the block that describes it, and its port where none is given.
struct Kind {
    name: &'static str,
    block: &'static str,
    port: Option<u16>,
}

const KINDS: &[Kind] = &[
    Kind { name: "TCP", block: "tcpHealthCheck", port: Some(80) },
    Kind { name: "SSL", block: "sslHealthCheck", port: Some(443) },
    Kind { name: "HTTP", block: "httpHealthCheck", port: Some(80) },
    Kind { name: "HTTPS", block: "httpsHealthCheck", port: Some(443) },
    Kind { name: "HTTP2", block: "http2HealthCheck", port: Some(443) },
    // gRPC has no port of its own: it is given, or it is the one that serves.
    Kind { name: "GRPC", block: "grpcHealthCheck", port: None },
    Kind { name: "GRPC_WITH_TLS", block: "grpcTlsHealthCheck", port: None },
];

fn kind_of(body: &Map<String, Value>) -> Option<&'static Kind> {
    let name = body.get("type")?.as_str()?;
    KINDS.iter().find(|kind| kind.name == name)
}

fn fill(draft: &mut Draft, _: &World<'_>) {
    let body = draft.body_mut();
    let Some(kind) = kind_of(body) else { return };
    let block = body.entry(kind.block).or_insert_with(|| json!({}));
    let Value::Object(block) = block else { return };
    let serving = block.get("portSpecification").is_some_and(|value| value == "USE_SERVING_PORT");
    if let Some(port) = kind.port
        && !serving
        && !block.contains_key("port")
    {
        block.insert("port".to_owned(), json!(port));
    }
    // The block may have been made just now.
    crate::schema::fill(FIELDS, body);
}

fn check(draft: &Draft, _: &World<'_>) -> Result<(), ApiError> {
    let body = draft.body();
    let Some(kind) = kind_of(body) else {
        let given = draft.text("type").unwrap_or_default();
        return Err(ApiError::invalid("resource.type", given, "Unknown health check type."));
    };
    if let Some(other) =
        KINDS.iter().find(|other| other.block != kind.block && body.contains_key(other.block))
    {
        return Err(ApiError::invalid(
            &format!("resource.{}", other.block),
            "",
            &format!("Only {} may be specified for health checks of type {}.", kind.block, kind.name),
        ));
    }
    if let Some(Value::Object(block)) = body.get(kind.block) {
        let at = format!("resource.{}", kind.block);
        match block.get("portSpecification").and_then(Value::as_str) {
            Some("USE_SERVING_PORT") if block.contains_key("port") => {
                return Err(ApiError::invalid(
                    &format!("{at}.port"),
                    &block.get("port").map(ToString::to_string).unwrap_or_default(),
                    "Must not be specified with USE_SERVING_PORT.",
                ));
            }
            Some("USE_NAMED_PORT") => {
                return Err(ApiError::invalid(
                    &format!("{at}.portSpecification"),
                    "USE_NAMED_PORT",
                    "Is not supported.",
                ));
            }
            Some("USE_SERVING_PORT") => {}
            _ if !block.contains_key("port") => return Err(ApiError::required(&format!("{at}.port"))),
            _ => {}
        }
        if let Some(path) = block.get("requestPath").and_then(Value::as_str)
            && !path.starts_with('/')
        {
            return Err(ApiError::invalid(&format!("{at}.requestPath"), path, "Must begin with '/'."));
        }
    }
    let regions = body.get("sourceRegions").and_then(Value::as_array).map_or(0, Vec::len);
    if regions != 0 && (regions != 3 || draft.path.scope != Scope::Global) {
        return Err(ApiError::invalid(
            "resource.sourceRegions",
            "",
            "A global health check can have exactly three source regions, a regional one none.",
        ));
    }
    let seconds = |field: &str| body.get(field).and_then(Value::as_i64).unwrap_or_default();
    if seconds("timeoutSec") > seconds("checkIntervalSec") {
        return Err(ApiError::invalid(
            "resource.timeoutSec",
            &seconds("timeoutSec").to_string(),
            "TimeoutSec should be less than or equal to checkIntervalSec.",
        ));
    }
    Ok(())
}
