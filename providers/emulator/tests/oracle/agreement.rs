//! Router and oracle agree.

use std::collections::BTreeMap;
use std::sync::Mutex;

use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use serde_json::to_string_pretty;

use crate::generate::{self, Case, REQUESTS};
use crate::oracle::{self, Decided};
use crate::request::{Kind, Outcome};
use crate::router;

/// What the pairs were like.
#[derive(Debug, Default)]
struct Seen {
    pairs: usize,
    decided: BTreeMap<&'static str, usize>,
    outcomes: BTreeMap<&'static str, usize>,
}

impl Seen {
    fn note(&mut self, decided: Decided, outcome: &Outcome) {
        self.pairs += 1;
        let decided = match decided {
            Decided::Rule => "rule",
            Decided::MatcherDefault => "matcher's default",
            Decided::MapDefault => "map's default",
        };
        *self.decided.entry(decided).or_default() += 1;
        let outcome = match outcome {
            Outcome::Forward(_) => "forward",
            Outcome::Redirect { .. } => "redirect",
            Outcome::Nowhere => "nowhere",
        };
        *self.outcomes.entry(outcome).or_default() += 1;
    }
}

/// Compares at least `pairs` pairs of one kind.
fn agree(kind: Kind, pairs: usize) {
    let cases = u32::try_from(pairs.div_ceil(REQUESTS)).unwrap();
    let seen = Mutex::new(Seen::default());
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
    let ran = TestRunner::new(config).run(&generate::case(kind), |Case { map, requests }| {
        let compiled = router::compiled(kind, &map);
        for request in &requests {
            let (expected, decided) = oracle::say(kind, &map, request);
            let found = router::answer(&compiled, request);
            if found != expected {
                return Err(TestCaseError::fail(format!(
                    "{request:?}\n  router: {found:?}\n  oracle: {expected:?}"
                )));
            }
            seen.lock().unwrap().note(decided, &expected);
        }
        Ok(())
    });
    if let Err(TestError::Fail(reason, Case { map, requests: _ })) = &ran {
        panic!("{kind:?}: router and oracle disagree\n{}\n{reason}", to_string_pretty(map).unwrap());
    }
    ran.unwrap();
    let seen = seen.into_inner().unwrap();
    println!("{kind:?}: {} pairs agree; decided {:?}; {:?}", seen.pairs, seen.decided, seen.outcomes);
    assert!(seen.pairs >= pairs);
    // Requests that no rule is for would prove little.
    let share = |count: Option<&usize>| 100 * count.copied().unwrap_or(0) / seen.pairs;
    assert!(share(seen.decided.get("rule")) >= 50, "{seen:?}");
    assert!(share(seen.decided.get("matcher's default")) >= 5, "{seen:?}");
    assert!(share(seen.decided.get("map's default")) >= 5, "{seen:?}");
    assert!(share(seen.outcomes.get("redirect")) >= 5, "{seen:?}");
}

#[test]
fn the_router_and_the_oracle_agree() {
    for kind in Kind::ALL {
        agree(kind, 2_000);
    }
}

#[test]
#[ignore = "long: compares 102,000 pairs"]
fn the_router_and_the_oracle_agree_on_a_hundred_thousand_pairs() {
    for kind in Kind::ALL {
        agree(kind, 34_000);
    }
}
