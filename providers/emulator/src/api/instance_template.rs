//! Instance templates, in a plain form: stored and shown as they came.

use super::iam;
use crate::declaration::{Fields, Resource, ScopeKind, Standard, UnknownFields, opaque, text};

pub(super) static RESOURCE: Resource = Resource {
    collection: "instanceTemplates",
    singular: "instance_template",
    kind: "compute#instanceTemplate",
    scopes: &[ScopeKind::Global, ScopeKind::Region],
    fields: FIELDS,
    unknown_fields: UnknownFields::Keep,
    verbs: &[Standard::Insert, Standard::Delete],
    custom: &[iam::GET_POLICY, iam::SET_POLICY, iam::TEST_PERMISSIONS],
    operation_types: &[("insert", "compute.instanceTemplates.insert")],
    ..Resource::PLAIN
};

const FIELDS: Fields = &[text("description"), opaque("properties")];
