//! The time a backend has.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::SinkExt;
use futures::channel::mpsc;
use http::{Request, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::backends::Backend;
use crate::client::get;
use crate::programs::{managed, plain, with_service};
use crate::rig::{DEADLINE, Rig, free_socket, own_address};

const SHORT: Duration = Duration::from_millis(400);

#[tokio::test]
async fn a_backend_that_does_not_answer_in_time_is_502_or_504() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    let program = with_service(plain(front, &[backend.socket]), |service| service.timeout = SHORT);
    for (program, status) in
        [(program.clone(), StatusCode::BAD_GATEWAY), (managed(program), StatusCode::GATEWAY_TIMEOUT)]
    {
        rig.serve(program, "web", 1).await;
        let begun = Instant::now();
        assert_eq!(get(front, "h", "/hold").await.status, status);
        assert!(begun.elapsed() >= SHORT);
    }
    assert_eq!(backend.requests().len(), 2, "each was sent once");
}

/// The clock begins with the end of the request, however long that takes, and runs until the end of the answer.
#[tokio::test]
async fn the_clock_runs_from_the_end_of_the_request_to_the_end_of_the_answer() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    rig.serve(with_service(plain(front, &[backend.socket]), |service| service.timeout = SHORT), "web", 1)
        .await;

    let (mut parts, receiver) = mpsc::channel::<Result<Frame<Bytes>, std::convert::Infallible>>(0);
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(TcpStream::connect(front).await.unwrap())).await.unwrap();
    tokio::spawn(connection);
    let request = Request::post("/mirror").header("host", "h").body(StreamBody::new(receiver)).unwrap();
    let mut response = sender.send_request(request).await.unwrap();
    let begun = Instant::now();
    while begun.elapsed() < 3 * SHORT {
        parts.send(Ok(Frame::data(Bytes::from_static(b"x")))).await.unwrap();
        tokio::time::timeout(DEADLINE, response.frame()).await.unwrap().unwrap().unwrap();
    }
    drop(parts);
    assert!(response.frame().await.is_none());
}

#[tokio::test]
async fn an_answer_that_does_not_end_in_time_is_cut() {
    let listener = TcpListener::bind((own_address(), 0)).await.unwrap();
    let (rig, front, socket) = (Rig::new(), free_socket(), listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                let read = stream.read(&mut buffer).await.unwrap();
                if buffer[..read].starts_with(b"GET /healthz") {
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
                    return;
                }
                // Never pauses: the cut may not depend on silence.
                stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
                while stream.write_all(b"4\r\nmore\r\n").await.is_ok() {
                    tokio::task::yield_now().await;
                }
            });
        }
    });
    rig.serve(with_service(plain(front, &[socket]), |service| service.timeout = SHORT), "web", 1).await;
    let begun = Instant::now();
    let answer =
        tokio::time::timeout(DEADLINE, crate::client::try_get(front, "h", "/endless")).await.unwrap();
    assert!(answer.is_err(), "the answer has begun, so it can only break off: {answer:?}");
    assert!(begun.elapsed() >= SHORT);
    server.abort();
}
