//! Backend buckets.

use std::sync::Arc;

use bytes::Bytes;
use emulator::dataplane::DataPlaneConfig;
use emulator::dataplane::bucket::{Buckets, Object};
use emulator::dataplane::program::{
    BackendBucket, Destination, Force, Guard, HeaderAction, HeaderToAdd, HostPattern, HostRule, Mode,
    PathMatcher, PathPattern, PathRewrite, PathRule, RouteAction, Rules, UrlMap, UrlRewrite, ValuePart,
};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::Empty;

use crate::backends::Backend;
use crate::client::{get, send};
use crate::programs::{everything_to, map_id, plain, service_id};
use crate::rig::{Rig, config, free_socket};
use crate::security_policies::{deny, policy, when};

fn file(text: &'static str, kind: &'static str) -> Object {
    Object::new(Bytes::from_static(text.as_bytes()), HeaderValue::from_static(kind))
}

fn bucket() -> BackendBucket {
    BackendBucket { bucket: "assets".to_owned(), headers: HeaderAction::default(), guard: Guard::default() }
}

#[tokio::test]
async fn a_url_map_leads_to_files_and_to_backends_side_by_side() {
    let buckets = Buckets::default();
    buckets.put("assets", "static/a b.css", file("p {}", "text/css"));
    let rig = Rig::with(DataPlaneConfig { buckets: buckets.clone(), ..config() });
    let (backend, front) = (Backend::start("one").await, free_socket());
    let mut program = plain(front, &[backend.socket]);
    program.backend_buckets.insert(service_id("files"), Arc::new(bucket()));
    let url_map = UrlMap {
        id: map_id("m"),
        host_rules: vec![HostRule { hosts: vec![HostPattern::Any], path_matcher: "all".to_owned() }],
        path_matchers: [(
            "all".to_owned(),
            PathMatcher {
                rules: Rules::Paths(vec![PathRule {
                    paths: vec![PathPattern::Below("/static/".to_owned())],
                    destination: Destination::to_service(service_id("files")),
                }]),
                default: Destination::to_service(service_id("web")),
                headers: HeaderAction::default(),
            },
        )]
        .into(),
        default: Destination::to_service(service_id("web")),
        headers: HeaderAction::default(),
    };
    program.url_maps.insert(map_id("m"), url_map.into());
    rig.serve(program, "web", 1).await;

    assert_eq!(get(front, "h", "/").await.body, "one");
    let found = get(front, "h", "/static/a%20b.css?v=1").await;
    assert_eq!((found.status, found.body.as_str()), (StatusCode::OK, "p {}"));
    assert_eq!((found.header("content-type"), found.header("via")), ("text/css", "1.1 google"));
    let etag = found.header("etag").to_owned();
    let with = |method: Method, etag: &str| {
        let request = Request::builder().method(method).uri("/static/a%20b.css").header("host", "h");
        request.header("if-none-match", etag).body(Empty::new()).unwrap()
    };
    let unchanged = send(front, with(Method::GET, &etag)).await.unwrap();
    assert_eq!((unchanged.status, unchanged.body.as_str()), (StatusCode::NOT_MODIFIED, ""));
    let head = send(front, with(Method::HEAD, "\"other\"")).await.unwrap();
    assert_eq!((head.status, head.header("content-length"), head.body.as_str()), (StatusCode::OK, "4", ""));
    let post = send(front, with(Method::POST, "\"other\"")).await.unwrap();
    assert_eq!(post.status, StatusCode::METHOD_NOT_ALLOWED);

    // An object that comes is there at once, and one that goes is gone.
    let missing = get(front, "h", "/static/new").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert_eq!(missing.header("content-type"), "application/xml; charset=UTF-8");
    assert!(missing.body.contains("<Code>NoSuchKey</Code>"), "{missing:?}");
    buckets.put("assets", "static/new", file("new", "text/plain"));
    assert_eq!(get(front, "h", "/static/new").await.body, "new");
    assert!(buckets.remove("assets", "static/new"));
    assert_eq!(get(front, "h", "/static/new").await.status, StatusCode::NOT_FOUND);
    assert!(buckets.remove_bucket("assets"));
    let gone = get(front, "h", "/static/a%20b.css").await;
    assert!(gone.body.contains("<Code>NoSuchBucket</Code>"), "{gone:?}");
    let logged = rig.plane.traffic().entries_kept();
    assert_eq!(logged.len(), 8, "requests to a bucket are always logged");
    assert!(logged.iter().all(|entry| entry.backend_service == service_id("files")));
}

#[tokio::test]
async fn a_bucket_has_headers_an_edge_policy_and_the_rewrites_of_the_url_map() {
    let buckets = Buckets::default();
    buckets.put("assets", "v2/logo.svg", file("<svg/>", "image/svg+xml"));
    let rig = Rig::with(DataPlaneConfig { buckets, ..config() });
    let front = free_socket();
    let mut program = plain(front, &[]);
    let header = HeaderToAdd {
        name: "cache-control".parse().unwrap(),
        value: ValuePart::parse("no-store"),
        mode: Mode::Replace,
    };
    let rules = vec![(when("request.path == '/secret'"), deny(403), Force::Enforced)];
    let held = BackendBucket {
        headers: HeaderAction { response_add: vec![header], ..HeaderAction::default() },
        guard: Guard { edge: Some(policy("edge", rules)), backend: None },
        ..bucket()
    };
    program.backend_buckets.insert(service_id("web"), Arc::new(held));
    program.backend_services.clear();
    let rewrite = UrlRewrite { path: PathRewrite::ReplaceMatched("/v2".to_owned()), ..UrlRewrite::default() };
    let action = RouteAction { rewrite, ..RouteAction::default() };
    program.url_maps.insert(map_id("m"), everything_to(crate::programs::acting(action)));
    rig.apply(program).await;
    // Of a default the part that matched is nothing, so the prefix is put before the whole path.
    let found = get(front, "h", "/logo.svg").await;
    assert_eq!(found.status, StatusCode::OK, "{found:?}");
    assert_eq!(found.header("cache-control"), "no-store");
    assert_eq!(get(front, "h", "/secret").await.status, StatusCode::FORBIDDEN);
}
