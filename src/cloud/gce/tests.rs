//! Every resource survives the way to the wire and back, and what the cloud fills in or others wrote does not get in the way.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::*;
use crate::model::{
    Address, AddressBinding, Affinity, Backend, BackendPolicy, BackendProtocol, Balancing, CacheKey,
    CacheKeyPart, CacheKeyQuery, CacheMode, CdnPolicy, Certificates, ClusterId, Coalescing, Destination,
    Firewall, ForwardingRule, Graph, Group, HealthCheck, HealthPort, HostRoutes, Iap, InstanceGroup,
    LoadBalancerKey, Logging, NegativeCaching, NetworkEndpointGroup, ObjectKey, PathMatcher, PathRule, Probe,
    Redirect, RedirectCode, Ref, Resource, Scheme, SslCertificate, TargetHttpProxy, TargetHttpsProxy, UrlMap,
    Zone,
};
use crate::snapshot::certificate;

fn links() -> Links {
    Links::new("https://compute.googleapis.com/compute/v1/", "p")
}

fn name(text: &str) -> ResourceName {
    ResourceName::new(text).unwrap()
}

fn zone() -> Scope {
    Scope::Zone(Zone("us-central1-a".to_owned()))
}

fn to<K: Resource>(scope: Scope, text: &str) -> Ref<K> {
    Graph::default().foreign(scope, name(text))
}

fn mark() -> Mark {
    Mark {
        cluster: ClusterId::new("0a1b2c3d").unwrap(),
        holder: Holder::LoadBalancer(LoadBalancerKey::ingress(ObjectKey::new("default", "test"))),
    }
}

fn id<K: Resource>(scope: Scope) -> ResourceId {
    ResourceId { kind: K::KIND, scope, name: name("gclb1-0a1b2c3d-x") }
}

/// To the wire, through JSON, and back.
#[track_caller]
fn survives<R: Wire>(model: &R::Model, scope: &Scope) -> Value
where
    R::Model: PartialEq + std::fmt::Debug,
{
    let id = id::<R::Model>(scope.clone());
    let body = R::write(model, &id, &mark(), &links()).unwrap();
    let json = serde_json::to_value(&body).unwrap();
    let back: R = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(back.read(scope).as_ref(), Ok(model), "{json:#}");
    assert_eq!(back.name(), Some(id.name.as_str()));
    assert_eq!(back.description().and_then(Mark::parse), Some(mark()));
    json
}

#[test]
fn addresses() {
    let json = survives::<gce_api::Address>(&Address {}, &Scope::Global);
    assert_eq!(json["addressType"], "EXTERNAL");
    let body: gce_api::Address = serde_json::from_value(json!({"address": "203.0.113.7"})).unwrap();
    assert_eq!(Wire::address(&body), Some("203.0.113.7".parse().unwrap()));
}

#[test]
fn firewalls() {
    let firewall = Firewall {
        network: "default".to_owned(),
        source_ranges: Firewall::GOOGLE_RANGES.iter().map(|range| range.parse().unwrap()).collect(),
        ports: BTreeSet::from([(30_080, 30_080), (31_000, 32_000)]),
        target_tags: BTreeSet::from(["node".to_owned()]),
    };
    let json = survives::<gce_api::Firewall>(&firewall, &Scope::Global);
    assert_eq!(json["allowed"], json!([{"IPProtocol": "tcp", "ports": ["30080", "31000-32000"]}]));
    let without_tags = Firewall { target_tags: BTreeSet::new(), ..firewall };
    survives::<gce_api::Firewall>(&without_tags, &Scope::Global);
    assert_eq!(patch::<gce_api::Firewall>(&without_tags)["targetTags"], Value::Null);
}

#[test]
fn forwarding_rules() {
    for target in [
        Target::Http(to(Scope::Global, "http")),
        Target::Https(to(Scope::Global, "https")),
        Target::Other("https://example.com/other".to_owned()),
    ] {
        let rule = ForwardingRule {
            address: AddressBinding::Literal("203.0.113.7".parse().unwrap()),
            port: 443,
            target,
            scheme: Scheme::ExternalManaged,
        };
        let json = survives::<gce_api::ForwardingRule>(&rule, &Scope::Global);
        assert_eq!(json["portRange"], "443-443");
    }
}

#[test]
fn a_forwarding_rule_asks_for_its_address_by_name() {
    let rule = ForwardingRule {
        address: AddressBinding::Reserved(to(Scope::Global, "ip")),
        port: 80,
        target: Target::Http(to(Scope::Global, "http")),
        scheme: Scheme::ExternalManaged,
    };
    let body = gce_api::ForwardingRule::write(&rule, &id::<ForwardingRule>(Scope::Global), &mark(), &links())
        .unwrap();
    assert_eq!(
        body.ip_address.as_deref(),
        Some("https://compute.googleapis.com/compute/v1/projects/p/global/addresses/ip")
    );
}

#[test]
fn health_checks() {
    let path = || "/healthz".to_owned();
    for probe in [
        Probe::Http { path: path(), host: None },
        Probe::Http { path: path(), host: Some("a.example.com".to_owned()) },
        Probe::Https { path: path(), host: None },
        Probe::Tcp,
        Probe::Http2 { path: path(), host: None },
        Probe::Grpc { service: None },
        Probe::Grpc { service: Some("shop.Cart".to_owned()) },
    ] {
        for port in [HealthPort::Serving, HealthPort::Fixed(8080)] {
            let check = HealthCheck {
                probe: probe.clone(),
                port,
                interval_seconds: 15,
                timeout_seconds: 10,
                healthy_threshold: 1,
                unhealthy_threshold: 3,
            };
            survives::<gce_api::HealthCheck>(&check, &Scope::Global);
        }
    }
}

#[test]
fn a_patched_health_check_keeps_nothing_of_what_it_was() {
    let check = HealthCheck {
        probe: Probe::Http { path: "/".to_owned(), host: None },
        port: HealthPort::Serving,
        interval_seconds: 5,
        timeout_seconds: 5,
        healthy_threshold: 2,
        unhealthy_threshold: 2,
    };
    let patch = patch::<gce_api::HealthCheck>(&check);
    assert_eq!(patch["httpHealthCheck"]["port"], Value::Null);
    assert!(patch["httpHealthCheck"].as_object().unwrap().contains_key("port"));
    assert!(patch.as_object().unwrap().contains_key("tcpHealthCheck"));
    assert_eq!(patch["tcpHealthCheck"], Value::Null);
}

#[test]
fn backend_services() {
    let instances =
        Backend { group: Group::Instances(to(zone(), "nodes")), balancing: Balancing::RatePerInstance(1) };
    let endpoints =
        Backend { group: Group::Endpoints(to(zone(), "pods")), balancing: Balancing::RatePerEndpoint(1) };
    let service = |backends: Vec<Backend>, port_name: Option<&str>, checked: bool| BackendService {
        scheme: Scheme::ExternalManaged,
        protocol: BackendProtocol::Http,
        port_name: port_name.map(str::to_owned),
        backends,
        health_check: checked.then(|| to(Scope::Global, "check")),
        policy: BackendPolicy { draining_seconds: 60, ..BackendPolicy::default() },
    };
    for service in [
        service(vec![instances], Some("port30080"), true),
        service(vec![endpoints], None, true),
        service(Vec::new(), None, false),
    ] {
        survives::<gce_api::BackendService>(&service, &Scope::Global);
        for protocol in
            [BackendProtocol::Https, BackendProtocol::Http2, BackendProtocol::H2c, BackendProtocol::Grpc]
        {
            let service = BackendService { protocol, ..service.clone() };
            survives::<gce_api::BackendService>(&service, &Scope::Global);
        }
    }
}

#[test]
fn settings_of_backend_services() {
    let cdn = CdnPolicy {
        mode: CacheMode::CacheAllStatic,
        key: CacheKey {
            parts: [CacheKeyPart::Host].into(),
            query: CacheKeyQuery::Only(["page".to_owned()].into()),
        },
        client_ttl: Some(3600),
        default_ttl: Some(3600),
        max_ttl: Some(86_400),
        negative: NegativeCaching::On([(404, 120), (410, 60)].into()),
        coalescing: Coalescing::On,
        serve_while_stale: 86_400,
        bypass_headers: vec!["Authorization".to_owned()],
        signed_url_max_age: 7200,
    };
    let policies = [
        BackendPolicy { affinity: Affinity::ClientIp, ..BackendPolicy::default() },
        BackendPolicy { affinity: Affinity::GeneratedCookie { ttl_seconds: 50 }, ..BackendPolicy::default() },
        BackendPolicy {
            request_headers: vec!["X-Region: {client_region}".to_owned()],
            response_headers: vec!["X-Served-By: gclb".to_owned(), "X-Other: 1".to_owned()],
            ..BackendPolicy::default()
        },
        BackendPolicy { logging: Logging::EVERYTHING, ..BackendPolicy::default() },
        BackendPolicy { logging: Logging::sampled(0.25).unwrap(), ..BackendPolicy::default() },
        BackendPolicy { cdn: Some(Box::new(cdn.clone())), ..BackendPolicy::default() },
        BackendPolicy { iap: Iap::GoogleManaged, ..BackendPolicy::default() },
        BackendPolicy {
            cdn: Some(Box::new(CdnPolicy {
                mode: CacheMode::UseOriginHeaders,
                key: CacheKey {
                    parts: [CacheKeyPart::Host, CacheKeyPart::Protocol].into(),
                    query: CacheKeyQuery::AllBut(["session".to_owned()].into()),
                },
                client_ttl: None,
                default_ttl: None,
                max_ttl: None,
                negative: NegativeCaching::Off,
                ..cdn
            })),
            ..BackendPolicy::default()
        },
    ];
    for policy in policies {
        survives::<gce_api::BackendService>(&with_policy(policy), &Scope::Global);
    }
}

fn with_policy(policy: BackendPolicy) -> BackendService {
    BackendService {
        scheme: Scheme::ExternalManaged,
        protocol: BackendProtocol::Http,
        port_name: None,
        backends: Vec::new(),
        health_check: None,
        policy,
    }
}

#[test]
fn a_setting_that_is_taken_away_is_reset() {
    let patch = patch::<gce_api::BackendService>(&with_policy(BackendPolicy::default()));
    for field in [
        "sessionAffinity",
        "affinityCookieTtlSec",
        "customRequestHeaders",
        "customResponseHeaders",
        "logConfig",
        "enableCDN",
        "cdnPolicy",
        "iap",
    ] {
        assert_eq!(patch.get(field), Some(&Value::Null), "{field}");
    }
}

#[test]
fn what_the_cloud_fills_in_is_not_a_difference() {
    let service = BackendService {
        scheme: Scheme::ExternalManaged,
        protocol: BackendProtocol::Http,
        port_name: None,
        backends: vec![Backend {
            group: Group::Endpoints(to(zone(), "pods")),
            balancing: Balancing::RatePerEndpoint(1),
        }],
        health_check: Some(to(Scope::Global, "check")),
        policy: BackendPolicy::default(),
    };
    let body: gce_api::BackendService = serde_json::from_value(json!({
        "kind": "compute#backendService", "id": "1", "name": "gclb1-0a1b2c3d-x", "port": 80, "portName": "http",
        "selfLink": "https://www.googleapis.com/compute/v1/projects/p/global/backendServices/gclb1-0a1b2c3d-x",
        "protocol": "HTTP", "timeoutSec": 30, "loadBalancingScheme": "EXTERNAL_MANAGED", "sessionAffinity": "NONE",
        "affinityCookieTtlSec": 0, "enableCDN": false, "logConfig": {"enable": false}, "fingerprint": "AAAA",
        "connectionDraining": {"drainingTimeoutSec": 0},
        "healthChecks": ["https://www.googleapis.com/compute/beta/projects/p/global/healthChecks/check"],
        "backends": [{
            "group": "https://www.googleapis.com/compute/v1/projects/p/zones/us-central1-a/networkEndpointGroups/pods",
            "balancingMode": "RATE", "maxRatePerEndpoint": 1.0, "capacityScaler": 1.0,
        }],
    }))
    .unwrap();
    assert_eq!(body.read(&Scope::Global), Ok(service));
}

#[test]
fn url_maps() {
    let service = || Destination::Service(to(Scope::Global, "web"));
    let redirect = |code| Destination::Redirect(Redirect { https: true, code });
    let not_found = || Destination::NotFound { behind: to(Scope::Global, "nobody") };
    let map = UrlMap {
        default: not_found(),
        hosts: vec![
            HostRoutes {
                hosts: vec!["a.example.com".to_owned(), "*.b.example.com".to_owned()],
                matcher: PathMatcher {
                    name: "one".to_owned(),
                    default: not_found(),
                    path_rules: vec![
                        PathRule { paths: vec!["/".to_owned(), "/*".to_owned()], destination: service() },
                        PathRule { paths: vec!["/gone".to_owned()], destination: not_found() },
                        PathRule {
                            paths: vec!["/old".to_owned()],
                            destination: redirect(RedirectCode::PermanentRedirect),
                        },
                    ],
                },
            },
            HostRoutes {
                hosts: vec!["*".to_owned()],
                matcher: PathMatcher { name: "two".to_owned(), default: service(), path_rules: Vec::new() },
            },
        ],
    };
    survives::<gce_api::UrlMap>(&map, &Scope::Global);
    for code in [
        RedirectCode::MovedPermanently,
        RedirectCode::Found,
        RedirectCode::SeeOther,
        RedirectCode::TemporaryRedirect,
        RedirectCode::PermanentRedirect,
    ] {
        let map = UrlMap { default: redirect(code), hosts: Vec::new() };
        survives::<gce_api::UrlMap>(&map, &Scope::Global);
    }
    let plain = UrlMap { default: service(), hosts: Vec::new() };
    survives::<gce_api::UrlMap>(&plain, &Scope::Global);
    let patch = patch::<gce_api::UrlMap>(&plain);
    assert_eq!(patch["defaultRouteAction"], Value::Null);
    assert_eq!(patch["hostRules"], json!([]));
    assert_eq!(patch["fingerprint"], "AAAA");
}

#[test]
fn what_others_put_into_a_url_map_is_seen() {
    let default = |value: Value| {
        let body: gce_api::UrlMap = serde_json::from_value(value).unwrap();
        body.read(&Scope::Global).unwrap().default
    };
    let service = "projects/p/global/backendServices/web";
    for strange in [
        json!({"defaultService": "projects/p/global/backendBuckets/files"}),
        json!({"defaultService": service, "defaultRouteAction": {"urlRewrite": {"hostRewrite": "x"}}}),
        json!({"defaultService": service, "defaultRouteAction": {"faultInjectionPolicy":
            {"abort": {"httpStatus": 404, "percentage": 50.0}}}}),
        json!({"defaultUrlRedirect": {"httpsRedirect": true, "hostRedirect": "elsewhere.example.com"}}),
        json!({}),
    ] {
        assert!(matches!(default(strange.clone()), Destination::Other(_)), "{strange}");
    }
}

#[test]
fn certificates() {
    let key = rcgen::KeyPair::generate().unwrap();
    let pem = rcgen::CertificateParams::new(vec!["a.example.com".to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap()
        .pem();
    let fingerprint = certificate::fingerprint_of(&pem);
    let model = SslCertificate { fingerprint: fingerprint.clone() };
    let body =
        gce_api::SslCertificate::write(&model, &id::<SslCertificate>(Scope::Global), &mark(), &links());
    let pair = crate::controller::source::KeyPair::of(
        Some(pem.as_bytes()),
        Some(key.serialize_pem().as_bytes()),
        &fingerprint,
    );
    let body = ssl_certificate::with_content(body.unwrap(), &pair.unwrap().unwrap());
    assert!(body.private_key.is_some());
    assert!(!format!("{body:?}").contains("PRIVATE KEY"));
    // The cloud gives everything back but the key, perhaps with other space around it.
    let shown = gce_api::SslCertificate {
        private_key: None,
        certificate: body.certificate.map(|pem| format!("\n{}", pem.trim_end())),
        ..gce_api::SslCertificate::default()
    };
    assert_eq!(shown.read(&Scope::Global), Ok(model));
}

#[test]
fn proxies() {
    let http = TargetHttpProxy { url_map: to(Scope::Global, "map") };
    survives::<gce_api::TargetHttpProxy>(&http, &Scope::Global);
    let certificates =
        Certificates::new(vec![to(Scope::Global, "second"), to(Scope::Global, "first")]).unwrap();
    let https = TargetHttpsProxy { url_map: to(Scope::Global, "map"), certificates, ssl_policy: None };
    survives::<gce_api::TargetHttpsProxy>(&https, &Scope::Global);
    let https = TargetHttpsProxy { ssl_policy: ResourceName::new("modern").ok(), ..https };
    survives::<gce_api::TargetHttpsProxy>(&https, &Scope::Global);
}

#[test]
fn groups() {
    let group = InstanceGroup {
        network: None,
        named_ports: BTreeMap::from([("port30080".to_owned(), 30_080)]),
        members: BTreeSet::new(),
    };
    survives::<gce_api::InstanceGroup>(&group, &zone());
    let group = NetworkEndpointGroup {
        network: "default".to_owned(),
        subnetwork: "nodes".to_owned(),
        members: crate::model::Members::Unlisted(crate::model::Unlisted::default()),
    };
    let json = survives::<gce_api::NetworkEndpointGroup>(&group, &zone());
    assert_eq!(
        json["subnetwork"],
        "https://compute.googleapis.com/compute/v1/projects/p/regions/us-central1/subnetworks/nodes"
    );
}

#[test]
fn members_are_read_by_their_short_names() {
    let listed: Vec<gce_api::InstanceWithNamedPorts> = serde_json::from_value(json!([
        {"instance": "https://www.googleapis.com/compute/v1/projects/p/zones/z/instances/n1", "status": "RUNNING"},
    ]))
    .unwrap();
    assert_eq!(instance_group::members_from(&listed), BTreeSet::from(["n1".to_owned()]));
    let endpoint = crate::model::Endpoint {
        instance: "n1".to_owned(),
        address: "10.0.0.1".parse().unwrap(),
        port: 8080,
    };
    let wire = network_endpoint_group::endpoints_to_wire(std::slice::from_ref(&endpoint));
    let listed = wire.into_iter().map(|wire| gce_api::NetworkEndpointWithHealthStatus {
        network_endpoint: Some(wire),
        ..gce_api::NetworkEndpointWithHealthStatus::default()
    });
    let listed: Vec<_> = listed.collect();
    assert_eq!(network_endpoint_group::members_from(&listed), BTreeSet::from([endpoint]));
}

fn patch<R: Patched>(model: &R::Model) -> Value {
    let body = R::write(model, &id::<R::Model>(Scope::Global), &mark(), &links()).unwrap();
    patch_of(&body, Some("AAAA")).unwrap()
}
