//! Somebody else takes a name that was free when everything was listed: what is met with 409 is not ours.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::spread;
use crate::stories::{Story, Undisturbed, told};
use crate::world::World;

/// Longer than it takes to make all that can be made.
const A_WHILE: Duration = Duration::from_mins(2);

async fn taken(collection: &&'static str, create: &Undisturbed) {
    let world = World::at(&create.beginning).await;
    let mut controller = world.start(None);
    tokio::time::sleep(A_WHILE).await;
    let path = create.end.keys().find(|path| path.contains(&format!("/{collection}/"))).unwrap();
    let (parent, name) = path.rsplit_once('/').unwrap();
    let mut body = json!({"name": name, "description": "by hand"});
    if *collection == "healthChecks" {
        body["type"] = json!("TCP");
        body["tcpHealthCheck"] = json!({"port": 80});
    }
    let (status, answer) = world.cloud.call(Method::POST, &format!("compute/v1/{parent}"), &body).await;
    assert_eq!(status, 200, "{answer}");
    world.cloud.emulator.idle().await;
    let theirs = world.cloud.raw()[path].clone();

    create.story.edit(&world.api);
    tokio::time::sleep(A_WHILE).await;
    let told = world.api.statuses().join("\n");
    assert!(told.contains("a resource that is not ours has this name"), "{told}");
    let now = world.cloud.raw();
    assert_eq!(now[path]["description"], theirs["description"], "it is not ours to change");
    let used = now.iter().find(|(other, body)| *other != path && body.to_string().contains(path.as_str()));
    assert_eq!(used, None, "nothing of ours uses it");

    // They give it up, and it goes on.
    let (status, answer) =
        world.cloud.call(Method::DELETE, &format!("compute/v1/{path}"), &Value::Null).await;
    assert_eq!(status, 200, "{answer}");
    world.until_state(&mut controller, &create.end).await;
    controller.stop().await;
    world.end().await;
}

#[test]
fn a_name_that_is_taken_meanwhile_is_not_taken_for_ours() {
    let create = told(Story::Create);
    spread::all(&["healthChecks", "addresses"], |collection| {
        spread::in_virtual_time(taken(collection, create));
    });
}
