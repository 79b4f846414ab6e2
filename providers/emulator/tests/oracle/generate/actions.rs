//! Destinations and actions of generated maps.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::{merged, object, some};
use crate::request::Kind;

/// Where a destination stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Level {
    /// In a map or matcher: fields begin with `default`, and there need be none.
    Default,
    /// In a rule. The variables that a rewrite by template can use; none where nothing was matched by one.
    Rule { template: Vec<String> },
}

impl Level {
    fn field(&self, name: &'static str) -> &'static str {
        match (self, name) {
            (Self::Default, "service") => "defaultService",
            (Self::Default, "urlRedirect") => "defaultUrlRedirect",
            (Self::Default, "routeAction") => "defaultRouteAction",
            (_, name) => name,
        }
    }
}

pub(crate) const SERVICES: u8 = 4;

fn service(kind: Kind) -> impl Strategy<Value = Value> {
    (0..SERVICES).prop_map(move |number| json!(format!("{}/backendServices/s{number}", kind.place())))
}

pub(super) fn destination(kind: Kind, level: &Level) -> BoxedStrategy<Value> {
    let (to, by, away) = (level.field("service"), level.field("routeAction"), level.field("urlRedirect"));
    let plain = service(kind).prop_map(move |service| object(vec![(to, service)]));
    let acting = (service(kind), action(kind, level))
        .prop_map(move |(service, action)| object(vec![(to, service), (by, action)]));
    let redirect = redirect().prop_map(move |redirect| object(vec![(away, redirect)]));
    let nothing = u32::from(*level == Level::Default);
    if kind == Kind::Classic {
        return prop_oneof![4 => plain, 2 => acting, 2 => redirect, nothing => Just(json!({}))].boxed();
    }
    let one = (service(kind), select(&[0_u16, 0, 1, 2, 500, 1000][..]), header_action(kind)).prop_map(
        |(service, weight, headers)| {
            object(vec![("backendService", service), ("weight", json!(weight)), ("headerAction", headers)])
        },
    );
    let split = (vec(one, 1..4), action(kind, level)).prop_map(move |(mut services, action)| {
        // The API asks for some weight.
        if services.iter().all(|service| service["weight"] == 0) {
            services[0]["weight"] = json!(1);
        }
        let action = if action.is_null() { json!({}) } else { action };
        let Value::Object(action) = action else { panic!("an object") };
        object(vec![(by, merged(action, object(vec![("weightedBackendServices", some(services))])))])
    });
    prop_oneof![3 => plain, 3 => acting, 2 => split, 2 => redirect, nothing => Just(json!({}))].boxed()
}

/// A route action; null where nothing is to be done.
fn action(kind: Kind, level: &Level) -> BoxedStrategy<Value> {
    let rewrite = option::of(rewrite(level)).prop_map(Option::unwrap_or_default);
    let empty = |action: Value| {
        if action.as_object().is_some_and(serde_json::Map::is_empty) { Value::Null } else { action }
    };
    if kind == Kind::Classic {
        return rewrite.prop_map(move |rewrite| empty(object(vec![("urlRewrite", rewrite)]))).boxed();
    }
    let maybe =
        |strategy: BoxedStrategy<Value>| option::weighted(0.25, strategy).prop_map(Option::unwrap_or_default);
    let timeout = (0_u8..3, 1_u32..1000)
        .prop_map(|(seconds, ms)| json!({ "seconds": seconds.to_string(), "nanos": ms * 1_000_000 }));
    let retry = option::of(1_u8..4).prop_map(|count| {
        merged(
            serde_json::Map::from_iter([("retryConditions".to_owned(), json!(["5xx"]))]),
            object(vec![("numRetries", json!(count))]),
        )
    });
    let mirror = (service(kind), option::of(percent())).prop_map(|(service, percent)| {
        object(vec![("backendService", service), ("mirrorPercent", json!(percent))])
    });
    let cors = (vec(select(&["https://o", "https://p", "*"][..]), 1..3), option::of(any::<bool>())).prop_map(
        |(origins, disabled)| object(vec![("allowOrigins", json!(origins)), ("disabled", json!(disabled))]),
    );
    let faults = (option::of((200_u16..600, percent())), option::of((1_u16..50, percent()))).prop_map(
        |(abort, delay)| {
            object(vec![
                ("abort", abort.map(|(status, percent)| json!({ "httpStatus": status, "percentage": percent })).into()),
                (
                    "delay",
                    delay
                        .map(|(seconds, percent)| json!({ "fixedDelay": { "seconds": seconds.to_string() }, "percentage": percent }))
                        .into(),
                ),
            ])
        },
    );
    (
        rewrite,
        maybe(timeout.boxed()),
        maybe(retry.boxed()),
        maybe(mirror.boxed()),
        maybe(cors.boxed()),
        maybe(faults.boxed()),
    )
        .prop_map(move |(rewrite, timeout, retry, mirror, cors, faults)| {
            empty(object(vec![
                ("urlRewrite", rewrite),
                ("timeout", timeout),
                ("retryPolicy", retry),
                ("requestMirrorPolicy", mirror),
                ("corsPolicy", cors),
                ("faultInjectionPolicy", faults),
            ]))
        })
        .boxed()
}

fn percent() -> impl Strategy<Value = f64> {
    select(&[0.0, 0.5, 25.0, 50.0, 99.9999, 100.0][..])
}

fn rewrite(level: &Level) -> BoxedStrategy<Value> {
    let host = option::of(select(&["inner.example.com", "inner:81"][..]));
    let prefix = select(&["/", "/new", "/new/", "/x/y"][..]);
    match level {
        Level::Rule { template } if !template.is_empty() => {
            let part = select(template.clone()).prop_map(|name| format!("{{{name}}}"));
            let part = prop_oneof![2 => part, 1 => select(&["z", "z.w"][..]).prop_map(str::to_owned)];
            let template = vec((part, select(&["/", "-", ""][..])), 1..4).prop_map(|parts| {
                let joined: String = parts.iter().flat_map(|(part, after)| [part.as_str(), after]).collect();
                format!("/{joined}")
            });
            (host, template)
                .prop_map(|(host, path)| {
                    object(vec![("hostRewrite", json!(host)), ("pathTemplateRewrite", json!(path))])
                })
                .boxed()
        }
        _ => (host, option::of(prefix))
            .prop_filter("a rewrite that changes something", |(host, path)| host.is_some() || path.is_some())
            .prop_map(|(host, path)| {
                object(vec![("hostRewrite", json!(host)), ("pathPrefixRewrite", json!(path))])
            })
            .boxed(),
    }
}

fn redirect() -> impl Strategy<Value = Value> {
    let code = select(
        &["FOUND", "MOVED_PERMANENTLY_DEFAULT", "PERMANENT_REDIRECT", "SEE_OTHER", "TEMPORARY_REDIRECT"][..],
    );
    let to = prop_oneof![
        2 => Just(vec![]),
        1 => select(&["/moved", "/"][..]).prop_map(|path| vec![("pathRedirect", json!(path))]),
        2 => select(&["/", "/new", "/new/"][..]).prop_map(|path| vec![("prefixRedirect", json!(path))]),
    ];
    let host = option::of(select(&["other.example.com", "other:81"][..]));
    let flag = || option::of(any::<bool>());
    (option::of(code), to, host, flag(), flag()).prop_map(|(code, to, host, https, strip)| {
        let mut fields = to;
        fields.extend([
            ("redirectResponseCode", json!(code)),
            ("hostRedirect", json!(host)),
            ("httpsRedirect", json!(https)),
            ("stripQuery", json!(strip)),
        ]);
        // A redirect that changes nothing would be refused by nobody, but goes round in a circle.
        if fields.iter().all(|(_, value)| value.is_null()) {
            fields.push(("httpsRedirect", json!(true)));
        }
        object(fields)
    })
}

/// A header action; mostly none.
pub(super) fn header_action(kind: Kind) -> BoxedStrategy<Value> {
    if kind == Kind::Classic {
        return Just(Value::Null).boxed();
    }
    let name = || select(&["x-a", "X-B", "x-new"][..]);
    let value = select(
        &[
            "1",
            "v",
            "{client_ip_address}",
            "p-{client_port}",
            "{client_region}",
            "{nothing}",
            "<{origin_request_header}>",
        ][..],
    );
    let option = (name(), value, option::of(any::<bool>())).prop_map(|(name, value, replace)| {
        object(vec![("headerName", json!(name)), ("headerValue", json!(value)), ("replace", json!(replace))])
    });
    let add = vec(option, 0..3);
    let remove =
        || vec(name(), 0..2).prop_map(|names| names.into_iter().map(|name| json!(name)).collect::<Vec<_>>());
    let action =
        (add.clone(), remove(), add, remove()).prop_map(|(request, no_request, response, no_response)| {
            object(vec![
                ("requestHeadersToAdd", some(request)),
                ("requestHeadersToRemove", some(no_request)),
                ("responseHeadersToAdd", some(response)),
                ("responseHeadersToRemove", some(no_response)),
            ])
        });
    option::weighted(0.35, action).prop_map(Option::unwrap_or_default).boxed()
}
