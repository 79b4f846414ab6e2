//! A node port: what kube-proxy does on a node, connection by connection.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Forwards connections to the targets in turn until `stop` is cancelled. Without a target, and where none can be reached, a connection
/// is closed at once.
pub(super) async fn run(
    listener: TcpListener,
    targets: watch::Receiver<Vec<SocketAddr>>,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    let mut turn = 0_usize;
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        // A connection that was given up before it was accepted concerns nobody.
        let Ok((mut client, _)) = accepted else { continue };
        let candidates = targets.borrow().clone();
        let first = turn;
        turn = turn.wrapping_add(1);
        let stop = stop.clone();
        tasks.spawn(async move {
            let forwarding = async {
                for nth in 0..candidates.len() {
                    let target = candidates[first.wrapping_add(nth) % candidates.len()];
                    if let Ok(mut pod) = TcpStream::connect(target).await {
                        // How a connection ends is for its two ends to judge.
                        let _ = copy_bidirectional(&mut client, &mut pod).await;
                        return;
                    }
                }
            };
            stop.run_until_cancelled(forwarding).await;
        });
    }
}
