//! Numeric ids: which resource one means, and which project a number means. Kept beside the tables, so that nothing has to
//! be searched.

use crate::scope::ResourcePath;
use std::collections::HashMap;

/// Every numeric id that means something now.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    resources: HashMap<u64, ResourcePath>,
    projects: HashMap<u64, String>,
}

impl Identities {
    pub(super) fn add_project(&mut self, number: u64, id: &str) {
        self.projects.insert(number, id.to_owned());
    }

    pub(super) fn add(&mut self, id: u64, path: &ResourcePath) {
        self.resources.insert(id, path.clone());
    }

    pub(super) fn forget(&mut self, id: u64) {
        self.resources.remove(&id);
    }

    pub(super) fn forget_project(&mut self, number: u64) {
        self.projects.remove(&number);
    }

    /// The id of the project with a number.
    pub(crate) fn project(&self, number: u64) -> Option<&str> {
        self.projects.get(&number).map(String::as_str)
    }

    /// The same path with the project's id where it has the number, and the name where it has the numeric id. What means
    /// nothing stays, and is then not found under what the request called it.
    pub(crate) fn canonical(&self, mut path: ResourcePath) -> ResourcePath {
        if let Some(id) = path.project.parse().ok().and_then(|number| self.project(number)) {
            id.clone_into(&mut path.project);
        }
        // An id means nothing in another collection or place than its resource's.
        if let Some(found) = path.name.parse().ok().and_then(|id| self.resources.get(&id))
            && (&found.project, &found.scope, found.collection)
                == (&path.project, &path.scope, path.collection)
        {
            found.name.clone_into(&mut path.name);
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> ResourcePath {
        ResourcePath::parse(text).unwrap()
    }

    #[test]
    fn numbers_become_names_where_they_mean_something() {
        let mut identities = Identities::default();
        identities.add_project(12, "p");
        identities.add(34, &path("projects/p/global/urlMaps/u"));
        for (given, expected) in [
            ("projects/12/global/urlMaps/34", "projects/p/global/urlMaps/u"),
            ("projects/p/global/urlMaps/34", "projects/p/global/urlMaps/u"),
            ("projects/12/global/urlMaps/u", "projects/p/global/urlMaps/u"),
            ("projects/12/global/backendServices/34", "projects/p/global/backendServices/34"),
            ("projects/p/regions/r/urlMaps/34", "projects/p/regions/r/urlMaps/34"),
            ("projects/q/global/urlMaps/34", "projects/q/global/urlMaps/34"),
            ("projects/13/global/urlMaps/35", "projects/13/global/urlMaps/35"),
        ] {
            assert_eq!(identities.canonical(path(given)).to_string(), expected, "{given}");
        }
        identities.forget(34);
        assert_eq!(identities.canonical(path("projects/p/global/urlMaps/34")).name, "34");
    }
}
