//! The verbs of the API, once for all resources: what a call reads or changes, and the operations changes become.
//!
//! A mutation is checked completely before it is accepted. Then the resource is held, an operation runs its time, the
//! change is put in place, the data plane takes it up, and only then the operation is DONE and the resource let go.

mod drift;
mod faulted;
mod guard;
mod issue;
mod mutate;
mod read;
mod replay;
mod restore;
mod run;
mod validate;

pub use self::drift::DriftError;
use self::guard::Guard;
pub use self::issue::Issuance;
pub(crate) use self::issue::{Findings, IssueError, STATUSES as CERTIFICATE_STATUSES};

use crate::address_pool::AddressPool;
use crate::call::{Call, OperationCall};
use crate::clock::Clock;
use crate::config::Config;
use crate::error::ApiError;
use crate::fault::{Room, Verdict};
use crate::journal::{Journal, JournalFailed};
use crate::latency::{Drawn, Latency};
use crate::metadata::Handed;
use crate::name;
use crate::plane::Plane;
use crate::quota::Quotas;
use crate::request_log::{Begun, RequestLog};
use crate::schema::Mode;
use crate::scope::{ResourcePath, Scope};
use crate::seed;
use crate::state::State;
use crate::token::{Caller, Tokens};
use crate::version::Version;
use crate::world::World;
use http::{HeaderMap, Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The emulated cloud.
pub(crate) struct Engine {
    /// This one, for tasks that outlive a call.
    me: Weak<Self>,
    pub(crate) config: Config,
    pub(crate) plane: Plane,
    pub(crate) requests: RequestLog,
    pub(crate) clock: Clock,
    /// Operations that run, and changes that wait to be served; nothing else.
    pub(crate) tasks: TaskTracker,
    /// Cancelled at shutdown.
    pub(crate) stop: CancellationToken,
    pub(crate) pool: AddressPool,
    pub(crate) quotas: Quotas,
    pub(crate) tokens: Tokens,
    /// The tokens that the metadata server hands out.
    pub(crate) handed: Handed,
    latency: Mutex<Latency>,
    /// How many were drawn.
    latency_draws: AtomicU64,
    pub(crate) faults: Arc<Room>,
    list_lag: Mutex<Duration>,
    /// The managed certificates that will be issued when their time comes, by their ids.
    issuing: Mutex<BTreeSet<u64>>,
    state: Mutex<State>,
    /// The state file, where there is one.
    journal: Option<Journal>,
    /// Counts what may interest somebody who waits: operations that went on, instances that came.
    changes: watch::Sender<u64>,
}

/// A request, as far as the API cares.
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// Who asks, where tokens are checked.
    pub(crate) caller: Option<Arc<Caller>>,
    /// Where the log has it.
    pub(crate) log: Option<Arc<Begun>>,
    pub(crate) purpose: Purpose,
}

/// An answer. No body: 204.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: Option<Value>,
}

impl Reply {
    pub(crate) fn ok(body: Value) -> Self {
        Self { status: StatusCode::OK, body: Some(body) }
    }
}

impl From<ApiError> for Reply {
    fn from(error: ApiError) -> Self {
        Self { status: error.status, body: Some(error.body()) }
    }
}

/// What every handler of one call needs besides the state.
pub(crate) struct Context<'a> {
    pub(crate) version: Version,
    /// What links in the answer begin with: `https://…/compute/v1/`.
    pub(crate) base: String,
    pub(crate) query: &'a BTreeMap<String, String>,
    pub(crate) body: &'a [u8],
    /// Method and path, for recognising a request that is sent again.
    pub(crate) request: String,
    /// What the client calls the request, where the method lets it.
    pub(crate) request_id: Option<&'a str>,
    /// Who asks, where tokens are checked.
    pub(crate) caller: Option<&'a Caller>,
    /// How long what becomes of it takes.
    pub(crate) latency: Drawn,
    /// What goes wrong.
    pub(crate) fault: Option<&'a Verdict>,
    pub(crate) purpose: Purpose,
}

/// Whether accepted changes are to be made, or only what they would have ended in is to be shown. The latter is for
/// fuzzing: nothing that comes in asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Change,
    Rehearse,
}

impl Context<'_> {
    /// The body as a JSON object. No body is an empty one, as in Google's API.
    fn object(&self) -> Result<Map<String, Value>, ApiError> {
        if self.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Map::new());
        }
        match serde_json::from_slice(self.body) {
            Ok(Value::Object(body)) => Ok(body),
            Ok(_) => Err(ApiError::payload(
                "resource",
                "Invalid JSON payload received. Unknown name \"\": Root element must be a message.",
            )),
            Err(error) => Err(ApiError::payload(
                "resource",
                format!("Invalid JSON payload received. Unexpected token.\n{error}"),
            )),
        }
    }
}

impl Engine {
    /// `state` is what `journal` held, or nothing.
    pub(crate) fn new(
        config: Config,
        plane: Plane,
        clock: Clock,
        faults: Arc<Room>,
        requests: RequestLog,
        state: State,
        journal: Option<Journal>,
    ) -> Arc<Self> {
        let lag = config.list_lag;
        let engine = Arc::new_cyclic(|me| Self {
            me: Weak::clone(me),
            list_lag: Mutex::default(),
            issuing: Mutex::default(),
            latency: Mutex::new(config.latency.clone()),
            latency_draws: AtomicU64::new(0),
            faults,
            requests,
            pool: AddressPool::new(&config),
            quotas: Quotas::new(config.quotas.clone(), config.rates.clone()),
            handed: Handed::default(),
            tokens: Tokens::new(config.static_tokens.clone()),
            plane,
            config,
            clock,
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            state: Mutex::new(state),
            journal,
            changes: watch::Sender::new(0),
        });
        engine.set_list_lag(lag);
        engine
    }

    /// The state, for as long as the guard lives. A panic elsewhere does not make it unreadable: every change is made
    /// by one assignment.
    pub(crate) fn state(&self) -> Guard<'_> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Guard::new(state, self.journal.as_ref())
    }

    /// Returns when everything that was changed before the call will survive the process. Until then nothing may be
    /// answered that speaks of it.
    pub(crate) async fn settled(&self) -> Result<(), JournalFailed> {
        match &self.journal {
            Some(journal) => journal.settled().await,
            None => Ok(()),
        }
    }

    pub(crate) fn latency(&self) -> Latency {
        self.latency.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn with_latency<T>(&self, look: impl FnOnce(&Latency) -> T) -> T {
        look(&self.latency.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Forgets operations that ended too long ago.
    fn expire_operations(&self) {
        let age = SignedDuration::try_from(self.config.operation_retention).unwrap_or(SignedDuration::MAX);
        if let Ok(before) = self.clock.now().checked_sub(age) {
            self.state().operations.expire(before);
        }
    }

    pub(crate) fn set_latency(&self, latency: Latency) {
        *self.latency.lock().unwrap_or_else(PoisonError::into_inner) = latency;
    }

    /// How far lists lag behind.
    pub(crate) fn list_lag(&self) -> Duration {
        *self.list_lag.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets lists lag behind. Of what was changed before, nothing is known but how it stands now.
    pub(crate) fn set_list_lag(self: &Arc<Self>, lag: Duration) {
        *self.list_lag.lock().unwrap_or_else(PoisonError::into_inner) = lag;
        let engine = Arc::downgrade(self);
        let now = move || engine.upgrade().map_or(Timestamp::MAX, |engine| engine.clock.now());
        let lag = SignedDuration::try_from(lag).unwrap_or(SignedDuration::MAX);
        self.state().history.keep(lag, Box::new(now));
    }

    /// Tells those who wait for a state that it may have come.
    pub(crate) fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// A number that grows with every change.
    pub(crate) fn watch_changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Who operations say has asked.
    fn user(&self, context: &Context<'_>) -> String {
        context.caller.map_or_else(|| self.config.user.clone(), |caller| caller.account.clone())
    }

    /// What rules look at.
    pub(crate) fn world<'a>(&'a self, state: &'a State) -> World<'a> {
        World { state, config: &self.config, plane: &self.plane, pool: &self.pool, quotas: &self.quotas }
    }

    /// Where links of a version begin.
    pub(crate) fn base(&self, version: Version) -> String {
        format!("{}/{}/", self.config.link_base.trim_end_matches('/'), version.name())
    }

    /// Counts a call against the rate quotas of its project; a call that exceeds one is refused. Calls inside a batch
    /// come this way one by one.
    fn count(&self, call: &Call) -> Result<(), ApiError> {
        let project = call.project();
        let number = self.state().projects.get(project).map_or(0, |found| found.number);
        self.quotas.count(&call.method(), project, number, call.place(), self.clock.now())
    }

    async fn dispatch(self: &Arc<Self>, call: Call, context: &Context<'_>) -> Result<Reply, ApiError> {
        self.expire_operations();
        if let Call::Operation { path, what: OperationCall::Wait } = &call {
            return self.wait(path.clone(), context).await.map(Reply::ok);
        }
        if let Some((parameter, name)) = call.named() {
            name::check_in_path(parameter, name)?;
        }
        let mut state = self.state();
        let reply = match call {
            Call::Project { project } => Reply::ok(self.project(&state, &project, context)),
            Call::List { resource, project, scope } => {
                Reply::ok(self.list(&state, resource, &project, &scope, context)?)
            }
            Call::Aggregated { resource, project } => {
                Reply::ok(self.aggregated(&state, resource, &project, context)?)
            }
            Call::Get { resource, path } => Reply::ok(self.get(&state, resource, path, context)?),
            Call::Find { resource, mut path, lookup } => {
                let table = state.table(path.collection, &path.project, &path.scope);
                let found = table.and_then(|table| (lookup.find)(table, &path.name));
                path.name = found.ok_or_else(|| {
                    ApiError::not_found(&ResourcePath {
                        name: format!("{}/{}", lookup.word, path.name),
                        ..path.clone()
                    })
                })?;
                Reply::ok(self.get(&state, resource, path, context)?)
            }
            Call::Insert { resource, project, scope } => {
                Reply::ok(self.insert(&mut state, resource, &project, scope, context)?)
            }
            Call::Update { resource, path } => {
                Reply::ok(self.rewrite(&mut state, resource, path, Mode::Whole, context)?)
            }
            Call::Patch { resource, path } => {
                Reply::ok(self.rewrite(&mut state, resource, path, Mode::Patch, context)?)
            }
            Call::Delete { resource, path } => Reply::ok(self.delete(&mut state, resource, path, context)?),
            Call::Verb { resource, path, verb } => {
                Reply::ok(self.verb(&mut state, resource, path, verb, context)?)
            }
            Call::Collection { resource, project, scope, verb } => {
                Reply::ok(self.collection(&state, resource, &project, scope.as_ref(), verb, context)?)
            }
            Call::Operations { project, scope } => {
                Reply::ok(self.operations(&state, &project, &scope, context)?)
            }
            Call::AggregatedOperations { project } => {
                Reply::ok(self.aggregated_operations(&state, &project, context)?)
            }
            Call::Operation { path, what: OperationCall::Delete } => {
                let path = self.find_operation(&state, path)?;
                state.operations.remove(&path);
                Reply { status: StatusCode::NO_CONTENT, body: None }
            }
            Call::Operation { path, what: OperationCall::Get | OperationCall::Wait } => {
                Reply::ok(self.operation(&state, path, context)?)
            }
        };
        Ok(reply)
    }

    /// Makes sure that a project exists, and turns its number into its id.
    fn enter(&self, project: &mut String) -> Result<(), ApiError> {
        let mut state = self.state();
        if let Ok(number) = project.parse::<u64>() {
            let id = state.identities().project(number).map(str::to_owned);
            *project = id.ok_or_else(|| {
                ApiError::not_found_text(format!("The resource 'projects/{project}' was not found"))
            })?;
        }
        seed::ensure(&mut state, project, self.clock.now());
        Ok(())
    }

    /// Puts the name where a path gave the numeric id.
    fn name(state: &State, path: ResourcePath) -> ResourcePath {
        state.identities().canonical(path)
    }

    /// Refuses a region or zone that the project does not have.
    fn check_place(state: &State, project: &str, scope: &Scope) -> Result<(), ApiError> {
        let (collection, name, word) = match scope {
            Scope::Project | Scope::Global => return Ok(()),
            Scope::Region(name) => ("regions", name, "region"),
            Scope::Zone(name) => ("zones", name, "zone"),
        };
        let path = ResourcePath {
            project: project.to_owned(),
            scope: Scope::Project,
            collection,
            name: name.clone(),
        };
        match state.get(&path) {
            Some(_) => Ok(()),
            None => Err(ApiError::invalid(word, name, &format!("Unknown {word}."))),
        }
    }
}
