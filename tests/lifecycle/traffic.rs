//! No request fails while something changes: a hundred a second go through the load balancer, and each is looked at.
//!
//! The cloud is as slow as a quick real one: operations take a second, and what they changed is served two seconds later. Pods serve
//! on after they are told to end, for longer than it takes until no request reaches them.

mod crowd;
mod nodes;
mod pods;
mod restarts;
mod routes;

use controlplane::prerequisite::or_skip;
use controlplane::wait::within;
use controlplane::{Kubectl, Options, World};
use std::time::Duration;
use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};

use crate::{gclb, ingresses};
use crowd::Crowd;

/// So many crowds at a time: two cores serve no more than that in time.
static TURNS: Semaphore = Semaphore::const_new(2);

static WORLD: OnceCell<Option<World>> = OnceCell::const_new();

/// A rollout of many pods takes this long at most.
const PATIENCE: Duration = Duration::from_mins(4);

/// Operations of a second, and two more until what they changed is served. Backends are probed each second, for the first time a second
/// after they are reached: whatever gets requests before that answers 503.
fn slow_cloud() -> Options {
    let flags = [
        "--operation-latency=1000",
        "--programming-delay=2s",
        "--change-delay=2s",
        "--health-time-scale=0.2",
        "--first-probe=after-interval",
    ];
    Options { cloud: flags.map(str::to_owned).into(), ..Options::default() }
}

/// A namespace of the world that these tests share, and a turn.
struct Place {
    kubectl: Kubectl,
    world: &'static World,
    _turn: SemaphorePermit<'static>,
}

async fn place(name: &str) -> Option<Place> {
    let turn = TURNS.acquire().await.expect("it is never closed");
    let start = || async {
        let mut world = or_skip(World::start(gclb(), slow_cloud()).await)?;
        world.start_controller().expect("the controller starts");
        Some(world)
    };
    let world = WORLD.get_or_init(start).await.as_ref()?;
    let kubectl = world.namespace(name).await.expect("a namespace can be made");
    Some(Place { kubectl, world, _turn: turn })
}

impl Drop for Place {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.world.log_tails());
        }
    }
}

/// Waits until a rollout is over.
async fn rolled_out(kubectl: &Kubectl, deployment: &str) {
    let limit = format!("--timeout={}s", PATIENCE.as_secs());
    kubectl.run(&["rollout", "status", &format!("deployment/{deployment}"), &limit]).await.unwrap();
}

/// Waits until everything is said to be made and healthy.
async fn ready(kubectl: &Kubectl, ingress: &str) {
    let look = || async {
        let status = ingresses::field(kubectl, ingress, r"{.metadata.annotations.gclb\.dev/status}").await?;
        if status.contains(r#""phase":"Ready""#) { Ok(()) } else { Err(status) }
    };
    if let Err(last) = within(PATIENCE, look).await {
        let described = ingresses::described(kubectl, ingress).await.unwrap_or_default();
        panic!("the Ingress {ingress} does not become ready: {last}\n{described}");
    }
}

/// A Deployment whose pods serve on for ten seconds after they are told to end, and its Service.
fn lasting(name: &str, replicas: u32, reach: crate::manifests::Reach) -> String {
    let whole = crate::manifests::echo(name, replicas, reach);
    let serves_on = "        lifecycle: { preStop: { sleep: { seconds: 10 } } }\n";
    let at = "        image: echoheaders\n";
    assert!(whole.contains(at));
    whole.replace(at, &format!("{at}{serves_on}"))
}
