//! Random histories, then quiet: the cloud is as if it had just been built from the manifests, and stays so.
//!
//! `GCLB_HISTORIES=N` runs N of them (release builds run some ten times as many in the same time), `GCLB_PROOF_SEED=S` draws
//! others. What failed once is kept in `tests/proof/histories.regressions` and tried first from then on.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{
    Config, FileFailurePersistence, RngAlgorithm, TestCaseError, TestRng, TestRunner,
};
use serde_json::{Value, json};

use crate::api::{Api, Objects};
use crate::cloud::{CLUSTER_ID, NODES, State, difference};
use crate::fault_matrix::kinds;
use crate::gate::{Death, Side, is_write};
use crate::objects::{Reached, Readiness, backend, class, ingress, key_pair, node, rule, service, slice};
use crate::spread;
use crate::world::{Controller, World};

const HISTORIES: &str = "GCLB_HISTORIES";

const INGRESSES: [&str; 3] = ["one", "two", "three"];
const SERVICES: [&str; 3] = ["web", "api", "shop"];
const SECRETS: [&str; 2] = ["tls", "other-tls"];
const PORTS: [u16; 2] = [80, 8080];

/// What somebody does, or what befalls somebody.
#[derive(Debug, Clone)]
enum Step {
    Ingress {
        name: &'static str,
        shape: Shape,
    },
    DeleteIngress {
        name: &'static str,
    },
    Service {
        name: &'static str,
        port: u16,
        reached: Reached,
    },
    NoService {
        name: &'static str,
    },
    Pods {
        service: &'static str,
        pods: Vec<u16>,
    },
    NoPods {
        service: &'static str,
    },
    Secret {
        name: &'static str,
        pair: usize,
    },
    BadSecret {
        name: &'static str,
    },
    NoSecret {
        name: &'static str,
    },
    Class {
        redirect: Option<&'static str>,
    },
    NoClass,
    Node {
        name: &'static str,
        readiness: Readiness,
    },
    NoNode {
        name: &'static str,
    },
    /// Somebody deletes one of our resources by hand.
    Delete {
        which: usize,
    },
    /// Somebody changes one by hand.
    Edit {
        which: usize,
    },
    Fault {
        kind: usize,
        after: u64,
        count: u64,
    },
    NoFaults,
    Wait {
        span: Duration,
    },
    Restart,
    Crash,
    /// The process dies in the middle of what it does next.
    CrashAt {
        call: usize,
        side: Side,
    },
    /// Another process is the leader from now on.
    Leader,
}

/// What an Ingress asks for.
#[derive(Debug, Clone)]
struct Shape {
    tls: Option<&'static str>,
    redirect: Option<&'static str>,
    default: Option<(&'static str, u16)>,
    rules: Vec<(&'static str, &'static str, &'static str, u16)>,
}

fn shape() -> impl Strategy<Value = Shape> {
    let redirect = select(vec![None, None, Some("false"), Some("308"), Some("nonsense")]);
    let target = || (select(&SERVICES[..]), select(&PORTS[..]));
    let hosts = select(vec!["a.example.com", "b.example.com", "*.example.org"]);
    let rule = (hosts, select(vec!["/", "/v1", "/v2"]), target())
        .prop_map(|(host, path, (service, port))| (host, path, service, port));
    (
        proptest::option::of(select(&SECRETS[..])),
        redirect,
        proptest::option::of(target()),
        proptest::collection::vec(rule, 1..4),
    )
        .prop_map(|(tls, redirect, default, rules)| Shape { tls, redirect, default, rules })
}

fn step() -> impl Strategy<Value = Step> {
    let reached = || select(vec![Reached::AtNodes, Reached::AtPods]);
    let readiness = select(vec![Readiness::Ready, Readiness::NotReady]);
    let pods = proptest::collection::vec(select(vec![1, 2, 3, 4, 257, 258, 259, 513]), 0..5);
    let waits = [0, 30, 200, 1500, 5000, 20_000, 150_000].map(Duration::from_millis).to_vec();
    let side = select(vec![Side::Before, Side::After]);
    prop_oneof![
        12 => (select(&INGRESSES[..]), shape()).prop_map(|(name, shape)| Step::Ingress { name, shape }),
        4 => select(&INGRESSES[..]).prop_map(|name| Step::DeleteIngress { name }),
        8 => (select(&SERVICES[..]), select(&PORTS[..]), reached())
            .prop_map(|(name, port, reached)| Step::Service { name, port, reached }),
        2 => select(&SERVICES[..]).prop_map(|name| Step::NoService { name }),
        12 => (select(&SERVICES[..]), pods).prop_map(|(service, pods)| Step::Pods { service, pods }),
        1 => select(&SERVICES[..]).prop_map(|service| Step::NoPods { service }),
        5 => (select(&SECRETS[..]), 0_usize..4).prop_map(|(name, pair)| Step::Secret { name, pair }),
        1 => select(&SECRETS[..]).prop_map(|name| Step::BadSecret { name }),
        1 => select(&SECRETS[..]).prop_map(|name| Step::NoSecret { name }),
        2 => select(vec![None, Some("false"), Some("302")]).prop_map(|redirect| Step::Class { redirect }),
        1 => Just(Step::NoClass),
        4 => (select(&NODES[..]), readiness).prop_map(|(name, readiness)| Step::Node { name, readiness }),
        1 => select(&NODES[..]).prop_map(|name| Step::NoNode { name }),
        3 => any::<usize>().prop_map(|which| Step::Delete { which }),
        3 => any::<usize>().prop_map(|which| Step::Edit { which }),
        8 => (0..kinds().len(), 0_u64..12, 1_u64..4)
            .prop_map(|(kind, after, count)| Step::Fault { kind, after, count }),
        3 => Just(Step::NoFaults),
        25 => select(waits).prop_map(|span| Step::Wait { span }),
        2 => Just(Step::Restart),
        2 => Just(Step::Crash),
        3 => (0_usize..20, side).prop_map(|(call, side)| Step::CrashAt { call, side }),
        2 => Just(Step::Leader),
    ]
}

fn node_port(name: &str, port: u16) -> u16 {
    let at = SERVICES.iter().position(|service| *service == name).unwrap();
    30_000 + 100 * u16::try_from(at).unwrap() + port % 100
}

fn put_ingress(api: &Api, name: &str, shape: &Shape) {
    let Shape { tls, redirect, default, rules } = shape;
    let annotations = redirect.map_or_else(|| json!({}), |redirect| json!({"gclb.dev/redirect": redirect}));
    let rules: Vec<Value> =
        rules.iter().map(|(host, path, service, port)| rule(host, &[(path, service, *port)])).collect();
    let mut spec = json!({"rules": rules});
    if let Some(secret) = tls {
        spec["tls"] = json!([{"secretName": secret}]);
    }
    if let Some((service, port)) = default {
        spec["defaultBackend"] = backend(service, *port);
    }
    api.put_ingress(ingress(name, &annotations, &spec));
}

/// What is there before a history, and what is put right after it.
fn put_the_rest(api: &Api) {
    let before = api.objects();
    api.put_class(&class());
    for name in &NODES[..2] {
        api.put_node(&node(name, Readiness::Ready));
    }
    for (name, port) in SERVICES.iter().zip([80, 8080, 80]) {
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
    let kind = path.contains("/backendServices/") || path.contains("/instanceGroups/");
    kind && body["description"] == mark
}

struct History {
    world: World,
    controller: Controller,
}

impl History {
    async fn begin() -> Self {
        let world = World::new().await;
        put_the_rest(&world.api);
        let controller = world.lead();
        Self { world, controller }
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
        let api = &self.world.api;
        match step {
            Step::Ingress { name, shape } => put_ingress(api, name, shape),
            Step::DeleteIngress { name } => api.delete_ingress(name),
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
            Step::Class { redirect } => {
                let mut class = class();
                class.metadata.annotations =
                    redirect.map(|redirect| [("gclb.dev/redirect".to_owned(), redirect.to_owned())].into());
                api.put_class(&class);
            }
            Step::NoClass => api.remove_class("gclb"),
            Step::Node { name, readiness } => api.put_node(&node(name, *readiness)),
            Step::NoNode { name } => api.remove_node(name),
            Step::Delete { which } => {
                if let Some((path, _)) = self.pick(*which, |path| !path.contains("/addresses/")) {
                    self.world.cloud.emulator.drift_delete(&path).await.unwrap();
                }
            }
            Step::Edit { which } => {
                if let Some((path, edit)) = self.pick(*which, |path| edit_of(path).is_some()) {
                    self.world.cloud.emulator.drift(&path, edit).await.unwrap();
                }
            }
            Step::Fault { kind, after, count } => {
                let rule = json!({"after": after, "count": count, "fault": kinds()[*kind]});
                self.world.cloud.emulator.add_fault(serde_json::from_value(rule).unwrap()).unwrap();
            }
            Step::NoFaults => self.world.cloud.emulator.clear_faults(),
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

    /// One of our resources, and how it can be edited.
    fn pick(&self, which: usize, suits: impl Fn(&str) -> bool) -> Option<(String, Value)> {
        let foreign = &self.world.cloud.foreign;
        let suiting: Vec<String> = self
            .world
            .cloud
            .raw()
            .into_keys()
            .filter(|path| path.contains("/gclb1-") && !foreign.contains_key(path) && suits(path))
            .collect();
        let path = suiting.get(which.checked_rem(suiting.len())?)?.clone();
        let edit = edit_of(&path).unwrap_or_default();
        Some((path, edit))
    }

    /// No more faults, and every manifest can be served.
    async fn quieten(&mut self) {
        self.world.cloud.emulator.clear_faults();
        put_the_rest(&self.world.api);
        if self.controller.gate.is_dead() {
            self.succeed().await;
        }
        self.controller.gate.spare();
        // Every Ingress asks for ports that its Services have.
        let objects = self.world.api.objects();
        for (name, ingress) in &objects.ingresses {
            if ingress.metadata.deletion_timestamp.is_none() {
                let mut ingress = ingress.clone();
                point_at_what_is_there(&mut ingress, &objects);
                self.world.api.put_ingress(ingress);
            } else {
                self.world.api.delete_ingress(name);
            }
        }
    }
}

/// What somebody changes by hand in a resource of this kind.
fn edit_of(path: &str) -> Option<Value> {
    let edits = [
        ("/healthChecks/", json!({"checkIntervalSec": 77})),
        ("/backendServices/", json!({"timeoutSec": 7})),
        ("/urlMaps/", json!({"hostRules": [], "pathMatchers": []})),
        ("/firewalls/", json!({"allowed": [{"IPProtocol": "tcp", "ports": ["1"]}]})),
        ("/instanceGroups/", json!({"namedPorts": []})),
    ];
    edits.into_iter().find(|(collection, _)| path.contains(collection)).map(|(_, edit)| edit)
}

fn point_at_what_is_there(ingress: &mut k8s_openapi::api::networking::v1::Ingress, objects: &Objects) {
    let Some(spec) = &mut ingress.spec else { return };
    let of_rules = spec.rules.iter_mut().flatten().filter_map(|rule| rule.http.as_mut());
    let backends = spec
        .default_backend
        .iter_mut()
        .chain(of_rules.flat_map(|http| http.paths.iter_mut().map(|path| &mut path.backend)));
    for service in backends.filter_map(|backend| backend.service.as_mut()) {
        let ports = objects.services.get(&service.name).and_then(|found| found.spec.as_ref()?.ports.as_ref());
        if let (Some(port), Some(there)) = (&mut service.port, ports.and_then(|ports| ports.first())) {
            port.number = Some(there.port);
        }
    }
}

/// What comes of these manifests where nothing was before.
async fn fresh(mut objects: Objects) -> State {
    objects.ingresses.retain(|_, ingress| ingress.metadata.deletion_timestamp.is_none());
    for ingress in objects.ingresses.values_mut() {
        ingress.metadata.finalizers = None;
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

async fn live_through(steps: &[Step]) {
    let mut history = History::begin().await;
    for step in steps {
        history.take(step).await;
    }
    history.quieten().await;
    let mut wanted = fresh(history.world.api.objects()).await;
    let History { world, mut controller } = history;
    let lacking = || {
        let mut state = world.cloud.state();
        state.retain(|path, body| wanted.contains_key(path) || !stays_with_the_cluster(path, body));
        difference(&wanted, &state).or_else(|| world.unpublished())
    };
    world.until(&mut controller, lacking).await;
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
            max_shrink_iters: 100,
            source_file: Some(file!()),
            failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
            ..Config::default()
        };
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        bytes[8..16].copy_from_slice(&(thread as u64).to_le_bytes());
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
        let steps = proptest::collection::vec(step(), 200..260);
        runner.run(&steps, |steps| {
            let live = || spread::in_virtual_time(live_through(&steps));
            let lived_through = std::panic::catch_unwind(std::panic::AssertUnwindSafe(live));
            let lived = lived.fetch_add(1, Ordering::Relaxed) + 1;
            if lived.is_multiple_of(100) {
                eprintln!("{lived} of {number} histories in {:?}", began.elapsed());
            }
            lived_through.map_err(|panic| TestCaseError::fail(spread::text(&*panic)))
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
