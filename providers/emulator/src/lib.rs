//! A local Compute Engine.
