//! Regions: every project has the same ones, and nobody can change them.

use crate::declaration::{Fields, Resource, ScopeKind, Type, choice, list, text};
use crate::scope::{ResourcePath, Scope};
use crate::state::Stored;
use crate::world::World;
use serde_json::{Map, Value, json};

pub(super) static RESOURCE: Resource = Resource {
    collection: "regions",
    singular: "region",
    kind: "compute#region",
    scopes: &[ScopeKind::Project],
    fields: FIELDS,
    verbs: &[],
    render,
    ..Resource::PLAIN
};

const FIELDS: Fields =
    &[text("description"), choice("status", &["DOWN", "UP"]), list("zones", &Type::Text).output()];

fn render(path: &ResourcePath, _: &Stored, world: &World<'_>, base: &str, body: &mut Map<String, Value>) {
    let region = path.to_string();
    let zones: Vec<Value> = world
        .state
        .table("zones", &path.project, &Scope::Project)
        .into_iter()
        .flatten()
        .filter(|(_, zone)| zone.text("region") == Some(&region))
        .map(|(name, _)| json!(format!("{base}projects/{}/zones/{name}", path.project)))
        .collect();
    body.insert("zones".to_owned(), json!(zones));
    let place = Scope::Region(path.name.clone());
    body.insert("quotas".to_owned(), world.quotas.show(world.state, &path.project, &place));
}
