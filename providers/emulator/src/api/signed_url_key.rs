//! Keys for signed URLs, of backend services and backend buckets alike. Their values are kept and never shown; their names
//! stand in the CDN policy.

use crate::declaration::{CustomVerb, Effect, VerbAddress, text};
use crate::draft::Draft;
use crate::error::ApiError;
use crate::world::World;
use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

/// `POST …/addSignedUrlKey`.
pub(super) const ADD: CustomVerb = CustomVerb {
    name: "addSignedUrlKey",
    request: &[text("keyName").required().named(), text("keyValue").required()],
    effect: Effect::Change(add),
    address: VerbAddress::Scoped,
};

/// `POST …/deleteSignedUrlKey?keyName=…`.
pub(super) const DELETE: CustomVerb = CustomVerb {
    name: "deleteSignedUrlKey",
    request: &[text("keyName").required().in_query()],
    effect: Effect::Change(delete),
    address: VerbAddress::Scoped,
};

/// The key under which the keys are kept apart from the body.
const KEPT: &str = "signedUrlKeys";

/// A service or bucket has at most this many.
const MOST: usize = 3;

/// The length of a key: 128 bits.
const KEY_BYTES: usize = 16;

fn names(draft: &Draft) -> Vec<String> {
    match draft.next.secrets.get(KEPT) {
        Some(Value::Object(keys)) => keys.keys().cloned().collect(),
        _ => Vec::new(),
    }
}

/// Shows the names, whatever a request did to the CDN policy.
pub(super) fn fill(draft: &mut Draft) {
    let names = names(draft);
    let body = draft.body_mut();
    if names.is_empty() {
        if let Some(Value::Object(policy)) = body.get_mut("cdnPolicy") {
            policy.shift_remove("signedUrlKeyNames");
        }
    } else if let Value::Object(policy) = body.entry("cdnPolicy").or_insert_with(|| json!({})) {
        policy.insert("signedUrlKeyNames".to_owned(), json!(names));
    }
}

fn add(draft: &mut Draft, request: &Map<String, Value>, _: &World<'_>) -> Result<(), ApiError> {
    let text = |field: &str| request.get(field).and_then(Value::as_str).unwrap_or_default();
    let (name, value) = (text("keyName"), text("keyValue"));
    let decoded = URL_SAFE.decode(value).or_else(|_| URL_SAFE_NO_PAD.decode(value));
    if decoded.map_or(0, |key| key.len()) != KEY_BYTES {
        // The value is a secret, so the message does not repeat it.
        return Err(ApiError::invalid(
            "resource.keyValue",
            "",
            "Must be a 128-bit key in base64url encoding.",
        ));
    }
    let names = names(draft);
    if names.iter().any(|known| known == name) {
        return Err(ApiError::invalid("resource.keyName", name, "A key of this name exists already."));
    }
    if names.len() >= MOST {
        return Err(ApiError::invalid(
            "resource.keyName",
            name,
            &format!("At most {MOST} signed URL keys are allowed."),
        ));
    }
    let mut keys = match draft.next.secrets.get(KEPT) {
        Some(Value::Object(keys)) => keys.clone(),
        _ => Map::new(),
    };
    keys.insert(name.to_owned(), json!(value));
    draft.next.secrets.insert(KEPT.to_owned(), Value::Object(keys));
    Ok(())
}

fn delete(draft: &mut Draft, request: &Map<String, Value>, _: &World<'_>) -> Result<(), ApiError> {
    let name = request.get("keyName").and_then(Value::as_str).unwrap_or_default();
    let removed = match draft.next.secrets.get_mut(KEPT) {
        Some(Value::Object(keys)) => keys.shift_remove(name),
        _ => None,
    };
    match removed {
        Some(_) => Ok(()),
        None => Err(ApiError::invalid("keyName", name, "There is no signed URL key of this name.")),
    }
}
