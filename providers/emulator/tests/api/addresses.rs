//! Addresses and the rules that use them.

use super::cloud::Cloud;
use serde_json::{Value, json};
use std::net::Ipv4Addr;

async fn proxy(cloud: &Cloud) {
    let redirect = json!({ "name": "m", "defaultUrlRedirect": { "httpsRedirect": true } });
    cloud.insert("global/urlMaps", redirect).await;
    cloud.insert("global/targetHttpProxies", json!({ "name": "t", "urlMap": "m" })).await;
}

fn rule(name: &str, address: &Value, ports: &str) -> Value {
    json!({
        "name": name, "target": "global/targetHttpProxies/t", "portRange": ports, "IPAddress": address,
        "loadBalancingScheme": "EXTERNAL_MANAGED",
    })
}

#[tokio::test]
async fn a_reserved_address_is_loopback_and_says_who_uses_it() {
    let cloud = Cloud::start().await;
    proxy(&cloud).await;
    cloud.insert("global/addresses", json!({ "name": "a", "ipVersion": "IPV4" })).await;
    let address = cloud.get("global/addresses/a").await.ok();
    let number: Ipv4Addr = address["address"].as_str().unwrap().parse().unwrap();
    assert!(number.is_loopback(), "{number}");
    assert_eq!(address.get("users"), None);
    cloud.insert("global/forwardingRules", rule("r", &json!("global/addresses/a"), "80")).await;
    let found = cloud.get("global/forwardingRules/r").await.ok();
    assert_eq!(found["IPAddress"], json!(number.to_string()), "always the number");
    assert_eq!((&found["portRange"], &found["IPProtocol"]), (&json!("80-80"), &json!("TCP")));
    assert_eq!(found["networkTier"], "PREMIUM");
    let address = cloud.get("global/addresses/a").await.ok();
    assert_eq!(address["status"], "IN_USE");
    assert_eq!(address["users"], json!([found["selfLink"]]));
    // A second rule on another port shares it; the number is as good as the name.
    cloud.insert("global/forwardingRules", rule("s", &address["address"], "8080")).await;
    assert_eq!(cloud.get("global/addresses/a").await.ok()["users"].as_array().unwrap().len(), 2);
    cloud.delete("global/forwardingRules/r").await;
    cloud.delete("global/forwardingRules/s").await;
    assert_eq!(cloud.get("global/addresses/a").await.ok().get("users"), None);
    cloud.delete("global/addresses/a").await;
}

#[tokio::test]
async fn one_rule_per_address_and_port() {
    let cloud = Cloud::start().await;
    proxy(&cloud).await;
    cloud.insert("global/addresses", json!({ "name": "a" })).await;
    cloud.insert("global/forwardingRules", rule("r", &json!("global/addresses/a"), "80")).await;
    for ports in ["80", "80-80"] {
        let clash = cloud.post("global/forwardingRules", rule("s", &json!("a"), ports)).await;
        clash.refused(400, "invalid", "Specified IP address is in-use and would result in a conflict.");
    }
    for bad in ["0", "x", "90-80", "80-"] {
        let answer = cloud.post("global/forwardingRules", rule("s", &json!("a"), bad)).await;
        answer.refused(400, "invalid", "resource.portRange");
    }
    cloud.insert("global/forwardingRules", rule("s", &json!("a"), "81")).await;
}

#[tokio::test]
async fn ranges_of_ports_may_not_overlap() {
    let cloud = Cloud::start().await;
    let services = "regions/us-central1/backendServices";
    for scheme in ["EXTERNAL", "INTERNAL"] {
        let name = scheme.to_lowercase();
        let service = json!({ "name": name, "loadBalancingScheme": scheme, "protocol": "TCP" });
        cloud.insert(services, service).await;
        let rule = |name: String, address: &str, ports: Value| {
            let mut body = json!({
                "name": name, "loadBalancingScheme": scheme, "IPAddress": address,
                "backendService": format!("{services}/{}", scheme.to_lowercase()),
            });
            body.as_object_mut().unwrap().extend(ports.as_object().unwrap().clone());
            body
        };
        let address = if scheme == "EXTERNAL" { "203.0.113.9" } else { "10.128.0.77" };
        let rules = "regions/us-central1/forwardingRules";
        cloud.insert(rules, rule(format!("{name}-a"), address, json!({ "portRange": "80-90" }))).await;
        for ports in [
            json!({ "portRange": "90-95" }),
            json!({ "portRange": "85" }),
            json!({ "ports": ["1", "81"] }),
            json!({ "allPorts": true }),
        ] {
            let clash = cloud.post(rules, rule(format!("{name}-b"), address, ports)).await;
            clash.refused(400, "invalid", "Specified IP address is in-use and would result in a conflict.");
        }
        let mut other = rule(format!("{name}-b"), address, json!({ "portRange": "85" }));
        other["IPProtocol"] = json!("UDP");
        cloud.insert(rules, other).await;
        cloud.insert(rules, rule(format!("{name}-c"), address, json!({ "portRange": "91-95" }))).await;
    }
}

#[tokio::test]
async fn a_rule_without_an_address_gets_one_and_keeps_it() {
    let cloud = Cloud::start().await;
    proxy(&cloud).await;
    let mut body = rule("r", &Value::Null, "80");
    cloud.insert("global/forwardingRules", body.clone()).await;
    let first = cloud.get("global/forwardingRules/r").await.ok()["IPAddress"].clone();
    body["name"] = json!("s");
    cloud.insert("global/forwardingRules", body).await;
    let second = cloud.get("global/forwardingRules/s").await.ok()["IPAddress"].clone();
    assert_ne!(first, second);
    let elsewhere = json!({ "IPAddress": second });
    let moved = cloud.call("PATCH", "global/forwardingRules/r", Some(&elsewhere)).await;
    moved.refused(400, "invalid", "The field cannot be changed.");
}

#[tokio::test]
async fn a_rule_points_at_one_kind_of_proxy() {
    let cloud = Cloud::start().await;
    proxy(&cloud).await;
    cloud.insert("global/targetHttpProxies", json!({ "name": "u", "urlMap": "m" })).await;
    cloud.insert("global/forwardingRules", rule("r", &Value::Null, "80")).await;
    let target = json!({ "target": "global/targetHttpProxies/u" });
    let operation = cloud.done("POST", "global/forwardingRules/r/setTarget", &target).await;
    assert_eq!(operation["operationType"], "SetTarget");
    assert!(cloud.get("global/forwardingRules/r").await.ok()["target"].as_str().unwrap().ends_with("/u"));
    let missing = json!({ "target": "global/targetHttpProxies/nope" });
    cloud.post("global/forwardingRules/r/setTarget", missing).await.refused(
        404,
        "notFound",
        "nope' was not found",
    );
    let other = json!({ "target": "global/targetHttpsProxies/x" });
    cloud.post("global/forwardingRules/r/setTarget", other).await.refused(400, "invalid", "same type");
}

#[tokio::test]
async fn regional_addresses_say_their_status_and_an_address_is_reserved_once() {
    let cloud = Cloud::start().await;
    cloud.insert("regions/us-central1/addresses", json!({ "name": "a" })).await;
    let address = cloud.get("regions/us-central1/addresses/a").await.ok();
    assert_eq!(
        (&address["status"], &address["addressType"], &address["networkTier"]),
        (&json!("RESERVED"), &json!("EXTERNAL"), &json!("PREMIUM"))
    );
    assert_eq!(address["region"], "https://www.googleapis.com/compute/v1/projects/p/regions/us-central1");
    let again = json!({ "name": "b", "address": address["address"] });
    let reserved = cloud.post("global/addresses", again).await;
    reserved.refused(400, "invalid", "Specified IP address is already reserved");
    reserved.refused(400, "invalid", "IP_IN_USE_BY_ANOTHER_RESOURCE - IP '");
    let internal = json!({ "name": "i", "addressType": "INTERNAL", "address": "10.128.0.99" });
    cloud.insert("regions/us-central1/addresses", internal.clone()).await;
    let mut again = internal;
    again["name"] = json!("j");
    cloud.post("regions/us-central1/addresses", again).await.refused(
        409,
        "alreadyExists",
        "IP_IN_USE_BY_ANOTHER_RESOURCE",
    );
    let bad = json!({ "name": "k", "address": "somewhere" });
    cloud.post("global/addresses", bad).await.refused(400, "invalid", "valid IP address");
}

#[tokio::test]
async fn an_internal_address_of_a_region_says_where_it_is_from() {
    let cloud = Cloud::start().await;
    cloud.insert("regions/us-central1/addresses", json!({ "name": "a", "addressType": "INTERNAL" })).await;
    let found = cloud.get("regions/us-central1/addresses/a").await.ok();
    assert_eq!(
        (&found["purpose"], &found["networkTier"], &found["status"]),
        (&json!("GCE_ENDPOINT"), &json!("PREMIUM"), &json!("RESERVED"))
    );
    assert!(found["subnetwork"].as_str().unwrap().ends_with("/regions/us-central1/subnetworks/default"));
    assert!(found["address"].as_str().unwrap().starts_with("10.128."), "{}", found["address"]);
}

#[tokio::test]
async fn an_address_moves_to_another_project() {
    let cloud = Cloud::start().await;
    cloud.insert("global/addresses", json!({ "name": "a", "description": "old" })).await;
    let before = cloud.get("global/addresses/a").await.ok();
    for (to, message) in [
        ("global/addresses/b", "malformed"),
        ("projects/p/global/addresses/b", "another project"),
        ("projects/q/regions/us-east1/addresses/b", "malformed"),
    ] {
        let answer = cloud.post("global/addresses/a/move", json!({ "destinationAddress": to })).await;
        answer.refused(400, "invalid", message);
    }
    let request = json!({ "destinationAddress": "projects/q/global/addresses/b", "description": "new" });
    let operation = cloud.done("POST", "global/addresses/a/move", &request).await;
    assert_eq!(operation["operationType"], "move");
    cloud.get("global/addresses/a").await.refused(404, "notFound", "global/addresses/a");
    let moved = cloud.get("/compute/v1/projects/q/global/addresses/b").await.ok();
    assert_eq!((&moved["address"], &moved["description"]), (&before["address"], &json!("new")));
}

/// Ports of `::1` that nobody has; none where the machine has no IPv6.
fn free_ipv6_ports() -> Option<[u16; 2]> {
    let listeners = [(); 2].map(|()| std::net::TcpListener::bind((std::net::Ipv6Addr::LOCALHOST, 0)));
    let ports = listeners.map(|listener| Some(listener.ok()?.local_addr().ok()?.port()));
    let [Some(first), Some(second)] = ports else {
        assert!(std::env::var_os("CI").is_none(), "this machine has no IPv6 loopback address");
        return None;
    };
    Some([first, second])
}

#[tokio::test]
async fn every_ipv6_address_is_the_one_loopback_address_and_its_ports_are_shared() {
    let Some([port, other]) = free_ipv6_ports() else { return };
    let cloud = Cloud::start().await;
    for name in ["six", "again"] {
        cloud.insert("global/addresses", json!({ "name": name, "ipVersion": "IPV6" })).await;
        let found = cloud.get(&format!("global/addresses/{name}")).await.ok();
        assert_eq!((&found["address"], &found["ipVersion"]), (&json!("::1"), &json!("IPV6")));
    }
    let map = json!({ "name": "m", "defaultUrlRedirect": { "hostRedirect": "c.example" } });
    cloud.insert("global/urlMaps", map).await;
    cloud.insert("global/targetHttpProxies", json!({ "name": "t", "urlMap": "m" })).await;
    let rule = |name: &str, address: &str, port: u16| {
        json!({
            "name": name, "target": "global/targetHttpProxies/t", "portRange": port.to_string(), "IPAddress": address,
            "loadBalancingScheme": "EXTERNAL_MANAGED", "ipVersion": "IPV6",
        })
    };
    cloud.insert("global/forwardingRules", rule("one", "global/addresses/six", port)).await;
    let visit = async |port: u16| {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let answer = client.get(format!("http://[::1]:{port}/x")).send().await.unwrap();
        (answer.status().as_u16(), answer.headers()["location"].to_str().unwrap().to_owned())
    };
    assert_eq!(visit(port).await, (301, "http://c.example/x".to_owned()));
    let six = cloud.get("global/addresses/six").await.ok();
    assert_eq!(six["status"], "IN_USE");

    let taken = cloud.post("global/forwardingRules", rule("two", "global/addresses/again", port)).await;
    taken.refused(400, "invalid", "Every IPv6 address here is the loopback address ::1: take another port");
    // A rule that has no address of its own is given the same one.
    for port in [port, other] {
        let mut free = rule("free", "", port);
        free.as_object_mut().unwrap().remove("IPAddress");
        let answer = cloud.call("POST", "global/forwardingRules", Some(&free)).await;
        if port == other {
            cloud.wait(&answer.ok()).await;
        } else {
            answer.refused(400, "invalid", "take another port");
        }
    }
    assert_eq!(cloud.get("global/forwardingRules/free").await.ok()["IPAddress"], "::1");
    assert_eq!(visit(other).await.0, 301);
    let wrong = cloud.post("global/forwardingRules", rule("wrong", "127.240.3.3", port)).await;
    wrong.refused(400, "invalid", "The IP version must be that of the address.");
}
