//! What a forwarding rule may point at besides HTTP proxies: kept and shown, not served.

use super::cloud::{Cloud, certificate};
use serde_json::{Value, json};

/// A backend service of a protocol that is spoken byte by byte.
async fn service(cloud: &Cloud, protocol: &str) {
    let name = protocol.to_lowercase();
    cloud.insert("global/healthChecks", json!({ "name": name, "type": "TCP" })).await;
    let body = json!({ "name": name, "protocol": protocol, "healthChecks": [format!("global/healthChecks/{name}")] });
    cloud.insert("global/backendServices", body).await;
}

#[tokio::test]
async fn tcp_and_ssl_proxies() {
    let cloud = Cloud::start().await;
    service(&cloud, "TCP").await;
    service(&cloud, "SSL").await;
    let body = json!({ "name": "t", "service": "global/backendServices/tcp" });
    cloud.insert("global/targetTcpProxies", body).await;
    let found = cloud.get("global/targetTcpProxies/t").await.ok();
    assert_eq!((&found["kind"], &found["proxyHeader"]), (&json!("compute#targetTcpProxy"), &json!("NONE")));
    cloud
        .done("POST", "global/targetTcpProxies/t/setProxyHeader", &json!({ "proxyHeader": "PROXY_V1" }))
        .await;
    assert_eq!(cloud.get("global/targetTcpProxies/t").await.ok()["proxyHeader"], "PROXY_V1");

    let (chain, key) = certificate(&["a.example.com"]);
    let body = json!({ "name": "c", "certificate": chain, "privateKey": key });
    cloud.insert("global/sslCertificates", body).await;
    let mut body = json!({ "name": "t", "service": "global/backendServices/ssl" });
    let none = cloud.post("global/targetSslProxies", body.clone()).await;
    none.refused(400, "required", "resource.sslCertificates");
    body["sslCertificates"] = json!(["global/sslCertificates/c"]);
    cloud.insert("global/targetSslProxies", body).await;
    let busy = cloud.call("DELETE", "global/sslCertificates/c", None).await;
    busy.refused(400, "resourceInUseByAnotherResource", "targetSslProxies/t");
    let rule = json!({ "name": "r", "target": "global/targetSslProxies/t", "portRange": "443" });
    cloud.insert("global/forwardingRules", rule).await;
    assert_eq!(cloud.get("global/forwardingRules/r").await.ok()["portRange"], "443-443");
    let busy = cloud.call("DELETE", "global/targetSslProxies/t", None).await;
    busy.refused(400, "resourceInUseByAnotherResource", "forwardingRules/r");
}

#[tokio::test]
async fn grpc_proxies() {
    let cloud = Cloud::start().await;
    cloud.url_map("web").await;
    cloud.insert("global/targetGrpcProxies", json!({ "name": "t", "urlMap": "web" })).await;
    let found = cloud.get("global/targetGrpcProxies/t").await.ok();
    let with_id = format!("/global/targetGrpcProxies/{}", found["id"].as_str().unwrap());
    assert!(found["selfLinkWithId"].as_str().unwrap().ends_with(&with_id));
    let change = json!({ "description": "d", "fingerprint": found["fingerprint"] });
    cloud.done("PATCH", "global/targetGrpcProxies/t", &change).await;
    let stale = cloud.call("PATCH", "global/targetGrpcProxies/t", Some(&change)).await;
    stale.refused(412, "conditionNotMet", "Invalid fingerprint");
}

#[tokio::test]
async fn pools() {
    let cloud = Cloud::start().await;
    cloud.instance("a", [10, 0, 0, 1]).await;
    cloud.instance("b", [10, 0, 0, 2]).await;
    cloud.insert("global/httpHealthChecks", json!({ "name": "h" })).await;
    let path = "regions/us-central1/targetPools";
    cloud.insert(path, json!({ "name": "p" })).await;
    assert_eq!(cloud.get(&format!("{path}/p")).await.ok()["sessionAffinity"], "NONE");
    let zone = "zones/us-central1-a/instances";
    let both =
        json!({ "instances": [{ "instance": format!("{zone}/a") }, { "instance": format!("{zone}/b") }] });
    cloud.done("POST", &format!("{path}/p/addInstance"), &both).await;
    let check = json!({ "healthChecks": [{ "healthCheck": "global/httpHealthChecks/h" }] });
    cloud.done("POST", &format!("{path}/p/addHealthCheck"), &check).await;
    let found = cloud.get(&format!("{path}/p")).await.ok();
    assert_eq!(found["instances"].as_array().unwrap().len(), 2);
    assert!(found["healthChecks"][0].as_str().unwrap().ends_with("/global/httpHealthChecks/h"));
    let busy = cloud.call("DELETE", "global/httpHealthChecks/h", None).await;
    busy.refused(400, "resourceInUseByAnotherResource", "targetPools/p");
    let health =
        cloud.post(&format!("{path}/p/getHealth"), json!({ "instance": format!("{zone}/a") })).await.ok();
    assert_eq!(health["kind"], "compute#targetPoolInstanceHealth");

    let one = json!({ "instances": [{ "instance": format!("{zone}/a") }] });
    cloud.done("POST", &format!("{path}/p/removeInstance"), &one).await;
    let again = cloud.post(&format!("{path}/p/removeInstance"), one).await;
    again.refused(400, "memberNotFound", "is not a member");
    cloud.done("POST", &format!("{path}/p/removeHealthCheck"), &check).await;

    cloud.insert(path, json!({ "name": "q" })).await;
    let backup = json!({ "target": format!("{path}/q") });
    cloud.post(&format!("{path}/p/setBackup"), backup.clone()).await.refused(
        400,
        "required",
        "failoverRatio",
    );
    cloud.done("POST", &format!("{path}/p/setBackup?failoverRatio=0.5"), &backup).await;
    let found = cloud.get(&format!("{path}/p")).await.ok();
    assert_eq!(found["failoverRatio"], 0.5);
    assert!(found["backupPool"].as_str().unwrap().ends_with("/targetPools/q"));
    cloud.done("POST", &format!("{path}/p/setBackup"), &Value::Null).await;
    cloud.delete(&format!("{path}/q")).await;
}

#[tokio::test]
async fn groups_of_endpoints_elsewhere() {
    let cloud = Cloud::start().await;
    let region = "regions/us-central1/networkEndpointGroups";
    for (path, body, message) in [
        ("global/networkEndpointGroups", json!({}), "Required field 'resource.networkEndpointType'"),
        ("global/networkEndpointGroups", json!({ "networkEndpointType": "SERVERLESS" }), "Must be one of"),
        (region, json!({}), "needs exactly one of"),
        (region, json!({ "networkEndpointType": "PRIVATE_SERVICE_CONNECT" }), "resource.pscTargetService"),
        (region, json!({ "networkEndpointType": "GCE_VM_IP_PORT" }), "Must be one of"),
    ] {
        let mut body = body;
        body["name"] = json!("n");
        let answer = cloud.post(path, body).await;
        assert_eq!(answer.status, 400);
        assert!(answer.message().contains(message), "{}", answer.message());
    }
    cloud.insert(region, json!({ "name": "run", "cloudRun": { "service": "hello" } })).await;
    let found = cloud.get(&format!("{region}/run")).await.ok();
    assert_eq!((&found["networkEndpointType"], &found["size"]), (&json!("SERVERLESS"), &json!(0)));
    let attach = json!({ "networkEndpoints": [{ "ipAddress": "1.2.3.4", "port": 80 }] });
    let refused = cloud.post(&format!("{region}/run/attachNetworkEndpoints"), attach.clone()).await;
    refused.refused(400, "invalid", "of type SERVERLESS");

    let body = json!({ "name": "n", "networkEndpointType": "INTERNET_FQDN_PORT", "defaultPort": 443 });
    cloud.insert("global/networkEndpointGroups", body).await;
    let path = "global/networkEndpointGroups/n";
    let refused = cloud.post(&format!("{path}/attachNetworkEndpoints"), attach).await;
    refused.refused(400, "required", "networkEndpoints[0].fqdn");
    let named = json!({ "networkEndpoints": [{ "fqdn": "example.com" }] });
    cloud.done("POST", &format!("{path}/attachNetworkEndpoints"), &named).await;
    let list = cloud.post(&format!("{path}/listNetworkEndpoints"), json!({})).await.ok();
    assert_eq!(list["items"], json!([{ "networkEndpoint": { "fqdn": "example.com", "port": 443 } }]));
    cloud.done("POST", &format!("{path}/detachNetworkEndpoints"), &named).await;
    assert_eq!(cloud.get(path).await.ok()["size"], 0);
}

#[tokio::test]
async fn rules_that_pass_packets_on() {
    let cloud = Cloud::start().await;
    let region = "regions/us-central1";
    cloud.insert(&format!("{region}/targetPools"), json!({ "name": "p" })).await;
    let rule = json!({ "name": "out", "target": format!("{region}/targetPools/p") });
    cloud.insert(&format!("{region}/forwardingRules"), rule).await;
    assert_eq!(cloud.get(&format!("{region}/forwardingRules/out")).await.ok()["portRange"], "1-65535");

    cloud.insert(&format!("{region}/healthChecks"), json!({ "name": "h", "type": "TCP" })).await;
    let body = json!({
        "name": "s",
        "protocol": "TCP",
        "loadBalancingScheme": "INTERNAL",
        "healthChecks": [format!("{region}/healthChecks/h")],
    });
    cloud.insert(&format!("{region}/backendServices"), body).await;
    cloud.insert(&format!("{region}/addresses"), json!({ "name": "a", "addressType": "INTERNAL" })).await;
    for name in ["in", "inner"] {
        let rule = json!({
            "name": name,
            "loadBalancingScheme": "INTERNAL",
            "backendService": format!("{region}/backendServices/s"),
            "ports": ["80"],
            "serviceLabel": "label",
        });
        cloud.insert(&format!("{region}/forwardingRules"), rule).await;
    }
    let found = cloud.get(&format!("{region}/forwardingRules/in")).await.ok();
    assert_eq!(found["networkTier"], "PREMIUM");
    assert_eq!(found["serviceName"], "label.in.il4.us-central1.lb.p.internal");
    assert!(found["network"].as_str().unwrap().ends_with("/global/networks/default"));
    assert!(found["subnetwork"].as_str().unwrap().ends_with("/us-central1/subnetworks/default"));
    let inner = cloud.get(&format!("{region}/forwardingRules/inner")).await.ok();
    let reserved = cloud.get(&format!("{region}/addresses/a")).await.ok();
    let numbers = [&found["IPAddress"], &inner["IPAddress"], &reserved["address"]];
    assert!(numbers.iter().all(|number| number.as_str().unwrap().starts_with("10.128.")), "{numbers:?}");
    assert!(numbers[0] != numbers[1] && numbers[0] != numbers[2] && numbers[1] != numbers[2], "{numbers:?}");
}
