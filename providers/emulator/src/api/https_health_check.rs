//! Legacy HTTPS health checks: what [`super::health_check`] replaced, still named by old backend services.

use super::iam;
use crate::declaration::{Fields, INT32_MAX, NotFound, Resource, Standard, choice, integer, text};

pub(super) static RESOURCE: Resource = Resource {
    collection: "httpsHealthChecks",
    singular: "https_health_check",
    kind: "compute#httpsHealthCheck",
    fields: FIELDS,
    verbs: &[Standard::Insert, Standard::Update, Standard::Patch, Standard::Delete],
    custom: &[iam::TEST_PERMISSIONS],
    polled_in: Some("healthChecks"),
    not_found: NotFound::ResourceIn("healthChecks"),
    ..Resource::PLAIN
};

const FIELDS: Fields = &[
    integer("checkIntervalSec").default_integer(5).range(1, INT32_MAX),
    text("description"),
    integer("healthyThreshold").default_integer(2).range(1, 10),
    text("host"),
    integer("port").default_integer(443).range(1, 65535),
    choice("proxyHeader", &["NONE"]).default_text("NONE").output(),
    text("requestPath").default_text("/"),
    integer("timeoutSec").default_integer(5).range(1, INT32_MAX),
    integer("unhealthyThreshold").default_integer(2).range(1, 10),
];
