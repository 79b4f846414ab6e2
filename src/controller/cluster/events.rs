//! Kubernetes Events about load balancers. What is so is said once, until it is no longer so; what was done is said when it was.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::networking::v1::Ingress;
use kube::Client;
use kube::runtime::events::{self, EventType, Recorder, Reporter};
use sha2::{Digest as _, Sha256};

use crate::controller::source::SourceError;
use crate::model::ObjectKey;
use crate::status::Event;

/// As what we appear in `kubectl describe`.
const REPORTER: &str = "gclb";

/// Says Events.
pub(super) struct Events {
    recorder: Recorder,
    said: Mutex<BTreeMap<ObjectKey, BTreeSet<Event>>>,
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

impl Events {
    pub(super) fn new(client: Client) -> Self {
        let reporter = Reporter { controller: REPORTER.to_owned(), instance: std::env::var("HOSTNAME").ok() };
        Self { recorder: Recorder::new(client, reporter), said: Mutex::default() }
    }

    /// Says all of `news`, and of `state` what is new in it. `known`: the object shows this state already, so whoever ran before us has
    /// said all of it.
    pub(super) async fn say(
        &self,
        key: &ObjectKey,
        ingress: &Ingress,
        state: &[Event],
        news: &[Event],
        known: bool,
    ) -> Result<(), SourceError> {
        let state: BTreeSet<Event> = state.iter().cloned().collect();
        let fresh: Vec<Event> = {
            let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
            let first = !said.contains_key(key);
            let before = said.insert(key.clone(), state.clone()).unwrap_or_default();
            if first && known { Vec::new() } else { state.difference(&before).cloned().collect() }
        };
        let about = reference(key, ingress);
        for event in news.iter().chain(&fresh) {
            if let Err(source) = self.recorder.publish(&event_of(event), &about).await {
                // They are tried again, all of them: better twice than never.
                self.forget(key);
                return Err(SourceError::Failed {
                    doing: "say an Event about",
                    object: format!("Ingress {key}"),
                    source: Box::new(source),
                });
            }
        }
        Ok(())
    }

    /// Whether this process has said anything about it.
    pub(super) fn has_said(&self, key: &ObjectKey) -> bool {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).contains_key(key)
    }

    /// Whatever is said of it next is new.
    pub(super) fn forget(&self, key: &ObjectKey) {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

fn reference(key: &ObjectKey, ingress: &Ingress) -> ObjectReference {
    ObjectReference {
        api_version: Some("networking.k8s.io/v1".to_owned()),
        kind: Some("Ingress".to_owned()),
        namespace: Some(key.namespace.clone()),
        name: Some(key.name.clone()),
        uid: ingress.metadata.uid.clone(),
        ..ObjectReference::default()
    }
}

fn event_of(event: &Event) -> events::Event {
    let Event { warning, reason, message } = event;
    events::Event {
        type_: if *warning { EventType::Warning } else { EventType::Normal },
        reason: reason.clone(),
        note: Some(message.clone()),
        // Events of the same action and reason are counted as one, whatever their text; so the action is the text's hash. People do
        // not see it.
        action: format!("{:x}", Sha256::digest(message.as_bytes()))[..16].to_owned(),
        secondary: None,
    }
}
