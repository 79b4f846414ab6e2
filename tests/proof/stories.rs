//! The life of a representative load balancer, in stories that each begin where the one before has ended: HTTPS with a redirect, two
//! hosts, one backend at node ports and one at pods.

use std::sync::OnceLock;

use serde_json::json;

use crate::api::Api;
use crate::cloud::{NODES, State};
use crate::fault_matrix::kinds;
use crate::gate::Gate;
use crate::objects::{Reached, Readiness, backend, class, ingress, key_pair, node, rule, service, slice};
use crate::world::{Beginning, World};

const NAME: &str = "main";

/// What somebody does to the manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Story {
    /// The Ingress is made.
    Create,
    /// Another path, and another backend behind one that was there.
    Rules,
    /// A Service's port has another number, and the Ingress follows.
    Port,
    /// Pods come and go.
    Pods,
    /// A Service moves from node ports to pods.
    Switch,
    /// The certificate is renewed.
    Rotate,
    /// The Ingress is deleted.
    Delete,
}

pub(crate) const STORIES: [Story; 7] =
    [Story::Create, Story::Rules, Story::Port, Story::Pods, Story::Switch, Story::Rotate, Story::Delete];

/// A story as it goes when nothing disturbs it.
#[derive(Debug)]
pub(crate) struct Undisturbed {
    pub(crate) story: Story,
    pub(crate) beginning: Beginning,
    /// Every call that the controller makes, from its start until it is done.
    pub(crate) calls: Vec<String>,
    /// How many of its calls each of [`kinds`] of fault can befall.
    pub(crate) befallable: Vec<u64>,
    /// What the cloud holds in the end.
    pub(crate) end: State,
}

fn main_ingress(api: &Api, web_port: u16, api_path: &str, api_service: &str) {
    let spec = json!({
        "tls": [{"secretName": "tls"}],
        "defaultBackend": backend("web", web_port),
        "rules": [
            rule("a.example.com", &[("/", "web", web_port)]),
            rule("b.example.com", &[(api_path, api_service, 8080), ("/", "web", web_port)]),
        ],
    });
    api.put_ingress(ingress(NAME, &json!({}), &spec));
}

impl Story {
    /// What is there before the first story.
    fn setting(api: &Api) {
        api.put_class(&class());
        for name in &NODES[..2] {
            api.put_node(&node(name, Readiness::Ready));
        }
        api.put_service(&service("web", 80, 30_080, Reached::AtNodes));
        api.put_slice(&slice("web", &[10, 266]));
        api.put_service(&service("api", 8080, 0, Reached::AtPods));
        api.put_slice(&slice("api", &[1, 2, 257]));
        let (chain, key) = key_pair(0);
        api.put_secret("tls", (chain.clone(), key.clone()));
    }

    /// Does it.
    pub(crate) fn edit(self, api: &Api) {
        match self {
            Self::Create => main_ingress(api, 80, "/api", "api"),
            Self::Rules => main_ingress(api, 80, "/v2", "api"),
            Self::Port => {
                api.put_service(&service("web", 81, 30_081, Reached::AtNodes));
                main_ingress(api, 81, "/v2", "api");
            }
            Self::Pods => api.put_slice(&slice("api", &[2, 3, 258])),
            Self::Switch => api.put_service(&service("web", 81, 30_081, Reached::AtPods)),
            Self::Rotate => {
                let (chain, key) = key_pair(1);
                api.put_secret("tls", (chain.clone(), key.clone()));
            }
            Self::Delete => api.delete_ingress(NAME),
        }
    }

    /// Whether there is a load balancer in the end.
    fn serves(self) -> bool {
        self != Self::Delete
    }
}

/// Every story, told once and undisturbed.
async fn undisturbed() -> Vec<Undisturbed> {
    let world = World::new().await;
    Story::setting(&world.api);
    let mut told = Vec::new();
    for story in STORIES {
        let beginning = world.save().await;
        story.edit(&world.api);
        count_what_can_be_befallen(&world);
        let mut controller = world.start(None);
        // What is right is what the controller stops at by itself; that it is, other tests look at.
        let done = || {
            let state = world.cloud.state();
            let exists = state.keys().any(|path| path.contains("/forwardingRules/"));
            (exists != story.serves())
                .then(|| "no forwarding rule".to_owned())
                .or_else(|| world.unpublished())
        };
        world.until(&mut controller, done).await;
        let befallable = counted(&world);
        // Health comes to be known in this time.
        tokio::time::sleep(std::time::Duration::from_mins(2)).await;
        let calls = until_last_write(&controller.gate);
        let end = world.cloud.state();
        world.assert_at_rest(&controller, &end).await;
        controller.stop().await;
        told.push(Undisturbed { story, beginning, calls, befallable, end });
    }
    assert!(
        told.last().is_some_and(|last| last.end.is_empty()),
        "deleting leaves something: {:#?}",
        told.last()
    );
    world.end().await;
    told
}

/// Rules that never hit count what they could have hit.
fn count_what_can_be_befallen(world: &World) {
    for kind in kinds() {
        let rule = json!({"nth": u64::MAX, "fault": kind});
        world.cloud.emulator.add_fault(serde_json::from_value(rule).unwrap()).unwrap();
    }
}

fn counted(world: &World) -> Vec<u64> {
    let faults = world.cloud.emulator.faults();
    let counted =
        faults.as_array().into_iter().flatten().filter_map(|rule| rule["matched"].as_u64()).collect();
    world.cloud.emulator.clear_faults();
    counted
}

/// Everything up to the last call that changed anything anywhere, and a few more.
fn until_last_write(gate: &Gate) -> Vec<String> {
    const MORE: usize = 4;
    let mut calls = gate.calls();
    let last = calls.iter().rposition(|call| crate::gate::is_write(call) || !call.contains(" /compute/"));
    calls.truncate(last.map_or(0, |last| last + 1 + MORE));
    calls
}

/// A story as it goes. Told once in a process.
pub(crate) fn told(story: Story) -> &'static Undisturbed {
    static TOLD: OnceLock<Vec<Undisturbed>> = OnceLock::new();
    let told = TOLD.get_or_init(|| crate::spread::in_virtual_time(undisturbed()));
    told.iter().find(|told| told.story == story).expect("every story is told")
}
