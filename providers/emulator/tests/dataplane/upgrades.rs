//! Upgraded connections, such as those of a web socket.

use std::net::SocketAddr;
use std::time::Duration;

use emulator::dataplane::program::{Destination, Redirect};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::backends::Backend;
use crate::programs::{everything_to, frontend, managed, map_id, plain, with_service};
use crate::rig::{DEADLINE, Rig, free_socket};

/// An upgraded connection; the handshake is over.
async fn upgrade(front: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(front).await.unwrap();
    let request = "GET /upgrade HTTP/1.1\r\nhost: h\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
                   sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(tokio::time::timeout(DEADLINE, stream.read_u8()).await.unwrap().unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    assert!(head.starts_with("http/1.1 101"), "{head}");
    assert!(
        head.contains("\r\nupgrade: websocket\r\n") && head.contains("\r\nconnection: upgrade\r\n"),
        "{head}"
    );
    stream
}

async fn echo(stream: &mut TcpStream, text: &str) -> std::io::Result<()> {
    stream.write_all(text.as_bytes()).await?;
    let mut back = vec![0; text.len()];
    tokio::time::timeout(DEADLINE, stream.read_exact(&mut back)).await.expect("an echo or an end")?;
    assert_eq!(back, text.as_bytes());
    Ok(())
}

/// Until the other side ends the connection; what it still sends is an error.
async fn ended(stream: &mut TcpStream) {
    let read =
        tokio::time::timeout(DEADLINE, stream.read(&mut [0; 16])).await.expect("the connection to end");
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
}

#[tokio::test]
async fn a_web_socket_passes_and_outlives_new_programs() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    let program = plain(front, &[backend.socket]);
    rig.serve(program.clone(), "web", 1).await;
    let mut stream = upgrade(front).await;
    echo(&mut stream, "hello").await.unwrap();
    let seen = backend.requests().pop().unwrap();
    assert_eq!(seen.headers["sec-websocket-version"], "13");
    assert_eq!(seen.headers["x-forwarded-proto"], "http");

    // Another frontend, another time-out, more endpoints, and even another destination: the backend is still there.
    let mut changed = with_service(program, |service| service.timeout = Duration::from_secs(99));
    changed.frontends.push(frontend("second", free_socket()));
    rig.apply(changed.clone()).await;
    echo(&mut stream, "still here").await.unwrap();
    changed.url_maps.insert(map_id("m"), everything_to(Destination::Redirect(Redirect::default())));
    rig.apply(changed).await;
    echo(&mut stream, "even now").await.unwrap();

    stream.shutdown().await.unwrap();
    ended(&mut stream).await;
    rig.plane.shutdown().await;
}

#[tokio::test]
async fn a_web_socket_ends_when_its_endpoint_is_taken_out() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    rig.serve(plain(front, &[backend.socket]), "web", 1).await;
    let mut stream = upgrade(front).await;
    echo(&mut stream, "hello").await.unwrap();
    rig.apply(plain(front, &[])).await;
    ended(&mut stream).await;
}

#[tokio::test]
async fn only_a_classic_load_balancer_limits_the_life_of_a_web_socket() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    let program = with_service(plain(front, &[backend.socket]), |service| {
        service.timeout = Duration::from_millis(400);
    });
    rig.serve(program.clone(), "web", 1).await;
    let begun = std::time::Instant::now();
    let mut stream = upgrade(front).await;
    ended(&mut stream).await;
    assert!(begun.elapsed() >= Duration::from_millis(400));

    rig.serve(managed(program), "web", 1).await;
    let mut stream = upgrade(front).await;
    let begun = std::time::Instant::now();
    while begun.elapsed() < Duration::from_secs(1) {
        echo(&mut stream, "still here").await.unwrap();
    }
}

#[tokio::test]
async fn a_web_socket_is_cut_at_shutdown() {
    let mut config = crate::rig::config();
    config.shutdown_grace = Duration::from_millis(50);
    let (rig, backend, front) = (Rig::with(config), Backend::start("one").await, free_socket());
    rig.serve(plain(front, &[backend.socket]), "web", 1).await;
    let mut stream = upgrade(front).await;
    echo(&mut stream, "hello").await.unwrap();
    tokio::time::timeout(DEADLINE, rig.plane.shutdown()).await.unwrap();
    ended(&mut stream).await;
}
