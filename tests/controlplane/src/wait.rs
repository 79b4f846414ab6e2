//! Waiting for a state, with one deadline.

use std::fmt::Display;
use std::time::{Duration, Instant};

/// The longest that anything a test waits for may take. Far more than is needed on a machine that does nothing else.
pub const DEADLINE: Duration = Duration::from_mins(1);

/// The pause between two looks grows up to this.
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// Looks again and again until `look` yields a value. `Err` says what is there instead, for the day it never comes.
///
/// # Panics
/// When [`DEADLINE`] has passed. This is for tests; nothing else should wait with a panic.
pub async fn eventually<T, E, Look, Answer>(what: &str, look: Look) -> T
where
    E: Display,
    Look: FnMut() -> Answer,
    Answer: Future<Output = Result<T, E>>,
{
    match within(DEADLINE, look).await {
        Ok(value) => value,
        #[expect(clippy::panic, reason = "this is how a test says that it failed")]
        Err(last) => panic!("waited {} s for {what}, but: {last}", DEADLINE.as_secs()),
    }
}

/// As [`eventually`], with a limit of one's own and without the panic: the last `Err` is returned.
pub async fn within<T, E, Look, Answer>(limit: Duration, mut look: Look) -> Result<T, E>
where
    Look: FnMut() -> Answer,
    Answer: Future<Output = Result<T, E>>,
{
    let started = Instant::now();
    let mut pause = Duration::from_millis(5);
    loop {
        match look().await {
            Ok(value) => return Ok(value),
            Err(last) if started.elapsed() >= limit => return Err(last),
            Err(_) => {}
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
