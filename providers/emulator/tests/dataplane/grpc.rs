//! gRPC: backends that speak it, and its health service.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use emulator::dataplane::program::{BackendProtocol, Probe, Transport};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls_pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::programs::{plain, with_check, with_service};
use crate::rig::{Rig, free_socket, own_address};

type Body = UnsyncBoxBody<Bytes, Infallible>;

fn trailers(status: &'static str) -> HeaderMap {
    [("grpc-status".parse().unwrap(), status.parse().unwrap())].into_iter().collect()
}

fn message(bytes: &'static [u8], status: &'static str) -> Response<Body> {
    let frames = [Ok(Frame::data(Bytes::from_static(bytes))), Ok(Frame::trailers(trailers(status)))];
    let mut response = Response::new(StreamBody::new(futures::stream::iter(frames)).boxed_unsync());
    response.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
    response
}

/// A server of HTTP/2 alone, as gRPC has it: its health service serves `web` and nothing else, `/echo` answers what it is
/// sent, and any other method is not implemented.
async fn answer(request: Request<Incoming>) -> Result<Response<Body>, hyper::Error> {
    assert_eq!(request.headers()["content-type"], "application/grpc");
    assert_eq!(request.headers()["te"], "trailers");
    let path = request.uri().path().to_owned();
    let asked = request.into_body().collect().await?.to_bytes();
    Ok(match path.as_str() {
        "/grpc.health.v1.Health/Check" if asked == b"\0\0\0\0\x05\x0a\x03web"[..] => {
            message(b"\0\0\0\0\x02\x08\x01", "0")
        }
        "/grpc.health.v1.Health/Check" => message(b"\0\0\0\0\x02\x08\x02", "0"),
        "/echo.Echo/Say" => message(b"\0\0\0\0\x02hi", "0"),
        _ => {
            // Trailers alone: an answer that ends with its headers.
            let mut response = Response::new(Empty::new().boxed_unsync());
            response.headers_mut().extend(trailers("12"));
            response
        }
    })
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin) {
    let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    drop(builder.serve_connection(TokioIo::new(stream), service_fn(answer)).await);
}

struct Server {
    socket: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    async fn start(transport: Transport) -> Self {
        let listener = TcpListener::bind((own_address(), 0)).await.unwrap();
        let socket = listener.local_addr().unwrap();
        let tls = (transport == Transport::Tls).then(acceptor);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let tls = tls.clone();
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream).await;
                            }
                        }
                    }
                });
            }
        });
        Self { socket, task }
    }
}

fn acceptor() -> TlsAcceptor {
    let signed = rcgen::generate_simple_self_signed(["backend".to_owned()]).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![signed.cert.der().clone()],
            PrivateKeyDer::try_from(signed.signing_key.serialize_der()).unwrap(),
        )
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

#[tokio::test]
async fn the_health_service_is_asked_by_name_in_the_clear_and_over_tls() {
    for transport in [Transport::Plain, Transport::Tls] {
        let server = Server::start(transport).await;
        let (rig, front) = (Rig::new(), free_socket());
        let asking = |service: &str| {
            with_check(plain(front, &[server.socket]), |check| {
                check.probe = Probe::Grpc { transport, service: service.to_owned() };
            })
        };
        rig.serve(asking("web"), "web", 1).await;
        // Another service of the same server is not there.
        rig.apply(asking("other")).await;
        rig.wait_healthy("web", "g1", 0).await;
        rig.plane.shutdown().await;
    }
}

#[tokio::test]
async fn calls_reach_a_backend_with_their_trailers_both_ways() {
    let server = Server::start(Transport::Plain).await;
    let (rig, front) = (Rig::new(), free_socket());
    let program = with_service(plain(front, &[server.socket]), |service| {
        service.protocol = BackendProtocol::H2c;
    });
    let program = with_check(program, |check| {
        check.probe = Probe::Grpc { transport: Transport::Plain, service: "web".to_owned() };
    });
    rig.serve(program, "web", 1).await;
    let stream = TcpStream::connect(front).await.unwrap();
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let call = |method: &str| {
        Request::post(format!("http://{front}{method}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(Full::new(Bytes::from_static(b"\0\0\0\0\x02yo")))
            .unwrap()
    };
    let answer = sender.send_request(call("/echo.Echo/Say")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["content-type"], "application/grpc");
    let body = answer.into_body().collect().await.unwrap();
    assert_eq!(body.trailers().unwrap()["grpc-status"], "0");
    assert_eq!(body.to_bytes(), Bytes::from_static(b"\0\0\0\0\x02hi"));
    // What a server does not implement it answers with trailers alone, which are headers on the wire.
    let answer = sender.send_request(call("/echo.Echo/Shout")).await.unwrap();
    assert_eq!((answer.status(), &answer.headers()["grpc-status"]), (StatusCode::OK, &"12".parse().unwrap()));
}
