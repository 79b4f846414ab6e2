//! Verbs that only one or two resource types have.

mod backend_service;
mod forwarding_rule;
mod instance_group;
mod network_endpoint_group;
mod permissions;
mod target_proxy;
mod url_map;

pub use instance_group::InstanceState;
pub use network_endpoint_group::{HealthStatus, MAX_ENDPOINTS_PER_CALL};
