//! A real Kubernetes control plane for tests.

pub mod assets;
mod certificates;
pub mod control_plane;
pub mod kubectl;
pub mod prerequisite;
pub mod process;
pub mod site;
pub mod wait;

pub use certificates::CertificatesError;
