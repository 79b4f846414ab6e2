//! The tables that requests are served from: a program with its references resolved.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustls::ServerConfig;
use tokio_util::sync::CancellationToken;

use super::endpoint::Endpoint;
use super::program::{BackendProtocol, Frontend, UrlMap};
use super::resource_id::{BackendServiceId, GroupId, UrlMapId};

/// One program, ready to serve. Never changed, only replaced.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// By the socket they listen on, port offset included.
    pub(super) frontends: HashMap<SocketAddr, Arc<FrontendTable>>,
    pub(super) url_maps: BTreeMap<UrlMapId, Arc<UrlMap>>,
    pub(super) services: HashMap<BackendServiceId, Arc<ServiceTable>>,
}

/// A frontend that listens.
#[derive(Debug)]
pub(super) struct FrontendTable {
    pub(super) frontend: Frontend,
    /// For HTTPS.
    pub(super) tls: Option<Arc<ServerConfig>>,
    /// Cancelled when connections should finish what they have begun and close. Carried from program to program
    /// while the frontend speaks the same protocol.
    pub(super) finish: CancellationToken,
}

/// A backend service.
#[derive(Debug)]
pub(super) struct ServiceTable {
    pub(super) protocol: BackendProtocol,
    pub(super) timeout: Duration,
    pub(super) draining: Duration,
    /// Endpoints that may get new requests.
    pub(super) serving: Vec<Arc<Endpoint>>,
    /// The endpoints of each group, drained ones included.
    pub(super) groups: BTreeMap<GroupId, Vec<Arc<Endpoint>>>,
    /// Whose turn it is; carried from program to program.
    pub(super) turn: Arc<AtomicUsize>,
}

impl ServiceTable {
    /// The next healthy endpoint, round robin over all groups.
    pub(super) fn pick(&self) -> Option<&Arc<Endpoint>> {
        let healthy = || self.serving.iter().filter(|endpoint| endpoint.is_healthy());
        let turn = self.turn.fetch_add(1, Ordering::Relaxed).checked_rem(healthy().count())?;
        // Health may change between counting and choosing; the first healthy one then stands in.
        healthy().nth(turn).or_else(|| healthy().next())
    }
}
