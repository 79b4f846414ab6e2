//! What a URL map does to requests and answers on their way.

use std::time::{Duration, Instant};

use emulator::dataplane::program::{
    CorsPolicy, Delay, Destination, Forward, HeaderAction, HeaderToAdd, Mirror, Mode, PathRewrite, Program,
    RouteAction, Share, UrlRewrite, ValuePart, WeightedService,
};
use http::{HeaderName, Request, StatusCode};
use http_body_util::Empty;

use crate::backends::Backend;
use crate::client::{get, post, send};
use crate::programs::{acting, everything_to, group, group_id, managed, map_id, plain, service, service_id};
use crate::rig::{Rig, eventually, free_socket};

/// `web` with this done on the way.
fn doing(program: Program, action: RouteAction) -> Program {
    leading_to(program, acting(action))
}

fn leading_to(mut program: Program, destination: Destination) -> Program {
    program.url_maps.insert(map_id("m"), everything_to(destination));
    managed(program)
}

/// Adds the backend service `other` with a group `g2`.
fn with_other(mut program: Program, backend: &Backend) -> Program {
    let mut other = service();
    other.backends[0].group = group_id("g2");
    program.backend_services.insert(service_id("other"), other);
    program.groups.insert(group_id("g2"), group(&[backend.socket]));
    program
}

fn to_add(name: &'static str, value: &str, mode: Mode) -> HeaderToAdd {
    HeaderToAdd { name: HeaderName::from_static(name), value: ValuePart::parse(value), mode }
}

#[tokio::test]
async fn the_backend_sees_the_rewritten_url_and_both_sides_the_edited_headers() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    let rewrite = UrlRewrite {
        host: Some("inner.example".to_owned()),
        path: PathRewrite::ReplaceMatched("/v1".to_owned()),
    };
    let mut destination = acting(RouteAction { rewrite, ..RouteAction::default() });
    let Destination::Forward(forward) = &mut destination else { panic!() };
    forward.services[0].headers = HeaderAction {
        request_remove: vec![HeaderName::from_static("x-secret")],
        request_add: vec![
            to_add("x-client", "{client_ip_address} {client_protocol} {client_encrypted}", Mode::Append),
            to_add("x-forwarded-for", "hidden", Mode::Replace),
        ],
        response_remove: vec![HeaderName::from_static("x-backend")],
        response_add: vec![to_add("x-served-by", "{server_ip_address}:{server_port}", Mode::Append)],
    };
    let program = leading_to(plain(front, &[backend.socket]), destination);
    rig.serve(program.clone(), "web", 1).await;

    let request = |path: &str| {
        let request = Request::get(path).header("host", "shop.example").header("x-secret", "1");
        request.header("x-client", "me").body(Empty::new()).unwrap()
    };
    let answer = send(front, request("/a/b?c=d")).await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "one"));
    assert_eq!(answer.header("x-backend"), "");
    assert_eq!(answer.header("x-served-by"), front.to_string());
    let seen = backend.requests().pop().unwrap();
    assert_eq!(
        (seen.uri.as_str(), &seen.headers["host"]),
        ("/v1/a/b?c=d", &"inner.example".parse().unwrap())
    );
    assert!(!seen.headers.contains_key("x-secret"));
    let clients: Vec<_> = seen.headers.get_all("x-client").iter().collect();
    assert_eq!(clients, ["me", "127.0.0.1 HTTP/1.1 false"]);
    assert_eq!(seen.headers["x-forwarded-for"], "hidden", "the URL map speaks after the load balancer");

    // The same over HTTP/2 to the backend, where the host is in the URI.
    let over_http2 = crate::programs::with_service(program, |service| {
        service.protocol = emulator::dataplane::program::BackendProtocol::H2c;
    });
    rig.apply(over_http2).await;
    assert_eq!(send(front, request("/a?b")).await.unwrap().status, StatusCode::OK);
    assert_eq!(backend.requests().pop().unwrap().uri, "http://inner.example/v1/a?b");
}

#[tokio::test]
async fn traffic_is_split_by_weight() {
    let (rig, front) = (Rig::new(), free_socket());
    let (one, two) = (Backend::start("one").await, Backend::start("two").await);
    let weighted = |name: &str, weight| WeightedService {
        service: service_id(name),
        weight,
        headers: HeaderAction {
            response_add: vec![to_add("x-chosen", name, Mode::Replace)],
            ..HeaderAction::default()
        },
    };
    let split = |web, other| {
        let services = vec![weighted("web", web), weighted("other", other)];
        let program = with_other(plain(front, &[one.socket]), &two);
        leading_to(
            program,
            Destination::Forward(Box::new(Forward { services, action: RouteAction::default() })),
        )
    };
    rig.serve(split(1, 1), "web", 1).await;
    rig.wait_healthy("other", "g2", 1).await;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..100 {
        let answer = get(front, "h", "/").await;
        seen.insert(format!("{} {}", answer.header("x-chosen"), answer.body));
    }
    // 100 draws of one half that all fall the same way: once in 2^99 runs.
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["other two", "web one"]);
    rig.apply(split(0, 1000)).await;
    for _ in 0..20 {
        assert_eq!(get(front, "h", "/").await.body, "two");
    }
    rig.apply(split(0, 0)).await;
    assert_eq!(get(front, "h", "/").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_delay_is_waited_before_the_time_of_the_backend_begins() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    let wait = Duration::from_millis(300);
    let delayed = |per_million| {
        let action = RouteAction {
            delay: Some(Delay { wait, share: Share { per_million } }),
            // Longer than the delay would leave if it counted.
            timeout: Some(Duration::from_millis(250)),
            ..RouteAction::default()
        };
        doing(plain(front, &[backend.socket]), action)
    };
    rig.serve(delayed(1_000_000), "web", 1).await;
    let begun = Instant::now();
    assert_eq!(get(front, "h", "/").await.status, StatusCode::OK);
    assert!(begun.elapsed() >= wait);
    rig.apply(delayed(0)).await;
    assert_eq!(get(front, "h", "/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_time_out_of_a_route_goes_before_that_of_the_service() {
    let (rig, front) = (Rig::new(), free_socket());
    let (one, two) = (Backend::start("one").await, Backend::start("two").await);
    let action = RouteAction { timeout: Some(Duration::from_millis(200)), ..RouteAction::default() };
    let program = doing(plain(front, &[one.socket]), action);
    rig.serve(program, "web", 1).await;
    assert_eq!(get(front, "h", "/hold").await.status, StatusCode::GATEWAY_TIMEOUT);

    // Without one, the longest of the services the route may lead to.
    let weighted = |name: &str, weight| WeightedService {
        service: service_id(name),
        weight,
        headers: HeaderAction::default(),
    };
    let forward =
        Forward { services: vec![weighted("web", 1), weighted("other", 0)], action: RouteAction::default() };
    let mut program =
        leading_to(with_other(plain(front, &[one.socket]), &two), Destination::Forward(Box::new(forward)));
    let short = Duration::from_millis(100);
    program.backend_services.get_mut(&service_id("web")).unwrap().timeout = short;
    program.backend_services.get_mut(&service_id("other")).unwrap().timeout = short * 4;
    rig.serve(program, "web", 1).await;
    let begun = Instant::now();
    assert_eq!(get(front, "h", "/hold").await.status, StatusCode::GATEWAY_TIMEOUT);
    assert!(begun.elapsed() >= short * 4, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_mirror_gets_a_copy_and_nobody_waits_for_it() {
    let (rig, front) = (Rig::new(), free_socket());
    let (web, shadow) = (Backend::start("one").await, Backend::start("shadow").await);
    let mirroring = |per_million| {
        let mirror = Some(Mirror { service: service_id("other"), share: Share { per_million } });
        doing(
            with_other(plain(front, &[web.socket]), &shadow),
            RouteAction { mirror, ..RouteAction::default() },
        )
    };
    rig.serve(mirroring(0), "web", 1).await;
    rig.wait_healthy("other", "g2", 1).await;
    assert_eq!(get(front, "h:80", "/none").await.body, "one");
    rig.apply(mirroring(1_000_000)).await;
    let answer = post(front, "h:80", "/copied?x", "the body").await;
    assert_eq!((answer.body.as_str(), answer.header("x-backend")), ("one", "one"));
    eventually("the copy", || !shadow.bodies().is_empty()).await;
    assert_eq!(
        (web.bodies().last().unwrap().as_str(), shadow.bodies()),
        ("the body", vec!["the body".to_owned()])
    );
    let seen = shadow.requests();
    assert_eq!(seen.len(), 1, "nothing was copied while the share was 0");
    assert_eq!((seen[0].method.as_str(), seen[0].uri.as_str()), ("POST", "/copied?x"));
    assert_eq!(seen[0].headers["host"], "h-shadow:80");
    // The shadow never answers this, and it does not matter.
    assert_eq!(get(front, "h", "/other").await.body, "one");
    let held = tokio::spawn(async move { get(front, "h", "/hold").await });
    shadow.state.held.notified().await;
    web.state.release.add_permits(1);
    assert_eq!(held.await.unwrap().body, "one");
}

#[tokio::test]
async fn cross_origin_requests() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    let policy = CorsPolicy {
        origins: vec!["https://shop.example".to_owned()],
        methods: Some("GET,PUT".parse().unwrap()),
        headers: Some("x-a".parse().unwrap()),
        expose: Some("x-b".parse().unwrap()),
        max_age: Some(60),
        credentials: true,
    };
    let action = RouteAction { cors: Some(policy), ..RouteAction::default() };
    rig.serve(doing(plain(front, &[backend.socket]), action), "web", 1).await;
    let ask = |method: &str, origin: &str, preflight: bool| {
        let mut request =
            Request::builder().method(method).uri("/").header("host", "h").header("origin", origin);
        if preflight {
            request = request.header("access-control-request-method", "PUT");
        }
        send(front, request.body(Empty::new()).unwrap())
    };
    let preflight = ask("OPTIONS", "https://shop.example", true).await.unwrap();
    assert_eq!((preflight.status, preflight.body.as_str()), (StatusCode::OK, ""));
    assert_eq!(backend.requests().len(), 0, "the load balancer answers it");
    for (name, value) in [
        ("access-control-allow-origin", "https://shop.example"),
        ("access-control-allow-methods", "GET,PUT"),
        ("access-control-allow-headers", "x-a"),
        ("access-control-max-age", "60"),
        ("access-control-allow-credentials", "true"),
        ("access-control-expose-headers", ""),
    ] {
        assert_eq!(preflight.header(name), value, "{name}");
    }
    let answer = ask("GET", "https://shop.example", false).await.unwrap();
    assert_eq!(answer.body, "one");
    assert_eq!(answer.header("access-control-allow-origin"), "https://shop.example");
    assert_eq!(answer.header("access-control-expose-headers"), "x-b");
    for (method, origin, preflight) in [
        ("OPTIONS", "https://evil.example", true),
        ("GET", "https://evil.example", false),
        ("OPTIONS", "https://shop.example", false),
    ] {
        let answer = ask(method, origin, preflight).await.unwrap();
        assert_eq!(answer.body, "one", "{method} {origin} reaches the backend");
        let allowed = origin == "https://shop.example";
        assert_eq!(answer.headers.contains_key("access-control-allow-origin"), allowed, "{method} {origin}");
    }
}
