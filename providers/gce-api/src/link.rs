//! References between resources: full URLs and the shorter forms that the API also accepts.
//!
//! The same resource is written in many ways: with the host of the API, an older host or an emulator's; with version
//! `v1`, `beta` or `alpha`; from `projects/` on; or from its scope on. Two links are equal when they mean the same
//! resource, so host and version are dropped while parsing. A link without a project means the project of the object
//! that holds it: give it one with [`Link::in_project`] before comparing it with a full one.

use std::fmt;
use std::str::FromStr;

/// Where a resource lives. Names are unique within project, scope and collection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Everywhere.
    Global,
    /// In one region, by name.
    Region(String),
    /// In one zone, by name.
    Zone(String),
}

impl fmt::Display for Scope {
    /// As paths and aggregated lists spell it: `global`, `regions/r`, `zones/z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Global => f.write_str("global"),
            Self::Region(region) => write!(f, "regions/{region}"),
            Self::Zone(zone) => write!(f, "zones/{zone}"),
        }
    }
}

impl FromStr for Scope {
    type Err = InvalidLink;

    fn from_str(text: &str) -> Result<Self, InvalidLink> {
        match text.split('/').collect::<Vec<_>>().as_slice() {
            ["global"] => Ok(Self::Global),
            ["regions", region] if !region.is_empty() => Ok(Self::Region((*region).to_owned())),
            ["zones", zone] if !zone.is_empty() => Ok(Self::Zone((*zone).to_owned())),
            _ => Err(InvalidLink(text.to_owned())),
        }
    }
}

/// A reference to one resource. Equality ignores how it was written, except for a project left out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link {
    /// The project's id or number; `None` where the text began at the scope.
    pub project: Option<String>,
    /// The scope. Regions and zones themselves are [`Scope::Global`] things of collection `regions` and `zones`.
    pub scope: Scope,
    /// The collection, e.g. `urlMaps`.
    pub collection: String,
    /// The name or, rarely, the numeric id.
    pub name: String,
}

/// Text that is no reference to a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidLink(String);

impl fmt::Display for InvalidLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no reference to a resource: expected a URL or path that ends like global/urlMaps/NAME, \
             regions/REGION/addresses/NAME or zones/ZONE/instanceGroups/NAME",
            self.0
        )
    }
}

impl std::error::Error for InvalidLink {}

impl Link {
    /// A link without a project.
    #[must_use]
    pub fn new(scope: Scope, collection: impl Into<String>, name: impl Into<String>) -> Self {
        Self { project: None, scope, collection: collection.into(), name: name.into() }
    }

    /// The same link with the given project where it has none.
    #[must_use]
    pub fn in_project(mut self, project: &str) -> Self {
        self.project.get_or_insert_with(|| project.to_owned());
        self
    }

    /// The full URL below an API root that ends in a slash, e.g. `https://compute.googleapis.com/compute/v1/`.
    #[must_use]
    pub fn url(&self, root: &str) -> String {
        format!("{root}{self}")
    }

    /// Whether two texts mean the same resource. A project that only one of them names is not compared; texts that
    /// are no links are equal only to themselves.
    #[must_use]
    pub fn same(left: &str, right: &str) -> bool {
        match (left.parse::<Self>(), right.parse::<Self>()) {
            (Ok(left), Ok(right)) => {
                left.scope == right.scope
                    && left.collection == right.collection
                    && left.name == right.name
                    && (left.project == right.project || left.project.is_none() || right.project.is_none())
            }
            (Err(_), Err(_)) => left == right,
            _ => false,
        }
    }

    /// The part behind the last slash: the name, for texts of any form.
    #[must_use]
    pub fn name_of(text: &str) -> &str {
        text.rsplit_once('/').map_or(text, |(_, name)| name)
    }
}

impl fmt::Display for Link {
    /// The path from `projects/` on, or from the scope on where there is no project.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(project) = &self.project {
            write!(f, "projects/{project}/")?;
        }
        match (&self.scope, self.collection.as_str()) {
            (Scope::Global, collection @ ("regions" | "zones")) => write!(f, "{collection}/{}", self.name),
            (scope, collection) => write!(f, "{scope}/{collection}/{}", self.name),
        }
    }
}

impl FromStr for Link {
    type Err = InvalidLink;

    fn from_str(text: &str) -> Result<Self, InvalidLink> {
        let invalid = || InvalidLink(text.to_owned());
        // Of a URL only what follows `projects/` counts; host and version say nothing about which resource it is.
        let path = match text.split_once("://") {
            Some((_, after)) => match after.find("/projects/") {
                Some(at) => &after[at + 1..],
                None => return Err(invalid()),
            },
            None => match text.find("/projects/") {
                Some(at) => &text[at + 1..],
                None => text.trim_start_matches('/'),
            },
        };
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let segments: Vec<&str> = path.split('/').collect();
        if segments.iter().any(|segment| segment.is_empty()) {
            return Err(invalid());
        }
        let (project, rest) = match segments.as_slice() {
            ["projects", project, rest @ ..] => (Some((*project).to_owned()), rest),
            rest => (None, rest),
        };
        let (scope, collection, name) = match rest {
            ["regions", region, collection, name] => (Scope::Region((*region).to_owned()), collection, name),
            ["zones", zone, collection, name] => (Scope::Zone((*zone).to_owned()), collection, name),
            ["global", collection, name] | [collection @ ("regions" | "zones"), name] => {
                (Scope::Global, collection, name)
            }
            _ => return Err(invalid()),
        };
        Ok(Self { project, scope, collection: (*collection).to_owned(), name: (*name).to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Link {
        text.parse().unwrap()
    }

    #[test]
    fn every_spelling_of_one_resource_is_the_same_link() {
        let expected = Link::new(Scope::Global, "urlMaps", "web").in_project("p");
        for text in [
            "https://compute.googleapis.com/compute/v1/projects/p/global/urlMaps/web",
            "https://www.googleapis.com/compute/beta/projects/p/global/urlMaps/web",
            "http://127.0.0.1:8080/compute/v1/projects/p/global/urlMaps/web",
            "http://127.0.0.1:8080/projects/p/global/urlMaps/web",
            "/compute/v1/projects/p/global/urlMaps/web",
            "projects/p/global/urlMaps/web",
        ] {
            assert_eq!(parsed(text), expected, "{text}");
        }
        assert_eq!(parsed("global/urlMaps/web").in_project("p"), expected);
    }

    #[test]
    fn scopes_are_read_and_written() {
        for text in [
            "projects/p/regions/us-central1/addresses/a",
            "projects/p/zones/us-central1-a/instanceGroups/g",
            "projects/example.com:p/global/networks/default",
            "projects/p/zones/us-central1-a",
            "projects/p/regions/us-central1",
            "zones/us-central1-a/networkEndpointGroups/n",
            "regions/us-central1/subnetworks/s",
        ] {
            assert_eq!(parsed(text).to_string(), text);
        }
        assert_eq!(parsed("zones/z/instances/i").scope, Scope::Zone("z".into()));
        assert_eq!(parsed("regions/r/addresses/a").scope, Scope::Region("r".into()));
        assert_eq!("zones/z".parse::<Scope>(), Ok(Scope::Zone("z".into())));
    }

    #[test]
    fn what_is_no_link_is_refused() {
        for text in [
            "",
            "web",
            "urlMaps/web",
            "global/urlMaps",
            "projects/p",
            "global//web",
            "https://example.com/global/a/b",
        ] {
            assert!(text.parse::<Link>().is_err(), "{text}");
        }
    }

    #[test]
    fn comparison_fills_in_a_missing_project_only() {
        assert!(Link::same("global/urlMaps/a", "https://h/compute/v1/projects/p/global/urlMaps/a"));
        assert!(!Link::same("projects/q/global/urlMaps/a", "projects/p/global/urlMaps/a"));
        assert!(!Link::same("global/urlMaps/a", "global/urlMaps/b"));
        assert!(!Link::same("regions/r/urlMaps/a", "global/urlMaps/a"));
        assert!(Link::same("a", "a"));
        assert!(!Link::same("a", "global/urlMaps/a"));
    }
}
