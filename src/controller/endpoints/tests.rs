use std::collections::BTreeSet;

use super::*;
use crate::cloud::Listing;
use crate::cloud::fixture::{NoKeys, Scripted, id as id_of, mark, seen};
use crate::cloud::mirror::Began;
use crate::model::{Endpoint, Entry, Facts, Kind, NetworkEndpointGroup, Resource as _};
use crate::plan::MEMBERS_PER_CALL;

fn endpoint(n: usize) -> Endpoint {
    let [.., high, low] = n.to_be_bytes();
    Endpoint { instance: "node-1".to_owned(), address: [10, 0, high, low].into(), port: 8080 }
}

fn endpoints(numbers: impl IntoIterator<Item = usize>) -> BTreeSet<Endpoint> {
    numbers.into_iter().map(endpoint).collect()
}

fn group() -> ResourceId {
    id_of(Kind::NetworkEndpointGroup, "neg-web")
}

/// Notes what it is given.
#[derive(Default)]
struct Noted(Mutex<Vec<Change>>);

impl Hand for Noted {
    fn take_members(&self, _: &ResourceId, changes: Vec<Change>) {
        self.0.lock().unwrap().extend(changes);
    }
}

/// A group with these members, in a cloud and in the mirror of it.
struct World {
    cloud: Scripted,
    mirror: Mirror,
    path: Endpoints,
    hand: Noted,
    calls: usize,
}

impl World {
    fn new(members: Members) -> Self {
        let node = NetworkEndpointGroup { network: "default".into(), subnetwork: "default".into(), members };
        let there = seen(&group(), Entry { mark: mark(), node: node.into_node() }, Facts::default());
        let cloud = Scripted::default();
        cloud.resources.lock().unwrap().insert(group(), there.clone());
        let mirror = Mirror::default();
        let listing = Listing { seen: vec![there], unknown: [].into() };
        mirror.take_in(Kind::NetworkEndpointGroup, Began::now(), listing);
        Self { cloud, mirror, path: Endpoints::default(), hand: Noted::default(), calls: 0 }
    }

    fn want(&self, members: BTreeSet<Endpoint>, unready: BTreeSet<Endpoint>) {
        let groups = [(group(), (mark(), Wanted { members, unready }))].into();
        self.path.take(Churn { groups, needs_translation: false });
        self.path.go_on(&self.mirror, &self.hand);
    }

    /// Makes the call that was handed on; `None` where there is none.
    async fn call(&mut self) -> Option<Change> {
        let change = self.hand.0.lock().unwrap().pop()?;
        assert!(self.hand.0.lock().unwrap().is_empty(), "one call at a time for a group");
        let executed = self.cloud.execute(&change, &NoKeys).await.unwrap();
        self.mirror.wrote(&change, executed);
        self.calls += 1;
        self.path.ended(&ended(&change, Ending::Done));
        self.path.go_on(&self.mirror, &self.hand);
        Some(change)
    }

    async fn finish(&mut self) {
        while self.call().await.is_some() {}
    }

    fn members(&self) -> BTreeSet<Endpoint> {
        let observed = self.mirror.observed();
        let (_, _, group) = observed.graph.of::<NetworkEndpointGroup>().next().unwrap();
        group.members.known().unwrap().clone()
    }

    async fn asks_for_the_long_path(&self) -> bool {
        tokio::time::timeout(Duration::ZERO, self.path.need_long_path()).await.is_ok()
    }
}

fn ended(change: &Change, result: Ending) -> Ended {
    Ended { id: change.id.clone(), holder: change.mark.holder.clone(), what: String::new(), result }
}

fn joined(change: &Change) -> &[Endpoint] {
    match &change.action {
        Action::AttachEndpoints(joined) => joined,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn ten_thousand_join_with_the_fewest_calls_ready_ones_first() {
    let mut world = World::new(Members::nobody());
    let unready = endpoints(0..400);
    world.want(endpoints(0..10_000), unready.clone());
    let first = world.call().await.unwrap();
    assert_eq!(joined(&first).len(), MEMBERS_PER_CALL);
    assert!(joined(&first).iter().all(|endpoint| !unready.contains(endpoint)));
    world.finish().await;
    assert_eq!(world.calls, 10_000 / MEMBERS_PER_CALL);
    assert_eq!(world.members(), endpoints(0..10_000));
    assert!(!world.asks_for_the_long_path().await);
}

/// 10,000 pods are replaced, a hundred in each window, while each call takes as long as four windows.
#[tokio::test]
async fn a_rolling_replacement_makes_about_as_few_calls_as_there_can_be() {
    let mut world = World::new(endpoints(0..10_000).into());
    for step in 1..=100 {
        world.want(endpoints(step * 100..10_000 + step * 100), [].into());
        if step % 4 == 0 {
            world.call().await;
        }
    }
    world.finish().await;
    assert_eq!(world.members(), endpoints(10_000..20_000));
    // Each of 10,000 joins and each of 10,000 leaves, 500 in a call: 40. A call that cannot wait to be full may be made beside.
    assert!((40..=50).contains(&world.calls), "{} calls", world.calls);
}

#[tokio::test]
async fn who_comes_back_before_a_call_was_made_makes_none() {
    let mut world = World::new(endpoints(0..3).into());
    world.path.take(Churn {
        groups: [(group(), (mark(), Wanted { members: endpoints(0..2), unready: [].into() }))].into(),
        needs_translation: false,
    });
    world.want(endpoints(0..3), [].into());
    world.finish().await;
    assert_eq!(world.calls, 0);
}

#[tokio::test]
async fn what_changes_during_a_call_is_in_the_next() {
    let mut world = World::new(endpoints(0..2).into());
    world.want(endpoints(0..3), [].into());
    // The pod that is joining goes already, and another comes.
    world.want(endpoints([0, 1, 3]), [].into());
    world.finish().await;
    assert_eq!(world.members(), endpoints([0, 1, 3]));
    assert_eq!(world.calls, 3);
}

#[tokio::test]
async fn those_who_leave_do_not_wait_for_a_thousand_that_join() {
    let mut world = World::new(endpoints(0..10).into());
    world.want(endpoints(5..2005), [].into());
    assert!(matches!(world.call().await.unwrap().action, Action::AttachEndpoints(_)));
    assert!(matches!(world.call().await.unwrap().action, Action::DetachEndpoints(_)));
    world.finish().await;
    assert_eq!(world.members(), endpoints(5..2005));
}

#[tokio::test]
async fn what_is_not_known_or_not_there_or_failed_is_for_the_long_path() {
    let unknown = World::new(Members::Unlisted(crate::model::Unlisted { size: Some(2), believed: None }));
    unknown.want(endpoints(0..3), [].into());
    assert!(unknown.asks_for_the_long_path().await);
    assert!(unknown.hand.0.lock().unwrap().is_empty());

    let gone = World::new(Members::nobody());
    gone.mirror.wrote(&crate::cloud::fixture::change(group(), Action::Delete), crate::cloud::Executed::Gone);
    gone.want(endpoints(0..3), [].into());
    assert!(gone.asks_for_the_long_path().await);

    let failing = World::new(Members::nobody());
    failing.want(endpoints(0..3), [].into());
    let change = failing.hand.0.lock().unwrap().pop().unwrap();
    failing.path.ended(&ended(&change, Ending::Superseded));
    assert!(failing.asks_for_the_long_path().await);
    failing.path.go_on(&failing.mirror, &failing.hand);
    assert!(failing.hand.0.lock().unwrap().is_empty(), "it is not tried again here");
}

#[tokio::test]
async fn what_the_long_path_has_looked_at_is_its_business() {
    let world = World::new(Members::nobody());
    world.path.take(Churn {
        groups: [(group(), (mark(), Wanted { members: endpoints(0..2), unready: [].into() }))].into(),
        needs_translation: true,
    });
    assert!(world.asks_for_the_long_path().await);
    world.path.looking();
    world.path.go_on(&world.mirror, &world.hand);
    assert!(world.hand.0.lock().unwrap().is_empty());
}
