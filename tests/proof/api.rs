//! The API server, as far as the controller needs it: objects with versions, finalizers and deletion timestamps. It outlives every
//! process; a process knows it through stores of its own, filled by a list and kept by what follows, as by watches.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, Weak};

use gclb::controller::source::{KeyPair, NotReady, Source, SourceError};
use gclb::ingress::{FINALIZER, MEMBER_OF, STATUS, remembering};
use gclb::model::{
    CertificateFingerprint, Checkpoint, ClusterId, Held, LoadBalancerKey, ObjectKey, ResourceId,
};
use gclb::snapshot::stores::{Matters, Seen, Stores};
use gclb::snapshot::{Cluster, ReadinessProbes, Snapshot, certificate};
use gclb::status::{Event, Phase, Report};
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::{Ingress, IngressClass};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::json;
use tokio::sync::Notify;

use crate::cloud::CLUSTER_ID;
use crate::gate::Gate;
use crate::objects::{called, from, key};

/// Certificate and key; any text, since people put any text there.
pub(crate) type SecretText = (String, String);

/// Everything there is, by what it is [called].
#[derive(Debug, Clone, Default)]
pub(crate) struct Objects {
    pub(crate) classes: BTreeMap<String, IngressClass>,
    pub(crate) ingresses: BTreeMap<String, Ingress>,
    pub(crate) services: BTreeMap<String, core::Service>,
    pub(crate) slices: BTreeMap<String, EndpointSlice>,
    pub(crate) nodes: BTreeMap<String, core::Node>,
    pub(crate) secrets: BTreeMap<String, (u64, SecretText)>,
    /// Of members of groups, for the next process.
    checkpoints: BTreeMap<ResourceId, Checkpoint>,
    /// What each Ingress was last told in Events about its state.
    told: BTreeMap<String, Vec<String>>,
    version: u64,
}

/// The API server.
#[derive(Debug, Default)]
pub(crate) struct Api {
    objects: Mutex<Objects>,
    watchers: Mutex<Vec<Weak<Process>>>,
}

/// What happened to one object.
#[expect(clippy::large_enum_variant, reason = "there is one at a time")]
enum News {
    Class(Seen<IngressClass>),
    Ingress(Seen<Ingress>),
    Service(Seen<core::Service>),
    Slice(Seen<EndpointSlice>),
    Node(Seen<core::Node>),
    Secret(Seen<(ObjectKey, String)>),
}

impl Objects {
    fn stamp(&mut self, metadata: &mut ObjectMeta, before: Option<&ObjectMeta>) {
        self.version += 1;
        metadata.resource_version = Some(self.version.to_string());
        metadata.uid =
            before.map_or_else(|| Some(format!("uid-{}", self.version)), |before| before.uid.clone());
        metadata.creation_timestamp = before.map_or_else(
            || {
                Some(from(json!(format!(
                    "2026-01-01T00:{:02}:{:02}Z",
                    self.version / 60 % 60,
                    self.version % 60
                ))))
            },
            |before| before.creation_timestamp.clone(),
        );
    }
}

impl Api {
    pub(crate) fn with(objects: Objects) -> Arc<Self> {
        Arc::new(Self { objects: Mutex::new(objects), watchers: Mutex::default() })
    }

    pub(crate) fn objects(&self) -> Objects {
        self.objects.lock().unwrap().clone()
    }

    fn tell(&self, news: impl Fn() -> News) {
        let watchers = self.watchers.lock().unwrap().clone();
        for watcher in watchers.iter().filter_map(Weak::upgrade) {
            watcher.hear(self, news());
        }
    }

    pub(crate) fn put_class(&self, class: &IngressClass) {
        let name = class.metadata.name.clone().unwrap();
        self.objects.lock().unwrap().classes.insert(name, class.clone());
        self.tell(|| News::Class(Seen::Put(class.clone())));
    }

    pub(crate) fn remove_class(&self, name: &str) {
        let Some(class) = self.objects.lock().unwrap().classes.remove(name) else { return };
        self.tell(|| News::Class(Seen::Gone(class.clone())));
    }

    /// As `kubectl apply` does: what others wrote into the object stays.
    pub(crate) fn put_ingress(&self, mut ingress: Ingress) {
        let name = called(&ingress.metadata);
        let mut objects = self.objects.lock().unwrap();
        let before = objects.ingresses.get(&name).cloned();
        objects.stamp(&mut ingress.metadata, before.as_ref().map(|before| &before.metadata));
        if let Some(before) = before {
            // Not while it is on its way out.
            if before.metadata.deletion_timestamp.is_some() {
                return;
            }
            ingress.metadata.finalizers = before.metadata.finalizers;
            let mut annotations = before.metadata.annotations.unwrap_or_default();
            annotations.retain(|key, _| [STATUS, MEMBER_OF].contains(&key.as_str()));
            ingress.metadata.annotations.get_or_insert_default().extend(annotations);
            ingress.status = before.status;
        }
        objects.ingresses.insert(name, ingress.clone());
        drop(objects);
        self.tell(|| News::Ingress(Seen::Put(ingress.clone())));
    }

    /// As `kubectl annotate` does.
    pub(crate) fn annotate(&self, name: &str, key: &str, value: &str) {
        let mut objects = self.objects.lock().unwrap();
        let mut ingress = objects.ingresses[name].clone();
        let before = ingress.metadata.clone();
        objects.stamp(&mut ingress.metadata, Some(&before));
        ingress.metadata.annotations.get_or_insert_default().insert(key.to_owned(), value.to_owned());
        objects.ingresses.insert(name.to_owned(), ingress.clone());
        drop(objects);
        self.tell_of(&ingress);
    }

    /// What an Ingress was last told in Events about its state.
    pub(crate) fn told(&self, name: &str) -> Vec<String> {
        self.objects.lock().unwrap().told.get(name).cloned().unwrap_or_default()
    }

    /// What everybody was last told, for a person who looks for what went wrong.
    pub(crate) fn statuses(&self) -> Vec<String> {
        let said = |(name, ingress): (&String, &Ingress)| {
            let annotations = ingress.metadata.annotations.as_ref();
            let said: Vec<String> =
                annotations.into_iter().flatten().map(|(key, said)| format!("{key}: {said}")).collect();
            let going = ingress.metadata.deletion_timestamp.as_ref().map_or("", |_| " (going)");
            format!("{name}{going}: {}\n    {}", said.join("; "), self.told(name).join("\n    "))
        };
        self.objects().ingresses.iter().map(said).collect()
    }

    /// As `kubectl delete` does: the object stays while it has finalizers.
    pub(crate) fn delete_ingress(&self, name: &str) {
        let mut objects = self.objects.lock().unwrap();
        let Some(mut ingress) = objects.ingresses.get(name).cloned() else { return };
        let before = ingress.metadata.clone();
        objects.stamp(&mut ingress.metadata, Some(&before));
        ingress.metadata.deletion_timestamp = Some(from(json!("2026-06-01T00:00:00Z")));
        Self::keep_or_forget(&mut objects, ingress.clone());
        drop(objects);
        self.tell_of(&ingress);
    }

    /// An object that is to be deleted goes when its last finalizer has gone.
    fn keep_or_forget(objects: &mut Objects, ingress: Ingress) {
        let name = called(&ingress.metadata);
        if is_gone(&ingress) {
            objects.ingresses.remove(&name);
        } else {
            objects.ingresses.insert(name, ingress);
        }
    }

    fn tell_of(&self, ingress: &Ingress) {
        self.tell(|| {
            let ingress = ingress.clone();
            News::Ingress(if is_gone(&ingress) { Seen::Gone(ingress) } else { Seen::Put(ingress) })
        });
    }

    /// A controller's write to an Ingress. It is refused where somebody else wrote since `seen`.
    fn write(
        &self,
        seen: Option<&Ingress>,
        doing: &'static str,
        object: &ObjectKey,
        edit: impl FnOnce(&mut Ingress),
    ) -> Result<Ingress, SourceError> {
        let changed = || SourceError::Changed { doing, object: object.to_string() };
        let mut objects = self.objects.lock().unwrap();
        let before = objects.ingresses.get(&called_by(object)).cloned().ok_or_else(changed)?;
        let version = |ingress: &Ingress| ingress.metadata.resource_version.clone();
        if seen.is_some_and(|seen| version(seen) != version(&before)) {
            return Err(changed());
        }
        let mut ingress = before.clone();
        edit(&mut ingress);
        if ingress == before {
            return Ok(ingress);
        }
        objects.stamp(&mut ingress.metadata, Some(&before.metadata));
        Self::keep_or_forget(&mut objects, ingress.clone());
        drop(objects);
        self.tell_of(&ingress);
        Ok(ingress)
    }

    pub(crate) fn put_service(&self, service: &core::Service) {
        let name = called(&service.metadata);
        self.objects.lock().unwrap().services.insert(name, service.clone());
        self.tell(|| News::Service(Seen::Put(service.clone())));
    }

    pub(crate) fn remove_service(&self, name: &str) {
        let Some(service) = self.objects.lock().unwrap().services.remove(name) else { return };
        self.tell(|| News::Service(Seen::Gone(service.clone())));
    }

    pub(crate) fn put_slice(&self, slice: &EndpointSlice) {
        let name = called(&slice.metadata);
        self.objects.lock().unwrap().slices.insert(name, slice.clone());
        self.tell(|| News::Slice(Seen::Put(slice.clone())));
    }

    pub(crate) fn remove_slice(&self, name: &str) {
        let Some(slice) = self.objects.lock().unwrap().slices.remove(name) else { return };
        self.tell(|| News::Slice(Seen::Gone(slice.clone())));
    }

    pub(crate) fn put_node(&self, node: &core::Node) {
        let name = node.metadata.name.clone().unwrap();
        self.objects.lock().unwrap().nodes.insert(name, node.clone());
        self.tell(|| News::Node(Seen::Put(node.clone())));
    }

    pub(crate) fn remove_node(&self, name: &str) {
        let Some(node) = self.objects.lock().unwrap().nodes.remove(name) else { return };
        self.tell(|| News::Node(Seen::Gone(node.clone())));
    }

    pub(crate) fn put_secret(&self, name: &str, text: SecretText) {
        let mut objects = self.objects.lock().unwrap();
        objects.version += 1;
        let version = objects.version;
        objects.secrets.insert(name.to_owned(), (version, text));
        drop(objects);
        self.tell(|| News::Secret(Seen::Put((key(name), version.to_string()))));
    }

    pub(crate) fn remove_secret(&self, name: &str) {
        let Some((version, _)) = self.objects.lock().unwrap().secrets.remove(name) else { return };
        self.tell(|| News::Secret(Seen::Gone((key(name), version.to_string()))));
    }
}

fn is_gone(ingress: &Ingress) -> bool {
    ingress.metadata.deletion_timestamp.is_some()
        && ingress.metadata.finalizers.as_deref().unwrap_or_default().is_empty()
}

fn called_by(object: &ObjectKey) -> String {
    let ObjectKey { namespace, name } = object;
    called(&ObjectMeta {
        namespace: Some(namespace.clone()),
        name: Some(name.clone()),
        ..ObjectMeta::default()
    })
}

/// What one process knows of the API server.
#[derive(Debug)]
pub(crate) struct Process {
    api: Arc<Api>,
    gate: Arc<Gate>,
    stores: Mutex<Stores>,
    changed: Notify,
}

impl Process {
    /// Lists everything, and hears what follows.
    pub(crate) fn new(api: &Arc<Api>, gate: Arc<Gate>) -> Arc<Self> {
        let process = Arc::new(Self {
            api: Arc::clone(api),
            gate,
            stores: Mutex::new(Stores::new(false, ReadinessProbes::Ignored)),
            changed: Notify::new(),
        });
        let objects = api.objects();
        {
            let mut stores = process.stores.lock().unwrap();
            macro_rules! list {
                ($store:ident, $items:expr) => {{
                    let _ = stores.$store(Seen::Listing);
                    for item in $items {
                        let _ = stores.$store(Seen::Item(item));
                    }
                    let _ = stores.$store(Seen::Listed);
                }};
            }
            list!(class, objects.classes.into_values());
            list!(ingress, objects.ingresses.into_values());
            list!(service, objects.services.into_values());
            list!(slice, objects.slices.into_values());
            list!(node, objects.nodes.into_values());
            list!(
                secret,
                objects.secrets.iter().map(|(name, (version, _))| (key(name), version.to_string()))
            );
            stores.without_custom_resources();
            let _ = read_secrets(api, &mut stores);
        }
        api.watchers.lock().unwrap().push(Arc::downgrade(&process));
        process
    }

    fn hear(&self, api: &Api, news: News) {
        let mut stores = self.stores.lock().unwrap();
        let matters = match news {
            News::Class(seen) => stores.class(seen),
            News::Ingress(seen) => stores.ingress(seen),
            News::Service(seen) => stores.service(seen),
            News::Slice(seen) => stores.slice(seen),
            News::Node(seen) => stores.node(seen),
            News::Secret(seen) => stores.secret(seen),
        };
        let read = read_secrets(api, &mut stores);
        drop(stores);
        if matters != Matters::No || read == Matters::Yes {
            self.changed.notify_one();
        }
    }

    fn ingress(&self, object: &ObjectKey) -> Option<Arc<Ingress>> {
        self.stores.lock().unwrap().get_ingress(object)
    }

    /// The answer to a write of ours is newer than what the watch has shown, and no news to us.
    fn written(&self, ingress: &Ingress) {
        let seen = if is_gone(ingress) { Seen::Gone(ingress.clone()) } else { Seen::Put(ingress.clone()) };
        let _ = self.stores.lock().unwrap().ingress(seen);
    }
}

fn read_secrets(api: &Api, stores: &mut Stores) -> Matters {
    let mut matters = Matters::No;
    for unread in stores.unread() {
        let text = api.objects.lock().unwrap().secrets.get(&called_by(&unread.secret)).cloned();
        let Some((_, (chain, key))) = text else { continue };
        let read = certificate::read(Some(chain.as_bytes()), Some(key.as_bytes()));
        if stores.read(unread, read) == Matters::Yes {
            matters = Matters::Yes;
        }
    }
    matters
}

impl Source for Process {
    async fn changed(&self) {
        self.changed.notified().await;
    }

    fn snapshot(&self, held: Held) -> Result<Snapshot, NotReady> {
        let stores = self.stores.lock().unwrap();
        let missing = stores.missing();
        if !missing.is_empty() {
            return Err(NotReady { missing });
        }
        let cluster = Cluster::of(ClusterId::new(CLUSTER_ID).unwrap());
        Ok(stores.snapshot(cluster, jiff::Timestamp::now(), held))
    }

    async fn claim(
        &self,
        key: &ObjectKey,
        remembered: &BTreeSet<LoadBalancerKey>,
    ) -> Result<(), SourceError> {
        let gone = || SourceError::Changed { doing: "claim", object: key.to_string() };
        let seen = self.ingress(key).ok_or_else(gone)?;
        let wanted = remembering(remembered);
        let known = seen.metadata.annotations.as_ref().and_then(|all| all.get(MEMBER_OF));
        let is_claimed = seen.metadata.finalizers.iter().flatten().any(|finalizer| finalizer == FINALIZER);
        if is_claimed && known == wanted.as_ref() {
            return Ok(());
        }
        let write = async {
            self.api.write(Some(&seen), "claim", key, |ingress| {
                if !is_claimed {
                    ingress.metadata.finalizers.get_or_insert_default().push(FINALIZER.to_owned());
                }
                match &wanted {
                    Some(text) => {
                        let annotations = ingress.metadata.annotations.get_or_insert_default();
                        annotations.insert(MEMBER_OF.to_owned(), text.clone());
                    }
                    None => {
                        ingress.metadata.annotations.as_mut().and_then(|all| all.remove(MEMBER_OF));
                    }
                }
            })
        };
        let written = self.gate.pass(format!("claim {key}"), write).await?;
        self.written(&written);
        Ok(())
    }

    async fn release(&self, key: &ObjectKey) -> Result<(), SourceError> {
        let Some(seen) = self.ingress(key) else { return Ok(()) };
        let write = async {
            self.api.write(Some(&seen), "release", key, |ingress| {
                if let Some(finalizers) = &mut ingress.metadata.finalizers {
                    finalizers.retain(|finalizer| finalizer != FINALIZER);
                }
                if let Some(annotations) = &mut ingress.metadata.annotations {
                    annotations.remove(STATUS);
                    annotations.remove(MEMBER_OF);
                }
            })
        };
        let written = self.gate.pass(format!("release {key}"), write).await?;
        self.written(&written);
        Ok(())
    }

    async fn publish(&self, key: &ObjectKey, report: &Report, _: &[Event]) -> Result<(), SourceError> {
        let Some(seen) = self.ingress(key) else { return Ok(()) };
        let messages = report.events.iter().map(|event| event.message.clone()).collect();
        self.api.objects.lock().unwrap().told.insert(called_by(key), messages);
        let told = tell(&seen, report);
        if told == *seen {
            return Ok(());
        }
        let write = async {
            self.api.write(None, "write the status of", key, |ingress| {
                ingress.status.clone_from(&told.status);
                let summary =
                    told.metadata.annotations.as_ref().and_then(|annotations| annotations.get(STATUS));
                if let Some(summary) = summary {
                    let annotations = ingress.metadata.annotations.get_or_insert_default();
                    annotations.insert(STATUS.to_owned(), summary.clone());
                }
            })
        };
        let written = self.gate.pass(format!("publish {key}"), write).await?;
        self.written(&written);
        Ok(())
    }

    async fn checkpoints(&self) -> Result<BTreeMap<ResourceId, Checkpoint>, SourceError> {
        // Dying here is dying before the first call.
        Ok(self.api.objects.lock().unwrap().checkpoints.clone())
    }

    async fn keep_checkpoints(
        &self,
        checkpoints: &BTreeMap<ResourceId, Option<Checkpoint>>,
    ) -> Result<(), SourceError> {
        let write = async {
            let mut objects = self.api.objects.lock().unwrap();
            for (id, checkpoint) in checkpoints {
                match checkpoint {
                    Some(checkpoint) => objects.checkpoints.insert(id.clone(), *checkpoint),
                    None => objects.checkpoints.remove(id),
                };
            }
        };
        self.gate.pass("keep checkpoints".to_owned(), write).await;
        Ok(())
    }

    async fn key_pair(
        &self,
        secret: &ObjectKey,
        fingerprint: &CertificateFingerprint,
    ) -> Result<KeyPair, SourceError> {
        let changed = || SourceError::Changed { doing: "read the key of", object: secret.to_string() };
        let read = async { self.api.objects.lock().unwrap().secrets.get(&called_by(secret)).cloned() };
        let (_, (chain, key)) = self.gate.pass(format!("read {secret}"), read).await.ok_or_else(changed)?;
        KeyPair::of(Some(chain.as_bytes()), Some(key.as_bytes()), fingerprint)
            .map_err(|_| changed())?
            .ok_or_else(changed)
    }
}

/// The Ingress with the report in it.
fn tell(ingress: &Ingress, report: &Report) -> Ingress {
    let mut ingress = ingress.clone();
    let points = match report.address {
        Some(address) => Some(vec![json!({"ip": address.to_string()})]),
        None if report.summary.phase == Phase::Deleting => Some(Vec::new()),
        None => None,
    };
    if let Some(points) = points {
        ingress.status = from(json!({"loadBalancer": {"ingress": points}}));
    }
    let summary = serde_json::to_string(&report.summary).unwrap();
    ingress.metadata.annotations.get_or_insert_default().insert(STATUS.to_owned(), summary);
    ingress
}

/// The address that an Ingress shows.
pub(crate) fn address_of(ingress: &Ingress) -> Option<String> {
    let points = ingress.status.as_ref()?.load_balancer.as_ref()?.ingress.as_ref()?;
    points.first()?.ip.clone()
}
