//! Whether the data plane acts on a field: found out by compiling programs that differ in nothing else.

use super::place::{Place, Step, object_in};
use super::sample::{self, Neighbours, enter};
use crate::dataplane::program::{NetworkEndpoint, Program};
use crate::dataplane::resource_id::InstanceId;
use crate::declaration::{Field, Fields, Type};
use crate::program::{Resources, compile};
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

/// What a field does to the program of the data plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Effect {
    /// Nothing was seen.
    Kept,
    /// The program says that it cannot serve it.
    Reported,
    /// It changes what is served.
    Served,
}

impl Effect {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Reported => "reported",
            Self::Served => "served",
        }
    }
}

/// Clouds in which each collection that the data plane reads is reached by a forwarding rule.
pub(super) struct Workbench {
    /// For each collection: the path of the resource to try, and the cloud around it.
    clouds: BTreeMap<&'static str, Vec<(&'static str, Cloud)>>,
    /// What was found out, by collection and path.
    found: RefCell<HashMap<String, Effect>>,
}

/// A cloud that is a table of bodies.
#[derive(Debug, Clone, Default)]
struct Cloud {
    objects: BTreeMap<&'static str, Value>,
}

/// A cloud with another body at a path.
struct Changed<'a> {
    cloud: &'a Cloud,
    path: &'static str,
    body: Value,
}

impl Resources for Changed<'_> {
    fn list(&self, collection: &str) -> Vec<(&str, &Value)> {
        let of = |path: &&'static str| path.rsplit('/').nth(1) == Some(collection);
        self.cloud
            .objects
            .keys()
            .filter(|path| of(path))
            .filter_map(|path| Some((*path, self.get(path)?)))
            .collect()
    }

    fn get(&self, path: &str) -> Option<&Value> {
        if path == self.path { Some(&self.body) } else { self.cloud.objects.get(path) }
    }

    fn network_endpoints(&self, group: &str) -> Vec<NetworkEndpoint> {
        let endpoint = NetworkEndpoint {
            instance: Some(InstanceId::new("projects/p/zones/z/instances/i")),
            address: [10, 0, 0, 9].into(),
            port: 8080,
        };
        if group == NEG { vec![endpoint] } else { Vec::new() }
    }

    fn group_members(&self, group: &str) -> Vec<String> {
        if group == GROUP { vec!["projects/p/zones/z/instances/i".to_owned()] } else { Vec::new() }
    }

    fn private_key(&self, certificate: &str) -> Option<&str> {
        self.get(certificate)?.get("privateKey")?.as_str()
    }
}

const NEG: &str = "projects/p/zones/z/networkEndpointGroups/n";
const GROUP: &str = "projects/p/zones/z/instanceGroups/g";
const RULE: &str = "projects/p/global/forwardingRules/r";
const MAP: &str = "projects/p/global/urlMaps/b";
const SERVICE: &str = sample::BACKEND_SERVICE;
const CHECK: &str = "projects/p/global/healthChecks/b";
const HTTPS_PROXY: &str = "projects/p/global/targetHttpsProxies/b";

impl Cloud {
    fn whole() -> Self {
        let signed = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
        let service = |group: &str| {
            json!({ "protocol": "HTTP", "loadBalancingScheme": "EXTERNAL_MANAGED", "healthChecks": [CHECK],
                    "backends": [{ "group": group }] })
        };
        let firewall = json!({ "network": "projects/p/global/networks/b", "direction": "INGRESS",
                               "sourceRanges": ["35.191.0.0/16", "130.211.0.0/22"],
                               "allowed": [{ "IPProtocol": "tcp" }] });
        let objects = [
            (
                RULE,
                json!({ "IPAddress": "127.64.0.1", "portRange": "80", "IPProtocol": "TCP",
                           "loadBalancingScheme": "EXTERNAL_MANAGED",
                           "target": "projects/p/global/targetHttpProxies/b" }),
            ),
            (
                "projects/p/global/forwardingRules/s",
                json!({ "IPAddress": "127.64.0.1", "portRange": "443", "IPProtocol": "TCP",
                     "loadBalancingScheme": "EXTERNAL_MANAGED", "target": HTTPS_PROXY }),
            ),
            ("projects/p/global/targetHttpProxies/b", json!({ "urlMap": MAP })),
            ("projects/p/global/targetHttpProxies/b2", json!({ "urlMap": "projects/p/global/urlMaps/b2" })),
            (
                HTTPS_PROXY,
                json!({ "urlMap": MAP, "sslCertificates": ["projects/p/global/sslCertificates/b"] }),
            ),
            (
                "projects/p/global/sslCertificates/b",
                json!({ "certificate": signed.cert.pem(), "privateKey": signed.signing_key.serialize_pem() }),
            ),
            (MAP, json!({ "defaultService": SERVICE })),
            (
                "projects/p/global/urlMaps/b2",
                json!({ "defaultService": "projects/p/global/backendServices/b2" }),
            ),
            (SERVICE, service(GROUP)),
            ("projects/p/global/backendServices/b2", service(NEG)),
            (CHECK, json!({ "type": "HTTP", "httpHealthCheck": { "port": 80 } })),
            ("projects/p/global/healthChecks/b2", json!({ "type": "TCP", "tcpHealthCheck": { "port": 81 } })),
            (
                NEG,
                json!({ "networkEndpointType": "GCE_VM_IP_PORT", "network": "projects/p/global/networks/b" }),
            ),
            (GROUP, json!({ "namedPorts": [{ "name": "http", "port": 80 }] })),
            (
                "projects/p/zones/z/instances/i",
                json!({ "tags": { "items": ["n"] },
                     "networkInterfaces": [{ "network": "projects/p/global/networks/b", "networkIP": "10.0.0.9" }] }),
            ),
            ("projects/p/global/firewalls/b", firewall),
        ];
        Self { objects: objects.into_iter().collect() }
    }

    /// The same with another body at a path, or with fields added to the body that is there.
    fn with(&self, path: &'static str, fields: &Value) -> Self {
        let mut cloud = self.clone();
        let body = cloud.objects.entry(path).or_insert_with(|| json!({})).as_object_mut().unwrap();
        body.extend(fields.as_object().unwrap().clone());
        cloud
    }
}

type Variants = Vec<(&'static str, Cloud)>;

/// Backend services of every affinity, as what stands beside it depends on that, and one that logs.
fn services(cloud: &Cloud, classic: &Cloud) -> Variants {
    let affinities = ["GENERATED_COOKIE", "HTTP_COOKIE", "HEADER_FIELD", "STRONG_COOKIE_AFFINITY"]
        .map(|word| cloud.with(SERVICE, &json!({ "sessionAffinity": word })));
    let logs = cloud.with(SERVICE, &json!({ "logConfig": { "enable": true } }));
    let policy = json!({ "rules": [{ "priority": 1, "action": "allow", "match": { "config": { "srcIpRanges": ["*"] } } }] });
    let guarded = cloud.with("projects/p/global/securityPolicies/b", &policy);
    let all = [cloud.clone(), classic.clone(), logs, guarded].into_iter().chain(affinities);
    all.map(|cloud| (SERVICE, cloud)).collect()
}

/// A URL map that leads to a bucket, and a policy for it.
fn with_bucket(cloud: &Cloud, bucket: &'static str) -> Cloud {
    let policy = json!({ "rules": [{ "priority": 1, "action": "allow", "match": { "config": { "srcIpRanges": ["*"] } } }] });
    let cloud = cloud.with("projects/p/global/securityPolicies/b", &policy);
    cloud.with(bucket, &json!({})).with(MAP, &json!({ "defaultService": bucket }))
}

/// Security policies of one rule: by address, by expression, and one that redirects.
fn security_policies(cloud: &Cloud) -> Variants {
    let path = "projects/p/global/securityPolicies/b";
    let reached = cloud.with(SERVICE, &json!({ "securityPolicy": path }));
    let by_address = json!({ "config": { "srcIpRanges": ["10.0.0.0/8"] } });
    let rules = [
        json!({ "priority": 1, "action": "deny(403)", "match": by_address }),
        json!({ "priority": 1, "action": "deny(403)", "match": { "expr": { "expression": "true" } } }),
        json!({ "priority": 1, "action": "redirect", "match": by_address, "redirectOptions": { "target": "https://a" } }),
    ];
    rules.map(|rule| (path, reached.with(path, &json!({ "rules": [rule] })))).to_vec()
}

/// SSL policies of a profile, and of one's own choice.
fn ssl_policies(cloud: &Cloud) -> Variants {
    let path = "projects/p/global/sslPolicies/b";
    let reached = cloud.with(HTTPS_PROXY, &json!({ "sslPolicy": path }));
    ["COMPATIBLE", "CUSTOM"].map(|word| (path, reached.with(path, &json!({ "profile": word })))).to_vec()
}

impl Workbench {
    pub(super) fn new() -> Self {
        let cloud = Cloud::whole();
        let classic = cloud
            .with(RULE, &json!({ "loadBalancingScheme": "EXTERNAL" }))
            .with(SERVICE, &json!({ "loadBalancingScheme": "EXTERNAL" }));
        let both = |path: &'static str| vec![(path, cloud.clone()), (path, classic.clone())];
        let one = |path: &'static str, cloud: Cloud| vec![(path, cloud)];
        let checks = ["HTTP", "HTTPS", "HTTP2", "TCP", "SSL", "GRPC", "GRPC_WITH_TLS"]
            .map(|word| (CHECK, cloud.with(CHECK, &json!({ "type": word }))));
        let legacy = |path: &'static str| {
            let cloud =
                cloud.with(path, &json!({ "port": 80 })).with(SERVICE, &json!({ "healthChecks": [path] }));
            vec![(path, cloud)]
        };
        let bucket = "projects/p/global/backendBuckets/b";
        let firewall = "projects/p/global/firewalls/b";
        let denied = json!({ "allowed": null, "denied": [{ "IPProtocol": "tcp" }] });
        let outside = json!({ "networkEndpointType": "NON_GCP_PRIVATE_IP_PORT" });
        let clouds = [
            ("forwardingRules", both(RULE)),
            ("targetHttpProxies", one("projects/p/global/targetHttpProxies/b", cloud.clone())),
            ("targetHttpsProxies", one(HTTPS_PROXY, cloud.clone())),
            ("sslCertificates", one("projects/p/global/sslCertificates/b", cloud.clone())),
            ("urlMaps", both(MAP)),
            ("backendServices", services(&cloud, &classic)),
            ("healthChecks", checks.to_vec()),
            ("httpHealthChecks", legacy("projects/p/global/httpHealthChecks/b")),
            ("httpsHealthChecks", legacy("projects/p/global/httpsHealthChecks/b")),
            ("networkEndpointGroups", vec![(NEG, cloud.clone()), (NEG, cloud.with(NEG, &outside))]),
            ("instanceGroups", one(GROUP, cloud.clone())),
            ("instances", one("projects/p/zones/z/instances/i", cloud.clone())),
            ("firewalls", vec![(firewall, cloud.clone()), (firewall, cloud.with(firewall, &denied))]),
            ("backendBuckets", one(bucket, with_bucket(&cloud, bucket))),
            ("securityPolicies", security_policies(&cloud)),
            ("sslPolicies", ssl_policies(&cloud)),
        ];
        Self { clouds: clouds.into_iter().collect(), found: RefCell::default() }
    }

    /// Whether the data plane could act on anything of a collection.
    pub(super) fn reaches(&self, collection: &str) -> bool {
        self.clouds.contains_key(collection)
    }

    /// What a field of an object does, which has these fields and stands at a place of a collection's bodies; or what
    /// anything inside it does.
    pub(super) fn effect(&self, collection: &str, place: &Place, fields: Fields, field: &Field) -> Effect {
        let key = format!("{collection} {place} {}", field.name);
        if let Some(found) = self.found.borrow().get(&key) {
            return *found;
        }
        let mut seen = self.own_effect(collection, place, fields, field);
        if let Some((wrapping, inner)) = object_in(&field.shape) {
            let inside = place.inside(Step { field: field.name, wrapping, fields: inner });
            for field in inner {
                if seen == Effect::Served {
                    break;
                }
                seen = seen.max(self.effect(collection, &inside, inner, field));
            }
        }
        self.found.borrow_mut().insert(key, seen);
        seen
    }

    fn own_effect(&self, collection: &str, place: &Place, fields: Fields, field: &Field) -> Effect {
        let mut seen = Effect::Kept;
        for (path, cloud) in self.clouds.get(collection).into_iter().flatten() {
            // A body itself is complete; what stands inside may need something beside it.
            let variants = if place.steps.is_empty() { &Neighbours::ALL[..1] } else { &Neighbours::ALL[..] };
            for neighbours in variants.iter().copied() {
                let mut body = cloud.objects[path].as_object().unwrap().clone();
                if neighbours == Neighbours::WithoutDestination {
                    body.remove("defaultService");
                }
                seen = seen.max(try_field(cloud, path, &mut body, place, fields, field, neighbours));
                if seen == Effect::Served {
                    return seen;
                }
            }
        }
        seen
    }
}

/// Tries the values of a field, alone and beside each word of the closed sets next to it.
fn try_field(
    cloud: &Cloud,
    path: &'static str,
    body: &mut Map<String, Value>,
    place: &Place,
    fields: Fields,
    field: &Field,
    neighbours: Neighbours,
) -> Effect {
    let mut companions = vec![None];
    for other in fields.iter().filter(|other| other.name != field.name) {
        match other.shape {
            Type::Choice(words) => companions.extend(words.iter().map(|word| Some((other.name, *word)))),
            Type::Text if other.name.ends_with("Match") => companions.push(Some((other.name, "/a"))),
            _ => {}
        }
    }
    let program =
        |body: Map<String, Value>| split(compile(&Changed { cloud, path, body: Value::Object(body) }));
    let mut seen = Effect::Kept;
    for companion in companions {
        let mut body = body.clone();
        let mut object = &mut body;
        for (index, step) in place.steps.iter().enumerate() {
            object = enter(object, step.field, step.wrapping);
            let next = place.steps.get(index + 1).map_or(field.name, |step| step.field);
            neighbours.complete(step.fields, next, object);
        }
        if let Some((name, word)) = companion {
            object.insert(name.to_owned(), json!(word));
        }
        let mut without = object.clone();
        without.remove(field.name);
        let own = object.get(field.name).cloned();
        let with: Vec<Map<String, Value>> = sample::values(field)
            .into_iter()
            .chain(own)
            .map(|value| {
                let mut with = without.clone();
                with.insert(field.name.to_owned(), value);
                with
            })
            .collect();
        let base = program(replaced(&body, place, without));
        for with in with {
            let (served, problems) = program(replaced(&body, place, with));
            // A form that changes the program only to say that it cannot be served is not served.
            if problems.iter().any(|problem| !base.1.contains(problem)) {
                seen = Effect::Reported;
            } else if served != base.0 {
                return Effect::Served;
            }
        }
    }
    seen
}

/// The body with another object at a place.
fn replaced(body: &Map<String, Value>, place: &Place, by: Map<String, Value>) -> Map<String, Value> {
    let mut body = body.clone();
    let mut object = &mut body;
    for step in &place.steps {
        object = enter(object, step.field, step.wrapping);
    }
    *object = by;
    body
}

/// What is served, and what cannot be.
fn split(mut program: Program) -> (Program, Vec<String>) {
    let problems =
        std::mem::take(&mut program.problems).iter().map(|problem| problem.message.clone()).collect();
    (program, problems)
}

#[test]
fn effects_are_measured() {
    let workbench = Workbench::new();
    let resource = crate::api::find("backendServices").unwrap();
    let effect = |name: &str| {
        let field = resource.fields.iter().find(|field| field.name == name).unwrap();
        workbench.effect("backendServices", &Place::default(), resource.fields, field)
    };
    assert_eq!(effect("timeoutSec"), Effect::Served);
    assert_eq!(effect("iap"), Effect::Reported, "by what is inside it");
    assert_eq!(effect("description"), Effect::Kept);
    assert_eq!(effect("enableCDN"), Effect::Reported);
}
