//! Endpoints that were taken out, while what runs on them has time left.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::endpoint::Endpoint;
use super::program::NetworkEndpoint;
use super::resource_id::{BackendServiceId, GroupId};

/// Kept for people and for the API alone: no request looks here.
#[derive(Debug, Default)]
pub(super) struct Draining {
    endpoints: Mutex<Vec<Arc<Endpoint>>>,
}

impl Draining {
    pub(super) fn begin(&self, endpoint: Arc<Endpoint>) {
        self.endpoints().push(endpoint);
    }

    pub(super) fn end(&self, endpoint: &Arc<Endpoint>) {
        self.endpoints().retain(|held| !Arc::ptr_eq(held, endpoint));
    }

    /// Those of a group, as a backend of one backend service.
    pub(super) fn of(&self, service: &BackendServiceId, group: &GroupId) -> Vec<NetworkEndpoint> {
        let endpoints = self.endpoints();
        let of = endpoints.iter().filter(|held| held.key.service == *service && held.key.group == *group);
        of.map(|held| held.key.endpoint.clone()).collect()
    }

    /// The lock guards plain data that is valid after every statement, so a panic elsewhere does not matter.
    fn endpoints(&self) -> MutexGuard<'_, Vec<Arc<Endpoint>>> {
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
