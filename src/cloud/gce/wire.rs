//! What every resource's file says: how it is written to the API and read from it.

use std::net::IpAddr;

use serde_json::{Map, Value};

use super::link::Links;
use crate::model::{Mark, Resource, ResourceId, Scope};

/// A wire type and the model type that it stands for.
pub(super) trait Wire: gce::methods::Insert + gce::methods::Delete {
    /// The model type.
    type Model: Resource;

    /// The body that creates it. Groups are written without their members, certificates without their content: those follow by calls
    /// and from places of their own.
    fn write(model: &Self::Model, id: &ResourceId, mark: &Mark, links: &Links) -> Result<Self, Unspeakable>;

    /// What it is, in our words. Members of groups are not in the body, so they are empty.
    fn read(&self, scope: &Scope) -> Result<Self::Model, NotUnderstood>;

    /// When it was made, as the API says it.
    fn created(&self) -> Option<&str>;

    /// Its address, where it has one.
    fn address(&self) -> Option<IpAddr> {
        None
    }
}

/// A wire type that can be patched.
pub(super) trait Patched: Wire + gce::methods::Patch {
    /// Every field that we own, each with a value or with `null`, so that what was there before does not stay.
    const OWNED: &'static [&'static str];

    /// Puts `null` where the body lacks something deeper than its top level, in the manner of RFC 7396.
    fn clear_within(_patch: &mut Map<String, Value>) {}
}

/// The model says something that the API has no word for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unspeakable(pub(super) String);

/// The API says something without which we cannot know what the resource is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {found:?}")]
pub(super) struct NotUnderstood {
    pub(super) field: &'static str,
    pub(super) found: String,
}

impl NotUnderstood {
    pub(super) fn new(field: &'static str, found: Option<&str>) -> Self {
        Self { field, found: found.unwrap_or_default().to_owned() }
    }
}

/// The merge patch that makes a resource what `body` says, as far as we own it.
pub(super) fn patch_of<R: Patched>(body: &R, fingerprint: Option<&str>) -> Result<Value, serde_json::Error> {
    let Value::Object(mut written) = serde_json::to_value(body)? else { return Ok(Value::Null) };
    let mut patch = Map::new();
    for key in R::OWNED {
        patch.insert((*key).to_owned(), written.remove(*key).unwrap_or(Value::Null));
    }
    R::clear_within(&mut patch);
    if let Some(fingerprint) = fingerprint {
        patch.insert("fingerprint".to_owned(), Value::String(fingerprint.to_owned()));
    }
    Ok(Value::Object(patch))
}

/// Puts `null` for every key that the object in this field lacks.
pub(super) fn clear_others(at: &mut Map<String, Value>, field: &str, keys: &[&str]) {
    if let Some(Value::Object(object)) = at.get_mut(field) {
        for key in keys {
            object.entry((*key).to_owned()).or_insert(Value::Null);
        }
    }
}

pub(super) fn to_i32(field: &str, number: u32) -> Result<i32, Unspeakable> {
    i32::try_from(number).map_err(|_| Unspeakable(format!("{field} {number} is too large")))
}

/// A count that the API leaves out where it is the default.
pub(super) fn from_i32(number: Option<i32>, default: u32) -> u32 {
    number.map_or(default, |number| u32::try_from(number).unwrap_or(default))
}
