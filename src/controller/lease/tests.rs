//! Against an API server that holds one Lease, by its own rules of versions.

#[path = "../../../tests/proof/lease.rs"]
mod server;

use super::*;
use server::{Shared, client};

const DURATION: Duration = Duration::from_secs(15);

fn settings(identity: &str) -> LeaseSettings {
    LeaseSettings { namespace: "gclb-system".to_owned(), identity: identity.to_owned(), duration: DURATION }
}

fn holder(server: &Shared) -> String {
    server.lock().unwrap().holder()
}

/// Stands, and leads.
async fn lead(server: &Shared, identity: &str) -> Candidacy {
    let candidacy = stand(client(server, identity), settings(identity));
    assert!(candidacy.permit().begun().await);
    candidacy
}

/// As a crash would: nobody renews it, and nobody gives it up.
fn crash(candidacy: Candidacy) -> Permit {
    let Candidacy { permit, restored: _, stop: _, standing } = candidacy;
    standing.abort();
    permit
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_made_kept_and_given_up() {
    let server = Shared::default();
    let one = lead(&server, "one").await;
    assert_eq!(holder(&server), "one");
    tokio::time::sleep(10 * DURATION).await;
    assert!(one.permit().lasts(DURATION / 3), "it has been renewed");
    one.resign().await;
    assert_eq!(holder(&server), "");
    lead(&server, "two").await.resign().await;
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_given_up_is_taken_within_a_second() {
    let server = Shared::default();
    let one = lead(&server, "one").await;
    let two = stand(client(&server, "two"), settings("two"));
    tokio::time::sleep(3 * DURATION).await;
    assert!(!two.permit().lasts(Duration::ZERO));
    one.resign().await;
    let free = Instant::now();
    assert!(two.permit().begun().await);
    assert!(free.elapsed() < Duration::from_secs(1), "taken after {:?}", free.elapsed());
    assert_eq!(holder(&server), "two");
    two.resign().await;
}

#[tokio::test(start_paused = true)]
async fn a_rival_leads_only_when_the_lease_is_over() {
    let server = Shared::default();
    let one = lead(&server, "one").await;
    let two = stand(client(&server, "two"), settings("two"));
    tokio::time::sleep(5 * DURATION).await;
    assert!(!two.permit().lasts(Duration::ZERO));
    let crashed = Instant::now();
    let old = crash(one);
    assert!(two.permit().begun().await);
    assert!(crashed.elapsed() >= DURATION * 2 / 3, "taken after {:?}", crashed.elapsed());
    assert!(crashed.elapsed() <= DURATION + Duration::from_secs(1), "taken after {:?}", crashed.elapsed());
    assert!(!old.lasts(Duration::ZERO), "two may never write at the same time");
    assert_eq!(holder(&server), "two");
    two.resign().await;
}

#[tokio::test(start_paused = true)]
async fn without_an_answer_the_permit_ends_before_anybody_can_take_the_lease() {
    let server = Shared::default();
    let one = lead(&server, "one").await;
    server.lock().unwrap().cut_off("one", true);
    let silent = Instant::now();
    one.permit().ended().await;
    assert!(silent.elapsed() <= DURATION * 9 / 10);
    server.lock().unwrap().cut_off("one", false);
    assert!(one.permit().begun().await, "nobody else has taken it");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_was_taken_is_lost_at_the_next_renewal_and_stood_by_for() {
    let server = Shared::default();
    let one = lead(&server, "one").await;
    server.lock().unwrap().usurp("two");
    let taken = Instant::now();
    one.permit().ended().await;
    assert!(taken.elapsed() <= DURATION / 3 + Duration::from_millis(1));
    assert_eq!(holder(&server), "two");
    // Two never renews it.
    assert!(one.permit().begun().await);
    assert_eq!(holder(&server), "one");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_was_put_back_is_noticed_at_the_next_renewal() {
    let server = Shared::default();
    let one = lead(&server, "one").await;
    tokio::time::sleep(3 * DURATION).await;
    let backup = server.lock().unwrap().save();
    assert!(tokio::time::timeout(10 * DURATION, one.restored()).await.is_err(), "nothing was put back");
    server.lock().unwrap().restore(backup);
    assert!(tokio::time::timeout(DURATION, one.restored()).await.is_ok());
    one.resign().await;
}

/// Clocks that differ in speed by a tenth do no harm; that is what the tenth that is kept back is for.
#[test]
fn a_slow_clock_of_the_leader_and_a_fast_one_of_the_rival_are_covered() {
    for milliseconds in [1_000, 5_000, 15_000, 60_000] {
        let duration = Duration::from_millis(milliseconds);
        let believed = duration * 9 / 10;
        // The leader's clock shows a tenth too little, so its nine tenths take longer.
        assert!(believed * 11 / 10 < duration);
        // Or the rival's clock runs a tenth too fast, so that its whole duration takes only so long.
        assert!(believed < duration * 10 / 11);
    }
}

#[test]
fn whoever_looks_on_sees_who_holds_it_until_it_runs_out_or_is_given_up() {
    let renewed: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let spec = LeaseSpec {
        holder_identity: Some("one".to_owned()),
        lease_duration_seconds: Some(15),
        renew_time: Some(MicroTime(renewed)),
        ..LeaseSpec::default()
    };
    let after = |seconds: i64| renewed + jiff::SignedDuration::from_secs(seconds);
    assert_eq!(held_at(&spec, after(14)).as_deref(), Some("one"));
    assert_eq!(held_at(&spec, after(15)), None);
    let free = LeaseSpec { holder_identity: Some(String::new()), ..spec };
    assert_eq!(held_at(&free, after(1)), None);
    assert_eq!(held_at(&LeaseSpec::default(), after(1)), None);
}
