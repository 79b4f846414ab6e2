//! One endpoint of one backend service: what outlives a change of program.
//!
//! An endpoint is the same across programs as long as its backend service, group, instance, address and port are.
//! Then its health, its pooled connections and the requests that run on it go on untouched.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use super::affinity::digest;
use super::dial::{DialRefused, DialTable};
use super::health::{EndpointHealth, HealthRecord, HealthState};
use super::pool::Pool;
use super::program::NetworkEndpoint;
use super::resource_id::{BackendServiceId, GroupId, InstanceId};

/// What makes an endpoint the same endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct EndpointKey {
    pub(super) service: BackendServiceId,
    pub(super) group: GroupId,
    pub(super) endpoint: NetworkEndpoint,
}

/// An endpoint as the data plane holds it.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) key: EndpointKey,
    /// A number of its own, the same in every run: what cookies name, and what keys are held against.
    pub(super) identity: u64,
    /// Where traffic is sent.
    pub(super) target: Result<SocketAddr, DialRefused>,
    pub(super) pool: Pool,
    /// Cancelled when requests to it may no longer run.
    pub(super) gone: CancellationToken,
    /// Whether firewalls let traffic through to the serving port.
    admitted: AtomicBool,
    healthy: AtomicBool,
    /// None while nothing probes it.
    record: Mutex<Option<HealthRecord>>,
}

impl Endpoint {
    pub(super) fn new(key: EndpointKey, dial: &DialTable) -> Self {
        let target = dial.resolve(key.endpoint.address, key.endpoint.port);
        let EndpointKey { service: _, group, endpoint } = &key;
        let instance = endpoint.instance.as_ref().map_or("", InstanceId::as_str);
        let name = format!("{group} {instance} {} {}", endpoint.address, endpoint.port);
        Self {
            identity: digest(name.as_bytes()),
            key,
            target,
            pool: Pool::default(),
            gone: CancellationToken::new(),
            admitted: AtomicBool::new(false),
            healthy: AtomicBool::new(false),
            record: Mutex::new(None),
        }
    }

    pub(super) fn is_healthy(&self) -> bool {
        self.healthy.load(Ordering::Relaxed)
    }

    pub(super) fn is_admitted(&self) -> bool {
        self.admitted.load(Ordering::Relaxed)
    }

    pub(super) fn set_admitted(&self, admitted: bool) {
        self.admitted.store(admitted, Ordering::Relaxed);
    }

    /// Replaces the record: a new one when probing begins (again), none when it ends.
    pub(super) fn reset_health(&self, record: Option<HealthRecord>) {
        let mut held = self.record();
        let healthy = record.as_ref().is_some_and(|record| record.state == HealthState::Healthy);
        *held = record;
        self.healthy.store(healthy, Ordering::Relaxed);
    }

    /// Changes the record, if there is one; the flag for the picker follows.
    pub(super) fn update_health<T>(&self, change: impl FnOnce(&mut HealthRecord) -> T) -> Option<T> {
        let mut held = self.record();
        let record = held.as_mut()?;
        let result = change(record);
        self.healthy.store(record.state == HealthState::Healthy, Ordering::Relaxed);
        Some(result)
    }

    /// What is known of its health; nothing while it is not probed.
    pub(super) fn health(&self) -> Option<EndpointHealth> {
        let record = self.record().clone()?;
        let NetworkEndpoint { instance, address, port } = self.key.endpoint.clone();
        let HealthRecord { state, last_failure, .. } = record;
        Some(EndpointHealth { instance, address, port, state, last_failure })
    }

    /// The lock guards plain data that is valid after every statement, so a panic elsewhere does not matter.
    fn record(&self) -> MutexGuard<'_, Option<HealthRecord>> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
