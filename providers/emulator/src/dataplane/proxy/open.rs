//! New HTTP connections to backends.

use std::net::SocketAddr;
use std::sync::Arc;

use hyper::client::conn::{http1, http2};
use hyper_util::rt::TokioIo;

use crate::dataplane::connect::{Alpn, ConnectError, Io, Stream};
use crate::dataplane::endpoint::Endpoint;
use crate::dataplane::pool::{Http1Connection, Http2Connection};
use crate::dataplane::shared::Shared;
use crate::dataplane::tasks::unless;

/// A new HTTP/1.1 connection; its task ends with it, or when the endpoint is gone.
pub(super) async fn http1(
    shared: &Shared,
    endpoint: &Arc<Endpoint>,
    target: SocketAddr,
    tls: bool,
) -> Result<Http1Connection, ConnectError> {
    let tcp = |source| ConnectError::Tcp { target, source };
    let stream = shared.connector.tcp(target).await?;
    // A second handle on the same socket, to ask the kernel whether the backend has hung up.
    let stream = stream.into_std().map_err(tcp)?;
    let socket = stream.try_clone().map_err(tcp)?;
    let stream = tokio::net::TcpStream::from_std(stream).map_err(tcp)?;
    let stream: Box<dyn Stream> =
        if tls { shared.connector.tls(target, stream, Alpn::Http1).await? } else { Box::new(stream) };
    let io: Io = TokioIo::new(stream);
    let (sender, connection) =
        http1::handshake(io).await.map_err(|source| ConnectError::Http { target, source })?;
    drive(shared, endpoint, target, connection.with_upgrades());
    Ok(Http1Connection { sender, socket, tls })
}

/// A new HTTP/2 connection; its task ends with it, or when the endpoint is gone.
pub(super) async fn http2(
    shared: &Shared,
    endpoint: &Arc<Endpoint>,
    target: SocketAddr,
    tls: bool,
) -> Result<Http2Connection, ConnectError> {
    let stream = shared.connector.tcp(target).await?;
    let stream: Box<dyn Stream> =
        if tls { shared.connector.tls(target, stream, Alpn::Http2).await? } else { Box::new(stream) };
    let io: Io = TokioIo::new(stream);
    let (sender, connection) = http2::Builder::new(shared.tasks.clone())
        .adaptive_window(true)
        .handshake(io)
        .await
        .map_err(|source| ConnectError::Http { target, source })?;
    drive(shared, endpoint, target, connection);
    Ok(Http2Connection { sender, tls })
}

/// Starts the task that moves the connection's bytes.
fn drive(
    shared: &Shared,
    endpoint: &Endpoint,
    target: SocketAddr,
    connection: impl Future<Output = hyper::Result<()>> + Send + 'static,
) {
    let driven = async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, %target, "backend connection ended");
        }
    };
    shared.tasks.spawn(unless(endpoint.gone.clone(), driven));
}
