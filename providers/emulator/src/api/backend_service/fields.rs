//! The fields of a backend service, and of the objects inside it.

use crate::declaration::{
    DURATION, Fields, INT32_MAX, INT64_MAX, Type, choice, flag, integer, link, list, long, map, number,
    object, text,
};

/// A backend service has at most this many instance groups or NEGs.
const MAX_BACKENDS: usize = 50;

const BACKEND_CUSTOM_METRIC: Fields = &[flag("dryRun"), number("maxUtilization"), text("name")];

const BACKEND: Fields = &[
    choice("balancingMode", &["CONNECTION", "CUSTOM_METRICS", "IN_FLIGHT", "RATE", "UTILIZATION"]),
    number("capacityScaler"),
    list("customMetrics", &Type::Object(BACKEND_CUSTOM_METRIC)),
    text("description"),
    flag("failover"),
    link("group", &["instanceGroups", "networkEndpointGroups"]).required(),
    integer("maxConnections"),
    integer("maxConnectionsPerEndpoint"),
    integer("maxConnectionsPerInstance"),
    integer("maxInFlightRequests"),
    integer("maxInFlightRequestsPerEndpoint"),
    integer("maxInFlightRequestsPerInstance"),
    integer("maxRate"),
    number("maxRatePerEndpoint"),
    number("maxRatePerInstance"),
    number("maxUtilization").fraction(0.0, 1.0),
    object("orchestrationInfo", &[text("resourceUri")]),
    choice("preference", &["DEFAULT", "PREFERENCE_UNSPECIFIED", "PREFERRED"]),
    choice("trafficDuration", &["LONG", "SHORT", "TRAFFIC_DURATION_UNSPECIFIED"]),
];

const CDN_POLICY_BYPASS_CACHE_ON_REQUEST_HEADER: Fields = &[text("headerName")];

const CACHE_KEY_POLICY: Fields = &[
    flag("includeHost"),
    list("includeHttpHeaders", &Type::Text),
    list("includeNamedCookies", &Type::Text),
    flag("includeProtocol"),
    flag("includeQueryString"),
    list("queryStringBlacklist", &Type::Text),
    list("queryStringWhitelist", &Type::Text),
];

const CDN_POLICY_NEGATIVE_CACHING_POLICY: Fields =
    &[integer("code"), integer("ttl").range(0, super::super::NEGATIVE_TTL)];

const CDN_POLICY: Fields = &[
    list("bypassCacheOnRequestHeaders", &Type::Object(CDN_POLICY_BYPASS_CACHE_ON_REQUEST_HEADER)).at_most(5),
    object("cacheKeyPolicy", CACHE_KEY_POLICY),
    choice("cacheMode", &["CACHE_ALL_STATIC", "FORCE_CACHE_ALL", "INVALID_CACHE_MODE", "USE_ORIGIN_HEADERS"]),
    integer("clientTtl").range(0, super::super::YEAR),
    integer("defaultTtl").range(0, super::super::YEAR),
    integer("maxTtl").range(0, super::super::YEAR),
    flag("negativeCaching"),
    list("negativeCachingPolicy", &Type::Object(CDN_POLICY_NEGATIVE_CACHING_POLICY)),
    flag("requestCoalescing"),
    integer("serveWhileStale").range(0, super::super::WEEK),
    long("signedUrlCacheMaxAgeSec").range(0, INT64_MAX),
    list("signedUrlKeyNames", &Type::Text).output(),
];

const CIRCUIT_BREAKERS: Fields = &[
    object("connectTimeout", DURATION).beta(),
    integer("maxConnections"),
    integer("maxPendingRequests"),
    integer("maxRequests"),
    integer("maxRequestsPerConnection"),
    integer("maxRetries"),
];

const CONNECTION_DRAINING: Fields = &[integer("drainingTimeoutSec").range(0, 3600)];

const CONNECTION_TRACKING_POLICY: Fields = &[
    choice(
        "connectionPersistenceOnUnhealthyBackends",
        &["ALWAYS_PERSIST", "DEFAULT_FOR_PROTOCOL", "NEVER_PERSIST"],
    ),
    flag("enableStrongAffinity"),
    integer("idleTimeoutSec"),
    choice("trackingMode", &["INVALID_TRACKING_MODE", "PER_CONNECTION", "PER_SESSION"]),
];

const CONSISTENT_HASH_HTTP_COOKIE: Fields = &[text("name"), text("path"), object("ttl", DURATION)];

const CONSISTENT_HASH: Fields =
    &[object("httpCookie", CONSISTENT_HASH_HTTP_COOKIE), text("httpHeaderName"), long("minimumRingSize")];

const CUSTOM_METRIC: Fields = &[flag("dryRun"), text("name")];

const DYNAMIC_FORWARDING_IP_PORT_SELECTION: Fields = &[flag("enabled")];

const DYNAMIC_FORWARDING: Fields = &[object("ipPortSelection", DYNAMIC_FORWARDING_IP_PORT_SELECTION)];

const FAILOVER_POLICY: Fields = &[
    flag("disableConnectionDrainOnFailover"),
    flag("dropTrafficIfUnhealthy"),
    number("failoverRatio").fraction(0.0, 1.0),
];

const HA_POLICY_LEADER_NETWORK_ENDPOINT: Fields = &[text("instance")];

const HA_POLICY_LEADER: Fields =
    &[text("backendGroup"), object("networkEndpoint", HA_POLICY_LEADER_NETWORK_ENDPOINT)];

const HA_POLICY: Fields =
    &[choice("fastIPMove", &["DISABLED", "GARP_RA"]), object("leader", HA_POLICY_LEADER)];

const IAP: Fields = &[
    flag("enabled"),
    text("oauth2ClientId"),
    text("oauth2ClientSecret").secret(),
    text("oauth2ClientSecretSha256").output(),
];

const LOCALITY_POLICY_CUSTOM_POLICY: Fields = &[text("data"), text("name")];

const LOCALITY_POLICY_POLICY: Fields = &[choice(
    "name",
    &[
        "INVALID_LB_POLICY",
        "LEAST_REQUEST",
        "MAGLEV",
        "ORIGINAL_DESTINATION",
        "RANDOM",
        "RING_HASH",
        "ROUND_ROBIN",
        "WEIGHTED_GCP_RENDEZVOUS",
        "WEIGHTED_MAGLEV",
        "WEIGHTED_ROUND_ROBIN",
    ],
)];

const LOCALITY_POLICY: Fields =
    &[object("customPolicy", LOCALITY_POLICY_CUSTOM_POLICY), object("policy", LOCALITY_POLICY_POLICY)];

const LOGGING_HTTP_HEADER: Fields = &[text("headerName")];

const LOG_CONFIG: Fields = &[
    flag("enable"),
    list("loggingHttpRequestHeaders", &Type::Object(LOGGING_HTTP_HEADER)),
    list("loggingHttpResponseHeaders", &Type::Object(LOGGING_HTTP_HEADER)),
    list("optionalFields", &Type::Text),
    choice("optionalMode", &["CUSTOM", "EXCLUDE_ALL_OPTIONAL", "INCLUDE_ALL_OPTIONAL"]),
    number("sampleRate").fraction(0.0, 1.0),
];

const PASS_THROUGH_POLICY_ZONAL_AFFINITY: Fields = &[
    choice(
        "spillover",
        &["ZONAL_AFFINITY_DISABLED", "ZONAL_AFFINITY_SPILL_CROSS_ZONE", "ZONAL_AFFINITY_STAY_WITHIN_ZONE"],
    ),
    number("spilloverRatio").fraction(0.0, 1.0),
];

const PASS_THROUGH_POLICY: Fields = &[object("zonalAffinity", PASS_THROUGH_POLICY_ZONAL_AFFINITY)];

const OUTLIER_DETECTION: Fields = &[
    object("baseEjectionTime", DURATION),
    integer("consecutiveErrors"),
    integer("consecutiveGatewayFailure"),
    integer("enforcingConsecutiveErrors"),
    integer("enforcingConsecutiveGatewayFailure"),
    integer("enforcingSuccessRate"),
    object("interval", DURATION),
    integer("maxEjectionPercent"),
    integer("successRateMinimumHosts"),
    integer("successRateRequestVolume"),
    integer("successRateStdevFactor"),
];

const AWS_V4_SIGNATURE: Fields =
    &[text("accessKey"), text("accessKeyId"), text("accessKeyVersion"), text("originRegion")];

const SECURITY_SETTINGS: Fields = &[
    text("authentication").beta(),
    object("awsV4Authentication", AWS_V4_SIGNATURE),
    text("clientTlsPolicy"),
    list("subjectAltNames", &Type::Text),
];

const HTTP_COOKIE: Fields = &[text("name"), text("path"), object("ttl", DURATION)];

const SUBSETTING: Fields =
    &[choice("policy", &["CONSISTENT_HASH_SUBSETTING", "NONE"]), integer("subsetSize").beta()];

const TLS_SETTINGS_SUBJECT_ALT_NAME: Fields = &[text("dnsName"), text("uniformResourceIdentifier")];

const TLS_SETTINGS: Fields = &[
    text("authenticationConfig"),
    text("sni"),
    list("subjectAltNames", &Type::Object(TLS_SETTINGS_SUBJECT_ALT_NAME)),
];

const USED_BY: Fields = &[text("reference").output()];

pub(super) const FIELDS: Fields = &[
    integer("affinityCookieTtlSec").default_integer(0).range(0, 1_209_600),
    list("backends", &Type::Object(BACKEND)).at_most(MAX_BACKENDS),
    object("cdnPolicy", CDN_POLICY),
    object("circuitBreakers", CIRCUIT_BREAKERS),
    choice("compressionMode", &["AUTOMATIC", "DISABLED"]),
    object("connectionDraining", CONNECTION_DRAINING),
    object("connectionTrackingPolicy", CONNECTION_TRACKING_POLICY),
    object("consistentHash", CONSISTENT_HASH),
    list("customMetrics", &Type::Object(CUSTOM_METRIC)),
    list("customRequestHeaders", &Type::Text),
    list("customResponseHeaders", &Type::Text),
    text("description").default_text(""),
    object("dynamicForwarding", DYNAMIC_FORWARDING).beta(),
    link("edgeSecurityPolicy", &["securityPolicies"]).by_verb(),
    flag("enableCDN"),
    choice("externalManagedMigrationState", &["PREPARE", "TEST_ALL_TRAFFIC", "TEST_BY_PERCENTAGE"]),
    number("externalManagedMigrationTestingPercentage").fraction(0.0, 100.0),
    object("failoverPolicy", FAILOVER_POLICY),
    object("haPolicy", HA_POLICY),
    list("healthChecks", &Type::Link(&["healthChecks", "httpHealthChecks", "httpsHealthChecks"])).at_most(1),
    object("iap", IAP),
    choice(
        "ipAddressSelectionPolicy",
        &["IPV4_ONLY", "IPV6_ONLY", "IP_ADDRESS_SELECTION_POLICY_UNSPECIFIED", "PREFER_IPV6"],
    ),
    choice(
        "loadBalancingScheme",
        &[
            "EXTERNAL",
            "EXTERNAL_MANAGED",
            "INTERNAL",
            "INTERNAL_MANAGED",
            "INTERNAL_SELF_MANAGED",
            "INVALID_LOAD_BALANCING_SCHEME",
        ],
    )
    .default_text("EXTERNAL"),
    list("localityLbPolicies", &Type::Object(LOCALITY_POLICY)),
    choice(
        "localityLbPolicy",
        &[
            "INVALID_LB_POLICY",
            "LEAST_REQUEST",
            "MAGLEV",
            "ORIGINAL_DESTINATION",
            "RANDOM",
            "RING_HASH",
            "ROUND_ROBIN",
            "WEIGHTED_GCP_RENDEZVOUS",
            "WEIGHTED_MAGLEV",
            "WEIGHTED_ROUND_ROBIN",
        ],
    ),
    object("logConfig", LOG_CONFIG),
    object("maxStreamDuration", DURATION),
    map("metadatas", &Type::Text),
    link("network", &["networks"]),
    object("networkPassThroughLbTrafficPolicy", PASS_THROUGH_POLICY),
    object("outlierDetection", OUTLIER_DETECTION),
    object("orchestrationInfo", &[text("resourceUri")]),
    object("params", &[map("resourceManagerTags", &Type::Text)]),
    integer("port"),
    text("portName"),
    choice("protocol", &["GRPC", "H2C", "HTTP", "HTTP2", "HTTPS", "SSL", "TCP", "UDP", "UNSPECIFIED"]),
    link("securityPolicy", &["securityPolicies"]).by_verb(),
    object("securitySettings", SECURITY_SETTINGS),
    list("serviceBindings", &Type::Text),
    text("serviceLbPolicy"),
    choice(
        "sessionAffinity",
        &[
            "CLIENT_IP",
            "CLIENT_IP_NO_DESTINATION",
            "CLIENT_IP_PORT_PROTO",
            "CLIENT_IP_PROTO",
            "GENERATED_COOKIE",
            "HEADER_FIELD",
            "HTTP_COOKIE",
            "NONE",
            "STRONG_COOKIE_AFFINITY",
        ],
    )
    .default_text("NONE"),
    object("strongSessionAffinityCookie", HTTP_COOKIE),
    object("subsetting", SUBSETTING),
    integer("timeoutSec").default_integer(30).range(1, INT32_MAX),
    object("tlsSettings", TLS_SETTINGS),
    list("usedBy", &Type::Object(USED_BY)).output(),
];
