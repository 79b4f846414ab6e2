//! Target HTTP proxies: a URL map, spoken in the clear.

use super::iam;
use crate::declaration::{
    CustomVerb, Effect, Fields, Locking, NotFound, Resource, ScopeKind, Standard, Type, VerbAddress, flag,
    integer, link, list, text,
};

pub(super) static RESOURCE: Resource = Resource {
    collection: "targetHttpProxies",
    singular: "target_http_proxy",
    kind: "compute#targetHttpProxy",
    scopes: &[ScopeKind::Global, ScopeKind::Region],
    fields: FIELDS,
    verbs: &[Standard::Insert, Standard::Patch, Standard::Delete],
    custom: &[
        CustomVerb {
            name: "setUrlMap",
            request: &[link("urlMap", &["urlMaps"]).required()],
            effect: Effect::Set(&[("urlMap", "urlMap")]),
            address: VerbAddress::ScopedOrBare,
        },
        iam::TEST_PERMISSIONS,
    ],
    lacks: &[(ScopeKind::Region, &["patch"])],
    locking: Locking::Fingerprint,
    not_found: NotFound::Noun("targetHttpProxy"),
    check: super::scheme::check_placed,
    ..Resource::PLAIN
};

const FIELDS: Fields = &[
    text("description"),
    list("httpFilters", &Type::Text).beta(),
    integer("httpKeepAliveTimeoutSec").range(5, 1200),
    flag("proxyBind"),
    link("urlMap", &["urlMaps"]).required(),
];
