//! A process that dies, at every call: to the cloud, and to the API server.

use crate::gate::{Death, Side, is_write};
use crate::spread;
use crate::stories::{Story, Undisturbed, told};
use crate::world::World;

/// One death in one story.
struct Case {
    told: &'static Undisturbed,
    death: Death,
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Death { at, side } = self.death;
        let call = self.told.calls.get(at).map_or("", String::as_str);
        write!(f, "{:?}, killed {side:?} call {at} ({call})", self.told.story)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It died, and the next process brought it to an end.
    Healed,
    /// It was done before it came to that call.
    WasDone,
}

async fn run(case: &Case) -> Outcome {
    let Case { told: Undisturbed { story, beginning, end, .. }, death } = case;
    let world = World::at(beginning).await;
    story.edit(&world.api);
    let mut doomed = world.start(Some(*death));
    let gate = std::sync::Arc::clone(&doomed.gate);
    let outcome = tokio::select! {
        biased;
        () = gate.died() => Outcome::Healed,
        () = world.until_state(&mut doomed, end) => Outcome::WasDone,
    };
    doomed.kill().await;
    let mut next = world.start(None);
    world.until_state(&mut next, end).await;
    // The same end is reached again and again, so that it is one is not looked at each time.
    if death.at % 4 == 0 {
        world.assert_at_rest(&next, end).await;
    }
    world.cloud.assert_others_untouched();
    next.stop().await;
    world.end().await;
    outcome
}

/// Every death there is in a story.
fn die_everywhere(story: Story) {
    let told = told(story);
    let cases: Vec<Case> = (0..told.calls.len())
        .flat_map(|at| [Side::Before, Side::After].map(|side| Case { told, death: Death { at, side } }))
        .collect();
    let outcomes = spread::all(&cases, |case| spread::in_virtual_time(run(case)));
    let healed = outcomes.iter().filter(|outcome| **outcome == Outcome::Healed).count();
    eprintln!("{story:?}: {} deaths, {healed} of them before it was done", cases.len());
    // The order of calls that are under way together may differ a little from one run to the next. What comes after everything is done
    // (checkpoints are kept, health is asked for) nobody waits for.
    let needed = told.calls.iter().rposition(|call| is_write(call) || call.starts_with("publish "));
    let needed = 2 * needed.map_or(0, |last| last + 1);
    assert!(healed * 10 >= needed * 8, "only {healed} of {needed} processes died");
}

#[test]
fn while_a_load_balancer_is_made() {
    die_everywhere(Story::Create);
}

#[test]
fn while_rules_change() {
    die_everywhere(Story::Rules);
}

#[test]
fn while_a_port_changes() {
    die_everywhere(Story::Port);
}

#[test]
fn while_pods_come_and_go() {
    die_everywhere(Story::Pods);
}

#[test]
fn while_a_service_moves_from_node_ports_to_pods() {
    die_everywhere(Story::Switch);
}

#[test]
fn while_a_certificate_is_renewed() {
    die_everywhere(Story::Rotate);
}

#[test]
fn while_a_load_balancer_is_deleted() {
    die_everywhere(Story::Delete);
}
