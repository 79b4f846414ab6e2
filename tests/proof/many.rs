//! Many load balancers at once: the stream of calls never runs dry while there is something to do, and what a process that died had begun
//! is not begun again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use emulator::{Distribution, Latency};
use gclb::apply::Pace;
use gclb::controller::Options;
use serde_json::json;
use tokio::time::Instant;

use crate::api::Api;
use crate::cloud::NODES;
use crate::gate::{Death, Side};
use crate::objects::{Reached, Readiness, backend, class, ingress, key_pair, node, rule, service};
use crate::spread;
use crate::world::World;

/// Whose the Services behind the Ingresses are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Services {
    /// Each Ingress has one.
    Own,
    /// All Ingresses share a few.
    Shared,
}

const SHARED: usize = 4;

/// What is there before the first Ingress.
pub(crate) fn setting(api: &Api) {
    api.put_class(&class());
    for name in &NODES[..2] {
        api.put_node(&node(name, Readiness::Ready));
    }
}

/// One Ingress more: HTTPS with a redirect, a certificate of its own, one backend at node ports.
pub(crate) fn put(api: &Api, number: usize, services: Services) {
    let of = match services {
        Services::Own => number,
        Services::Shared => number % SHARED,
    };
    let (web, tls) = (format!("web-{of}"), format!("tls-{number}"));
    let node_port = 30_000 + u16::try_from(of).unwrap();
    api.put_service(&service(&web, 80, node_port, Reached::AtNodes));
    let (chain, key) = key_pair(0);
    api.put_secret(&tls, (chain.clone(), key.clone()));
    let spec = json!({
        "tls": [{"secretName": tls}],
        "defaultBackend": backend(&web, 80),
        "rules": [rule(&format!("h{number}.example.com"), &[("/", &web, 80)])],
    });
    api.put_ingress(ingress(&format!("many-{number}"), &json!({}), &spec));
}

/// How many calls were under way, and from when on it was so many.
fn steps(spans: &[(Instant, Instant)]) -> Vec<(Instant, usize)> {
    let mut changes: BTreeMap<Instant, (usize, usize)> = BTreeMap::new();
    // What is answered in the moment in which it was sent is under way at no time.
    for (began, ended) in spans.iter().filter(|(began, ended)| began < ended) {
        changes.entry(*began).or_default().0 += 1;
        changes.entry(*ended).or_default().1 += 1;
    }
    let mut under_way = 0;
    changes
        .into_iter()
        .map(|(at, (more, fewer))| {
            under_way = under_way + more - fewer;
            (at, under_way)
        })
        .collect()
}

/// How many load balancers are made, of which how many come one after the other, and how many changes may be under way.
#[derive(Debug, Clone, Copy)]
struct Crowd {
    first: usize,
    more: usize,
    concurrency: usize,
    /// So long more is ready than may be under way.
    full: Duration,
}

#[test]
fn the_calls_under_way_never_run_dry_while_many_are_made_and_more_come() {
    let crowd = Crowd { first: 40, more: 10, concurrency: 64, full: Duration::from_secs(6) };
    spread::in_virtual_time(never_dry(crowd));
}

#[test]
#[ignore = "long: two hundred load balancers are made, and planned for again and again"]
fn the_calls_under_way_never_run_dry_while_two_hundred_are_made_and_more_come() {
    let crowd = Crowd { first: 200, more: 10, concurrency: 512, full: Duration::from_secs(4) };
    spread::in_virtual_time(never_dry(crowd));
}

async fn never_dry(crowd: Crowd) {
    let Crowd { first, more, concurrency, full } = crowd;
    let world = World::new().await;
    // So that not all that began together ends together.
    let between = Distribution::Uniform { from: Duration::from_secs(1), to: Duration::from_secs(3) };
    world.cloud.emulator.set_latency(Latency::of(between));
    setting(&world.api);
    for number in 0..first {
        put(&world.api, number, Services::Own);
    }
    let pace = Pace { concurrency, ..Pace::default() };
    let mut controller = world.start_with(None, Options { pace, ..Options::default() });
    for number in first..first + more {
        tokio::time::sleep(Duration::from_millis(800)).await;
        put(&world.api, number, Services::Own);
    }
    let last_came = Instant::now();
    world.until(&mut controller, || world.unpublished()).await;

    let steps = steps(&controller.gate.under_way());
    let (began, ended) = (steps[0].0, steps[steps.len() - 1].0);
    assert!(began + full < last_came && last_came < ended, "it was over before the last one came");
    let dry: Vec<_> = steps[..steps.len() - 1].iter().filter(|(_, under_way)| *under_way == 0).collect();
    assert!(dry.is_empty(), "nothing was under way at {dry:?}, from {began:?} to {ended:?}");
    // There are as many as may be in one group of calls, whatever comes meanwhile.
    let most = concurrency - concurrency / 8;
    let fewer: Vec<_> = steps
        .iter()
        .filter(|(at, under_way)| *at > began && *at < began + full && *under_way < most)
        .map(|(at, under_way)| (*at - began, *under_way))
        .collect();
    assert!(fewer.is_empty(), "fewer than {most} were under way: {fewer:?}");

    let made = controller.gate.made();
    assert_eq!(made.len(), made.iter().collect::<BTreeSet<_>>().len(), "nothing is asked for twice");
    assert_eq!(made.len(), world.cloud.state().len(), "everything was asked for");
    controller.stop().await;
    world.end().await;
}

#[test]
fn what_a_process_that_died_had_begun_is_not_begun_again() {
    let deaths = [130, 190, 270, 430, 590];
    let cases: Vec<Death> = deaths
        .into_iter()
        .flat_map(|at| [Side::Before, Side::After].map(|side| Death { at, side }))
        .collect();
    spread::all(&cases, |death| spread::in_virtual_time(die_amid_many(*death)));
}

async fn die_amid_many(death: Death) {
    const MANY: usize = 25;
    let world = World::new().await;
    setting(&world.api);
    for number in 0..MANY {
        put(&world.api, number, Services::Own);
    }
    let doomed = world.start(Some(death));
    doomed.gate.died().await;
    let before = doomed.gate.made();
    doomed.kill().await;
    assert!(!before.is_empty() && before.len() < MANY * 10, "it died in the middle: {}", before.len());

    let mut next = world.start(None);
    world.until(&mut next, || world.unpublished()).await;
    let after = next.gate.made();
    let again: Vec<&String> = after.iter().filter(|path| before.contains(path)).collect();
    assert!(again.is_empty(), "asked for again: {again:#?}");
    let made: BTreeSet<&String> = before.iter().chain(&after).collect();
    assert_eq!(made.len(), before.len() + after.len(), "nothing is asked for twice");
    assert_eq!(made.len(), world.cloud.state().len(), "everything was asked for");
    let deletes = next.gate.writes().into_iter().filter(|(_, call)| call.starts_with("DELETE"));
    assert_eq!(deletes.count(), 0);
    world.cloud.assert_others_untouched();
    next.stop().await;
    world.end().await;
}
