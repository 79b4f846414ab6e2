//! Backends: servers that say what they were asked.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::rig::own_address;

/// A request as a backend saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) uri: String,
    pub(crate) version: http::Version,
    pub(crate) headers: HeaderMap,
}

/// What a backend knows and what it is told.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) name: String,
    pub(crate) healthy: AtomicBool,
    pub(crate) connections: AtomicUsize,
    /// All but probes.
    pub(crate) requests: Mutex<Vec<Seen>>,
    pub(crate) probes: Mutex<Vec<Seen>>,
    /// The bodies of requests that were read to their end.
    pub(crate) bodies: Mutex<Vec<String>>,
    /// What the next requests are answered instead of 200, the first of the list first.
    pub(crate) failures: Mutex<VecDeque<u16>>,
    /// `/hold` answers when a permit is there.
    pub(crate) release: Semaphore,
    /// Told when `/hold` was reached.
    pub(crate) held: Notify,
}

/// A server on a loopback address and port of its own; gone when dropped.
pub(crate) struct Backend {
    pub(crate) socket: SocketAddr,
    pub(crate) state: Arc<State>,
    tasks: tokio::task::JoinHandle<()>,
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.tasks.abort();
    }
}

impl Backend {
    pub(crate) async fn start(name: &str) -> Self {
        Self::listen(name, None, (own_address(), 0).into()).await
    }

    /// At an address of the caller's choice.
    pub(crate) async fn start_at(address: std::net::IpAddr, port: u16) -> Self {
        Self::listen("at", None, (address, port).into()).await
    }

    /// Over TLS, with a certificate that nobody knows.
    pub(crate) async fn start_tls(name: &str) -> Self {
        let signed = rcgen::generate_simple_self_signed(["backend".to_owned()]).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![signed.cert.der().clone()],
                rustls_pki_types::PrivateKeyDer::try_from(signed.signing_key.serialize_der()).unwrap(),
            )
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Self::listen(name, Some(TlsAcceptor::from(Arc::new(config))), (own_address(), 0).into()).await
    }

    async fn listen(name: &str, tls: Option<TlsAcceptor>, address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let socket = listener.local_addr().unwrap();
        let state = Arc::new(State {
            name: name.to_owned(),
            healthy: AtomicBool::new(true),
            connections: AtomicUsize::new(0),
            requests: Mutex::default(),
            probes: Mutex::default(),
            bodies: Mutex::default(),
            failures: Mutex::default(),
            release: Semaphore::new(0),
            held: Notify::new(),
        });
        let tasks = tokio::spawn(accept(listener, tls, state.clone()));
        Self { socket, state, tasks }
    }

    pub(crate) fn set_healthy(&self, healthy: bool) {
        self.state.healthy.store(healthy, Ordering::Relaxed);
    }

    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.state.requests.lock().unwrap().clone()
    }

    pub(crate) fn bodies(&self) -> Vec<String> {
        self.state.bodies.lock().unwrap().clone()
    }

    /// Answers the next requests with these statuses.
    pub(crate) fn fail_next(&self, statuses: &[u16]) {
        *self.state.failures.lock().unwrap() = statuses.iter().copied().collect();
    }

    pub(crate) fn probes(&self) -> Vec<Seen> {
        self.state.probes.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::Relaxed)
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, state: Arc<State>) {
    // Dropped with the task, so that connections end with the backend.
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (tls, state) = (tls.clone(), state.clone());
        connections.spawn(async move {
            state.connections.fetch_add(1, Ordering::Relaxed);
            let service = service_fn(move |request| answer(state.clone(), request));
            let builder = auto::Builder::new(TokioExecutor::new());
            match tls {
                None => drop(builder.serve_connection_with_upgrades(TokioIo::new(stream), service).await),
                Some(tls) => {
                    let Ok(stream) = tls.accept(stream).await else { return };
                    drop(builder.serve_connection_with_upgrades(TokioIo::new(stream), service).await);
                }
            }
        });
    }
}

type Body = UnsyncBoxBody<Bytes, hyper::Error>;

fn text(text: impl Into<Bytes>) -> Response<Body> {
    Response::new(Full::new(text.into()).map_err(|never| match never {}).boxed_unsync())
}

async fn answer(state: Arc<State>, mut request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let seen = Seen {
        method: request.method().to_string(),
        uri: request.uri().to_string(),
        version: request.version(),
        headers: request.headers().clone(),
    };
    if request.headers().get("user-agent").is_some_and(|agent| agent == "GoogleHC/1.0") {
        state.probes.lock().unwrap().push(seen);
        let mut response = text("all is well");
        if !state.healthy.load(Ordering::Relaxed) {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        return Ok(response);
    }
    state.requests.lock().unwrap().push(seen);
    let path = request.uri().path().to_owned();
    let mut response = match path.as_str() {
        "/hold" => {
            state.held.notify_one();
            state.release.acquire().await.unwrap().forget();
            text(state.name.clone())
        }
        "/mirror" => Response::new(request.into_body().boxed_unsync()),
        "/upgrade" => {
            let upgrade = hyper::upgrade::on(&mut request);
            tokio::spawn(async move {
                let mut io = TokioIo::new(upgrade.await.unwrap());
                let (mut read, mut write) = tokio::io::split(&mut io);
                drop(tokio::io::copy(&mut read, &mut write).await);
            });
            let mut response = text("");
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            response.headers_mut().insert("connection", "upgrade".parse().unwrap());
            response.headers_mut().insert("upgrade", request.headers()["upgrade"].clone());
            response
        }
        _ => {
            // Read it, or the connection could not be kept.
            if let Ok(body) = request.into_body().collect().await {
                state.bodies.lock().unwrap().push(String::from_utf8(body.to_bytes().to_vec()).unwrap());
            }
            let mut response = text(state.name.clone());
            if let Some(status) = state.failures.lock().unwrap().pop_front() {
                *response.status_mut() = StatusCode::from_u16(status).unwrap();
            }
            response
        }
    };
    response.headers_mut().insert("x-backend", state.name.parse().unwrap());
    response.headers_mut().insert("keep-alive", "timeout=5".parse().unwrap());
    Ok(response)
}
