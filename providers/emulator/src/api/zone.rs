//! Zones: every project has the same ones, and nobody can change them.

use crate::declaration::{Fields, Resource, ScopeKind, Type, choice, flag, link, list, text};

pub(super) static RESOURCE: Resource = Resource {
    collection: "zones",
    singular: "zone",
    kind: "compute#zone",
    scopes: &[ScopeKind::Project],
    fields: FIELDS,
    verbs: &[],
    ..Resource::PLAIN
};

const FIELDS: Fields = &[
    list("availableCpuPlatforms", &Type::Text),
    text("description"),
    link("region", &["regions"]),
    choice("status", &["DOWN", "UP"]),
    flag("supportsPzs"),
];
