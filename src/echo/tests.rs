use std::time::Instant;

use reqwest::{Client, StatusCode};

use super::*;

struct Running {
    base: String,
    behaviour: watch::Sender<Behaviour>,
    stop: CancellationToken,
    served: tokio::task::JoinHandle<std::io::Result<()>>,
}

async fn start() -> Running {
    // Both the emulator and this crate bring rustls without a default provider; a second install is no harm.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let (behaviour, receiver) = watch::channel(Behaviour::default());
    let stop = CancellationToken::new();
    let identity = Identity { pod: "echo-1".into(), namespace: "shop".into(), node: "node-a".into() };
    let served = tokio::spawn(serve(listener, identity, receiver, stop.clone()));
    Running { base, behaviour, stop, served }
}

#[tokio::test]
async fn the_page_shows_what_was_received() {
    let echo = start().await;
    let answer = Client::new()
        .post(format!("{}/shop/cart?item=7", echo.base))
        .header("X-Forwarded-For", "203.0.113.9")
        .header("Host", "shop.example:8080")
        .body("hello")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let page = answer.text().await.unwrap();
    let port = echo.base.rsplit(':').next().unwrap();
    let expected = format!(
        "pod=echo-1\nnamespace=shop\nnode=node-a\n\nCLIENT VALUES:\nclient_address=127.0.0.1\ncommand=POST\n\
         real path=/shop/cart?item=7\nquery=item=7\nrequest_version=1.1\n\
         request_uri=http://shop.example:{port}/shop/cart?item=7\n\nHEADERS RECEIVED:\naccept=*/*\n\
         content-length=5\nhost=shop.example:8080\nx-forwarded-for=203.0.113.9\n\nBODY:\nhello\n"
    );
    assert_eq!(page, expected);
}

#[tokio::test]
async fn a_connection_is_closed_by_an_answer_that_says_so() {
    let echo = start().await;
    let client = Client::new();
    let closes = || async {
        let answer = client.get(&echo.base).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        answer.headers().get(header::CONNECTION).is_some_and(|value| value == "close")
    };
    assert!(!closes().await);
    echo.behaviour.send_replace(Behaviour { after_answer: AfterAnswer::Closed, ..Behaviour::default() });
    assert!(closes().await);
}

#[tokio::test]
async fn a_failing_path_answers_503_until_told_otherwise() {
    let echo = start().await;
    let get = |path: &'static str| {
        let url = format!("{}{path}", echo.base);
        async move { reqwest::get(url).await.unwrap().status() }
    };
    echo.behaviour.send_replace(Behaviour { failing_paths: vec!["/healthz".into()], ..Behaviour::default() });
    assert_eq!(get("/healthz?full=1").await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(get("/").await, StatusCode::OK);
    echo.behaviour.send_replace(Behaviour { failing_paths: vec!["*".into()], ..Behaviour::default() });
    assert_eq!(get("/").await, StatusCode::SERVICE_UNAVAILABLE);
    echo.behaviour.send_replace(Behaviour::default());
    assert_eq!(get("/healthz").await, StatusCode::OK);
}

#[tokio::test]
async fn orders_are_obeyed_and_unknown_ones_refused() {
    let echo = start().await;
    let get = |path: &'static str| {
        let url = format!("{}{path}", echo.base);
        async move { reqwest::get(url).await.unwrap() }
    };
    assert_eq!(get("/_echo/status/418").await.status(), StatusCode::IM_A_TEAPOT);
    assert_eq!(get("/_echo/status/abc").await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(get("/_echo/dance").await.status(), StatusCode::NOT_FOUND);
    let started = Instant::now();
    let streamed = get("/_echo/stream?chunks=3&interval_ms=20").await.text().await.unwrap();
    assert_eq!(streamed, "chunk 1 of 3\nchunk 2 of 3\nchunk 3 of 3\n");
    assert!(started.elapsed() >= Duration::from_millis(40));
    let slow = get("/_echo/slow?ms=30").await.text().await.unwrap();
    assert!(slow.contains("real path=/_echo/slow?ms=30"), "{slow}");
}

#[tokio::test]
async fn a_large_body_is_counted_and_not_repeated() {
    let echo = start().await;
    let answer = Client::new().put(&echo.base).body(vec![b'x'; 3 << 20]).send().await.unwrap();
    assert!(answer.text().await.unwrap().ends_with("BODY:\n-3145728 bytes, not repeated-\n"));
}

#[tokio::test]
async fn websocket_messages_come_back() {
    use futures::{SinkExt as _, StreamExt as _};
    use tokio_tungstenite::tungstenite::Message;

    let echo = start().await;
    let url = format!("{}/chat", echo.base.replacen("http", "ws", 1));
    let (mut socket, answer) = tokio_tungstenite::connect_async(url).await.unwrap();
    assert_eq!(answer.status().as_u16(), 101);
    for message in [Message::text("hello"), Message::binary(vec![0_u8, 255])] {
        socket.send(message.clone()).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), message);
    }
    socket.close(None).await.unwrap();
}

#[tokio::test]
async fn a_request_in_flight_is_finished_on_stop() {
    let echo = start().await;
    let slow = tokio::spawn(reqwest::get(format!("{}/_echo/stream?chunks=2&interval_ms=100", echo.base)));
    let answer = slow.await.unwrap().unwrap();
    echo.stop.cancel();
    assert_eq!(answer.text().await.unwrap(), "chunk 1 of 2\nchunk 2 of 2\n");
    echo.served.await.unwrap().unwrap();
}
