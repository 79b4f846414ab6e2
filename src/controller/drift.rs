//! Lists everything again now and then, in the background, so that what others did to our resources is found. The mirror says what is
//! new in it.

use std::sync::Arc;
use std::time::Duration;

use tracing::{debug, warn};

use crate::cloud::Cloud;
use crate::cloud::mirror::{Began, Mirror};
use crate::model::Kind;

/// Where a part of the cloud could not be seen, nothing can be planned there; so it is looked for again sooner.
const AFTER_A_GAP: Duration = Duration::from_secs(30);

/// Never returns.
pub(super) async fn watch<C: Cloud>(cloud: Arc<C>, mirror: Arc<Mirror>, interval: Duration) {
    loop {
        let gaps = !mirror.observed().unknown.is_empty();
        tokio::time::sleep(if gaps { interval.min(AFTER_A_GAP) } else { interval }).await;
        // One after the other: there is no hurry, and the quota is everybody's.
        for kind in Kind::ALL {
            let began = Began::now();
            match cloud.list(kind).await {
                Ok(listing) => mirror.take_in(kind, began, listing),
                Err(error) => warn!(error = error.line(), "what others changed is looked for later"),
            }
        }
        debug!("listed everything again");
    }
}
