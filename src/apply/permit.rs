//! The right to write to the cloud. It ends by itself when the leader lease is not renewed in time.
//!
//! The cloud knows no fencing token, so the last check before each write is whether the right lasts for longer than the call may take,
//! and a call that is still out when the right ends is dropped. What this cannot rule out: a request that the network holds back
//! until after another leader has begun.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// May be asked, and waited for; see the [module](self).
#[derive(Debug, Clone)]
pub struct Permit {
    until: watch::Receiver<Until>,
}

/// Gives and takes away a [`Permit`]. Dropped, it takes it away.
#[derive(Debug)]
pub struct Grantor {
    until: watch::Sender<Until>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    Forever,
    Moment(Instant),
    Over,
}

impl Permit {
    /// For where nobody else can be writing.
    #[must_use]
    pub fn unlimited() -> Self {
        Self { until: watch::channel(Until::Forever).1 }
    }

    /// A permit that somebody must keep alive. It is not given yet.
    #[must_use]
    pub fn granted() -> (Grantor, Self) {
        let (sender, receiver) = watch::channel(Until::Over);
        (Grantor { until: sender }, Self { until: receiver })
    }

    /// Whether it lasts for longer than `call`.
    #[must_use]
    pub fn lasts(&self, call: Duration) -> bool {
        match *self.until.borrow() {
            Until::Forever => true,
            Until::Moment(until) => Instant::now() + call < until,
            Until::Over => false,
        }
    }

    /// Resolves when it lasts for longer than `call`: at once, or when it has been given or renewed.
    pub async fn lasting(&self, call: Duration) {
        let mut watched = self.until.clone();
        while !self.lasts(call) {
            if watched.changed().await.is_err() {
                // Nobody is left to renew it.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Resolves when it is given: at once where it is. `false`: nobody is left who could give it.
    pub async fn begun(&self) -> bool {
        let mut watched = self.until.clone();
        loop {
            let until = *watched.borrow_and_update();
            match until {
                Until::Forever => return true,
                Until::Moment(until) if Instant::now() < until => return true,
                Until::Moment(_) | Until::Over => {
                    if watched.changed().await.is_err() {
                        return false;
                    }
                }
            }
        }
    }

    /// Resolves when it has ended. Renewing it in time puts that off.
    pub async fn ended(&self) {
        let mut watched = self.until.clone();
        loop {
            let until = *watched.borrow_and_update();
            match until {
                // The sender of an unlimited permit is gone from the start, which means nothing.
                Until::Forever => std::future::pending::<()>().await,
                Until::Over => return,
                Until::Moment(until) => tokio::select! {
                    () = tokio::time::sleep_until(until) => return,
                    changed = watched.changed() => if changed.is_err() { return },
                },
            }
        }
    }
}

impl Grantor {
    /// It is good until then.
    pub fn grant(&self, until: Instant) {
        self.until.send_replace(Until::Moment(until));
    }

    /// It is over at once.
    pub fn withdraw(&self) {
        self.until.send_replace(Until::Over);
    }
}

impl Drop for Grantor {
    fn drop(&mut self) {
        self.withdraw();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn it_lasts_as_long_as_it_is_renewed() {
        let (grantor, permit) = Permit::granted();
        assert!(!permit.lasts(Duration::ZERO));
        grantor.grant(Instant::now() + 10 * SECOND);
        assert!(permit.lasts(9 * SECOND));
        assert!(!permit.lasts(10 * SECOND));

        tokio::time::advance(8 * SECOND).await;
        grantor.grant(Instant::now() + 10 * SECOND);
        assert!(tokio::time::timeout(9 * SECOND, permit.ended()).await.is_err());
        assert!(tokio::time::timeout(2 * SECOND, permit.ended()).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_when_its_grantor_is_gone() {
        let (grantor, permit) = Permit::granted();
        grantor.grant(Instant::now() + 10 * SECOND);
        let waiting = tokio::spawn({
            let permit = permit.clone();
            async move { permit.ended().await }
        });
        drop(grantor);
        waiting.await.unwrap();
        assert!(!permit.lasts(Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn it_begins_when_it_is_given_and_may_begin_again() {
        let (grantor, permit) = Permit::granted();
        assert!(tokio::time::timeout(SECOND, permit.begun()).await.is_err());
        grantor.grant(Instant::now() + SECOND);
        assert!(permit.begun().await);
        permit.ended().await;
        assert!(tokio::time::timeout(SECOND, permit.begun()).await.is_err(), "its moment is over");
        grantor.grant(Instant::now() + SECOND);
        assert!(permit.begun().await);
        drop(grantor);
        assert!(!permit.begun().await);
        assert!(Permit::unlimited().begun().await);
    }

    #[tokio::test(start_paused = true)]
    async fn without_limit_it_does_not_end() {
        let permit = Permit::unlimited();
        assert!(permit.lasts(3600 * SECOND));
        assert!(tokio::time::timeout(3600 * SECOND, permit.ended()).await.is_err());
    }
}
