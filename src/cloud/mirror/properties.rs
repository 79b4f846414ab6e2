//! Random interleavings of lists, late and partial ones, with our writes and those of others.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use tokio::time::Instant;

use super::{Began, LIST_LAG, Mirror};
use crate::cloud::fixture::{address, change, create, id};
use crate::cloud::{Executed, Listing};
use crate::model::{Kind, Unknown};
use crate::plan::Action;

#[derive(Debug, Clone)]
enum Step {
    WeCreate(u8),
    WeDelete(u8),
    OthersDelete(u8),
    /// A list begins; it shows what there was so many seconds ago, and leaves out those of the mask where it could not look.
    Begin {
        lag: u64,
        unseen: Option<u8>,
    },
    /// One of the lists under way ends.
    End(usize),
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let which = 0..6_u8;
    let step = prop_oneof![
        3 => which.clone().prop_map(Step::WeCreate),
        2 => which.clone().prop_map(Step::WeDelete),
        1 => which.prop_map(Step::OthersDelete),
        3 => (0..LIST_LAG.as_secs(), prop::option::of(any::<u8>()))
            .prop_map(|(lag, unseen)| Step::Begin { lag, unseen }),
        3 => (0..8_usize).prop_map(Step::End),
        3 => (0..20_u64).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 1..60)
}

/// A cloud that holds addresses, and remembers what it held when.
struct World {
    mirror: Mirror,
    history: Vec<(Instant, BTreeSet<u8>)>,
    lists: Vec<(Began, Listing)>,
}

impl World {
    fn there(&self) -> BTreeSet<u8> {
        self.history.last().map(|(_, there)| there.clone()).unwrap_or_default()
    }

    fn set(&mut self, edit: impl FnOnce(&mut BTreeSet<u8>)) {
        let mut there = self.there();
        edit(&mut there);
        self.history.push((Instant::now(), there));
    }

    fn listing(&self, lag: u64, unseen: Option<u8>) -> Listing {
        let shown = Instant::now() - Duration::from_secs(lag);
        let then = self.history.iter().rev().find(|(at, _)| *at <= shown);
        let then = then.map(|(_, there)| there.clone()).unwrap_or_default();
        let seen = |n: &&u8| unseen.is_none_or(|mask| mask & (1 << **n) == 0);
        let gap = Unknown { kind: Kind::Address, scope: None };
        Listing {
            seen: then.iter().filter(seen).map(|n| address(&name(*n))).collect(),
            unknown: unseen.map(|_| gap).into_iter().collect(),
        }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::WeCreate(n) => {
                self.set(|there| {
                    there.insert(n);
                });
                self.mirror.wrote(&create(&name(n)), Executed::Present(address(&name(n))));
            }
            Step::WeDelete(n) => {
                self.set(|there| {
                    there.remove(&n);
                });
                self.mirror.wrote(&change(id(Kind::Address, &name(n)), Action::Delete), Executed::Gone);
            }
            Step::OthersDelete(n) => self.set(|there| {
                there.remove(&n);
            }),
            Step::Begin { lag, unseen } => {
                let listing = self.listing(lag, unseen);
                self.lists.push((Began::now(), listing));
            }
            Step::End(_) if self.lists.is_empty() => {}
            Step::End(which) => {
                let (began, listing) = self.lists.remove(which % self.lists.len());
                self.mirror.take_in(Kind::Address, began, listing);
            }
            Step::Wait(seconds) => tokio::time::advance(Duration::from_secs(seconds)).await,
        }
    }

    fn known(&self) -> BTreeSet<String> {
        self.mirror.observed().graph.entries().map(|(id, _)| id.name.to_string()).collect()
    }
}

fn name(n: u8) -> String {
    format!("address-{n}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_exists_is_never_called_absent_and_a_clean_list_shows_the_cloud(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let mut world = World { mirror: Mirror::default(), history: Vec::new(), lists: Vec::new() };
            world.set(|_| {});
            for step in steps {
                world.take(step).await;
                let known = world.known();
                for n in world.there() {
                    // Everything here was made by us, so the mirror has heard of it.
                    prop_assert!(known.contains(&name(n)), "{n} is there");
                }
            }
            world.lists.clear();
            tokio::time::advance(2 * LIST_LAG).await;
            let clean = world.listing(0, None);
            world.mirror.take_in(Kind::Address, Began::now(), clean);
            let there: BTreeSet<String> = world.there().into_iter().map(name).collect();
            prop_assert_eq!(world.known(), there);
            Ok(())
        })?;
    }
}
