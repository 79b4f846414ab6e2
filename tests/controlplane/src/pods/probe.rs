//! Readiness probes, as the kubelet carries them out: against the pod's own echo server.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A readiness probe of one container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Probe {
    pub(super) action: ProbeAction,
    pub(super) initial_delay: Duration,
    pub(super) period: Duration,
    pub(super) timeout: Duration,
    pub(super) success_threshold: u32,
    pub(super) failure_threshold: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ProbeAction {
    /// Succeeds on a status from 200 to 399.
    HttpGet { path: String, port: u16 },
    /// Succeeds when the port accepts a connection.
    Connect { port: u16 },
}

impl Probe {
    /// Probes `address` (where it really listens) until `stop`, and sends each change of the verdict.
    pub(super) async fn run(self, address: Ipv4Addr, verdict: watch::Sender<bool>, stop: CancellationToken) {
        let client = reqwest::Client::builder()
            .user_agent("kube-probe/1.36")
            .timeout(self.timeout)
            .redirect(reqwest::redirect::Policy::none())
            // The kubelet opens a connection for each probe.
            .pool_max_idle_per_host(0)
            .build();
        let client = match client {
            Ok(client) => client,
            Err(error) => return tracing::warn!("a readiness probe cannot be run: {error}"),
        };
        let mut count = Count::default();
        let mut pause = self.initial_delay;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
            pause = self.period;
            let succeeded = self.look(&client, address).await;
            let now = count.add(succeeded, *verdict.borrow(), &self);
            verdict.send_if_modified(|before| std::mem::replace(before, now) != now);
        }
    }

    async fn look(&self, client: &reqwest::Client, address: Ipv4Addr) -> bool {
        match &self.action {
            ProbeAction::HttpGet { path, port } => {
                let slash = if path.starts_with('/') { "" } else { "/" };
                let answer = client.get(format!("http://{address}:{port}{slash}{path}")).send().await;
                answer.is_ok_and(|answer| (200..400).contains(&answer.status().as_u16()))
            }
            ProbeAction::Connect { port } => {
                let connect = tokio::net::TcpStream::connect(SocketAddr::from((address, *port)));
                tokio::time::timeout(self.timeout, connect).await.is_ok_and(|connected| connected.is_ok())
            }
        }
    }
}

/// How often in a row the probe has said the same.
#[derive(Debug, Default)]
struct Count {
    last: bool,
    in_a_row: u32,
}

impl Count {
    /// Takes in one result and says whether the container is ready now.
    fn add(&mut self, succeeded: bool, ready: bool, probe: &Probe) -> bool {
        self.in_a_row = if self.last == succeeded { self.in_a_row.saturating_add(1) } else { 1 };
        self.last = succeeded;
        let needed = if succeeded { probe.success_threshold } else { probe.failure_threshold };
        if self.in_a_row >= needed { succeeded } else { ready }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_decide() {
        let probe = Probe {
            action: ProbeAction::Connect { port: 1 },
            initial_delay: Duration::ZERO,
            period: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
            success_threshold: 2,
            failure_threshold: 3,
        };
        let mut count = Count::default();
        let mut ready = false;
        let mut verdicts = Vec::new();
        for succeeded in [true, true, false, false, true, false, false, false, true] {
            ready = count.add(succeeded, ready, &probe);
            verdicts.push(ready);
        }
        assert_eq!(verdicts, [false, true, true, true, true, true, true, false, false]);
    }
}
