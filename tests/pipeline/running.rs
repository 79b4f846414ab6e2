//! What `/debug/plan` answers, over real HTTP, while the cloud is slow.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gclb::controller::Options;
use gclb::controller::listen::{Answers, listen};
use gclb::controller::running::Running;
use gclb::metrics::Metrics;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::walkthrough;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_that_is_running_is_shown_to_those_who_ask() {
    let world = World::new().await;
    gce::install_crypto_provider();
    let running = Arc::new(Running::default());
    let stop = CancellationToken::new();
    let answers = Arc::new(Answers::new(Arc::new(Metrics::default()), Arc::clone(&running)));
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let address = listen(any, answers, stop.clone()).await.unwrap();
    let ask = async |query: &str| -> (u16, String) {
        let url = format!("http://{address}/debug/plan{query}");
        let answer = reqwest::Client::builder().no_proxy().build().unwrap().get(url).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(ask("").await.0, 503, "nobody leads yet");

    // Until the latency is lifted no health check is made, so its backend service, and all that lead there, wait for it.
    let usual = world.cloud.latency();
    let mut latency = usual.clone();
    let hour = emulator::MethodLatency::of(Duration::from_hours(1));
    latency.methods.push(("healthChecks.insert".to_owned(), hour));
    world.cloud.set_latency(latency);
    world.memory.put_ingress("test", &walkthrough());
    let controller = world.start_with(Options { running, ..Options::default() });
    let document = loop {
        let (status, text) = ask("?output=json").await;
        let document: Value = serde_json::from_str(&text).unwrap_or_default();
        let words = |word: &str| document["summary"][word].as_u64().unwrap_or_default();
        if status == 200 && words("under_way") == 1 && words("dependency") >= 4 {
            break document;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let changes = document["changes"].as_array().unwrap();
    let first = &changes[0];
    assert_eq!((&first["resource"]["kind"], &first["method"]), (&"healthChecks".into(), &"insert".into()));
    let service = changes.iter().find(|change| change["resource"]["kind"] == "backendServices").unwrap();
    let behind = service["state"]["behind"].as_str().unwrap();
    assert_eq!(behind, format!("health check {}", first["resource"]["name"].as_str().unwrap()));

    let (_, text) = ask("?for=ingress/default/test").await;
    assert!(text.contains("urlMaps global/"), "{text}");
    assert!(!text.contains("healthChecks global/"), "a health check is held for its Service: {text}");
    assert!(text.contains("waits for backend service"), "{text}");
    let (_, text) = ask("?limit=1").await;
    assert!(text.contains("more: ask with ?limit="), "{text}");
    assert!(!text.contains("PRIVATE KEY") && !document.to_string().contains("PRIVATE KEY"));

    controller.kill().await;
    assert_eq!(ask("").await.0, 503, "its term is over");
    stop.cancel();
    world.cloud.shutdown().await;
}
