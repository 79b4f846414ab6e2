//! Ingresses that join a group and leave it, and Services that pass from one Ingress to the next.

use serde_json::{Value, json};

use crate::world::{Step, World};

fn spec(host: &str, service: &str) -> Value {
    json!({"rules": [{"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix",
        "backend": {"service": {"name": service, "port": {"number": 8080}}}}]}}]})
}

/// Whether a forwarding rule answers at this address.
fn answers(world: &World, address: std::net::IpAddr) -> bool {
    let text = json!(address.to_string());
    world.state().iter().any(|(path, body)| path.contains("forwardingRules") && body["IPAddress"] == text)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_kept_until_it_is_released_and_whoever_leaves_is_served_first() {
    let world = World::new().await;
    let member = json!({"gclb.dev/group": "front"});
    world.memory.put_ingress("test", &spec("a.example.com", "web"));
    world.memory.put_annotated("other", &member, &spec("b.example.com", "web"));
    let mut controller = world.start();
    let address = |name: &str| world.memory.address(name);
    controller.settled(|| address("test").is_some() && address("other").is_some()).await;
    let (own, group) = (address("test").unwrap(), address("other").unwrap());
    assert_ne!(own, group);

    // It joins: the group's address is published, and its own goes on answering.
    world.memory.put_annotated("test", &member, &spec("a.example.com", "web"));
    controller.settled(|| address("test") == Some(group)).await;
    let reason = world.memory.report("test").unwrap().summary.reason;
    assert!(answers(&world, own), "{reason:?}");
    // What is not its address does not release it.
    let released = |address: &str| json!({"gclb.dev/group": "front", "gclb.dev/release-address": address});
    world.memory.put_annotated("test", &released("203.0.113.99"), &spec("a.example.com", "web"));
    let said = || {
        let events = world.memory.report("test").map(|report| report.events).unwrap_or_default();
        events.iter().any(|event| event.warning && event.message.contains("203.0.113.99"))
    };
    controller.settled(said).await;
    assert!(answers(&world, own));
    world.memory.put_annotated("test", &released(&own.to_string()), &spec("a.example.com", "web"));
    controller.settled(|| !answers(&world, own)).await;
    assert!(answers(&world, group));

    // It leaves: its forwarding rule is made before the group's map loses its host.
    let before = world.requests().len();
    world.memory.put_ingress("test", &spec("a.example.com", "web"));
    let has_left = || {
        let maps = world.state();
        let mut maps = maps.iter().filter(|(path, _)| path.contains("urlMaps"));
        let both = |body: &Value| {
            let text = body.to_string();
            text.contains("a.example.com") && text.contains("b.example.com")
        };
        address("test").is_some_and(|own| own != group) && !maps.any(|(_, body)| both(body))
    };
    controller.settled(has_left).await;
    let requests = world.requests().split_off(before);
    let place = |method: &str, part: &str| {
        requests
            .iter()
            .position(|(is, path)| is == method && path.contains(part))
            .unwrap_or_else(|| panic!("{requests:#?}"))
    };
    assert!(place("POST", "/forwardingRules") < place("PATCH", "/urlMaps"), "{requests:#?}");
    assert!(answers(&world, group));

    for name in ["other", "test"] {
        world.memory.delete_ingress(name);
    }
    controller.settled(|| !world.memory.is_there("test") && !world.memory.is_there("other")).await;
    assert_eq!(world.state(), world.empty);
    controller.stop().await;
    world.cloud.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_passes_from_hand_to_hand_is_there_for_the_last_and_gone_after_it() {
    let world = World::new().await;
    world.memory.put_service("api", 30_081);
    let mut controller = world.start();
    // Each comes as the one before goes, faster than plans are done: alone and in groups, of the same two Services.
    for round in 0..6 {
        let service = if round % 2 == 0 { "web" } else { "api" };
        let group = if round % 3 == 0 { json!({}) } else { json!({"gclb.dev/group": "front"}) };
        let host = format!("n{round}.example.com");
        world.memory.put_annotated(&format!("n{round}"), &group, &spec(&host, service));
        // Until it has been noticed, and something has begun.
        while !matches!(controller.step(&[]).await, Step::Ended(..)) {}
        if round > 0 {
            world.memory.delete_ingress(&format!("n{}", round - 1));
        }
    }
    let only_the_last = || (0..5).all(|round| !world.memory.is_there(&format!("n{round}")));
    controller.settled(|| only_the_last() && world.memory.address("n5").is_some()).await;
    controller.stop().await;
    let count = |kind: &str| world.state().keys().filter(|path| path.contains(kind)).count();
    assert_eq!(count("/healthChecks/"), 1, "{:#?}", world.state().keys());
    assert_eq!(count("/urlMaps/"), 1);
    assert_eq!(count("/forwardingRules/"), 1);

    world.memory.delete_ingress("n5");
    let mut controller = world.start();
    controller.settled(|| !world.memory.is_there("n5")).await;
    controller.stop().await;
    assert_eq!(world.state(), world.empty);
    world.cloud.shutdown().await;
}
