//! The tables that requests are served from: a program with its references resolved.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use rustls::ServerConfig;
use tokio_util::sync::CancellationToken;

use super::endpoint::Endpoint;
use super::program::{
    Affinity, BackendBucket, BackendProtocol, Frontend, Guard, HeaderAction, Logging, UrlMap,
};
use super::resource_id::{BackendServiceId, GroupId, UrlMapId};

/// One program, ready to serve. Never changed, only replaced.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// By the socket they listen on, port offset included.
    pub(super) frontends: HashMap<SocketAddr, Arc<FrontendTable>>,
    pub(super) url_maps: BTreeMap<UrlMapId, Arc<UrlMap>>,
    pub(super) buckets: BTreeMap<BackendServiceId, Arc<BackendBucket>>,
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
    pub(super) affinity: Affinity,
    pub(super) headers: HeaderAction,
    pub(super) guard: Guard,
    pub(super) logging: Logging,
    /// Endpoints that may get new requests.
    pub(super) serving: Vec<Serving>,
    /// The endpoints of each group, drained ones included.
    pub(super) groups: BTreeMap<GroupId, Vec<Arc<Endpoint>>>,
    /// Whose turn it is; carried from program to program.
    pub(super) turn: Arc<AtomicUsize>,
}

/// An endpoint that may get new requests.
#[derive(Debug)]
pub(super) struct Serving {
    pub(super) endpoint: Arc<Endpoint>,
    /// Its share, beside those of the others.
    pub(super) weight: u32,
}
