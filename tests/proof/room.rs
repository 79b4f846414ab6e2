//! Quotas of the project that have too little room.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::api::Api;
use crate::objects::{Reached, Readiness, class, ingress, node, rule, service, slice};
use crate::spread;
use crate::world::{Controller, World};

async fn limit(world: &World, limits: &Value) {
    let (status, answer) =
        world.cloud.call(Method::PUT, "_emulator/quotas", &json!({"limits": limits})).await;
    assert_eq!(status, 200, "{answer}");
}

fn add_services(api: &Api, names: &[&str]) {
    for (at, name) in (30_000..).zip(names) {
        api.put_service(&service(name, 80, at + u16::from(name.as_bytes()[0]), Reached::AtNodes));
        api.put_slice(&slice(name, &[10]));
    }
}

fn put(api: &Api, name: &str, services: &[&str]) {
    let paths: Vec<(String, &str, u16)> =
        services.iter().map(|service| (format!("/{service}"), *service, 80)).collect();
    let paths: Vec<(&str, &str, u16)> =
        paths.iter().map(|(path, service, port)| (path.as_str(), *service, *port)).collect();
    let host = format!("{name}.example.com");
    api.put_ingress(ingress(name, &json!({}), &json!({"rules": [rule(&host, &paths)]})));
}

/// What an Ingress is told of its state.
fn state_of(world: &World, name: &str) -> String {
    let objects = world.api.objects();
    let annotations = objects.ingresses[name].metadata.annotations.clone().unwrap_or_default();
    annotations.get("gclb.dev/status").cloned().unwrap_or_default()
}

fn is_served(world: &World, name: &str) -> bool {
    crate::api::address_of(&world.api.objects().ingresses[name]).is_some()
}

fn ours(world: &World, name: &str) -> Vec<String> {
    let marked = format!("ingress/default/{name}\"");
    let raw = world.cloud.raw();
    let held = raw
        .iter()
        .filter(|(_, body)| body["description"].as_str().is_some_and(|text| text.contains(&marked)));
    held.map(|(path, _)| path.clone()).collect()
}

/// All that is ours, but for what the whole cluster has: ports are opened there for whoever may need them.
fn others(world: &World) -> crate::cloud::State {
    let mut state = world.cloud.state();
    state.retain(|path, _| !path.contains("/firewalls/") && !path.contains("/instanceGroups/"));
    state
}

async fn quiet(controller: &Controller) {
    let mut before = 0;
    loop {
        tokio::time::sleep(Duration::from_mins(1)).await;
        let now = controller.gate.writes().len();
        if now == before {
            return;
        }
        before = now;
    }
}

#[test]
fn what_a_quota_has_no_room_for_is_not_begun_and_goes_on_when_there_is() {
    spread::in_virtual_time(async {
        let world = World::new().await;
        world.api.put_class(&class());
        world.api.put_node(&node("node-1", Readiness::Ready));
        add_services(&world.api, &["a", "b", "c", "d", "e"]);
        put(&world.api, "small", &["a", "b"]);
        let controller = world.start(None);
        quiet(&controller).await;
        assert!(is_served(&world, "small"));
        let used = world.cloud.raw().keys().filter(|path| path.contains("/backendServices/")).count();
        let before = others(&world);

        // One more there may be, and three are needed.
        limit(&world, &json!({"BACKEND_SERVICES": used + 1})).await;
        tokio::time::sleep(Duration::from_mins(10)).await;
        put(&world.api, "big", &["c", "d", "e"]);
        quiet(&controller).await;
        assert_eq!(ours(&world, "big"), [""; 0], "nothing of it is begun");
        assert_eq!(others(&world), before, "nor of what only it would use, and what runs is untouched");
        let told = state_of(&world, "big");
        for part in ["QuotaTooSmall", "BACKEND_SERVICES", "1 more", "3 more"] {
            assert!(told.contains(part), "{part}: {told}");
        }
        // What it says costs little.
        let calls = controller.gate.calls().len();
        tokio::time::sleep(Duration::from_mins(5)).await;
        let asked = controller.gate.calls().split_off(calls);
        let of_quota = asked.iter().filter(|call| call.ends_with("/projects/proof")).count();
        assert!((20..=31).contains(&of_quota), "every ten seconds: {of_quota}");

        // Another one fits all the same.
        put(&world.api, "tiny", &["c"]);
        quiet(&controller).await;
        assert!(is_served(&world, "tiny"), "{}", state_of(&world, "tiny"));
        assert!(!is_served(&world, "big"));

        world.api.delete_ingress("small");
        world.api.delete_ingress("tiny");
        quiet(&controller).await;
        tokio::time::sleep(Duration::from_mins(1)).await;
        quiet(&controller).await;
        assert!(is_served(&world, "big"), "{}", state_of(&world, "big"));
        controller.stop().await;
        world.end().await;
    });
}

#[test]
fn most_load_balancers_do_not_go_at_once_without_consent() {
    let names = ["n1", "n2", "n3", "n4"];
    spread::in_virtual_time(async {
        let world = World::new().await;
        world.api.put_class(&class());
        world.api.put_node(&node("node-1", Readiness::Ready));
        add_services(&world.api, &["a"]);
        for name in names {
            put(&world.api, name, &["a"]);
        }
        let options = gclb::controller::Options { mass_deletion_limit: Some(2), ..Default::default() };
        let controller = world.start_with(None, options);
        quiet(&controller).await;
        assert!(names.iter().all(|name| is_served(&world, name)));
        let before = world.cloud.state();
        // Two may go, and with a third it would be most of them.
        for name in &names[..3] {
            world.api.delete_ingress(name);
        }
        quiet(&controller).await;
        assert_eq!(world.cloud.state(), before, "nothing goes, and nothing is closed");
        for name in &names[..3] {
            let told = state_of(&world, name);
            assert!(told.contains("MassDeletion") && told.contains("3 of 4"), "{told}");
            assert!(is_served(&world, name), "it keeps its address");
        }

        // One consents.
        world.api.annotate("n1", "gclb.dev/confirm-deletion", "true");
        quiet(&controller).await;
        assert!(!world.api.objects().ingresses.contains_key("n1"), "{}", state_of(&world, "n1"));
        assert_eq!(ours(&world, "n1"), [""; 0]);
        assert!(!ours(&world, "n2").is_empty() && !ours(&world, "n3").is_empty());
        world.api.annotate("n2", "gclb.dev/confirm-deletion", "true");
        world.api.annotate("n3", "gclb.dev/confirm-deletion", "true");
        quiet(&controller).await;
        assert_eq!(world.api.objects().ingresses.keys().collect::<Vec<_>>(), ["n4"]);
        assert!(is_served(&world, "n4"));
        controller.stop().await;
        world.end().await;
    });
}
