use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::dataplane::program::{
    BackendProtocol, Capacity, Destination, FirewallAction, FrontendProtocol, Group, HeaderAction,
    HostPattern, Mode, NetworkEndpoints, PathMatch, PathPattern, PathRedirect, PathRewrite, Preamble, Probe,
    ProbePort, RedirectCode, RetryCondition, Routing, Rules, Scheme, Share, Transport, UrlMap,
};
use crate::dataplane::resource_id::{
    BackendServiceId, GroupId, HealthCheckId, InstanceId, NetworkId, UrlMapId,
};
use crate::dataplane::route::{Circumstances, RequestHead, RequestUrl, Routed, location, route};

/// A cloud that is a table of bodies.
#[derive(Debug, Default, Clone)]
struct Cloud {
    objects: BTreeMap<String, Value>,
    endpoints: BTreeMap<String, Vec<NetworkEndpoint>>,
    members: BTreeMap<String, Vec<String>>,
    keys: BTreeMap<String, String>,
}

impl Resources for Cloud {
    fn list(&self, collection: &str) -> Vec<(&str, &Value)> {
        self.objects
            .iter()
            .filter(|(path, _)| path.rsplit('/').nth(1) == Some(collection))
            .map(|(path, body)| (path.as_str(), body))
            .collect()
    }

    fn get(&self, path: &str) -> Option<&Value> {
        self.objects.get(path)
    }

    fn network_endpoints(&self, group: &str) -> Vec<NetworkEndpoint> {
        self.endpoints.get(group).cloned().unwrap_or_default()
    }

    fn group_members(&self, group: &str) -> Vec<String> {
        self.members.get(group).cloned().unwrap_or_default()
    }

    fn private_key(&self, ssl_certificate: &str) -> Option<&str> {
        self.keys.get(ssl_certificate).map(String::as_str)
    }
}

const LINK: &str = "http://127.0.0.1:1/compute/v1/";

fn link(path: &str) -> String {
    format!("{LINK}projects/p/{path}")
}

fn path(path: &str) -> String {
    format!("projects/p/{path}")
}

impl Cloud {
    fn with(mut self, at: &str, body: Value) -> Self {
        self.objects.insert(path(at), body);
        self
    }

    fn without(mut self, at: &str) -> Self {
        self.objects.remove(&path(at)).expect("it is there");
        self
    }
}

/// The walkthrough: :80 redirects, :443 serves a node port behind an instance group.
fn walkthrough() -> Cloud {
    let signed = rcgen::generate_simple_self_signed(["echoheaders".to_owned()]).unwrap();
    let mut cloud = Cloud::default()
        .with(
            "global/forwardingRules/http",
            json!({"IPAddress": "127.64.0.1", "portRange": "80-80", "loadBalancingScheme": "EXTERNAL_MANAGED",
                   "target": link("global/targetHttpProxies/r")}),
        )
        .with(
            "global/forwardingRules/https",
            json!({"IPAddress": "127.64.0.1", "portRange": "443", "loadBalancingScheme": "EXTERNAL_MANAGED",
                   "target": link("global/targetHttpsProxies/s")}),
        )
        .with("global/targetHttpProxies/r", json!({"urlMap": link("global/urlMaps/r")}))
        .with(
            "global/targetHttpsProxies/s",
            json!({"urlMap": link("global/urlMaps/m"), "sslCertificates": [link("global/sslCertificates/c")]}),
        )
        .with("global/sslCertificates/c", json!({"certificate": signed.cert.pem()}))
        .with(
            "global/urlMaps/r",
            json!({"defaultUrlRedirect": {"httpsRedirect": true, "redirectResponseCode": "FOUND"}}),
        )
        .with("global/urlMaps/m", json!({"defaultService": link("global/backendServices/b")}))
        .with(
            "global/backendServices/b",
            json!({"protocol": "HTTP", "portName": "port30080", "timeoutSec": 30,
                   "connectionDraining": {"drainingTimeoutSec": 7},
                   "healthChecks": [link("global/healthChecks/h")],
                   "backends": [{"group": link("zones/z/instanceGroups/g"), "capacityScaler": 1.0}]}),
        )
        .with(
            "global/healthChecks/h",
            json!({"type": "HTTP", "checkIntervalSec": 8, "timeoutSec": 1, "healthyThreshold": 1,
                   "unhealthyThreshold": 10,
                   "httpHealthCheck": {"portSpecification": "USE_SERVING_PORT", "requestPath": "/ok"}}),
        )
        .with("zones/z/instanceGroups/g", json!({"namedPorts": [{"name": "port30080", "port": 30080}]}))
        .with(
            "zones/z/instances/n1",
            json!({"tags": {"items": ["node"]},
                   "networkInterfaces": [{"network": link("global/networks/default"), "networkIP": "10.0.0.2",
                                          "aliasIpRanges": [{"ipCidrRange": "10.4.1.0/24"}]}]}),
        )
        .with(
            "global/firewalls/f",
            json!({"network": link("global/networks/default"), "sourceRanges": ["35.191.0.0/16"],
                   "allowed": [{"IPProtocol": "tcp", "ports": ["30000-32767"]}], "targetTags": ["node"]}),
        );
    cloud.members.insert(path("zones/z/instanceGroups/g"), vec![path("zones/z/instances/n1")]);
    cloud.keys.insert(path("global/sslCertificates/c"), signed.signing_key.serialize_pem());
    cloud
}

#[test]
fn the_walkthrough_compiles_whole() {
    let program = compile(&walkthrough());
    assert_eq!(program.problems, []);
    let [http, https] = &program.frontends[..] else { panic!("two frontends: {program:?}") };
    assert_eq!((http.address.to_string().as_str(), http.port), ("127.64.0.1", 80));
    assert_eq!((http.scheme, http.protocol.clone()), (Scheme::Managed, FrontendProtocol::Http));
    assert_eq!(https.port, 443);
    let FrontendProtocol::Https { certificates, policy: _ } = &https.protocol else { panic!("{https:?}") };
    assert_eq!(certificates.len(), 1);
    assert_eq!(https.routing, Routing::UrlMap(UrlMapId::new(path("global/urlMaps/m"))));

    let Destination::Redirect(redirect) = &program.url_maps[&UrlMapId::new(path("global/urlMaps/r"))].default
    else {
        panic!("{program:?}")
    };
    assert!(redirect.https);
    assert_eq!(redirect.code, RedirectCode::Found);

    let service = &program.backend_services[&BackendServiceId::new(path("global/backendServices/b"))];
    assert_eq!((service.protocol, service.port_name.as_str()), (BackendProtocol::Http, "port30080"));
    assert_eq!((service.timeout.as_secs(), service.draining.as_secs()), (30, 7));
    assert_eq!(service.backends[0].capacity, Capacity::WHOLE);
    let check = &program.health_checks[&HealthCheckId::new(path("global/healthChecks/h"))];
    assert_eq!((check.interval.as_secs(), check.timeout.as_secs()), (8, 1));
    assert_eq!((check.healthy_threshold, check.unhealthy_threshold), (1, 10));
    assert_eq!(check.port, ProbePort::Serving);
    let Group::Instances { named_ports, members } =
        &program.groups[&GroupId::new(path("zones/z/instanceGroups/g"))]
    else {
        panic!("{program:?}")
    };
    assert_eq!((named_ports[0].name.as_str(), named_ports[0].port), ("port30080", 30080));
    assert_eq!(members, &[InstanceId::new(path("zones/z/instances/n1"))]);
    let instance = &program.instances[&InstanceId::new(path("zones/z/instances/n1"))];
    assert_eq!(instance.interfaces[0].network, NetworkId::new(path("global/networks/default")));
    assert_eq!(program.firewalls[0].priority, 1000);
    assert_eq!(program.firewalls[0].action, FirewallAction::Allow);
}

/// Whatever is missing, the rest is there and the lack is said.
#[test]
fn every_dangling_reference_is_a_state_and_a_problem() {
    let whole = compile(&walkthrough());
    for (missing, said_of) in [
        ("global/targetHttpProxies/r", "global/forwardingRules/http"),
        ("global/urlMaps/r", "global/targetHttpProxies/r"),
        ("global/urlMaps/m", "global/targetHttpsProxies/s"),
        ("global/sslCertificates/c", "global/sslCertificates/c"),
        ("global/backendServices/b", "global/backendServices/b"),
        ("global/healthChecks/h", "global/healthChecks/h"),
        ("zones/z/instanceGroups/g", "zones/z/instanceGroups/g"),
    ] {
        let program = compile(&walkthrough().without(missing));
        assert_eq!(program.frontends.len(), whole.frontends.len(), "without {missing}");
        let problems: Vec<_> = program.problems.iter().map(|problem| problem.resource.clone()).collect();
        assert!(problems.contains(&path(said_of)), "without {missing}: {problems:?}");
    }
    let program = compile(&walkthrough().without("global/urlMaps/m"));
    assert!(matches!(&program.frontends[1].routing, Routing::Unprogrammed(why) if why.contains("urlMaps/m")));
    let program = compile(&walkthrough().without("global/targetHttpsProxies/s"));
    assert!(
        matches!(&program.frontends[1].protocol, FrontendProtocol::Https { certificates, policy: _ } if certificates.is_empty())
    );
    let mut keyless = walkthrough();
    keyless.keys.clear();
    let program = compile(&keyless);
    assert!(program.problems.iter().any(|problem| problem.message.contains("private key")));
}

#[test]
fn a_service_that_no_frontend_reaches_is_not_in_the_program() {
    let cloud = walkthrough().without("global/forwardingRules/https");
    let program = compile(&cloud);
    assert_eq!(program.backend_services.len(), 0);
    assert_eq!(program.groups.len(), 0);
}

#[test]
fn forwarding_rules_that_are_not_for_http_are_said_and_left_out() {
    let rule = |change: fn(&mut Value)| {
        let mut body = json!({"IPAddress": "127.64.0.1", "portRange": "80",
                              "target": link("global/targetHttpProxies/r")});
        change(&mut body);
        Cloud::default().with("global/forwardingRules/f", body)
    };
    for change in [
        (|body| body["target"] = Value::Null) as fn(&mut Value),
        |body| body["target"] = json!(link("regions/r/targetPools/t")),
        |body| body["portRange"] = json!("80-90"),
        |body| body["portRange"] = json!("0"),
        |body| body["IPAddress"] = json!("nonsense"),
    ] {
        let program = compile(&rule(change));
        assert_eq!(program.frontends, []);
        assert_eq!(program.problems.len(), 1);
    }
}

fn url_map(body: &Value) -> (UrlMap, Vec<String>) {
    let mut program = Program::default();
    let map = url_map::compile(&UrlMapId::new("m"), body, &mut program);
    (map, program.problems.into_iter().map(|problem| problem.message).collect())
}

#[test]
fn url_maps() {
    let (map, problems) = url_map(&json!({
        "defaultService": link("global/backendServices/d"),
        "hostRules": [
            {"hosts": ["Shop.Example:8080", "*", "*.example", "*-a.example"], "pathMatcher": "one"},
        ],
        "pathMatchers": [{
            "name": "one",
            "defaultUrlRedirect": {"prefixRedirect": "/x", "stripQuery": true},
            "pathRules": [{"paths": ["/a", "/a/*", "/*"], "service": "projects/p/global/backendServices/a"}],
        }],
    }));
    assert_eq!(problems, [""; 0]);
    let port = Some(8080);
    assert_eq!(
        map.host_rules[0].hosts,
        [
            HostPattern::Exact { host: "shop.example".to_owned(), port },
            HostPattern::Any,
            HostPattern::Suffix { suffix: ".example".to_owned(), port: None },
            HostPattern::Suffix { suffix: "-a.example".to_owned(), port: None },
        ]
    );
    let matcher = &map.path_matchers["one"];
    let Rules::Paths(rules) = &matcher.rules else { panic!("{matcher:?}") };
    assert_eq!(
        rules[0].paths,
        [
            PathPattern::Exact("/a".to_owned()),
            PathPattern::Below("/a/".to_owned()),
            PathPattern::Below("/".to_owned()),
        ]
    );
    let Destination::Redirect(redirect) = &matcher.default else { panic!("{matcher:?}") };
    assert_eq!(redirect.path, PathRedirect::ReplaceMatched("/x".to_owned()));
    assert!(redirect.strip_query);
    let reached: Vec<_> = map.backend_services().map(BackendServiceId::name).collect();
    assert_eq!(reached, ["a", "d"]);
}

#[test]
fn what_a_url_map_asks_for_in_vain_is_said() {
    let service = link("global/backendServices/a");
    let (map, problems) = url_map(&json!({
        "defaultCustomErrorResponsePolicy": {"errorResponseRules": []},
        "pathMatchers": [{
            "name": "one",
            "defaultService": service,
            "defaultRouteAction": {"cachePolicy": {"cacheMode": "FORCE_CACHE_ALL"}},
            "headerAction": {"requestHeadersToAdd": [{"headerName": "Host", "headerValue": "x"}],
                             "responseHeadersToRemove": ["a b"]},
            "routeRules": [
                {"priority": 1, "matchRules": [{"pathTemplateMatch": "/a*"}], "service": service},
                {"priority": 2, "matchRules": [{"regexMatch": "a)|(?:b"}], "service": service},
                {"priority": 3, "matchRules": [{"prefixMatch": "/"}], "routeAction": {"weightedBackendServices": [
                    {"backendService": service, "weight": 0}],
                    "retryPolicy": {"retryConditions": ["5xx", "sometimes"]}}},
            ],
        }],
    }));
    let said = problems.join("\n");
    for word in [
        "defaultCustomErrorResponsePolicy",
        "cachePolicy",
        "the header host, which belongs to the load balancer",
        "\"a b\", which cannot be a header",
        "it an operator must begin its segment",
        "regular expression",
        "no backend service any weight",
        "the retry condition sometimes",
        "the default has no destination",
    ] {
        assert!(said.contains(word), "{word} in {said}");
    }
    let Rules::Routes(rules) = &map.path_matchers["one"].rules else { panic!("{map:?}") };
    assert!(rules[..2].iter().all(|rule| rule.matches[0].path == PathMatch::Unserved));
    assert_eq!(map.path_matchers["one"].headers, HeaderAction::default());
}

#[test]
fn route_actions() {
    let service = |name: &str| link(&format!("global/backendServices/{name}"));
    let (map, problems) = url_map(&json!({
        "headerAction": {
            "requestHeadersToAdd": [
                {"headerName": "X-A", "headerValue": "1"},
                {"headerName": "X-B", "headerValue": "{client_port}"},
                {"headerName": "X-C", "headerValue": "{client_port}", "replace": true},
                {"headerName": "X-D", "headerValue": "1", "replace": false},
            ],
            "responseHeadersToRemove": ["X-E"],
        },
        "defaultRouteAction": {
            "weightedBackendServices": [
                {"backendService": service("a"), "weight": 3},
                {"backendService": service("b")},
            ],
            "urlRewrite": {"hostRewrite": "h", "pathPrefixRewrite": "/x"},
            "timeout": {"seconds": "7", "nanos": 500_000_000},
            "retryPolicy": {"retryConditions": ["5xx", "cancelled"], "perTryTimeout": {"seconds": "1"}},
            "requestMirrorPolicy": {"backendService": service("c")},
            "corsPolicy": {"allowOrigins": ["https://o"], "allowMethods": ["GET", "PUT"], "maxAge": 9,
                           "allowCredentials": true},
            "faultInjectionPolicy": {"abort": {"httpStatus": 503, "percentage": 12.5},
                                     "delay": {"fixedDelay": {"nanos": 1}, "percentage": 100}},
        },
    }));
    assert_eq!(problems, [""; 0]);
    let modes: Vec<_> = map.headers.request_add.iter().map(|header| header.mode).collect();
    assert_eq!(modes, [Mode::Replace, Mode::Append, Mode::Replace, Mode::Append]);
    assert_eq!(map.headers.response_remove, ["x-e"]);
    let Destination::Forward(forward) = &map.default else { panic!("{map:?}") };
    let weights: Vec<_> =
        forward.services.iter().map(|service| (service.service.name(), service.weight)).collect();
    assert_eq!(weights, [("a", 3), ("b", 0)]);
    let action = &forward.action;
    assert_eq!(action.rewrite.host.as_deref(), Some("h"));
    assert_eq!(action.rewrite.path, PathRewrite::ReplaceMatched("/x".to_owned()));
    assert_eq!(action.timeout, Some(Duration::from_millis(7500)));
    let retry = action.retry.as_ref().unwrap();
    assert_eq!((retry.retries, retry.per_try), (1, Some(Duration::from_secs(1))));
    assert_eq!(retry.conditions, [RetryCondition::ServerError, RetryCondition::GrpcStatus(1)]);
    assert_eq!(action.mirror.as_ref().unwrap().share, Share::ALL);
    let cors = action.cors.as_ref().unwrap();
    assert_eq!((cors.methods.as_ref().unwrap(), cors.max_age), (&"GET,PUT".parse().unwrap(), Some(9)));
    assert_eq!(action.abort.unwrap().share.per_million, 125_000);
    assert_eq!(action.delay.unwrap().wait, Duration::from_nanos(1));
    let reached: Vec<_> = map.backend_services().map(BackendServiceId::name).collect();
    assert_eq!(reached, ["a", "b", "c"], "a mirror and a service without weight are reached too");
}

#[test]
fn faults_out_of_range_are_said_and_left_out() {
    let service = link("global/backendServices/a");
    for fault in [
        json!({"abort": {"httpStatus": 600, "percentage": 1}}),
        json!({"abort": {"httpStatus": 503, "percentage": 101}}),
        json!({"abort": {"httpStatus": 503, "percentage": -1}}),
        json!({"abort": {"httpStatus": 503}}),
        json!({"abort": {}}),
        json!({"delay": {"fixedDelay": {"seconds": 1}}}),
    ] {
        let (map, problems) = url_map(
            &json!({"defaultService": service, "defaultRouteAction": {"faultInjectionPolicy": fault}}),
        );
        let Destination::Forward(forward) = &map.default else { panic!("{fault}") };
        assert_eq!((forward.action.abort, forward.action.delay), (None, None), "{fault}");
        assert!(problems[0].contains("out of range"), "{problems:?}");
    }
}

#[test]
fn network_endpoint_groups_by_type() {
    let group = |kind: &str| {
        let mut cloud = walkthrough()
            .with(
                "zones/z/networkEndpointGroups/n",
                json!({"networkEndpointType": kind, "network": link("global/networks/default")}),
            )
            .with(
                "global/backendServices/b",
                json!({"backends": [{"group": link("zones/z/networkEndpointGroups/n"), "capacityScaler": 0}]}),
            );
        cloud.endpoints.insert(
            path("zones/z/networkEndpointGroups/n"),
            vec![NetworkEndpoint { instance: None, address: "10.4.1.7".parse().unwrap(), port: 8080 }],
        );
        let program = compile(&cloud);
        let service = &program.backend_services[&BackendServiceId::new(path("global/backendServices/b"))];
        assert_eq!(service.backends[0].capacity, Capacity::DRAINED);
        program.groups.get(&GroupId::new(path("zones/z/networkEndpointGroups/n"))).cloned()
    };
    let on_instances = Group::NetworkEndpoints(NetworkEndpoints::OnInstances {
        network: Some(NetworkId::new(path("global/networks/default"))),
        endpoints: [NetworkEndpoint { instance: None, address: "10.4.1.7".parse().unwrap(), port: 8080 }]
            .into(),
    });
    assert_eq!(group("GCE_VM_IP_PORT"), Some(on_instances));
    assert!(matches!(
        group("NON_GCP_PRIVATE_IP_PORT"),
        Some(Group::NetworkEndpoints(NetworkEndpoints::Outside(_)))
    ));
    assert_eq!(group("SERVERLESS"), None);
}

#[test]
fn health_checks_that_cannot_be_served_leave_everything_unhealthy_and_say_so() {
    for (body, word) in [
        (json!({"type": "UDP"}), "UDP"),
        (json!({"type": "GRPC"}), "no port"),
        (json!({"type": "TCP", "tcpHealthCheck": {"portSpecification": "USE_NAMED_PORT"}}), "USE_NAMED_PORT"),
    ] {
        let program = compile(&walkthrough().with("global/healthChecks/h", body));
        assert_eq!(program.health_checks.len(), 0);
        assert!(program.problems[0].message.contains(word), "{:?}", program.problems);
    }
    let line = json!({"type": "TCP", "tcpHealthCheck": {"proxyHeader": "PROXY_V1"}});
    let program = compile(&walkthrough().with("global/healthChecks/h", line));
    assert_eq!(program.health_checks.values().next().unwrap().preamble, Preamble::ProxyUnknown);
    let program = compile(&walkthrough().with("global/healthChecks/h", json!({"type": "HTTPS"})));
    let check = program.health_checks.values().next().unwrap();
    assert_eq!(check.port, ProbePort::Fixed(443));
    assert_eq!((check.interval.as_secs(), check.timeout.as_secs()), (5, 5));
}

#[test]
fn firewalls_that_can_never_mean_a_load_balancer_are_left_out() {
    let network = link("global/networks/default");
    let compiled = |body: Value| compile(&Cloud::default().with("global/firewalls/f", body)).firewalls;
    assert_eq!(compiled(json!({"network": network, "disabled": true})), []);
    assert_eq!(compiled(json!({"network": network, "direction": "EGRESS"})), []);
    assert_eq!(compiled(json!({"network": network, "sourceTags": ["a"]})), []);
    let everyone = compiled(json!({"network": network, "priority": 5, "denied": [{"IPProtocol": "all"}]}));
    assert_eq!((everyone[0].action, everyone[0].priority), (FirewallAction::Deny, 5));
    assert_eq!(everyone[0].source_ranges[0].to_string(), "0.0.0.0/0");
}

/// Any JSON whatever, with the field names of the API among its keys so that it gets past the first look.
fn any_json() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        prop::sample::select(vec![
            "IPAddress",
            "portRange",
            "target",
            "urlMap",
            "sslCertificates",
            "certificate",
            "defaultService",
            "defaultUrlRedirect",
            "hostRules",
            "hosts",
            "pathMatcher",
            "pathMatchers",
            "name",
            "pathRules",
            "paths",
            "service",
            "routeRules",
            "priority",
            "matchRules",
            "prefixMatch",
            "fullPathMatch",
            "regexMatch",
            "ignoreCase",
            "headerMatches",
            "headerName",
            "rangeMatch",
            "urlRedirect",
            "prefixRedirect",
            "httpsRedirect",
            "hostRedirect",
            "routeAction",
            "weightedBackendServices",
            "backends",
            "group",
            "healthChecks",
            "timeoutSec",
            "httpHealthCheck",
            "type",
            "namedPorts",
            "port",
            "network",
            "networkInterfaces",
            "sourceRanges",
            "allowed",
            "ports",
            "tags",
            "items",
        ])
        .prop_map(str::to_owned),
        "[a-z]{1,3}",
    ];
    let text = prop_oneof![
        any::<String>(),
        "[/*.:a-z0-9-]{0,12}",
        prop::sample::select(vec![
            "*",
            "*.",
            "*:80",
            "/",
            "/*",
            "80-80",
            "127.0.0.1",
            "1.2.3.4/8",
            "projects/p/global/urlMaps/x",
            "projects/p/global/targetHttpsProxies/x",
            "projects/p/global/targetHttpProxies/x",
            "projects/p/global/backendServices/x",
            "projects/p/global/healthChecks/x",
            "projects/p/global/sslCertificates/x",
            "projects/p/zones/z/instanceGroups/x",
            "HTTP",
            "tcp",
        ])
        .prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..8)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// Whatever stands in the store, there is a program.
    #[test]
    fn compiling_is_total(bodies in prop::collection::vec(any_json(), 10)) {
        let names = [
            "global/forwardingRules/x", "global/targetHttpProxies/x", "global/targetHttpsProxies/x",
            "global/urlMaps/x", "global/backendServices/x", "global/healthChecks/x", "global/sslCertificates/x",
            "zones/z/instanceGroups/x", "global/firewalls/x", "zones/z/instances/x",
        ];
        let mut cloud = Cloud::default();
        for (name, body) in names.into_iter().zip(bodies) {
            cloud = cloud.with(name, body);
        }
        // The rule itself is good, so that what it leads to is looked at.
        cloud = cloud
            .with("global/forwardingRules/y", json!({"IPAddress": "127.0.0.1", "portRange": "80",
                                                     "target": link("global/targetHttpsProxies/x")}))
            .with("global/targetHttpsProxies/x", json!({"urlMap": link("global/urlMaps/x"),
                                                        "sslCertificates": [link("global/sslCertificates/x")]}));
        let program = compile(&cloud);
        prop_assert!(!program.frontends.is_empty());
        prop_assert_eq!(compile(&cloud), program, "the same state is the same program");
    }

    /// Any URL map routes any request, and where it redirects, it has a location.
    #[test]
    fn routing_is_total(
        body in any_json(),
        authority in any::<String>(),
        path in any::<String>(),
        query in proptest::option::of(any::<String>()),
        method in any::<String>(),
        matched in any::<usize>(),
    ) {
        let (map, _) = url_map(&json!({
            "hostRules": body.get("hostRules").unwrap_or(&body),
            "pathMatchers": [body, {"name": "*", "pathRules": [body], "routeRules": body.get("routeRules")}],
            "defaultUrlRedirect": body,
        }));
        let headers = http::HeaderMap::new();
        let query = query.as_deref();
        let request =
            RequestHead { authority: &authority, path: &path, query, method: &method, headers: &headers };
        let circumstances = Circumstances::nobodys(Scheme::Managed);
        let routed = route(&map, &request, &circumstances);
        prop_assert_eq!(&route(&map, &request, &circumstances), &routed);
        if let Routed::Redirect { redirect, matched: by_rule } = routed {
            let url = RequestUrl { scheme: "http", authority: &authority, path: &path, query };
            for matched in [by_rule, matched] {
                prop_assert!(location(redirect, &url, matched, 443).contains("://"));
            }
        }
    }
}

#[test]
fn every_protocol_towards_backends_and_the_legacy_health_checks() {
    for (word, protocol) in [
        ("HTTP", BackendProtocol::Http),
        ("HTTPS", BackendProtocol::Https),
        ("HTTP2", BackendProtocol::Http2),
        ("H2C", BackendProtocol::H2c),
        ("GRPC", BackendProtocol::H2c),
    ] {
        let cloud = walkthrough().with("global/backendServices/b", json!({ "protocol": word }));
        let program = compile(&cloud);
        let service = &program.backend_services[&BackendServiceId::new(path("global/backendServices/b"))];
        assert_eq!(service.protocol, protocol, "{word}");
    }
    for (collection, transport) in
        [("httpHealthChecks", Transport::Plain), ("httpsHealthChecks", Transport::Tls)]
    {
        let at = format!("global/{collection}/old");
        let cloud = walkthrough()
            .with("global/backendServices/b", json!({ "healthChecks": [link(&at)] }))
            .with(&at, json!({ "port": 81, "requestPath": "/ok", "host": "h", "checkIntervalSec": 3 }));
        let check = &compile(&cloud).health_checks[&HealthCheckId::new(path(&at))];
        let Probe::Http(probe) = &check.probe else { panic!("{check:?}") };
        assert_eq!((probe.transport, probe.path.as_str()), (transport, "/ok"));
        assert_eq!((check.port, check.interval.as_secs()), (ProbePort::Fixed(81), 3));
    }
}
