//! Instance templates, in a plain form: stored and shown as they came.

use crate::declaration::{Fields, Resource, Standard, UnknownFields, opaque, text};

pub(super) static RESOURCE: Resource = Resource {
    collection: "instanceTemplates",
    singular: "instance_template",
    kind: "compute#instanceTemplate",
    fields: FIELDS,
    unknown_fields: UnknownFields::Keep,
    verbs: &[Standard::Insert, Standard::Delete],
    operation_types: &[("insert", "compute.instanceTemplates.insert")],
    ..Resource::PLAIN
};

const FIELDS: Fields = &[text("description"), opaque("properties")];
