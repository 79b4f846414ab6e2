//! The digest of the discovery document.

use crate::call::Call;
use std::collections::BTreeMap;

/// Methods and types of Compute Engine v1.
pub(crate) struct Discovery {
    pub(crate) methods: Vec<Method>,
    /// The fields of each type, with theirs.
    pub(crate) types: BTreeMap<&'static str, BTreeMap<&'static str, Shape>>,
}

/// A method of the document.
pub(crate) struct Method {
    pub(crate) http: &'static str,
    /// `projects/{project}/global/urlMaps/{urlMap}/validate`
    pub(crate) path: &'static str,
    /// `urlMaps.validate`
    pub(crate) name: &'static str,
    /// The type of the request body; `-` for none.
    pub(crate) request: &'static str,
}

/// A field's type, as far as the reference needs it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// The name of the type, without the brackets of lists and maps.
    pub(crate) name: &'static str,
    /// As the document has it: `string`, `[Backend]`, `{string}`.
    pub(crate) whole: &'static str,
    /// Set by the server alone.
    pub(crate) output: bool,
}

impl Discovery {
    pub(crate) fn read() -> Self {
        let text = include_str!("../../../gce-api/discovery.txt");
        let mut discovery = Self { methods: Vec::new(), types: BTreeMap::new() };
        let mut current = "";
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let words: Vec<&'static str> = line.split_whitespace().collect();
            match (line.starts_with(' '), words.as_slice()) {
                (false, ["type", name]) => {
                    current = name;
                    discovery.types.insert(name, BTreeMap::new());
                }
                (false, [http, path, name, request]) => {
                    discovery.methods.push(Method { http, path, name, request });
                }
                (true, [field, whole, rest @ ..]) => {
                    let name = whole.trim_matches(['[', ']', '{', '}']);
                    let shape = Shape { name, whole, output: rest.contains(&"output") };
                    discovery.types.get_mut(current).unwrap().insert(field, shape);
                }
                _ => panic!("discovery.txt: {line}"),
            }
        }
        assert!(discovery.methods.len() > 300 && discovery.types.len() > 100, "the digest is nearly empty");
        discovery
    }

    /// The methods of a collection, in all its scopes.
    pub(crate) fn methods_of(&self, collection: &str) -> impl Iterator<Item = &Method> {
        self.methods.iter().filter(move |method| method.collection() == collection)
    }
}

impl Method {
    /// The collection, as paths have it: `urlMaps` for `regionUrlMaps.get`.
    pub(crate) fn collection(&self) -> &'static str {
        // A project's own verbs stand where collections do.
        if self.name.starts_with("projects.") {
            return "projects";
        }
        let segments: Vec<&str> = self.path.split('/').skip(2).collect();
        match segments.as_slice() {
            ["global" | "aggregated", collection, ..]
            | ["regions" | "zones", _, collection, ..]
            | [collection, ..] => collection,
            [] => unreachable!("every path goes on after the project"),
        }
    }

    /// `validate`
    pub(crate) fn verb(&self) -> &'static str {
        self.name.rsplit('.').next().unwrap()
    }

    /// Whether the router knows it.
    pub(crate) fn is_emulated(&self) -> bool {
        let parts: Vec<&str> =
            self.path.split('/').map(|part| if part.starts_with('{') { "a1" } else { part }).collect();
        let path = format!("/compute/v1/{}", parts.join("/"));
        match Call::parse(&self.http.parse().unwrap(), &path) {
            // A word that the document gives a meaning of its own is not a resource's name.
            Some((_, Call::Get { path, .. })) => path.name == "a1",
            Some(_) => true,
            None => false,
        }
    }
}

#[test]
fn what_is_emulated_is_asked_of_the_router() {
    let discovery = Discovery::read();
    let method = |name: &str| discovery.methods.iter().find(|method| method.name == name).unwrap();
    assert!(method("urlMaps.get").is_emulated());
    assert!(method("targetHttpProxies.setUrlMap").is_emulated(), "it has no `global/` in its path");
    assert!(!method("targetInstances.get").is_emulated());
    assert_eq!(method("targetHttpProxies.setUrlMap").collection(), "targetHttpProxies");
    assert_eq!(method("regionUrlMaps.get").collection(), "urlMaps");
    assert_eq!(method("projects.get").collection(), "projects");
    assert_eq!(method("projects.moveDisk").collection(), "projects");
    assert_eq!(method("zones.get").collection(), "zones");
}
