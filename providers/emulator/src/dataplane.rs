//! The data plane: load balancers that serve.
//!
//! Give it a [`program::Program`] and every frontend listens on its own loopback address, requests are routed by
//! the URL map to healthy endpoints, and endpoints are probed. A new program replaces the old one while requests
//! run: [`DataPlane::apply`].
//!
//! It does not know the API: no JSON, no operations, no names but those of the program. It decides nothing that
//! the program does not say; where Google's behaviour is not documented, what it does instead is written down in
//! `docs/data-plane.md`.

pub mod dial;
pub mod program;
pub mod resource_id;
