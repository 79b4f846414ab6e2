//! Reading declarations: does a body fit, what does it refer to, what is missing, what may be shown.
//!
//! Every function walks a body along the declared fields. Behaviour of one resource does not belong here.

mod admit;
mod merge;
mod verify;

pub(crate) use admit::{Admission, Mode};
pub(crate) use merge::{masked, merge};
pub(crate) use verify::{fill, verify};

use crate::declaration::{Field, Fields, Type, Written};
use crate::scope::ResourcePath;
use serde_json::{Map, Value};

/// Fields that every resource has and only the server writes.
pub(crate) const COMMON_OUTPUT: &[&str] = &[
    "id",
    "kind",
    "creationTimestamp",
    "selfLink",
    "selfLinkWithId",
    "region",
    "zone",
    "fingerprint",
    "labelFingerprint",
];

/// The declared field of a name.
pub(crate) fn find<'a>(fields: &'a [Field], name: &str) -> Option<&'a Field> {
    fields.iter().find(|field| field.name == name)
}

/// Every reference in a body, with the field it stands in.
pub(crate) fn links(fields: Fields, body: &Map<String, Value>) -> Vec<(String, ResourcePath)> {
    let mut found = Vec::new();
    links_in_object(fields, body, "resource", &mut found);
    found
}

fn links_in_object(
    fields: Fields,
    body: &Map<String, Value>,
    at: &str,
    found: &mut Vec<(String, ResourcePath)>,
) {
    for (name, value) in body {
        if let Some(field) = find(fields, name) {
            links_in_value(&field.shape, value, &format!("{at}.{name}"), found);
        }
    }
}

fn links_in_value(shape: &Type, value: &Value, at: &str, found: &mut Vec<(String, ResourcePath)>) {
    match (shape, value) {
        (Type::Link(_), Value::String(text)) => {
            found.extend(ResourcePath::parse(text).map(|path| (at.to_owned(), path)));
        }
        (Type::Object(fields), Value::Object(body)) => links_in_object(fields, body, at, found),
        (Type::List(of), Value::Array(items)) if holds_links(of) => {
            for (index, item) in items.iter().enumerate() {
                links_in_value(of, item, &format!("{at}[{index}]"), found);
            }
        }
        (Type::Map(of), Value::Object(body)) if holds_links(of) => {
            for (key, item) in body {
                links_in_value(of, item, &format!("{at}.{key}"), found);
            }
        }
        _ => {}
    }
}

fn holds_links(shape: &Type) -> bool {
    match shape {
        Type::Link(_) | Type::Object(_) => true,
        Type::List(of) | Type::Map(of) => holds_links(of),
        _ => false,
    }
}

/// A body as it is shown: references as full URLs under `base`, secrets left out.
pub(crate) fn show(fields: Fields, body: &Map<String, Value>, base: &str) -> Map<String, Value> {
    body.iter()
        .filter_map(|(name, value)| match find(fields, name) {
            Some(field) if field.written == Written::Secret => None,
            Some(field) => Some((name.clone(), show_value(&field.shape, value, base))),
            None => Some((name.clone(), value.clone())),
        })
        .collect()
}

fn show_value(shape: &Type, value: &Value, base: &str) -> Value {
    match (shape, value) {
        (Type::Link(_), Value::String(text)) => Value::from(format!("{base}{text}")),
        (Type::Object(fields), Value::Object(body)) => Value::Object(show(fields, body, base)),
        (Type::List(of), Value::Array(items)) => {
            items.iter().map(|item| show_value(of, item, base)).collect()
        }
        (Type::Map(of), Value::Object(body)) => {
            Value::Object(body.iter().map(|(key, item)| (key.clone(), show_value(of, item, base))).collect())
        }
        _ => value.clone(),
    }
}
