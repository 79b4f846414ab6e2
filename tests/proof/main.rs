//! Proofs by trying everything: the real controller, from the snapshot of API objects down to the HTTP client, against the emulator in
//! the same process, in virtual time. Nothing of what is proved is replaced; only the API server is a few maps ([`api`]), the network is
//! a function call and the clock is tokio's, paused.
//!
//! | module | what it proves |
//! |---|---|
//! | [`at_rest`] | a start with nothing to do, and an hour of rest, cost the lists that there are and no write |
//! | [`crash`] | a process that dies before or after any call, to the cloud or the API server, leaves nothing that the next one does not bring to the same end |
//! | [`fault_matrix`] | whatever goes wrong with any one call, or with two, the end is the same |
//! | [`histories`] | after any history of changes, drift, faults, restarts and changes of the leader the cloud is as if it had been built from the manifests just now |
//! | [`leaders`] | of two processes one writes; a standby is warm; a leader that has lost its lease stops before its next write |
//! | [`identity`] | two clusters with one cluster id are told so before anything is written |
//! | [`many`] | while many load balancers are made the stream of calls never runs dry; after a death nothing is asked for twice |
//! | [`partial`] | what a list over all scopes lacks, and says so, is neither made anew nor given up |
//! | [`taken`] | a name that somebody else took since everything was listed is not taken for ours |
//! | [`room`] | what a quota has no room for is not begun, and goes on when there is room |
//! | [`visible`] | each metric moves by itself, and what waits for a quota says so |
//!
//! docs/testing.md says how to run the long forms.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod api;
mod at_rest;
mod cloud;
mod crash;
mod fault_matrix;
mod gate;
mod histories;
mod identity;
mod kube_client;
mod leaders;
mod lease;
mod many;
mod objects;
mod partial;
mod room;
mod spread;
mod stories;
mod taken;
mod visible;
mod world;
