//! The wire types of Compute Engine's load-balancing API: what the emulator and the client agree on, because both
//! agree with Google.
//!
//! * Field names and types are generated from the published discovery document, and a test holds them to
//!   recorded bodies.
//! * Every member is optional, because a request says only what it wants and an answer leaves defaults out. An empty
//!   list that was sent is different from none.
//! * What this version does not know is kept in `extra`, so a resource that is read, changed and written loses nothing.
//! * JSON `null` reads as absent. A merge patch, where `null` deletes, is therefore a JSON value and not one of these.
//!
//! No HTTP, no policy, no defaults: those belong to the client and to the emulator.
//!
//! # Generating
//! `cargo run -p gce-api --example generate` rewrites the generated files (all but the seven named first below) and
//! `discovery.txt`, the digest of the document that the emulator's reference is held against; a test says when they are
//! stale.

// Written by hand.
mod error_body;
mod link;
mod list;
mod number;
mod resource;
mod secret;
mod warning;

// Generated.
mod adaptive_protection;
mod address;
mod backend_bucket;
mod backend_service;
mod cdn_policy;
mod duration;
mod firewall;
mod forwarding_rule;
mod health_check;
mod health_state;
mod instance;
mod instance_group;
mod labels;
mod network;
mod network_endpoint;
mod network_endpoint_group;
mod operation;
mod outlier_detection;
mod project;
mod rate_limit;
mod region;
mod route_action;
mod route_rule;
mod security_policy;
mod session_affinity;
mod ssl_certificate;
mod ssl_policy;
mod subnetwork;
mod target_http_proxy;
mod target_https_proxy;
mod url_map;
mod zone;

pub use error_body::{ErrorBody, ErrorReason, ErrorStatus};
pub use link::{InvalidLink, Link, Scope};
pub use list::{AggregatedList, List, ScopedList};
pub use number::{Int64, Uint64};
pub use resource::Resource;
pub use secret::Secret;
pub use warning::{Warning, WarningData};

pub use adaptive_protection::*;
pub use address::*;
pub use backend_bucket::*;
pub use backend_service::*;
pub use cdn_policy::*;
pub use duration::*;
pub use firewall::*;
pub use forwarding_rule::*;
pub use health_check::*;
pub use health_state::*;
pub use instance::*;
pub use instance_group::*;
pub use labels::*;
pub use network::*;
pub use network_endpoint::*;
pub use network_endpoint_group::*;
pub use operation::*;
pub use outlier_detection::*;
pub use project::*;
pub use rate_limit::*;
pub use region::*;
pub use route_action::*;
pub use route_rule::*;
pub use security_policy::*;
pub use session_affinity::*;
pub use ssl_certificate::*;
pub use ssl_policy::*;
pub use subnetwork::*;
pub use target_http_proxy::*;
pub use target_https_proxy::*;
pub use url_map::*;
pub use zone::*;
