//! The fields of a security policy, of its rules, and of the objects inside them.

use crate::declaration::{
    Fields, INT32_MAX, Type, choice, flag, integer, list, long, map, number, object, text,
};

/// What a rate limit may be counted by.
const ENFORCE_ON_KEYS: &[&str] = &[
    "ALL",
    "ALL_IPS",
    "ASN",
    "HTTP_COOKIE",
    "HTTP_HEADER",
    "HTTP_PATH",
    "IP",
    "REGION_CODE",
    "SNI",
    "TLS_JA3_FINGERPRINT",
    "TLS_JA4_FINGERPRINT",
    "USER_IP",
    "XFF_IP",
];

const AUTO_DEPLOY: Fields = &[
    number("confidenceThreshold").beta(),
    integer("expirationSec").beta(),
    number("impactedBaselineThreshold").beta(),
    number("loadThreshold").beta(),
];

const TRAFFIC_GRANULARITY: Fields = &[
    flag("enableEachUniqueValue"),
    choice("type", &["HTTP_HEADER_HOST", "HTTP_PATH", "UNSPECIFIED_TYPE"]),
    text("value"),
];

const THRESHOLDS: Fields = &[
    number("autoDeployConfidenceThreshold"),
    integer("autoDeployExpirationSec"),
    number("autoDeployImpactedBaselineThreshold"),
    number("autoDeployLoadThreshold"),
    number("detectionAbsoluteQps"),
    number("detectionLoadThreshold"),
    number("detectionRelativeToBaselineQps"),
    text("name"),
    list("trafficGranularityConfigs", &Type::Object(TRAFFIC_GRANULARITY)),
];

const LAYER7_DDOS_DEFENSE: Fields = &[
    flag("enable"),
    choice("ruleVisibility", &["PREMIUM", "STANDARD"]),
    list("thresholdConfigs", &Type::Object(THRESHOLDS)),
];

const ADAPTIVE_PROTECTION: Fields =
    &[object("autoDeployConfig", AUTO_DEPLOY).beta(), object("layer7DdosDefenseConfig", LAYER7_DDOS_DEFENSE)];

const JSON_CUSTOM: Fields = &[list("contentTypes", &Type::Text)];

const ADVANCED_OPTIONS: Fields = &[
    object("jsonCustomConfig", JSON_CUSTOM),
    choice("jsonParsing", &["DISABLED", "STANDARD", "STANDARD_WITH_GRAPHQL"]),
    choice("logLevel", &["NORMAL", "VERBOSE"]),
    text("requestBodyInspectionSize"),
    list("userIpRequestHeaders", &Type::Text),
];

const ASSOCIATION: Fields = &[
    text("attachmentId"),
    text("displayName").output(),
    list("excludedFolders", &Type::Text),
    list("excludedProjects", &Type::Text),
    text("name"),
    text("securityPolicyId").output(),
    text("shortName").named().output(),
];

const DDOS_PROTECTION: Fields = &[
    choice(
        "ddosAdaptiveProtection",
        &[
            "DDOS_ADAPTIVE_PROTECTION_UNSPECIFIED",
            "DISABLED",
            "ENABLED",
            "PREVIEW",
            "UNSPECIFIED_ADAPTIVE_PROTECTION",
        ],
    ),
    number("ddosImpactedBaselineThreshold"),
    choice("ddosProtection", &["ADVANCED", "ADVANCED_PREVIEW", "STANDARD"]),
];

const RECAPTCHA_OPTIONS: Fields = &[text("redirectSiteKey")];

const RULE_HEADER: Fields = &[text("headerName"), text("headerValue")];

const RULE_HEADER_ACTION: Fields = &[list("requestHeadersToAdds", &Type::Object(RULE_HEADER))];

const MATCHER_LAYER4: Fields = &[text("ipProtocol").beta(), list("ports", &Type::Text).beta()];

const MATCHER_CONFIG: Fields = &[
    list("destIpRanges", &Type::Text).beta(),
    list("layer4Configs", &Type::Object(MATCHER_LAYER4)).beta(),
    list("srcIpRanges", &Type::Text),
];

const EXPR: Fields = &[text("description"), text("expression"), text("location"), text("title")];

const EXPR_RECAPTCHA: Fields =
    &[list("actionTokenSiteKeys", &Type::Text), list("sessionTokenSiteKeys", &Type::Text)];

const EXPR_OPTIONS: Fields = &[object("recaptchaOptions", EXPR_RECAPTCHA)];

const MATCHER: Fields = &[
    object("config", MATCHER_CONFIG),
    object("expr", EXPR),
    object("exprOptions", EXPR_OPTIONS),
    choice("versionedExpr", &["FIREWALL", "SRC_IPS_V1"]),
];

const USER_DEFINED_FIELD_MATCH: Fields = &[text("name"), list("values", &Type::Text)];

const NETWORK_MATCHER: Fields = &[
    list("destIpRanges", &Type::Text),
    list("destPorts", &Type::Text),
    list("ipProtocols", &Type::Text),
    list("srcAsns", &Type::Integer),
    list("srcIpRanges", &Type::Text),
    list("srcPorts", &Type::Text),
    list("srcRegionCodes", &Type::Text),
    list("userDefinedFields", &Type::Object(USER_DEFINED_FIELD_MATCH)),
];

const WAF_EXCLUSION_FIELD: Fields =
    &[choice("op", &["CONTAINS", "ENDS_WITH", "EQUALS", "EQUALS_ANY", "STARTS_WITH"]), text("val")];

const WAF_EXCLUSION: Fields = &[
    list("requestBodiesToExclude", &Type::Object(WAF_EXCLUSION_FIELD)).beta(),
    list("requestCookiesToExclude", &Type::Object(WAF_EXCLUSION_FIELD)),
    list("requestHeadersToExclude", &Type::Object(WAF_EXCLUSION_FIELD)),
    list("requestQueryParamsToExclude", &Type::Object(WAF_EXCLUSION_FIELD)),
    list("requestUrisToExclude", &Type::Object(WAF_EXCLUSION_FIELD)),
    list("targetRuleIds", &Type::Text),
    text("targetRuleSet"),
];

const WAF_CONFIG: Fields = &[list("exclusions", &Type::Object(WAF_EXCLUSION))];

const RATE_LIMIT_THRESHOLD: Fields = &[integer("count"), integer("intervalSec")];

const ENFORCE_ON_KEY_CONFIG: Fields =
    &[text("enforceOnKeyName"), choice("enforceOnKeyType", ENFORCE_ON_KEYS)];

const REDIRECT_OPTIONS: Fields = &[text("target"), choice("type", &["EXTERNAL_302", "GOOGLE_RECAPTCHA"])];

const RATE_LIMIT_OPTIONS: Fields = &[
    integer("banDurationSec"),
    object("banThreshold", RATE_LIMIT_THRESHOLD),
    text("conformAction"),
    choice("enforceOnKey", ENFORCE_ON_KEYS),
    list("enforceOnKeyConfigs", &Type::Object(ENFORCE_ON_KEY_CONFIG)).at_most(3),
    text("enforceOnKeyName"),
    text("exceedAction"),
    object("exceedRedirectOptions", REDIRECT_OPTIONS),
    object("rateLimitThreshold", RATE_LIMIT_THRESHOLD),
];

pub(super) const RULE: Fields = &[
    text("action"),
    text("description").default_text("").length(0, 64),
    choice("direction", &["EGRESS", "INGRESS"]).beta(),
    flag("enableLogging").beta(),
    object("headerAction", RULE_HEADER_ACTION),
    text("kind").output(),
    object("match", MATCHER),
    object("networkMatch", NETWORK_MATCHER),
    object("preconfiguredWafConfig", WAF_CONFIG),
    flag("preview").default_flag(false),
    integer("priority").range(0, INT32_MAX),
    object("rateLimitOptions", RATE_LIMIT_OPTIONS),
    object("redirectOptions", REDIRECT_OPTIONS),
    long("ruleNumber").beta(),
    integer("ruleTupleCount").output().beta(),
    list("targetResources", &Type::Text).beta(),
    list("targetServiceAccounts", &Type::Text).beta(),
];

const USER_DEFINED_FIELD: Fields = &[
    choice("base", &["IPV4", "IPV6", "TCP", "UDP"]),
    text("mask"),
    text("name"),
    integer("offset"),
    integer("size").range(1, 4),
];

pub(super) const FIELDS: Fields = &[
    object("adaptiveProtectionConfig", ADAPTIVE_PROTECTION),
    object("advancedOptionsConfig", ADVANCED_OPTIONS),
    list("associations", &Type::Object(ASSOCIATION)),
    object("ddosProtectionConfig", DDOS_PROTECTION),
    text("description"),
    text("displayName").beta(),
    map("labels", &Type::Text),
    text("parent").output(),
    object("recaptchaOptionsConfig", RECAPTCHA_OPTIONS),
    integer("ruleTupleCount").output().beta(),
    list("rules", &Type::Object(RULE)),
    text("shortName"),
    choice(
        "type",
        &[
            "CLOUD_ARMOR",
            "CLOUD_ARMOR_EDGE",
            "CLOUD_ARMOR_INTERNAL_SERVICE",
            "CLOUD_ARMOR_NETWORK",
            "FIREWALL",
        ],
    )
    .default_text("CLOUD_ARMOR"),
    list("userDefinedFields", &Type::Object(USER_DEFINED_FIELD)),
];
