//! Two clusters with the same cluster id in one project.

use std::time::Duration;

use gclb::controller::Options;
use http::Method;
use serde_json::Value;

use crate::gate::is_write;
use crate::spread;
use crate::stories::{Story, told};
use crate::world::{Controller, World};

fn start(world: &World, claimant: &str) -> Controller {
    world.start_with(None, Options { claimant: Some(claimant.to_owned()), ..Options::default() })
}

/// Everything that it changed anywhere, but for the claim.
fn changes(controller: &Controller) -> Vec<String> {
    let calls = controller.gate.calls();
    let changes = calls.into_iter().filter(|call| is_write(call) || !call.contains(" /compute/"));
    changes.collect()
}

fn claims(world: &World) -> Vec<(String, String)> {
    let raw = world.cloud.raw();
    let checks = raw.iter().filter(|(path, _)| path.contains("/healthChecks/"));
    let described = checks.filter_map(|(path, body)| Some((path, body["description"].as_str()?)));
    let claims = described.filter(|(_, text)| text.starts_with("gclb.dev/claimed-by: "));
    claims.map(|(path, text)| (path.clone(), text.to_owned())).collect()
}

#[test]
fn the_first_to_claim_an_id_has_it_and_the_other_writes_nothing() {
    let create = told(Story::Create);
    spread::in_virtual_time(async {
        let world = World::at(&create.beginning).await;
        create.story.edit(&world.api);
        let first = start(&world, "namespace kube-system aaaa");
        tokio::time::sleep(Duration::from_mins(2)).await;
        assert!(!changes(&first).is_empty());
        assert_eq!(world.unpublished(), None);
        let second = start(&world, "namespace kube-system bbbb");
        tokio::time::sleep(Duration::from_mins(5)).await;
        assert_eq!(changes(&second), [""; 0], "it is another cluster's id");
        let claims = claims(&world);
        let [(path, text)] = &claims[..] else { panic!("one claim: {claims:?}") };
        assert_eq!(text, "gclb.dev/claimed-by: namespace kube-system aaaa");

        // A restart of the first finds its own claim, and changes nothing.
        first.stop().await;
        let first = start(&world, "namespace kube-system aaaa");
        tokio::time::sleep(Duration::from_mins(2)).await;
        assert_eq!(first.gate.writes().len(), 0, "{:?}", first.gate.writes());
        first.stop().await;

        // The first cluster is given up for the second: its claim is deleted by hand.
        let (status, answer) =
            world.cloud.call(Method::DELETE, &format!("compute/v1/{path}"), &Value::Null).await;
        assert_eq!(status, 200, "{answer}");
        tokio::time::sleep(Duration::from_mins(2)).await;
        let wrote = second.gate.writes();
        assert_eq!(wrote.len(), 1, "the claim, and what is there is as it should be: {wrote:?}");
        second.stop().await;
        world.cloud.assert_others_untouched();
        world.end().await;
    });
}

#[test]
fn of_two_that_begin_at_once_one_writes() {
    let create = told(Story::Create);
    spread::in_virtual_time(async {
        let world = World::at(&create.beginning).await;
        create.story.edit(&world.api);
        let both = [start(&world, "namespace kube-system aaaa"), start(&world, "namespace kube-system bbbb")];
        tokio::time::sleep(Duration::from_mins(3)).await;
        let wrote: Vec<usize> = both.iter().map(|controller| changes(controller).len()).collect();
        assert_eq!(claims(&world).len(), 1);
        assert_eq!(wrote.iter().filter(|count| **count > 1).count(), 1, "{wrote:?}");
        assert!(
            wrote.iter().any(|count| *count <= 1),
            "the other one tried to claim, at the most: {wrote:?}"
        );
        assert_eq!(world.unpublished(), None);
        for controller in both {
            controller.stop().await;
        }
        world.end().await;
    });
}
