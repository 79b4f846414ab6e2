//! What probes say about an endpoint, and when that changes its state.

use std::net::IpAddr;

use super::program::HealthCheck;
use super::resource_id::InstanceId;

/// Whether an endpoint gets traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealthState {
    /// Enough probes in a row succeeded.
    Healthy,
    /// Not yet, or no longer.
    Unhealthy,
}

/// The health of one endpoint of a backend service's group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointHealth {
    /// The instance, where the endpoint is on one.
    pub instance: Option<InstanceId>,
    /// The endpoint's address as the API knows it.
    pub address: IpAddr,
    /// The serving port.
    pub port: u16,
    /// The state.
    pub state: HealthState,
    /// Why the last probe failed; nothing if it succeeded or is still under way.
    pub last_failure: Option<String>,
}

/// The state of one endpoint as its probes made it. Begins unhealthy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HealthRecord {
    pub(super) state: HealthState,
    /// Probes in a row that spoke against the state.
    against: u32,
    pub(super) last_failure: Option<String>,
}

impl HealthRecord {
    pub(super) fn new() -> Self {
        Self { state: HealthState::Unhealthy, against: 0, last_failure: None }
    }

    /// Takes in one probe; true if the state changed.
    pub(super) fn observe(&mut self, probe: Result<(), String>, check: &HealthCheck) -> bool {
        let (seen, threshold, failure) = match probe {
            Ok(()) => (HealthState::Healthy, check.healthy_threshold, None),
            Err(why) => (HealthState::Unhealthy, check.unhealthy_threshold, Some(why)),
        };
        self.last_failure = failure;
        if seen == self.state {
            self.against = 0;
            return false;
        }
        self.against += 1;
        if self.against < threshold {
            return false;
        }
        self.state = seen;
        self.against = 0;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::dataplane::program::{Payload, Preamble, Probe, ProbePort, Transport};

    fn check(healthy_threshold: u32, unhealthy_threshold: u32) -> HealthCheck {
        HealthCheck {
            interval: Duration::from_secs(5),
            timeout: Duration::from_secs(5),
            healthy_threshold,
            unhealthy_threshold,
            port: ProbePort::Serving,
            preamble: Preamble::None,
            probe: Probe::Connect { transport: Transport::Plain, payload: Payload::default() },
        }
    }

    /// `+` is a probe that succeeds, `-` one that fails; the answer has the state after each: `H` or `u`.
    fn history(check: &HealthCheck, probes: &str) -> String {
        let mut record = HealthRecord::new();
        probes
            .chars()
            .map(|probe| {
                let before = record.state;
                let changed = record.observe(if probe == '+' { Ok(()) } else { Err("no".to_owned()) }, check);
                assert_eq!(changed, before != record.state);
                if record.state == HealthState::Healthy { 'H' } else { 'u' }
            })
            .collect()
    }

    #[test]
    fn a_state_changes_only_after_its_threshold_of_probes_in_a_row() {
        assert_eq!(history(&check(2, 2), "++--"), "uHHu");
        assert_eq!(history(&check(2, 2), "+-+-++"), "uuuuuH");
        assert_eq!(history(&check(2, 3), "++-+--+---"), "uHHHHHHHHu");
        assert_eq!(history(&check(1, 1), "+-+"), "HuH");
    }

    #[test]
    fn the_last_failure_is_kept_until_a_probe_succeeds() {
        let mut record = HealthRecord::new();
        record.observe(Err("refused".to_owned()), &check(2, 2));
        assert_eq!(record.last_failure.as_deref(), Some("refused"));
        record.observe(Ok(()), &check(2, 2));
        assert_eq!(record.last_failure, None);
    }
}
