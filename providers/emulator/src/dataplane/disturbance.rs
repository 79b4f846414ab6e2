//! Backends that misbehave on purpose. The data plane asks; whoever decides stands outside of it.

use std::fmt::Debug;
use std::net::IpAddr;

use super::health::HealthState;
use super::resource_id::BackendServiceId;

/// Decides what goes wrong between the load balancer and its backends.
pub trait Disturbance: Debug + Send + Sync {
    /// A request is about to go to an endpoint.
    fn request(&self, service: &BackendServiceId, address: IpAddr, port: u16) -> Option<Disturbed>;

    /// A probe of an endpoint has ended; what it is to have found instead.
    fn probe(&self, service: &BackendServiceId, address: IpAddr, port: u16) -> Option<HealthState>;
}

/// What an endpoint does instead of answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disturbed {
    /// Nothing, for ever.
    Stalls,
    /// It breaks the connection off.
    Resets,
}
