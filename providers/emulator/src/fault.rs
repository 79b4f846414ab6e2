//! Faults on purpose: a list of rules, and what the first that matches does to a call of the API, to a request that goes
//! to a backend, or to a probe.
//!
//! | module | what it holds |
//! |---|---|
//! | `rule` | when: method, project, name, version, nth, probability, window of time |
//! | `kind` | what: every fault there is |
//! | `room` | the list, with how often each rule has hit |
//! | `list` | how rules are written in a file or a request |
//! | `backends` | the same for requests to backends and for probes, as the data plane asks |
//! | `part` | what is left of a change that succeeds in part |
//! | `answer` | the answers that faults put in the place of the engine's, or make of them |
//!
//! Deciding is pure: rules with their counters, and what happens, in; what to do, out. Those who act are the engine
//! (`engine::faulted`), operations under way (`engine::run`) and the data plane (`dataplane::disturbance`). No
//! declaration of a resource knows of faults.

pub(crate) mod answer;
mod backends;
mod kind;
mod list;
mod part;
mod room;
mod rule;

#[cfg(test)]
mod tests;

pub use self::kind::{BackendFault, Effect, Fault, Moment, ShownHealth, ThrottleStatus};
pub use self::list::FaultListError;
pub use self::rule::{NamePattern, Rule};

pub(crate) use self::backends::Backends;
pub use self::room::TakenId;
pub(crate) use self::room::{Room, Verdict};
pub(crate) use self::rule::{Event, Facts};
