//! SSL policies: which TLS versions and ciphers a target proxy offers.

use super::iam;
use crate::declaration::{
    CollectionAnswer, CollectionVerb, Fields, ListOf, Locking, Resource, ScopeKind, Standard, Type,
    VerbPlace, choice, list, text,
};
use crate::draft::Draft;
use crate::error::ApiError;
use crate::program::ssl_policy::{COMPATIBLE, features};
use crate::world::World;
use serde_json::{Value, json};

pub(super) static RESOURCE: Resource = Resource {
    collection: "sslPolicies",
    singular: "ssl_policy",
    kind: "compute#sslPolicy",
    scopes: &[ScopeKind::Global, ScopeKind::Region],
    fields: FIELDS,
    verbs: &[Standard::Insert, Standard::Patch, Standard::Delete],
    custom: &[iam::TEST_PERMISSIONS],
    collection_verbs: &[CollectionVerb {
        name: "listAvailableFeatures",
        place: VerbPlace::Scoped,
        answer: CollectionAnswer::Facts(|| json!({ "features": COMPATIBLE })),
    }],
    list_kinds: &[
        (ListOf::Place, "compute#sslPoliciesList"),
        (ListOf::Everywhere, "compute#sslPoliciesAggregatedList"),
    ],
    locking: Locking::Fingerprint,
    operation_types: &[("patch", "compute.sslPolicies.patch")],
    fill,
    check,
    ..Resource::PLAIN
};

const WARNING: Fields = &[
    text("code").output(),
    list("data", &Type::Object(&[text("key").output(), text("value").output()])).output(),
    text("message").output(),
];

const FIELDS: Fields = &[
    list("customFeatures", &Type::Text),
    text("description"),
    list("enabledFeatures", &Type::Text).output(),
    choice("minTlsVersion", &["TLS_1_0", "TLS_1_1", "TLS_1_2", "TLS_1_3"]).default_text("TLS_1_0"),
    choice("postQuantumKeyExchange", &["DEFAULT", "DEFERRED", "ENABLED"]),
    choice("profile", &["COMPATIBLE", "CUSTOM", "FIPS_202205", "MODERN", "RESTRICTED"])
        .default_text("COMPATIBLE"),
    list("warnings", &Type::Object(WARNING)).output(),
];

fn fill(draft: &mut Draft, _: &World<'_>) {
    let features = match draft.text("profile") {
        Some("CUSTOM") => {
            let mut chosen = custom(draft);
            chosen.sort_unstable();
            json!(chosen)
        }
        profile => json!(features(profile.unwrap_or_default())),
    };
    draft.body_mut().insert("enabledFeatures".to_owned(), features);
}

fn custom(draft: &Draft) -> Vec<String> {
    let given = draft.body().get("customFeatures").and_then(Value::as_array);
    given.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn check(draft: &Draft, _: &World<'_>) -> Result<(), ApiError> {
    let profile = draft.text("profile").unwrap_or_default();
    let custom = custom(draft);
    match (profile, custom.first()) {
        ("CUSTOM", None) => return Err(ApiError::required("resource.customFeatures")),
        ("CUSTOM", Some(_)) | (_, None) => {}
        (_, Some(first)) => {
            return Err(ApiError::invalid(
                "resource.customFeatures[0]",
                first,
                "Custom features can only be specified when using the CUSTOM profile.",
            ));
        }
    }
    for (index, feature) in custom.iter().enumerate() {
        if !COMPATIBLE.contains(&feature.as_str()) {
            return Err(ApiError::invalid(
                &format!("resource.customFeatures[{index}]"),
                feature,
                "The feature is not supported.",
            ));
        }
    }
    if draft.text("minTlsVersion") == Some("TLS_1_3") && profile != "RESTRICTED" {
        return Err(ApiError::invalid(
            "resource.minTlsVersion",
            "TLS_1_3",
            "TLS 1.3 as the minimum version needs the RESTRICTED profile.",
        ));
    }
    Ok(())
}
