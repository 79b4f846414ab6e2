//! Lists that lack a part of the cloud and say so: what they do not show is not gone.

use std::time::Duration;

use serde_json::json;

use crate::gate::is_write;
use crate::spread;
use crate::stories::{Story, Undisturbed, told};
use crate::world::{Controller, REST, World};

/// What has a list over all scopes.
const COLLECTIONS: [&str; 10] = [
    "addresses",
    "backendServices",
    "forwardingRules",
    "healthChecks",
    "instanceGroups",
    "networkEndpointGroups",
    "sslCertificates",
    "targetHttpProxies",
    "targetHttpsProxies",
    "urlMaps",
];

/// Where the resources of the stories are.
const SCOPES: [&str; 3] = ["global", "zones/us-central1-a", "zones/us-central1-b"];

/// Longer than a plan takes that is wrong.
const A_WHILE: Duration = Duration::from_mins(2);

#[derive(Debug, Clone, Copy)]
enum When {
    /// The first list of all, with nothing known from before.
    AtStart,
    /// A list later on, when everything has been seen once.
    Later,
}

/// A scope that lists of one kind do not reach.
#[derive(Debug)]
struct Unreached {
    collection: &'static str,
    scope: &'static str,
    when: When,
}

fn all() -> Vec<Unreached> {
    let of = |collection: &'static str| {
        SCOPES.into_iter().flat_map(move |scope| {
            [When::AtStart, When::Later].map(|when| Unreached { collection, scope, when })
        })
    };
    // Only groups are in zones.
    let exists =
        |unreached: &Unreached| (unreached.scope == "global") != unreached.collection.ends_with("Groups");
    COLLECTIONS.into_iter().flat_map(of).filter(exists).collect()
}

impl Unreached {
    /// A controller that has seen such a list.
    async fn befalls(&self, world: &World) -> Controller {
        if let When::AtStart = self.when {
            self.begin(world);
        }
        let controller = world.start(None);
        if let When::Later = self.when {
            tokio::time::sleep(A_WHILE).await;
            self.begin(world);
            tokio::time::sleep(REST).await;
        }
        controller
    }

    fn begin(&self, world: &World) {
        let Self { collection, scope, when: _ } = self;
        let rule = json!({"method": format!("{collection}.aggregatedList"), "fault": {"unreachable": {"scopes": [scope]}}});
        world.cloud.emulator.add_fault(serde_json::from_value(rule).unwrap()).unwrap();
    }

    fn end(&self, world: &World) {
        let hits = world.cloud.emulator.faults()[0]["hits"].as_u64();
        assert!(hits.is_some_and(|hits| hits > 0), "{self:?} befell nobody");
        world.cloud.emulator.clear_faults();
    }
}

/// Nothing is to be done, and nothing is: what is not in the list is neither made anew nor taken out of what points at it.
async fn with_nothing_to_do(unreached: &Unreached, next: &Undisturbed) {
    let world = World::at(&next.beginning).await;
    let controller = unreached.befalls(&world).await;
    tokio::time::sleep(A_WHILE).await;
    let writes: Vec<String> = controller.gate.calls().into_iter().filter(|call| is_write(call)).collect();
    assert!(writes.is_empty(), "there was nothing to do: {writes:#?}");
    unreached.end(&world);
    controller.stop().await;
    world.end().await;
}

/// All of a load balancer is to go, and its object stays until all of it has been seen to be gone.
async fn with_all_to_be_deleted(unreached: &Unreached, delete: &Undisturbed) {
    let world = World::at(&delete.beginning).await;
    let mut controller = unreached.befalls(&world).await;
    delete.story.edit(&world.api);
    tokio::time::sleep(A_WHILE).await;
    unreached.end(&world);
    world.until_state(&mut controller, &delete.end).await;
    controller.stop().await;
    world.end().await;
}

#[test]
fn what_a_list_lacks_is_not_made_anew() {
    let next = told(Story::Switch);
    spread::all(&all(), |unreached| spread::in_virtual_time(with_nothing_to_do(unreached, next)));
}

#[test]
fn what_a_list_lacks_is_not_given_up() {
    let delete = told(Story::Delete);
    spread::all(&all(), |unreached| spread::in_virtual_time(with_all_to_be_deleted(unreached, delete)));
}
