//! One client connection: TLS, HTTP version, and the end of its life.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::proxy;
use super::route::TlsFacts;
use super::shared::Shared;
use super::tls;

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a client may keep an HTTP/1.1 connection without a request.
const KEEP_ALIVE: Duration = Duration::from_secs(610);

/// What all connections of one listener know.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) shared: Arc<Shared>,
    /// The socket, which names the frontend in the tables.
    pub(super) address: SocketAddr,
    /// Ends connections wherever they stand.
    pub(super) cut: CancellationToken,
    /// Counts what belongs to the listener.
    pub(super) connections: TaskTracker,
}

/// One client's connection.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) place: Place,
    pub(super) address: SocketAddr,
    /// None: in the clear.
    pub(super) tls: Option<TlsFacts>,
}

impl Client {
    /// What the client's URLs begin with.
    pub(super) fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }
}

/// Serves a connection to its end.
pub(super) async fn serve(place: Place, stream: TcpStream, client: SocketAddr) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "setting TCP_NODELAY");
    }
    let Some(frontend) = place.shared.tables().frontends.get(&place.address).cloned() else {
        // Its frontend went while it waited to be accepted.
        return;
    };
    let finish = frontend.finish.clone();
    let address = SocketAddr::new(client.ip().to_canonical(), client.port());
    match &frontend.tls {
        None => serve_http(Client { place, address, tls: None }, stream, finish).await,
        Some(config) => {
            let handshake = TlsAcceptor::from(config.clone()).accept(stream);
            match tokio::time::timeout(HANDSHAKE, handshake).await {
                Ok(Ok(stream)) => {
                    let tls = Some(tls::facts(stream.get_ref().1));
                    serve_http(Client { place, address, tls }, stream, finish).await;
                }
                Ok(Err(error)) => tracing::debug!(%error, %client, "TLS handshake failed"),
                Err(_) => tracing::debug!(%client, "TLS handshake took too long"),
            }
        }
    }
}

async fn serve_http<S>(client: Client, stream: S, finish: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut builder = auto::Builder::new(client.place.shared.tasks.clone());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(KEEP_ALIVE);
    builder.http2().timer(TokioTimer::new()).adaptive_window(true);
    let peer = client.address;
    let client = Arc::new(client);
    let service = service_fn(move |request| {
        let client = client.clone();
        async move { Ok::<_, Infallible>(proxy::handle(&client, request).await) }
    });
    let mut connection =
        std::pin::pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = finish.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, %peer, "client connection ended");
    }
}
