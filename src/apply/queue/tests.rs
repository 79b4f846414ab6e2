//! Random plans that take each other's place at random moments, with random endings: what must never happen, and what must in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use petgraph::graph::NodeIndex;
use proptest::prelude::*;

use super::*;
use crate::apply::Next;
use crate::cloud::fixture::{change, id};
use crate::model::{Address, Graph, Kind, Node, Resource as _, TargetHttpProxy, UrlMap};
use crate::plan::Verb;

/// Proxies by number, each with the number of the url map that it points at. What exists, or what is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct World {
    maps: BTreeSet<u8>,
    proxies: BTreeMap<u8, u8>,
}

fn map_id(map: u8) -> ResourceId {
    id(Kind::UrlMap, &format!("map-{map}"))
}

fn proxy_id(proxy: u8) -> ResourceId {
    id(Kind::TargetHttpProxy, &format!("proxy-{proxy}"))
}

fn number(id: &ResourceId) -> u8 {
    id.name.as_str().rsplit_once('-').unwrap().1.parse().unwrap()
}

fn proxy_to(map: u8) -> Node {
    let at = map_id(map);
    TargetHttpProxy { url_map: Graph::default().foreign::<UrlMap>(at.scope, at.name) }.into_node()
}

impl World {
    fn wanted(proxies: BTreeMap<u8, u8>) -> Self {
        Self { maps: proxies.values().copied().collect(), proxies }
    }

    /// Make before break, as plans are.
    fn plan_to(&self, wanted: &Self) -> Plan {
        let mut plan = Plan::default();
        let mut made: BTreeMap<u8, NodeIndex> = BTreeMap::new();
        for map in wanted.maps.difference(&self.maps) {
            // What it is does not matter to the queue, but what it refers to: nothing.
            let create = Action::Create(Node::Address(Address {}));
            made.insert(*map, plan.graph.add_node(change(map_id(*map), create)));
        }
        let mut leaves: Vec<(u8, NodeIndex)> = Vec::new();
        for (proxy, map) in &wanted.proxies {
            let action = match self.proxies.get(proxy) {
                Some(now) if now == map => continue,
                Some(_) => Action::Update { verb: Verb::SetUrlMap, to: proxy_to(*map), fields: Vec::new() },
                None => Action::Create(proxy_to(*map)),
            };
            let at = plan.graph.add_node(change(proxy_id(*proxy), action));
            made.get(map).map(|made| plan.graph.add_edge(*made, at, ()));
            leaves.extend(self.proxies.get(proxy).map(|left| (*left, at)));
        }
        for (proxy, map) in self.proxies.iter().filter(|(proxy, _)| !wanted.proxies.contains_key(proxy)) {
            leaves.push((*map, plan.graph.add_node(change(proxy_id(*proxy), Action::Delete))));
        }
        for map in self.maps.difference(&wanted.maps) {
            let delete = plan.graph.add_node(change(map_id(*map), Action::Delete));
            for (_, leaves) in leaves.iter().filter(|(left, _)| left == map) {
                plan.graph.add_edge(*leaves, delete, ());
            }
        }
        plan
    }

    fn target(action: &Action) -> Option<u8> {
        action.references().first().map(|at| number(at))
    }

    fn done(&mut self, change: &Change) {
        let number = number(&change.id);
        match (change.id.kind, &change.action) {
            (Kind::UrlMap, Action::Delete) => drop(self.maps.remove(&number)),
            (Kind::UrlMap, _) => drop(self.maps.insert(number)),
            (_, Action::Delete) => drop(self.proxies.remove(&number)),
            (_, action) => drop(self.proxies.insert(number, Self::target(action).unwrap())),
        }
    }

    /// Whether the cloud would let this begin beside what is under way.
    fn check(&self, change: &Change, under_way: &BTreeMap<ResourceId, Arc<Change>>) {
        assert!(!under_way.contains_key(&change.id), "two changes of {} at once", change.id);
        let name = number(&change.id);
        let exists = match change.id.kind {
            Kind::UrlMap => self.maps.contains(&name),
            _ => self.proxies.contains_key(&name),
        };
        let creates = matches!(change.action, Action::Create(_));
        assert_ne!(creates, exists, "{:?} of {}", change.action, change.id);
        if let Some(target) = Self::target(&change.action) {
            assert!(self.maps.contains(&target), "{} begins before map {target} is there", change.id);
            let deleted = under_way.get(&map_id(target)).is_some_and(|other| other.action == Action::Delete);
            assert!(!deleted, "{} would point at map {target}, which is being deleted", change.id);
        }
        if change.id.kind == Kind::UrlMap && change.action == Action::Delete {
            assert!(!self.proxies.values().any(|at| *at == name), "map {name} is in use");
            let to_be = under_way.values().any(|other| Self::target(&other.action) == Some(name));
            assert!(!to_be, "map {name} is about to be in use");
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// Something else is wanted; so many changes end between the look at the cloud and the plan.
    Plan(BTreeMap<u8, u8>, usize),
    Begin(usize),
    End(usize, Fate),
    Wait(u64),
}

#[derive(Debug, Clone, Copy)]
enum Fate {
    Done,
    NotReady,
    Throttled,
    Failed,
    /// It failed as far as we know, but the cloud did it.
    DoneUnheard,
}

fn step() -> impl Strategy<Value = Step> {
    let wanted = proptest::collection::btree_map(0..5_u8, 0..4_u8, 0..5);
    let fate = prop_oneof![
        6 => Just(Fate::Done),
        1 => Just(Fate::NotReady),
        1 => Just(Fate::Throttled),
        1 => Just(Fate::Failed),
        1 => Just(Fate::DoneUnheard),
    ];
    prop_oneof![
        2 => (wanted, 0..3_usize).prop_map(|(wanted, between)| Step::Plan(wanted, between)),
        4 => (1..4_usize).prop_map(Step::Begin),
        5 => (0..8_usize, fate).prop_map(|(which, fate)| Step::End(which, fate)),
        1 => (0..3000_u64).prop_map(Step::Wait),
    ]
}

struct Story {
    queue: Queue,
    world: World,
    wanted: World,
    under_way: BTreeMap<ResourceId, Arc<Change>>,
    now: Instant,
}

impl Story {
    fn plan(&mut self, ends_between: usize) {
        self.queue.mark();
        // What was written through is what is seen.
        let plan = self.world.plan_to(&self.wanted);
        for _ in 0..ends_between {
            self.end(0, Fate::Done);
        }
        self.queue.take(&plan, self.now);
    }

    fn begin(&mut self) -> bool {
        let Some(begin) = self.queue.begin(self.now, |_| Admitted::Now(())) else { return false };
        self.world.check(&begin.change, &self.under_way);
        self.under_way.insert(begin.change.id.clone(), begin.change);
        true
    }

    fn end(&mut self, which: usize, fate: Fate) {
        let Some(id) = self.under_way.keys().nth(which % self.under_way.len().max(1)).cloned() else {
            return;
        };
        let change = self.under_way.remove(&id).unwrap();
        let failed = || Back::Failed(Failure { message: "no".to_owned(), next: Next::Later });
        let back = match fate {
            Fate::Done => Back::Done,
            Fate::NotReady => Back::NotReady,
            Fate::Throttled => Back::Throttled,
            Fate::Failed | Fate::DoneUnheard => failed(),
        };
        if matches!(fate, Fate::Done | Fate::DoneUnheard) {
            self.world.done(&change);
        }
        let told = self.queue.back(&id, back.clone(), self.now);
        assert_eq!(told.is_some(), matches!(back, Back::Done | Back::Failed(_)), "every end is told");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    #[test]
    fn plans_take_each_others_place_and_the_last_one_is_done(steps in proptest::collection::vec(step(), 1..60)) {
        let mut story = Story {
            queue: Queue::new(Pace { concurrency: 4, ..Pace::default() }),
            world: World::default(),
            wanted: World::default(),
            under_way: BTreeMap::new(),
            now: Instant::now(),
        };
        for step in steps {
            match step {
                Step::Plan(wanted, between) => {
                    story.wanted = World::wanted(wanted);
                    story.plan(between);
                }
                Step::Begin(most) => {
                    for _ in 0..most {
                        story.begin();
                    }
                }
                Step::End(which, fate) => story.end(which, fate),
                Step::Wait(millis) => story.now += Duration::from_millis(millis),
            }
            // The loop is never far behind; and what began is never more than was allowed.
            prop_assert!(story.under_way.len() <= 4);
            if story.queue.wants_plan() && story.under_way.len().is_multiple_of(2) {
                story.plan(0);
            }
        }
        // Quiet: everything ends well, and the loop plans when it is asked to.
        for _ in 0..1000 {
            while story.begin() {}
            if story.under_way.is_empty() {
                if story.queue.wants_plan() {
                    story.plan(0);
                } else if let Some(wake) = story.queue.next_wake() {
                    story.now = story.now.max(wake);
                } else {
                    break;
                }
            } else {
                story.end(0, Fate::Done);
            }
        }
        prop_assert_eq!(&story.world, &story.wanted, "everything that can be done is done");
        prop_assert!(story.queue.is_at_rest());
    }
}
