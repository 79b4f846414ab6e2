//! Changes on their way: every mutation answers with an operation, and is done only when that is.

use gce_api::{Link, Resource, Scope};
use tokio::time::Instant;

use crate::request::Call;
use crate::{Client, Error, Refusal};

/// A change that the API has accepted. Hand it to [`Client::wait`].
#[derive(Clone, Debug, PartialEq)]
#[must_use = "the change is not done, and may yet fail, until the operation is waited for"]
pub struct Operation {
    name: String,
    scope: Scope,
    verb: &'static str,
    resource: String,
    wire: Box<gce_api::Operation>,
}

/// How an accepted change ended, short of failing.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a lost operation says nothing about the change"]
pub enum Completion {
    /// It is done. Holds the operation as the API reported it last, warnings included.
    Done(Box<gce_api::Operation>),
    /// The API does not know the operation any more. Whether the change was made is unknown: read the target again.
    Lost(Operation),
}

impl Operation {
    /// The operation in the answer to a change that was asked for in `scope`.
    pub(crate) fn started(
        wire: gce_api::Operation,
        scope: Scope,
        verb: &'static str,
        resource: String,
    ) -> Result<Self, Error> {
        match wire.name.clone() {
            Some(name) if !name.is_empty() => Ok(Self { name, scope, verb, resource, wire: Box::new(wire) }),
            Some(_) | None => {
                Err(Error::Unexpected { verb, resource, problem: "is not an operation: it has no name" })
            }
        }
    }

    /// An operation found in a list: another process, or this one before a restart, has started it.
    pub fn found(wire: gce_api::Operation) -> Result<Self, Error> {
        let of = |link: &Option<String>| link.as_deref().map(|link| Link::name_of(link).to_owned());
        let scope = match (of(&wire.zone), of(&wire.region)) {
            (Some(zone), _) => Scope::Zone(zone),
            (None, Some(region)) => Scope::Region(region),
            (None, None) => wire
                .self_link
                .as_deref()
                .and_then(|link| link.parse::<Link>().ok())
                .map_or(Scope::Global, |link| link.scope),
        };
        let resource = wire.target_link.clone().unwrap_or_else(|| "an unnamed resource".to_owned());
        Self::started(wire, scope, "wait for the change of", resource)
    }

    /// The name, unique in project and scope.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it runs: where its target is.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The URL of the resource that is changed.
    #[must_use]
    pub fn target_link(&self) -> Option<&str> {
        self.wire.target_link.as_deref()
    }

    /// The numeric id of the resource that is changed.
    #[must_use]
    pub fn target_id(&self) -> Option<u64> {
        self.wire.target_id.as_ref().and_then(gce_api::Uint64::get)
    }

    /// Whether it has ended, well or not.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.wire.status.as_deref() == Some("DONE")
    }

    /// The operation as the API reported it last.
    #[must_use]
    pub fn wire(&self) -> &gce_api::Operation {
        &self.wire
    }

    fn finish(self) -> Result<Completion, Error> {
        match Refusal::of_operation(&self.wire) {
            None => Ok(Completion::Done(self.wire)),
            Some(refusal) => Err(Error::OperationFailed {
                verb: self.verb,
                resource: self.resource,
                operation: self.name,
                refusal: Box::new(refusal),
            }),
        }
    }
}

impl Client {
    /// Waits until an accepted change is done.
    ///
    /// The API is asked to answer when it is (it does so after two minutes at the latest), and asked again until then:
    /// never more often than once per [`Timeouts::wait_floor`](crate::Timeouts), for at most
    /// [`Timeouts::operation`](crate::Timeouts) or until this client's deadline. After that the error is
    /// [`Error::StillRunning`]; a change that failed is [`Error::OperationFailed`]. Any other error is about the waiting,
    /// not about the change: keep a clone of the operation to wait for it again.
    pub async fn wait(&self, operation: Operation) -> Result<Completion, Error> {
        let mut operation = operation;
        let timeouts = self.shared.timeouts;
        let started = Instant::now();
        let until = self.until(started + timeouts.operation);
        loop {
            if operation.is_done() {
                return operation.finish();
            }
            let asked = Instant::now();
            let call = Call::ask(
                "wait",
                gce_api::Operation::COLLECTION,
                format!("operation {} ({} {})", operation.name, operation.verb, operation.resource),
                operation.wait_path(self.project()),
            )
            .timeout(timeouts.wait);
            match until.call::<gce_api::Operation>(call).await {
                Ok(wire) => *operation.wire = wire,
                Err(error) if error.is_not_found() => return Ok(Completion::Lost(operation)),
                Err(error) if until.remaining().is_some_and(|left| left.is_zero()) => {
                    tracing::debug!(operation = operation.name, %error, "gave up waiting");
                    return Err(operation.still_running(started));
                }
                Err(error) => return Err(error),
            }
            if !operation.is_done() {
                if until.remaining().is_some_and(|left| left <= timeouts.wait_floor) {
                    return Err(operation.still_running(started));
                }
                tokio::time::sleep_until(asked + timeouts.wait_floor).await;
            }
        }
    }
}

impl Operation {
    fn wait_path(&self, project: &str) -> Vec<String> {
        let scope = self.scope.to_string();
        ["projects", project]
            .into_iter()
            .chain(scope.split('/'))
            .chain(["operations", &self.name, "wait"])
            .map(str::to_owned)
            .collect()
    }

    fn still_running(self, started: Instant) -> Error {
        Error::StillRunning {
            verb: self.verb,
            resource: self.resource,
            operation: self.name,
            after: started.elapsed(),
        }
    }
}
