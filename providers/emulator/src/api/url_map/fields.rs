//! The fields of a URL map, and of the objects inside it. Lengths are those of the published reference.

use crate::declaration::{
    DURATION, Fields, INT32_MAX, Type, choice, flag, integer, link, list, long, number, object, text,
};

/// What a URL map may send requests to.
const SERVICES: &[&str] = &["backendServices", "backendBuckets"];

const CUSTOM_ERROR_RESPONSE_RULE: Fields =
    &[list("matchResponseCodes", &Type::Text), integer("overrideResponseCode"), text("path")];

const CUSTOM_ERROR_RESPONSE_POLICY: Fields =
    &[list("errorResponseRules", &Type::Object(CUSTOM_ERROR_RESPONSE_RULE)), link("errorService", SERVICES)];

const CORS_POLICY: Fields = &[
    flag("allowCredentials"),
    list("allowHeaders", &Type::Text),
    list("allowMethods", &Type::Text),
    list("allowOriginRegexes", &Type::Text),
    list("allowOrigins", &Type::Text),
    flag("disabled"),
    list("exposeHeaders", &Type::Text),
    integer("maxAge"),
];

const HTTP_FAULT_ABORT: Fields =
    &[integer("httpStatus").range(200, 599), number("percentage").fraction(0.0, 100.0)];

const HTTP_FAULT_DELAY: Fields = &[object("fixedDelay", DURATION), number("percentage").fraction(0.0, 100.0)];

const HTTP_FAULT_INJECTION: Fields = &[object("abort", HTTP_FAULT_ABORT), object("delay", HTTP_FAULT_DELAY)];

const REQUEST_MIRROR_POLICY: Fields =
    &[link("backendService", &["backendServices"]), number("mirrorPercent").fraction(0.0, 100.0)];

const HTTP_RETRY_POLICY: Fields =
    &[integer("numRetries"), object("perTryTimeout", DURATION), list("retryConditions", &Type::Text)];

const URL_REWRITE: Fields = &[
    text("hostRewrite").length(1, 255),
    text("pathPrefixRewrite").length(1, 1024),
    text("pathTemplateRewrite").length(1, 1024),
];

const HTTP_HEADER_OPTION: Fields = &[text("headerName"), text("headerValue"), flag("replace")];

const HTTP_HEADER_ACTION: Fields = &[
    list("requestHeadersToAdd", &Type::Object(HTTP_HEADER_OPTION)),
    list("requestHeadersToRemove", &Type::Text),
    list("responseHeadersToAdd", &Type::Object(HTTP_HEADER_OPTION)),
    list("responseHeadersToRemove", &Type::Text),
];

const WEIGHTED_BACKEND_SERVICE: Fields = &[
    link("backendService", SERVICES),
    object("headerAction", HTTP_HEADER_ACTION),
    integer("weight").range(0, 1000),
];

const CACHE_KEY_POLICY: Fields = &[
    list("excludedQueryParameters", &Type::Text),
    flag("includeHost"),
    flag("includeProtocol"),
    flag("includeQueryString"),
    list("includedCookieNames", &Type::Text),
    list("includedHeaderNames", &Type::Text),
    list("includedQueryParameters", &Type::Text),
];

const CACHE_POLICY: Fields = &[
    list("cacheBypassRequestHeaderNames", &Type::Text),
    object("cacheKeyPolicy", CACHE_KEY_POLICY),
    choice("cacheMode", &["CACHE_ALL_STATIC", "FORCE_CACHE_ALL", "USE_ORIGIN_HEADERS"]),
    object("clientTtl", DURATION),
    object("defaultTtl", DURATION),
    object("maxTtl", DURATION),
    flag("negativeCaching"),
    list("negativeCachingPolicy", &Type::Object(&[integer("code"), object("ttl", DURATION)])),
    flag("requestCoalescing"),
    object("serveWhileStale", DURATION),
];

const HTTP_ROUTE_ACTION: Fields = &[
    object("cachePolicy", CACHE_POLICY),
    object("corsPolicy", CORS_POLICY),
    object("faultInjectionPolicy", HTTP_FAULT_INJECTION),
    object("maxStreamDuration", DURATION),
    object("requestMirrorPolicy", REQUEST_MIRROR_POLICY),
    object("retryPolicy", HTTP_RETRY_POLICY),
    object("timeout", DURATION),
    object("urlRewrite", URL_REWRITE),
    list("weightedBackendServices", &Type::Object(WEIGHTED_BACKEND_SERVICE)),
];

const HTTP_REDIRECT_ACTION: Fields = &[
    text("hostRedirect").length(1, 255),
    flag("httpsRedirect"),
    text("pathRedirect").length(1, 1024),
    text("prefixRedirect").length(1, 1024),
    choice(
        "redirectResponseCode",
        &["FOUND", "MOVED_PERMANENTLY_DEFAULT", "PERMANENT_REDIRECT", "SEE_OTHER", "TEMPORARY_REDIRECT"],
    ),
    flag("stripQuery"),
];

const HOST_RULE: Fields =
    &[text("description"), list("hosts", &Type::Text).required(), text("pathMatcher").required()];

const PATH_RULE: Fields = &[
    object("customErrorResponsePolicy", CUSTOM_ERROR_RESPONSE_POLICY),
    list("paths", &Type::Text).required(),
    object("routeAction", HTTP_ROUTE_ACTION),
    link("service", SERVICES),
    object("urlRedirect", HTTP_REDIRECT_ACTION),
];

const HTTP_FILTER_CONFIG: Fields = &[text("config"), text("configTypeUrl"), text("filterName")];

const INT64_RANGE_MATCH: Fields = &[long("rangeEnd"), long("rangeStart")];

const HTTP_HEADER_MATCH: Fields = &[
    text("exactMatch"),
    text("headerName"),
    flag("invertMatch"),
    text("prefixMatch"),
    flag("presentMatch"),
    object("rangeMatch", INT64_RANGE_MATCH),
    text("regexMatch"),
    text("suffixMatch"),
];

const METADATA_FILTER_LABEL_MATCH: Fields = &[text("name"), text("value")];

const METADATA_FILTER: Fields = &[
    list("filterLabels", &Type::Object(METADATA_FILTER_LABEL_MATCH)),
    choice("filterMatchCriteria", &["MATCH_ALL", "MATCH_ANY", "NOT_SET"]),
];

const HTTP_QUERY_PARAMETER_MATCH: Fields =
    &[text("exactMatch"), text("name"), flag("presentMatch"), text("regexMatch")];

const HTTP_ROUTE_RULE_MATCH: Fields = &[
    text("fullPathMatch").length(1, 1024),
    list("headerMatches", &Type::Object(HTTP_HEADER_MATCH)),
    flag("ignoreCase"),
    list("metadataFilters", &Type::Object(METADATA_FILTER)),
    text("pathTemplateMatch").length(1, 1024),
    text("prefixMatch").length(1, 1024),
    list("queryParameterMatches", &Type::Object(HTTP_QUERY_PARAMETER_MATCH)),
    text("regexMatch"),
];

const HTTP_ROUTE_RULE: Fields = &[
    object("customErrorResponsePolicy", CUSTOM_ERROR_RESPONSE_POLICY),
    text("description").length(0, 1024),
    object("headerAction", HTTP_HEADER_ACTION),
    list("httpFilterConfigs", &Type::Object(HTTP_FILTER_CONFIG)).beta(),
    list("httpFilterMetadata", &Type::Object(HTTP_FILTER_CONFIG)).beta(),
    list("matchRules", &Type::Object(HTTP_ROUTE_RULE_MATCH)),
    integer("priority").range(0, INT32_MAX),
    object("routeAction", HTTP_ROUTE_ACTION),
    link("service", SERVICES),
    object("urlRedirect", HTTP_REDIRECT_ACTION),
];

const PATH_MATCHER: Fields = &[
    object("defaultCustomErrorResponsePolicy", CUSTOM_ERROR_RESPONSE_POLICY),
    object("defaultRouteAction", HTTP_ROUTE_ACTION),
    link("defaultService", SERVICES),
    object("defaultUrlRedirect", HTTP_REDIRECT_ACTION),
    text("description"),
    object("headerAction", HTTP_HEADER_ACTION),
    text("name").required().named(),
    list("pathRules", &Type::Object(PATH_RULE)),
    list("routeRules", &Type::Object(HTTP_ROUTE_RULE)),
];

const URL_MAP_TEST_HEADER: Fields = &[text("name"), text("value")];

const URL_MAP_TEST: Fields = &[
    text("description"),
    text("expectedOutputUrl"),
    integer("expectedRedirectResponseCode"),
    list("headers", &Type::Object(URL_MAP_TEST_HEADER)),
    text("host"),
    text("path"),
    link("service", SERVICES),
];

pub(super) const FIELDS: Fields = &[
    object("defaultCustomErrorResponsePolicy", CUSTOM_ERROR_RESPONSE_POLICY),
    object("defaultRouteAction", HTTP_ROUTE_ACTION),
    link("defaultService", SERVICES),
    object("defaultUrlRedirect", HTTP_REDIRECT_ACTION),
    text("description"),
    object("headerAction", HTTP_HEADER_ACTION),
    list("hostRules", &Type::Object(HOST_RULE)),
    list("pathMatchers", &Type::Object(PATH_MATCHER)),
    list("tests", &Type::Object(URL_MAP_TEST)).at_most(100),
];
