//! From a request's method and path to what is meant.

use crate::api;
use crate::declaration::{CollectionVerb, CustomVerb, Lookup, Resource, Standard, VerbAddress, VerbPlace};
use crate::operation::OperationPath;
use crate::scope::{ResourcePath, Scope, ScopeKind};
use crate::version::Version;
use http::Method;

/// A method of the API, with what it is about.
pub(crate) enum Call {
    Project {
        project: String,
    },
    List {
        resource: &'static Resource,
        project: String,
        scope: Scope,
    },
    Aggregated {
        resource: &'static Resource,
        project: String,
    },
    Get {
        resource: &'static Resource,
        path: ResourcePath,
    },
    /// `path` has the argument where the name will be.
    Find {
        resource: &'static Resource,
        path: ResourcePath,
        lookup: &'static Lookup,
    },
    Insert {
        resource: &'static Resource,
        project: String,
        scope: Scope,
    },
    Update {
        resource: &'static Resource,
        path: ResourcePath,
    },
    Patch {
        resource: &'static Resource,
        path: ResourcePath,
    },
    Delete {
        resource: &'static Resource,
        path: ResourcePath,
    },
    Verb {
        resource: &'static Resource,
        path: ResourcePath,
        verb: &'static CustomVerb,
    },
    /// A method of the collection. `scope`: `None` for all places.
    Collection {
        resource: &'static Resource,
        project: String,
        scope: Option<Scope>,
        verb: &'static CollectionVerb,
    },
    Operations {
        project: String,
        scope: Scope,
    },
    AggregatedOperations {
        project: String,
    },
    Operation {
        path: OperationPath,
        what: OperationCall,
    },
}

/// What can be done with an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OperationCall {
    Get,
    Wait,
    Delete,
}

impl Call {
    /// The project that is meant, by id or number.
    pub(crate) fn project(&self) -> &str {
        match self {
            Self::Project { project }
            | Self::List { project, .. }
            | Self::Aggregated { project, .. }
            | Self::Insert { project, .. }
            | Self::Collection { project, .. }
            | Self::Operations { project, .. }
            | Self::AggregatedOperations { project } => project,
            Self::Get { path, .. }
            | Self::Find { path, .. }
            | Self::Update { path, .. }
            | Self::Patch { path, .. }
            | Self::Delete { path, .. }
            | Self::Verb { path, .. } => &path.project,
            Self::Operation { path, .. } => &path.project,
        }
    }

    /// The resource that is named in the path, if one is.
    pub(crate) fn resource_path(&self) -> Option<&ResourcePath> {
        match self {
            Self::Get { path, .. }
            | Self::Find { path, .. }
            | Self::Update { path, .. }
            | Self::Patch { path, .. }
            | Self::Delete { path, .. }
            | Self::Verb { path, .. } => Some(path),
            Self::Project { .. }
            | Self::List { .. }
            | Self::Aggregated { .. }
            | Self::Insert { .. }
            | Self::Collection { .. }
            | Self::Operations { .. }
            | Self::AggregatedOperations { .. }
            | Self::Operation { .. } => None,
        }
    }

    /// The name that is in the path: of a resource or an operation.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Operation { path, .. } => Some(&path.name),
            call => call.resource_path().map(|path| path.name.as_str()),
        }
    }

    /// What it is about, as messages say it.
    pub(crate) fn about(&self) -> String {
        match (self, self.resource_path()) {
            (_, Some(path)) => path.to_string(),
            (Self::Operation { path, .. }, None) => path.to_string(),
            (Self::Insert { resource, project, scope } | Self::List { resource, project, scope }, None) => {
                format!("projects/{project}/{scope}/{}", resource.collection)
            }
            (call, None) => format!("projects/{}", call.project()),
        }
    }

    /// Puts the project's id where the request gave its number.
    pub(crate) fn set_project(&mut self, id: String) {
        match self {
            Self::Project { project }
            | Self::List { project, .. }
            | Self::Aggregated { project, .. }
            | Self::Insert { project, .. }
            | Self::Collection { project, .. }
            | Self::Operations { project, .. }
            | Self::AggregatedOperations { project } => *project = id,
            Self::Get { path, .. }
            | Self::Find { path, .. }
            | Self::Update { path, .. }
            | Self::Patch { path, .. }
            | Self::Delete { path, .. }
            | Self::Verb { path, .. } => path.project = id,
            Self::Operation { path, .. } => path.project = id,
        }
    }

    /// The id of the method: the collection as paths spell it, and the verb, such as `urlMaps.insert`,
    /// `operations.wait`, `addresses.aggregatedList`.
    pub(crate) fn method(&self) -> String {
        match self {
            Self::Project { .. } => "projects.get".to_owned(),
            Self::List { resource, .. } => format!("{}.list", resource.collection),
            Self::Aggregated { resource, .. } => format!("{}.aggregatedList", resource.collection),
            Self::Get { resource, .. } => format!("{}.get", resource.collection),
            Self::Find { resource, lookup, .. } => format!("{}.{}", resource.collection, lookup.word),
            Self::Insert { resource, .. } => format!("{}.insert", resource.collection),
            Self::Update { resource, .. } => format!("{}.update", resource.collection),
            Self::Patch { resource, .. } => format!("{}.patch", resource.collection),
            Self::Delete { resource, .. } => format!("{}.delete", resource.collection),
            Self::Verb { resource, verb, .. } => format!("{}.{}", resource.collection, verb.name),
            Self::Collection { resource, verb, .. } => format!("{}.{}", resource.collection, verb.name),
            Self::Operations { .. } => "operations.list".to_owned(),
            Self::AggregatedOperations { .. } => "operations.aggregatedList".to_owned(),
            Self::Operation { what: OperationCall::Get, .. } => "operations.get".to_owned(),
            Self::Operation { what: OperationCall::Wait, .. } => "operations.wait".to_owned(),
            Self::Operation { what: OperationCall::Delete, .. } => "operations.delete".to_owned(),
        }
    }

    /// The part of the path that names a resource: what the document calls it, and what it is.
    pub(crate) fn named(&self) -> Option<(&'static str, &str)> {
        let parameter = |resource: &'static Resource| {
            resource.kind.rsplit_once('#').map_or(resource.singular, |(_, name)| name)
        };
        match self {
            Self::Verb { verb: CustomVerb { name, .. }, path, .. }
                if ["setLabels", "getIamPolicy", "setIamPolicy", "testIamPermissions"].contains(name) =>
            {
                Some(("resource", &path.name))
            }
            Self::Get { resource, path }
            | Self::Update { resource, path }
            | Self::Patch { resource, path }
            | Self::Delete { resource, path }
            | Self::Verb { resource, path, .. } => Some((parameter(resource), &path.name)),
            Self::Project { .. }
            | Self::List { .. }
            | Self::Aggregated { .. }
            | Self::Find { .. }
            | Self::Insert { .. }
            | Self::Collection { .. }
            | Self::Operations { .. }
            | Self::AggregatedOperations { .. }
            | Self::Operation { .. } => None,
        }
    }

    /// The place that is asked: a project's own methods and aggregated lists are global.
    pub(crate) fn place(&self) -> &Scope {
        match self {
            Self::Project { .. } | Self::Aggregated { .. } | Self::AggregatedOperations { .. } => {
                &Scope::Global
            }
            Self::List { scope, .. } | Self::Insert { scope, .. } | Self::Operations { scope, .. } => scope,
            Self::Collection { scope, .. } => scope.as_ref().unwrap_or(&Scope::Global),
            Self::Get { path, .. }
            | Self::Find { path, .. }
            | Self::Update { path, .. }
            | Self::Patch { path, .. }
            | Self::Delete { path, .. }
            | Self::Verb { path, .. } => &path.scope,
            Self::Operation { path, .. } => &path.scope,
        }
    }

    /// Reads a path such as `/compute/v1/projects/P/global/urlMaps/U`. `None`: no method of the API.
    pub(crate) fn parse(method: &Method, path: &str) -> Option<(Version, Self)> {
        let mut segments = Vec::new();
        for segment in path.strip_prefix('/')?.split('/') {
            segments.push(decode(segment)?);
        }
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (version, rest) = match segments.as_slice() {
            ["compute", version, "projects", rest @ ..] => (Version::parse(version)?, rest),
            ["projects", rest @ ..] => (Version::V1, rest),
            _ => return None,
        };
        let (project, rest) = rest.split_first()?;
        is_project(project).then_some(())?;
        let call = Self::in_project(method, project, rest)?;
        Some((version, call))
    }

    fn in_project(method: &Method, project: &str, rest: &[&str]) -> Option<Self> {
        let owned = || project.to_owned();
        match rest {
            [] => (method == Method::GET).then(|| Self::Project { project: owned() }),
            ["aggregated", "operations"] => {
                (method == Method::GET).then(|| Self::AggregatedOperations { project: owned() })
            }
            ["aggregated", collection] => {
                let resource = api::find(collection).filter(|resource| resource.is_aggregated())?;
                (method == Method::GET).then(|| Self::Aggregated { resource, project: owned() })
            }
            ["aggregated", collection, word] => {
                let resource = api::find(collection)?;
                let verb = find_collection_verb(resource, word, VerbPlace::Aggregated)?;
                (method == Method::GET).then(|| Self::Collection {
                    resource,
                    project: owned(),
                    scope: None,
                    verb,
                })
            }
            ["global", rest @ ..] => Self::in_scope(method, project, &Scope::Global, rest),
            ["regions", region, rest @ ..] if !rest.is_empty() => {
                Self::in_scope(method, project, &Scope::Region((*region).to_owned()), rest)
            }
            ["zones", zone, rest @ ..] if !rest.is_empty() => {
                Self::in_scope(method, project, &Scope::Zone((*zone).to_owned()), rest)
            }
            [collection, name, verb] => {
                // A few old verbs of global resources are called without `global/`.
                let resource = api::find(collection)?;
                let verb = find_verb(resource, verb, ScopeKind::Global)?;
                let bare = method == Method::POST && verb.address == VerbAddress::ScopedOrBare;
                let path = item(resource, project, &Scope::Global, name)?;
                bare.then_some(Self::Verb { resource, path, verb })
            }
            rest => Self::in_scope(method, project, &Scope::Project, rest),
        }
    }

    fn in_scope(method: &Method, project: &str, scope: &Scope, rest: &[&str]) -> Option<Self> {
        if let ["operations", rest @ ..] = rest {
            return Self::operation(method, project, scope, rest);
        }
        let (collection, rest) = rest.split_first()?;
        let place = scope.kind();
        let resource = api::find(collection).filter(|resource| resource.scopes.contains(&place))?;
        let offers = |verb: Standard| resource.verbs.contains(&verb) && resource.offers(place, verb.name());
        match (method, rest) {
            (&Method::GET, []) => {
                Some(Self::List { resource, project: project.to_owned(), scope: scope.clone() })
            }
            (&Method::POST, []) if offers(Standard::Insert) => {
                Some(Self::Insert { resource, project: project.to_owned(), scope: scope.clone() })
            }
            (&Method::GET, [word])
                if let Some(verb) = find_collection_verb(resource, word, VerbPlace::Scoped) =>
            {
                resource.offers(place, verb.name).then(|| Self::Collection {
                    resource,
                    project: project.to_owned(),
                    scope: Some(scope.clone()),
                    verb,
                })
            }
            (method, [name]) => {
                let path = item(resource, project, scope, name)?;
                match *method {
                    Method::GET => Some(Self::Get { resource, path }),
                    Method::PUT if offers(Standard::Update) => Some(Self::Update { resource, path }),
                    Method::PATCH if offers(Standard::Patch) => Some(Self::Patch { resource, path }),
                    Method::DELETE if offers(Standard::Delete) => Some(Self::Delete { resource, path }),
                    _ => None,
                }
            }
            (&Method::GET, [word, argument])
                if let Some(lookup) = resource.lookups.iter().find(|lookup| lookup.word == *word) =>
            {
                Some(Self::Find { resource, path: item(resource, project, scope, argument)?, lookup })
            }
            (method, [name, verb]) => {
                let path = item(resource, project, scope, name)?;
                let verb = find_verb(resource, verb, place)?;
                let called_with = match verb.address {
                    VerbAddress::Read => Method::GET,
                    VerbAddress::Scoped | VerbAddress::ScopedOrBare => Method::POST,
                };
                (*method == called_with).then_some(Self::Verb { resource, path, verb })
            }
            _ => None,
        }
    }

    fn operation(method: &Method, project: &str, scope: &Scope, rest: &[&str]) -> Option<Self> {
        if *scope == Scope::Project {
            return None;
        }
        let path = |name: &str| OperationPath {
            project: project.to_owned(),
            scope: scope.clone(),
            name: name.to_owned(),
        };
        match (method, rest) {
            (&Method::GET, []) => {
                Some(Self::Operations { project: project.to_owned(), scope: scope.clone() })
            }
            (&Method::GET, [name]) => Some(Self::Operation { path: path(name), what: OperationCall::Get }),
            (&Method::DELETE, [name]) => {
                Some(Self::Operation { path: path(name), what: OperationCall::Delete })
            }
            (&Method::POST, [name, "wait"]) => {
                Some(Self::Operation { path: path(name), what: OperationCall::Wait })
            }
            _ => None,
        }
    }
}

fn item(resource: &'static Resource, project: &str, scope: &Scope, name: &str) -> Option<ResourcePath> {
    (!name.is_empty()).then(|| ResourcePath {
        project: project.to_owned(),
        scope: scope.clone(),
        collection: resource.collection,
        name: name.to_owned(),
    })
}

fn find_verb(resource: &'static Resource, name: &str, place: ScopeKind) -> Option<&'static CustomVerb> {
    resource.custom.iter().find(|verb| verb.name == name && resource.offers(place, name))
}

fn find_collection_verb(
    resource: &'static Resource,
    name: &str,
    place: VerbPlace,
) -> Option<&'static CollectionVerb> {
    resource.collection_verbs.iter().find(|verb| verb.name == name && verb.place == place)
}

/// Whether a text can be a project's id or number: `p`, `example.com:p`, `123`.
pub(crate) fn is_project(text: &str) -> bool {
    let (domain, id) = text.rsplit_once(':').map_or((None, text), |(domain, id)| (Some(domain), id));
    let word = |text: &str| {
        !text.is_empty()
            && text.len() <= 63
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    word(id) && domain.is_none_or(|domain| domain.split('.').all(word))
}

/// Percent-decodes one segment of a path. `None`: not UTF-8, or cut short.
fn decode(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(method: &str, path: &str) -> Option<String> {
        let (version, call) = Call::parse(&method.parse().unwrap(), path)?;
        let text = match call {
            Call::Project { project } => format!("project {project}"),
            Call::List { resource, project, scope } => {
                format!("list {project} {scope} {}", resource.collection)
            }
            Call::Aggregated { resource, project } => format!("aggregated {project} {}", resource.collection),
            Call::Get { path, .. } => format!("get {path}"),
            Call::Find { path, lookup, .. } => format!("find {} {path}", lookup.word),
            Call::Insert { resource, project, scope } => {
                format!("insert {project} {scope} {}", resource.collection)
            }
            Call::Update { path, .. } => format!("update {path}"),
            Call::Patch { path, .. } => format!("patch {path}"),
            Call::Delete { path, .. } => format!("delete {path}"),
            Call::Verb { path, verb, .. } => format!("{} {path}", verb.name),
            Call::Collection { resource, project, scope, verb } => {
                let place = scope.map_or_else(|| "aggregated".to_owned(), |scope| scope.to_string());
                format!("{} {project} {place} {}", verb.name, resource.collection)
            }
            Call::Operations { project, scope } => format!("operations {project} {scope}"),
            Call::AggregatedOperations { project } => format!("aggregated operations {project}"),
            Call::Operation { path, what } => format!("{what:?} {path}"),
        };
        Some(format!("{} {text}", version.name()))
    }

    #[test]
    fn methods_of_the_api() {
        for (method, path, expected) in [
            ("GET", "/compute/v1/projects/p", "v1 project p"),
            ("GET", "/compute/v1/projects/p/global/urlMaps", "v1 list p global urlMaps"),
            ("POST", "/compute/beta/projects/p/global/urlMaps", "beta insert p global urlMaps"),
            (
                "GET",
                "/compute/alpha/projects/example.com%3Ap/global/urlMaps/u",
                "alpha get projects/example.com:p/global/urlMaps/u",
            ),
            (
                "PUT",
                "/compute/v1/projects/p/regions/r/backendServices/b",
                "v1 update projects/p/regions/r/backendServices/b",
            ),
            ("PATCH", "/projects/p/global/firewalls/f", "v1 patch projects/p/global/firewalls/f"),
            (
                "DELETE",
                "/compute/v1/projects/p/global/addresses/a",
                "v1 delete projects/p/global/addresses/a",
            ),
            (
                "POST",
                "/compute/v1/projects/p/targetHttpProxies/t/setUrlMap",
                "v1 setUrlMap projects/p/global/targetHttpProxies/t",
            ),
            (
                "POST",
                "/compute/v1/projects/p/global/targetHttpProxies/t/setUrlMap",
                "v1 setUrlMap projects/p/global/targetHttpProxies/t",
            ),
            ("GET", "/compute/v1/projects/p/zones", "v1 list p  zones"),
            (
                "GET",
                "/compute/v1/projects/p/global/images/family/f",
                "v1 find family projects/p/global/images/f",
            ),
            ("GET", "/compute/v1/projects/p/zones/z", "v1 get projects/p/zones/z"),
            ("GET", "/compute/v1/projects/p/zones/z/instances/i", "v1 get projects/p/zones/z/instances/i"),
            ("GET", "/compute/v1/projects/p/aggregated/addresses", "v1 aggregated p addresses"),
            (
                "POST",
                "/compute/v1/projects/p/global/operations/o/wait",
                "v1 Wait projects/p/global/operations/o",
            ),
        ] {
            assert_eq!(target(method, path).as_deref(), Some(expected), "{method} {path}");
        }
    }

    #[test]
    fn what_is_no_method_is_nothing() {
        for (method, path) in [
            ("GET", "/"),
            ("GET", "/compute/v2/projects/p"),
            ("GET", "/compute/v1/projects"),
            ("GET", "/compute/v1/projects/P!/global/urlMaps"),
            ("GET", "/compute/v1/projects/p/global"),
            ("GET", "/compute/v1/projects/p/global/nothings"),
            ("GET", "/compute/v1/projects/p/global/instances"),
            ("PATCH", "/compute/v1/projects/p/global/sslCertificates/c"),
            ("DELETE", "/compute/v1/projects/p/zones/z"),
            ("POST", "/compute/v1/projects/p/global/urlMaps/u/setUrlMap"),
            ("GET", "/compute/v1/projects/p/global/urlMaps/%zz"),
            ("GET", "/compute/v1/projects/p/operations"),
            ("GET", "/compute/v1/projects/p/aggregated/firewalls"),
        ] {
            assert_eq!(target(method, path), None, "{method} {path}");
        }
    }
}
