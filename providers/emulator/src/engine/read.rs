//! Reading: get, list, aggregated list, operations.

use super::{Context, Engine};
use crate::declaration::{CollectionAnswer, CollectionVerb, ListItem, ListOf, Locking, Resource, ScopeKind};
use crate::error::ApiError;
use crate::fault::Fault;
use crate::fingerprint::Fingerprint;
use crate::list::{Entry, ListQuery};
use crate::operation::{Operation, OperationPath, Stage, Visibility};
use crate::schema;
use crate::scope::{ResourcePath, Scope};
use crate::state::{State, Stored};
use crate::timestamp;
use serde_json::{Map, Value, json};

impl Engine {
    pub(super) fn get(
        &self,
        state: &State,
        resource: &'static Resource,
        path: ResourcePath,
        context: &Context<'_>,
    ) -> Result<Value, ApiError> {
        Self::check_place(state, &path.project, &path.scope)?;
        let path = Self::name(state, path);
        let stored = state.get(&path).ok_or_else(|| resource.not_found.error(&path))?;
        Ok(Value::Object(self.show(state, resource, &path, stored, &context.base)))
    }

    /// A resource as answers show it.
    pub(crate) fn show(
        &self,
        state: &State,
        resource: &Resource,
        path: &ResourcePath,
        stored: &Stored,
        base: &str,
    ) -> Map<String, Value> {
        let mut body = Map::new();
        let mut set = |name: &str, value: String| {
            body.insert(name.to_owned(), Value::String(value));
        };
        set("kind", resource.kind.to_owned());
        set("id", stored.id.to_string());
        set("creationTimestamp", timestamp::show(stored.created));
        set("name", path.name.clone());
        body.extend(schema::show(resource.fields, stored.fields(), base));
        let mut set = |name: &str, value: String| {
            body.insert(name.to_owned(), Value::String(value));
        };
        match &path.scope {
            Scope::Zone(zone) => set("zone", format!("{base}projects/{}/zones/{zone}", path.project)),
            Scope::Region(region) => {
                set("region", format!("{base}projects/{}/regions/{region}", path.project));
            }
            Scope::Global | Scope::Project => {}
        }
        set("selfLink", format!("{base}{path}"));
        if resource.locking == Locking::Fingerprint {
            set("fingerprint", Fingerprint::of(stored).show());
        }
        if resource.has_labels() {
            set("labelFingerprint", Fingerprint::of_labels(stored).show());
        }
        (resource.render)(path, stored, &self.world(state), base, &mut body);
        body
    }

    pub(super) fn list(
        &self,
        state: &State,
        resource: &'static Resource,
        project: &str,
        scope: &Scope,
        context: &Context<'_>,
    ) -> Result<Value, ApiError> {
        Self::check_place(state, project, scope)?;
        let page =
            ListQuery::parse(context.query)?.page(self.entries(state, resource, project, scope, context));
        let place = match scope {
            Scope::Project => format!("projects/{project}/{}", resource.collection),
            scope => format!("projects/{project}/{scope}/{}", resource.collection),
        };
        let kind = resource.list_kind(match scope.kind() {
            ScopeKind::Region => ListOf::Region,
            ScopeKind::Project | ScopeKind::Global | ScopeKind::Zone => ListOf::Place,
        });
        Ok(list_body(&kind, &place, (!page.items.is_empty()).then(|| json!(page.items)), page.next, context))
    }

    fn entries<'a>(
        &'a self,
        state: &'a State,
        resource: &'static Resource,
        project: &'a str,
        scope: &Scope,
        context: &'a Context<'_>,
    ) -> Box<dyn Iterator<Item = Entry<'a>> + 'a> {
        let scope = scope.clone();
        let listed = state.listed(resource.collection, project, &scope);
        Box::new(listed.map(move |(name, stored)| {
            let path = ResourcePath {
                project: project.to_owned(),
                scope: scope.clone(),
                collection: resource.collection,
                name: name.to_owned(),
            };
            Entry {
                name,
                created: stored.created,
                show: Box::new(move || self.show(state, resource, &path, stored, &context.base)),
            }
        }))
    }

    pub(super) fn aggregated(
        &self,
        state: &State,
        resource: &'static Resource,
        project: &str,
        context: &Context<'_>,
    ) -> Result<Value, ApiError> {
        // A place of a kind that the collection is never in is shown only to those who ask for all.
        let all =
            context.query.get("includeAllScopes").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let places = places(state, project)
            .into_iter()
            .filter(|scope| all || resource.scopes.contains(&scope.kind()))
            .map(|scope| {
                let entries = self.entries(state, resource, project, &scope, context);
                (scope, entries)
            });
        let (items, next) = ListQuery::parse(context.query)?.aggregate(resource.collection, places);
        let place = format!("projects/{project}/aggregated/{}", resource.collection);
        let kind = resource.list_kind(ListOf::Everywhere);
        Ok(list_body(&kind, &place, Some(Value::Object(items)), next, context))
    }

    /// A method of a collection, in one place or (`None`) in all.
    pub(super) fn collection(
        &self,
        state: &State,
        resource: &'static Resource,
        project: &str,
        scope: Option<&Scope>,
        verb: &'static CollectionVerb,
        context: &Context<'_>,
    ) -> Result<Value, ApiError> {
        let asked = match scope {
            Some(scope) => vec![scope.clone()],
            None => places(state, project),
        };
        for scope in &asked {
            Self::check_place(state, project, scope)?;
        }
        let (kind, item) = match &verb.answer {
            CollectionAnswer::Facts(facts) => return Ok(facts()),
            CollectionAnswer::List { kind, item } => (kind, item),
        };
        // Names repeat between places, and pages need an order that has no repetition.
        let mut found: Vec<(String, ResourcePath, &Stored)> = Vec::new();
        for scope in asked.iter().filter(|scope| resource.scopes.contains(&scope.kind())) {
            for (name, stored) in state.table(resource.collection, project, scope).into_iter().flatten() {
                let path = ResourcePath {
                    project: project.to_owned(),
                    scope: scope.clone(),
                    collection: resource.collection,
                    name: name.clone(),
                };
                found.push((format!("{name} {scope}"), path, stored));
            }
        }
        found.sort_by(|(a, ..), (b, ..)| a.cmp(b));
        let entries = found.iter().map(|(key, path, stored)| Entry {
            name: key,
            created: stored.created,
            show: Box::new(move || {
                let whole = self.show(state, resource, path, stored, &context.base);
                match item {
                    ListItem::Whole => whole,
                    ListItem::Form(form) => form(path, &whole, &context.base),
                }
            }),
        });
        let page = ListQuery::parse(context.query)?.page(entries);
        let place = match scope {
            Some(scope) => format!("projects/{project}/{scope}/{}/{}", resource.collection, verb.name),
            None => format!("projects/{project}/aggregated/{}/{}", resource.collection, verb.name),
        };
        Ok(list_body(kind, &place, (!page.items.is_empty()).then(|| json!(page.items)), page.next, context))
    }

    pub(super) fn operation(
        &self,
        state: &State,
        path: OperationPath,
        context: &Context<'_>,
    ) -> Result<Value, ApiError> {
        let path = self.find_operation(state, path)?;
        let operation = state.operations.get(&path).ok_or_else(|| operation_not_found(&path))?;
        Ok(operation.show(&context.base, self.clock.now()))
    }

    /// The path with the name of the operation, where the request may have given its id; 404 if there is none.
    #[expect(clippy::unused_self, reason = "reads like its neighbours")]
    pub(super) fn find_operation(
        &self,
        state: &State,
        mut path: OperationPath,
    ) -> Result<OperationPath, ApiError> {
        if let Ok(id) = path.name.parse::<u64>()
            && let Some(name) = state.operations.name_of(&path.project, &path.scope, id)
        {
            path.name = name;
        }
        match state.operations.get(&path).map(|operation| operation.visibility) {
            Some(Visibility::Shown) => Ok(path),
            Some(Visibility::Lost) | None => Err(operation_not_found(&path)),
        }
    }

    /// Holds the request until the operation is DONE, for two minutes at most, then answers with it as it is.
    pub(super) async fn wait(&self, path: OperationPath, context: &Context<'_>) -> Result<Value, ApiError> {
        let (path, mut progress) = {
            let state = self.state();
            let path = self.find_operation(&state, path)?;
            let operation = state.operations.get(&path).ok_or_else(|| operation_not_found(&path))?;
            (path, operation.stage.subscribe())
        };
        let limit = match context.fault.map(|verdict| &verdict.fault) {
            Some(Fault::EarlyWait { after }) => after.0.min(self.config.wait_limit),
            _ => self.config.wait_limit,
        };
        let limit = self.clock.sleep(limit);
        tokio::select! {
            // An error means that the operation was deleted meanwhile; the answer below says so.
            _ = progress.wait_for(|stage| *stage == Stage::Done) => {}
            turn = limit => {
                let answer = self.operation(&self.state(), path, context);
                drop(turn);
                return answer;
            }
            () = self.stop.cancelled() => {}
        }
        self.operation(&self.state(), path, context)
    }

    fn operation_entries<'a>(
        &'a self,
        state: &'a State,
        project: &str,
        scope: &Scope,
        context: &'a Context<'_>,
    ) -> Box<dyn Iterator<Item = Entry<'a>> + 'a> {
        let entries: Vec<&Operation> = state
            .operations
            .table(project, scope)
            .filter(|operation| operation.visibility == Visibility::Shown)
            .collect();
        Box::new(entries.into_iter().map(move |operation| Entry {
            name: &operation.path.name,
            created: operation.inserted,
            show: Box::new(move || match operation.show(&context.base, self.clock.now()) {
                Value::Object(body) => body,
                _ => Map::new(),
            }),
        }))
    }

    pub(super) fn operations(
        &self,
        state: &State,
        project: &str,
        scope: &Scope,
        context: &Context<'_>,
    ) -> Result<Value, ApiError> {
        Self::check_place(state, project, scope)?;
        let page =
            ListQuery::parse(context.query)?.page(self.operation_entries(state, project, scope, context));
        let place = format!("projects/{project}/{scope}/operations");
        let items = (!page.items.is_empty()).then(|| json!(page.items));
        Ok(list_body("compute#operationList", &place, items, page.next, context))
    }

    pub(super) fn aggregated_operations(
        &self,
        state: &State,
        project: &str,
        context: &Context<'_>,
    ) -> Result<Value, ApiError> {
        let places = places(state, project).into_iter().map(|scope| {
            let entries = self.operation_entries(state, project, &scope, context);
            (scope, entries)
        });
        let (items, next) = ListQuery::parse(context.query)?.aggregate("operations", places);
        let place = format!("projects/{project}/aggregated/operations");
        Ok(list_body("compute#operationAggregatedList", &place, Some(Value::Object(items)), next, context))
    }

    pub(super) fn project(&self, state: &State, project: &str, context: &Context<'_>) -> Value {
        let mut body = json!({
            "kind": "compute#project",
            "name": project,
            "commonInstanceMetadata": { "kind": "compute#metadata" },
            "defaultNetworkTier": "PREMIUM",
            "quotas": self.quotas.show(state, project, &Scope::Global),
            "xpnProjectStatus": "UNSPECIFIED_XPN_PROJECT_STATUS",
            "selfLink": format!("{}projects/{project}", context.base),
        });
        if let Some(found) = state.projects.get(project) {
            body["id"] = json!(found.number.to_string());
            body["creationTimestamp"] = json!(timestamp::show(found.created));
            body["defaultServiceAccount"] =
                json!(format!("{}-compute@developer.gserviceaccount.com", found.number));
        }
        body
    }
}

/// The places of a project, in the order of aggregated lists.
fn places(state: &State, project: &str) -> Vec<Scope> {
    let names = |collection| {
        state.table(collection, project, &Scope::Project).into_iter().flatten().map(|(name, _)| name.clone())
    };
    let mut places = vec![Scope::Global];
    places.extend(names("regions").map(Scope::Region));
    places.extend(names("zones").map(Scope::Zone));
    places
}

fn list_body(
    kind: &str,
    place: &str,
    items: Option<Value>,
    next: Option<String>,
    context: &Context<'_>,
) -> Value {
    let mut body = json!({ "kind": kind, "id": place });
    if let Some(items) = items {
        body["items"] = items;
    }
    if let Some(next) = next {
        body["nextPageToken"] = json!(next);
    }
    body["selfLink"] = json!(format!("{}{place}", context.base));
    body
}

fn operation_not_found(path: &OperationPath) -> ApiError {
    ApiError::not_found_text(format!("The resource '{path}' was not found"))
}
