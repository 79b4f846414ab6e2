//! One probe of one endpoint.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::connect::{Alpn, ConnectError, Connector, Io, Stream};
use super::program::{HealthCheck, HttpProbe, HttpVersion, Payload, Preamble, Probe, Transport};
use super::tasks::Tasks;

/// How much of a body is searched for the expected text.
const SEARCHED: usize = 1024;
const USER_AGENT: &str = "GoogleHC/1.0";

/// Where a probe goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct ProbeTarget {
    /// The address as the API knows it; the `Host` of an HTTP probe.
    pub(super) address: IpAddr,
    /// Where it is dialled.
    pub(super) socket: SocketAddr,
    /// What the connection begins with.
    pub(super) preamble: Preamble,
}

/// Probes once. The text of a failure is for people.
pub(super) async fn probe(
    connector: &Connector,
    tasks: &Tasks,
    check: &HealthCheck,
    target: ProbeTarget,
) -> Result<(), String> {
    let attempt = async {
        match &check.probe {
            Probe::Http(http) => http_probe(connector, tasks, http, target).await,
            Probe::Connect { transport, payload } => {
                connect_probe(connector, *transport, payload, target).await
            }
            Probe::Grpc { transport, service } => {
                grpc_probe(connector, tasks, *transport, service, target).await
            }
        }
    };
    match tokio::time::timeout(check.timeout, attempt).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(failure)) => Err(failure.text()),
        Err(_) => Err(format!("no answer within {:?}", check.timeout)),
    }
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("asking the backend")]
    Http(#[from] hyper::Error),
    #[error("exchanging bytes with the backend")]
    Io(#[from] std::io::Error),
    #[error("the probe cannot be written as HTTP")]
    Request(#[from] http::Error),
    #[error("answered {0} where only 200 is healthy")]
    Status(StatusCode),
    #[error("the answer does not contain {0:?}")]
    Text(String),
    #[error("the answer does not begin with {0:?}")]
    Beginning(String),
    #[error("the gRPC health service did not answer SERVING: {0}")]
    Grpc(String),
}

impl Failure {
    /// The message with those of its causes.
    fn text(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    }
}

async fn open(
    connector: &Connector,
    transport: Transport,
    alpn: Alpn,
    target: ProbeTarget,
) -> Result<Box<dyn Stream>, ConnectError> {
    let mut stream = connector.tcp(target.socket).await?;
    match target.preamble {
        Preamble::None => {}
        Preamble::ProxyUnknown => stream
            .write_all(b"PROXY UNKNOWN\r\n")
            .await
            .map_err(|source| ConnectError::Tcp { target: target.socket, source })?,
    }
    match transport {
        Transport::Plain => Ok(Box::new(stream)),
        Transport::Tls => connector.tls(target.socket, stream, alpn).await,
    }
}

async fn http_probe(
    connector: &Connector,
    tasks: &Tasks,
    probe: &HttpProbe,
    target: ProbeTarget,
) -> Result<(), Failure> {
    let HttpProbe { transport, version, host, path, response: expected } = probe;
    let host = host.clone().unwrap_or_else(|| match target.address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    });
    let request = Request::builder().method(Method::GET).header(header::USER_AGENT, USER_AGENT);
    let look = |response: Response<Incoming>| async move {
        if response.status() != StatusCode::OK {
            return Err(Failure::Status(response.status()));
        }
        let Some(expected) = expected else { return Ok(()) };
        let body = beginning(response.into_body()).await?;
        let found = body.windows(expected.len().max(1)).any(|window| window == expected.as_bytes());
        if found { Ok(()) } else { Err(Failure::Text(expected.clone())) }
    };
    match version {
        HttpVersion::Http1 => {
            let io: Io = TokioIo::new(open(connector, *transport, Alpn::Http1, target).await?);
            let request = request
                .uri(path)
                .header(header::HOST, host)
                .header(header::CONNECTION, "close")
                .body(Empty::<Bytes>::new())?;
            let (mut sender, connection) = http1::handshake(io).await?;
            let exchange = async move { look(sender.send_request(request).await?).await };
            drive(exchange, connection).await
        }
        HttpVersion::Http2 => {
            let io: Io = TokioIo::new(open(connector, *transport, Alpn::Http2, target).await?);
            let scheme = if *transport == Transport::Tls { "https" } else { "http" };
            let request = request.uri(format!("{scheme}://{host}{path}")).body(Empty::<Bytes>::new())?;
            let (mut sender, connection) = http2::handshake(tasks.clone(), io).await?;
            let exchange = async move { look(sender.send_request(request).await?).await };
            drive(exchange, connection).await
        }
    }
}

/// Runs an exchange and the connection it needs in one task; both end with it.
async fn drive<T>(
    exchange: impl Future<Output = Result<T, Failure>>,
    connection: impl Future<Output = Result<(), hyper::Error>>,
) -> Result<T, Failure> {
    let mut exchange = std::pin::pin!(exchange);
    tokio::select! {
        biased;
        result = &mut exchange => result,
        // The connection may end with the answer already handed over: the exchange says which it was.
        _ = connection => exchange.await,
    }
}

/// The first bytes of a body, as many as are searched.
async fn beginning(mut body: Incoming) -> Result<Bytes, hyper::Error> {
    let mut read = BytesMut::new();
    while read.len() < SEARCHED {
        let Some(frame) = body.frame().await else { break };
        if let Ok(data) = frame?.into_data() {
            read.extend_from_slice(&data);
        }
    }
    read.truncate(SEARCHED);
    Ok(read.freeze())
}

async fn connect_probe(
    connector: &Connector,
    transport: Transport,
    payload: &Payload,
    target: ProbeTarget,
) -> Result<(), Failure> {
    let mut stream = open(connector, transport, Alpn::Http1, target).await?;
    let Payload { request, response } = payload;
    if let Some(request) = request {
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await?;
    }
    if let Some(expected) = response {
        let mut answer = vec![0; expected.len()];
        let mut read = 0;
        while read < answer.len() {
            match stream.read(&mut answer[read..]).await? {
                0 => break,
                more => read += more,
            }
        }
        if answer != expected.as_bytes() {
            return Err(Failure::Beginning(expected.clone()));
        }
    }
    Ok(())
}

async fn grpc_probe(
    connector: &Connector,
    tasks: &Tasks,
    transport: Transport,
    service: &str,
    target: ProbeTarget,
) -> Result<(), Failure> {
    let io: Io = TokioIo::new(open(connector, transport, Alpn::Http2, target).await?);
    let scheme = if transport == Transport::Tls { "https" } else { "http" };
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("{scheme}://{}/grpc.health.v1.Health/Check", target.socket))
        .header(header::USER_AGENT, USER_AGENT)
        .header(header::CONTENT_TYPE, "application/grpc")
        .header(header::TE, "trailers")
        .body(Full::new(grpc_request(service)))?;
    let (mut sender, connection) = http2::handshake(tasks.clone(), io).await?;
    let exchange = async move {
        let response = sender.send_request(request).await?;
        if response.status() != StatusCode::OK {
            return Err(Failure::Status(response.status()));
        }
        let headers = response.headers().clone();
        let body = response.into_body().collect().await?;
        let trailers = body.trailers().cloned().unwrap_or_default();
        grpc_verdict(&headers, &trailers, body.to_bytes())
    };
    drive(exchange, connection).await
}

/// A `HealthCheckRequest`: field 1 is the service name. Empty is not written, as the default.
fn grpc_request(service: &str) -> Bytes {
    let mut message = Vec::new();
    if !service.is_empty() {
        message.push(0x0a);
        let mut length = service.len();
        while length >= 0x80 {
            message.push(u8::try_from(length & 0x7f).unwrap_or_default() | 0x80);
            length >>= 7;
        }
        message.push(u8::try_from(length).unwrap_or_default());
        message.extend_from_slice(service.as_bytes());
    }
    let length = u32::try_from(message.len()).unwrap_or_default().to_be_bytes();
    [&[0][..], &length, &message].concat().into()
}

/// A `HealthCheckResponse` whose field 1 is 1, `SERVING`, and a status of zero.
fn grpc_verdict(headers: &HeaderMap, trailers: &HeaderMap, mut body: Bytes) -> Result<(), Failure> {
    let status = trailers.get("grpc-status").or_else(|| headers.get("grpc-status"));
    match status.map(HeaderValue::as_bytes) {
        Some(b"0") => {}
        Some(other) => return Err(Failure::Grpc(format!("grpc-status {}", String::from_utf8_lossy(other)))),
        None => return Err(Failure::Grpc("no grpc-status".to_owned())),
    }
    if body.len() < 5 {
        return Err(Failure::Grpc("no message".to_owned()));
    }
    body.advance(5);
    // Only SERVING is asked for, and its one encoding is these two bytes at the beginning.
    if body.starts_with(&[0x08, 0x01]) { Ok(()) } else { Err(Failure::Grpc("another state".to_owned())) }
}
