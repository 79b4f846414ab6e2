//! The digest of the discovery document.

use crate::call::Call;
use std::collections::BTreeMap;

/// Methods and types of Compute Engine v1.
pub(super) struct Discovery {
    pub(super) methods: Vec<Method>,
    /// The fields of each type, with theirs.
    pub(super) types: BTreeMap<&'static str, BTreeMap<&'static str, Shape>>,
}

/// A method of the document.
pub(super) struct Method {
    pub(super) http: &'static str,
    /// `projects/{project}/global/urlMaps/{urlMap}/validate`
    pub(super) path: &'static str,
    /// `urlMaps.validate`
    pub(super) name: &'static str,
}

/// A field's type, as far as the reference needs it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// The name of the type, without the brackets of lists and maps.
    pub(super) name: &'static str,
}

impl Discovery {
    pub(super) fn read() -> Self {
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
                (false, [http, path, name, _]) => discovery.methods.push(Method { http, path, name }),
                (true, [field, shape, ..]) => {
                    let name = shape.trim_matches(['[', ']', '{', '}']);
                    discovery.types.get_mut(current).unwrap().insert(field, Shape { name });
                }
                _ => panic!("discovery.txt: {line}"),
            }
        }
        assert!(discovery.methods.len() > 300 && discovery.types.len() > 100, "the digest is nearly empty");
        discovery
    }

    /// The methods of a collection, in all its scopes.
    pub(super) fn methods_of(&self, collection: &str) -> impl Iterator<Item = &Method> {
        self.methods.iter().filter(move |method| method.collection() == collection)
    }
}

impl Method {
    /// The collection, as paths have it: `urlMaps` for `regionUrlMaps.get`.
    pub(super) fn collection(&self) -> &'static str {
        let segments: Vec<&str> = self.path.split('/').skip(2).collect();
        match segments.as_slice() {
            ["global" | "aggregated", collection, ..]
            | ["regions" | "zones", _, collection, ..]
            | [collection, ..] => collection,
            [] => "projects",
        }
    }

    /// `validate`
    pub(super) fn verb(&self) -> &'static str {
        self.name.rsplit('.').next().unwrap()
    }

    /// Whether the router knows it.
    pub(super) fn is_emulated(&self) -> bool {
        let path: String = self
            .path
            .split('/')
            .map(|part| format!("/{}", if part.starts_with('{') { "a1" } else { part }))
            .collect();
        let path = format!("/compute/v1{path}");
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
    assert_eq!(method("zones.get").collection(), "zones");
}
