//! Images, in a plain form. The usual public projects come with one of each usual family.

use super::iam;
use crate::declaration::{Fields, Lookup, Resource, Standard, UnknownFields, text};
use crate::draft::Draft;
use crate::state::Table;
use crate::world::World;

pub(super) static RESOURCE: Resource = Resource {
    collection: "images",
    singular: "image",
    kind: "compute#image",
    fields: FIELDS,
    unknown_fields: UnknownFields::Keep,
    verbs: &[Standard::Insert, Standard::Delete],
    custom: &[iam::GET_POLICY, iam::SET_POLICY, iam::TEST_PERMISSIONS],
    lookups: &[Lookup { word: "family", find: newest_of_family }],
    fill,
    ..Resource::PLAIN
};

const FIELDS: Fields = &[text("description"), text("family"), text("status").output()];

fn fill(draft: &mut Draft, _: &World<'_>) {
    draft.fill("status", "READY");
}

fn newest_of_family(images: &Table, family: &str) -> Option<String> {
    images
        .iter()
        .filter(|(_, image)| image.text("family") == Some(family))
        .max_by_key(|(name, image)| (image.created, name.as_str()))
        .map(|(name, _)| name.clone())
}
