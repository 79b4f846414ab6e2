//! The emulator's API, asked over HTTP as any client would.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod addresses;
mod admin;
mod backend_services;
mod batch;
mod cdn;
mod chain;
mod changes;
mod clock;
mod cloud;
mod collections;
mod errors;
mod faults;
mod features;
mod garbage;
mod gcloud;
mod groups;
mod identities;
mod lists;
mod managed_certificates;
mod manners;
mod metadata;
mod operations;
mod other_targets;
mod programming;
mod proxies;
mod quotas;
mod schemes;
mod security_policies;
mod service_rules;
mod serving;
mod ssl_policies;
mod state_file;
mod tokens;
mod url_maps;
mod wire;
