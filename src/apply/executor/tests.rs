use std::time::Duration;

use tokio_util::task::AbortOnDropHandle;

use super::*;
use crate::apply::quota::{Belief, Calls};
use crate::apply::{Ending, Stage};
use crate::cloud::fixture::{
    NoKeys, Scripted, change, create, id, not_as_planned, not_ready, seen, transient,
};
use crate::model::{Endpoint, Entry, Facts, Kind};
use crate::plan::Action;

/// Runs it, as long as it does not go round and round with nothing to do.
async fn calmly(running: impl Future<Output = ()>) {
    const FAR_TOO_OFTEN: usize = 10_000;
    let mut running = std::pin::pin!(running);
    let mut polls = 0;
    std::future::poll_fn(|context| {
        polls += 1;
        assert!(polls < FAR_TOO_OFTEN, "it goes round and round");
        running.as_mut().poll(context)
    })
    .await;
}

/// An executor that runs, and everything that it works with.
struct Fixture {
    cloud: Arc<Scripted>,
    mirror: Arc<Mirror>,
    executor: Arc<Executor<Scripted, NoKeys>>,
    stop: CancellationToken,
    running: AbortOnDropHandle<()>,
}

impl Fixture {
    fn new() -> Self {
        Self::with(Pace::default(), Permit::unlimited(), Quota::unlimited())
    }

    fn with(pace: Pace, permit: Permit, quota: Quota) -> Self {
        let cloud: Arc<Scripted> = Arc::default();
        let mirror: Arc<Mirror> = Arc::default();
        let hands = Hands {
            cloud: Arc::clone(&cloud),
            mirror: Arc::clone(&mirror),
            keys: Arc::new(NoKeys),
            permit,
            quota,
            metrics: Arc::default(),
        };
        let executor = Arc::new(Executor::new(hands, pace));
        let stop = CancellationToken::new();
        let running = tokio::spawn(calmly(Arc::clone(&executor).run(stop.clone())));
        let running = AbortOnDropHandle::new(running);
        Self { cloud, mirror, executor, stop, running }
    }

    fn take(&self, plan: &Plan) {
        self.executor.looking();
        self.executor.take(plan);
    }

    /// Waits until nothing more will happen, planning again as the loop would: what is left of `plan`. Yields every ending.
    async fn rest(&self) -> Vec<Ended> {
        let mut ended = Vec::new();
        while !self.executor.is_at_rest() {
            tokio::select! {
                one = self.executor.next() => ended.push(one),
                () = self.executor.wants_plan() => return ended,
            }
        }
        ended
    }

    /// Applies until there is nothing left to do or to be said.
    async fn apply(&self, plan: &Plan) -> Vec<Ended> {
        self.take(plan);
        let mut ended = self.rest().await;
        ended.extend(std::iter::from_fn(|| self.executor.try_next()));
        ended
    }

    /// Waits until the cloud has been asked for something.
    async fn asked(&self, what: &str) {
        while !self.cloud.asked().iter().any(|asked| asked == what) {
            tokio::task::yield_now().await;
        }
    }

    /// Lets everything that can go on do so.
    async fn calm(&self) {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }

    fn count(&self, what: &str) -> usize {
        self.cloud.asked().iter().filter(|asked| *asked == what).count()
    }

    fn begun(&self) -> Vec<String> {
        let asked = self.cloud.asked();
        asked.iter().filter_map(|asked| asked.strip_prefix("begin ")).map(str::to_owned).collect()
    }

    fn stage(&self, name: &str) -> Stage {
        let (tasks, _) = self.executor.progress();
        tasks.into_iter().find(|task| task.id.name.as_str() == name).unwrap().stage
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

fn delete(name: &str) -> Change {
    change(id(Kind::Address, name), Action::Delete)
}

fn ending<'a>(ended: &'a [Ended], name: &str) -> &'a Ending {
    &ended.iter().find(|ended| ended.id.name.as_str() == name).unwrap().result
}

fn all_done(ended: &[Ended]) -> bool {
    ended.iter().all(|ended| ended.result == Ending::Done)
}

fn attach(port: u16) -> Change {
    let endpoint = Endpoint { instance: "n".to_owned(), address: [10, 0, 0, 1].into(), port };
    change(id(Kind::NetworkEndpointGroup, "group"), Action::AttachEndpoints(vec![endpoint]))
}

#[tokio::test(start_paused = true)]
async fn a_change_waits_for_those_before_it_and_for_no_others() {
    let fixture = Fixture::new();
    fixture.cloud.hold("slow");
    let mut plan = chain_of(&["a", "b", "c"]);
    plan.graph.add_node(create("slow"));
    fixture.take(&plan);
    fixture.asked("end c").await;
    fixture.cloud.release("slow");
    let ended = fixture.rest().await;
    assert!(all_done(&ended));
    let of_chain: Vec<_> =
        fixture.cloud.asked().into_iter().filter(|asked| !asked.contains("slow")).collect();
    assert_eq!(of_chain, ["begin a", "end a", "begin b", "end b", "begin c", "end c"]);
    assert_eq!(fixture.mirror.observed().graph.len(), 4, "all of it is written through");
}

#[tokio::test(start_paused = true)]
async fn only_so_many_are_under_way_at_a_time() {
    let pace = Pace { concurrency: 3, ..Pace::default() };
    let fixture = Fixture::with(pace, Permit::unlimited(), Quota::unlimited());
    let names: Vec<_> = ('a'..='j').map(|name| name.to_string()).collect();
    let ended = fixture.apply(&plan(names.iter().map(|name| create(name)).collect(), &[])).await;
    assert!(all_done(&ended));
    let (mut most, mut now) = (0, 0_usize);
    for asked in fixture.cloud.asked() {
        now = if asked.starts_with("begin") { now + 1 } else { now - 1 };
        most = most.max(now);
    }
    assert_eq!(most, 3);
}

#[tokio::test(start_paused = true)]
async fn one_resource_is_changed_by_one_call_at_a_time() {
    let fixture = Fixture::new();
    assert!(all_done(&fixture.apply(&plan(vec![attach(1), attach(2), attach(3)], &[])).await));
    assert_eq!(
        fixture.cloud.asked(),
        ["begin group", "end group", "begin group", "end group", "begin group", "end group"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_blocks_what_waits_for_it_and_nothing_else() {
    let fixture = Fixture::new();
    fixture.cloud.fail("a", transient("a"));
    let mut plan = chain_of(&["a", "b", "c"]);
    plan.graph.add_node(create("other"));
    let mut ended = fixture.apply(&plan).await;
    fixture.calm().await;
    ended.extend(std::iter::from_fn(|| fixture.executor.try_next()));
    let Ending::Failed(failure) = ending(&ended, "a") else { panic!("{ended:?}") };
    assert_eq!((failure.message.as_str(), failure.next), ("change a: no answer", Next::Later));
    assert_eq!(ending(&ended, "other"), &Ending::Done);
    let unfinished = fixture.executor.unfinished();
    for blocked in ["b", "c"] {
        let by = id(Kind::Address, "a");
        assert_eq!(unfinished[&id(Kind::Address, blocked)], Ending::Blocked { by });
    }
    assert_eq!(fixture.count("begin b"), 0);
    assert_eq!(fixture.count("read a"), 1, "nobody knows how it ended, so it is looked at");
    assert!(!fixture.executor.plan_holds(), "a plan by what was read is asked for");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_as_planned_is_read_again() {
    let fixture = Fixture::new();
    let there = crate::cloud::fixture::address("a");
    fixture.cloud.resources.lock().unwrap().insert(there.id.clone(), there.clone());
    fixture.cloud.fail("a", not_as_planned("a"));
    fixture.take(&chain_of(&["a"]));
    let ended = [fixture.executor.next().await];
    assert!(matches!(ending(&ended, "a"), Ending::Failed(Failure { next: Next::LookAgain, .. })));
    assert!(fixture.mirror.observed().graph.contains(&there.id));
}

#[tokio::test(start_paused = true)]
async fn what_failed_is_tried_again_by_itself_when_its_pause_is_over() {
    let fixture = Fixture::new();
    fixture.cloud.fail("a", transient("a"));
    let plan = chain_of(&["a", "b"]);
    fixture.apply(&plan).await;
    let next_try = fixture.executor.next_try().expect("it has a time");
    fixture.take(&plan);
    fixture.calm().await;
    assert_eq!(fixture.count("begin a"), 1);
    assert!(fixture.executor.is_at_rest());
    let unfinished = fixture.executor.unfinished();
    assert!(matches!(unfinished[&id(Kind::Address, "a")], Ending::Failed(_)), "it is still said why");
    assert!(matches!(fixture.stage("a"), Stage::SetBack { .. }));
    assert_eq!(fixture.stage("b"), Stage::After(id(Kind::Address, "a")));
    tokio::time::sleep_until(next_try).await;
    fixture.asked("end b").await;
    assert_eq!((fixture.count("begin a"), fixture.executor.next_try()), (2, None));
}

#[tokio::test(start_paused = true)]
async fn another_change_of_what_failed_is_tried_at_once() {
    let fixture = Fixture::new();
    fixture.cloud.fail("a", transient("a"));
    fixture.apply(&chain_of(&["a"])).await;
    let began = Instant::now();
    fixture.take(&plan(vec![delete("a")], &[]));
    assert!(all_done(&[fixture.executor.next().await]));
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn what_the_cloud_is_not_ready_for_is_tried_again_after_a_growing_pause_and_holds_no_place() {
    let pace = Pace { concurrency: 1, ..Pace::default() };
    let fixture = Fixture::with(pace, Permit::unlimited(), Quota::unlimited());
    for _ in 0..3 {
        fixture.cloud.fail("a", not_ready("a"));
    }
    let mut plan = chain_of(&["a", "b"]);
    plan.graph.add_node(create("other"));
    let began = Instant::now();
    fixture.take(&plan);
    fixture.asked("end other").await;
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert!(all_done(&fixture.rest().await));
    assert_eq!(fixture.count("begin a"), 4);
    assert_eq!(began.elapsed(), Duration::from_millis(250 + 500 + 1000));
}

#[tokio::test(start_paused = true)]
async fn being_not_ready_for_too_long_is_a_failure() {
    let fixture = Fixture::new();
    for _ in 0..Pace::default().tries_when_not_ready {
        fixture.cloud.fail("a", not_ready("a"));
    }
    fixture.take(&chain_of(&["a"]));
    let ended = [fixture.executor.next().await];
    assert!(matches!(ending(&ended, "a"), Ending::Failed(Failure { next: Next::Later, .. })));
}

#[tokio::test(start_paused = true)]
async fn after_a_stop_nothing_is_begun_and_what_is_under_way_is_waited_for() {
    let fixture = Fixture::new();
    fixture.cloud.hold("a");
    fixture.take(&chain_of(&["a", "b"]));
    fixture.asked("begin a").await;
    fixture.stop.cancel();
    fixture.calm().await;
    assert!(!fixture.running.is_finished());
    fixture.cloud.release("a");
    fixture.running.await.unwrap();
    assert!(all_done(&[fixture.executor.try_next().unwrap()]));
    assert_eq!(fixture.cloud.asked(), ["begin a", "end a"]);
}

/// What is not begun yet when something fails goes on all the same, as soon as its own turn comes.
#[tokio::test(start_paused = true)]
async fn what_comes_later_does_not_wait_for_what_has_failed() {
    let fixture = Fixture::new();
    fixture.cloud.fail("bad", transient("bad"));
    fixture.cloud.hold("a");
    fixture.take(&plan(vec![create("bad"), create("a"), create("b")], &[(1, 2)]));
    fixture.asked("begin a").await;
    let ended = fixture.executor.next().await;
    assert!(matches!(ended.result, Ending::Failed(_)), "{ended:?}");
    fixture.cloud.release("a");
    fixture.calm().await;
    assert_eq!(fixture.begun(), ["bad", "a", "b"]);
}

/// Neither could it be waited for, nor was anything answered for a while after that.
#[tokio::test(start_paused = true)]
async fn what_is_being_made_is_not_taken_for_absent_when_it_could_not_be_waited_for() {
    let fixture = Fixture::new();
    let change = create("a");
    fixture.cloud.hold("a");
    fixture.take(&chain_of(&["a"]));
    fixture.asked("begin a").await;
    fixture.cloud.fail("a", transient("a"));
    fixture.cloud.found.lock().unwrap().push(Found { id: change.id.clone(), operation: "op".to_owned() });
    *fixture.cloud.blind.lock().unwrap() = true;
    fixture.cloud.release("a");
    tokio::time::sleep(Duration::from_secs(5)).await;
    *fixture.cloud.blind.lock().unwrap() = false;
    while fixture.count("see out a") == 0 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(fixture.count("read a"), 0, "it is not looked at before it has ended");
    let Action::Create(node) = change.action else { panic!("{change:?}") };
    let made = seen(&change.id, Entry { mark: change.mark, node }, Facts::default());
    fixture.cloud.resources.lock().unwrap().insert(change.id.clone(), made);
    fixture.cloud.release("a");
    let ended = fixture.executor.next().await;
    assert!(matches!(ended.result, Ending::Failed(_)), "{ended:?}");
    assert!(fixture.mirror.observed().graph.contains(&change.id));
}

/// Time stands still here while anybody is busy.
#[tokio::test(start_paused = true)]
async fn what_becomes_due_after_a_stop_keeps_nobody_busy() {
    let fixture = Fixture::new();
    fixture.cloud.hold("a");
    fixture.cloud.fail("b", not_ready("b"));
    let mut plan = chain_of(&["a"]);
    plan.graph.add_node(create("b"));
    fixture.take(&plan);
    fixture.asked("begin b").await;
    fixture.calm().await;
    fixture.stop.cancel();
    tokio::time::sleep(Duration::from_mins(1)).await;
    fixture.cloud.release("a");
    fixture.running.await.unwrap();
    assert_eq!(fixture.cloud.asked().iter().filter(|asked| *asked == "begin b").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_the_permit_nothing_is_begun_and_with_it_all_is() {
    let (grantor, permit) = Permit::granted();
    let pace = Pace::default();
    grantor.grant(Instant::now() + pace.longest_call / 2);
    let fixture = Fixture::with(pace, permit, Quota::unlimited());
    fixture.take(&chain_of(&["a"]));
    fixture.calm().await;
    assert_eq!(fixture.cloud.asked(), Vec::<String>::new());
    grantor.grant(Instant::now() + 2 * pace.longest_call);
    assert!(all_done(&[fixture.executor.next().await]));
}

#[tokio::test(start_paused = true)]
async fn when_the_permit_ends_a_call_is_dropped_and_its_resource_is_doubtful() {
    let (grantor, permit) = Permit::granted();
    let pace = Pace::default();
    grantor.grant(Instant::now() + 2 * pace.longest_call);
    let fixture = Fixture::with(pace, permit, Quota::unlimited());
    fixture.cloud.hold("a");
    fixture.take(&chain_of(&["a", "b"]));
    assert_eq!(fixture.executor.next().await.result, Ending::Superseded);
    fixture.mirror.resolve_doubts(&*fixture.cloud).await.unwrap();
    assert_eq!((fixture.count("read a"), fixture.count("begin b")), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_change_of_the_new_plan_that_is_under_way_is_that_one() {
    let fixture = Fixture::new();
    fixture.cloud.hold("a");
    fixture.take(&chain_of(&["a", "b"]));
    fixture.asked("begin a").await;
    fixture.take(&chain_of(&["a", "c"]));
    fixture.calm().await;
    fixture.cloud.release("a");
    assert!(all_done(&fixture.rest().await));
    assert_eq!(fixture.begun(), ["a", "c"], "made once, and what is behind it in the newest plan follows");
}

#[tokio::test(start_paused = true)]
async fn what_was_done_while_the_plan_was_made_is_not_done_again() {
    let fixture = Fixture::new();
    fixture.take(&chain_of(&["a"]));
    fixture.executor.looking();
    assert_eq!(fixture.executor.next().await.result, Ending::Done);
    // By what was seen before.
    fixture.executor.take(&chain_of(&["a", "b"]));
    assert!(all_done(&fixture.rest().await));
    assert_eq!(fixture.begun(), ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn another_change_of_what_is_under_way_waits_for_the_next_plan() {
    let fixture = Fixture::new();
    fixture.cloud.hold("a");
    fixture.take(&chain_of(&["a"]));
    fixture.asked("begin a").await;
    fixture.take(&plan(vec![delete("a"), create("b")], &[]));
    fixture.asked("end b").await;
    let behind = id(Kind::Address, "a");
    let stages: Vec<Stage> = fixture
        .executor
        .progress()
        .0
        .into_iter()
        .filter(|task| task.id == behind)
        .map(|task| task.stage)
        .collect();
    assert!(matches!(&stages[..], [Stage::UnderWay { .. }, Stage::Undecided { .. }]), "{stages:?}");
    assert!(fixture.executor.plan_holds());
    fixture.cloud.release("a");
    fixture.executor.wants_plan().await;
    fixture.calm().await;
    assert_eq!(fixture.begun(), ["a", "b"], "how it ended was not known when the deletion was decided");
    let endings: Vec<_> = std::iter::from_fn(|| fixture.executor.try_next()).collect();
    assert!(
        endings.iter().any(|ended| ended.id == behind),
        "its end is told, though no plan has it any more"
    );
    fixture.cloud.release("a");
    fixture.take(&plan(vec![delete("a")], &[]));
    assert!(all_done(&fixture.rest().await));
}

#[tokio::test(start_paused = true)]
async fn what_a_change_under_way_refers_to_is_not_deleted() {
    use crate::model::{Graph, Resource as _, TargetHttpProxy, UrlMap};
    let fixture = Fixture::new();
    fixture.cloud.hold("proxy");
    let map = id(Kind::UrlMap, "map");
    let url_map = Graph::default().foreign::<UrlMap>(map.scope.clone(), map.name.clone());
    let proxy = TargetHttpProxy { url_map }.into_node();
    let proxy = change(id(Kind::TargetHttpProxy, "proxy"), Action::Create(proxy));
    fixture.take(&plan(vec![proxy], &[]));
    fixture.asked("begin proxy").await;
    // The proxy is not wanted any more, nor is the map.
    fixture.take(&plan(vec![change(map, Action::Delete), delete("other")], &[]));
    fixture.asked("end other").await;
    fixture.cloud.release("proxy");
    fixture.executor.wants_plan().await;
    assert_eq!(fixture.begun(), ["proxy", "other"]);
}

#[tokio::test(start_paused = true)]
async fn members_by_the_short_path_take_the_place_of_older_ones() {
    let fixture = Fixture::new();
    fixture.cloud.hold("group");
    fixture.take(&plan(vec![create("a")], &[]));
    let group = id(Kind::NetworkEndpointGroup, "group");
    fixture.executor.take_members(&group, vec![attach(1), attach(2)]);
    fixture.asked("begin group").await;
    // The first is under way and the same; the second has not begun.
    fixture.executor.take_members(&group, vec![attach(1), attach(3)]);
    for _ in 0..2 {
        fixture.cloud.release("group");
        fixture.calm().await;
    }
    let ended: Vec<_> = std::iter::from_fn(|| fixture.executor.try_next()).collect();
    assert_eq!(ended.iter().filter(|ended| ended.id == group).count(), 2);
    assert!(fixture.executor.is_at_rest());
    assert_eq!(fixture.count("begin group"), 2);
}

#[tokio::test(start_paused = true)]
async fn an_operation_from_before_keeps_its_resource_busy_and_is_read_when_it_ends() {
    let fixture = Fixture::new();
    fixture.cloud.hold("a");
    let found = Found { id: id(Kind::Address, "a"), operation: "operation-1".to_owned() };
    fixture.executor.found(vec![found]);
    fixture.take(&plan(vec![create("a"), create("b"), delete("c")], &[]));
    fixture.asked("end b").await;
    fixture.calm().await;
    assert_eq!(fixture.begun(), ["b"], "what it will refer to is not known, so nothing is deleted");
    let there = crate::cloud::fixture::address("a");
    fixture.cloud.resources.lock().unwrap().insert(there.id.clone(), there.clone());
    fixture.cloud.release("a");
    fixture.executor.wants_plan().await;
    assert_eq!(fixture.count("read a"), 1);
    assert!(fixture.mirror.observed().graph.contains(&there.id), "the next plan knows that it is there");
}

#[tokio::test(start_paused = true)]
async fn a_call_too_many_is_no_failure_and_says_until_when_it_waits() {
    let beliefs = [Belief { calls: Calls::Mutations, per_minute: 1 }];
    let quota = Quota::starting(&beliefs, Instant::now());
    let fixture = Fixture::with(Pace::default(), Permit::unlimited(), quota);
    let throttled = CloudError::Throttled {
        doing: "create",
        what: "a".to_owned(),
        retry_after: None,
        source: "403".into(),
    };
    fixture.cloud.fail("a", throttled);
    fixture.take(&plan(vec![create("a"), create("b"), create("c")], &[]));
    let mut ended = Vec::new();
    while ended.len() < 3 {
        ended.push(fixture.executor.next().await);
    }
    assert!(all_done(&ended), "{ended:?}");
    assert_eq!(fixture.count("begin a"), 2);
    assert_eq!(fixture.executor.next_try(), None, "it is not set back");
}
