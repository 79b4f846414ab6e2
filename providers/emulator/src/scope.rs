//! Where a resource lives: its project, its scope, its collection and its name, as the paths of the API spell them.

use crate::state::Identities;
use std::fmt;

/// The kinds of place a collection can be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ScopeKind {
    /// `projects/P/zones`: zones and regions themselves.
    Project,
    Global,
    Region,
    Zone,
}

/// One place of one project. The order is the one aggregated lists use.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Scope {
    Project,
    Global,
    Region(String),
    Zone(String),
}

impl Scope {
    pub(crate) fn kind(&self) -> ScopeKind {
        match self {
            Self::Project => ScopeKind::Project,
            Self::Global => ScopeKind::Global,
            Self::Region(_) => ScopeKind::Region,
            Self::Zone(_) => ScopeKind::Zone,
        }
    }
}

/// As it stands in a path and as the key of an aggregated list: `global`, `regions/R`, `zones/Z`.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Project => Ok(()),
            Self::Global => f.write_str("global"),
            Self::Region(name) => write!(f, "regions/{name}"),
            Self::Zone(name) => write!(f, "zones/{name}"),
        }
    }
}

/// The full identity of a resource. Prints as `projects/P/global/urlMaps/U`: the form references are stored in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ResourcePath {
    pub(crate) project: String,
    pub(crate) scope: Scope,
    pub(crate) collection: &'static str,
    pub(crate) name: String,
}

impl ResourcePath {
    /// Reads the stored form back, if it names a collection we know.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("projects/")?;
        let (project, rest) = split_project(rest)?;
        let parts: Vec<&str> = rest.split('/').collect();
        let (scope, collection, name) = match parts.as_slice() {
            ["global", collection, name] => (Scope::Global, *collection, *name),
            ["regions", region, collection, name] => {
                (Scope::Region((*region).to_owned()), *collection, *name)
            }
            ["zones", zone, collection, name] => (Scope::Zone((*zone).to_owned()), *collection, *name),
            [collection, name] => (Scope::Project, *collection, *name),
            _ => return None,
        };
        if name.is_empty() {
            return None;
        }
        let collection = crate::api::find(collection)?.collection;
        Some(Self { project: project.to_owned(), scope, collection, name: name.to_owned() })
    }

    /// Reads a reference as clients write it: full URL of any host and version, path from `projects/`, or a partial
    /// path from the scope on, or the bare name of something in one of `targets`.
    pub(crate) fn resolve(text: &str, targets: &[&'static str], from: &Place<'_>) -> Option<Self> {
        let text = text.trim_start_matches('/');
        let full = if let Some(at) = find_projects(text) {
            text.get(at..)?.to_owned()
        } else if text.starts_with("global/") || text.starts_with("regions/") || text.starts_with("zones/") {
            format!("projects/{}/{text}", from.project)
        } else if !text.contains('/') && !text.is_empty() {
            return Self::by_name(text, targets, from);
        } else {
            return None;
        };
        let path = Self::parse(&full)?;
        targets.contains(&path.collection).then(|| from.identities.canonical(path))
    }

    /// A bare name means the first target that exists in the place of the resource that refers to it, else globally.
    fn by_name(name: &str, targets: &[&'static str], from: &Place<'_>) -> Option<Self> {
        let collection = targets.first()?;
        let resource = crate::api::find(collection)?;
        let scope = if resource.scopes.contains(&from.scope.kind()) {
            from.scope.clone()
        } else if resource.scopes.contains(&ScopeKind::Global) {
            Scope::Global
        } else {
            return None;
        };
        Some(from.identities.canonical(Self {
            project: from.project.to_owned(),
            scope,
            collection: resource.collection,
            name: name.to_owned(),
        }))
    }

    /// The place of this resource, for resolving what it refers to.
    pub(crate) fn place<'a>(&'a self, identities: &'a Identities) -> Place<'a> {
        Place { project: &self.project, scope: &self.scope, identities }
    }
}

impl fmt::Display for ResourcePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { project, scope, collection, name } = self;
        match scope {
            Scope::Project => write!(f, "projects/{project}/{collection}/{name}"),
            scope => write!(f, "projects/{project}/{scope}/{collection}/{name}"),
        }
    }
}

/// Where a reference is written, for what it leaves out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) project: &'a str,
    pub(crate) scope: &'a Scope,
    /// For references that give a project's number or a numeric id.
    pub(crate) identities: &'a Identities,
}

/// Splits the project off a path. A domain-scoped project id has a colon, never a slash.
pub(crate) fn split_project(rest: &str) -> Option<(&str, &str)> {
    let (project, rest) = rest.split_once('/')?;
    (!project.is_empty()).then_some((project, rest))
}

fn find_projects(text: &str) -> Option<usize> {
    if text.starts_with("projects/") { Some(0) } else { text.find("/projects/").map(|at| at + 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(text: &str) -> Option<String> {
        let scope = Scope::Global;
        let identities = Identities::default();
        let place = Place { project: "p", scope: &scope, identities: &identities };
        ResourcePath::resolve(text, &["backendServices"], &place).map(|path| path.to_string())
    }

    #[test]
    fn every_spelling_of_a_reference_is_the_same_resource() {
        let expected = Some("projects/p/global/backendServices/b".to_owned());
        for text in [
            "https://www.googleapis.com/compute/v1/projects/p/global/backendServices/b",
            "https://compute.googleapis.com/compute/beta/projects/p/global/backendServices/b",
            "http://127.0.0.1:1/projects/p/global/backendServices/b",
            "projects/p/global/backendServices/b",
            "/projects/p/global/backendServices/b",
            "global/backendServices/b",
            "b",
        ] {
            assert_eq!(resolve(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_a_reference_to_the_target_is_refused() {
        for text in [
            "",
            "projects/p",
            "projects/p/global/urlMaps/u",
            "global/backendServices",
            "a/b",
            "projects//global/x/y",
        ] {
            assert_eq!(resolve(text), None, "{text}");
        }
    }

    #[test]
    fn a_domain_scoped_project_keeps_its_colon() {
        let path = ResourcePath::parse("projects/example.com:p/zones/z/instances/i");
        assert_eq!(path.map(|path| path.project), Some("example.com:p".to_owned()));
    }
}
