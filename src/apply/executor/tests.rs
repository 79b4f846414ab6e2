use std::sync::Arc;

use super::*;
use crate::cloud::fixture::{NoKeys, Scripted, change, create, id, not_as_planned, not_ready, transient};
use crate::model::{Endpoint, Kind};

/// A plan and everything that it is applied with.
struct Fixture {
    cloud: Arc<Scripted>,
    mirror: Mirror,
    setbacks: Setbacks,
    permit: Permit,
    pace: Pace,
    stop: CancellationToken,
}

impl Fixture {
    fn new() -> Self {
        Self {
            cloud: Arc::default(),
            mirror: Mirror::default(),
            setbacks: Setbacks::default(),
            permit: Permit::unlimited(),
            pace: Pace::default(),
            stop: CancellationToken::new(),
        }
    }

    async fn apply(&self, plan: &Plan) -> Outcome {
        let hands = Hands {
            cloud: &*self.cloud,
            mirror: &self.mirror,
            keys: &NoKeys,
            permit: &self.permit,
            setbacks: &self.setbacks,
        };
        apply(plan, &hands, &self.pace, &self.stop, |_| {}).await
    }

    /// Applies while `meanwhile` goes on.
    async fn apply_while(&self, plan: &Plan, meanwhile: impl Future<Output = ()>) -> Outcome {
        tokio::join!(self.apply(plan), meanwhile).0
    }

    /// Waits until the cloud has been asked for something.
    async fn asked(&self, what: &str) {
        while !self.cloud.asked().iter().any(|asked| asked == what) {
            tokio::task::yield_now().await;
        }
    }

    fn count(&self, what: &str) -> usize {
        self.cloud.asked().iter().filter(|asked| *asked == what).count()
    }
}

/// `a`, `b`, … and the edges between them, as pairs of places.
fn plan(changes: Vec<Change>, edges: &[(usize, usize)]) -> Plan {
    let mut plan = Plan::default();
    let at: Vec<_> = changes.into_iter().map(|change| plan.graph.add_node(change)).collect();
    for (from, to) in edges {
        plan.graph.add_edge(at[*from], at[*to], ());
    }
    plan
}

fn chain_of(names: &[&str]) -> Plan {
    let edges: Vec<_> = (1..names.len()).map(|at| (at - 1, at)).collect();
    plan(names.iter().map(|name| create(name)).collect(), &edges)
}

fn ending<'a>(outcome: &'a Outcome, name: &str) -> &'a Ending {
    &outcome.ended.iter().find(|ended| ended.id.name.as_str() == name).unwrap().result
}

#[tokio::test]
async fn a_change_waits_for_those_before_it_and_for_no_others() {
    let fixture = Fixture::new();
    fixture.cloud.hold("slow");
    let mut plan = chain_of(&["a", "b", "c"]);
    plan.graph.add_node(create("slow"));
    let outcome = fixture
        .apply_while(&plan, async {
            fixture.asked("end c").await;
            fixture.cloud.release("slow");
        })
        .await;
    assert!(outcome.is_done());
    let of_chain: Vec<_> =
        fixture.cloud.asked().into_iter().filter(|asked| !asked.contains("slow")).collect();
    assert_eq!(of_chain, ["begin a", "end a", "begin b", "end b", "begin c", "end c"]);
    assert_eq!(fixture.mirror.observed().graph.len(), 4, "all of it is written through");
}

#[tokio::test]
async fn a_change_is_begun_when_the_last_one_before_it_is_done() {
    let fixture = Fixture::new();
    fixture.cloud.hold("b");
    let plan = plan(vec![create("a"), create("b"), create("c")], &[(0, 2), (1, 2)]);
    let outcome = fixture
        .apply_while(&plan, async {
            fixture.asked("end a").await;
            assert_eq!(fixture.count("begin c"), 0);
            fixture.cloud.release("b");
        })
        .await;
    assert!(outcome.is_done());
    assert_eq!(fixture.cloud.asked().last().unwrap(), "end c");
}

#[tokio::test]
async fn only_so_many_are_under_way_at_a_time() {
    let mut fixture = Fixture::new();
    fixture.pace.concurrency = 3;
    let names: Vec<_> = ('a'..='j').map(|name| name.to_string()).collect();
    let outcome = fixture.apply(&plan(names.iter().map(|name| create(name)).collect(), &[])).await;
    assert!(outcome.is_done());
    let mut most = 0;
    let mut now = 0_usize;
    for asked in fixture.cloud.asked() {
        now = if asked.starts_with("begin") { now + 1 } else { now - 1 };
        most = most.max(now);
    }
    assert_eq!(most, 3);
}

#[tokio::test]
async fn one_resource_is_changed_by_one_call_at_a_time() {
    let fixture = Fixture::new();
    let group = id(Kind::NetworkEndpointGroup, "group");
    let endpoint = |port| Endpoint { instance: "n".to_owned(), address: [10, 0, 0, 1].into(), port };
    let changes = vec![
        change(group.clone(), Action::AttachEndpoints(vec![endpoint(1)])),
        change(group.clone(), Action::AttachEndpoints(vec![endpoint(2)])),
        change(group, Action::DetachEndpoints(vec![endpoint(3)])),
    ];
    assert!(fixture.apply(&plan(changes, &[])).await.is_done());
    assert_eq!(
        fixture.cloud.asked(),
        ["begin group", "end group", "begin group", "end group", "begin group", "end group"]
    );
}

#[tokio::test]
async fn what_serves_users_goes_first_and_what_is_no_longer_needed_last() {
    let mut fixture = Fixture::new();
    fixture.pace.concurrency = 1;
    let changes = vec![
        change(id(Kind::Address, "delete"), Action::Delete),
        create("create"),
        change(id(Kind::NetworkEndpointGroup, "members"), Action::AttachEndpoints(Vec::new())),
    ];
    assert!(fixture.apply(&plan(changes, &[])).await.is_done());
    let begun: Vec<_> =
        fixture.cloud.asked().into_iter().filter(|asked| asked.starts_with("begin")).collect();
    assert_eq!(begun, ["begin members", "begin create", "begin delete"]);
}

#[tokio::test]
async fn a_failure_blocks_what_waits_for_it_and_nothing_else() {
    let fixture = Fixture::new();
    fixture.cloud.fail("a", transient("a"));
    let mut plan = chain_of(&["a", "b", "c"]);
    plan.graph.add_node(create("other"));
    let outcome = fixture.apply(&plan).await;
    let Ending::Failed(failure) = ending(&outcome, "a") else { panic!("{outcome:?}") };
    assert_eq!((failure.message.as_str(), failure.next), ("change a: no answer", Next::Later));
    for blocked in ["b", "c"] {
        assert_eq!(ending(&outcome, blocked), &Ending::Blocked { by: id(Kind::Address, "a") });
    }
    assert_eq!(ending(&outcome, "other"), &Ending::Done);
    assert_eq!(fixture.count("begin b"), 0);
    assert_eq!(fixture.count("read a"), 1, "nobody knows how it ended, so it is looked at");
}

#[tokio::test]
async fn what_is_not_as_planned_is_read_again() {
    let fixture = Fixture::new();
    let there = crate::cloud::fixture::address("a");
    fixture.cloud.resources.lock().unwrap().insert(there.id.clone(), there.clone());
    fixture.cloud.fail("a", not_as_planned("a"));
    let outcome = fixture.apply(&chain_of(&["a"])).await;
    assert!(matches!(ending(&outcome, "a"), Ending::Failed(Failure { next: Next::LookAgain, .. })));
    assert!(fixture.mirror.observed().graph.contains(&there.id));
}

#[tokio::test]
async fn after_a_stop_nothing_is_begun_and_what_is_under_way_is_waited_for() {
    let fixture = Fixture::new();
    fixture.cloud.hold("a");
    let plan = chain_of(&["a", "b"]);
    let outcome = fixture
        .apply_while(&plan, async {
            fixture.asked("begin a").await;
            fixture.stop.cancel();
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            fixture.cloud.release("a");
        })
        .await;
    assert_eq!(ending(&outcome, "a"), &Ending::Done);
    assert_eq!(ending(&outcome, "b"), &Ending::Superseded);
    assert_eq!(fixture.count("begin b"), 0);
}

#[tokio::test(start_paused = true)]
async fn what_the_cloud_is_not_ready_for_is_tried_again_after_a_growing_pause() {
    let fixture = Fixture::new();
    for _ in 0..3 {
        fixture.cloud.fail("a", not_ready("a"));
    }
    let began = tokio::time::Instant::now();
    let outcome = fixture.apply(&chain_of(&["a", "b"])).await;
    assert!(outcome.is_done(), "{outcome:?}");
    assert_eq!(fixture.count("begin a"), 4);
    assert_eq!(began.elapsed(), Duration::from_millis(250 + 500 + 1000));
}

#[tokio::test(start_paused = true)]
async fn being_not_ready_for_too_long_is_a_failure() {
    let fixture = Fixture::new();
    for _ in 0..fixture.pace.tries_when_not_ready {
        fixture.cloud.fail("a", not_ready("a"));
    }
    let outcome = fixture.apply(&chain_of(&["a"])).await;
    assert!(matches!(ending(&outcome, "a"), Ending::Failed(Failure { next: Next::Later, .. })));
}

#[tokio::test(start_paused = true)]
async fn a_pause_ends_with_a_stop() {
    let fixture = Fixture::new();
    for _ in 0..5 {
        fixture.cloud.fail("a", not_ready("a"));
    }
    let outcome = fixture
        .apply_while(&chain_of(&["a"]), async {
            fixture.asked("end a").await;
            fixture.stop.cancel();
        })
        .await;
    assert_eq!(ending(&outcome, "a"), &Ending::Superseded);
    assert_eq!(fixture.count("begin a"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_failed_is_not_tried_again_before_its_pause_is_over() {
    let fixture = Fixture::new();
    fixture.cloud.fail("a", transient("a"));
    let plan = chain_of(&["a", "b"]);
    let first = fixture.apply(&plan).await;
    let second = fixture.apply(&plan).await;
    assert_eq!(ending(&first, "a"), ending(&second, "a"), "it is still said why");
    assert_eq!(fixture.count("begin a"), 1);
    assert_eq!(ending(&second, "b"), &Ending::Blocked { by: id(Kind::Address, "a") });

    tokio::time::sleep_until(fixture.setbacks.next_try().unwrap()).await;
    assert!(fixture.apply(&plan).await.is_done());
    assert!(fixture.setbacks.is_empty());
}

#[tokio::test(start_paused = true)]
async fn another_change_of_what_failed_is_tried_at_once() {
    let fixture = Fixture::new();
    fixture.cloud.fail("a", transient("a"));
    fixture.apply(&chain_of(&["a"])).await;
    let delete = plan(vec![change(id(Kind::Address, "a"), Action::Delete)], &[]);
    assert!(fixture.apply(&delete).await.is_done());
}

#[tokio::test(start_paused = true)]
async fn without_the_permit_nothing_is_begun() {
    let mut fixture = Fixture::new();
    let (grantor, permit) = Permit::granted();
    fixture.permit = permit;
    grantor.grant(tokio::time::Instant::now() + fixture.pace.longest_call / 2);
    let outcome = fixture.apply(&chain_of(&["a"])).await;
    assert_eq!(ending(&outcome, "a"), &Ending::Superseded);
    assert_eq!(fixture.cloud.asked(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn when_the_permit_ends_a_call_is_dropped_and_its_resource_is_doubtful() {
    let mut fixture = Fixture::new();
    let (grantor, permit) = Permit::granted();
    fixture.permit = permit;
    grantor.grant(tokio::time::Instant::now() + 2 * fixture.pace.longest_call);
    fixture.cloud.hold("a");
    let outcome = fixture.apply(&chain_of(&["a", "b"])).await;
    assert_eq!(ending(&outcome, "a"), &Ending::Superseded);
    assert_eq!(ending(&outcome, "b"), &Ending::Superseded);
    fixture.mirror.resolve_doubts(&*fixture.cloud).await.unwrap();
    assert_eq!(fixture.count("read a"), 1);
}
