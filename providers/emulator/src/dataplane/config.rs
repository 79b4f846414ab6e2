//! Settings of the data plane.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use super::bucket::Buckets;
use super::dial::DialTable;
use super::disturbance::Disturbance;
use crate::clock::Clock;
use crate::in_process::Sockets;

/// Settings of the data plane; [`Default`] is what a user gets who says nothing.
#[derive(Debug, Clone)]
pub struct DataPlaneConfig {
    /// Whether it listens, and asks endpoints. Without, every probe that gets through succeeds.
    pub sockets: Sockets,
    /// How the addresses of instances and pods are found on this machine. None: only loopback addresses are
    /// dialled, as they are.
    pub dial: DialTable,
    /// Added to every forwarding rule's port, for machines where ports below 1024 are refused.
    pub port_offset: u16,
    /// Where probes and proxied requests come from, as firewall rules see them. All ranges must be admitted.
    pub probe_sources: Vec<IpNet>,
    /// The local address to dial from; the system chooses if there is none. Must be loopback.
    pub dial_from: Option<IpAddr>,
    /// The clock that the intervals of health checks go by.
    pub clock: Clock,
    /// Multiplies the interval of health checks and the wait of a probe that a firewall drops, by the clock. The time
    /// allowed for an answer is not scaled and goes by the machine, which is no faster.
    pub health_time_scale: f64,
    /// When an endpoint is probed for the first time.
    pub first_probe: FirstProbe,
    /// What goes wrong with backends on purpose.
    pub disturbance: Option<Arc<dyn Disturbance>>,
    /// The files behind backend buckets.
    pub buckets: Buckets,
    /// How many requests are remembered, of those that are logged.
    pub traffic_log: usize,
    /// How long a connection to a backend may take to be made; also how long a request waits that a firewall
    /// drops.
    pub connect_timeout: Duration,
    /// How long requests in flight may run on after their frontend was removed.
    pub frontend_drain: Duration,
    /// How long requests in flight may run on at shutdown.
    pub shutdown_grace: Duration,
}

/// When an endpoint is probed for the first time, and after its health check was replaced by another. Google's probers do so at some
/// moment of the first interval.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum FirstProbe {
    /// As soon as its backend service is reached: the earliest that can be.
    #[default]
    AtOnce,
    /// An interval later: the latest that can be. Whoever sends requests to a service that was not probed yet loses them.
    AfterInterval,
}

impl Default for DataPlaneConfig {
    fn default() -> Self {
        Self {
            sockets: Sockets::Open,
            dial: DialTable::default(),
            port_offset: 0,
            probe_sources: google_probe_sources(),
            dial_from: None,
            clock: Clock::default(),
            health_time_scale: 1.0,
            first_probe: FirstProbe::AtOnce,
            disturbance: None,
            buckets: Buckets::default(),
            traffic_log: 1000,
            connect_timeout: Duration::from_secs(5),
            frontend_drain: Duration::from_secs(30),
            shutdown_grace: Duration::from_secs(2),
        }
    }
}

/// The ranges that Google documents for its probers and front ends.
#[must_use]
pub fn google_probe_sources() -> Vec<IpNet> {
    // Written as octets so that there is nothing to parse.
    let net = |a, b, length| IpNet::new_assert(IpAddr::V4(std::net::Ipv4Addr::new(a, b, 0, 0)), length);
    vec![net(35, 191, 16), net(130, 211, 22)]
}

impl DataPlaneConfig {
    /// How long an endpoint waits for its first probe.
    pub(super) fn until_first_probe(&self, interval: Duration) -> Duration {
        match self.first_probe {
            FirstProbe::AtOnce => Duration::ZERO,
            FirstProbe::AfterInterval => self.scaled(interval),
        }
    }

    /// A period of health checking, scaled, and never so short that it would spin.
    pub(super) fn scaled(&self, period: Duration) -> Duration {
        const SHORTEST: Duration = Duration::from_millis(1);
        let seconds = period.as_secs_f64() * self.health_time_scale;
        Duration::try_from_secs_f64(seconds).unwrap_or(period).max(SHORTEST)
    }
}
