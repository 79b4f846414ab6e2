//! What every project comes with: regions, zones, and the `default` network with a subnetwork in each region; and the
//! images that the usual public projects offer.

use crate::random::id;
use crate::scope::{ResourcePath, Scope};
use crate::state::{Origin, Project, State, Stored};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// A region: its name, the letters of its zones, and the range of its subnetwork in an auto-mode network.
struct Region {
    name: &'static str,
    zones: &'static str,
    range: &'static str,
}

const fn region(name: &'static str, zones: &'static str, range: &'static str) -> Region {
    Region { name, zones, range }
}

const REGIONS: &[Region] = &[
    region("asia-east1", "abc", "10.140.0.0/20"),
    region("asia-northeast1", "abc", "10.146.0.0/20"),
    region("asia-south1", "abc", "10.160.0.0/20"),
    region("asia-southeast1", "abc", "10.148.0.0/20"),
    region("australia-southeast1", "abc", "10.152.0.0/20"),
    region("europe-north1", "abc", "10.166.0.0/20"),
    region("europe-west1", "bcd", "10.132.0.0/20"),
    region("europe-west2", "abc", "10.154.0.0/20"),
    region("europe-west3", "abc", "10.156.0.0/20"),
    region("europe-west4", "abc", "10.164.0.0/20"),
    region("northamerica-northeast1", "abc", "10.162.0.0/20"),
    region("southamerica-east1", "abc", "10.158.0.0/20"),
    region("us-central1", "abcf", "10.128.0.0/20"),
    region("us-east1", "bcd", "10.142.0.0/20"),
    region("us-east4", "abc", "10.150.0.0/20"),
    region("us-west1", "abc", "10.138.0.0/20"),
    region("us-west2", "abc", "10.168.0.0/20"),
];

/// Projects with public images, their families, and the image each family has.
const PUBLIC_IMAGES: &[(&str, &str, &str)] = &[
    ("cos-cloud", "cos-stable", "cos-stable-117-18613-164-4"),
    ("debian-cloud", "debian-11", "debian-11-bullseye-v20231010"),
    ("debian-cloud", "debian-12", "debian-12-bookworm-v20240312"),
    ("ubuntu-os-cloud", "ubuntu-2404-lts-amd64", "ubuntu-2404-noble-amd64-v20240423"),
];

/// Makes a project the first time somebody names it.
pub(crate) fn ensure(state: &mut State, project: &str, now: Timestamp) {
    if state.projects.contains_key(project) {
        return;
    }
    state.add_project(project, Project { number: number_of(project), created: now });
    let mut put = |scope: Scope, collection: &'static str, name: &str, body: Value| {
        let path = ResourcePath { project: project.to_owned(), scope, collection, name: name.to_owned() };
        let mut fields = match body {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        fields.insert("name".to_owned(), json!(name));
        let mut stored = Stored::new(id(), now, fields);
        stored.origin = Origin::Project;
        state.put(&path, stored);
    };
    for (_, family, name) in PUBLIC_IMAGES.iter().filter(|(of, ..)| *of == project) {
        put(Scope::Global, "images", name, json!({ "family": family, "status": "READY" }));
    }
    let network = format!("projects/{project}/global/networks/default");
    put(
        Scope::Global,
        "networks",
        "default",
        json!({
            "description": "Default network for the project",
            "autoCreateSubnetworks": true,
            "networkFirewallPolicyEnforcementOrder": "AFTER_CLASSIC_FIREWALL",
        }),
    );
    for Region { name, zones, range } in REGIONS {
        put(Scope::Project, "regions", name, json!({ "description": name, "status": "UP" }));
        for letter in zones.chars() {
            let zone = format!("{name}-{letter}");
            put(
                Scope::Project,
                "zones",
                &zone,
                json!({
                    "description": zone,
                    "status": "UP",
                    "region": format!("projects/{project}/regions/{name}"),
                }),
            );
        }
        put(
            Scope::Region((*name).to_owned()),
            "subnetworks",
            "default",
            json!({
                "network": network,
                "ipCidrRange": range,
                "gatewayAddress": range.replace(".0/20", ".1"),
                "privateIpGoogleAccess": false,
                "purpose": "PRIVATE",
                "stackType": "IPV4_ONLY",
            }),
        );
    }
}

/// The number of a project: of its id, so that it is the same in every run.
fn number_of(project: &str) -> u64 {
    let digest = Sha256::digest(project.as_bytes());
    let bytes: [u8; 8] = std::array::from_fn(|at| digest[at]);
    // Twelve digits, as real ones have.
    100_000_000_000 + u64::from_be_bytes(bytes) % 900_000_000_000
}
