//! Reading fields of a body without failing: what is absent or of another type is `None`.

use std::time::Duration;

use serde_json::Value;

/// A field that is there and not null.
pub(super) fn field<'a>(body: &'a Value, name: &str) -> Option<&'a Value> {
    body.get(name).filter(|value| !value.is_null())
}

/// A text field; empty counts as absent, as the API treats it.
pub(super) fn text<'a>(body: &'a Value, name: &str) -> Option<&'a str> {
    field(body, name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// An integer, written as a number or (64-bit fields) as text.
pub(super) fn integer(body: &Value, name: &str) -> Option<i64> {
    match field(body, name)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// A number of seconds; negative counts as absent.
pub(super) fn seconds(body: &Value, name: &str) -> Option<Duration> {
    integer(body, name).and_then(|value| u64::try_from(value).ok()).map(Duration::from_secs)
}

/// A TCP port other than zero.
pub(super) fn port(body: &Value, name: &str) -> Option<u16> {
    integer(body, name).and_then(|value| u16::try_from(value).ok()).filter(|port| *port != 0)
}

/// A flag; absent is false.
pub(super) fn flag(body: &Value, name: &str) -> bool {
    field(body, name).and_then(Value::as_bool).unwrap_or(false)
}

/// The entries of an array field; none if it is absent.
pub(super) fn items<'a>(body: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    field(body, name).and_then(Value::as_array).into_iter().flatten()
}

/// The texts of an array field.
pub(super) fn texts<'a>(body: &'a Value, name: &str) -> impl Iterator<Item = &'a str> {
    items(body, name).filter_map(Value::as_str)
}

/// The canonical path of the resource that a field links to.
pub(super) fn link<'a>(body: &'a Value, name: &str) -> Option<&'a str> {
    text(body, name).map(canonical)
}

/// A link cut down to its canonical path. Text that is no link comes back as it is, and then names nothing.
pub(super) fn canonical(link: &str) -> &str {
    if link.starts_with("projects/") {
        return link;
    }
    link.find("/projects/").map_or(link, |at| &link[at + 1..])
}

/// The collection a canonical path belongs to: the part before the name.
pub(super) fn collection(path: &str) -> &str {
    path.rsplit('/').nth(1).unwrap_or_default()
}
