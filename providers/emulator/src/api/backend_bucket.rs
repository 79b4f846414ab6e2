//! Backend buckets: storage that a URL map can name.

use super::{iam, signed_url_key};
use crate::declaration::{
    CollectionAnswer, CollectionVerb, CustomVerb, Effect, Fields, INT64_MAX, ListItem, NotFound, Resource,
    ScopeKind, Standard, Type, VerbAddress, VerbPlace, choice, flag, integer, link, list, long, map, object,
    text,
};

pub(super) static RESOURCE: Resource = Resource {
    collection: "backendBuckets",
    singular: "backend_bucket",
    kind: "compute#backendBucket",
    scopes: &[ScopeKind::Global, ScopeKind::Region],
    fields: FIELDS,
    verbs: &[Standard::Insert, Standard::Update, Standard::Patch, Standard::Delete],
    custom: &[
        CustomVerb {
            name: "setEdgeSecurityPolicy",
            request: &[link("securityPolicy", &["securityPolicies"])],
            effect: Effect::Set(&[("securityPolicy", "edgeSecurityPolicy")]),
            address: VerbAddress::Scoped,
        },
        signed_url_key::ADD,
        signed_url_key::DELETE,
        iam::GET_POLICY,
        iam::SET_POLICY,
        iam::TEST_PERMISSIONS,
    ],
    collection_verbs: &[CollectionVerb {
        name: "listUsable",
        place: VerbPlace::Scoped,
        answer: CollectionAnswer::List { kind: "compute#usableBackendBucketList", item: ListItem::Whole },
    }],
    lacks: &[(ScopeKind::Region, &["addSignedUrlKey", "deleteSignedUrlKey", "setEdgeSecurityPolicy"])],
    not_found: NotFound::Noun("BackendBucket"),
    fill: |draft, _| signed_url_key::fill(draft),
    check: |draft, world| {
        super::backend_service::rules::custom_headers(draft.body())?;
        super::cdn_policy::check(draft.body())?;
        super::scheme::check(draft, world)
    },
    ..Resource::PLAIN
};

const CDN_POLICY: Fields = &[
    list("bypassCacheOnRequestHeaders", &Type::Object(&[text("headerName")])).at_most(5),
    object(
        "cacheKeyPolicy",
        &[list("includeHttpHeaders", &Type::Text), list("queryStringWhitelist", &Type::Text)],
    ),
    choice("cacheMode", &["CACHE_ALL_STATIC", "FORCE_CACHE_ALL", "INVALID_CACHE_MODE", "USE_ORIGIN_HEADERS"]),
    integer("clientTtl").range(0, super::YEAR),
    integer("defaultTtl").range(0, super::YEAR),
    integer("maxTtl").range(0, super::YEAR),
    flag("negativeCaching"),
    list(
        "negativeCachingPolicy",
        &Type::Object(&[integer("code"), integer("ttl").range(0, super::NEGATIVE_TTL)]),
    ),
    flag("requestCoalescing"),
    integer("serveWhileStale").range(0, super::WEEK),
    long("signedUrlCacheMaxAgeSec").range(0, INT64_MAX),
    list("signedUrlKeyNames", &Type::Text).output(),
];

const FIELDS: Fields = &[
    text("bucketName").required(),
    object("cdnPolicy", CDN_POLICY),
    choice("compressionMode", &["AUTOMATIC", "DISABLED"]),
    list("customResponseHeaders", &Type::Text),
    text("description"),
    link("edgeSecurityPolicy", &["securityPolicies"]).by_verb(),
    flag("enableCdn"),
    choice("loadBalancingScheme", &["EXTERNAL_MANAGED", "INTERNAL_MANAGED"]),
    object("params", &[map("resourceManagerTags", &Type::Text)]),
    list("usedBy", &Type::Object(&[text("reference").output()])).output(),
];
