//! A folder of manifests as a source: the folder is the truth, as an API server would be.
//!
//! The folder is read when it is opened and again whenever something in it is edited. It behaves as a cluster does where that matters:
//! an Ingress that was claimed and whose manifest is removed stays, with a deletion timestamp, until it is released; one that was not
//! claimed is simply gone. A file that can no longer be read or understood takes nothing away: its last good objects stay, and the
//! diagnostic says so.
//!
//! Nothing is ever written to the folder. What is reported of a load balancer is kept in memory, for whoever shows it ([`View`]).

mod files;
mod once;
mod watch;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use k8s_openapi::api::networking::v1::Ingress;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use tokio::sync::{Notify, watch as channel};

use self::files::Files;
pub use self::once::{INPUT_STREAM, read};
use super::source::{KeyPair, NotReady, Source, SourceError};
use crate::ingress::{self, FINALIZER, MEMBER_OF};
use crate::model::{CertificateFingerprint, Held, LoadBalancerKey, ObjectKey};
use crate::snapshot::manifests::{Diagnostic, Manifests, ObjectId, Supplies, World};
use crate::snapshot::{Cluster, Snapshot};
use crate::status::{Event, Report};

/// How many happenings are kept for a reader that is slow.
const MOST_HAPPENINGS: usize = 1000;

/// The folder cannot be used at all.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum FolderError {
    /// It cannot be listed or read.
    #[error("reading manifests from {}", path.display())]
    #[diagnostic(help("name folders or files that exist, for example deploy/examples/walkthrough"))]
    Read {
        /// The folder or file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// Edits cannot be noticed.
    #[error("watching {} for edits", path.display())]
    #[diagnostic(help(
        "where the system's limit of watches is reached, raise fs.inotify.max_user_watches or max_user_instances"
    ))]
    Watch {
        /// The folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: notify::Error,
    },
}

/// Manifests on disk, as the input of the controller.
pub struct FolderSource {
    shared: Arc<Shared>,
    /// Watching ends when this is dropped.
    _watch: watch::Watch,
}

struct Shared {
    cluster: Cluster,
    supplies: Supplies,
    state: Mutex<State>,
    /// For the controller: the input may have changed.
    input: Notify,
    /// For displays: anything may have changed.
    anything: channel::Sender<u64>,
}

struct State {
    files: Files,
    manifests: Arc<Manifests>,
    world: Arc<World>,
    /// When each Ingress was first seen.
    created: BTreeMap<ObjectKey, Timestamp>,
    /// Ingresses that may not vanish unseen, with the shared load balancers that they remember.
    claimed: BTreeMap<ObjectKey, BTreeSet<LoadBalancerKey>>,
    /// Ingresses whose manifest is gone and whose load balancer may not be, as they last were.
    deleting: BTreeMap<ObjectKey, (Arc<Ingress>, Timestamp)>,
    reports: BTreeMap<ObjectKey, Report>,
    happenings: Vec<Happening>,
    /// The number of the first happening that is still kept.
    first: usize,
}

/// Something that happened, in the order in which it did.
#[derive(Debug, Clone)]
pub enum Happening {
    /// An object is there that was not.
    Added(ObjectId),
    /// An object says something else.
    Changed(ObjectId),
    /// An object is not there any more.
    Removed(ObjectId),
    /// Something is wrong with a manifest.
    Wrong(Diagnostic),
    /// What was wrong with this file is put right.
    Righted(String),
    /// Something was said about an Ingress.
    Said(ObjectKey, Event),
}

/// How everything stands, for display.
#[derive(Debug, Clone)]
pub struct View {
    /// Every Ingress, of every class.
    pub ingresses: Vec<IngressView>,
    /// What is wrong with the manifests.
    pub diagnostics: Vec<Diagnostic>,
    /// The objects of the folder, with their places in it.
    pub manifests: Arc<Manifests>,
    /// Everything that the folder and what is supplied to it amounts to.
    pub world: Arc<World>,
    /// What happened since the number that was asked for.
    pub happenings: Vec<Happening>,
    /// The number to ask for next.
    pub next: usize,
}

/// One Ingress, for display.
#[derive(Debug, Clone)]
pub struct IngressView {
    /// Its name.
    pub key: ObjectKey,
    /// What it says.
    pub ingress: Arc<Ingress>,
    /// Whether its manifest is gone and its load balancer not yet.
    pub deleting: bool,
    /// What was last reported of it.
    pub report: Option<Report>,
}

impl FolderSource {
    /// Reads folders and files, and watches them from now on. In a folder every `.yaml`, `.yml` and `.json` file counts; folders
    /// within it do not, as with `kubectl apply -f`.
    ///
    /// # Errors
    /// When a path cannot be read at all. A manifest that is wrong is not an error but a diagnostic.
    pub fn open(paths: &[PathBuf], cluster: Cluster, supplies: Supplies) -> Result<Self, FolderError> {
        let mut files = Files::new(paths);
        files.read_first()?;
        let manifests = files.manifests();
        let world = Arc::new(manifests.world(&supplies));
        let mut state = State {
            files,
            manifests: Arc::default(),
            world: Arc::default(),
            created: BTreeMap::new(),
            claimed: BTreeMap::new(),
            deleting: BTreeMap::new(),
            reports: BTreeMap::new(),
            happenings: Vec::new(),
            first: 0,
        };
        state.replace(manifests, world, Timestamp::now());
        let shared = Arc::new(Shared {
            cluster,
            supplies,
            state: Mutex::new(state),
            input: Notify::new(),
            anything: channel::channel(0).0,
        });
        let again = Arc::clone(&shared);
        let watch = watch::Watch::start(paths, move || again.read_again())?;
        // Whatever was edited between the first reading and the first watch.
        shared.read_again();
        Ok(Self { shared, _watch: watch })
    }

    /// How everything stands, with the happenings from number `since` on.
    #[must_use]
    pub fn view(&self, since: usize) -> View {
        let state = self.shared.state();
        let present = state.world.ingresses.iter().filter(|(key, _)| !state.deleting.contains_key(*key));
        let mut ingresses: Vec<IngressView> = present
            .map(|(key, _)| (key, false))
            .chain(state.deleting.keys().map(|key| (key, true)))
            .filter_map(|(key, deleting)| {
                let ingress = state.ingress(key)?;
                Some(IngressView {
                    key: key.clone(),
                    ingress,
                    deleting,
                    report: state.reports.get(key).cloned(),
                })
            })
            .collect();
        ingresses.sort_by(|a, b| a.key.cmp(&b.key));
        View {
            ingresses,
            diagnostics: state.diagnostics(),
            manifests: Arc::clone(&state.manifests),
            world: Arc::clone(&state.world),
            happenings: state.happenings.iter().skip(since.saturating_sub(state.first)).cloned().collect(),
            next: state.first + state.happenings.len(),
        }
    }

    /// Changes whenever a [`View`] may have.
    #[must_use]
    pub fn watch(&self) -> channel::Receiver<u64> {
        self.shared.anything.subscribe()
    }
}

impl Shared {
    /// A panic while the lock was held left whole values behind: every change is one assignment or one insertion.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self) {
        self.anything.send_modify(|version| *version += 1);
    }

    fn read_again(&self) {
        let mut state = self.state();
        if !state.files.read_again() {
            return;
        }
        let manifests = state.files.manifests();
        let world = Arc::new(manifests.world(&self.supplies));
        state.replace(manifests, world, Timestamp::now());
        drop(state);
        self.input.notify_one();
        self.show();
    }
}

impl State {
    /// Takes a new reading of the folder.
    fn replace(&mut self, manifests: Manifests, world: Arc<World>, now: Timestamp) {
        let before = std::mem::replace(&mut self.manifests, Arc::new(manifests));
        let world_before = std::mem::replace(&mut self.world, world);
        let (old, new) = (&before.objects, &self.manifests.objects);
        let mut happenings = Vec::new();
        for (id, object) in new {
            match old.get(id) {
                None => happenings.push(Happening::Added(id.clone())),
                Some(known) if known.content != object.content => {
                    happenings.push(Happening::Changed(id.clone()));
                }
                Some(_) => {}
            }
        }
        happenings.extend(old.keys().filter(|id| !new.contains_key(*id)).cloned().map(Happening::Removed));
        let was: Vec<_> = before.diagnostics.iter().chain(&world_before.diagnostics).collect();
        let is = self.diagnostics();
        let known: BTreeSet<String> = was.iter().map(|diagnostic| diagnostic.one_line()).collect();
        let wrong: BTreeSet<&str> = is.iter().map(|diagnostic| diagnostic.file.as_str()).collect();
        let righted: BTreeSet<&String> = was
            .iter()
            .map(|diagnostic| &diagnostic.file)
            .filter(|file| !wrong.contains(file.as_str()))
            .collect();
        happenings.extend(righted.into_iter().cloned().map(Happening::Righted));
        let new_ones = is.iter().filter(|diagnostic| !known.contains(&diagnostic.one_line()));
        happenings.extend(new_ones.cloned().map(Happening::Wrong));
        for happening in happenings {
            self.note(happening);
        }
        self.keep_claimed(&world_before, now);
    }

    /// Ingresses that are gone: the claimed ones begin to be deleted, the others are forgotten.
    fn keep_claimed(&mut self, before: &World, now: Timestamp) {
        for key in self.world.ingresses.keys() {
            self.created.entry(key.clone()).or_insert(now);
        }
        for (key, ingress) in &before.ingresses {
            if self.world.ingresses.contains_key(key) || self.deleting.contains_key(key) {
                continue;
            }
            if self.claimed.contains_key(key) {
                self.deleting.insert(key.clone(), (Arc::clone(ingress), now));
            } else {
                self.forget(key);
            }
        }
    }

    fn forget(&mut self, key: &ObjectKey) {
        self.created.remove(key);
        self.claimed.remove(key);
        self.deleting.remove(key);
        self.reports.remove(key);
    }

    /// An Ingress as an API server would show it now.
    fn ingress(&self, key: &ObjectKey) -> Option<Arc<Ingress>> {
        let (mut ingress, deleted) = match self.deleting.get(key) {
            Some((ingress, deleted)) => (Ingress::clone(ingress), Some(*deleted)),
            None => (Ingress::clone(self.world.ingresses.get(key)?), None),
        };
        ingress.metadata.creation_timestamp = self.created.get(key).copied().map(Time);
        ingress.metadata.deletion_timestamp = deleted.map(Time);
        let claimed = self.claimed.get(key);
        ingress.metadata.finalizers = claimed.map(|_| vec![FINALIZER.to_owned()]);
        match claimed.and_then(ingress::remembering) {
            Some(text) => {
                let annotations = ingress.metadata.annotations.get_or_insert_default();
                annotations.insert(MEMBER_OF.to_owned(), text);
            }
            None => {
                // A folder cannot remember anything by itself.
                ingress.metadata.annotations.as_mut().and_then(|annotations| annotations.remove(MEMBER_OF));
            }
        }
        Some(Arc::new(ingress))
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        self.manifests.diagnostics.iter().chain(&self.world.diagnostics).cloned().collect()
    }

    fn note(&mut self, happening: Happening) {
        self.happenings.push(happening);
        let surplus = self.happenings.len().saturating_sub(MOST_HAPPENINGS);
        self.happenings.drain(..surplus);
        self.first += surplus;
    }
}

impl Source for FolderSource {
    async fn changed(&self) {
        self.shared.input.notified().await;
    }

    fn snapshot(&self, held: Held) -> Result<Snapshot, NotReady> {
        let state = self.shared.state();
        let mut snapshot = state.world.snapshot(self.shared.cluster.clone(), Timestamp::now(), held);
        let keys: BTreeSet<ObjectKey> =
            snapshot.ingresses.keys().chain(state.deleting.keys()).cloned().collect();
        snapshot.ingresses =
            keys.into_iter().filter_map(|key| state.ingress(&key).map(|ingress| (key, ingress))).collect();
        Ok(snapshot)
    }

    async fn claim(
        &self,
        object: &ObjectKey,
        remembered: &BTreeSet<LoadBalancerKey>,
    ) -> Result<(), SourceError> {
        let mut state = self.shared.state();
        if state.world.ingresses.contains_key(object) && !state.deleting.contains_key(object) {
            state.claimed.insert(object.clone(), remembered.clone());
            return Ok(());
        }
        Err(SourceError::Changed { doing: "claiming", object: format!("Ingress {object}") })
    }

    async fn release(&self, object: &ObjectKey) -> Result<(), SourceError> {
        let mut state = self.shared.state();
        if state.deleting.contains_key(object) {
            state.forget(object);
            // The manifest may be back by now: then this is a new object with the old name.
            if state.world.ingresses.contains_key(object) {
                state.created.insert(object.clone(), Timestamp::now());
            }
        } else {
            state.claimed.remove(object);
            state.reports.remove(object);
        }
        drop(state);
        self.shared.input.notify_one();
        self.shared.show();
        Ok(())
    }

    async fn publish(&self, object: &ObjectKey, report: &Report, news: &[Event]) -> Result<(), SourceError> {
        let mut state = self.shared.state();
        let known = state.reports.get(object).map(|known| known.events.clone()).unwrap_or_default();
        let fresh = report.events.iter().filter(|event| !known.contains(event));
        for event in news.iter().chain(fresh) {
            state.note(Happening::Said(object.clone(), event.clone()));
        }
        if state.world.ingresses.contains_key(object) || state.deleting.contains_key(object) {
            state.reports.insert(object.clone(), report.clone());
        }
        drop(state);
        self.shared.show();
        Ok(())
    }

    async fn key_pair(
        &self,
        secret: &ObjectKey,
        fingerprint: &CertificateFingerprint,
    ) -> Result<KeyPair, SourceError> {
        let world = Arc::clone(&self.shared.state().world);
        key_pair(&world, secret, fingerprint)
    }
}

impl std::fmt::Debug for FolderSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FolderSource").field("cluster", &self.shared.cluster).finish_non_exhaustive()
    }
}

/// The certificate and key of a Secret of a folder, for the upload.
///
/// # Errors
/// When the Secret is not there, or holds another certificate.
pub fn key_pair(
    world: &World,
    secret: &ObjectKey,
    fingerprint: &CertificateFingerprint,
) -> Result<KeyPair, SourceError> {
    const DOING: &str = "reading the key pair of Secret";
    let changed = || SourceError::Changed { doing: DOING, object: secret.to_string() };
    let found = world.secrets.get(secret).ok_or_else(changed)?;
    KeyPair::of(found.get("tls.crt"), found.get("tls.key"), fingerprint)
        .map_err(|source| SourceError::Failed {
            doing: DOING,
            object: secret.to_string(),
            source: Box::new(source),
        })?
        .ok_or_else(changed)
}

/// Whether a file in a folder is taken for a manifest.
fn is_manifest(path: &Path) -> bool {
    let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    !hidden && matches!(extension, "yaml" | "yml" | "json")
}
