//! Sockets of frontends: binding, accepting, and taking them down.

use std::fmt;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection;
use super::resource_id::ForwardingRuleId;
use super::shared::Shared;
use super::tasks::unless;

/// Connections that the kernel may hold before they are accepted.
const BACKLOG: u32 = 1024;
/// The pause after an error of accepting (mostly: no file descriptors left), so as not to spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A frontend's place in the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// The forwarding rule.
    pub frontend: ForwardingRuleId,
    /// Where it listens, port offset included.
    pub address: SocketAddr,
}

/// A frontend that does not listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The forwarding rule.
    pub frontend: ForwardingRuleId,
    /// The address of the forwarding rule, before any port offset.
    pub address: SocketAddr,
    /// Why.
    pub reason: RefusalReason,
}

/// Why a frontend does not listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefusalReason {
    /// The system does not let this process listen on the port.
    Permission,
    /// Another program has the port.
    InUse,
    /// An earlier frontend of the program has the address and port.
    TakenBy(ForwardingRuleId),
    /// The address is not loopback.
    NotLoopback,
    /// The port with its offset is no port.
    OffsetTooLarge {
        /// The offset.
        offset: u16,
    },
    /// Anything else the system said.
    Other(String),
    /// The data plane is shut down.
    ShutDown,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { frontend, address, reason } = self;
        write!(f, "{} cannot listen on {address}: ", frontend.name())?;
        match reason {
            RefusalReason::Permission => write!(
                f,
                "the system reserves port {}; run as root, or lower net.ipv4.ip_unprivileged_port_start, or set a \
                 port offset",
                address.port()
            ),
            RefusalReason::InUse => {
                f.write_str("another program listens there; stop it, or set a port offset")
            }
            RefusalReason::TakenBy(other) => {
                write!(f, "the forwarding rule {} already does; give it another address", other.name())
            }
            RefusalReason::NotLoopback => {
                f.write_str("only loopback addresses are served; use one of the emulator's own addresses")
            }
            RefusalReason::OffsetTooLarge { offset } => {
                write!(f, "with the offset {offset} the port is above 65535; set a smaller port offset")
            }
            RefusalReason::Other(why) => f.write_str(why),
            RefusalReason::ShutDown => f.write_str("the data plane is shut down"),
        }
    }
}

/// Binds a socket that has no accepting task yet.
pub(super) fn bind(address: SocketAddr) -> Result<TcpListener, RefusalReason> {
    let bind = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // So that a listener can come back while old connections still linger in TIME_WAIT.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    bind().map_err(|error: std::io::Error| match error.kind() {
        ErrorKind::PermissionDenied => RefusalReason::Permission,
        ErrorKind::AddrInUse => RefusalReason::InUse,
        _ => RefusalReason::Other(error.to_string()),
    })
}

/// A socket that is being served.
#[derive(Debug)]
pub(super) struct OpenListener {
    accepting: JoinHandle<()>,
    stop: CancellationToken,
    /// Ends its connections wherever they stand.
    cut: CancellationToken,
    connections: TaskTracker,
}

impl OpenListener {
    pub(super) fn start(shared: &Arc<Shared>, socket: TcpListener, address: SocketAddr) -> Self {
        let stop = CancellationToken::new();
        let cut = CancellationToken::new();
        let connections = TaskTracker::new();
        let place = connection::Place {
            shared: shared.clone(),
            address,
            cut: cut.clone(),
            connections: connections.clone(),
        };
        let accept = unless(stop.clone(), accept(socket, place));
        let accepting = shared.tasks.spawn(accept);
        Self { accepting, stop, cut, connections }
    }

    /// Its connections, to wait for.
    pub(super) fn connections(&self) -> TaskTracker {
        self.connections.clone()
    }

    /// Closes the socket; when this returns nobody can connect any more. Connections go on: they are told to
    /// finish by their frontend, and cut after `grace`.
    pub(super) async fn close(self, shared: &Shared, grace: Duration) {
        let Self { accepting, stop, cut, connections } = self;
        stop.cancel();
        if let Err(error) = accepting.await {
            tracing::warn!(%error, "the accepting task of a listener failed");
        }
        connections.close();
        shared.tasks.spawn(async move {
            if tokio::time::timeout(grace, connections.wait()).await.is_err() {
                cut.cancel();
            }
        });
    }
}

async fn accept(socket: TcpListener, place: connection::Place) {
    loop {
        match socket.accept().await {
            Ok((stream, client)) => {
                let connection = connection::serve(place.clone(), stream, client);
                let connection = unless(place.cut.clone(), connection);
                let counted = place.connections.track_future(connection);
                place.shared.tasks.spawn(counted);
            }
            Err(error) => {
                tracing::warn!(%error, address = %place.address, "accepting a connection failed");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
