//! From the API's objects to a [`Program`] for the data plane.
//!
//! Pure and total: it reads through [`Resources`], changes nothing, and whatever it is given it yields a program.
//! A reference that leads nowhere becomes an explicit state of the program (a frontend that answers 404, a
//! backend service without endpoints) and a [`Problem`] that says so; it never panics and never drops the rest.
//!
//! It does not validate: refusing a bad object is the API's work, and whatever got past it is served as well as
//! it can be.

mod affinity;
mod backend_bucket;
mod backend_service;
pub(crate) mod custom_headers;
mod firewall;
mod forwarding_rule;
mod header_name;
mod health_check;
mod incremental;
mod json;
mod logging;
mod security_policy;
pub(crate) mod ssl_policy;
#[cfg(test)]
mod tests;
mod url_map;

pub(crate) use self::incremental::Compiler;

use serde_json::Value;

use crate::dataplane::program::{NetworkEndpoint, Problem, Program, UrlMap};
use crate::dataplane::resource_id::UrlMapId;

/// The API's state, as the compiler reads it.
///
/// Paths are canonical everywhere: they begin at `projects/` and carry no host and no API version. Bodies are as
/// the API shows them; links inside may be full URLs or canonical paths.
pub trait Resources {
    /// Every object of a collection (`forwardingRules`, `firewalls`, `instances`) in all projects and scopes, with
    /// its canonical path, in a stable order.
    fn list(&self, collection: &str) -> Vec<(&str, &Value)>;

    /// The object at a canonical path.
    fn get(&self, path: &str) -> Option<&Value>;

    /// The endpoints attached to a network endpoint group. An endpoint whose body names no port carries the
    /// group's default port.
    fn network_endpoints(&self, group: &str) -> Vec<NetworkEndpoint>;

    /// The canonical paths of the instances in an instance group.
    fn group_members(&self, group: &str) -> Vec<String>;

    /// The PEM private key that was uploaded with an SSL certificate; the API itself never shows it.
    fn private_key(&self, ssl_certificate: &str) -> Option<&str>;
}

/// Compiles the whole state.
#[must_use]
pub fn compile(resources: &impl Resources) -> Program {
    let mut program = Program::default();
    for (path, body) in resources.list("forwardingRules") {
        forwarding_rule::compile(resources, path, body, &mut program);
    }
    let services: Vec<_> =
        program.url_maps.values().flat_map(|url_map| url_map.backend_services().cloned()).collect();
    for id in services {
        backend_service::compile(resources, &id, &mut program);
    }
    // Backend services that no forwarding rule reaches are not in a program: they get no traffic and no probes.
    firewall::compile(resources, &mut program);
    program
}

/// Compiles one URL map by itself, to ask where it would lead. What cannot be expressed is left out.
#[must_use]
pub(crate) fn compile_url_map(path: &str, body: &Value) -> UrlMap {
    url_map::compile(&UrlMapId::new(path), body, &mut Program::default())
}

impl Program {
    fn problem(&mut self, resource: &str, message: impl Into<String>) {
        self.problems.push(Problem { resource: resource.to_owned(), message: message.into() });
    }
}
