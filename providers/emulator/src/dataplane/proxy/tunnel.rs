//! Upgraded connections: bytes both ways until one side ends.

use std::time::Duration;

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_util::sync::CancellationToken;

use super::exchange::Lease;
use crate::dataplane::connection::Client;
use crate::dataplane::tasks::unless;

/// Bytes in flight in each direction.
const BUFFER: usize = 64 * 1024;

/// Starts the task that carries bytes between an upgraded client and its backend. It ends when both sides have, when
/// the endpoint is gone, when the frontend is cut, or when its lifetime is over. A new program alone does not end it.
pub(super) fn start(
    client: &Client,
    gone: CancellationToken,
    lifetime: Option<Duration>,
    client_side: OnUpgrade,
    backend_side: OnUpgrade,
    lease: Lease,
) {
    let place = &client.place;
    let carry = unless(
        place.cut.clone(),
        unless(gone, async move {
            let carried = carry(client_side, backend_side);
            let ended = match lifetime {
                None => carried.await,
                Some(lifetime) => match tokio::time::timeout(lifetime, carried).await {
                    Ok(ended) => ended,
                    Err(_) => Ok(()),
                },
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "upgraded connection ended");
            }
            // Held so long because the backend connection belongs to it.
            drop(lease);
        }),
    );
    place.shared.tasks.spawn(place.connections.track_future(carry));
}

#[derive(Debug, thiserror::Error)]
enum TunnelError {
    #[error("upgrading a connection")]
    Upgrade(#[from] hyper::Error),
    #[error("carrying bytes")]
    Carry(#[from] std::io::Error),
}

async fn carry(client_side: OnUpgrade, backend_side: OnUpgrade) -> Result<(), TunnelError> {
    let (client, backend) = tokio::try_join!(client_side, backend_side)?;
    let (mut client, mut backend) = (TokioIo::new(client), TokioIo::new(backend));
    tokio::io::copy_bidirectional_with_sizes(&mut client, &mut backend, BUFFER, BUFFER).await?;
    Ok(())
}
