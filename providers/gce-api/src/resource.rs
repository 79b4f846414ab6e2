//! What all resource types have in common.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Uint64;

/// A type that has a collection in the API's paths. Implemented by the generated types only.
pub trait Resource:
    Clone + Debug + Default + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The value of the `kind` field, e.g. `compute#urlMap`.
    const KIND: &'static str;
    /// The path segment of the collection, e.g. `urlMaps`. Aggregated lists use the same word as a key.
    const COLLECTION: &'static str;
    /// What people call one of these, e.g. `url map`. For messages.
    const NOUN: &'static str;
    /// JSON keys of the top level that only the server writes. It ignores them in a request.
    const SET_BY_SERVER: &'static [&'static str];

    /// The name, unique in project, scope and collection.
    fn name(&self) -> Option<&str>;
    /// The number that the server gave it. A resource deleted and made again under its old name has a new one.
    fn id(&self) -> Option<&Uint64>;
    /// The full URL under which the server knows it.
    fn self_link(&self) -> Option<&str>;
    /// The free text that people and tools leave on it.
    fn description(&self) -> Option<&str>;
    /// The version mark for optimistic locking; `None` also for types that have none.
    fn fingerprint(&self) -> Option<&str>;
}
