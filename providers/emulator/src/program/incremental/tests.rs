use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::Compiler;
use crate::dataplane::Differing;
use crate::dataplane::program::{NetworkEndpoint, Program};
use crate::program::{Resources, compile};

#[derive(Debug, Default)]
struct Cloud {
    objects: BTreeMap<String, Value>,
    ports: BTreeMap<String, u16>,
}

impl Resources for Cloud {
    fn list(&self, collection: &str) -> Vec<(&str, &Value)> {
        self.objects
            .iter()
            .filter(|(path, _)| path.rsplit('/').nth(1) == Some(collection))
            .map(|(path, body)| (path.as_str(), body))
            .collect()
    }

    fn get(&self, path: &str) -> Option<&Value> {
        self.objects.get(path)
    }

    fn network_endpoints(&self, group: &str) -> Vec<NetworkEndpoint> {
        let port = self.ports.get(group).copied();
        port.map(|port| NetworkEndpoint { instance: None, address: "10.0.0.1".parse().unwrap(), port })
            .into_iter()
            .collect()
    }

    fn group_members(&self, _: &str) -> Vec<String> {
        Vec::new()
    }

    fn private_key(&self, _: &str) -> Option<&str> {
        None
    }
}

/// A change of one resource: which, and what becomes of it; nothing is left of it where there is no variant.
#[derive(Debug, Clone)]
struct Edit {
    collection: usize,
    name: usize,
    variant: Option<usize>,
}

const COLLECTIONS: [&str; 7] = [
    "forwardingRules",
    "targetHttpProxies",
    "urlMaps",
    "backendServices",
    "networkEndpointGroups",
    "healthChecks",
    "firewalls",
];

fn path(collection: usize, name: usize) -> String {
    let place = if COLLECTIONS[collection] == "networkEndpointGroups" { "zones/z" } else { "global" };
    format!("projects/p/{place}/{}/{name}", COLLECTIONS[collection])
}

/// A body that leads on to one of the resources of the next kind, some of them with something that is not served.
fn body(collection: usize, name: usize, variant: usize) -> Value {
    let next = path((collection + 1) % COLLECTIONS.len(), variant % 3);
    match COLLECTIONS[collection] {
        "forwardingRules" => {
            json!({ "IPAddress": "127.0.0.1", "portRange": (80 + name).to_string(), "target": next })
        }
        "targetHttpProxies" if variant == 4 => json!({ "urlMap": next, "httpKeepAliveTimeoutSec": 5 }),
        "targetHttpProxies" => json!({ "urlMap": next }),
        "urlMaps" => json!({ "defaultService": next }),
        "backendServices" => json!({
            "backends": [{ "group": next }],
            "healthChecks": [path(5, variant % 3)],
            "sessionAffinity": if variant == 4 { "CLIENT_IP" } else { "NONE" },
        }),
        "networkEndpointGroups" => json!({ "networkEndpointType": "NON_GCP_PRIVATE_IP_PORT" }),
        "healthChecks" => json!({ "type": "TCP", "checkIntervalSec": 1 + variant, "tcpHealthCheck": {} }),
        _ => {
            json!({ "allowed": [{ "IPProtocol": "tcp" }], "priority": variant, "network": "projects/p/global/networks/n" })
        }
    }
}

fn edits() -> impl Strategy<Value = Vec<Vec<Edit>>> {
    let edit = (0..COLLECTIONS.len(), 0..3_usize, prop::option::weighted(0.8, 0..5_usize))
        .prop_map(|(collection, name, variant)| Edit { collection, name, variant });
    prop::collection::vec(prop::collection::vec(edit, 1..8), 1..12)
}

/// Programs are the same if they serve the same and complain of the same.
fn comparable(program: &Program) -> (Program, BTreeSet<(String, String)>) {
    let mut program = program.clone();
    program.frontends.sort_by(|a, b| a.id.cmp(&b.id));
    let problems = std::mem::take(&mut program.problems);
    (program, problems.into_iter().map(|problem| (problem.resource, problem.message)).collect())
}

/// What is not said to differ is the same.
fn only_these_differ(before: &Program, after: &Program, differing: &Differing) -> Result<(), TestCaseError> {
    let Differing::These { frontends, backend_services } = differing else { return Ok(()) };
    let same = |program: &Program| {
        let Program {
            frontends: all,
            url_maps: _,
            backend_buckets: _,
            backend_services: services,
            groups,
            health_checks,
            firewalls,
            instances,
            problems: _,
        } = program.clone();
        let all: Vec<_> = all.into_iter().filter(|frontend| !frontends.contains(&frontend.id)).collect();
        let services: Vec<_> = services
            .into_iter()
            .filter(|(id, _)| !backend_services.contains(id))
            .map(|(id, service)| {
                let groups: Vec<_> =
                    service.backends.iter().map(|backend| groups.get(&backend.group).cloned()).collect();
                let check = service.health_check.as_ref().and_then(|check| health_checks.get(check)).cloned();
                (id, service, groups, check)
            })
            .collect();
        (all, services, firewalls, instances)
    };
    prop_assert_eq!(same(before), same(after));
    Ok(())
}

proptest! {
    /// However one comes to a state, its program is the one that is compiled from it as a whole.
    #[test]
    fn a_program_that_followed_changes_is_the_one_of_the_whole(batches in edits()) {
        let mut cloud = Cloud::default();
        let mut compiler = Compiler::all(&cloud);
        for batch in batches {
            let mut changed = BTreeSet::new();
            for Edit { collection, name, variant } in batch {
                let path = path(collection, name);
                if let Some(variant) = variant {
                    cloud.objects.insert(path.clone(), body(collection, name, variant));
                    cloud.ports.insert(path.clone(), u16::try_from(variant).unwrap());
                } else {
                    cloud.objects.remove(&path);
                    cloud.ports.remove(&path);
                }
                changed.insert(path);
            }
            let before = compiler.program().clone();
            let differing = compiler.update(&cloud, changed.iter().map(String::as_str));
            only_these_differ(&before, compiler.program(), &differing)?;
            let whole = comparable(&compile(&cloud));
            prop_assert_eq!(comparable(compiler.program()), whole.clone());
            prop_assert_eq!(comparable(Compiler::all(&cloud).program()), whole);
        }
        for collection in 0..COLLECTIONS.len() {
            for name in 0..3 {
                cloud.objects.remove(&path(collection, name));
                compiler.update(&cloud, [path(collection, name).as_str()]);
            }
        }
        prop_assert_eq!(compiler.program(), &Program::default());
        prop_assert!(compiler.rules.is_empty() && compiler.readers.is_empty() && compiler.brought.is_empty());
    }
}
