//! The verbs of single resource types.

use gce::{Global, HealthStatus, Region, Zone};
use gce_api::{NamedPort, NetworkEndpoint, UrlMap};
use serde_json::json;

use crate::client;
use crate::server::{Asked, Server, ok, operation};

#[tokio::test]
async fn proxies_have_irregular_paths_when_they_are_global() {
    let mut script = vec![operation("RUNNING"); 6];
    script.push(operation("DONE"));
    let server = Server::start(script).await;
    let client = client(&server);
    let certificates = ["global/sslCertificates/b".to_owned(), "global/sslCertificates/a".to_owned()];
    let change = client.target_http_proxies(Global).set_url_map("t", "global/urlMaps/m").await.unwrap();
    let _ = client.target_https_proxies(Global).set_url_map("t", "global/urlMaps/m").await.unwrap();
    let _ = client.target_https_proxies(Global).set_ssl_certificates("t", &certificates).await.unwrap();
    let _ = client.target_https_proxies(Global).patch("t", &json!({"sslPolicy": null})).await.unwrap();
    let _ = client.target_http_proxies(Region::new("r")).set_url_map("t", "m").await.unwrap();
    // A proxy may be called what the path would otherwise lose.
    let _ = client.target_http_proxies(Global).set_url_map("global", "m").await.unwrap();
    let _ = client.wait(change).await.unwrap();
    let asked = server.asked();
    assert_eq!(
        server.lines(),
        [
            "POST targetHttpProxies/t/setUrlMap",
            "POST targetHttpsProxies/t/setUrlMap",
            "POST targetHttpsProxies/t/setSslCertificates",
            "PATCH global/targetHttpsProxies/t",
            "POST regions/r/targetHttpProxies/t/setUrlMap",
            "POST targetHttpProxies/global/setUrlMap",
            "POST global/operations/operation-1/wait",
        ]
    );
    assert_eq!(asked[0].body, json!({"urlMap": "global/urlMaps/m"}));
    assert_eq!(asked[2].body, json!({"sslCertificates": certificates}), "in the order given");
    assert!(asked[..6].iter().all(|asked| !asked.request_id().is_empty()));
}

#[tokio::test]
async fn a_forwarding_rule_is_pointed_elsewhere() {
    let server = Server::start([operation("RUNNING")]).await;
    let rules = client(&server).forwarding_rules(Global);
    let _ = rules.set_target("f", "global/targetHttpProxies/t").await.unwrap();
    assert_eq!(server.lines(), ["POST global/forwardingRules/f/setTarget"]);
    assert_eq!(server.asked()[0].body, json!({"target": "global/targetHttpProxies/t"}));
}

#[tokio::test]
async fn a_url_map_is_validated() {
    let result = ok(&json!({"result": {"loadSucceeded": false, "loadErrors": ["bad"]}}));
    let server = Server::start([result.clone(), result]).await;
    let client = client(&server);
    let map = UrlMap { name: Some("m".into()), ..UrlMap::default() };
    let schemes = ["EXTERNAL_MANAGED".to_owned()];
    let said = client.url_maps(Global).validate("m", &map, &schemes).await.unwrap();
    assert_eq!((said.load_succeeded, said.load_errors), (Some(false), Some(vec!["bad".to_owned()])));
    client.url_maps(Region::new("r")).validate("m", &map, &schemes).await.unwrap();
    let asked = server.asked();
    assert_eq!(
        asked[0].body,
        json!({"resource": {"name": "m"}, "loadBalancingSchemes": ["EXTERNAL_MANAGED"]})
    );
    assert_eq!(asked[1].body, json!({"resource": {"name": "m"}}));
    assert!(asked.iter().all(|asked| asked.request_id().is_empty()));
}

#[tokio::test]
async fn health_is_asked_for_by_group() {
    let server = Server::start([ok(&json!({
        "kind": "compute#backendServiceGroupHealth",
        "healthStatus": [{"ipAddress": "10.0.0.1", "port": 80, "healthState": "HEALTHY"}],
    }))])
    .await;
    let health =
        client(&server).backend_services(Global).get_health("b", "zones/z/instanceGroups/g").await.unwrap();
    assert_eq!(health.health_status.unwrap()[0].health_state.as_deref(), Some("HEALTHY"));
    assert_eq!(server.lines(), ["POST global/backendServices/b/getHealth"]);
    assert_eq!(server.asked()[0].body, json!({"group": "zones/z/instanceGroups/g"}));
}

#[tokio::test]
async fn which_permissions_there_are() {
    let server =
        Server::start([ok(&json!({"permissions": ["compute.urlMaps.update"]})), ok(&json!({}))]).await;
    let maps = client(&server).url_maps(Global);
    let asked = ["compute.urlMaps.delete", "compute.urlMaps.update"];
    assert_eq!(maps.test_permissions("m", &asked).await.unwrap(), ["compute.urlMaps.update"]);
    // An answer without the list means: none of them.
    assert!(maps.test_permissions("m", &asked).await.unwrap().is_empty());
    assert_eq!(server.asked()[0].body, json!({ "permissions": asked }));
    assert_eq!(server.lines(), ["POST global/urlMaps/m/testIamPermissions"; 2]);
}

#[tokio::test]
async fn members_of_network_endpoint_groups() {
    let server = Server::start([operation("RUNNING"), operation("RUNNING"), ok(&json!({}))]).await;
    let groups = client(&server).network_endpoint_groups(Zone::new("z"));
    let endpoint = NetworkEndpoint {
        ip_address: Some("10.0.0.1".into()),
        port: Some(8080),
        instance: Some("node".into()),
        ..NetworkEndpoint::default()
    };
    let _ = groups.attach("n", std::slice::from_ref(&endpoint)).await.unwrap();
    let _ = groups.detach("n", &[endpoint]).await.unwrap();
    assert!(groups.list_endpoints("n", HealthStatus::Skip).await.unwrap().is_empty());
    let body = json!({"networkEndpoints": [{"instance": "node", "ipAddress": "10.0.0.1", "port": 8080}]});
    let asked = server.asked();
    assert_eq!((&asked[0].body, &asked[1].body, &asked[2].body), (&body, &body, &json!({})));
    assert_eq!(
        server.lines(),
        ["attachNetworkEndpoints", "detachNetworkEndpoints", "listNetworkEndpoints"]
            .map(|verb| format!("POST zones/z/networkEndpointGroups/n/{verb}"))
    );
}

#[tokio::test]
async fn members_and_ports_of_instance_groups() {
    let server = Server::start(vec![operation("RUNNING"); 4]).await;
    let groups = client(&server).instance_groups(Zone::new("z"));
    let instances = ["zones/z/instances/i".to_owned()];
    let port = NamedPort { name: Some("port30080".into()), port: Some(30080), ..NamedPort::default() };
    let _ = groups.add_instances("g", &instances).await.unwrap();
    let _ = groups.remove_instances("g", &instances).await.unwrap();
    let _ = groups.set_named_ports("g", std::slice::from_ref(&port), Some("f")).await.unwrap();
    let _ = groups.set_named_ports("g", &[], None).await.unwrap();
    let bodies: Vec<_> = server.asked().into_iter().map(|Asked { body, .. }| body).collect();
    let members = json!({"instances": [{"instance": "zones/z/instances/i"}]});
    assert_eq!(bodies[0], members);
    assert_eq!(bodies[1], members);
    assert_eq!(bodies[2], json!({"fingerprint": "f", "namedPorts": [{"name": "port30080", "port": 30080}]}));
    assert_eq!(bodies[3], json!({"namedPorts": []}), "an empty list empties");
    assert_eq!(
        server.lines(),
        ["addInstances", "removeInstances", "setNamedPorts", "setNamedPorts"]
            .map(|verb| format!("POST zones/z/instanceGroups/g/{verb}"))
    );
}
