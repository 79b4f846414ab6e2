//! Lists of many pages, and lists over all scopes.

use std::collections::BTreeMap;
use std::fmt;

use gce_api::{Link, List, Scope, Warning};
use serde::de::DeserializeOwned;

use crate::collection::Query;
use crate::methods::AggregatedList;
use crate::request::Call;
use crate::{Client, Error};

/// One page of any list.
pub(crate) trait Page: DeserializeOwned {
    fn next_page_token(&self) -> Option<&str>;
}

impl<T: DeserializeOwned> Page for List<T> {
    fn next_page_token(&self) -> Option<&str> {
        self.next_page_token.as_deref()
    }
}

impl<R: gce_api::Resource> Page for gce_api::AggregatedList<R> {
    fn next_page_token(&self) -> Option<&str> {
        self.next_page_token.as_deref()
    }
}

impl Page for gce_api::NetworkEndpointGroupsListNetworkEndpoints {
    fn next_page_token(&self) -> Option<&str> {
        self.next_page_token.as_deref()
    }
}

impl Page for gce_api::InstanceGroupsListInstances {
    fn next_page_token(&self) -> Option<&str> {
        self.next_page_token.as_deref()
    }
}

/// A part of a list that could not be read. What it holds is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreachable {
    /// The part as the API names it, e.g. `zones/us-central1-b`. May be empty.
    pub place: String,
    /// The same as a scope, where it is one. `None` means that any scope may be concerned.
    pub scope: Option<Scope>,
    /// Why, as far as the API says it.
    pub reason: String,
}

impl Unreachable {
    fn new(place: &str, reason: &str) -> Self {
        // The API names scopes with and without what stands before them.
        let scope = place.parse().ok().or_else(|| {
            let Link { collection, name, .. } = place.parse().ok()?;
            format!("{collection}/{name}").parse().ok()
        });
        Self { place: place.to_owned(), scope, reason: reason.to_owned() }
    }

    fn of_warning(place: &str, warning: &Warning) -> Self {
        let code = warning.code.as_deref().unwrap_or_default();
        match warning.message.as_deref() {
            Some(message) => Self::new(place, &format!("{code}: {message}")),
            None => Self::new(place, code),
        }
    }

    pub(crate) fn listed(several: &[Self]) -> String {
        several.iter().map(Self::to_string).collect::<Vec<_>>().join("; ")
    }
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.place.is_empty() { "a part" } else { &self.place };
        match self.reason.as_str() {
            "" => write!(f, "{place} could not be reached"),
            reason => write!(f, "{place} could not be reached ({reason})"),
        }
    }
}

/// A list over all scopes.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a list with unreachable parts says nothing about what they hold"]
pub struct Aggregated<R> {
    /// What was found, by scope. A scope without any is not in the map.
    pub items: BTreeMap<Scope, Vec<R>>,
    /// What could not be read. Empty for a complete list.
    pub unreachable: Vec<Unreachable>,
}

impl<R> Aggregated<R> {
    /// The whole, if it is whole; otherwise [`Error::Incomplete`].
    pub fn complete(self) -> Result<BTreeMap<Scope, Vec<R>>, Error>
    where
        R: gce_api::Resource,
    {
        if self.unreachable.is_empty() {
            Ok(self.items)
        } else {
            Err(Error::Incomplete {
                verb: "aggregatedList",
                resource: R::COLLECTION.to_owned(),
                unreachable: self.unreachable,
            })
        }
    }

    /// Whether the list says something about this scope: only then is what it does not hold absent.
    #[must_use]
    pub fn covers(&self, scope: &Scope) -> bool {
        self.unreachable.iter().all(|part| part.scope.as_ref().is_some_and(|missing| missing != scope))
    }
}

impl Client {
    /// Lists all resources of a type in the project, whatever their scope, in as many calls as there are pages. Scopes
    /// that cannot be reached are named in the result instead of failing it.
    pub async fn aggregated_list<R: AggregatedList>(&self, query: &Query) -> Result<Aggregated<R>, Error> {
        const VERB: &str = "aggregatedList";
        let resource = R::COLLECTION.to_owned();
        let path = ["projects", self.project(), "aggregated", R::COLLECTION].map(str::to_owned).to_vec();
        let call = query
            .apply(Call::get(VERB, R::COLLECTION, resource.clone(), path))
            .query("includeAllScopes", "true")
            .query("returnPartialSuccess", "true");
        let mut whole = Aggregated { items: BTreeMap::new(), unreachable: Vec::new() };
        for page in self.pages::<gce_api::AggregatedList<R>>(call).await? {
            for place in &page.unreachables {
                whole.unreachable.push(Unreachable::new(place, ""));
            }
            if let Some(warning) = page.warning.as_ref().filter(|warning| is_failure(warning)) {
                // The page's own warning repeats what `unreachables` names.
                if page.unreachables.is_empty() {
                    whole.unreachable.push(Unreachable::of_warning("", warning));
                }
            }
            for (place, scoped) in page.items {
                if let Some(warning) = scoped.warning.as_ref().filter(|warning| is_failure(warning)) {
                    whole.unreachable.push(Unreachable::of_warning(&place, warning));
                }
                if scoped.items.is_empty() {
                    continue;
                }
                let scope: Scope = place.parse().map_err(|_| Error::Unexpected {
                    verb: VERB,
                    resource: resource.clone(),
                    problem: "names a scope that is neither global nor a region nor a zone",
                })?;
                whole.items.entry(scope).or_default().extend(scoped.items);
            }
        }
        Ok(whole)
    }

    /// All pages of a list.
    pub(crate) async fn pages<P: Page>(&self, mut call: Call) -> Result<Vec<P>, Error> {
        let mut pages: Vec<P> = Vec::new();
        loop {
            let answer = self.send(&call).await?;
            let page: P = call.decode(&answer)?;
            let next = page.next_page_token().filter(|token| !token.is_empty()).map(str::to_owned);
            let again = next.is_some() && next.as_deref() == pages.last().and_then(P::next_page_token);
            pages.push(page);
            match next {
                None => return Ok(pages),
                Some(_) if again => {
                    return Err(Error::Unexpected {
                        verb: call.verb,
                        resource: call.resource,
                        problem: "names the same next page twice",
                    });
                }
                Some(token) => call.replace_query("pageToken", token),
            }
        }
    }
}

/// What a list within one scope lacks.
pub(crate) fn missing<T>(page: &List<T>) -> Vec<Unreachable> {
    let named = page.unreachables.iter().map(|place| Unreachable::new(place, ""));
    let warned = page
        .warning
        .iter()
        .filter(|warning| page.unreachables.is_empty() && is_failure(warning))
        .map(|warning| Unreachable::of_warning("", warning));
    named.chain(warned).collect()
}

/// Of all warnings on a list only this one means that there is simply nothing.
fn is_failure(warning: &Warning) -> bool {
    warning.code.as_deref() != Some(Warning::NO_RESULTS_ON_PAGE)
}
