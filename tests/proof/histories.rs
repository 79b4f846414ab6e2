//! Random histories, then quiet: the cloud is as if it had just been built from the manifests, and stays so.
//!
//! `GCLB_HISTORIES=N` runs N of them (release builds run some ten times as many in the same time), `GCLB_PROOF_SEED=S` draws
//! others. What failed once is kept in `tests/proof/histories.regressions` and tried first from then on.

mod hand;
mod step;

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::FutureExt as _;
use gclb::ingress::MEMBER_OF;
use k8s_openapi::api::networking::v1::IngressClass;
use proptest::test_runner::{
    Config, FileFailurePersistence, RngAlgorithm, TestCaseError, TestRng, TestRunner,
};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::api::{Api, Objects};
use crate::cloud::{CLUSTER_ID, NODES, State, difference};
use crate::fault_matrix::kinds;
use crate::gate::{Death, is_write};
use crate::objects::{Reached, Readiness, backend, class, ingress, key_pair, node, rule, service, slice};
use crate::spread;
use crate::world::{Controller, World};
use hand::Unmarked;
use step::{INGRESSES, PORTS, SECRETS, SERVICES, Shape, Step, step};

const HISTORIES: &str = "GCLB_HISTORIES";

/// Longer than every pause there is, several times over.
const PATIENCE: Duration = Duration::from_hours(4);

/// When it is known that one fails, longer than any one pause is enough.
const IMPATIENCE: Duration = Duration::from_mins(70);

/// No operation runs longer, unless it never ends.
const LONGEST_OPERATION: Duration = Duration::from_mins(15);

const GROUP_SCOPE: &str = "gclb.dev/group-scope";

fn node_port(name: &str, port: u16) -> u16 {
    let at = SERVICES.iter().position(|service| *service == name).unwrap();
    30_000 + 100 * u16::try_from(at).unwrap() + port % 100
}

fn put_ingress(api: &Api, name: &str, shape: &Shape) {
    let Shape { tls, redirect, group, order, default, rules } = shape;
    let said = [("gclb.dev/redirect", redirect), ("gclb.dev/group", group), ("gclb.dev/group-order", order)];
    let annotations: Map<String, Value> =
        said.into_iter().filter_map(|(key, value)| Some((key.to_owned(), json!((*value)?)))).collect();
    let rules: Vec<Value> =
        rules.iter().map(|(host, path, service, port)| rule(host, &[(path, service, *port)])).collect();
    let mut spec = json!({"rules": rules});
    if let Some(secret) = tls {
        spec["tls"] = json!([{"secretName": secret}]);
    }
    if let Some((service, port)) = default {
        spec["defaultBackend"] = backend(service, *port);
    }
    api.put_ingress(ingress(name, &Value::Object(annotations), &spec));
}

/// What is there before a history, and what is put right after it.
fn put_the_rest(api: &Api) {
    let before = api.objects();
    let scope = |class: &IngressClass| class.metadata.annotations.as_ref()?.get(GROUP_SCOPE).cloned();
    if before.classes.get("gclb").is_none_or(|class| scope(class).is_some_and(|scope| scope == "nonsense")) {
        api.put_class(&class());
    }
    for name in &NODES[..2] {
        api.put_node(&node(name, Readiness::Ready));
    }
    for (name, port) in SERVICES.iter().zip(PORTS.into_iter().cycle()) {
        if !before.services.contains_key(*name) {
            api.put_service(&service(name, port, node_port(name, port), Reached::AtNodes));
        }
        if !before.slices.contains_key(*name) {
            api.put_slice(&slice(name, &[1, 257]));
        }
    }
    for name in SECRETS {
        let usable = before.secrets.get(name).is_some_and(|(_, (chain, _))| chain.starts_with("-----BEGIN"));
        if !usable {
            let (chain, key) = key_pair(0);
            api.put_secret(name, (chain.clone(), key.clone()));
        }
    }
}

/// What belongs to the cluster as a whole is kept as long as there is any load balancer (docs/decisions/0008): the answer to what nobody
/// serves, and the groups of zones that once had nodes.
fn stays_with_the_cluster(path: &str, body: &Value) -> bool {
    let mark = json!({"gclb.dev/cluster": CLUSTER_ID}).to_string();
    let kinds = ["/backendServices/", "/instanceGroups/", "/firewalls/"];
    let kind = kinds.into_iter().any(|kind| path.contains(kind));
    kind && body["description"] == mark
}

/// What was used by something that somebody had described as another's is not deleted once there is no load balancer at all: that could
/// be an emptied API server. `gclb leaks` tells of it.
fn is_left_to_leaks(body: &Value) -> bool {
    let mark = body["description"].as_str().unwrap_or_default();
    mark.contains("gclb.dev/service") || mark.contains("gclb.dev/secret")
}

struct History {
    world: World,
    controller: Controller,
    unmarked: Unmarked,
}

impl History {
    async fn begin(patience: Duration) -> Self {
        let world = World { patience, ..World::new().await };
        put_the_rest(&world.api);
        let controller = world.lead();
        Self { world, controller, unmarked: Unmarked::default() }
    }

    /// One that is dead makes room for the next.
    async fn succeed(&mut self) {
        let next = self.world.lead();
        std::mem::replace(&mut self.controller, next).kill().await;
    }

    async fn take(&mut self, step: &Step) {
        if self.controller.gate.is_dead() {
            self.succeed().await;
        }
        let World { api, cloud, patience: _ } = &self.world;
        match step {
            Step::Ingress { name, shape } => put_ingress(api, name, shape),
            Step::DeleteIngress { name } => api.delete_ingress(name),
            Step::Release { name } => hand::release(&self.world, name),
            Step::Consent { name } => hand::consent(api, name),
            Step::Service { name, port, reached } => {
                api.put_service(&service(name, *port, node_port(name, *port), *reached));
            }
            Step::NoService { name } => api.remove_service(name),
            Step::Pods { service, pods } => api.put_slice(&slice(service, pods)),
            Step::NoPods { service } => api.remove_slice(service),
            Step::Secret { name, pair } => {
                let (chain, key) = key_pair(*pair);
                api.put_secret(name, (chain.clone(), key.clone()));
            }
            Step::BadSecret { name } => api.put_secret(name, ("not PEM".to_owned(), "neither".to_owned())),
            Step::NoSecret { name } => api.remove_secret(name),
            Step::Class { redirect, scope } => {
                let mut class = class();
                let said = [("gclb.dev/redirect", redirect), (GROUP_SCOPE, scope)];
                let said =
                    said.into_iter().filter_map(|(key, said)| Some((key.to_owned(), (*said)?.to_owned())));
                class.metadata.annotations = Some(said.collect());
                api.put_class(&class);
            }
            Step::NoClass => api.remove_class("gclb"),
            Step::Node { name, readiness } => api.put_node(&node(name, *readiness)),
            Step::NoNode { name } => api.remove_node(name),
            Step::Delete { which } => hand::delete(cloud, *which).await,
            Step::Edit { which, how } => hand::edit(cloud, *which, *how).await,
            Step::Unmark { which, how } => hand::unmark(cloud, &mut self.unmarked, *which, *how).await,
            Step::Fault { kind, after, count } => {
                let fault = &kinds()[*kind];
                // That something of ours is gone is not believed before it is said twice: who is told so twice cannot know better.
                let count = if fault["error"]["status"] == 404 { 1 } else { *count };
                let rule = json!({"after": after, "count": count, "fault": fault});
                cloud.emulator.add_fault(serde_json::from_value(rule).unwrap()).unwrap();
            }
            Step::NoFaults => cloud.emulator.clear_faults(),
            Step::Wait { span } => tokio::time::sleep(*span).await,
            Step::Restart => {
                let next = self.world.lead();
                std::mem::replace(&mut self.controller, next).stop().await;
            }
            Step::Crash => self.succeed().await,
            Step::CrashAt { call, side } => {
                let at = self.controller.gate.calls().len() + call;
                self.controller.gate.doom(Death { at, side: *side });
            }
            Step::Leader => {
                self.controller.depose();
                let next = self.world.lead();
                let before = std::mem::replace(&mut self.controller, next);
                before.ended().await;
            }
        }
        tokio::task::yield_now().await;
    }

    /// No more faults, and every manifest can be served.
    async fn quieten(&mut self) {
        self.world.cloud.emulator.clear_faults();
        put_the_rest(&self.world.api);
        if self.controller.gate.is_dead() {
            self.succeed().await;
        }
        self.controller.gate.spare();
        let objects = self.world.api.objects();
        for (name, ingress) in &objects.ingresses {
            if ingress.metadata.deletion_timestamp.is_none() {
                let mut ingress = ingress.clone();
                hand::mend(&mut ingress, &objects);
                self.world.api.put_ingress(ingress);
            } else {
                self.world.api.delete_ingress(name);
            }
        }
    }
}

/// What comes of these manifests where nothing was before.
async fn fresh(mut objects: Objects) -> State {
    objects.ingresses.retain(|_, ingress| ingress.metadata.deletion_timestamp.is_none());
    for ingress in objects.ingresses.values_mut() {
        ingress.metadata.finalizers = None;
        ingress.metadata.annotations.as_mut().and_then(|all| all.remove(MEMBER_OF));
        ingress.status = None;
    }
    let mut world = World::new().await;
    world.api = Api::with(objects);
    let mut controller = world.start(None);
    world.until(&mut controller, || world.unpublished()).await;
    tokio::time::sleep(Duration::from_mins(5)).await;
    let state = world.cloud.state();
    controller.stop().await;
    world.end().await;
    state
}

async fn live_through(steps: &[Step], patience: Duration) {
    let mut history = History::begin(patience).await;
    for step in steps {
        history.take(step).await;
    }
    history.quieten().await;
    let mut wanted = fresh(history.world.api.objects()).await;
    let History { world, mut controller, mut unmarked } = history;
    let nobody_left = !unmarked.is_empty() && !wanted.keys().any(|path| path.contains("/forwardingRules/"));
    unmarked.put_right(&world.cloud, &wanted).await;
    let asked = Cell::new(None);
    let lacking = || {
        // People look now and then, and give their word where it is asked for.
        if asked.get().is_none_or(|asked: Instant| asked.elapsed() > Duration::from_mins(1)) {
            asked.set(Some(Instant::now()));
            for name in INGRESSES {
                hand::release(&world, name);
                hand::consent(&world.api, name);
            }
        }
        let mut state = world.cloud.state();
        let may_stay = |path: &str, body: &Value| {
            stays_with_the_cluster(path, body) || nobody_left && is_left_to_leaks(body)
        };
        state.retain(|path, body| wanted.contains_key(path) || !may_stay(path, body));
        difference(&wanted, &state).or_else(|| world.unpublished())
    };
    world.until(&mut controller, lacking).await;
    // What was asked for before the faults ended may take long (a slow operation does), and change something yet.
    while world.cloud.emulator.idle().now_or_never().is_none() {
        let ended = tokio::time::timeout(LONGEST_OPERATION, world.cloud.emulator.idle()).await;
        world.until(&mut controller, lacking).await;
        if ended.is_err() {
            // It is stuck for ever, and so changes nothing.
            break;
        }
    }
    for (path, body) in world.cloud.state() {
        wanted.entry(path).or_insert(body);
    }
    world.assert_at_rest(&controller, &wanted).await;
    controller.stop().await;

    // Whoever comes next has nothing to do.
    let next = world.start(None);
    world.assert_at_rest(&next, &wanted).await;
    let writes: Vec<String> = next.gate.calls().into_iter().filter(|call| is_write(call)).collect();
    assert!(writes.is_empty(), "a restart writes: {writes:#?}");
    next.stop().await;
    world.end().await;
}

/// Why a history does not end well. `None`: it does.
fn fails(steps: &[Step], patience: Duration) -> Option<String> {
    let live = || spread::in_virtual_time(live_through(steps, patience));
    let lived_through = std::panic::catch_unwind(std::panic::AssertUnwindSafe(live));
    lived_through.err().map(|panic| spread::text(&*panic))
}

/// Takes steps out of a history that fails, many at once and then ever fewer, as long as it goes on failing.
fn shrunk(mut steps: Vec<Step>) -> String {
    let mut why = String::new();
    let mut size = steps.len().div_ceil(2);
    loop {
        let mut at = 0;
        while at < steps.len() {
            let mut fewer = steps.clone();
            fewer.drain(at..(at + size).min(steps.len()));
            match fails(&fewer, IMPATIENCE) {
                Some(still) => (steps, why) = (fewer, still),
                None => at += size,
            }
        }
        if size == 1 {
            break;
        }
        size = size.div_ceil(2);
    }
    let steps: Vec<String> = steps.iter().map(|step| format!("{step:?}")).collect();
    format!("{} steps are enough:\n  {}\n{why}", steps.len(), steps.join("\n  "))
}

fn histories(number: u32) {
    let seed = spread::seed();
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let share = number.div_ceil(u32::try_from(threads).unwrap());
    let lived = AtomicUsize::new(0);
    let began = std::time::Instant::now();
    eprintln!("{number} histories, {}={seed}", spread::SEED);
    let run = |thread: usize| {
        let config = Config {
            cases: share,
            // One by one takes too long where a step can be one of hundreds: see `shrunk`.
            max_shrink_iters: 0,
            source_file: Some(file!()),
            failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
            ..Config::default()
        };
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        bytes[8..16].copy_from_slice(&(thread as u64).to_le_bytes());
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
        let steps = proptest::collection::vec(step(), 200..260);
        let number_of = &number;
        runner.run(&steps, |steps| {
            let outcome = fails(&steps, PATIENCE);
            let lived = lived.fetch_add(1, Ordering::Relaxed) + 1;
            if lived.is_multiple_of(100) {
                eprintln!("{lived} of {number_of} histories in {:?}", began.elapsed());
            }
            outcome.map_or(Ok(()), |why| {
                eprintln!("{} steps fail, and are being made fewer:\n{why}", steps.len());
                Err(TestCaseError::fail(shrunk(steps)))
            })
        })
    };
    let failures: Vec<String> = std::thread::scope(|scope| {
        let run = &run;
        let threads: Vec<_> = (0..threads).map(|thread| scope.spawn(move || run(thread))).collect();
        let ended = threads.into_iter().map(|thread| thread.join().expect("panics are caught"));
        ended.filter_map(|ended| ended.err().map(|error| error.to_string())).collect()
    });
    assert!(failures.is_empty(), "{}={seed}:\n{}", spread::SEED, failures.join("\n"));
    eprintln!("{} histories in {:?}", lived.into_inner(), began.elapsed());
}

#[test]
fn end_as_if_nothing_had_been_before() {
    histories(spread::asked_for(HISTORIES, 2));
}
