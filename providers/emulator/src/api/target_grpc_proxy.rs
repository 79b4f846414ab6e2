//! Target gRPC proxies: a URL map for gRPC clients that ask for their configuration. Kept and shown; nothing is served.

use super::iam;
use crate::declaration::{Fields, Locking, Resource, Standard, flag, link, text};
use crate::scope::ResourcePath;
use crate::state::Stored;
use crate::world::World;
use serde_json::{Map, Value, json};

pub(super) static RESOURCE: Resource = Resource {
    collection: "targetGrpcProxies",
    singular: "target_grpc_proxy",
    kind: "compute#targetGrpcProxy",
    fields: FIELDS,
    verbs: &[Standard::Insert, Standard::Patch, Standard::Delete],
    custom: &[iam::TEST_PERMISSIONS],
    locking: Locking::Fingerprint,
    check: super::scheme::check_placed,
    render,
    ..Resource::PLAIN
};

const FIELDS: Fields =
    &[text("description"), link("urlMap", &["urlMaps"]).required(), flag("validateForProxyless")];

fn render(path: &ResourcePath, stored: &Stored, _: &World<'_>, base: &str, body: &mut Map<String, Value>) {
    let with_id = ResourcePath { name: stored.id.to_string(), ..path.clone() };
    body.insert("selfLinkWithId".to_owned(), json!(format!("{base}{with_id}")));
}
