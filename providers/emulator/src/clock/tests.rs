use super::*;
use std::sync::Mutex as StdMutex;

type Told = Arc<StdMutex<Vec<(String, i64)>>>;

fn held() -> Clock {
    Clock::held_at(Timestamp::UNIX_EPOCH)
}

fn sleeper(clock: &Clock, told: &Told, name: &str, seconds: &[u64]) {
    let (clock, told, name) = (clock.clone(), Arc::clone(told), name.to_owned());
    let spans: Vec<Duration> = seconds.iter().map(|seconds| Duration::from_secs(*seconds)).collect();
    let first = clock.sleep(spans[0]);
    tokio::spawn(async move {
        let mut turn = first.await;
        for span in spans.iter().skip(1).map(Some).chain([None]) {
            // What takes a while, and lets others run.
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            told.lock().unwrap().push((name.clone(), clock.now().as_second()));
            if let Some(span) = span {
                turn = turn.sleep(&clock, *span).await;
            }
        }
        drop(turn);
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_wakes_in_order_and_lets_consequences_happen() {
    let clock = held();
    let told = Told::default();
    sleeper(&clock, &told, "late", &[7]);
    sleeper(&clock, &told, "thrice", &[2, 3, 2]);
    sleeper(&clock, &told, "early", &[1]);
    sleeper(&clock, &told, "beyond", &[9]);
    sleeper(&clock, &told, "after late", &[7]);
    let stepped = clock.step(Duration::from_secs(8)).await;
    let expected =
        [("early", 1), ("thrice", 2), ("thrice", 5), ("late", 7), ("after late", 7), ("thrice", 7)];
    let expected: Vec<(String, i64)> = expected.iter().map(|(name, at)| ((*name).to_owned(), *at)).collect();
    assert_eq!(*told.lock().unwrap(), expected);
    assert_eq!(stepped, Stepped { now: Timestamp::from_second(8).unwrap(), woken: 6, unfinished: 0 });
    assert_eq!(clock.now().as_second(), 8);
    assert_eq!(clock.sleepers(), 1);
}

#[tokio::test]
async fn a_held_clock_stands_still_and_a_sleep_of_nothing_is_over() {
    let clock = held();
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert_eq!(clock.now(), Timestamp::UNIX_EPOCH);
    drop(clock.sleep(Duration::ZERO).await);
    let sleep = clock.sleep(Duration::from_secs(1));
    assert!(tokio::time::timeout(Duration::from_millis(20), sleep).await.is_err());
    assert_eq!(clock.sleepers(), 0, "who gives up is forgotten");
}

#[tokio::test(start_paused = true)]
async fn it_runs_at_the_pace_it_is_given() {
    let clock = held();
    let began = Instant::now();
    let long = clock.sleep(Duration::from_mins(1));
    clock.run(60.0).unwrap();
    drop(long.await);
    assert!(began.elapsed() < Duration::from_millis(1100), "{:?}", began.elapsed());
    assert!(clock.now().as_second() >= 60);
    // Slower again, in the middle of a sleep.
    let long = clock.sleep(Duration::from_secs(10));
    clock.run(0.5).unwrap();
    let began = Instant::now();
    drop(long.await);
    assert!(began.elapsed() >= Duration::from_secs(19), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_runs_can_be_stepped_and_never_goes_backwards() {
    let clock = Clock::starting_at(Timestamp::UNIX_EPOCH);
    let sleep = clock.sleep(Duration::from_hours(1));
    let woken = tokio::spawn(async { drop(sleep.await) });
    let before = clock.now();
    clock.step(Duration::from_hours(2)).await;
    woken.await.unwrap();
    let after = clock.now();
    assert!(after.duration_since(before) >= SignedDuration::from_hours(2));
    clock.not_before(Timestamp::UNIX_EPOCH);
    assert!(clock.now() >= after);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(clock.now().duration_since(after) >= SignedDuration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_step_does_not_wait_for_ever() {
    let clock = held();
    let sleep = clock.sleep(Duration::from_secs(1));
    let stuck = tokio::spawn(async move {
        let _turn = sleep.await;
        std::future::pending::<()>().await;
    });
    let stepped = clock.step(Duration::from_secs(2)).await;
    assert_eq!((stepped.woken, stepped.unfinished), (1, 1));
    stuck.abort();
}

#[tokio::test]
async fn a_pace_is_a_number_above_zero() {
    let clock = held();
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(clock.run(bad).is_err(), "{bad}");
    }
    assert_eq!(clock.pace(), Pace::Held);
}

#[tokio::test]
async fn a_step_beyond_all_time_ends_there() {
    let clock = held();
    assert_eq!(clock.step(Duration::MAX).await.now, Timestamp::MAX);
}
