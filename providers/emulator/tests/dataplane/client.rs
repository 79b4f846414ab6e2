//! Clients.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, Uri, Version};
use http_body_util::{BodyExt, Empty, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpSocket, TcpStream};

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) version: Version,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// GET over a new connection.
pub(crate) async fn get(socket: SocketAddr, host: &str, path: &str) -> Answer {
    try_get(socket, host, path).await.unwrap()
}

/// GET over a new connection; an error if the connection breaks.
pub(crate) async fn try_get(socket: SocketAddr, host: &str, path: &str) -> Result<Answer, String> {
    let request = Request::get(path).header("host", host).body(Empty::new()).unwrap();
    send(socket, request).await
}

/// Sends a request over a new connection.
pub(crate) async fn send(socket: SocketAddr, request: Request<Empty<Bytes>>) -> Result<Answer, String> {
    Http1::connect(socket).await?.send(request).await
}

/// GET from an address of the caller's choice, which is the client's address for the load balancer.
pub(crate) async fn get_from(client: IpAddr, socket: SocketAddr, request: Request<Empty<Bytes>>) -> Answer {
    let from = TcpSocket::new_v4().unwrap();
    from.bind(SocketAddr::new(client, 0)).unwrap();
    let stream = from.connect(socket).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    read(sender.send_request(request).await.unwrap()).await.unwrap()
}

/// POST over a new connection.
pub(crate) async fn post(socket: SocketAddr, host: &str, path: &str, body: impl Into<Bytes>) -> Answer {
    let stream = TcpStream::connect(socket).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::post(path).header("host", host).body(Full::new(body.into())).unwrap();
    read(sender.send_request(request).await.unwrap()).await.unwrap()
}

/// A kept HTTP/1.1 connection.
pub(crate) struct Http1 {
    sender: http1::SendRequest<Empty<Bytes>>,
}

impl Http1 {
    pub(crate) async fn connect(socket: SocketAddr) -> Result<Self, String> {
        let stream = TcpStream::connect(socket).await.map_err(|error| error.to_string())?;
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
        tokio::spawn(connection);
        Ok(Self { sender })
    }

    pub(crate) async fn send(&mut self, request: Request<Empty<Bytes>>) -> Result<Answer, String> {
        self.sender.ready().await.map_err(|error| format!("{error:?}"))?;
        let response = self.sender.send_request(request).await.map_err(|error| format!("{error:?}"))?;
        read(response).await
    }

    pub(crate) async fn get(&mut self, host: &str, path: &str) -> Result<Answer, String> {
        self.send(Request::get(path).header("host", host).body(Empty::new()).unwrap()).await
    }
}

/// GET over a new HTTP/2 connection in the clear.
pub(crate) async fn get_http2(socket: SocketAddr, host: &str, path: &str) -> Answer {
    let stream = TcpStream::connect(socket).await.unwrap();
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let uri: Uri = format!("http://{host}{path}").parse().unwrap();
    read(sender.send_request(Request::get(uri).body(Empty::<Bytes>::new()).unwrap()).await.unwrap())
        .await
        .unwrap()
}

pub(crate) async fn read(response: http::Response<hyper::body::Incoming>) -> Result<Answer, String> {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map_err(|error| format!("{error:?}"))?.to_bytes();
    Ok(Answer {
        status: parts.status,
        version: parts.version,
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    })
}
