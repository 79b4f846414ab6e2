//! Why an emulator did not start.

use crate::clock::NoPace;
use crate::fault::{FaultListError, TakenId};
use ipnet::Ipv4Net;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why an emulator did not start, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The faults cannot be read.
    // Its text is long and says it all, so it is no source beside: reporters would print it twice.
    #[error("{0} (--faults)")]
    Faults(FaultListError),
    /// Two fault rules have one name.
    #[error("taking up the faults: {0}")]
    FaultIds(#[source] TakenId),
    /// The request log cannot be written.
    #[error("opening the request log {}: {source}; name a file that can be written (--request-log)", path.display())]
    RequestLog {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The clock cannot go as it should.
    #[error("setting the clock: {0} (--time-scale)")]
    Pace(#[source] NoPace),
    /// The API's address or port is not to be had.
    #[error("listening for the API on {address}: {}", advice(*address, source))]
    Listen {
        /// Where it should have listened.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The metadata server's address or port is not to be had.
    #[error("listening for the metadata server on {address}: {}", advice(*address, source))]
    ListenMetadata {
        /// Where it should have listened.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The metadata server is to be in a project or a zone that cannot be.
    #[error(
        "the metadata server cannot be in {what}; choose another with --metadata-project or --metadata-zone"
    )]
    MetadataPlace {
        /// What cannot be.
        what: String,
    },
    /// The file of tokens cannot be used.
    #[error(transparent)]
    Tokens(#[from] crate::token::TokenFileError),
    /// Forwarding rules could not listen on their ports.
    #[error(
        "forwarding rules listen on addresses of {pool}, and a test of {address} was refused: {}; \
         or add a number to every port with --port-offset (8000 makes 80 into 8080)",
        advice(*address, source)
    )]
    LoadBalancerPort {
        /// The pool of addresses.
        pool: Ipv4Net,
        /// What was tried.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The pool of addresses is not loopback.
    #[error(
        "the address pool {pool} is not inside 127.0.0.0/8: the emulator listens on loopback only; \
         choose a part of 127.0.0.0/8 with --address-pool"
    )]
    PoolNotLoopback {
        /// What was given.
        pool: Ipv4Net,
    },
    /// The state file could not be opened.
    #[error(transparent)]
    StateFile(#[from] crate::journal::StateFileError),
    /// The data plane did not start.
    #[error("starting the load balancers")]
    DataPlane(#[source] crate::dataplane::StartError),
}

/// What to do about a refused port.
fn advice(address: SocketAddr, error: &io::Error) -> String {
    let port = address.port();
    match error.kind() {
        io::ErrorKind::PermissionDenied => format!(
            "port {port} is below what this user may open; run as root, or allow it with \
             'sysctl -w net.ipv4.ip_unprivileged_port_start={port}'"
        ),
        io::ErrorKind::AddrInUse => {
            format!("another process has port {port} there; stop it or choose another port")
        }
        io::ErrorKind::AddrNotAvailable => {
            "this machine does not have that address; 127.0.0.0/8 works without setup only on Linux"
                .to_owned()
        }
        _ => "the system refused it".to_owned(),
    }
}
