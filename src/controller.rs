//! Runs the pipeline whenever something changes. IO, and no decisions about resources.

pub mod source;
