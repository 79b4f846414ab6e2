//! Google-managed certificates: issued by hand, or when their time comes.

use super::cloud::Cloud;
use emulator::clock::Pace;
use emulator::{Config, Issuance, Latency};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;

const PATH: &str = "global/sslCertificates/managed";
const ADMIN: &str = "/_emulator/certificates/projects/p/global/sslCertificates/managed";

fn certificate() -> Value {
    json!({ "name": "managed", "type": "MANAGED", "managed": { "domains": ["a.example", "b.example"] } })
}

/// An HTTPS frontend that answers everything with a redirect. Its address.
async fn frontend(cloud: &Cloud) -> SocketAddr {
    cloud.insert("global/sslCertificates", certificate()).await;
    let redirect = json!({ "name": "m", "defaultUrlRedirect": { "hostRedirect": "c.example" } });
    cloud.insert("global/urlMaps", redirect).await;
    let proxy = json!({ "name": "t", "urlMap": "m", "sslCertificates": [PATH] });
    cloud.insert("global/targetHttpsProxies", proxy).await;
    let rule = json!({
        "name": "r", "target": "global/targetHttpsProxies/t", "portRange": "443",
        "loadBalancingScheme": "EXTERNAL_MANAGED",
    });
    cloud.insert("global/forwardingRules", rule).await;
    let address = cloud.get("global/forwardingRules/r").await.ok()["IPAddress"].as_str().unwrap().to_owned();
    SocketAddr::new(address.parse().unwrap(), 443)
}

/// The status that a client who trusts this certificate alone gets; none if TLS fails.
async fn visit(host: &str, address: SocketAddr, trusted: &str) -> Option<u16> {
    let root = reqwest::Certificate::from_pem(trusted.as_bytes()).unwrap();
    let client = reqwest::Client::builder()
        .tls_certs_only([root])
        .resolve(host, address)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    client.get(format!("https://{host}/")).send().await.ok().map(|answer| answer.status().as_u16())
}

async fn status(cloud: &Cloud) -> Value {
    cloud.get(PATH).await.ok()["managed"].clone()
}

#[tokio::test]
async fn a_certificate_that_is_issued_is_served_and_each_issue_has_a_key_of_its_own() {
    let cloud = Cloud::start().await;
    let address = frontend(&cloud).await;
    let domains = json!(["a.example", "b.example"]);
    let before = json!({ "domains": domains, "status": "PROVISIONING",
                         "domainStatus": { "a.example": "PROVISIONING", "b.example": "PROVISIONING" } });
    assert_eq!(status(&cloud).await, before);
    assert_eq!(cloud.get(PATH).await.ok().get("certificate"), None);
    let failed = json!({ "domains": { "b.example": "FAILED_NOT_VISIBLE" } });
    let shown = cloud.post(ADMIN, failed).await.ok();
    let half = json!({ "domains": domains, "status": "PROVISIONING",
                       "domainStatus": { "a.example": "ACTIVE", "b.example": "FAILED_NOT_VISIBLE" } });
    assert_eq!((&shown["managed"], status(&cloud).await), (&half, half.clone()));
    assert_eq!(cloud.get(PATH).await.ok().get("certificate"), None, "not before every domain is good");

    cloud.post(ADMIN, json!({})).await.ok();
    let issued = cloud.get(PATH).await.ok();
    assert_eq!(
        (&issued["managed"]["status"], &issued["subjectAlternativeNames"]),
        (&json!("ACTIVE"), &domains)
    );
    let first = issued["certificate"].as_str().unwrap().to_owned();
    for host in ["a.example", "b.example"] {
        assert_eq!(visit(host, address, &first).await, Some(301), "{host}");
    }
    let expires: jiff::Timestamp = issued["expireTime"].as_str().unwrap().parse().unwrap();
    let days = expires.duration_since(jiff::Timestamp::now()).as_hours() / 24;
    assert!((88..=90).contains(&days), "{days}");

    // The library does the same; it is another certificate, and the one that is served.
    cloud.running.issue_certificate("projects/p/global/sslCertificates/managed").await.unwrap();
    let second = cloud.get(PATH).await.ok()["certificate"].as_str().unwrap().to_owned();
    assert_ne!(second, first);
    assert_eq!(visit("a.example", address, &first).await, None, "the old one is served no more");
    assert_eq!(visit("a.example", address, &second).await, Some(301));
    let shown = cloud.running.state().to_string();
    assert!(!shown.contains("PRIVATE KEY") && !shown.contains("privateKey"), "the key is shown");
}

#[tokio::test]
async fn what_cannot_be_issued_is_refused() {
    let cloud = Cloud::start().await;
    cloud.insert("global/sslCertificates", certificate()).await;
    let (chain, key) = super::cloud::certificate(&["a.example"]);
    let own = json!({ "name": "own", "certificate": chain, "privateKey": key });
    cloud.insert("global/sslCertificates", own).await;
    let at = |path: &str| format!("/_emulator/certificates/projects/p/global/{path}");
    for (path, body, status, why) in [
        ("sslCertificates/none", json!({}), 404, "no such certificate"),
        ("urlMaps/managed", json!({}), 404, "no such certificate"),
        ("sslCertificates/own", json!({}), 400, "not managed by Google"),
        (
            "sslCertificates/managed",
            json!({ "domains": { "c.example": "ACTIVE" } }),
            400,
            "none of its domains",
        ),
        ("sslCertificates/managed", json!({ "domains": { "a.example": "GOOD" } }), 400, "no status 'GOOD'"),
        ("sslCertificates/managed", json!({ "status": "GOOD" }), 400, "no status 'GOOD'"),
        ("sslCertificates/managed", json!({ "state": "ACTIVE" }), 400, "unknown field"),
    ] {
        let answer = cloud.post(&at(path), body).await;
        let said = answer.body["error"].as_str().unwrap();
        assert!(answer.status == status && said.contains(why), "{path}: {} {said}", answer.status);
    }
    let failed = json!({ "status": "PROVISIONING_FAILED_PERMANENTLY" });
    let shown = cloud.post(&at("sslCertificates/managed"), failed).await.ok();
    assert_eq!(shown["managed"]["status"], "PROVISIONING_FAILED_PERMANENTLY");
    assert_eq!(shown.get("certificate"), None);
}

#[tokio::test]
async fn a_certificate_is_issued_when_its_time_comes_and_one_that_is_gone_is_not() {
    let cloud = Cloud::with(Config {
        pace: Pace::Held,
        latency: Latency::of(Duration::ZERO),
        managed_certificates: Issuance::After(Duration::from_mins(20)),
        ..Config::default()
    })
    .await;
    cloud.insert("global/sslCertificates", certificate()).await;
    let mut second = certificate();
    second["name"] = json!("gone");
    cloud.insert("global/sslCertificates", second.clone()).await;
    cloud.running.clock().step(Duration::from_mins(10)).await;
    cloud.delete("global/sslCertificates/gone").await;
    // One of the same name is another one, with a time of its own.
    cloud.insert("global/sslCertificates", second).await;
    cloud.running.clock().step(Duration::from_mins(9)).await;
    assert_eq!(status(&cloud).await["status"], "PROVISIONING");
    cloud.running.clock().step(Duration::from_mins(1)).await;
    assert_eq!(status(&cloud).await["status"], "ACTIVE");
    let other = async || cloud.get("global/sslCertificates/gone").await.ok()["managed"]["status"].clone();
    assert_eq!(other().await, "PROVISIONING");
    cloud.running.clock().step(Duration::from_mins(10)).await;
    assert_eq!(other().await, "ACTIVE");

    // What somebody has found out by hand stays.
    let mut third = certificate();
    third["name"] = json!("failed");
    cloud.insert("global/sslCertificates", third).await;
    let found = json!({ "domains": { "a.example": "FAILED_CAA_FORBIDDEN" } });
    cloud.post("/_emulator/certificates/projects/p/global/sslCertificates/failed", found).await.ok();
    cloud.running.clock().step(Duration::from_mins(30)).await;
    let failed = cloud.get("global/sslCertificates/failed").await.ok();
    assert_eq!(failed["managed"]["domainStatus"]["a.example"], "FAILED_CAA_FORBIDDEN");
}
