//! The controller dies, or another one takes over, in the middle of changes.

use controlplane::prerequisite::or_skip;
use controlplane::process::Process;
use controlplane::wait::eventually;
use controlplane::{Kubectl, World};
use std::time::Duration;

use super::crowd::{Ask, Crowd};
use super::{TURNS, lasting, ready, slow_cloud};
use crate::manifests::Reach;
use crate::visitor::Visitor;
use crate::{gclb, ingresses};

/// The same load balancer, led to one Deployment or the other, with so many hosts beside.
fn ingress(deployment: &str, hosts: usize) -> String {
    let rule = |host: usize| {
        format!(
            "  - host: h{host}.example
    http: {{ paths: [ {{ path: /, pathType: Prefix, backend: {{ service: {{ name: third, port: {{ number: 80 }} }} }} }} ] }}"
        )
    };
    let rules = (0..hosts).map(rule).collect::<Vec<_>>().join("\n");
    format!(
        "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{ name: web }}
spec:
  rules:
  - host: any.example
    http: {{ paths: [ {{ path: /, pathType: Prefix, backend: {{ service: {{ name: {deployment}, port: {{ number: 80 }} }} }} }} ] }}
{rules}"
    )
}

fn backends() -> String {
    ["first", "second", "third"].iter().map(|name| lasting(name, 2, Reach::Pods)).collect()
}

async fn begin(kubectl: &Kubectl) -> (Visitor, Crowd) {
    kubectl.apply(&(backends() + &ingress("first", 0))).await.unwrap();
    let visitor = ingresses::address(kubectl, "web").await;
    ready(kubectl, "web").await;
    let crowd = Crowd::gather(&visitor, vec![Ask::page("http://any.example/", &["first", "second"])]).await;
    (visitor, crowd)
}

/// Waits until the cloud has been asked for a change since so many requests.
async fn a_change_is_under_way(world: &World) {
    eventually("a change to be under way", || async {
        let path = "/compute/v1/projects/demo/global/operations?filter=status%20%3D%20RUNNING";
        let answer = world.emulator().ask(reqwest::Method::GET, path, None).await;
        let answer = answer.map_err(|error| error.to_string())?;
        if answer["items"].as_array().is_some_and(|items| !items.is_empty()) {
            Ok(())
        } else {
            Err(answer.to_string())
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "long: the controller is killed again and again"]
async fn the_controller_is_killed_in_the_middle_of_changes() {
    let _turn = TURNS.acquire().await.unwrap();
    let Some(mut world) = or_skip(World::start(gclb(), slow_cloud()).await) else { return };
    world.start_controller().unwrap();
    let kubectl = world.cluster().kubectl();
    let (visitor, crowd) = begin(&kubectl).await;
    for (turn, deployment) in ["second", "first", "second"].into_iter().enumerate() {
        kubectl.apply(&ingress(deployment, turn + 1)).await.unwrap();
        // Once while the first change is made, once while a later one is.
        for _ in 0..2 {
            a_change_is_under_way(&world).await;
            world.kill_controller().unwrap();
            world.start_controller().unwrap();
        }
        visitor.served_by(deployment, "http://any.example/").await;
        visitor.served_by("third", &format!("http://h{turn}.example/")).await;
        ready(&kubectl, "web").await;
    }
    crowd.leave().await;
}

#[tokio::test]
#[ignore = "long: leaders give way to each other"]
async fn the_leader_gives_way_in_the_middle_of_changes() {
    let _turn = TURNS.acquire().await.unwrap();
    let Some(mut world) = or_skip(World::start(gclb(), slow_cloud()).await) else { return };
    world.controller().arguments = vec![
        "--leader-elect".to_owned(),
        "--lease-namespace=gclb-system".to_owned(),
        "--lease-duration=5s".to_owned(),
    ];
    let mut leads = world.controller().start().unwrap();
    let kubectl = world.cluster().kubectl();
    let (visitor, crowd) = begin(&kubectl).await;
    for (turn, deployment) in ["second", "first"].into_iter().enumerate() {
        let standby = stands_by(&mut world);
        kubectl.apply(&ingress(deployment, turn + 1)).await.unwrap();
        a_change_is_under_way(&world).await;
        // Once in good order, once by force.
        if turn == 0 {
            leads.terminate(Duration::from_secs(40)).await.unwrap();
        } else {
            leads.kill().unwrap();
        }
        leads = standby;
        visitor.served_by(deployment, "http://any.example/").await;
        ready(&kubectl, "web").await;
    }
    crowd.leave().await;
}

fn stands_by(world: &mut World) -> Process {
    world.controller().start().unwrap()
}
