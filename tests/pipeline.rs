//! The loop against the emulator, in one process: what is made, changed and taken away again, that a restart writes nothing, and that
//! a crash after any change heals.
//!
//! Nothing here looks at the data plane.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "pipeline/groups.rs"]
mod groups;
#[path = "pipeline/memory.rs"]
mod memory;
#[path = "pipeline/running.rs"]
mod running;
#[path = "pipeline/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::time::Duration;

use emulator::{Fault, Rule};
use gce::{Completion, Global, Zone};
use gclb::controller::Options;
use gclb::model::{Kind, LoadBalancerKey};
use gclb::naming;
use gclb::status::Phase;
use serde_json::{Value, json};

use memory::object;
use world::{PROJECT, Step, World, ZONE};

fn walkthrough() -> Value {
    json!({
        "tls": [{"secretName": "tls"}],
        "defaultBackend": {"service": {"name": "web", "port": {"number": 8080}}},
    })
}

fn writes(requests: &[(String, String)]) -> Vec<&(String, String)> {
    // These POSTs only ask.
    let asks = [
        "/listInstances",
        "/listNetworkEndpoints",
        "/getHealth",
        "/wait",
        "/validate",
        "/testIamPermissions",
    ];
    let is_write = |(method, path): &&(String, String)| {
        let path = path.split('?').next().unwrap_or_default();
        method != "GET" && !asks.iter().any(|ask| path.ends_with(ask))
    };
    requests.iter().filter(is_write).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_walkthrough_is_made_kept_changed_and_taken_away() {
    let world = World::new().await;
    world.memory.put_ingress("test", &walkthrough());
    let mut controller = world.start();
    let steps = controller.settled(|| world.is_served_or_gone()).await;
    assert!(steps.iter().all(|step| !matches!(step, Step::Troubled(_))), "{steps:#?}");
    for kind in [
        Kind::Firewall,
        Kind::InstanceGroup,
        Kind::HealthCheck,
        Kind::BackendService,
        Kind::UrlMap,
        Kind::SslCertificate,
        Kind::TargetHttpProxy,
        Kind::TargetHttpsProxy,
        Kind::Address,
        Kind::ForwardingRule,
    ] {
        assert!(steps.contains(&Step::Ended(kind, "Done".to_owned())), "{kind} was not made: {steps:#?}");
    }
    let address = world.memory.address("test").expect("an address was published");
    let made = world.state();
    let listens = made.values().filter(|body| body["IPAddress"] == json!(address.to_string())).count();
    assert_eq!(listens, 2, "a forwarding rule for each port");
    {
        let published = world.memory.published.lock().unwrap();
        for noun in ["address", "forwarding rule", "url map", "certificate"] {
            let told = published.events.iter().any(|event| event.message.to_lowercase().contains(noun));
            assert!(told, "no Event tells of the {noun}: {:#?}", published.events);
        }
    }
    controller.stop().await;

    let before = world.requests().len();
    let steps = world.settle().await;
    assert_eq!(steps.iter().filter(|step| matches!(step, Step::Ended(..))).count(), 0, "{steps:#?}");
    let requests = world.requests().split_off(before);
    assert_eq!(writes(&requests), Vec::<&(String, String)>::new());
    let asked: Vec<_> = requests.iter().filter(|(_, path)| !path.contains("getHealth")).collect();
    // Each kind once, and the operations under way.
    assert!(asked.len() <= Kind::ALL.len() + 2, "a restart asked {} times: {asked:#?}", asked.len());

    let mut controller = world.start();
    controller.settled(|| true).await;
    world.memory.put_service("api", 30_081);
    let mut spec = walkthrough();
    spec["rules"] = json!([{"host": "a.example.com", "http": {"paths": [{"path": "/api", "pathType": "Prefix",
        "backend": {"service": {"name": "api", "port": {"number": 8080}}}}]}}]);
    world.memory.put_ingress("test", &spec);
    // A backend service and a health check more, and the url map names the service.
    let routed = |state: &BTreeMap<String, Value>| {
        state.len() == made.len() + 2
            && state.iter().any(|(path, body)| path.contains("urlMaps") && body["hostRules"].is_array())
    };
    controller.settled(|| routed(&world.state())).await;
    assert_eq!(world.memory.address("test"), Some(address));

    world.memory.put_ingress("test", &walkthrough());
    controller.settled(|| world.state() == made).await;

    world.memory.delete_ingress("test");
    controller.settled(|| !world.memory.is_there("test")).await;
    assert_eq!(world.state(), world.empty);
    controller.stop().await;
    world.cloud.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_after_any_change_heals() {
    let world = World::new().await;
    let nothing = world.empty.clone();
    world.memory.put_ingress("test", &walkthrough());
    world.settle().await;
    let everything = without_addresses(&world.state());
    world.memory.delete_ingress("test");
    let changes = world.settle().await.iter().filter(|step| matches!(step, Step::Ended(..))).count();
    assert_eq!(world.state(), nothing);
    assert!(changes >= 10, "only {changes} changes took it away");

    for after in 0.. {
        world.memory.put_ingress("test", &walkthrough());
        if !killed_after(&world, after).await {
            break;
        }
        world.settle().await;
        assert_eq!(
            without_addresses(&world.state()),
            everything,
            "killed after {after} changes of the making"
        );
        world.memory.delete_ingress("test");
        world.settle().await;
        assert_eq!(world.state(), nothing, "left behind after a crash after {after} changes of the making");
    }
    for after in 0.. {
        world.memory.put_ingress("test", &walkthrough());
        world.settle().await;
        world.memory.delete_ingress("test");
        if !killed_after(&world, after).await {
            break;
        }
        world.settle().await;
        assert_eq!(world.state(), nothing, "killed after {after} changes of the taking away");
        assert!(!world.memory.is_there("test"));
    }
    world.cloud.shutdown().await;
}

/// Starts a controller and kills it when so many changes have ended. False: there were not so many; then it was stopped in peace.
async fn killed_after(world: &World, changes: usize) -> bool {
    let mut controller = world.start();
    let mut steps = Vec::new();
    loop {
        let ended = steps.iter().filter(|step| matches!(step, Step::Ended(..))).count();
        if ended == changes && !steps.is_empty() {
            controller.kill().await;
            return true;
        }
        if steps.last() == Some(&Step::Settled(false)) && world.is_served_or_gone() {
            controller.stop().await;
            return false;
        }
        let step = controller.step(&steps).await;
        steps.push(step);
    }
}

/// Which address of the pool is taken, is the cloud's choice at each time.
fn without_addresses(state: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let mut state = state.clone();
    for body in state.values_mut().filter_map(Value::as_object_mut) {
        body.shift_remove("address");
        body.shift_remove("IPAddress");
    }
    state
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emptied_source_deletes_nothing() {
    let world = World::new().await;
    world.memory.put_ingress("test", &walkthrough());
    let mut controller = world.start();
    controller.settled(|| world.is_served_or_gone()).await;
    let made = world.state();
    world.memory.edit(|snapshot| {
        snapshot.ingresses.clear();
        snapshot.classes.clear();
        snapshot.services.clear();
        snapshot.nodes.clear();
    });
    // The turn that saw the emptied source, and another after it.
    let mut steps = controller.settled(|| true).await;
    world.memory.changed.notify_one();
    steps.extend(controller.settled(|| true).await);
    controller.stop().await;
    let mut anew = world.start();
    steps.extend(anew.settled(|| true).await);
    anew.stop().await;
    assert_eq!(steps.iter().filter(|step| matches!(step, Step::Ended(..))).count(), 0, "{steps:#?}");
    assert_eq!(world.state(), made);
    world.cloud.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_told_while_other_changes_are_still_under_way() {
    let world = World::new().await;
    let mut latency = world.cloud.latency();
    latency
        .methods
        .push(("sslCertificates.insert".to_owned(), emulator::MethodLatency::of(Duration::from_secs(2))));
    world.cloud.set_latency(latency);
    world.memory.put_ingress("test", &json!({"defaultBackend": walkthrough()["defaultBackend"]}));
    world.memory.put_ingress("slow", &walkthrough());
    let mut controller = world.start();
    let steps = controller.settled(|| world.is_served_or_gone()).await;
    let place = |wanted: &Step| steps.iter().position(|step| step == wanted);
    let (address, certificate) =
        (place(&Step::Addressed), place(&Step::Ended(Kind::SslCertificate, "Done".to_owned())));
    assert!(address.is_some() && address < certificate, "{steps:#?}");
    controller.stop().await;
    world.cloud.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn input_that_asks_for_something_else_replaces_what_has_not_begun() {
    let world = World::new().await;
    let mut latency = world.cloud.latency();
    latency
        .methods
        .push(("healthChecks.insert".to_owned(), emulator::MethodLatency::of(Duration::from_millis(500))));
    world.cloud.set_latency(latency);
    world.memory.put_ingress("test", &walkthrough());
    let mut controller = world.start();
    let mut steps = Vec::new();
    while !steps.iter().any(|step| matches!(step, Step::Ended(..))) {
        let step = controller.step(&steps).await;
        steps.push(step);
    }
    // The health check is being made; nothing behind it has begun.
    world.memory.put_ingress("test", &json!({"defaultBackend": walkthrough()["defaultBackend"]}));
    controller.settled(|| world.is_served_or_gone()).await;
    let kinds: Vec<String> = world.state().into_keys().collect();
    assert!(
        !kinds.iter().any(|path| path.contains("targetHttpsProxies")),
        "TLS is no longer asked for: {kinds:#?}"
    );
    assert_eq!(kinds.iter().filter(|path| path.contains("forwardingRules")).count(), 1);
    controller.stop().await;
    world.cloud.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_made_for_an_object_that_could_vanish_unseen() {
    let world = World::new().await;
    world.memory.failing_claims.store(2, std::sync::atomic::Ordering::SeqCst);
    world.memory.put_ingress("test", &walkthrough());
    let mut controller = world.start();
    let steps = controller.settled(|| world.is_served_or_gone()).await;
    let refused = steps.iter().rposition(|step| matches!(step, Step::Troubled(_))).unwrap();
    for step in &steps[..refused] {
        let Step::Ended(kind, _) = step else { continue };
        let of_load_balancer = [Kind::Address, Kind::UrlMap, Kind::TargetHttpProxy, Kind::ForwardingRule];
        assert!(!of_load_balancer.contains(kind), "{kind} was made before the claim: {steps:#?}");
    }
    assert!(
        steps.iter().any(|step| matches!(step, Step::Troubled(text) if text.contains("API server is away")))
    );
    assert!(world.memory.address("test").is_some());
    controller.stop().await;
    world.cloud.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_listed_yet_is_not_absent() {
    let world = World::new().await;
    world.memory.put_ingress("test", &walkthrough());
    world.settle().await;
    let made = world.state();
    world.memory.unlisted.store(true, std::sync::atomic::Ordering::SeqCst);
    world.memory.edit(|snapshot| snapshot.services.clear());
    let mut controller = world.start();
    world.memory.unlisted.store(false, std::sync::atomic::Ordering::SeqCst);
    world.memory.put_service("web", 30_080);
    let steps = controller.settled(|| true).await;
    assert!(!steps.iter().any(|step| matches!(step, Step::Ended(..))), "{steps:#?}");
    assert_eq!(world.state(), made);
    controller.stop().await;
    world.cloud.shutdown().await;
}

/// Somebody else's change, done.
async fn done(somebody: &gce::Client, operation: Result<gce::Operation, gce::Error>) {
    assert!(matches!(somebody.wait(operation.unwrap()).await.unwrap(), Completion::Done(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_join_and_leave_without_anything_else_being_changed() {
    let world = World::new().await;
    world.memory.put_pods("web", &[("10.1.0.2", "node-1")]);
    world.memory.put_ingress("test", &walkthrough());
    let mut controller = world.start();
    controller.settled(|| world.is_served_or_gone()).await;
    let members = |world: &World| -> Vec<String> {
        let state = world.state();
        let groups = state.iter().filter(|(path, _)| path.contains("networkEndpointGroups"));
        let members = groups.flat_map(|(_, group)| group["members"].as_array().cloned().unwrap_or_default());
        members.map(|member| member["ipAddress"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(members(&world), ["10.1.0.2"]);

    let before = world.requests().len();
    world.memory.put_pods("web", &[("10.1.0.3", "node-1"), ("10.1.1.2", "node-2")]);
    controller.settled(|| members(&world) == ["10.1.0.3", "10.1.1.2"]).await;
    let requests = world.requests().split_off(before);
    for (_, path) in writes(&requests) {
        assert!(path.contains("tachNetworkEndpoints"), "{path}");
    }
    controller.stop().await;

    // What the members are is known again after a restart.
    let steps = world.settle().await;
    assert!(!steps.iter().any(|step| matches!(step, Step::Ended(..))), "{steps:#?}");
    world.memory.delete_ingress("test");
    world.settle().await;
    assert_eq!(world.state(), world.empty);
    world.cloud.shutdown().await;
}

/// Requests are moved to another Service: its backend service is reached first, by a host rule that no client asks for, and asked about
/// until it is healthy; until then the old one answers.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_is_not_taken_up_again_by_an_object_of_the_same_name() {
    let world = World::new().await;
    world.memory.put_ingress("test", &walkthrough());
    let mut controller = world.start();
    controller.settled(|| world.is_served_or_gone()).await;
    let mut made = world.state();
    made.retain(|path, _| path.contains("-test-"));
    assert!(made.len() > 5, "{made:#?}");
    // As `gclb release` does: first the record, then it is let go.
    let key = LoadBalancerKey::ingress(object("test"));
    world.memory.released.lock().unwrap().insert(key.clone());
    world.memory.edit(|snapshot| drop(snapshot.ingresses.remove(&object("test"))));
    world.memory.put_ingress("other", &walkthrough());
    controller.settled(|| world.memory.address("other").is_some()).await;

    // Made anew with other wishes: refused, and nothing of the load balancer is touched.
    let spec = json!({"defaultBackend": {"service": {"name": "web", "port": {"number": 8080}}}});
    world.memory.published.lock().unwrap().reports.clear();
    world.memory.put_ingress("test", &spec);
    controller
        .settled(|| {
            let report = world.memory.report("test");
            report.is_some_and(|report| report.summary.reason.as_deref() == Some("Released"))
        })
        .await;
    let now = world.state();
    let touched: Vec<_> = made.iter().filter(|(path, body)| now.get(*path) != Some(*body)).collect();
    assert_eq!(touched, [], "what it is now: {now:#?}");

    // Somebody takes the entry out: it is served again, as it now asks.
    world.memory.released.lock().unwrap().remove(&key);
    world.memory.edit(|_| ());
    controller.settled(|| world.state().len() < now.len() && world.memory.address("test").is_some()).await;
    controller.stop().await;
    world.cloud.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_in_a_group_is_kept_at_the_end() {
    let world = World::new().await;
    world.memory.put_pods("web", &[("10.1.0.2", "node-1")]);
    world.memory.put_ingress("test", &walkthrough());
    let mut controller = world.start();
    controller.settled(|| world.is_served_or_gone()).await;
    controller.stop().await;
    assert_eq!(world.memory.kept.lock().unwrap().len(), 1, "the members are not kept");

    let before = world.requests().len();
    world.settle().await;
    let requests = world.requests().split_off(before);
    let listed = requests.iter().filter(|(_, path)| path.contains("listNetworkEndpoints"));
    assert_eq!(listed.count(), 0, "a group that has not changed is listed: {requests:#?}");
    world.cloud.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_move_only_when_somebody_answers_there() {
    let world = World::new().await;
    world.memory.put_pods("web", &[("10.1.0.2", "node-1")]);
    let spec =
        |service: &str| json!({"defaultBackend": {"service": {"name": service, "port": {"number": 8080}}}});
    world.memory.put_ingress("test", &spec("web"));
    let healthy = |address: Option<&str>| {
        let address = address.map(|address| address.parse().unwrap());
        let state = emulator::fault::ShownHealth::Healthy;
        Rule { id: "healthy".to_owned(), ..Rule::new("*", Fault::HealthStatus { state, address }) }
    };
    world.cloud.add_fault(healthy(Some("10.1.0.2"))).unwrap();
    let mut controller = world.start();
    controller.settled(|| world.is_served_or_gone()).await;

    let map = || world.state().into_iter().find(|(path, _)| path.contains("/urlMaps/")).unwrap().1;
    let leads_to =
        |service: &str| map()["defaultService"].as_str().unwrap().contains(&format!("-{service}-8080-"));
    let is_warm = || map()["hostRules"].to_string().contains(".warm.gclb.invalid");
    let before = world.requests().len();
    world.memory.put_pods("api", &[("10.1.0.9", "node-1")]);
    world.memory.put_ingress("test", &spec("api"));
    let waits = || world.memory.report("test").and_then(|report| report.summary.reason);
    let asked = || {
        let requests = world.requests().split_off(before);
        requests.iter().filter(|(_, path)| path.contains("-api-") && path.contains("getHealth")).count()
    };
    while !(is_warm() && asked() > 2 && waits().as_deref() == Some("BackendsNotHealthy")) {
        controller.step(&[]).await;
    }
    assert!(leads_to("web"), "moved before anybody answers there");

    assert!(world.cloud.remove_fault("healthy"));
    world.cloud.add_fault(healthy(None)).unwrap();
    controller.settled(|| leads_to("api") && !is_warm()).await;
    controller.stop().await;

    let requests = world.requests().split_off(before);
    let place = |nth: usize, method: &str, part: &str| {
        let fits = |(is, path): &&(String, String)| is == method && path.contains(part);
        let places = requests.iter().enumerate().filter(|(_, request)| fits(request));
        places.map(|(at, _)| at).nth(nth).unwrap_or_else(|| panic!("no {method} {part} in {requests:#?}"))
    };
    let moved = place(1, "PATCH", "/urlMaps/");
    assert!(place(0, "PATCH", "/urlMaps/") < moved);
    assert!(place(0, "POST", "-api-8080-pods-") < moved);
    assert!(moved < place(0, "DELETE", "/backendServices/"));
    let patches = requests.iter().filter(|(method, path)| method == "PATCH" && path.contains("/urlMaps/"));
    assert_eq!(patches.count(), 2, "warmed, and moved");
    world.cloud.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_delete_or_change_is_mended() {
    let world = World::new().await;
    world.memory.put_ingress("test", &walkthrough());
    world.settle().await;
    let made = without_addresses(&world.state());
    // A controller that has written nothing itself believes every list.
    let mut controller =
        world.start_with(Options { drift_interval: Duration::from_millis(200), ..Options::default() });
    controller.settled(|| true).await;

    let somebody = world.somebody();
    let key = LoadBalancerKey::ingress(object("test"));
    let rule = naming::forwarding_rule(&world.cluster, &key, 443);
    done(&somebody, somebody.forwarding_rules(Global).delete(rule.as_str()).await).await;
    controller.settled(|| without_addresses(&world.state()) == made).await;

    let map = naming::url_map(&world.cluster, &key);
    let edited = json!({"hostRules": [{"hosts": ["x.example.com"], "pathMatcher": "m"}],
        "pathMatchers": [{"name": "m", "defaultUrlRedirect": {"hostRedirect": "elsewhere.example.com", "stripQuery": false}}]});
    done(&somebody, somebody.url_maps(Global).patch(map.as_str(), &edited).await).await;
    assert_ne!(without_addresses(&world.state()), made);
    controller.settled(|| without_addresses(&world.state()) == made).await;
    controller.stop().await;
    world.cloud.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_in_somebody_elses_group_is_said_and_not_taken() {
    let world = World::new().await;
    let somebody = world.somebody();
    let zone = || Zone::new(ZONE);
    let instance = format!("projects/{PROJECT}/zones/{ZONE}/instances/node-1");
    let group: gce_api::InstanceGroup = from(json!({"name": "theirs"}));
    done(&somebody, somebody.instance_groups(zone()).insert(&group).await).await;
    done(&somebody, somebody.instance_groups(zone()).add_instances("theirs", &[instance]).await).await;
    let check: gce_api::HealthCheck =
        from(json!({"name": "theirs", "type": "TCP", "tcpHealthCheck": {"port": 80}}));
    done(&somebody, somebody.health_checks(Global).insert(&check).await).await;
    let service: gce_api::BackendService = from(json!({
        "name": "theirs", "protocol": "HTTP", "loadBalancingScheme": "EXTERNAL_MANAGED",
        "healthChecks": [format!("projects/{PROJECT}/global/healthChecks/theirs")],
        "backends": [{"group": format!("projects/{PROJECT}/zones/{ZONE}/instanceGroups/theirs")}],
    }));
    done(&somebody, somebody.backend_services(Global).insert(&service).await).await;
    let theirs = world.state();

    world.memory.put_ingress("test", &walkthrough());
    let mut controller = world.start();
    let said = || {
        let message =
            world.memory.report("test").and_then(|report| report.summary.message).unwrap_or_default();
        message.contains("one load-balanced instance group only")
    };
    controller.until(said).await;
    let report = world.memory.report("test").unwrap();
    assert_eq!(report.summary.phase, Phase::Failing);
    assert!(
        report.events.iter().any(|event| event.warning && event.message.contains("node-1")),
        "{report:#?}"
    );
    // It is not tried again and again.
    let before = world.requests().len();
    world.memory.changed.notify_one();
    controller.until(|| true).await;
    assert_eq!(writes(&world.requests().split_off(before)), Vec::<&(String, String)>::new());
    controller.stop().await;
    for (path, body) in &theirs {
        assert_eq!(world.state().get(path), Some(body), "{path} is not ours to change");
    }
    world.cloud.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_taken_is_said_and_nothing_of_it_is_changed() {
    let world = World::new().await;
    let somebody = world.somebody();
    let key = LoadBalancerKey::ingress(object("test"));
    let taken = naming::address(&world.cluster, &key);
    let address: gce_api::Address = from(json!({"name": taken.as_str(), "description": "by hand"}));
    done(&somebody, somebody.addresses(Global).insert(&address).await).await;
    world.memory.put_ingress("test", &walkthrough());
    let mut controller = world.start();
    let said = || {
        world
            .memory
            .report("test")
            .is_some_and(|report| report.summary.reason.as_deref() == Some("NameTaken"))
    };
    controller.until(said).await;
    assert_eq!(world.memory.address("test"), None);
    controller.stop().await;
    world.memory.delete_ingress("test");
    let mut controller = world.start();
    controller.settled(|| !world.memory.is_there("test")).await;
    controller.stop().await;
    let left: Vec<String> =
        world.state().into_keys().filter(|path| !world.empty.contains_key(path)).collect();
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(left[0].ends_with(taken.as_str()));
    world.cloud.shutdown().await;
}

fn from<T: serde::de::DeserializeOwned>(body: Value) -> T {
    serde_json::from_value(body).unwrap()
}
