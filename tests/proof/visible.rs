//! What is measured and told while it happens: each metric that there is moves by itself, and what waits for a quota says so.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use gclb::apply::quota::Quota;
use gclb::controller::Options;
use gclb::metrics::Metrics;
use http::Method;
use serde_json::json;
use tokio::time::Instant;

use crate::api::Api;
use crate::many::{Services, put, setting};
use crate::objects::{ingress, rule};
use crate::spread::in_virtual_time;
use crate::world::{REST, World};

/// Only the command knows whether it leads; the lifecycle tests look at that one.
const OF_THE_COMMAND: &str = "gclb_leader";

/// The families of which some series is above zero.
fn moved(metrics: &Metrics) -> BTreeSet<String> {
    let text = metrics.text();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let above_zero = lines.filter_map(|line| {
        let (series, value) = line.rsplit_once(' ')?;
        let name = series.split('{').next()?;
        (value.parse::<f64>().ok()? > 0.0).then(|| name.to_owned())
    });
    let families = metrics.catalogue();
    above_zero
        .filter_map(|name| {
            let of = |family: &&str| {
                let rest = name.strip_prefix(*family);
                rest.is_some_and(|rest| ["", "_total", "_bucket", "_sum", "_count"].contains(&rest))
            };
            families.iter().map(|family| family.name.as_str()).find(of).map(str::to_owned)
        })
        .collect()
}

fn status(world: &World, name: &str) -> String {
    let objects = world.api.objects();
    let annotations = objects.ingresses[name].metadata.annotations.clone().unwrap_or_default();
    annotations.get("gclb.dev/status").cloned().unwrap_or_default()
}

/// So many mutations a minute, of which three are left of this one.
async fn limit_mutations(world: &World) {
    let (status, answer) = world.cloud.call(Method::PUT, "_emulator/rates", &json!({"queries": 12})).await;
    assert!(status < 300, "{answer}");
}

#[test]
fn every_metric_moves_by_itself_and_what_waits_for_quota_says_so() {
    in_virtual_time(async {
        let metrics = Arc::new(Metrics::default());
        let options =
            || Options { metrics: Arc::clone(&metrics), quota: Quota::believed(&[]), ..Options::default() };
        let mut seen = BTreeSet::new();

        let world = World::new().await;
        setting(&world.api);
        for number in 0..3 {
            put(&world.api, number, Services::Own);
        }
        let nowhere = json!({"rules": [rule("x.example.com", &[("/", "missing", 80)])]});
        world.api.put_ingress(ingress("broken", &json!({}), &nowhere));
        limit_mutations(&world).await;
        let controller = world.start_with(None, options());
        let mut said = BTreeSet::new();
        while world.unpublished().is_some() {
            tokio::time::sleep(Duration::from_millis(100)).await;
            seen.extend(moved(&metrics));
            said.extend((0..3).map(|number| status(&world, &format!("many-{number}"))));
        }
        let waits: Vec<&String> = said.iter().filter(|status| status.contains("waiting for quota")).collect();
        assert!(waits.iter().any(|status| status.contains("\"reason\":\"WaitingForQuota\"")), "{said:#?}");
        assert!(waits.iter().any(|status| status.contains("waiting for quota, about ")), "{waits:#?}");

        // Somebody changes what is ours.
        let map = world.cloud.raw().into_keys().find(|path| path.contains("/backendServices/")).unwrap();
        world.cloud.emulator.drift(&map, json!({"timeoutSec": 7})).await.unwrap();
        let changed = Instant::now();
        while !seen.contains("gclb_drift") && changed.elapsed() < REST {
            tokio::time::sleep(Duration::from_millis(500)).await;
            seen.extend(moved(&metrics));
        }
        controller.stop().await;

        // And an object vanishes unseen.
        let World { cloud, api, patience } = world;
        let mut objects = api.objects();
        objects.ingresses.remove("many-0");
        let world = World { cloud, api: Api::with(objects), patience };
        let controller = world.start_with(None, options());
        tokio::time::sleep(Duration::from_mins(1)).await;
        seen.extend(moved(&metrics));
        controller.stop().await;

        let still: Vec<&str> = metrics
            .catalogue()
            .iter()
            .map(|family| family.name.as_str())
            .filter(|name| *name != OF_THE_COMMAND && !seen.contains(*name))
            .collect();
        assert!(still.is_empty(), "nothing moves {still:?}");
        world.end().await;
    });
}
