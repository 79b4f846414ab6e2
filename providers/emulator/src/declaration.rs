//! The words in which a resource of the API is declared.
//!
//! A resource is one [`Resource`] value: its names, its scopes, its fields, its verbs, and the few functions that are
//! its own behaviour. Everything else (schema checks, defaults, references, lists, paging, patches, fingerprints,
//! operations, in-use deletes) is written once, elsewhere, and reads the declaration. Nothing here acts.

mod field;
mod resource;

pub(crate) use crate::scope::ScopeKind;
pub(crate) use field::*;
pub(crate) use resource::*;
