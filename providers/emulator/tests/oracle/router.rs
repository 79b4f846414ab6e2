//! The router under test, reached as the emulator reaches it: the objects of the API are compiled, and what comes out is
//! asked.

use std::collections::BTreeMap;
use std::net::IpAddr;

use emulator::dataplane::program::{NetworkEndpoint, Program, Scheme, UrlMap};
use emulator::dataplane::route::{
    Circumstances, Connection, Draws, HeaderEdit, RequestHead, RequestUrl, Routed, location, route,
};
use emulator::program::{Resources, compile};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::request::{BACKEND_SAYS, CLIENT, Forward, Headers, Kind, Outcome, Request};

/// A cloud of one load balancer.
struct Cloud(BTreeMap<String, Value>);

impl Resources for Cloud {
    fn list(&self, collection: &str) -> Vec<(&str, &Value)> {
        let of = |path: &str| path.rsplit('/').nth(1) == Some(collection);
        self.0.iter().filter(|(path, _)| of(path)).map(|(path, body)| (path.as_str(), body)).collect()
    }

    fn get(&self, path: &str) -> Option<&Value> {
        self.0.get(path)
    }

    fn network_endpoints(&self, _group: &str) -> Vec<NetworkEndpoint> {
        Vec::new()
    }

    fn group_members(&self, _group: &str) -> Vec<String> {
        Vec::new()
    }

    fn private_key(&self, _ssl_certificate: &str) -> Option<&str> {
        None
    }
}

/// A URL map as it would serve.
#[derive(Debug, Clone)]
pub(crate) struct Compiled {
    pub(crate) map: UrlMap,
    pub(crate) scheme: Scheme,
    /// What the compiler had to say of the map.
    pub(crate) problems: Vec<String>,
}

pub(crate) fn compiled(kind: Kind, map: &Value) -> Compiled {
    let at = |name: &str| format!("{}/{name}", kind.place());
    let rule = json!({
        "IPAddress": "127.64.0.1", "portRange": "80-80", "loadBalancingScheme": kind.scheme(),
        "target": at("targetHttpProxies/t"),
    });
    let program: Program = compile(&Cloud(BTreeMap::from([
        (at("forwardingRules/f"), rule),
        (at("targetHttpProxies/t"), json!({ "urlMap": at("urlMaps/m") })),
        (at("urlMaps/m"), map.clone()),
    ])));
    let of_map = at("urlMaps/m");
    let problems = program.problems.iter().filter(|problem| problem.resource == of_map);
    Compiled {
        problems: problems.map(|problem| problem.message.clone()).collect(),
        scheme: program.frontends[0].scheme,
        map: UrlMap::clone(program.url_maps.values().next().expect("the rule leads to it")),
    }
}

/// What the router makes of a request.
pub(crate) fn answer(compiled: &Compiled, request: &Request) -> Outcome {
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        headers.append(HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value).unwrap());
    }
    let head = RequestHead {
        authority: &request.host,
        path: &request.path,
        query: request.query.as_deref(),
        method: request.method,
        headers: &headers,
    };
    let crate::request::Draws { service, abort, delay, mirror } = request.draws;
    let connection = Connection {
        client: (IpAddr::from(CLIENT.0), CLIENT.1),
        server: (IpAddr::from([127, 64, 0, 1]), 80),
        protocol: "HTTP/1.1",
        tls: None,
    };
    let draws = Draws { service, abort, delay, mirror };
    let circumstances = Circumstances { scheme: compiled.scheme, draws, connection };
    match route(&compiled.map, &head, &circumstances) {
        Routed::Nowhere(_) => Outcome::Nowhere,
        Routed::Redirect { redirect, matched } => {
            let (path, query) = (request.path.as_str(), request.query.as_deref());
            let url = RequestUrl { scheme: "http", authority: &request.host, path, query };
            let location = location(redirect, &url, matched, 443);
            Outcome::Redirect { status: redirect.code.status().as_u16(), location }
        }
        Routed::Forward(forwarding) => {
            let host = forwarding.host.unwrap_or(&request.host);
            let path = forwarding.path.as_deref().unwrap_or(&request.path);
            let query = request.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
            HeaderEdit::apply(&forwarding.request_edits, &mut headers);
            let mut answered = HeaderMap::new();
            for (name, value) in BACKEND_SAYS {
                answered.append(*name, HeaderValue::from_static(value));
            }
            HeaderEdit::apply(&forwarding.response_edits, &mut answered);
            let milliseconds = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap();
            Outcome::Forward(Box::new(Forward {
                service: forwarding.service.to_string(),
                url: format!("{host}{path}{query}"),
                request_headers: lines(&headers),
                response_headers: lines(&answered),
                timeout_ms: forwarding.timeout.map(milliseconds),
                retries: forwarding.retry.map(|retry| retry.retries.into()),
                mirror: forwarding.mirror.map(|mirror| mirror.service.to_string()),
                cors: forwarding.cors.map(|cors| cors.origins.clone()),
                delay_ms: forwarding.delay.map(milliseconds),
                abort: forwarding.abort.map(|status| status.as_u16()),
            }))
        }
    }
}

fn lines(headers: &HeaderMap) -> Headers {
    let mut lines = Headers::new();
    for (name, value) in headers {
        lines.entry(name.to_string()).or_default().push(value.to_str().unwrap().to_owned());
    }
    lines
}
