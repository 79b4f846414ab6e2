//! A data plane under test, and waiting for it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use emulator::dataplane::dial::DialTable;
use emulator::dataplane::program::Program;
use emulator::dataplane::{DataPlane, DataPlaneConfig, EndpointHealth, HealthState};

use crate::programs::{group_id, service_id};

/// The one deadline of everything that is waited for. Long, because it only matters when a test fails.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) struct Rig {
    pub(crate) plane: DataPlane,
}

/// Settings under which probes follow each other quickly.
pub(crate) fn config() -> DataPlaneConfig {
    DataPlaneConfig {
        dial: DialTable::new(vec!["10.0.0.0/8=127.0.0.0/8".parse().unwrap()]),
        // Programs of these tests say 1 s.
        health_time_scale: 0.02,
        ..DataPlaneConfig::default()
    }
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::with(config())
    }

    pub(crate) fn with(config: DataPlaneConfig) -> Self {
        Self { plane: DataPlane::start(config).unwrap() }
    }

    /// Applies a program of which every frontend must listen.
    pub(crate) async fn apply(&self, program: Program) {
        let applied = self.plane.apply(program).await;
        assert_eq!(applied.refused, [], "every frontend listens");
    }

    /// Applies, and waits until `count` endpoints of the service's group `g1` are healthy.
    pub(crate) async fn serve(&self, program: Program, service: &str, count: usize) {
        self.apply(program).await;
        self.wait_healthy(service, "g1", count).await;
    }

    pub(crate) async fn wait_healthy(&self, service: &str, group: &str, count: usize) {
        self.wait_health(service, group, &format!("{count} healthy endpoints"), |health| {
            health.iter().filter(|endpoint| endpoint.state == HealthState::Healthy).count() == count
        })
        .await;
    }

    /// Waits until the health of a group is as asked.
    pub(crate) async fn wait_health(
        &self,
        service: &str,
        group: &str,
        what: &str,
        asked: impl Fn(&[EndpointHealth]) -> bool,
    ) -> Vec<EndpointHealth> {
        let mut changes = self.plane.watch_health();
        let wait = async {
            loop {
                changes.borrow_and_update();
                let health = self.plane.health(&service_id(service), &group_id(group));
                if asked(&health) {
                    return health;
                }
                changes.changed().await.unwrap();
            }
        };
        let waited = tokio::time::timeout(DEADLINE, wait).await;
        waited.unwrap_or_else(|_| {
            let have = self.plane.health(&service_id(service), &group_id(group));
            panic!("waited for {what} of {service}/{group}, have {have:?}")
        })
    }
}

/// Waits for a condition that nothing announces.
pub(crate) async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    assert!(tokio::time::timeout(DEADLINE, wait).await.is_ok(), "waited for {what}");
}

/// A loopback address that no other test and hardly another process uses.
pub(crate) fn own_address() -> Ipv4Addr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let last = NEXT.fetch_add(1, Ordering::Relaxed);
    let [_, _, high, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 0x60 | (high & 0x1f), low, last)
}

/// A free socket address of our own for a frontend.
pub(crate) fn free_socket() -> SocketAddr {
    let listener = TcpListener::bind((own_address(), 0)).unwrap();
    listener.local_addr().unwrap()
}

/// The 10.x address that is dialled as this loopback address.
pub(crate) fn cloud_address(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let [_, b, c, d] = address.octets();
            Ipv4Addr::new(10, b, c, d).into()
        }
        IpAddr::V6(_) => panic!("tests use IPv4"),
    }
}
