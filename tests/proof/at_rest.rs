//! A process that has nothing to do: what its start asks of the cloud, and what an hour of rest does.

use std::time::Duration;

use crate::cloud::{State, difference};
use crate::gate::is_write;
use crate::many::{Services, put, setting};
use crate::spread::in_virtual_time;
use crate::stories::{Story, told};
use crate::world::World;

/// Kinds of resources; each has one page here.
const KINDS: usize = 11;

/// With the operations that may have been under way at the start.
const LISTS: usize = KINDS + 1;

/// Calls to the cloud, by what they are for.
#[derive(Debug, Default)]
struct Calls {
    lists: Vec<String>,
    health: usize,
    /// Lists of one group's members.
    members: usize,
    writes: Vec<String>,
    others: Vec<String>,
}

impl Calls {
    fn of(calls: Vec<String>) -> Self {
        let mut sorted = Self::default();
        for call in calls {
            if call.ends_with("/getHealth") {
                sorted.health += 1;
            } else if call.ends_with("/listNetworkEndpoints") || call.ends_with("/listInstances") {
                sorted.members += 1;
            } else if is_write(&call) {
                sorted.writes.push(call);
            } else if call.contains("/aggregated/") || call.ends_with("/global/firewalls") {
                sorted.lists.push(call);
            } else if call.contains("/compute/v1/") {
                sorted.others.push(call);
            }
        }
        sorted
    }
}

#[test]
fn a_start_with_nothing_to_do_lists_each_kind_once_and_an_hour_of_rest_each_kind_seven_times() {
    let (before, next) = (told(Story::Switch), told(Story::Rotate));
    in_virtual_time(async {
        let world = World::at(&next.beginning).await;
        let mut controller = world.start(None);
        world.until(&mut controller, || difference(&before.end, &world.cloud.state())).await;
        // Until it thinks that nothing is left to do, and its pauses after the start are over.
        tokio::time::sleep(Duration::from_mins(1)).await;
        let start = Calls::of(controller.gate.calls());
        assert_eq!(start.writes, Vec::<String>::new());
        let kinds: std::collections::BTreeSet<_> = start.lists.iter().collect();
        assert_eq!((start.lists.len(), kinds.len()), (LISTS, LISTS), "{:#?}", start.lists);
        assert!(start.others.len() <= 8, "{start:#?}");
        // Groups of instances are listed each; those of endpoints only to verify them, one after the other.
        assert!(start.members <= 16, "{start:#?}");

        let began = controller.gate.calls().len();
        tokio::time::sleep(Duration::from_hours(1)).await;
        let rest = Calls::of(controller.gate.calls().split_off(began));
        assert_eq!(rest.writes, Vec::<String>::new());
        assert!(rest.lists.len() <= 7 * LISTS, "{:#?}", rest.lists);
        assert!(rest.lists.len() >= 5 * KINDS, "what others change is found: {:#?}", rest.lists);
        assert!(rest.others.is_empty(), "{:#?}", rest.others);
        // Once in ten minutes for each of at most a dozen backends that are well, once a minute for those that are not.
        assert!(rest.health > 0 && rest.health <= 12 * 60, "{}", rest.health);
        assert!(rest.members <= 120, "{}", rest.members);

        let late = controller.gate.calls().len();
        tokio::time::sleep(Duration::from_mins(10)).await;
        let late = Calls::of(controller.gate.calls().split_off(late));
        assert!(late.lists.len() <= 2 * LISTS && late.writes.is_empty(), "{late:#?}");
        controller.stop().await;
        world.end().await;
    });
}

#[test]
fn pages_are_asked_for_once_at_a_start_and_seven_times_in_an_hour() {
    // What others have under names like ours is listed with ours: two pages of health checks.
    const OTHERS: usize = 500;
    let (before, next) = (told(Story::Switch), told(Story::Rotate));
    in_virtual_time(async {
        let world = World::at(&next.beginning).await;
        world.cloud.settle_more_others(OTHERS).await;
        let end = world.cloud.state();
        assert_eq!(end.len(), before.end.len() + OTHERS);
        start_and_rest(&world, &end, LISTS + 1).await;
        world.end().await;
    });
}

/// So many that there are two pages of url maps, and two of forwarding rules.
const MANY: usize = 260;

#[test]
#[ignore = "long: 260 load balancers, and an hour of rest"]
fn with_many_load_balancers_a_start_and_an_hour_of_rest_cost_the_pages_that_there_are() {
    in_virtual_time(async {
        let world = World::new().await;
        setting(&world.api);
        for number in 0..MANY {
            put(&world.api, number, Services::Shared);
        }
        let mut controller = world.start(None);
        world.until(&mut controller, || world.unpublished()).await;
        controller.stop().await;
        let end = world.cloud.state();
        start_and_rest(&world, &end, LISTS + 2).await;
        world.end().await;
    });
}

/// A process starts where everything is as it should be, and rests for an hour.
async fn start_and_rest(world: &World, end: &State, pages: usize) {
    let mut controller = world.start(None);
    world.until(&mut controller, || difference(end, &world.cloud.state())).await;
    tokio::time::sleep(Duration::from_mins(1)).await;
    let start = Calls::of(controller.gate.calls());
    assert_eq!(start.writes, Vec::<String>::new());
    assert_eq!(start.lists.len(), pages, "{:#?}", start.lists);
    // As with one load balancer.
    assert!(start.others.len() <= 8, "{start:#?}");
    assert!(start.members <= 16, "{start:#?}");

    let began = controller.gate.calls().len();
    tokio::time::sleep(Duration::from_hours(1)).await;
    let rest = Calls::of(controller.gate.calls().split_off(began));
    assert_eq!(rest.writes, Vec::<String>::new());
    assert!(rest.lists.len() <= 7 * pages, "{:#?}", rest.lists);
    assert!(rest.lists.len() >= 5 * (pages - 1), "what others change is found: {:#?}", rest.lists);
    assert!(rest.others.is_empty(), "{:#?}", rest.others);
    assert!(rest.health > 0 && rest.health <= 12 * 60, "{}", rest.health);
    assert!(rest.members <= 120, "{}", rest.members);
    controller.stop().await;
}
