//! A local Compute Engine: the load-balancing API, operations that take their time, and a data plane that serves.
//!
//! [`Emulator::start`] runs one in this process, without any socket if asked to ([`Sockets`]); the `gce-emulator` binary runs one by itself. It speaks Google's wire
//! format on one listener, any project id is accepted, and nothing leaves the machine. It knows no Kubernetes, and it
//! shares no code with the client: two sides that agree with each other instead of with Google would prove nothing.
//!
//! How a request goes through: `server` (HTTP) → `exchange` (what happens to every call) → `call` (what is meant) → `engine` (the verbs, once for all resources)
//! → `declaration` and `api/` (what a resource is, one file each) → `state`; an accepted change becomes an operation,
//! and `plane` hands the finished change to the data plane.

mod address_pool;
mod admin;
mod api;
mod batch;
mod call;
pub mod clock;
mod config;
pub mod dataplane;
mod declaration;
mod dice;
mod draft;
mod engine;
mod error;
mod exchange;
pub mod fault;
mod fields;
mod filter;
mod fingerprint;
#[doc(hidden)]
pub mod fuzzing;
mod in_process;
mod instance;
mod journal;
mod latency;
mod line;
mod list;
mod metadata;
mod name;
mod open_files;
mod operation;
mod plane;
pub mod program;
mod quota;
mod random;
#[cfg(test)]
mod reference;
mod request_log;
mod running;
mod schema;
mod scope;
mod seed;
mod server;
mod service;
mod snapshot;
mod span;
mod start_error;
mod state;
mod timestamp;
mod token;
mod version;
mod world;

pub use clock::Clock;
pub use config::{Config, MissingFingerprint, Options};
pub use dataplane::dial::{DialTranslation, DialTranslationError};
pub use engine::{DriftError, Issuance};
pub use fault::{Fault, Rule};
pub use in_process::{Caller, Sockets, Unanswered};
pub use instance::{Instance, RegisterError};
pub use journal::{StateFileContentError, StateFileError};
pub use latency::{Distribution, Latency, LatencyError, MethodLatency, OperationLatency};
pub use metadata::MetadataServer;
pub use plane::ProgrammingDelay;
pub use quota::{QuotaError, QuotaSetting, QuotaTold, RateGroup, RateLimit, RateLimits, ResourceQuotas};
pub use request_log::KeepAnswers;
pub use running::{Emulator, Running};
pub use snapshot::SnapshotError;
pub use span::Span;
pub use start_error::StartError;
pub use token::{Permissions, StaticToken, TokenCheck, TokenFileError};

/// Reads a state file, as far as it can be read without opening it: for fuzzing, and for looking at a file that an
/// emulator refuses.
pub fn check_state_file(bytes: &[u8]) -> Result<(), StateFileContentError> {
    journal::read(bytes).map(drop)
}

/// Reads a snapshot as `PUT /_emulator/snapshot` does, and says why it would be refused.
pub fn check_snapshot(bytes: &[u8]) -> Result<(), SnapshotError> {
    snapshot::check(bytes)
}

/// The page for people who use this crate, so that its example is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/emulator/library.md")]
pub struct LibraryPage;
