//! What people do by hand: in the cloud, and when a manifest cannot be served as it stands or waits for their word.

use std::collections::BTreeMap;

use gclb::load_balancer::ALLOW_OUTAGE;
use k8s_openapi::api::networking::v1::Ingress;
use serde_json::{Value, json};

use crate::api::{Api, Objects};
use crate::cloud::{CLUSTER_ID, Cloud, State};
use crate::objects::key;
use crate::world::World;

const GROUP: &str = "gclb.dev/group";
const RELEASE_ADDRESS: &str = "gclb.dev/release-address";

/// Descriptions that people have put into our resources, with those that were there.
#[derive(Debug, Default)]
pub(super) struct Unmarked(BTreeMap<String, (Value, Value)>);

/// Our resources, in order.
fn ours(cloud: &Cloud) -> Vec<(String, Value)> {
    let ours = |path: &String| path.contains("/gclb1-") && !cloud.foreign.contains_key(path);
    cloud.raw().into_iter().filter(|(path, _)| ours(path)).collect()
}

fn pick(cloud: &Cloud, which: usize, suits: impl Fn(&str) -> bool) -> Option<(String, Value)> {
    let mut suiting: Vec<_> = ours(cloud).into_iter().filter(|(path, _)| suits(path)).collect();
    let at = which.checked_rem(suiting.len())?;
    Some(suiting.swap_remove(at))
}

/// What people change in a resource of this kind.
fn edits_of(path: &str) -> Vec<Value> {
    let edits = [
        ("/healthChecks/", json!({"checkIntervalSec": 77})),
        ("/backendServices/", json!({"timeoutSec": 7})),
        ("/backendServices/", json!({"backends": []})),
        ("/urlMaps/", json!({"hostRules": [], "pathMatchers": []})),
        ("/firewalls/", json!({"allowed": [{"IPProtocol": "tcp", "ports": ["1"]}]})),
        ("/instanceGroups/", json!({"namedPorts": []})),
        ("/forwardingRules/", json!({"portRange": "8088-8088"})),
    ];
    edits.into_iter().filter(|(collection, _)| path.contains(collection)).map(|(_, edit)| edit).collect()
}

pub(super) async fn delete(cloud: &Cloud, which: usize) {
    if let Some((path, _)) = pick(cloud, which, |_| true) {
        cloud.delete_by_hand(&path).await;
    }
}

pub(super) async fn edit(cloud: &Cloud, which: usize, how: usize) {
    if let Some((path, _)) = pick(cloud, which, |path| !edits_of(path).is_empty()) {
        let mut edits = edits_of(&path);
        let edit = edits.swap_remove(how % edits.len());
        cloud.edit_by_hand(&path, edit).await;
    }
}

/// Nobody's, another cluster's, or held for something else.
pub(super) async fn unmark(cloud: &Cloud, unmarked: &mut Unmarked, which: usize, how: usize) {
    let Some((path, body)) = pick(cloud, which, |_| true) else { return };
    let descriptions = [
        json!("made by hand"),
        json!(json!({"gclb.dev/cluster": "99999999"}).to_string()),
        json!(
            json!({"gclb.dev/cluster": CLUSTER_ID, "gclb.dev/load-balancer": "ingress/default/else"})
                .to_string()
        ),
    ];
    let description = descriptions[how % descriptions.len()].clone();
    cloud.edit_by_hand(&path, json!({"description": description})).await;
    let before = body["description"].clone();
    let (_, now) = unmarked.0.entry(path).or_insert((before, Value::Null));
    *now = description;
}

impl Unmarked {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Describes them as they were, where they are still of use; and deletes them where they are not: nobody else knows of them.
    pub(super) async fn put_right(&mut self, cloud: &Cloud, wanted: &State) {
        let raw = cloud.raw();
        for (path, (before, now)) in std::mem::take(&mut self.0) {
            if raw.get(&path).is_none_or(|body| body["description"] != now) {
                continue;
            }
            if wanted.contains_key(&path) {
                cloud.edit_by_hand(&path, json!({"description": before})).await;
            } else {
                cloud.delete_by_hand(&path).await;
            }
        }
    }
}

fn annotation<'a>(ingress: &'a Ingress, key: &str) -> Option<&'a str> {
    ingress.metadata.annotations.as_ref()?.get(key).map(String::as_str)
}

/// Consents to losing the address that an Ingress had before it joined a group.
pub(super) fn release(world: &World, name: &str) {
    let objects = world.api.objects();
    let Some(ingress) = objects.ingresses.get(name) else { return };
    let mark = format!("ingress/{}\"", key(name));
    let held = |(path, body): &(String, Value)| {
        path.contains("/addresses/") && body["description"].as_str().is_some_and(|text| text.contains(&mark))
    };
    let address = ours(&world.cloud).into_iter().find(held);
    let address = address.and_then(|(_, body)| body["address"].as_str().map(str::to_owned));
    let Some(address) = address.filter(|_| annotation(ingress, GROUP).is_some()) else { return };
    if annotation(ingress, RELEASE_ADDRESS) != Some(&address) {
        world.api.annotate(name, RELEASE_ADDRESS, &address);
    }
}

/// Consents to the first outage that an Ingress was told of and that nobody has consented to.
pub(super) fn consent(api: &Api, name: &str) {
    let objects = api.objects();
    let Some(ingress) = objects.ingresses.get(name) else { return };
    let said = annotation(ingress, ALLOW_OUTAGE);
    let before = format!("annotation {ALLOW_OUTAGE}: \"");
    let told = api.told(name);
    let words = told.iter().filter_map(|told| Some(told.split_once(&before)?.1.split_once('"')?.0));
    if let Some(word) = words.into_iter().find(|word| Some(*word) != said) {
        api.annotate(name, ALLOW_OUTAGE, word);
    }
}

/// An Ingress that can be served: it asks for ports that its Services have, and for a group that can be.
pub(super) fn mend(ingress: &mut Ingress, objects: &Objects) {
    if let Some(annotations) = &mut ingress.metadata.annotations {
        annotations.retain(|key, value| key != GROUP || !value.contains(' '));
    }
    let namespace = ingress.metadata.namespace.clone().unwrap();
    let Some(spec) = &mut ingress.spec else { return };
    let of_rules = spec.rules.iter_mut().flatten().filter_map(|rule| rule.http.as_mut());
    let backends = spec
        .default_backend
        .iter_mut()
        .chain(of_rules.flat_map(|http| http.paths.iter_mut().map(|path| &mut path.backend)));
    for service in backends.filter_map(|backend| backend.service.as_mut()) {
        let called = match namespace.as_str() {
            "default" => service.name.clone(),
            namespace => format!("{namespace}/{}", service.name),
        };
        let ports = objects.services.get(&called).and_then(|found| found.spec.as_ref()?.ports.as_ref());
        if let (Some(port), Some(there)) = (&mut service.port, ports.and_then(|ports| ports.first())) {
            port.number = Some(there.port);
        }
    }
}
