//! What becomes of a request.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use emulator::dataplane::program::{
    Abort, Backend as GroupBackend, BackendProtocol, Capacity, Destination, HeaderAction, HostPattern,
    HostRule, PathMatcher, PathPattern, PathRedirect, PathRule, Redirect, RedirectCode, RouteAction, Routing,
    Rules, Scheme, Share, UrlMap,
};
use futures::SinkExt;
use futures::channel::mpsc;
use http::{Request, StatusCode, Version};
use http_body::Frame;
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::backends::Backend;
use crate::client::{Http1, get, get_http2, send};
use crate::programs::{
    acting, check_id, everything_to, frontend, group, group_id, managed, map_id, plain, service, service_id,
    with_check, with_service,
};
use crate::rig::{DEADLINE, Rig, eventually, free_socket, own_address};

#[tokio::test]
async fn a_request_reaches_the_backend_with_the_headers_of_a_load_balancer() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    rig.serve(plain(front, &[backend.socket]), "web", 1).await;

    let request = Request::get("/a/b?c=d")
        .header("host", "Shop.example:81")
        .header("x-forwarded-for", "9.9.9.9")
        .header("x-forwarded-proto", "gopher")
        .header("connection", "x-private")
        .header("x-private", "1")
        .body(Empty::new())
        .unwrap();
    let answer = send(front, request).await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "one"));
    assert_eq!(answer.header("via"), "1.1 google");
    assert!(!answer.headers.contains_key("keep-alive"), "headers of the backend's connection stay there");

    let seen = backend.requests().pop().unwrap();
    assert_eq!((seen.method.as_str(), seen.uri.as_str()), ("GET", "/a/b?c=d"));
    assert_eq!(seen.version, Version::HTTP_11);
    assert_eq!(seen.headers["host"], "Shop.example:81");
    assert_eq!(seen.headers["x-forwarded-for"], format!("9.9.9.9,127.0.0.1,{}", front.ip()).as_str());
    assert_eq!(seen.headers["x-forwarded-proto"], "http");
    assert_eq!(seen.headers["via"], "1.1 google");
    assert!(seen.headers.contains_key("x-cloud-trace-context"));
    assert!(!seen.headers.contains_key("x-private"));
    rig.plane.shutdown().await;
}

#[tokio::test]
async fn http2_in_the_clear_is_spoken_by_prior_knowledge() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    rig.serve(plain(front, &[backend.socket]), "web", 1).await;

    let answer = get_http2(front, "shop.example", "/x").await;
    assert_eq!(
        (answer.status, answer.version, answer.body.as_str()),
        (StatusCode::OK, Version::HTTP_2, "one")
    );
    let seen = backend.requests().pop().unwrap();
    assert_eq!((seen.version, seen.uri.as_str()), (Version::HTTP_11, "/x"));
    assert_eq!(seen.headers["host"], "shop.example");
}

#[tokio::test]
async fn every_backend_protocol_is_spoken() {
    for (protocol, tls, version) in [
        (BackendProtocol::Https, true, Version::HTTP_11),
        (BackendProtocol::Http2, true, Version::HTTP_2),
        (BackendProtocol::H2c, false, Version::HTTP_2),
    ] {
        let backend = if tls { Backend::start_tls("one").await } else { Backend::start("one").await };
        let (rig, front) = (Rig::new(), free_socket());
        let program = with_service(plain(front, &[backend.socket]), |service| service.protocol = protocol);
        let program = with_check(program, |check| {
            if let emulator::dataplane::program::Probe::Http(probe) = &mut check.probe
                && tls
            {
                probe.transport = emulator::dataplane::program::Transport::Tls;
            }
        });
        rig.serve(program, "web", 1).await;
        for _ in 0..2 {
            let answer = get(front, "shop.example", "/x").await;
            assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "one"), "{protocol:?}");
        }
        let seen = backend.requests().pop().unwrap();
        assert_eq!(seen.version, version, "{protocol:?}");
        if version == Version::HTTP_2 {
            let scheme = if tls { "https" } else { "http" };
            assert_eq!(seen.uri, format!("{scheme}://shop.example/x"));
        } else {
            assert_eq!(seen.headers["host"], "shop.example");
        }
        rig.plane.shutdown().await;
    }
}

#[tokio::test]
async fn hosts_and_paths_decide() {
    let front = free_socket();
    let (rig, one, two) = (Rig::new(), Backend::start("one").await, Backend::start("two").await);
    let mut program = plain(front, &[one.socket]);
    program.backend_services.insert(service_id("api"), {
        let mut api = service();
        api.backends[0].group = group_id("g2");
        api
    });
    program.groups.insert(group_id("g2"), group(&[two.socket]));
    let url_map = UrlMap {
        id: map_id("m"),
        host_rules: vec![HostRule {
            hosts: vec![HostPattern::Exact { host: "shop.example".to_owned(), port: None }],
            path_matcher: "shop".to_owned(),
        }],
        path_matchers: [(
            "shop".to_owned(),
            PathMatcher {
                rules: Rules::Paths(vec![PathRule {
                    paths: vec![PathPattern::Below("/api/".to_owned())],
                    destination: Destination::to_service(service_id("api")),
                }]),
                default: Destination::to_service(service_id("web")),
                headers: HeaderAction::default(),
            },
        )]
        .into(),
        default: Destination::Unprogrammed("nobody lives here".to_owned()),
        headers: HeaderAction::default(),
    };
    program.url_maps.insert(map_id("m"), url_map.into());
    rig.apply(program).await;
    rig.wait_healthy("web", "g1", 1).await;
    rig.wait_healthy("api", "g2", 1).await;

    for (host, path, status, body) in [
        ("shop.example", "/", 200, "one"),
        ("SHOP.example:8080", "/api/x?y", 200, "two"),
        ("shop.example", "/api", 200, "one"),
        ("other.example", "/api/x", 404, ""),
    ] {
        let answer = get(front, host, path).await;
        assert_eq!(answer.status.as_u16(), status, "{host}{path}");
        if status == 200 {
            assert_eq!(answer.body, body, "{host}{path}");
        } else {
            assert!(answer.body.contains("nobody lives here"), "{}", answer.body);
        }
    }
}

#[tokio::test]
async fn redirects_need_no_backend() {
    let (rig, front) = (Rig::new(), free_socket());
    let mut program = plain(front, &[]);
    let redirect = Redirect { https: true, ..Redirect::default() };
    program.url_maps.insert(map_id("m"), everything_to(Destination::Redirect(redirect)));
    rig.apply(program.clone()).await;
    let answer = get(front, "shop.example:8080", "/a?b=c").await;
    assert_eq!(answer.status, StatusCode::MOVED_PERMANENTLY);
    assert_eq!(answer.header("location"), "https://shop.example/a?b=c");

    let redirect = Redirect {
        code: RedirectCode::PermanentRedirect,
        host: Some("new.example".to_owned()),
        path: PathRedirect::Replace("/moved".to_owned()),
        strip_query: true,
        https: false,
    };
    program.url_maps.insert(map_id("m"), everything_to(Destination::Redirect(redirect)));
    rig.apply(program).await;
    let answer = get(front, "shop.example:8080", "/a?b=c").await;
    assert_eq!(answer.status, StatusCode::PERMANENT_REDIRECT);
    assert_eq!(answer.header("location"), "http://new.example/moved");
}

#[tokio::test]
async fn a_frontend_without_a_url_map_answers_404_and_a_missing_service_502_or_503() {
    let (rig, front, other) = (Rig::new(), free_socket(), free_socket());
    let mut program = plain(front, &[]);
    program.frontends.push(frontend("lost", other));
    program.frontends[1].routing = Routing::Unprogrammed("the URL map is missing".to_owned());
    program.backend_services.clear();
    rig.apply(program.clone()).await;
    assert_eq!(get(other, "h", "/").await.status, StatusCode::NOT_FOUND);
    assert_eq!(get(front, "h", "/").await.status, StatusCode::BAD_GATEWAY);
    rig.apply(managed(program)).await;
    assert_eq!(get(front, "h", "/").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_managed_load_balancer_aborts_its_share_and_a_classic_one_knows_no_faults() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    let mut program = managed(plain(front, &[backend.socket]));
    let aborting = |per_million| {
        let abort = Some(Abort { status: StatusCode::IM_A_TEAPOT, share: Share { per_million } });
        everything_to(acting(RouteAction { abort, ..RouteAction::default() }))
    };
    program.url_maps.insert(map_id("m"), aborting(1_000_000));
    rig.serve(program.clone(), "web", 1).await;
    assert_eq!(get(front, "h", "/").await.status, StatusCode::IM_A_TEAPOT);
    assert_eq!(backend.requests().len(), 0, "the load balancer answered it");
    program.url_maps.insert(map_id("m"), aborting(0));
    rig.apply(program.clone()).await;
    assert_eq!(get(front, "h", "/").await.status, StatusCode::OK);
    program.url_maps.insert(map_id("m"), aborting(500_000));
    rig.apply(program.clone()).await;
    let mut statuses = std::collections::BTreeSet::new();
    for _ in 0..200 {
        statuses.insert(get(front, "h", "/").await.status.as_u16());
    }
    // 200 draws of one half that all fall the same way: once in 2^199 runs.
    assert_eq!(statuses, [200, 418].into());

    program.url_maps.insert(map_id("m"), aborting(1_000_000));
    for frontend in &mut program.frontends {
        frontend.scheme = Scheme::Classic;
    }
    rig.apply(program).await;
    assert_eq!(get(front, "h", "/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_host_is_required_once_from_http_1_1() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    rig.serve(plain(front, &[backend.socket]), "web", 1).await;
    for (request, status) in [
        ("GET / HTTP/1.1\r\nconnection: close\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n", "400"),
        ("GET / HTTP/1.0\r\n\r\n", "200"),
        ("CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\nconnection: close\r\n\r\n", "400"),
        ("GET http://b.example/x HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", "200"),
    ] {
        let mut stream = TcpStream::connect(front).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer.split(' ').nth(1), Some(status), "{request}");
    }
    assert_eq!(backend.requests().pop().unwrap().headers["host"], "b.example", "the absolute form counts");
}

#[tokio::test]
async fn requests_go_round_over_groups_and_pass_by_drained_ones() {
    let front = free_socket();
    let (rig, one, two, three) =
        (Rig::new(), Backend::start("one").await, Backend::start("two").await, Backend::start("three").await);
    let mut program = plain(front, &[one.socket]);
    program.groups.insert(group_id("g2"), group(&[two.socket]));
    program.groups.insert(group_id("g3"), group(&[three.socket]));
    let program = with_service(program, |service| {
        service.backends.push(GroupBackend { group: group_id("g2"), capacity: Capacity::WHOLE });
        service.backends.push(GroupBackend { group: group_id("g3"), capacity: Capacity::DRAINED });
    });
    rig.apply(program).await;
    for group in ["g1", "g2", "g3"] {
        rig.wait_healthy("web", group, 1).await;
    }
    let mut counts = std::collections::BTreeMap::new();
    for _ in 0..10 {
        *counts.entry(get(front, "h", "/").await.body).or_insert(0) += 1;
    }
    assert_eq!(counts, [("one".to_owned(), 5), ("two".to_owned(), 5)].into());
}

#[tokio::test]
async fn connections_to_clients_and_backends_are_kept() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    rig.serve(plain(front, &[backend.socket]), "web", 1).await;
    let mut client = Http1::connect(front).await.unwrap();
    client.get("h", "/").await.unwrap();
    let probes = backend.probes().len();
    let before = backend.connections();
    for _ in 0..20 {
        assert_eq!(client.get("h", "/").await.unwrap().status, StatusCode::OK);
    }
    // Each probe is a connection of its own, and one may be counted before it has asked.
    let by_probes = backend.probes().len() - probes + 1;
    assert!(backend.connections() - before <= by_probes, "requests shared a connection");
}

/// Bodies larger than all buffers, in step: each part of the answer is awaited before the next part of the request is
/// sent, which works only if nothing on the way waits for an end.
#[tokio::test]
async fn bodies_stream_both_ways() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    rig.serve(plain(front, &[backend.socket]), "web", 1).await;

    let (mut parts, receiver) = mpsc::channel::<Result<Frame<Bytes>, std::convert::Infallible>>(0);
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(TcpStream::connect(front).await.unwrap())).await.unwrap();
    tokio::spawn(connection);
    let request = Request::post("/mirror").header("host", "h").body(StreamBody::new(receiver)).unwrap();
    let mut response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);

    let part = Bytes::from(vec![7; 1024 * 1024]);
    for _ in 0..16 {
        parts.send(Ok(Frame::data(part.clone()))).await.unwrap();
        let mut back = 0;
        while back < part.len() {
            let frame = tokio::time::timeout(DEADLINE, response.frame()).await.unwrap().unwrap().unwrap();
            back += frame.into_data().unwrap().len();
        }
        assert_eq!(back, part.len());
    }
    drop(parts);
    assert!(response.frame().await.is_none(), "the answer ends with the request");
}

#[tokio::test]
async fn trailers_pass() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    let program = with_service(plain(front, &[backend.socket]), |service| {
        service.protocol = BackendProtocol::H2c;
    });
    rig.serve(program, "web", 1).await;
    let (mut sender, connection) = hyper::client::conn::http2::handshake(
        hyper_util::rt::TokioExecutor::new(),
        TokioIo::new(TcpStream::connect(front).await.unwrap()),
    )
    .await
    .unwrap();
    tokio::spawn(connection);
    let frames: Vec<Result<_, std::convert::Infallible>> = vec![
        Ok(Frame::data(Bytes::from("hello"))),
        Ok(Frame::trailers([("x-sum".parse().unwrap(), "5".parse().unwrap())].into_iter().collect())),
    ];
    let request = Request::post(format!("http://{front}/mirror"))
        .header("te", "trailers")
        .body(StreamBody::new(futures::stream::iter(frames)))
        .unwrap();
    let body = sender.send_request(request).await.unwrap().into_body().collect().await.unwrap();
    assert_eq!(body.trailers().unwrap()["x-sum"], "5");
    assert_eq!(body.to_bytes(), "hello");
    assert_eq!(backend.requests()[0].headers["te"], "trailers");
}

#[tokio::test]
async fn an_endpoint_that_refuses_connections_is_502_and_not_tried_again() {
    let (rig, backend, other, front) =
        (Rig::new(), Backend::start("one").await, Backend::start("two").await, free_socket());
    let program = plain(front, &[backend.socket, other.socket]);
    // So slow to give up that both stay healthy while the test runs.
    let program = with_check(program, |check| check.unhealthy_threshold = 1_000_000);
    rig.serve(managed(program), "web", 2).await;
    drop(backend);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(get(front, "h", "/").await.status.as_u16());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 502, 502]);
}

/// A backend that hangs up after each answer without saying so, and one that hangs up having read a request.
#[tokio::test]
async fn a_dead_kept_connection_costs_nothing_but_no_request_is_sent_twice() {
    let listener = TcpListener::bind((own_address(), 0)).await.unwrap();
    let (rig, front, socket) = (Rig::new(), free_socket(), listener.local_addr().unwrap());
    let (sender, mut requests) = tokio::sync::mpsc::unbounded_channel::<String>();
    let server = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let sender = sender.clone();
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                let read = stream.read(&mut buffer).await.unwrap();
                let request = String::from_utf8_lossy(&buffer[..read]).into_owned();
                let drops = request.starts_with("POST /drop");
                sender.send(request).unwrap();
                if !drops {
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
                }
                // Half a close for the kernel, a whole one for the peer's next write.
                stream.shutdown().await.unwrap();
            });
        }
    });
    rig.serve(plain(front, &[socket]), "web", 1).await;
    for _ in 0..20 {
        assert_eq!(get(front, "h", "/").await.status, StatusCode::OK);
    }
    let request = Request::post("/drop").header("host", "h").body(Empty::new()).unwrap();
    assert_eq!(send(front, request).await.unwrap().status, StatusCode::BAD_GATEWAY);
    assert_eq!(get(front, "h", "/").await.status, StatusCode::OK);
    let mut posts = 0;
    while let Ok(request) = requests.try_recv() {
        posts += usize::from(request.starts_with("POST /drop"));
    }
    assert_eq!(posts, 1);
    server.abort();
}

#[tokio::test]
async fn a_client_that_leaves_ends_the_backends_request() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    let program =
        with_check(plain(front, &[backend.socket]), |check| check.interval = Duration::from_hours(1));
    let program = with_check(program, |check| check.healthy_threshold = 1);
    rig.serve(program, "web", 1).await;
    let mut stream = TcpStream::connect(front).await.unwrap();
    stream.write_all(b"GET /hold HTTP/1.1\r\nhost: h\r\n\r\n").await.unwrap();
    tokio::time::timeout(DEADLINE, backend.state.held.notified()).await.unwrap();
    drop(stream);
    // The backend's connection ends, so its handler is dropped: the permit stays.
    let held = std::sync::Arc::strong_count(&backend.state);
    eventually("the backend's connection to end", || std::sync::Arc::strong_count(&backend.state) < held)
        .await;
    backend.state.release.add_permits(1);
    assert_eq!(backend.state.release.available_permits(), 1);
    assert_eq!(backend.state.connections.load(Ordering::Relaxed), 2, "one probe, one request");
}

#[tokio::test]
async fn no_health_check_means_no_healthy_endpoint() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    let mut program = plain(front, &[backend.socket]);
    program.health_checks.remove(&check_id("hc"));
    rig.apply(program).await;
    assert_eq!(get(front, "h", "/").await.status, StatusCode::BAD_GATEWAY);
    assert_eq!(rig.plane.health(&service_id("web"), &group_id("g1")), []);
}
