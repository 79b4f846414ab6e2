//! Networks, in a plain form: they exist, and things refer to them.

use super::iam;
use crate::declaration::{Fields, Resource, Standard, Type, UnknownFields, flag, list, text};
use crate::draft::Draft;
use crate::scope::ResourcePath;
use crate::state::Stored;
use crate::world::World;
use serde_json::{Map, Value, json};

pub(super) static RESOURCE: Resource = Resource {
    collection: "networks",
    singular: "network",
    kind: "compute#network",
    fields: FIELDS,
    unknown_fields: UnknownFields::Keep,
    verbs: &[Standard::Insert, Standard::Patch, Standard::Delete],
    custom: &[iam::TEST_PERMISSIONS],
    fill,
    render,
    ..Resource::PLAIN
};

const FIELDS: Fields =
    &[flag("autoCreateSubnetworks"), text("description"), list("subnetworks", &Type::Text).output()];

fn fill(draft: &mut Draft, _: &World<'_>) {
    draft.fill("autoCreateSubnetworks", false);
    draft.fill("networkFirewallPolicyEnforcementOrder", "AFTER_CLASSIC_FIREWALL");
}

fn render(
    path: &ResourcePath,
    stored: &Stored,
    world: &World<'_>,
    base: &str,
    body: &mut Map<String, Value>,
) {
    let subnetworks: Vec<Value> = world
        .state
        .referrers(path)
        .filter(|user| user.collection == "subnetworks")
        .map(|user| json!(format!("{base}{user}")))
        .collect();
    if !subnetworks.is_empty() {
        body.insert("subnetworks".to_owned(), json!(subnetworks));
    }
    let with_id = ResourcePath { name: stored.id.to_string(), ..path.clone() };
    body.insert("selfLinkWithId".to_owned(), json!(format!("{base}{with_id}")));
}
