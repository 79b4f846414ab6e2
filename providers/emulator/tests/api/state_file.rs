//! The state file: what was answered is there again.

use super::cloud::{Cloud, certificate};
use emulator::{Config, Emulator, Latency};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

fn config(path: &Path, latency: Latency) -> Config {
    Config { latency, state: Some(path.to_owned()), ..Config::default() }
}

async fn open(path: &Path) -> Cloud {
    Cloud::with(config(path, Latency::of(Duration::from_millis(1)))).await
}

/// One of everything that is kept in a way of its own: secrets, members, addresses that are held.
async fn build(cloud: &Cloud) {
    cloud.instance("node", [10, 0, 0, 9]).await;
    let zone = "zones/us-central1-a";
    cloud.insert(&format!("{zone}/networkEndpointGroups"), json!({ "name": "neg" })).await;
    let endpoints = json!({ "networkEndpoints": [
        { "instance": format!("{zone}/instances/node"), "ipAddress": "10.1.9.5", "port": 80 },
    ] });
    cloud.done("POST", &format!("{zone}/networkEndpointGroups/neg/attachNetworkEndpoints"), &endpoints).await;
    cloud.insert(&format!("{zone}/instanceGroups"), json!({ "name": "group" })).await;
    let instances = json!({ "instances": [{ "instance": format!("{zone}/instances/node") }] });
    cloud.done("POST", &format!("{zone}/instanceGroups/group/addInstances"), &instances).await;
    let redirect = json!({ "name": "m", "defaultUrlRedirect": { "hostRedirect": "example.com" } });
    cloud.insert("global/urlMaps", redirect).await;
    let (chain, key) = certificate(&["example.com"]);
    let body = json!({ "name": "cert", "certificate": chain, "privateKey": key });
    cloud.insert("global/sslCertificates", body).await;
    let proxy = json!({ "name": "s", "urlMap": "global/urlMaps/m", "sslCertificates": ["global/sslCertificates/cert"] });
    cloud.insert("global/targetHttpsProxies", proxy).await;
    cloud.insert("global/targetHttpProxies", json!({ "name": "t", "urlMap": "global/urlMaps/m" })).await;
    cloud.insert("global/addresses", json!({ "name": "a" })).await;
    for (name, target, port) in [("r", "targetHttpProxies/t", "80"), ("rs", "targetHttpsProxies/s", "443")] {
        let rule = json!({
            "name": name, "target": format!("global/{target}"), "portRange": port,
            "IPAddress": "global/addresses/a", "loadBalancingScheme": "EXTERNAL_MANAGED",
        });
        cloud.insert("global/forwardingRules", rule).await;
    }
}

async fn snapshot(cloud: &Cloud) -> Value {
    cloud.get("/_emulator/snapshot").await.ok()
}

async fn status(cloud: &Cloud, scheme: &str) -> u16 {
    let address = cloud.get("global/addresses/a").await.ok()["address"].as_str().unwrap().to_owned();
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .danger_accept_invalid_certs(true)
        .build()
        .unwrap();
    client.get(format!("{scheme}://{address}/")).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn everything_is_there_again_and_served() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let cloud = open(&path).await;
    build(&cloud).await;
    let id = "11111111-1111-4111-8111-111111111111";
    let first = cloud
        .call("POST", &format!("global/addresses?requestId={id}"), Some(&json!({ "name": "b" })))
        .await
        .ok();
    cloud.wait(&first).await;
    let before = snapshot(&cloud).await;
    cloud.running.shutdown().await;

    let cloud = open(&path).await;
    assert_eq!(snapshot(&cloud).await, before);
    assert_eq!((status(&cloud, "http").await, status(&cloud, "https").await), (301, 301));
    let again = cloud
        .call("POST", &format!("global/addresses?requestId={id}"), Some(&json!({ "name": "b" })))
        .await
        .ok();
    assert_eq!(again["name"], first["name"], "a request that is sent again is known again");
    // The next address is none that somebody has.
    cloud.insert("global/addresses", json!({ "name": "c" })).await;
    let listed = cloud.get("global/addresses").await.ok();
    let addresses: Vec<&str> =
        listed["items"].as_array().unwrap().iter().map(|item| item["address"].as_str().unwrap()).collect();
    let different: std::collections::BTreeSet<_> = addresses.iter().collect();
    assert_eq!((addresses.len(), different.len()), (3, 3), "{addresses:?}");
    cloud.running.shutdown().await;
}

#[tokio::test]
async fn what_was_under_way_goes_on_and_ends_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let slow = Latency::of(Duration::from_hours(1));
    let cloud = Cloud::with(config(&path, slow.clone())).await;
    let body = json!({ "name": "hc", "type": "HTTP" });
    let insert = cloud.post("global/healthChecks", body.clone()).await.ok();
    cloud.running.set_latency(Latency::of(Duration::ZERO));
    cloud.insert("global/healthChecks", json!({ "name": "other", "type": "HTTP" })).await;
    cloud.running.set_latency(slow);
    let delete = cloud.call("DELETE", "global/healthChecks/other", None).await.ok();
    // Killed rather than stopped: whoever reads the file now reads what a kill would have left.
    let copy = folder.path().join("copy");
    std::fs::copy(&path, &copy).unwrap();
    cloud.running.shutdown().await;

    for path in [&path, &copy] {
        // Still under way, and it still holds what it held.
        let cloud = open(path).await;
        cloud.call("POST", "global/healthChecks", Some(&body)).await.refused(409, "alreadyExists", "exists");
        let mut document = snapshot(&cloud).await;
        assert_eq!(document["changes"].as_object().unwrap().len(), 2, "{document}");
        cloud.running.shutdown().await;

        // An operation that takes an hour began long ago.
        for operation in document["operations"].as_object_mut().unwrap().values_mut() {
            operation["inserted"] = json!("2020-01-01T00:00:00Z");
        }
        let cloud = Cloud::start().await;
        let answer = cloud.call("PUT", "/_emulator/snapshot", Some(&document)).await;
        answer.ok();
        for operation in [&insert, &delete] {
            let ended = cloud.wait(operation).await;
            assert_eq!((&ended["id"], &ended["error"]), (&operation["id"], &Value::Null));
        }
        let made = cloud.get("global/healthChecks/hc").await.ok();
        assert_eq!(made["id"], insert["targetId"]);
        cloud.get("global/healthChecks/other").await.refused(404, "notFound", "other");
        assert_eq!(snapshot(&cloud).await["changes"], json!({}));
    }
}

#[tokio::test]
async fn a_file_belongs_to_one_process_and_to_its_owner() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let cloud = open(&path).await;
    let refused = Emulator::start(config(&path, Latency::of(Duration::ZERO))).await.unwrap_err().to_string();
    assert!(refused.contains("another emulator has it open"), "{refused}");
    assert!(refused.contains(&std::process::id().to_string()), "{refused}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{mode:o}");
    }
    cloud.running.shutdown().await;
    open(&path).await.running.shutdown().await;
}

#[tokio::test]
async fn a_torn_end_is_cut_and_other_damage_is_refused_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let cloud = open(&path).await;
    // Changes that are written together share a line; what is waited for is in a line before what comes after it.
    for name in ["hc", "hc-2", "hc-3"] {
        cloud.health_check(name).await;
    }
    let before = snapshot(&cloud).await;
    cloud.running.shutdown().await;
    let whole = std::fs::read(&path).unwrap();

    std::fs::write(&path, [&whole[..], b"0123abcd [{\"pro"].concat()).unwrap();
    let cloud = open(&path).await;
    assert_eq!(snapshot(&cloud).await, before);
    // What is added now stands behind what is good.
    cloud.health_check("second").await;
    cloud.running.shutdown().await;
    let cloud = open(&path).await;
    cloud.get("global/healthChecks/second").await.ok();
    cloud.running.shutdown().await;

    let mut damaged = whole.clone();
    let second = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    damaged[second + 20] ^= 1;
    for (content, expected) in
        [(damaged, "line 2 is damaged"), (b"hello\n".to_vec(), "no state file of the emulator")]
    {
        std::fs::write(&path, content).unwrap();
        let refused =
            Emulator::start(config(&path, Latency::of(Duration::ZERO))).await.unwrap_err().to_string();
        assert!(refused.contains(expected) && refused.contains("state'"), "{refused}");
    }
}

#[tokio::test]
async fn a_snapshot_brings_back_what_was_and_what_does_not_fit_changes_nothing() {
    let cloud = Cloud::start().await;
    build(&cloud).await;
    let before = snapshot(&cloud).await;
    cloud.post("/_emulator/reset", Value::Null).await.ok();
    assert_eq!(snapshot(&cloud).await["resources"], json!({}));
    assert_eq!(cloud.running.state()["dataPlane"]["listening"], json!([]));
    assert_eq!(cloud.call("PUT", "/_emulator/snapshot", Some(&before)).await.ok()["projects"], json!(["p"]));
    assert_eq!(snapshot(&cloud).await, before);
    assert_eq!((status(&cloud, "http").await, status(&cloud, "https").await), (301, 301));

    let map = "projects/p/global/urlMaps/m";
    let change = |edit: &dyn Fn(&mut Value)| {
        let mut document = before.clone();
        edit(&mut document);
        document
    };
    let remove = |document: &mut Value, table: &str, key: &str| {
        document[table].as_object_mut().unwrap().shift_remove(key);
    };
    for (document, expected) in [
        (json!({}), "'format' must be"),
        (json!([1]), "'format' must be"),
        (change(&|document| document["version"] = json!(2)), "of version 2"),
        (change(&|document| document["more"] = json!(2)), "unknown field `more`"),
        (change(&|document| document["resources"][map]["more"] = json!(2)), "unknown field `more`"),
        (change(&|document| remove(document, "resources", map)), "refers to 'projects/p/global/urlMaps/m'"),
        (change(&|document| remove(document, "projects", "p")), "there is no project 'p'"),
        (
            change(&|document| {
                let body = document["resources"][map].clone();
                document["resources"]["projects/p/regions/r/planets/x"] = body;
            }),
            "no path of a resource",
        ),
        (
            change(&|document| {
                let body = document["resources"][map].clone();
                document["resources"]["projects/p/global/urlMaps/n"] = body;
            }),
            "has the same id",
        ),
    ] {
        let answer = cloud.call("PUT", "/_emulator/snapshot", Some(&document)).await;
        assert_eq!(answer.status, 400, "{}", answer.body);
        let message = answer.body["error"].as_str().unwrap();
        assert!(message.contains(expected), "{message}");
    }
    assert_eq!(snapshot(&cloud).await, before);
}

#[tokio::test]
async fn a_snapshot_of_what_drifted_can_be_put_back() {
    let cloud = Cloud::start().await;
    build(&cloud).await;
    let map = "projects/p/global/urlMaps/m";
    assert_eq!(snapshot(&cloud).await.get("missing"), None);
    cloud.call("DELETE", &format!("/_emulator/resources/{map}"), None).await;
    let drifted = snapshot(&cloud).await;
    assert_eq!(drifted["missing"], json!([map]));
    cloud.call("POST", "/_emulator/reset", None).await.ok();
    cloud.call("PUT", "/_emulator/snapshot", Some(&drifted)).await.ok();
    assert_eq!(snapshot(&cloud).await, drifted);
}

#[tokio::test]
async fn projects_are_apart_and_share_only_the_pool() {
    let cloud = Cloud::start().await;
    for project in ["p", "q"] {
        let root = format!("/compute/v1/projects/{project}/global");
        for name in ["one", "two"] {
            cloud.insert(&format!("{root}/addresses"), json!({ "name": name })).await;
        }
    }
    let document = snapshot(&cloud).await;
    let addresses: std::collections::BTreeSet<&str> = document["resources"]
        .as_object()
        .unwrap()
        .values()
        .filter_map(|resource| resource["body"]["address"].as_str())
        .collect();
    assert_eq!(addresses.len(), 4, "{addresses:?}");

    let q = cloud.get("/compute/v1/projects/q/global/addresses").await.ok();
    cloud.post("/_emulator/reset?project=p", Value::Null).await.ok();
    assert!(cloud.get("global/addresses").await.ok().get("items").is_none());
    assert!(cloud.get("global/operations").await.ok().get("items").is_none());
    assert_eq!(cloud.get("/compute/v1/projects/q/global/addresses").await.ok(), q);
    let answer = cloud.post("/_emulator/reset?project=nobody", Value::Null).await;
    assert_eq!(answer.status, 400, "{}", answer.body);
}
