//! The controller dies at the worst moments and is started again.

use std::collections::BTreeMap;

use controlplane::prerequisite::or_skip;
use controlplane::wait::eventually;
use controlplane::{Kubectl, Options, World};
use serde_json::Value;

use crate::gate::Gate;
use crate::manifests::{Certificate, Reach, certificate, echo, tls_secret};
use crate::{gclb, ingresses};

const INGRESS: &str = "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: test }
spec:
  tls: [ { secretName: tls } ]
  defaultBackend: { service: { name: web, port: { number: 80 } } }
";

/// More changes than the walkthrough can need: without it a controller that never settles would be killed for ever.
const FAR_TOO_MANY: usize = 60;

/// A world whose controller reaches the cloud only through a gate.
struct Gated {
    world: World,
    gate: Gate,
    kubectl: Kubectl,
}

impl Gated {
    async fn start() -> Option<Self> {
        let mut world = or_skip(World::start(gclb(), Options::default()).await)?;
        let gate = Gate::start(world.emulator().url()).await;
        world.controller().cloud_endpoint = gate.url();
        let kubectl = world.cluster().kubectl();
        let Certificate { certificate, key } = certificate("echoheaders");
        let secret = tls_secret("tls", &Certificate { certificate, key });
        kubectl.apply(&(echo("web", 2, Reach::NodePort) + &secret)).await.unwrap();
        kubectl.run(&["rollout", "status", "deployment/web", "--timeout=60s"]).await.unwrap();
        Some(Self { world, gate, kubectl })
    }

    async fn holdings(&self) -> BTreeMap<String, Value> {
        self.world.emulator().holdings().await.unwrap()
    }

    /// Waits until the cloud holds exactly this.
    async fn holds(&self, what: &str, expected: &BTreeMap<String, Value>) {
        eventually(what, || async {
            let held = self.holdings().await;
            if held == *expected { Ok(()) } else { Err(difference(expected, &held)) }
        })
        .await;
    }
}

fn difference(expected: &BTreeMap<String, Value>, held: &BTreeMap<String, Value>) -> String {
    let missing = expected.keys().filter(|path| !held.contains_key(*path)).map(|path| format!("no {path}"));
    let extra = held.keys().filter(|path| !expected.contains_key(*path)).map(|path| format!("also {path}"));
    let changed = expected.iter().filter_map(|(path, body)| {
        let other = held.get(path).filter(|other| *other != body)?;
        Some(format!("{path} is {other} and not {body}"))
    });
    missing.chain(extra).chain(changed).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn killed_after_each_change_it_ends_in_the_same_state() {
    let Some(mut gated) = Gated::start().await else { return };
    let without = gated.holdings().await;

    // The cluster's id is claimed once and for all.
    gated.world.start_controller().unwrap();
    eventually("the cluster's id to be claimed", || async {
        let claim = gated.world.emulator().claim().await.map_err(|error| error.to_string())?;
        claim.ok_or_else(|| "it is not".to_owned())
    })
    .await;

    // Once undisturbed: what is to come out, and how many changes it takes.
    gated.gate.open();
    gated.kubectl.apply(INGRESS).await.unwrap();
    ingresses::address(&gated.kubectl, "test").await;
    let with = settled(&gated).await;
    let making = gated.gate.passed();
    gated.gate.open();
    gated.kubectl.run(&["delete", "ing", "test", "--timeout=60s"]).await.unwrap();
    gated.holds("nothing to be left", &without).await;
    let removing = gated.gate.passed();
    gated.world.kill_controller().unwrap();
    assert!((5..FAR_TOO_MANY).contains(&making), "{making} changes made it");
    assert!((5..FAR_TOO_MANY).contains(&removing), "{removing} changes removed it");

    for changes in 1..=making {
        gated.gate.close_after(changes);
        gated.kubectl.apply(INGRESS).await.unwrap();
        gated.world.start_controller().unwrap();
        gated.gate.has_closed().await;
        gated.world.kill_controller().unwrap();

        gated.gate.open();
        gated.world.start_controller().unwrap();
        let visitor = ingresses::address(&gated.kubectl, "test").await;
        gated.holds(&format!("everything to be made, killed after {changes} changes"), &with).await;
        if changes == making {
            visitor.served_by("web", "https://echoheaders/").await;
        }
        gated.kubectl.run(&["delete", "ing", "test", "--timeout=60s"]).await.unwrap();
        gated.holds(&format!("nothing to be left, killed after {changes} changes"), &without).await;
        gated.world.kill_controller().unwrap();
    }

    for changes in 1..=removing {
        gated.gate.open();
        gated.kubectl.apply(INGRESS).await.unwrap();
        gated.world.start_controller().unwrap();
        ingresses::address(&gated.kubectl, "test").await;
        gated.holds("everything to be made", &with).await;
        gated.gate.close_after(changes);
        gated.kubectl.run(&["delete", "ing", "test", "--wait=false"]).await.unwrap();
        gated.gate.has_closed().await;
        gated.world.kill_controller().unwrap();

        gated.gate.open();
        gated.world.start_controller().unwrap();
        gated.kubectl.run(&["wait", "ing/test", "--for=delete", "--timeout=60s"]).await.unwrap();
        gated.holds(&format!("nothing to be left, killed after {changes} deletions"), &without).await;
        gated.world.kill_controller().unwrap();
    }
}

/// What the cloud holds once the Ingress has its address and everything has been said about it.
async fn settled(gated: &Gated) -> BTreeMap<String, Value> {
    eventually("the load balancer to be ready", || async {
        let status =
            ingresses::field(&gated.kubectl, "test", r"{.metadata.annotations.gclb\.dev/status}").await?;
        if status.contains(r#""phase":"Ready""#) { Ok(()) } else { Err(status) }
    })
    .await;
    gated.holdings().await
}

#[tokio::test]
async fn a_restart_with_nothing_to_do_changes_nothing() {
    let Some(mut gated) = Gated::start().await else { return };
    gated.world.start_controller().unwrap();
    gated.kubectl.apply(INGRESS).await.unwrap();
    ingresses::address(&gated.kubectl, "test").await;
    let with = settled(&gated).await;
    gated.world.kill_controller().unwrap();

    gated.gate.open();
    gated.world.start_controller().unwrap();
    // Something that only a controller which has taken everything in would do: a second load balancer.
    let second =
        INGRESS.replace("name: test", "name: second").replace("  tls: [ { secretName: tls } ]\n", "");
    gated.kubectl.apply(&second).await.unwrap();
    ingresses::address(&gated.kubectl, "second").await;
    let both = gated.holdings().await;
    let of_first: BTreeMap<_, _> = both.into_iter().filter(|(path, _)| with.contains_key(path)).collect();
    assert_eq!(difference(&with, &of_first), "");
    // Address, URL map, proxy, forwarding rule: what the second one alone needs.
    assert!(gated.gate.passed() <= 4, "{} changes", gated.gate.passed());
}
