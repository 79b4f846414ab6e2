//! Changing: insert, update, patch, delete and the verbs of single resources, up to the point where the change is accepted.

use super::{Context, Engine, Purpose};
use crate::config::MissingFingerprint;
use crate::declaration::{
    CustomVerb, Effect, Fields, Judged, Locking, Question, Resource, UnknownFields, Written,
};
use crate::draft::Draft;
use crate::error::ApiError;
use crate::fingerprint::Fingerprint;
use crate::name;
use crate::random;
use crate::schema::{self, Admission, Mode};
use crate::scope::{ResourcePath, Scope};
use crate::seed;
use crate::state::{Change, State, Stored};
use serde_json::{Map, Value};
use std::sync::Arc;

impl Engine {
    pub(super) fn insert(
        self: &Arc<Self>,
        state: &mut State,
        resource: &'static Resource,
        project: &str,
        scope: Scope,
        context: &Context<'_>,
    ) -> Result<Value, ApiError> {
        if let Some(answer) = self.replayed(state, project, context)? {
            return Ok(answer);
        }
        Self::check_place(state, project, &scope)?;
        let mut path = ResourcePath {
            project: project.to_owned(),
            scope,
            collection: resource.collection,
            name: String::new(),
        };
        let mut body = self
            .admission(state, &path, resource.unknown_fields, Mode::Whole, context)
            .resource(resource.fields, &context.object()?)?;
        let Some(Value::String(named)) = body.shift_remove("name") else {
            return Err(ApiError::required("resource.name"));
        };
        name::check("resource.name", &named)?;
        path.name = named;
        match state.in_flight(&path) {
            Some(Change::Put(_)) => return Err(ApiError::already_exists(&path)),
            Some(Change::Delete) => return Err(ApiError::not_ready(&path)),
            None if state.get(&path).is_some() => return Err(ApiError::already_exists(&path)),
            None => {}
        }
        let next = Stored::new(random::id(), self.clock.now(), body);
        let draft = Draft { path, previous: None, next };
        self.put(state, resource, draft, "insert", context)
    }

    /// Replaces a resource (PUT), or merges into it (PATCH).
    pub(super) fn rewrite(
        self: &Arc<Self>,
        state: &mut State,
        resource: &'static Resource,
        path: ResourcePath,
        mode: Mode,
        context: &Context<'_>,
    ) -> Result<Value, ApiError> {
        let path = Self::name(state, path);
        if let Some(answer) = self.replayed(state, &path.project, context)? {
            return Ok(answer);
        }
        let previous = Self::free(state, resource, &path)?;
        let request = context.object()?;
        let mut body = self
            .admission(state, &path, resource.unknown_fields, mode, context)
            .resource(resource.fields, &request)?;
        self.check_fingerprint(resource, &previous, &request)?;
        check_name(&path, &body)?;
        body.shift_remove("name");
        let mut next = Stored::clone(&previous);
        let verb = match mode {
            Mode::Whole => {
                // What no request can write stays as it is.
                for field in resource.fields {
                    if matches!(field.written, Written::ByVerb | Written::ByServer)
                        && let Some(value) = previous.fields().get(field.name)
                    {
                        body.insert(field.name.to_owned(), value.clone());
                    }
                }
                *next.fields_mut() = body;
                "update"
            }
            Mode::Patch => {
                if resource.masked.contains(&"patch")
                    && let Some(mask) = context.query.get("updateMask").filter(|mask| !mask.is_empty())
                {
                    body = schema::masked(body, mask);
                }
                schema::merge(next.fields_mut(), body);
                "patch"
            }
        };
        self.put(state, resource, Draft { path, previous: Some(previous), next }, verb, context)
    }

    pub(super) fn delete(
        self: &Arc<Self>,
        state: &mut State,
        resource: &'static Resource,
        path: ResourcePath,
        context: &Context<'_>,
    ) -> Result<Value, ApiError> {
        let path = Self::name(state, path);
        if let Some(answer) = self.replayed(state, &path.project, context)? {
            return Ok(answer);
        }
        let previous = Self::free(state, resource, &path)?;
        if let Some(user) = state.users(&path).first() {
            return Err(ApiError::in_use(resource.singular, &path, user));
        }
        if context.purpose == Purpose::Rehearse {
            return Ok(Value::Null);
        }
        Ok(self.start(state, resource, path, previous.id, Change::Delete, "delete", context))
    }

    pub(super) fn verb(
        self: &Arc<Self>,
        state: &mut State,
        resource: &'static Resource,
        path: ResourcePath,
        verb: &'static CustomVerb,
        context: &Context<'_>,
    ) -> Result<Value, ApiError> {
        let path = Self::name(state, path);
        Self::check_place(state, &path.project, &path.scope)?;
        if let Effect::Answer(answer) = verb.effect {
            let stored = state.get(&path).ok_or_else(|| resource.not_found.error(&path))?;
            let request = self.request(state, &path, verb.request, context)?;
            let question = Question {
                path: &path,
                stored,
                request: &request,
                query: context.query,
                base: &context.base,
                caller: context.caller,
            };
            return answer(&question, &self.world(state));
        }
        if let Effect::Judge(judge) = verb.effect {
            let request = self.request(state, &path, verb.request, context)?;
            let Some(Value::Object(body)) = request.get("resource") else {
                return Err(ApiError::required("resource"));
            };
            let (draft, complete) = self.imagine(state, resource, path, body, context)?;
            let judged = Judged { draft: &draft, complete, request: &request, base: &context.base };
            return judge(&judged, &self.world(state));
        }
        if let Effect::Settle(settle) = verb.effect {
            let previous = Self::free(state, resource, &path)?;
            let request = self.request(state, &path, verb.request, context)?;
            let mut next = Stored::clone(&previous);
            let answer = settle(&mut next, &request)?;
            state.put(&path, next);
            return Ok(answer);
        }
        if let Some(answer) = self.replayed(state, &path.project, context)? {
            return Ok(answer);
        }
        let previous = Self::free(state, resource, &path)?;
        let body = context.object()?;
        let request = self.request(state, &path, verb.request, context)?;
        check_label_fingerprint(&previous, &body)?;
        if resource.locking == Locking::Fingerprint
            && let Some(Value::String(given)) = body.get("fingerprint")
            && !Fingerprint::of(&previous).is(given)
        {
            return Err(ApiError::stale_fingerprint());
        }
        let mut draft = Draft { path, next: Stored::clone(&previous), previous: Some(previous) };
        match verb.effect {
            Effect::Set(fields) => {
                for (from, to) in fields {
                    match request.get(*from) {
                        Some(value) => {
                            draft.body_mut().insert((*to).to_owned(), value.clone());
                        }
                        None => {
                            draft.body_mut().shift_remove(*to);
                        }
                    }
                }
            }
            Effect::Change(change) => change(&mut draft, &request, &self.world(state))?,
            Effect::Leave(leave) => {
                if let Some(user) = state.users(&draft.path).first() {
                    return Err(ApiError::in_use(resource.singular, &draft.path, user));
                }
                leave(&mut draft, &request, &self.world(state))?;
                let Draft { path, next, .. } = draft;
                let id = next.id;
                state.put(&path, next);
                return Ok(self.start(state, resource, path, id, Change::Delete, verb.name, context));
            }
            Effect::Answer(_) | Effect::Judge(_) | Effect::Settle(_) => {}
        }
        self.put(state, resource, draft, verb.name, context)
    }

    /// The body of a verb's request. Fingerprints are read apart.
    fn request(
        &self,
        state: &State,
        path: &ResourcePath,
        fields: Fields,
        context: &Context<'_>,
    ) -> Result<Map<String, Value>, ApiError> {
        let mut request = self
            .admission(state, path, UnknownFields::Refuse, Mode::Whole, context)
            .request(fields, &context.object()?)?;
        let admission = self.admission(state, path, UnknownFields::Refuse, Mode::Whole, context);
        request.extend(admission.parameters(fields, context.query)?);
        schema::verify(fields, &request, "resource")?;
        Ok(request)
    }

    #[expect(clippy::unused_self, reason = "reads like its neighbours")]
    pub(super) fn admission<'a>(
        &self,
        state: &'a State,
        path: &'a ResourcePath,
        unknown_fields: UnknownFields,
        mode: Mode,
        context: &Context<'_>,
    ) -> Admission<'a> {
        Admission { version: context.version, mode, unknown_fields, place: path.place(state.identities()) }
    }

    /// The resource as it stands, if no operation holds it.
    fn free(
        state: &State,
        resource: &'static Resource,
        path: &ResourcePath,
    ) -> Result<Arc<Stored>, ApiError> {
        Self::check_place(state, &path.project, &path.scope)?;
        if state.in_flight(path).is_some() {
            return Err(ApiError::not_ready(path));
        }
        state.get(path).cloned().ok_or_else(|| resource.not_found.error(path))
    }

    fn check_fingerprint(
        &self,
        resource: &Resource,
        previous: &Stored,
        request: &Map<String, Value>,
    ) -> Result<(), ApiError> {
        if resource.locking == Locking::None {
            return Ok(());
        }
        match request.get("fingerprint") {
            None | Some(Value::Null) => match self.config.missing_fingerprint {
                MissingFingerprint::Accept => Ok(()),
                MissingFingerprint::Refuse => Err(ApiError::stale_fingerprint()),
            },
            Some(Value::String(given)) if Fingerprint::of(previous).is(given) => Ok(()),
            Some(_) => Err(ApiError::stale_fingerprint()),
        }
    }

    /// Completes and checks a draft, and accepts it.
    fn put(
        self: &Arc<Self>,
        state: &mut State,
        resource: &'static Resource,
        mut draft: Draft,
        verb: &'static str,
        context: &Context<'_>,
    ) -> Result<Value, ApiError> {
        self.finish(state, resource, &mut draft)?;
        if Self::validates_only(resource, verb, context) {
            return Ok(self.validated(state, resource, &draft, verb, context));
        }
        if context.purpose == Purpose::Rehearse {
            return Ok(self.rehearsed(state, resource, &draft, context));
        }
        let (path, id) = (draft.path.clone(), draft.next.id);
        Ok(self.start(state, resource, path, id, Change::Put(Box::new(draft)), verb, context))
    }

    /// Everything between a body that fits the schema and one that may be put in place.
    pub(super) fn finish(
        &self,
        state: &mut State,
        resource: &'static Resource,
        draft: &mut Draft,
    ) -> Result<(), ApiError> {
        self.complete(state, resource, draft)?;
        (resource.check)(draft, &self.world(state))?;
        (resource.allocate)(draft, &self.world(state))?;
        self.quotas.check(state, draft)?;
        if let Some(previous) = &draft.previous
            && previous.fields() != draft.next.fields()
        {
            draft.next.generation += 1;
        }
        Ok(())
    }

    /// Everything but the resource's own rules: a body with all it needs, whose references lead somewhere.
    pub(super) fn complete(
        &self,
        state: &mut State,
        resource: &'static Resource,
        draft: &mut Draft,
    ) -> Result<(), ApiError> {
        schema::fill(resource.fields, draft.body_mut());
        (resource.fill)(draft, &self.world(state));
        (resource.complete)(draft, &self.world(state))?;
        schema::verify(resource.fields, draft.body(), "resource")?;
        self.check_links(state, resource, draft)
    }

    /// Whatever a body newly refers to must exist, and must not be on its way in or out.
    fn check_links(&self, state: &mut State, resource: &Resource, draft: &Draft) -> Result<(), ApiError> {
        let known: Vec<ResourcePath> = draft
            .previous
            .iter()
            .flat_map(|previous| schema::links(resource.fields, previous.fields()))
            .map(|(_, target)| target)
            .collect();
        let named = schema::links(resource.fields, draft.body()).into_iter().map(|(_, target)| target);
        for target in named.chain(draft.next.holds.iter().cloned()) {
            if known.contains(&target) {
                continue;
            }
            // A number that is still one here is nobody's.
            if target.project.parse::<u64>().is_err() {
                seed::ensure(state, &target.project, self.clock.now());
            }
            match (state.in_flight(&target), state.get(&target)) {
                (Some(Change::Delete), _) | (Some(Change::Put(_)), None) => {
                    return Err(ApiError::not_ready(&target));
                }
                (None, None) => return Err(ApiError::not_found(&target)),
                (None | Some(Change::Put(_)), Some(_)) => {}
            }
        }
        Ok(())
    }
}

/// The name in a body, if it is there, is the name in the path.
fn check_name(path: &ResourcePath, body: &Map<String, Value>) -> Result<(), ApiError> {
    match body.get("name") {
        Some(Value::String(name)) if *name != path.name => Err(ApiError::invalid(
            "resource.name",
            name,
            &format!("The name of a resource cannot be changed; the request is for '{}'.", path.name),
        )),
        _ => Ok(()),
    }
}

fn check_label_fingerprint(previous: &Stored, request: &Map<String, Value>) -> Result<(), ApiError> {
    match request.get("labelFingerprint") {
        Some(Value::String(given)) if !Fingerprint::of_labels(previous).is(given) => {
            let mut error = ApiError::stale_fingerprint();
            "Labels fingerprint either invalid or resource labels have changed"
                .clone_into(&mut error.message);
            Err(error)
        }
        _ => Ok(()),
    }
}
