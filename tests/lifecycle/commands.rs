//! What a person asks of a cluster beside its controller: plan, drift, leaks, and giving a load balancer up.

use std::process::Output;

use controlplane::prerequisite::or_skip;
use controlplane::wait::eventually;
use controlplane::{Options, World};

use crate::manifests::{Reach, certificate, echo, tls_secret};
use crate::{gclb, ingresses};

const INGRESSES: &str = "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: mine }
spec:
  tls: [ { secretName: tls } ]
  defaultBackend: { service: { name: web, port: { number: 80 } } }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: other }
spec:
  defaultBackend: { service: { name: other, port: { number: 80 } } }
";

/// Whoever looks at a cluster at rest sees nothing to do; what is released serves on when its Ingress is gone, and nobody takes it for
/// left over.
#[tokio::test]
async fn a_cluster_at_rest_has_nothing_to_do_and_what_is_released_serves_on() {
    let Some(mut world) = or_skip(World::start(gclb(), Options::default()).await) else { return };
    let kubeconfig = world.cluster().control_plane().admin_kubeconfig().display().to_string();
    let controller = world.controller().clone();
    let ask = async |arguments: &[&str]| {
        let output: Output = tokio::process::Command::new(gclb())
            .args(arguments)
            .args(["--kubeconfig", &kubeconfig, "--project", &controller.project])
            .args(["--cloud-endpoint", &controller.cloud_endpoint])
            .kill_on_drop(true)
            .output()
            .await
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap_or(-1), text(output.stdout) + &text(output.stderr))
    };

    // Before anything is made, the plan is what the controller is about to do.
    let kubectl = world.cluster().kubectl();
    let secret = tls_secret("tls", &certificate("mine.example"));
    let manifests = echo("web", 1, Reach::Pods) + &echo("other", 1, Reach::NodePort) + &secret + INGRESSES;
    kubectl.apply(&manifests).await.unwrap();
    let (code, shown) = ask(&["plan"]).await;
    assert_eq!(code, 2, "{shown}");
    assert!(shown.contains("ingress/default/mine") && shown.contains("ssl certificate"), "{shown}");

    world.start_controller().unwrap();
    let mine = ingresses::address(&kubectl, "mine").await;
    mine.served_by("web", "https://mine.example/").await;
    let other = ingresses::address(&kubectl, "other").await;
    other.served_by("other", "http://other.example/").await;
    eventually("the plan to be empty", || async {
        let (code, shown) = ask(&["plan"]).await;
        if code == 0 { Ok(()) } else { Err(shown) }
    })
    .await;
    for command in ["drift", "leaks"] {
        let (code, shown) = ask(&[command]).await;
        assert_eq!(code, 0, "{command}: {shown}");
    }

    let (code, shown) = ask(&["release", "default/nobody", "--yes"]).await;
    assert!(code == 1 && shown.contains("not served by gclb"), "{shown}");
    let (code, shown) = ask(&["release", "default/mine"]).await;
    assert!(code == 2 && shown.contains("Nothing was done"), "{shown}");
    let before = world.emulator().holdings().await.unwrap();
    let (code, shown) = ask(&["release", "default/mine", "--yes"]).await;
    assert_eq!(code, 0, "{shown}");
    kubectl.run(&["delete", "ingress", "mine", "--wait=true"]).await.unwrap();

    // That the controller has taken this in is seen from what it does next.
    kubectl.run(&["delete", "ingress", "other", "--wait=true"]).await.unwrap();
    let after = eventually("the other load balancer to go", || async {
        let after = world.emulator().holdings().await.map_err(|error| error.to_string())?;
        let left =
            after.keys().any(|path| path.contains("-default-other-") && path.contains("forwardingRules"));
        if left { Err("it is still there".to_owned()) } else { Ok(after) }
    })
    .await;
    let gone: Vec<&String> =
        before.keys().filter(|path| !path.contains("-other-") && !after.contains_key(*path)).collect();
    assert_eq!(gone, Vec::<&String>::new());
    mine.served_by("web", "https://mine.example/").await;
    eventually("nothing to be left over", || async {
        let (code, shown) = ask(&["leaks"]).await;
        if code == 0 { Ok(()) } else { Err(shown) }
    })
    .await;
}
