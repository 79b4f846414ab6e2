//! What is done to a request on its way.

use std::time::Duration;

use http::HeaderName;

use super::*;
use crate::dataplane::path_template::{PathTemplate, PathTemplateRewrite};
use crate::dataplane::program::{Abort, Delay, HeaderToAdd, Mode, Share, ValuePart};

fn forward(services: &[(&str, u32)], action: RouteAction) -> Destination {
    let services = services
        .iter()
        .map(|(name, weight)| WeightedService {
            service: BackendServiceId::new(*name),
            weight: *weight,
            headers: HeaderAction::default(),
        })
        .collect();
    Destination::Forward(Box::new(Forward { services, action }))
}

fn to_all(destination: Destination) -> UrlMap {
    let mut map = by_host(&[]);
    map.default = destination;
    map
}

fn forwarding<'a>(map: &'a UrlMap, path: &str, circumstances: &Circumstances<'_>) -> Box<Forwarding<'a>> {
    let headers = HeaderMap::new();
    match route(map, &head("h", path, &headers), circumstances) {
        Routed::Forward(forwarding) => forwarding,
        other => panic!("{other:?}"),
    }
}

const MANAGED: fn() -> Circumstances<'static> = || Circumstances::nobodys(Scheme::Managed);

#[test]
fn a_service_is_drawn_by_weight() {
    let map = to_all(forward(&[("none", 0), ("one", 1), ("zero", 0), ("three", 3)], RouteAction::default()));
    for (draw, expected) in [
        (0, "one"),
        (u32::MAX / 4, "one"),
        (u32::MAX / 4 + 1, "three"),
        (u32::MAX / 2, "three"),
        (u32::MAX, "three"),
    ] {
        let draws = Draws { service: draw, ..Draws::default() };
        let found = forwarding(&map, "/", &Circumstances { draws, ..MANAGED() });
        assert_eq!(found.service.as_str(), expected, "{draw}");
        assert_eq!(found.candidates.len(), 4);
    }
    let nobody = to_all(forward(&[("none", 0)], RouteAction::default()));
    assert_eq!(name(&routed(&nobody, &head("h", "/", &HeaderMap::new()))), "nowhere");
}

/// A map with one path matcher whose only rule matches so and rewrites so.
fn rewriting(path: PathMatch, rewrite: PathRewrite) -> UrlMap {
    let rewrite = UrlRewrite { host: Some("new.host".to_owned()), path: rewrite };
    let action = RouteAction { rewrite, ..RouteAction::default() };
    let mut rule = route_rule(1, "s", path);
    rule.destination = forward(&[("s", 1)], action);
    by_rules(Rules::Routes(vec![rule]))
}

#[test]
fn rewrites() {
    let replace = |prefix: &str| PathRewrite::ReplaceMatched(prefix.to_owned());
    let template = |rewrite: &str| PathRewrite::Template(PathTemplateRewrite::parse(rewrite).unwrap());
    let by_template = PathMatch::Template(PathTemplate::parse("/{a}/{b=**}").unwrap());
    for (matches, rewrite, path, expected) in [
        (prefix("/a/"), replace("/"), "/a/b", Some("/b")),
        (prefix("/a"), replace("/x"), "/ab", Some("/xb")),
        (prefix("/a"), replace("x"), "/a/b", Some("/x/b")),
        (prefix("/a"), PathRewrite::Keep, "/a/b", None),
        (PathMatch::Full { path: "/full".to_owned(), ignore_case: true }, replace("/x"), "/FULL", Some("/x")),
        (PathMatch::Regex(Pattern::new("/r.*").unwrap()), replace("/x"), "/rr", Some("/x")),
        (PathMatch::Any, replace("/x"), "/a", Some("/x/a")),
        (by_template.clone(), template("/{b}/{a}"), "/1/2/3", Some("/2/3/1")),
        (by_template, replace("/x"), "/1/2/3", Some("/x")),
        (prefix("/a"), template("/{b}"), "/a", None),
    ] {
        let map = rewriting(matches.clone(), rewrite.clone());
        for circumstances in [MANAGED(), Circumstances::nobodys(Scheme::Classic)] {
            let found = forwarding(&map, path, &circumstances);
            assert_eq!(found.path.as_deref(), expected, "{matches:?} {rewrite:?} {path}");
            assert_eq!(found.host, Some("new.host"));
        }
    }
}

#[test]
fn a_classic_load_balancer_rewrites_and_nothing_else() {
    let share = Share::ALL;
    let action = RouteAction {
        timeout: Some(Duration::from_secs(1)),
        retry: Some(RetryPolicy { retries: 1, per_try: None, conditions: Vec::new() }),
        mirror: Some(Mirror { service: BackendServiceId::new("m"), share }),
        cors: Some(CorsPolicy::default()),
        abort: Some(Abort { status: StatusCode::IM_A_TEAPOT, share }),
        delay: Some(Delay { wait: Duration::from_secs(2), share }),
        ..RouteAction::default()
    };
    let mut map = to_all(forward(&[("s", 1)], action));
    map.headers = setting("url-map");
    let managed = forwarding(&map, "/", &MANAGED());
    assert!(managed.timeout.is_some() && managed.retry.is_some() && managed.mirror.is_some());
    assert!(managed.cors.is_some() && managed.abort.is_some() && managed.delay.is_some());
    assert_eq!((managed.request_edits.len(), managed.response_edits.len()), (2, 1));
    let classic = forwarding(&map, "/", &Circumstances::nobodys(Scheme::Classic));
    assert_eq!((classic.timeout, classic.retry, classic.mirror), (None, None, None));
    assert_eq!((classic.cors, classic.abort, classic.delay), (None, None, None));
    assert_eq!((classic.request_edits, classic.response_edits), (vec![], vec![]));
}

#[test]
fn shares_are_drawn_to_the_millionth() {
    let abort = |per_million| {
        let abort = Abort { status: StatusCode::IM_A_TEAPOT, share: Share { per_million } };
        to_all(forward(&[("s", 1)], RouteAction { abort: Some(abort), ..RouteAction::default() }))
    };
    for (per_million, draw, expected) in [
        (0, 0, false),
        (1, 0, true),
        (1, 5000, false),
        (500_000, u32::MAX / 2, true),
        (500_000, u32::MAX / 2 + 1, false),
        (999_999, u32::MAX, false),
        (1_000_000, u32::MAX, true),
    ] {
        let draws = Draws { abort: draw, ..Draws::default() };
        let circumstances = Circumstances { draws, ..MANAGED() };
        let map = abort(per_million);
        assert_eq!(forwarding(&map, "/", &circumstances).abort.is_some(), expected, "{per_million} {draw}");
    }
}

fn to_add(name: &'static str, value: &str, mode: Mode) -> HeaderToAdd {
    HeaderToAdd { name: HeaderName::from_static(name), value: ValuePart::parse(value), mode }
}

/// Says who was last, and who were all.
fn setting(who: &str) -> HeaderAction {
    HeaderAction {
        request_add: vec![to_add("x-last", who, Mode::Replace), to_add("x-all", who, Mode::Append)],
        response_add: vec![to_add("x-all", who, Mode::Append)],
        ..HeaderAction::default()
    }
}

#[test]
fn header_actions_from_the_inside_out_and_removal_first() {
    let mut destination = forward(&[("s", 1)], RouteAction::default());
    let Destination::Forward(inside) = &mut destination else { panic!() };
    inside.services[0].headers = setting("weighted");
    let mut rule = route_rule(1, "s", prefix("/rule"));
    rule.destination = destination;
    rule.headers = setting("rule");
    let mut map = by_rules(Rules::Routes(vec![rule]));
    map.path_matchers.get_mut("all").unwrap().headers = setting("matcher");
    map.headers = setting("map");
    map.headers.request_remove = vec![HeaderName::from_static("x-client")];

    for (path, all, kept) in [
        ("/rule", &["client", "weighted", "rule", "matcher", "map"][..], 0),
        ("/other", &["client", "matcher", "map"], 0),
    ] {
        let found = forwarding(&map, path, &MANAGED());
        let mut headers = HeaderMap::new();
        headers.insert("x-all", "client".parse().unwrap());
        headers.insert("x-client", "1".parse().unwrap());
        HeaderEdit::apply(&found.request_edits, &mut headers);
        assert_eq!(headers.get_all("x-all").iter().collect::<Vec<_>>(), all);
        assert_eq!(headers["x-last"], "map");
        assert_eq!(headers.get_all("x-client").iter().count(), kept);
        let mut answer = HeaderMap::new();
        HeaderEdit::apply(&found.response_edits, &mut answer);
        assert_eq!(answer.get_all("x-all").iter().collect::<Vec<_>>(), all[1..]);
    }
}

#[test]
fn variables_of_header_values() {
    let tls = TlsFacts {
        server_name: "shop.example".to_owned(),
        version: "TLSv1.3",
        cipher_suite: "1301".to_owned(),
    };
    let connection = Connection {
        client: ("10.0.0.1".parse().unwrap(), 1234),
        server: ("127.64.0.1".parse().unwrap(), 443),
        protocol: "HTTP/2",
        tls: Some(&tls),
    };
    let in_the_clear = Connection { tls: None, ..connection };
    let mut map = to_all(to("s"));
    let headers: HeaderMap =
        [(HeaderName::from_static("origin"), "https://o".parse().unwrap())].into_iter().collect();
    for (value, expected, without_tls) in [
        ("{client_ip_address}:{client_port}", "10.0.0.1:1234", "10.0.0.1:1234"),
        ("{server_ip_address}:{server_port}", "127.64.0.1:443", "127.64.0.1:443"),
        ("{client_protocol}", "HTTP/2", "HTTP/2"),
        ("{client_encrypted}", "true", "false"),
        ("<{origin_request_header}>", "<https://o>", "<https://o>"),
        ("{tls_version} {tls_cipher_suite} {tls_sni_hostname}", "TLSv1.3 1301 shop.example", "  "),
        ("<{client_region}>", "<>", "<>"),
    ] {
        map.headers.request_add = vec![to_add("x", value, Mode::Replace)];
        for (connection, expected) in [(connection, expected), (in_the_clear, without_tls)] {
            let circumstances = Circumstances { connection, ..MANAGED() };
            let Routed::Forward(found) = route(&map, &head("h", "/", &headers), &circumstances) else {
                panic!()
            };
            let [HeaderEdit::Replace(_, said)] = found.request_edits.as_slice() else { panic!("{found:?}") };
            assert_eq!(said, expected, "{value}");
        }
    }
}
