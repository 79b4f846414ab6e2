//! The data plane with real sockets: clients on one side, backends on the other, loopback only.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "dataplane/affinity.rs"]
mod affinity;
#[path = "dataplane/backends.rs"]
mod backends;
#[path = "dataplane/buckets.rs"]
mod buckets;
#[path = "dataplane/client.rs"]
mod client;
#[path = "dataplane/custom_headers.rs"]
mod custom_headers;
#[path = "dataplane/firewalls.rs"]
mod firewalls;
#[path = "dataplane/grpc.rs"]
mod grpc;
#[path = "dataplane/health_checks.rs"]
mod health_checks;
#[path = "dataplane/hot_swap.rs"]
mod hot_swap;
#[path = "dataplane/listeners.rs"]
mod listeners;
#[path = "dataplane/programs.rs"]
mod programs;
#[path = "dataplane/requests.rs"]
mod requests;
#[path = "dataplane/retries.rs"]
mod retries;
#[path = "dataplane/rig.rs"]
mod rig;
#[path = "dataplane/route_actions.rs"]
mod route_actions;
#[path = "dataplane/security_policies.rs"]
mod security_policies;
#[path = "dataplane/time_outs.rs"]
mod time_outs;
#[path = "dataplane/tls.rs"]
mod tls;
#[path = "dataplane/traffic_log.rs"]
mod traffic_log;
#[path = "dataplane/upgrades.rs"]
mod upgrades;
