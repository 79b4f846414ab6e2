//! The walkthrough with kubectl against a real API server.

use std::collections::BTreeMap;

use controlplane::prerequisite::{or_skip, programs};
use controlplane::wait::eventually;
use controlplane::{Kubectl, Options, World};
use serde_json::{Value, json};

use crate::gclb;
use crate::steps::{ECHO, INGRESS, TYPED, secret, the_address_serves};

#[tokio::test]
async fn with_kubectl_against_a_real_api_server() {
    if or_skip(programs(&TYPED)).is_none() {
        return;
    }
    let Some(mut world) = or_skip(World::start(gclb(), Options::default()).await) else { return };
    world.start_controller().unwrap();
    let kubectl = world.cluster().kubectl();
    kubectl.apply(ECHO).await.unwrap();
    kubectl.run(&["rollout", "status", "deployment/echoheaders", "--timeout=60s"]).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    kubectl.apply(&secret(folder.path()).await).await.unwrap();
    let before = world.emulator().holdings().await.unwrap();

    kubectl.apply(INGRESS).await.unwrap();
    let address = address_column(&kubectl).await;
    the_address_serves(&address).await;

    let held = world.emulator().holdings().await.unwrap();
    let made: BTreeMap<&str, &Value> = held
        .iter()
        .filter(|(path, _)| !before.contains_key(*path))
        .map(|(path, body)| (path.as_str(), body))
        .collect();
    the_cloud_shows_the_same(&world, &made, &address).await;
    describe_tells_it(&kubectl, &made).await;

    // kubectl waits until the finalizer is gone, and that is when everything in the cloud is.
    kubectl.run(&["delete", "ing", "test", "--timeout=60s"]).await.unwrap();
    let after = world.emulator().holdings().await.unwrap();
    assert_eq!(names(&after), names(&before));
    assert_eq!(after, before);
    assert!(world.controller_runs().unwrap());
}

fn names(holdings: &BTreeMap<String, Value>) -> Vec<&String> {
    holdings.keys().collect()
}

/// Waits for the line of `kubectl get ing` that the story shows, and returns its ADDRESS.
async fn address_column(kubectl: &Kubectl) -> String {
    eventually("kubectl get ing to show an address", || async {
        let table = kubectl.run(&["get", "ing"]).await.map_err(|error| error.to_string())?;
        let columns: Vec<Vec<&str>> = table
            .lines()
            .map(|line| line.split("  ").map(str::trim).filter(|column| !column.is_empty()).collect())
            .collect();
        assert_eq!(columns[0], ["NAME", "CLASS", "HOSTS", "ADDRESS", "PORTS", "AGE"]);
        match columns[1].as_slice() {
            ["test", "gclb", "*", address, "80, 443", _age] => Ok((*address).to_owned()),
            _ => Err(table),
        }
    })
    .await
}

/// One forwarding rule for each port on one address, their proxies, the URL map and the redirect's, the backend service with
/// its health, the health check, the certificate, the firewall rule.
async fn the_cloud_shows_the_same(world: &World, made: &BTreeMap<&str, &Value>, address: &str) {
    let of = |collection: &str| -> Vec<(&str, &Value)> {
        let part = format!("/{collection}/");
        made.iter().filter(|(path, _)| path.contains(&part)).map(|(path, body)| (*path, *body)).collect()
    };
    let mut rules = Vec::new();
    for (path, _) in of("forwardingRules") {
        let rule = get(world, path).await;
        assert_eq!(rule["loadBalancingScheme"], "EXTERNAL_MANAGED", "{rule}");
        rules.push((rule["IPAddress"].clone(), rule["portRange"].clone()));
    }
    rules.sort_by_key(|(_, ports)| ports.to_string());
    assert_eq!(rules, [(json!(address), json!("443-443")), (json!(address), json!("80-80"))]);
    for (collection, count) in [
        ("addresses", 1),
        ("targetHttpProxies", 1),
        ("targetHttpsProxies", 1),
        ("urlMaps", 2),
        ("healthChecks", 1),
        ("sslCertificates", 1),
        ("firewalls", 1),
        // One in the zone of each node.
        ("instanceGroups", 2),
        ("networkEndpointGroups", 0),
    ] {
        let found = of(collection);
        assert_eq!(
            found.len(),
            count,
            "{collection}: {:?}",
            found.iter().map(|(path, _)| path).collect::<Vec<_>>()
        );
    }
    let services = of("backendServices");
    let with_backends: Vec<_> = services
        .iter()
        .filter(|(_, body)| body["backends"].as_array().is_some_and(|all| !all.is_empty()))
        .collect();
    let [(path, service)] = with_backends.as_slice() else { panic!("{services:?}") };
    let mut states = Vec::new();
    for backend in service["backends"].as_array().unwrap() {
        let body = json!({ "group": backend["group"] });
        let path = format!("/compute/v1/{path}/getHealth");
        let health = world.emulator().ask(reqwest::Method::POST, &path, Some(&body)).await.unwrap();
        states.extend(
            health["healthStatus"].as_array().into_iter().flatten().map(|s| s["healthState"].clone()),
        );
    }
    assert_eq!(states, ["HEALTHY", "HEALTHY"]);
}

async fn get(world: &World, path: &str) -> Value {
    world.emulator().ask(reqwest::Method::GET, &format!("/compute/v1/{path}"), None).await.unwrap()
}

/// Events name each thing that was made, and say when the backends became healthy.
async fn describe_tells_it(kubectl: &Kubectl, made: &BTreeMap<&str, &Value>) {
    eventually("kubectl describe ing to tell of everything", || async {
        let text = kubectl.run(&["describe", "ing", "test"]).await.map_err(|error| error.to_string())?;
        let (_, events) = text.split_once("Events:").ok_or_else(|| text.clone())?;
        for path in made.keys() {
            let name = path.rsplit('/').next().unwrap_or(path);
            if !events.contains(name) {
                return Err(format!("nothing of {path} in:\n{text}"));
            }
        }
        if !events.to_lowercase().contains("healthy") {
            return Err(format!("nothing of health in:\n{text}"));
        }
        Ok(())
    })
    .await;
}
