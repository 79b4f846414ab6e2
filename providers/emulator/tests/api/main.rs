//! The emulator's API, asked over HTTP as any client would.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod addresses;
mod admin;
mod backend_services;
mod batch;
mod chain;
mod changes;
mod clock;
mod cloud;
mod errors;
mod garbage;
mod gcloud;
mod groups;
mod identities;
mod lists;
mod manners;
mod metadata;
mod operations;
mod proxies;
mod quotas;
mod schemes;
mod service_rules;
mod serving;
mod state_file;
mod tokens;
mod url_maps;
mod wire;
