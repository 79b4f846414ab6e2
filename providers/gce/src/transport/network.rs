//! HTTP over the network, with a bound on connections.
//!
//! More than a thousand calls may be out at a time, most of them waiting for an operation. Over TLS they share connections (HTTP/2), but a server
//! takes only so many on each, and whatever comes then waits behind them: so further connections are opened, one when the last is
//! nearly full. Over plain HTTP each call has a connection to itself. Either way there is a most, after which calls wait their turn.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use reqwest::redirect;
use tokio::sync::Semaphore;

use super::{Reached, Sending, Transport, TransportError};
use crate::BuildError;

/// Servers commonly take a hundred requests at a time on a connection.
const PER_CONNECTION: usize = 90;

/// So many connections over TLS. Together they take a minute's usual quota (1,500 calls of a group), should it be used all at once, and what
/// other groups have under way beside it.
const CONNECTIONS: usize = 20;

/// How to speak HTTP.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    pub(crate) user_agent: String,
    /// How long it may take to connect.
    pub(crate) connect: Duration,
    /// Whether the API is on this machine.
    pub(crate) loopback: bool,
}

/// See the [module](self).
pub(crate) struct Network {
    http: Http,
    /// The first is always there.
    lanes: Vec<OnceLock<reqwest::Client>>,
    /// How many calls are out on each.
    out: Arc<[AtomicUsize]>,
    per_lane: usize,
    room: Arc<Semaphore>,
}

impl Network {
    pub(crate) fn new(http: Http) -> Result<Self, BuildError> {
        Self::of(http, CONNECTIONS, PER_CONNECTION)
    }

    fn of(http: Http, lanes: usize, per_lane: usize) -> Result<Self, BuildError> {
        let first = http.client().map_err(|source| BuildError::Http { source })?;
        let room = Arc::new(Semaphore::new(lanes * per_lane));
        let out = (0..lanes).map(|_| AtomicUsize::new(0)).collect();
        let lanes: Vec<_> = (0..lanes).map(|_| OnceLock::new()).collect();
        lanes[0].get_or_init(|| first);
        Ok(Self { http, lanes, out, per_lane, room })
    }

    /// The first lane that has room, or the emptiest.
    fn lane(&self) -> (usize, reqwest::Client) {
        let out = |at: &usize| self.out[*at].load(Ordering::Relaxed);
        let at = (0..self.lanes.len())
            .find(|at| out(at) < self.per_lane)
            .or_else(|| (0..self.lanes.len()).min_by_key(out))
            .unwrap_or_default();
        let first = || self.lanes[0].get().expect("it is set before anybody has the network").clone();
        let lane = self.lanes[at].get_or_init(|| self.http.client().unwrap_or_else(|_| first()));
        (at, lane.clone())
    }
}

impl Http {
    fn client(&self) -> Result<reqwest::Client, reqwest::Error> {
        let Self { user_agent, connect, loopback } = self;
        let mut http = reqwest::Client::builder()
            .user_agent(user_agent)
            .connect_timeout(*connect)
            // The API never redirects; following one would take the token along.
            .redirect(redirect::Policy::none())
            // Waits of minutes share a connection with everything else: notice when it is dead.
            .http2_keep_alive_interval(Duration::from_secs(30))
            .http2_keep_alive_timeout(Duration::from_secs(20));
        if *loopback {
            // A proxy named in the environment cannot reach our loopback.
            http = http.no_proxy();
        }
        http.build()
    }
}

/// A call that is out, until it is dropped.
struct Out {
    lanes: Arc<[AtomicUsize]>,
    at: usize,
}

impl Drop for Out {
    fn drop(&mut self) {
        self.lanes[self.at].fetch_sub(1, Ordering::Relaxed);
    }
}

impl Transport for Network {
    fn send(&self, request: Request<Bytes>) -> Sending {
        let (at, client) = self.lane();
        self.out[at].fetch_add(1, Ordering::Relaxed);
        let out = Out { lanes: Arc::clone(&self.out), at };
        let room = Arc::clone(&self.room);
        Box::pin(async move {
            // It is never closed.
            let _room = room.acquire().await;
            let _out = out;
            over(&client, request).await
        })
    }
}

async fn over(client: &reqwest::Client, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
    let request = reqwest::Request::try_from(request).map_err(lost)?;
    let response = client.execute(request).await.map_err(lost)?;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = response
        .bytes()
        .await
        .map_err(|source| TransportError::new(Reached::Status(status.as_u16()), source))?;
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    Ok(answer)
}

/// Nothing was sent where the request could not be built or a connection not be made.
fn lost(source: reqwest::Error) -> TransportError {
    let reached = if source.is_connect() || source.is_builder() { Reached::Nobody } else { Reached::Perhaps };
    TransportError::new(reached, source)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn connections_have_a_bound_and_every_call_its_turn() {
        crate::install_crypto_provider();
        let http = Http { user_agent: "test".into(), connect: Duration::from_secs(5), loopback: true };
        let network = Network::of(http, 2, 3).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (open, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let served = Arc::new(Semaphore::new(0));
        tokio::spawn({
            let (open, most, served) = (Arc::clone(&open), Arc::clone(&most), Arc::clone(&served));
            async move {
                loop {
                    let (mut stream, _) = listener.accept().await.unwrap();
                    most.fetch_max(open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    let (open, served) = (Arc::clone(&open), Arc::clone(&served));
                    tokio::spawn(async move {
                        let mut request = [0; 4096];
                        while stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                            served.acquire().await.unwrap().forget();
                            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                            stream.write_all(answer).await.unwrap();
                        }
                        open.fetch_sub(1, Ordering::SeqCst);
                    });
                }
            }
        });
        let send = || network.send(Request::get(&url).body(Bytes::new()).unwrap());
        let calls: Vec<_> = (0..20).map(|_| tokio::spawn(send())).collect();
        while open.load(Ordering::SeqCst) < 6 {
            tokio::task::yield_now().await;
        }
        served.add_permits(20);
        for call in calls {
            assert_eq!(call.await.unwrap().unwrap().body(), "ok");
        }
        assert_eq!(most.load(Ordering::SeqCst), 6);
        assert!(network.out.iter().all(|out| out.load(Ordering::SeqCst) == 0));
    }
}
