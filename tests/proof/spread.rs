//! Many cases, each in a world and a virtual time of its own, on all processors.

use std::panic::AssertUnwindSafe;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// So many failures are told in full; one is mostly like the other.
const TOLD: usize = 5;

/// The variable that holds the seed of whatever is drawn.
pub(crate) const SEED: &str = "GCLB_PROOF_SEED";

/// The seed to draw with: the one that is asked for, or always the same.
pub(crate) fn seed() -> u64 {
    std::env::var(SEED).map_or(1, |seed| seed.parse().expect("the seed is a number"))
}

/// How many are asked for by that variable.
pub(crate) fn asked_for<N: std::str::FromStr>(variable: &str, default: N) -> N {
    match std::env::var(variable) {
        Ok(number) => number.parse().unwrap_or_else(|_| panic!("{variable}: how many is a number")),
        Err(_) => default,
    }
}

/// Runs a future to its end in a paused time of its own.
pub(crate) fn in_virtual_time<T>(future: impl Future<Output = T>) -> T {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let outcome = runtime.block_on(future);
    runtime.shutdown_background();
    outcome
}

/// Tries all cases, and panics with what failed. `run` says what it did, for the counting.
pub(crate) fn all<C: Sync + std::fmt::Debug, T: Send>(cases: &[C], run: impl Fn(&C) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let (done, failed) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    // Tests run side by side already; two threads each keep the processors busy when the last ones are left.
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(2);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match std::panic::catch_unwind(AssertUnwindSafe(|| run(case))) {
                        Ok(outcome) => done.lock().unwrap().push(outcome),
                        Err(panic) => failed.lock().unwrap().push(format!("{case:?}: {}", text(&*panic))),
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(
        failed.is_empty(),
        "{} of {} cases failed, such as:\n{}",
        failed.len(),
        cases.len(),
        failed[..failed.len().min(TOLD)].join("\n")
    );
    done.into_inner().unwrap()
}

pub(crate) fn text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}
