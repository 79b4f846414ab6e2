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

/// Manifests, and what the cloud holds when they are done.
struct Done {
    manifests: String,
    holds: BTreeMap<String, Value>,
}

impl Gated {
    /// Applies manifests to what is there, undisturbed, and waits until the cloud is as `is_done` says. How many changes that took.
    async fn undisturbed(
        &self,
        what: &str,
        manifests: String,
        is_done: impl Fn(&BTreeMap<String, Value>) -> bool,
    ) -> (Done, usize) {
        self.gate.open();
        self.kubectl.apply(&manifests).await.unwrap();
        let holds = eventually(what, || async {
            let held = self.holdings().await;
            if is_done(&held) { Ok(held) } else { Err(format!("{:#?}", held.keys())) }
        })
        .await;
        (Done { manifests, holds }, self.gate.passed())
    }

    /// From one state to another as often as that takes changes, killed after one more of them each time. Every time both states are
    /// reached, exactly.
    async fn killed_on_the_way(&mut self, from: &Done, to: &Done, steps: usize) {
        assert!((1..FAR_TOO_MANY).contains(&steps), "{steps} changes");
        for changes in 1..=steps {
            self.gate.open();
            self.kubectl.apply(&from.manifests).await.unwrap();
            self.holds("the beginning", &from.holds).await;
            self.gate.close_after(changes);
            self.kubectl.apply(&to.manifests).await.unwrap();
            self.gate.has_closed().await;
            self.world.kill_controller().unwrap();

            self.gate.open();
            self.world.start_controller().unwrap();
            self.holds(&format!("the end, killed after {changes} changes"), &to.holds).await;
        }
    }
}

/// The url map of the rules, as text.
fn rules(held: &BTreeMap<String, Value>) -> String {
    let maps = held.iter().filter(|(path, _)| path.contains("/urlMaps/"));
    maps.map(|(_, map)| map.to_string()).filter(|map| map.contains("pathMatchers")).collect()
}

fn certificates(held: &BTreeMap<String, Value>) -> Vec<&String> {
    held.keys().filter(|path| path.contains("/sslCertificates/")).collect()
}

#[tokio::test]
#[ignore = "long: some ten restarts, each until everything is as it should be"]
async fn killed_after_each_change_of_rules_and_of_a_certificate_it_ends_in_the_same_state() {
    let Some(mut gated) = Gated::start().await else { return };
    let (before, after) =
        (tls_secret("tls", &certificate("echoheaders")), tls_secret("tls", &certificate("echoheaders")));
    let ingress = |rule: &str| {
        let rules = format!("  rules:\n  - host: echoheaders\n    http: {{ paths: [ {rule} ] }}\n");
        format!("{INGRESS}{rules}")
    };
    let path = |path: &str, service: &str| {
        format!(
            "{{ path: {path}, pathType: Prefix, backend: {{ service: {{ name: {service}, port: {{ number: 80 }} }} }} }}"
        )
    };
    let (one, other) = (ingress(&path("/one", "web")), ingress(&path("/other", "api")));
    gated.kubectl.apply(&echo("api", 1, Reach::NodePort)).await.unwrap();
    gated.kubectl.run(&["rollout", "status", "deployment/api", "--timeout=60s"]).await.unwrap();

    gated.world.start_controller().unwrap();
    gated.kubectl.apply(&(before.clone() + &one)).await.unwrap();
    let visitor = ingresses::address(&gated.kubectl, "test").await;
    visitor.served_by("web", "https://echoheaders/one").await;
    let begun = Done { manifests: before.clone() + &one, holds: settled(&gated).await };

    // A map on its way has a host that warms a backend.
    let has = |rule: &'static str| {
        move |held: &BTreeMap<String, Value>| rules(held).contains(rule) && !rules(held).contains(".invalid")
    };
    let (changed, steps) = gated.undisturbed("the new rule", before + &other, has("/other")).await;
    gated.undisturbed("the old rule", begun.manifests.clone(), |held| *held == begun.holds).await;
    gated.killed_on_the_way(&begun, &changed, steps).await;
    visitor.served_by("api", "https://echoheaders/other").await;

    let old = certificates(&changed.holds).into_iter().cloned().collect::<Vec<_>>();
    let renewed = |held: &BTreeMap<String, Value>| {
        certificates(held).len() == 1 && !certificates(held).into_iter().any(|path| old.contains(path))
    };
    let (rotated, steps) = gated.undisturbed("the new certificate", after + &other, renewed).await;
    gated.killed_on_the_way(&changed, &rotated, steps).await;
    visitor.served_by("api", "https://echoheaders/other").await;
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
