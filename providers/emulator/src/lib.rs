//! A local Compute Engine.

pub mod dataplane;
pub mod program;
