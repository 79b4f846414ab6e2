//! Target TCP proxies: a backend service that is spoken to byte by byte. Kept and shown; nothing is served.

use super::iam;
use crate::declaration::{
    CustomVerb, Effect, Fields, Resource, ScopeKind, Standard, VerbAddress, choice, flag, link, text,
};

pub(super) static RESOURCE: Resource = Resource {
    collection: "targetTcpProxies",
    singular: "target_tcp_proxy",
    kind: "compute#targetTcpProxy",
    scopes: &[ScopeKind::Global, ScopeKind::Region],
    fields: FIELDS,
    verbs: &[Standard::Insert, Standard::Delete],
    custom: &[
        CustomVerb {
            name: "setBackendService",
            request: &[link("service", &["backendServices"]).required()],
            effect: Effect::Set(&[("service", "service")]),
            address: VerbAddress::Scoped,
        },
        CustomVerb {
            name: "setProxyHeader",
            request: &[choice("proxyHeader", PROXY_HEADERS).required()],
            effect: Effect::Set(&[("proxyHeader", "proxyHeader")]),
            address: VerbAddress::Scoped,
        },
        iam::TEST_PERMISSIONS,
    ],
    lacks: &[(ScopeKind::Region, &["setBackendService", "setProxyHeader"])],
    check: super::scheme::check_placed,
    ..Resource::PLAIN
};

/// What a proxy may say about the client before the first byte.
pub(super) const PROXY_HEADERS: &[&str] = &["NONE", "PROXY_V1"];

const FIELDS: Fields = &[
    text("description"),
    choice(
        "loadBalancingScheme",
        &["EXTERNAL", "EXTERNAL_MANAGED", "INTERNAL_MANAGED", "LOAD_BALANCING_SCHEME_UNSPECIFIED"],
    ),
    flag("proxyBind"),
    choice("proxyHeader", PROXY_HEADERS).default_text("NONE"),
    link("service", &["backendServices"]).required(),
];
