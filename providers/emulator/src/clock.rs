//! Time, in one place.

use jiff::Timestamp;
use std::time::Duration;

/// The clock that operations run by: the machine's.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Clock;

impl Clock {
    #[expect(clippy::unused_self, reason = "a clock that can be held will need itself")]
    pub(crate) fn now(self) -> Timestamp {
        Timestamp::now()
    }

    pub(crate) async fn sleep(self, span: Duration) {
        if !span.is_zero() {
            tokio::time::sleep(span).await;
        }
    }
}
