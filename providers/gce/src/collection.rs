//! One collection: all resources of a type in one scope.

use std::marker::PhantomData;

use gce_api::Scope;
use http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::methods::{Delete, Insert, Patch, Placed, Update};
use crate::request::Call;
use crate::{Client, Error, Operation, Place, paging};

/// The most that the API puts on a page.
const PAGE_SIZE: u16 = 500;

/// What a list is to hold, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    filter: Option<String>,
    page_size: Option<u16>,
}

impl Query {
    /// Everything.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Only what matches an expression in the API's filter language, e.g. `name eq gclb-.*`.
    #[must_use]
    pub fn filter(mut self, expression: impl Into<String>) -> Self {
        self.filter = Some(expression.into());
        self
    }

    /// Pages of another size than 500.
    #[must_use]
    pub fn page_size(mut self, size: u16) -> Self {
        self.page_size = Some(size);
        self
    }

    pub(crate) fn apply(&self, call: Call) -> Call {
        let Self { filter, page_size } = self;
        let call = call.query("maxResults", page_size.unwrap_or(PAGE_SIZE).to_string());
        match filter {
            Some(filter) => call.query("filter", filter),
            None => call,
        }
    }
}

/// All resources of type `R` in one scope. What only some types can do is in [`methods`](crate::methods).
#[derive(Clone, Debug)]
pub struct Collection<R> {
    pub(crate) client: Client,
    pub(crate) scope: Scope,
    resource: PhantomData<fn() -> R>,
}

impl<R: Placed> Collection<R> {
    pub(crate) fn new(client: Client, scope: Scope) -> Self {
        Self { client, scope, resource: PhantomData }
    }

    /// The scope.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Reads one resource.
    pub async fn get(&self, name: &str) -> Result<R, Error> {
        let path = self.path("get", name)?;
        self.client.call(Call::get("get", R::COLLECTION, self.about(name), path)).await
    }

    /// Reads all resources. Fails with [`Error::Incomplete`] where the API could not see all of them.
    pub async fn list(&self) -> Result<Vec<R>, Error> {
        self.list_where(&Query::all()).await
    }

    /// Reads all resources that match a query. Fails with [`Error::Incomplete`] where the API could not see all.
    pub async fn list_where(&self, query: &Query) -> Result<Vec<R>, Error> {
        let resource = self.about_all();
        let path = self.base("list", &resource)?;
        let call = query.apply(Call::get("list", R::COLLECTION, resource.clone(), path));
        let mut items = Vec::new();
        let mut unreachable = Vec::new();
        for page in self.client.pages::<gce_api::List<R>>(call).await? {
            unreachable.extend(paging::missing(&page));
            items.extend(page.items);
        }
        if unreachable.is_empty() {
            Ok(items)
        } else {
            Err(Error::Incomplete { verb: "list", resource, unreachable })
        }
    }

    /// The path of the collection.
    pub(crate) fn base(&self, verb: &'static str, resource: &str) -> Result<Vec<String>, Error> {
        let Some(place) = R::PLACES.iter().find(|place| place.holds(&self.scope)) else {
            return Err(Error::Unaddressable {
                verb,
                resource: resource.to_owned(),
                problem: "there are no such resources in this scope",
            });
        };
        let mut path = vec!["projects".to_owned(), self.client.project().to_owned()];
        if *place != Place::Project {
            path.extend(self.scope.to_string().split('/').map(str::to_owned));
        }
        path.push(R::COLLECTION.to_owned());
        Ok(path)
    }

    /// The path of one resource.
    pub(crate) fn path(&self, verb: &'static str, name: &str) -> Result<Vec<String>, Error> {
        let resource = self.about(name);
        let mut path = self.base(verb, &resource)?;
        // An empty name would address the collection, and "." or ".." would vanish from the URL.
        if matches!(name, "" | "." | "..") {
            return Err(Error::Unaddressable { verb, resource, problem: "this is no name" });
        }
        path.push(name.to_owned());
        Ok(path)
    }

    /// The path of a resource's own verb.
    pub(crate) fn verb_path(&self, verb: &'static str, name: &str) -> Result<Vec<String>, Error> {
        let mut path = self.path(verb, name)?;
        path.push(verb.to_owned());
        Ok(path)
    }

    /// The resource in messages.
    pub(crate) fn about(&self, name: &str) -> String {
        match &self.scope {
            Scope::Global => format!("{} {name}", R::NOUN),
            Scope::Region(place) | Scope::Zone(place) => format!("{} {name} in {place}", R::NOUN),
        }
    }

    fn about_all(&self) -> String {
        match &self.scope {
            Scope::Global => R::COLLECTION.to_owned(),
            Scope::Region(place) | Scope::Zone(place) => format!("{} in {place}", R::COLLECTION),
        }
    }

    /// Sends a change and takes the operation that it starts.
    pub(crate) async fn change<B: Serialize + ?Sized>(
        &self,
        method: Method,
        verb: &'static str,
        name: &str,
        path: Vec<String>,
        body: Option<&B>,
    ) -> Result<Operation, Error> {
        let resource = self.about(name);
        let mut call = Call::change(method, verb, R::COLLECTION, resource.clone(), path);
        if let Some(body) = body {
            call = call.body(body)?;
        }
        let wire = self.client.call(call).await?;
        Operation::started(wire, self.scope.clone(), verb, resource)
    }

    /// Sends a POST that only asks, and takes its answer.
    pub(crate) async fn ask<B: Serialize + ?Sized, T: DeserializeOwned>(
        &self,
        verb: &'static str,
        name: &str,
        body: &B,
    ) -> Result<T, Error> {
        let path = self.verb_path(verb, name)?;
        self.client.call(Call::ask(verb, R::COLLECTION, self.about(name), path).body(body)?).await
    }
}

impl<R: Insert> Collection<R> {
    /// Creates a resource. Its name is the one in the body.
    pub async fn insert(&self, body: &R) -> Result<Operation, Error> {
        let name = body.name().unwrap_or_default();
        let path = self.base("insert", &self.about(name))?;
        self.change(Method::POST, "insert", name, path, Some(body)).await
    }
}

impl<R: Update> Collection<R> {
    /// Replaces a resource: what the body leaves out goes back to its default. Types that have a fingerprint want the
    /// current one in the body.
    pub async fn update(&self, name: &str, body: &R) -> Result<Operation, Error> {
        self.change(Method::PUT, "update", name, self.path("update", name)?, Some(body)).await
    }
}

impl<R: Patch> Collection<R> {
    /// Changes a resource in part, by a merge patch (RFC 7396): what the body leaves out stays, `null` removes, arrays
    /// replace. Sent as given. Types that have a fingerprint want the current one in it.
    pub async fn patch<B: Serialize + ?Sized>(&self, name: &str, body: &B) -> Result<Operation, Error> {
        self.change(Method::PATCH, "patch", name, self.path("patch", name)?, Some(body)).await
    }
}

impl<R: Delete> Collection<R> {
    /// Deletes a resource.
    pub async fn delete(&self, name: &str) -> Result<Operation, Error> {
        let path = self.path("delete", name)?;
        self.change::<()>(Method::DELETE, "delete", name, path, None).await
    }
}
