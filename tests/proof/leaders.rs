//! Of several processes one writes.

use std::sync::Arc;
use std::time::Duration;

use gclb::apply::Pace;
use gclb::controller::Options;
use gclb::controller::lease::{Candidacy, LeaseSettings, stand};
use tokio::time::Instant;

use crate::gate::is_write;
use crate::lease::{Shared, client};
use crate::spread;
use crate::stories::{Story, Undisturbed, told};
use crate::world::{Controller, World};

const LEASE: Duration = Duration::from_secs(15);

/// A process that stands for election.
struct Contender {
    name: &'static str,
    controller: Controller,
    candidacy: Candidacy,
}

impl Contender {
    fn stand(world: &World, server: &Shared, name: &'static str) -> Self {
        let settings =
            LeaseSettings { namespace: "gclb-system".to_owned(), identity: name.to_owned(), duration: LEASE };
        let candidacy = stand(client(server, name), settings);
        let options = Options {
            permit: candidacy.permit().clone(),
            // As `gclb controller` sets it.
            pace: Pace { longest_call: Pace::default().longest_call.min(LEASE / 4), ..Pace::default() },
            ..Options::default()
        };
        Self { name, controller: world.start_with(None, options), candidacy }
    }

    async fn leads(&self) -> Instant {
        assert!(self.candidacy.permit().begun().await, "{} stands for election", self.name);
        Instant::now()
    }

    /// Everything that it changed anywhere.
    fn changes(&self) -> Vec<String> {
        let calls = self.controller.gate.calls();
        calls.into_iter().filter(|call| is_write(call) || !call.contains(" /compute/")).collect()
    }

    /// As SIGTERM would.
    async fn hand_over(self) {
        self.controller.stop().await;
        self.candidacy.resign().await;
    }

    /// As SIGKILL would.
    async fn kill(self, server: &Shared) {
        server.lock().unwrap().cut_off(self.name, true);
        self.controller.kill().await;
    }
}

async fn begin(undisturbed: &Undisturbed) -> (World, Shared) {
    (World::at(&undisturbed.beginning).await, Shared::default())
}

#[test]
fn a_standby_is_warm_writes_nothing_and_takes_over_within_the_lease() {
    let (create, rules) = (told(Story::Create), told(Story::Rules));
    spread::in_virtual_time(async {
        let (world, server) = begin(create).await;
        let mut one = Contender::stand(&world, &server, "one");
        one.leads().await;
        let mut two = Contender::stand(&world, &server, "two");
        create.story.edit(&world.api);
        world.until_state(&mut one.controller, &create.end).await;
        // It lists everything again now and then, and that is all it does.
        tokio::time::sleep(Duration::from_mins(21)).await;
        assert_eq!(two.changes(), [""; 0], "a standby writes nothing");
        let before = two.controller.gate.calls();
        let lists = |calls: &[String]| calls.iter().filter(|call| is_list(call)).count();
        assert!(lists(&before) >= 3 * 11, "it keeps its copy of the cloud fresh: {before:#?}");

        one.kill(&server).await;
        let died = Instant::now();
        rules.story.edit(&world.api);
        two.leads().await;
        assert!(died.elapsed() <= LEASE + Duration::from_secs(1), "led after {:?}", died.elapsed());
        world.until_state(&mut two.controller, &rules.end).await;
        let first = two.controller.gate.writes()[0].0;
        assert!(first - died <= LEASE + Duration::from_secs(2), "wrote after {:?}", first - died);
        let after = two.controller.gate.calls().split_off(before.len());
        let until_first_write: Vec<String> = after.into_iter().take_while(|call| !is_write(call)).collect();
        assert_eq!(lists(&until_first_write), 11, "each kind once: {until_first_write:#?}");
        two.hand_over().await;
        world.end().await;
    });
}

/// Whether a call asks for a whole kind.
fn is_list(call: &str) -> bool {
    call.contains("/aggregated/") && !call.ends_with("/operations")
        || call.ends_with("/global/firewalls") && call.starts_with("GET")
}

#[test]
fn a_leader_that_is_asked_to_stop_hands_over_within_a_second() {
    let (create, rules) = (told(Story::Create), told(Story::Rules));
    spread::in_virtual_time(async {
        let (world, server) = begin(create).await;
        let one = Contender::stand(&world, &server, "one");
        one.leads().await;
        let mut two = Contender::stand(&world, &server, "two");
        create.story.edit(&world.api);
        // In the middle of it.
        tokio::time::sleep(Duration::from_secs(5)).await;
        let gate = Arc::clone(&one.controller.gate);
        one.hand_over().await;
        let free = Instant::now();
        two.leads().await;
        assert!(free.elapsed() < Duration::from_secs(1), "led after {:?}", free.elapsed());
        assert!(!gate.writes().is_empty(), "it was in the middle of it");
        world.until_state(&mut two.controller, &create.end).await;
        rules.story.edit(&world.api);
        world.until_state(&mut two.controller, &rules.end).await;
        two.hand_over().await;
        world.end().await;
    });
}

#[test]
fn who_loses_the_lease_stands_by_and_may_lead_again() {
    let (create, rules) = (told(Story::Create), told(Story::Rules));
    spread::in_virtual_time(async {
        let (world, server) = begin(create).await;
        let mut one = Contender::stand(&world, &server, "one");
        one.leads().await;
        create.story.edit(&world.api);
        world.until_state(&mut one.controller, &create.end).await;
        server.lock().unwrap().cut_off("one", true);
        one.candidacy.permit().ended().await;
        let before = one.changes().len();
        rules.story.edit(&world.api);
        tokio::time::sleep(Duration::from_mins(1)).await;
        assert_eq!(one.changes().len(), before, "nothing is written without the lease");
        server.lock().unwrap().cut_off("one", false);
        world.until_state(&mut one.controller, &rules.end).await;
        one.hand_over().await;
        world.end().await;
    });
}

/// When, after the Ingress was made, the leader is cut off from the API server that holds the lease, though not from the cloud.
fn moments() -> Vec<Duration> {
    (0..8).map(|step| Duration::from_millis(1_500 * step + 1)).collect()
}

async fn split(at: &Duration) {
    let create = told(Story::Create);
    let (world, server) = begin(create).await;
    let one = Contender::stand(&world, &server, "one");
    one.leads().await;
    let mut two = Contender::stand(&world, &server, "two");
    // Operations take so long that none of them is done when the lease ends.
    world.cloud.emulator.set_latency(emulator::Latency::of(Duration::from_secs(7)));
    create.story.edit(&world.api);
    tokio::time::sleep(*at).await;
    server.lock().unwrap().cut_off("one", true);
    one.candidacy.permit().ended().await;
    let lost = Instant::now();
    let led = two.leads().await;
    world.until_state(&mut two.controller, &create.end).await;
    let sent = one.controller.gate.writes();
    let (sent_last, call) = sent.last().expect("it had begun").clone();
    // The last check before each write: the lease is good for longer than the call may take.
    assert!(
        sent_last + Duration::from_secs(2) <= lost,
        "{call} was sent {:?} before the end",
        lost.saturating_duration_since(sent_last)
    );
    assert!(lost < led, "there were two leaders");
    assert!(two.controller.gate.writes().iter().all(|(sent, _)| *sent >= led));
    assert_eq!(one.controller.gate.writes().len(), sent.len(), "and it wrote nothing since");
    world.assert_at_rest(&two.controller, &create.end).await;
    one.controller.stop().await;
    two.hand_over().await;
    world.end().await;
}

#[test]
fn a_leader_that_is_cut_off_stops_before_a_write_that_its_lease_does_not_cover() {
    spread::all(&moments(), |at| spread::in_virtual_time(split(at)));
}

/// What no lease can rule out: a request that the network holds back until another leads. It does no harm that is not mended.
async fn overtaken(collection: &&'static str) {
    let create = told(Story::Create);
    let (world, server) = begin(create).await;
    let one = Contender::stand(&world, &server, "one");
    one.leads().await;
    let mut two = Contender::stand(&world, &server, "two");
    // It arrives when the other one has long begun.
    one.controller.gate.hold_back(&format!("POST /compute/v1/projects/proof/{collection}"), 2 * LEASE);
    create.story.edit(&world.api);
    tokio::time::sleep(Duration::from_secs(1)).await;
    server.lock().unwrap().cut_off("one", true);
    let led = two.leads().await;
    world.until_state(&mut two.controller, &create.end).await;
    tokio::time::sleep(2 * LEASE).await;
    assert!(one.controller.gate.writes().iter().all(|(sent, _)| *sent < led));
    world.until_state(&mut two.controller, &create.end).await;
    world.assert_at_rest(&two.controller, &create.end).await;
    one.controller.stop().await;
    two.hand_over().await;
    world.end().await;
}

#[test]
fn a_write_that_arrives_after_another_leads_does_no_lasting_harm() {
    let held =
        ["global/healthChecks", "global/addresses", "global/sslCertificates", "global/firewalls", "zones/"];
    spread::all(&held, |collection| spread::in_virtual_time(overtaken(collection)));
}
