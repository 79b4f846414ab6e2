//! Every kind of fault at every call of every story, and two at a time: the end is the same.
//!
//! The normal suite takes a part of the matrix, spread evenly; the whole is run by `make test-all`.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::spread;
use crate::stories::{STORIES, Story, Undisturbed, told};
use crate::world::World;

/// What is stuck or hangs comes loose again after this long: longer than a client waits for an operation.
const LOOSE: Duration = Duration::from_mins(40);

/// The variable that says of how many cells one is tried: 1 is the whole matrix.
const PART: &str = "GCLB_FAULT_PART";

/// The variable that chooses the kinds of fault that contain its text.
const KIND: &str = "GCLB_FAULT_KIND";

/// The variable that says how many pairs of faults are tried.
const PAIRS: &str = "GCLB_FAULT_PAIRS";

/// Every kind of fault, as the emulator writes it.
pub(crate) fn kinds() -> Vec<Value> {
    let error = |status: u16| json!({"error": {"status": status}});
    let mut kinds = vec![
        json!({"throttle": {}}),
        json!({"throttle": {"status": 429, "retryAfter": 90}}),
        json!({"html": {"status": 200}}),
        json!({"html": {"status": 502}}),
        json!({"truncate": {}}),
        json!({"notReady": {}}),
        json!({"staleFingerprint": {}}),
        json!({"unreachable": {"scopes": ["global"]}}),
        json!({"unreachable": {"scopes": ["zones/us-central1-a"]}}),
        json!({"earlyWait": {}}),
        json!({"slow": {"answer": "50s", "running": "10m"}}),
        json!({"failOperation": {"effect": "none"}}),
        json!({"failOperation": {"effect": "part"}}),
        json!({"failOperation": {"effect": "whole"}}),
        json!({"failOperation": {"code": "QUOTA_EXCEEDED", "status": 403, "message": "Quota 'URL_MAPS' exceeded. Limit: 10.0 globally."}}),
        json!({"warnOperation": {"code": "INJECTED", "message": "a warning"}}),
        json!({"loseOperation": {}}),
        json!({"stickOperation": {}}),
        json!({"healthStatus": {"state": "MISSING"}}),
        json!({"backend": {"does": "failProbes"}}),
    ];
    kinds.extend([400, 401, 403, 404, 409, 412, 500, 503].map(error));
    for when in ["beforeCommit", "afterCommit"] {
        for ending in ["reset", "drop", "hang"] {
            kinds.push(json!({ending: {"when": when}}));
        }
    }
    kinds
}

/// One fault at one of the calls that it can befall.
#[derive(Debug, Clone)]
struct Fault {
    kind: Value,
    /// Which call of those, counted from 1.
    nth: u64,
}

struct Case {
    number: usize,
    told: &'static Undisturbed,
    faults: Vec<Fault>,
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.told.story)?;
        for Fault { kind, nth } in &self.faults {
            write!(f, ", {kind} at call {nth} of those it can befall")?;
        }
        Ok(())
    }
}

/// So many of the faults hit something.
async fn run(case: &Case) -> usize {
    let Undisturbed { story, beginning, end, .. } = case.told;
    let world = World::at(beginning).await;
    story.edit(&world.api);
    for Fault { kind, nth } in &case.faults {
        let rule = json!({"nth": nth, "fault": kind});
        world.cloud.emulator.add_fault(serde_json::from_value(rule).unwrap()).unwrap();
    }
    let mut controller = world.start(None);
    let mut hits = 0;
    let come_loose = async {
        tokio::time::sleep(LOOSE).await;
        hits = hits_in(&world.cloud.emulator.faults());
        world.cloud.emulator.clear_faults();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = world.until_state(&mut controller, end) => {}
        () = come_loose => {}
    }
    hits += hits_in(&world.cloud.emulator.faults());
    world.cloud.emulator.clear_faults();
    if case.number.is_multiple_of(4) {
        world.assert_at_rest(&controller, end).await;
    }
    world.cloud.assert_others_untouched();
    controller.stop().await;
    world.end().await;
    hits
}

fn hits_in(faults: &Value) -> usize {
    let faults = faults.as_array().into_iter().flatten();
    faults.filter(|fault| fault["hits"].as_u64().is_some_and(|hits| hits > 0)).count()
}

/// The whole matrix of one story.
fn matrix(story: Story) -> Vec<(&'static Undisturbed, Fault)> {
    let told = told(story);
    let row =
        |(kind, calls): (Value, &u64)| (1..=*calls).map(move |nth| (told, Fault { kind: kind.clone(), nth }));
    kinds().into_iter().zip(&told.befallable).flat_map(row).collect()
}

fn try_all(what: &str, cases: Vec<(&'static Undisturbed, Vec<Fault>)>) {
    let cases: Vec<Case> =
        cases.into_iter().enumerate().map(|(number, (told, faults))| Case { number, told, faults }).collect();
    let wanted: usize = cases.iter().map(|case| case.faults.len()).sum();
    let hits: usize = spread::all(&cases, |case| spread::in_virtual_time(run(case))).into_iter().sum();
    eprintln!("{what}: {} runs with {wanted} faults, {hits} of which befell a call", cases.len());
    // Calls that are under way together may change places, and after one fault some calls are not made.
    assert!(hits * 10 >= wanted * 7, "only {hits} of {wanted} faults befell a call");
}

/// A part of the matrix of one story.
fn a_part_of(story: Story) {
    let part: usize = spread::asked_for(PART, 24);
    let kind: String = spread::asked_for(KIND, String::new());
    let chosen = |(_, fault): &(_, Fault)| fault.kind.to_string().contains(&kind);
    let matrix: Vec<_> = matrix(story).into_iter().filter(chosen).collect();
    let cells = matrix.len();
    // Another part for each story, so that together they touch every kind at every place.
    let first = STORIES.iter().position(|other| *other == story).unwrap_or(0) * part / STORIES.len();
    let cases =
        matrix.into_iter().skip(first).step_by(part).map(|(told, fault)| (told, vec![fault])).collect();
    try_all(&format!("{story:?}, a part of its {cells} cells"), cases);
}

#[test]
fn of_making() {
    a_part_of(Story::Create);
}

#[test]
fn of_changing_rules() {
    a_part_of(Story::Rules);
}

#[test]
fn of_changing_a_port() {
    a_part_of(Story::Port);
}

#[test]
fn of_pods_that_come_and_go() {
    a_part_of(Story::Pods);
}

#[test]
fn of_moving_from_node_ports_to_pods() {
    a_part_of(Story::Switch);
}

#[test]
fn of_renewing_a_certificate() {
    a_part_of(Story::Rotate);
}

#[test]
fn of_deleting() {
    a_part_of(Story::Delete);
}

#[test]
fn two_at_a_time() {
    let pairs: usize = spread::asked_for(PAIRS, 40);
    let seed = spread::seed();
    let mut dice = StdRng::seed_from_u64(seed);
    let matrices: Vec<_> = STORIES.into_iter().map(matrix).collect();
    let mut draw = || {
        let matrix = &matrices[dice.random_range(0..matrices.len())];
        let mut fault = || matrix[dice.random_range(0..matrix.len())].1.clone();
        (matrix[0].0, vec![fault(), fault()])
    };
    let cases = (0..pairs).map(|_| draw()).collect();
    try_all(&format!("two at a time, {}={seed}", spread::SEED), cases);
}
