//! Backends that misbehave, and health that is not what it should be: what the client reads of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use emulator::{Config, Emulator, Instance, Latency, Rule, Running};
use gce::{Client, Completion, Error, Global, Operation, Zone};
use gce_api::NetworkEndpoint;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const ZONE: &str = "us-central1-a";
const GROUP: &str = "zones/us-central1-a/networkEndpointGroups/web";

/// How long anything may take before a test gives up.
const DEADLINE: Duration = Duration::from_secs(20);

/// A cloud with one load balancer before one endpoint. At 10.1.7.1, which is dialled as 127.1.7.1, nothing listens.
struct Cloud {
    running: Running,
    client: Client,
}

/// A body of the API, from how it is written.
fn body<R: DeserializeOwned>(written: Value) -> R {
    serde_json::from_value(written).unwrap()
}

async fn done(client: &Client, change: impl Future<Output = Result<Operation, Error>>) {
    let operation = change.await.unwrap();
    assert!(matches!(client.wait(operation).await.unwrap(), Completion::Done(_)));
}

impl Cloud {
    async fn start() -> Self {
        Self::before("10.1.7.1", 8080).await
    }

    async fn before(address: &str, port: u16) -> Self {
        let config =
            Config { latency: Latency::of(Duration::ZERO), health_time_scale: 0.01, ..Config::default() };
        let running = Emulator::start(config).await.unwrap();
        let instance = json!({ "project": "p", "zone": ZONE, "name": "vm", "address": address });
        running.register_instance(&serde_json::from_value::<Instance>(instance).unwrap()).await.unwrap();
        let client = Client::builder("p").endpoint(running.endpoint().as_str()).build().unwrap();
        let group = json!({ "name": "web", "networkEndpointType": "GCE_VM_IP_PORT", "defaultPort": port });
        done(&client, client.network_endpoint_groups(Zone::new(ZONE)).insert(&body(group))).await;
        let endpoint = NetworkEndpoint {
            instance: Some("vm".to_owned()),
            ip_address: Some(address.to_owned()),
            port: Some(port.into()),
            ..NetworkEndpoint::default()
        };
        let groups = client.network_endpoint_groups(Zone::new(ZONE));
        done(&client, groups.attach("web", &[endpoint])).await;
        let check = json!({ "name": "web", "type": "HTTP", "httpHealthCheck": { "port": port } });
        let admit = json!({ "name": "web", "sourceRanges": ["130.211.0.0/22", "35.191.0.0/16"], "allowed": [{ "IPProtocol": "tcp" }] });
        done(&client, client.firewalls(Global).insert(&body(admit))).await;
        done(&client, client.health_checks(Global).insert(&body(check))).await;
        let service = json!({
            "name": "web", "protocol": "HTTP", "loadBalancingScheme": "EXTERNAL_MANAGED", "timeoutSec": 1,
            "healthChecks": ["global/healthChecks/web"],
            "backends": [{ "group": GROUP, "balancingMode": "RATE", "maxRatePerEndpoint": 100 }],
        });
        done(&client, client.backend_services(Global).insert(&body(service))).await;
        let map = json!({ "name": "web", "defaultService": "global/backendServices/web" });
        done(&client, client.url_maps(Global).insert(&body(map))).await;
        let proxy = json!({ "name": "web", "urlMap": "global/urlMaps/web" });
        done(&client, client.target_http_proxies(Global).insert(&body(proxy))).await;
        let rule = json!({
            "name": "web", "target": "global/targetHttpProxies/web", "portRange": "80",
            "loadBalancingScheme": "EXTERNAL_MANAGED",
        });
        done(&client, client.forwarding_rules(Global).insert(&body(rule))).await;
        Self { running, client }
    }

    fn fault(&self, fault: &Value) -> String {
        let rule = json!({ "name": "web", "fault": fault });
        self.running.add_fault(serde_json::from_value::<Rule>(rule).unwrap()).unwrap()
    }

    /// The states that the client is told, one for each endpoint that is shown.
    async fn health(&self) -> Vec<String> {
        let health = self.client.backend_services(Global).get_health("web", GROUP).await.unwrap();
        let states = health.health_status.into_iter().flatten();
        states.map(|status| status.health_state.unwrap_or_default()).collect()
    }

    async fn until_health_is(&self, wanted: &str) {
        let asking = async {
            while self.health().await != [wanted] {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(DEADLINE, asking).await.unwrap_or_else(|_| panic!("it never was {wanted}"));
    }

    /// The status of an answer of the load balancer.
    async fn answer(&self) -> u16 {
        let rule = self.client.forwarding_rules(Global).get("web").await.unwrap();
        let url = format!("http://{}/", rule.ip_address.unwrap());
        reqwest::get(url).await.unwrap().status().as_u16()
    }
}

#[tokio::test]
async fn probes_that_pass_or_fail_on_purpose_are_what_get_health_says() {
    let cloud = Cloud::start().await;
    cloud.until_health_is("UNHEALTHY").await;
    assert_eq!(cloud.answer().await, 503, "nobody is healthy");
    let passing = cloud.fault(&json!({ "backend": { "does": "passProbes" } }));
    cloud.until_health_is("HEALTHY").await;
    assert!(cloud.running.remove_fault(&passing));
    cloud.until_health_is("UNHEALTHY").await;
}

#[tokio::test]
async fn health_that_is_shown_otherwise_or_not_at_all_is_read_as_it_is() {
    let cloud = Cloud::start().await;
    cloud.fault(&json!({ "backend": { "does": "passProbes" } }));
    cloud.until_health_is("HEALTHY").await;
    for (state, expected) in [
        ("UNHEALTHY", &["UNHEALTHY"][..]),
        ("UNKNOWN", &["UNKNOWN"]),
        // No status is not a healthy one.
        ("MISSING", &[]),
    ] {
        let shown = cloud.fault(&json!({ "healthStatus": { "state": state } }));
        assert_eq!(cloud.health().await, expected);
        assert!(cloud.running.remove_fault(&shown));
    }
    assert_eq!(cloud.health().await, ["HEALTHY"]);
}

#[tokio::test]
async fn a_backend_that_stalls_or_resets_is_healthy_to_the_client_all_the_same() {
    let server = tokio::net::TcpListener::bind("127.1.7.2:0").await.unwrap();
    let port = server.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        loop {
            let (mut stream, _) = server.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await;
            let _ =
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
        }
    });
    let cloud = Cloud::before("10.1.7.2", port).await;
    cloud.until_health_is("HEALTHY").await;
    assert_eq!(cloud.answer().await, 200);
    for (does, status) in [("stall", 504), ("reset", 502)] {
        let rule = cloud.fault(&json!({ "backend": { "does": does } }));
        assert_eq!(cloud.answer().await, status, "{does}");
        assert_eq!(cloud.health().await, ["HEALTHY"], "probes do not see it: {does}");
        assert!(cloud.running.remove_fault(&rule));
        assert_eq!(cloud.answer().await, 200);
    }
    serving.abort();
}

#[tokio::test]
async fn a_warning_of_an_operation_does_not_make_it_fail() {
    let cloud = Cloud::start().await;
    cloud.fault(&json!({ "warnOperation": { "code": "DEPRECATED_RESOURCE_USED", "message": "old" } }));
    let services = cloud.client.backend_services(Global);
    let operation = services.patch("web", &json!({ "description": "new" })).await.unwrap();
    let Completion::Done(done) = cloud.client.wait(operation).await.unwrap() else { panic!("it was lost") };
    assert!(format!("{done:?}").contains("DEPRECATED_RESOURCE_USED"), "the caller can read it: {done:?}");
    assert_eq!(services.get("web").await.unwrap().description.as_deref(), Some("new"));
}
