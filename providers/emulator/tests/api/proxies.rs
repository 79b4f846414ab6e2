//! Target proxies and certificates.

use super::cloud::{Cloud, certificate};
use serde_json::{Value, json};

#[tokio::test]
async fn a_certificate_is_read_and_its_key_is_never_shown() {
    let cloud = Cloud::start().await;
    let (chain, key) = certificate(&["a.example.com", "*.b.example.com"]);
    let body = json!({ "name": "c", "certificate": chain, "privateKey": key });
    cloud.insert("global/sslCertificates", body).await;
    let found = cloud.get("global/sslCertificates/c").await.ok();
    assert_eq!(found["type"], "SELF_MANAGED");
    assert_eq!(found["subjectAlternativeNames"], json!(["a.example.com", "*.b.example.com"]));
    assert_eq!(found["selfManaged"], json!({ "certificate": chain }));
    // What rcgen gives a certificate that nobody gave dates.
    assert!(found["expireTime"].as_str().unwrap().starts_with("4095-12-31T"), "{}", found["expireTime"]);
    let nested = json!({ "name": "d", "type": "SELF_MANAGED", "selfManaged": { "certificate": chain, "privateKey": key } });
    cloud.insert("global/sslCertificates", nested).await;
    let secret: String = key.lines().nth(1).unwrap().to_owned();
    for shown in [
        cloud.get("global/sslCertificates").await.ok(),
        cloud.get("aggregated/sslCertificates").await.ok(),
        cloud.running.state(),
    ] {
        assert!(!shown.to_string().contains(&secret), "the key is shown");
        assert!(!shown.to_string().contains("privateKey"), "the key is shown");
    }
    // The log has the request, and in the place of the key what says that there was one.
    let requests = cloud.running.requests();
    assert!(!requests.to_string().contains(&secret), "the key is logged");
    assert_eq!(requests[0]["body"]["privateKey"], "REDACTED");
}

#[tokio::test]
async fn certificates_that_cannot_be_used() {
    let cloud = Cloud::start().await;
    let (chain, key) = certificate(&[]);
    let (_, other) = certificate(&[]);
    for (body, reason, message) in [
        (
            json!({ "certificate": "nonsense", "privateKey": key }),
            "invalid",
            "The SSL certificate could not be parsed.",
        ),
        (
            json!({ "certificate": chain, "privateKey": "nonsense" }),
            "invalid",
            "The SSL key could not be parsed.",
        ),
        (
            json!({ "certificate": chain, "privateKey": other }),
            "invalid",
            "The SSL key is not for the specified certificate.",
        ),
        (json!({ "certificate": chain }), "required", "resource.privateKey"),
        (json!({ "privateKey": key }), "required", "resource.certificate"),
        (json!({ "certificate": chain.repeat(6), "privateKey": key }), "invalid", "too long"),
        (json!({ "type": "MANAGED" }), "required", "resource.managed.domains"),
    ] {
        let mut body = body;
        body["name"] = json!("c");
        let answer = cloud.post("global/sslCertificates", body).await;
        answer.refused(400, reason, message);
        let inside = other.lines().nth(1).unwrap();
        assert!(!answer.message().contains(inside), "an error quotes a key");
    }
    let managed = json!({ "name": "m", "type": "MANAGED", "managed": { "domains": ["example.com"] } });
    cloud.insert("global/sslCertificates", managed).await;
    assert_eq!(cloud.get("global/sslCertificates/m").await.ok()["managed"]["status"], "PROVISIONING");
}

#[tokio::test]
async fn a_proxy_has_one_to_fifteen_certificates_in_order() {
    let cloud = Cloud::start().await;
    cloud.url_map("web").await;
    let mut names = Vec::new();
    let (chain, key) = certificate(&[]);
    for index in 0..16 {
        let name = format!("c{index}");
        cloud
            .insert(
                "global/sslCertificates",
                json!({ "name": name, "certificate": chain, "privateKey": key }),
            )
            .await;
        names.push(name);
    }
    let body =
        |certificates: &[String]| json!({ "name": "t", "urlMap": "web", "sslCertificates": certificates });
    cloud.post("global/targetHttpsProxies", body(&[])).await.refused(
        400,
        "required",
        "resource.sslCertificates",
    );
    cloud.post("global/targetHttpsProxies", body(&names)).await.refused(400, "invalid", "at most 15 allowed");
    cloud.insert("global/targetHttpsProxies", body(&names[..15])).await;
    let found = cloud.get("global/targetHttpsProxies/t").await.ok();
    assert_eq!((&found["quicOverride"], &found["tlsEarlyData"]), (&json!("NONE"), &json!("DISABLED")));
    let order = json!({ "sslCertificates": [names[15], names[3]] });
    let operation = cloud.done("POST", "targetHttpsProxies/t/setSslCertificates", &order).await;
    assert_eq!(operation["operationType"], "setSslCertificates");
    let found = cloud.get("global/targetHttpsProxies/t").await.ok();
    let shown: Vec<&str> =
        found["sslCertificates"].as_array().unwrap().iter().map(|link| link.as_str().unwrap()).collect();
    assert!(shown[0].ends_with("/c15") && shown[1].ends_with("/c3"), "{shown:?}");
    cloud.delete("global/sslCertificates/c0").await;
}

#[tokio::test]
async fn a_redirect_to_https_is_not_for_https() {
    let cloud = Cloud::start().await;
    cloud.url_map("web").await;
    let redirect = json!({ "name": "r", "defaultUrlRedirect": { "httpsRedirect": true } });
    cloud.insert("global/urlMaps", redirect).await;
    let (chain, key) = certificate(&[]);
    cloud
        .insert("global/sslCertificates", json!({ "name": "c", "certificate": chain, "privateKey": key }))
        .await;
    let proxy = |map: &str| json!({ "name": "t", "urlMap": map, "sslCertificates": ["c"] });
    let refused = "A URL map with httpsRedirect cannot be used by a target HTTPS proxy.";
    cloud.post("global/targetHttpsProxies", proxy("r")).await.refused(400, "invalid", refused);
    cloud.insert("global/targetHttpsProxies", proxy("web")).await;
    cloud
        .post("targetHttpsProxies/t/setUrlMap", json!({ "urlMap": "r" }))
        .await
        .refused(400, "invalid", refused);
    let change = json!({ "defaultService": Value::Null, "defaultUrlRedirect": { "httpsRedirect": true } });
    cloud.call("PATCH", "global/urlMaps/web", Some(&change)).await.refused(400, "invalid", refused);
    // For plain HTTP it is what it is there for.
    cloud.insert("global/targetHttpProxies", json!({ "name": "h", "urlMap": "r" })).await;
}
