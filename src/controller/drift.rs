//! Lists everything again now and then, in the background, so that what others did to our resources is found. The mirror says what is
//! new in it.
//!
//! Between those lists, kinds of which many were written are listed once they have come to rest. What a write leaves behind has no
//! fingerprint that could go along with the next change; each would be read by a call of its own, and a thousand such calls are
//! more than the quota of reads has room for beside what else a change reads. A list shows five hundred at a time.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{debug, warn};

use crate::cloud::Cloud;
use crate::cloud::mirror::{Began, Mirror};
use crate::model::Kind;

/// Where a part of the cloud could not be seen, nothing can be planned there; so it is looked for again sooner.
const AFTER_A_GAP: Duration = Duration::from_secs(30);

/// The kinds whose changes carry a fingerprint, and of which there is one for each load balancer.
const WITH_FINGERPRINTS: [Kind; 2] = [Kind::BackendService, Kind::UrlMap];

/// So many written resources of a kind are worth a list.
const MANY: usize = 50;

/// How often that is looked at.
const LOOK: Duration = Duration::from_secs(5);

/// Never returns.
pub(super) async fn watch<C: Cloud>(cloud: Arc<C>, mirror: Arc<Mirror>, interval: Duration) {
    let mut listed = Instant::now();
    loop {
        let gaps = !mirror.observed().unknown.is_empty();
        let due = listed + if gaps { interval.min(AFTER_A_GAP) } else { interval };
        tokio::time::sleep_until(due.min(Instant::now() + LOOK)).await;
        if Instant::now() < due {
            for kind in WITH_FINGERPRINTS {
                if mirror.written_at_rest(kind) >= MANY {
                    list(&*cloud, &mirror, kind).await;
                }
            }
            continue;
        }
        // One after the other: there is no hurry, and the quota is everybody's.
        for kind in Kind::ALL {
            list(&*cloud, &mirror, kind).await;
        }
        mirror.look_up_again(&*cloud, None).await;
        debug!("listed everything again");
        listed = Instant::now();
    }
}

async fn list<C: Cloud>(cloud: &C, mirror: &Mirror, kind: Kind) {
    let began = Began::now();
    match cloud.list(kind).await {
        Ok(listing) => mirror.take_in(kind, began, listing),
        Err(error) => warn!(error = error.line(), "what others changed is looked for later"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::fixture::{Scripted, change, id, mark, seen};
    use crate::cloud::{Executed, Seen};
    use crate::model::{BackendService, Entry, Facts, Fingerprint, Resource as _, ResourceId};
    use crate::plan::Action;

    fn service(at: usize, fingerprint: &str) -> Seen {
        let service = BackendService {
            scheme: crate::model::Scheme::ExternalManaged,
            protocol: crate::model::BackendProtocol::Http,
            port_name: None,
            backends: Vec::new(),
            health_check: None,
            policy: crate::model::BackendPolicy::default(),
        };
        let facts = Facts { fingerprint: Some(Fingerprint(fingerprint.to_owned())), ..Facts::default() };
        seen(&name(at), Entry { mark: mark(), node: service.into_node() }, facts)
    }

    fn name(at: usize) -> ResourceId {
        id(Kind::BackendService, &format!("web-{at}"))
    }

    /// A cloud with so many backend services that were just made, and a mirror that made them.
    async fn made(number: usize) -> (Arc<Scripted>, Arc<Mirror>) {
        let (cloud, mirror) = (Arc::new(Scripted::default()), Arc::new(Mirror::default()));
        mirror.fill(&*cloud).await.unwrap();
        for at in 0..number {
            cloud.resources.lock().unwrap().insert(name(at), service(at, "seen"));
            mirror.wrote(&change(name(at), Action::Delete), Executed::Present(service(at, "sent")));
        }
        (cloud, mirror)
    }

    fn known(mirror: &Mirror, at: usize) -> String {
        mirror.observed().facts[&name(at)].fingerprint.clone().unwrap().0
    }

    #[tokio::test(start_paused = true)]
    async fn what_many_writes_left_is_listed_when_it_has_come_to_rest() {
        let (cloud, mirror) = made(MANY).await;
        tokio::spawn(watch(Arc::clone(&cloud), Arc::clone(&mirror), Duration::from_mins(10)));
        tokio::time::sleep(Duration::from_secs(12)).await;
        mirror.wrote(&change(name(0), Action::Delete), Executed::Present(service(0, "sent")));
        tokio::time::sleep(Duration::from_secs(12)).await;
        assert_eq!(known(&mirror, 1), "sent", "it is still being written");
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!((known(&mirror, 0), known(&mirror, 1)), ("seen".to_owned(), "seen".to_owned()));
        assert_eq!(mirror.written_at_rest(Kind::BackendService), 0, "once is enough");
    }

    #[tokio::test(start_paused = true)]
    async fn few_are_read_when_they_change() {
        let (cloud, mirror) = made(MANY - 1).await;
        tokio::spawn(watch(Arc::clone(&cloud), Arc::clone(&mirror), Duration::from_mins(10)));
        tokio::time::sleep(Duration::from_mins(9)).await;
        assert_eq!(known(&mirror, 1), "sent");
        tokio::time::sleep(Duration::from_mins(2)).await;
        assert_eq!(known(&mirror, 1), "seen", "by the list of everything");
    }
}
