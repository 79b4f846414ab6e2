//! A rolling update: pods of a second generation come, become ready, and one of the first goes for each.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use k8s_openapi::api::discovery::v1::EndpointSlice;

use crate::objects::{self, Pod};

/// The endpoint slice controller puts so many into one.
const PER_SLICE: usize = 100;
/// How often slices change.
const TICK: Duration = Duration::from_millis(100);
/// How long a new pod takes to become ready.
const STARTS: Duration = Duration::from_secs(5);
/// How long a pod serves on after it was told to end.
const ENDS: Duration = Duration::from_secs(15);

/// Every pod, in slices.
pub(crate) struct Pods {
    number: usize,
    slices: Vec<Vec<Pod>>,
    /// In which slice each pod is, by its number and generation.
    places: HashMap<(usize, bool), usize>,
    changed: BTreeSet<usize>,
}

/// What happened.
pub(crate) struct Roll {
    /// When each new pod was first seen in a slice, by its address.
    pub(crate) joined: HashMap<String, Instant>,
    /// When members joined and left the group of each zone, in the order of time.
    pub(crate) events: BTreeMap<&'static str, Vec<(Instant, Event)>>,
    pub(crate) lasted: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    Joins,
    Leaves,
}

impl Pods {
    pub(crate) fn new(number: usize) -> Self {
        let mut pods = Self { number, slices: Vec::new(), places: HashMap::new(), changed: BTreeSet::new() };
        for number in 0..number {
            pods.put(Pod { number, second: false, ready: true, terminating: false });
        }
        pods
    }

    fn put(&mut self, pod: Pod) {
        let at = self.slices.iter().position(|slice| slice.len() < PER_SLICE).unwrap_or_else(|| {
            self.slices.push(Vec::new());
            self.slices.len() - 1
        });
        self.slices[at].push(pod);
        self.places.insert((pod.number, pod.second), at);
        self.changed.insert(at);
    }

    fn edit(&mut self, number: usize, second: bool, edit: impl FnOnce(&mut Pod)) -> Pod {
        let at = self.places[&(number, second)];
        let pod =
            self.slices[at].iter_mut().find(|pod| pod.number == number && pod.second == second).unwrap();
        edit(pod);
        self.changed.insert(at);
        *pod
    }

    fn remove(&mut self, number: usize, second: bool) {
        let at = self.places.remove(&(number, second)).unwrap();
        self.slices[at].retain(|pod| pod.number != number || pod.second != second);
        self.changed.insert(at);
    }

    /// The slices that differ from when this was last asked.
    pub(crate) fn slices(&mut self) -> Vec<EndpointSlice> {
        let changed = std::mem::take(&mut self.changed);
        changed.into_iter().map(|at| objects::slice(at, &self.slices[at])).collect()
    }
}

impl Roll {
    pub(crate) async fn run(pods: &mut Pods, lasts: Duration, mut show: impl FnMut(EndpointSlice)) -> Self {
        let began = Instant::now();
        let mut roll = Self { joined: HashMap::new(), events: BTreeMap::new(), lasted: Duration::ZERO };
        let (mut starting, mut ending) = (VecDeque::new(), VecDeque::new());
        let mut next = 0;
        let mut tick = tokio::time::interval(TICK);
        while next < pods.number || !starting.is_empty() || !ending.is_empty() {
            tick.tick().await;
            let now = Instant::now();
            let mut noted = Vec::new();
            // In another order than that of their nodes.
            let all = count(pods.number);
            let share = |next: usize| lasts.mul_f64(count(next) / all);
            while next < pods.number && share(next) <= began.elapsed() {
                let number = next * STEP % pods.number;
                let pod = Pod { number, second: true, ready: false, terminating: false };
                pods.put(pod);
                starting.push_back((now + STARTS, number));
                noted.push((pod, Event::Joins));
                next += 1;
            }
            while let Some((_, number)) = starting.pop_front_if(|(at, _)| *at <= now) {
                pods.edit(number, true, |pod| pod.ready = true);
                let old = pods.edit(number, false, |pod| pod.terminating = true);
                ending.push_back((now + ENDS, number));
                noted.push((old, Event::Leaves));
            }
            while let Some((_, number)) = ending.pop_front_if(|(at, _)| *at <= now) {
                pods.remove(number, false);
            }
            let slices = pods.slices();
            // Made by the API server, not by whoever watches.
            let shown = Instant::now();
            for (pod, event) in noted {
                roll.events.entry(pod.zone()).or_default().push((shown, event));
                if event == Event::Joins {
                    roll.joined.insert(pod.address(), shown);
                }
            }
            for slice in slices {
                show(slice);
            }
        }
        roll.lasted = began.elapsed();
        roll
    }

    /// How many pods each zone has.
    pub(crate) fn per_zone(&self) -> BTreeMap<&'static str, usize> {
        let joins = |events: &Vec<(Instant, Event)>| {
            events.iter().filter(|(_, event)| *event == Event::Joins).count()
        };
        self.events.iter().map(|(zone, events)| (*zone, joins(events))).collect()
    }
}

/// No divisor of numbers of pods that people choose.
const STEP: usize = 7919;

#[expect(clippy::cast_precision_loss, reason = "there are not that many pods")]
fn count(pods: usize) -> f64 {
    pods as f64
}
