//! The declarations against the digest of the discovery document: every method is known, every field is there and of the
//! right type, and nothing is invented.

use super::RESOURCES;
use crate::call::Call;
use crate::declaration::{Field, Fields, Resource, Since, Standard, Type, UnknownFields, Written};
use crate::reference::discovery::{Discovery, Method};
use crate::schema::COMMON_OUTPUT;
use std::collections::BTreeSet;

/// Collections that load balancing only refers to: they have what a plain form needs.
const PLAIN: &[&str] = &[
    "imageFamilyViews",
    "images",
    "instanceGroupManagers",
    "instanceTemplates",
    "instances",
    "networks",
    "projects",
    "regionInstanceGroupManagers",
    "regionInstanceTemplates",
    "targetInstances",
];

fn collection_of(method: &Method) -> &'static str {
    method.name.split('.').next().unwrap()
}

#[test]
fn every_method_is_a_call_in_every_version() {
    let discovery = Discovery::read();
    let mut asked = 0;
    let mut unknown = Vec::new();
    for method in discovery.methods.iter().filter(|method| !PLAIN.contains(&collection_of(method))) {
        for version in ["v1", "beta", "alpha"] {
            let path: Vec<&str> =
                method.path.split('/').map(|part| if part.starts_with('{') { "a1" } else { part }).collect();
            let path = format!("/compute/{version}/{}", path.join("/"));
            let call = Call::parse(&method.http.parse().unwrap(), &path);
            // `operations.get`, not `globalOperations.get`: the call has the collection as paths spell it.
            let expected = format!("{}.{}", method.collection(), method.verb());
            match call.map(|(_, call)| call.method()) {
                Some(found) if found == expected => asked += 1,
                found => unknown.push(format!("{} {path} ({}): {found:?}", method.http, method.name)),
            }
        }
    }
    assert!(unknown.is_empty(), "{} of {asked} methods:\n{}", unknown.len(), unknown.join("\n"));
    assert!(asked > 3 * 250, "only {asked} methods were asked");
}

/// The type of a resource, as the digest names it.
fn type_of(resource: &Resource, discovery: &Discovery) -> Option<&'static str> {
    let insert = |method: &&Method| method.collection() == resource.collection && method.verb() == "insert";
    let name = discovery.methods.iter().find(insert)?.request;
    discovery.types.contains_key(name).then_some(name)
}

#[test]
fn the_fields_of_every_resource_are_those_of_its_wire_type() {
    let discovery = Discovery::read();
    let mut walk = Walk { discovery: &discovery, problems: Vec::new(), fields: 0 };
    let mut compared = 0;
    for resource in RESOURCES.iter().filter(|resource| resource.unknown_fields == UnknownFields::Refuse) {
        let Some(name) = type_of(resource, &discovery) else { continue };
        compared += 1;
        walk.object(resource.fields, name, resource.collection, Top::Resource);
    }
    assert!(walk.problems.is_empty(), "{}", walk.problems.join("\n"));
    assert!(compared >= 15, "only {compared} resources were compared");
    assert!(walk.fields > 500, "only {} fields were compared", walk.fields);
}

#[test]
fn the_requests_of_every_verb_are_those_of_their_wire_types() {
    let discovery = Discovery::read();
    let mut walk = Walk { discovery: &discovery, problems: Vec::new(), fields: 0 };
    let mut compared = 0;
    for method in &discovery.methods {
        let resource = super::find(method.collection());
        let verb =
            resource.and_then(|resource| resource.custom.iter().find(|verb| verb.name == method.verb()));
        if let Some(verb) = verb
            && discovery.types.contains_key(method.request)
        {
            compared += 1;
            walk.object(verb.request, method.request, method.name, Top::Request);
        }
    }
    assert!(walk.problems.is_empty(), "{}", walk.problems.join("\n"));
    assert!(compared > 40, "only {compared} verbs were compared");
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Top {
    /// Has the fields that every resource has.
    Resource,
    /// May have fields in its query, and takes a fingerprint apart.
    Request,
    Nested,
}

struct Walk<'a> {
    discovery: &'a Discovery,
    problems: Vec<String>,
    fields: usize,
}

/// What the emulator knows though the document does not, and why.
const EXTRA: &[(&str, &str)] = &[
    // Recorded clients repeat the path in the body, and are not refused.
    ("instanceGroups.listInstances", "instanceGroup project zone"),
    ("regionInstanceGroups.listInstances", "instanceGroup project zone"),
    // Asked of groups of a region only.
    ("instanceGroups.listInstances", "portName"),
    // Recorded answers show it.
    ("httpHealthChecks", "proxyHeader"),
    ("httpsHealthChecks", "proxyHeader"),
    // Asked of global URL maps only.
    ("regionUrlMaps.validate", "loadBalancingSchemes"),
];

/// Fields that are read again as a whole resource.
const RESOURCES_INSIDE: &[&str] = &["urlMaps.validate.resource", "regionUrlMaps.validate.resource"];

/// What the document says only the server writes, though recorded requests write it and recorded answers show it.
const WRITTEN: &[&str] = &["instanceGroups.network", "instanceGroups.subnetwork"];

impl Walk<'_> {
    fn object(&mut self, fields: Fields, name: &str, at: &str, top: Top) {
        let Some(known) = self.discovery.types.get(name) else {
            self.problems.push(format!("{at}: the document has no type {name}"));
            return;
        };
        let apart = |field: &str| match top {
            Top::Resource => field == "name" || COMMON_OUTPUT.contains(&field),
            Top::Request => ["fingerprint", "labelFingerprint"].contains(&field),
            Top::Nested => false,
        };
        let declared: BTreeSet<&str> = fields.iter().map(|field| field.name).collect();
        for field in known.keys().filter(|field| !declared.contains(**field) && !apart(field)) {
            self.problems.push(format!("{at}.{field}: not declared"));
        }
        for field in fields.iter().filter(|field| field.written != Written::InQuery) {
            let at = format!("{at}.{}", field.name);
            match (field.since, known.get(field.name)) {
                (Since::Beta, None) => {}
                (Since::Beta, Some(_)) => self.problems.push(format!("{at}: v1 knows it")),
                (Since::V1, None)
                    if EXTRA.iter().any(|(of, names)| at.starts_with(of) && names.contains(field.name)) => {}
                (Since::V1, None) => self.problems.push(format!("{at}: v1 does not know it")),
                (Since::V1, Some(shape)) => {
                    self.fields += 1;
                    self.output(field, shape.output, &at);
                    self.shape(&field.shape, shape.whole, &at);
                }
            }
        }
    }

    fn output(&mut self, field: &Field, output: bool, at: &str) {
        let declared = matches!(field.written, Written::ByServer | Written::ByVerb);
        if output && !declared && !WRITTEN.contains(&at) {
            self.problems.push(format!("{at}: only the server writes it"));
        }
    }

    fn shape(&mut self, shape: &Type, known: &str, at: &str) {
        let inside = |open, close| known.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
        let fits = match shape {
            Type::Text | Type::Long | Type::Choice(_) | Type::Link(_) => known == "string",
            Type::Integer => known == "integer",
            Type::Number => known == "number",
            Type::Flag => known == "boolean",
            Type::Opaque => known == "any" || known == "object" || RESOURCES_INSIDE.contains(&at),
            Type::Object(fields) => {
                self.object(fields, known, at, Top::Nested);
                true
            }
            Type::List(of) => inside('[', ']').is_some_and(|item| {
                self.shape(of, item, at);
                true
            }),
            Type::Map(of) => inside('{', '}').is_some_and(|item| {
                self.shape(of, item, at);
                true
            }),
        };
        if !fits {
            self.problems.push(format!("{at}: declared as {shape:?}, in the document {known}"));
        }
    }
}

/// Where declarations of methods contradict themselves.
#[test]
fn declarations_are_consistent() {
    for resource in RESOURCES {
        for (place, methods) in resource.lacks {
            assert!(resource.scopes.contains(place), "{}: lacks {methods:?} nowhere", resource.collection);
            for method in *methods {
                let standard = [Standard::Insert, Standard::Update, Standard::Patch, Standard::Delete]
                    .into_iter()
                    .any(|verb| verb.name() == *method && resource.verbs.contains(&verb));
                let own = resource.custom.iter().any(|verb| verb.name == *method)
                    || resource.collection_verbs.iter().any(|verb| verb.name == *method);
                assert!(standard || own, "{}: lacks {method}, which it never had", resource.collection);
            }
        }
        let mut names = BTreeSet::new();
        for field in resource.fields {
            assert!(names.insert(field.name), "{}.{}: declared twice", resource.collection, field.name);
        }
    }
}
