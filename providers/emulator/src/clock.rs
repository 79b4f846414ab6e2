//! Time, in one place.

use jiff::Timestamp;
use std::time::Duration;

/// The clock that operations run by: the machine's.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Clock;

impl Clock {
    pub(crate) fn now(self) -> Timestamp {
        Timestamp::now()
    }

    pub(crate) async fn sleep(self, span: Duration) {
        if !span.is_zero() {
            tokio::time::sleep(span).await;
        }
    }
}
