//! Kinds that come and go while somebody watches: a cluster without the definitions of `deploy/crds`, then with them, then without.

use controlplane::prerequisite::or_skip;
use controlplane::wait::eventually;
use controlplane::{Kubectl, Options, World};
use gclb::controller::cluster::{ClusterSource, ListedCluster};
use gclb::controller::source::Source as _;
use gclb::model::{ClusterId, Held, ObjectKey};
use gclb::snapshot::{Cluster, Snapshot};

use crate::gclb;

const DEFINITION: &str = include_str!("../../deploy/crds/backendconfigs.cloud.google.com.yaml");

const MANIFESTS: &str = "
apiVersion: v1
kind: Service
metadata:
  name: web
  annotations: { cloud.google.com/backend-config: '{\"default\": \"slow\"}' }
spec: { type: NodePort, ports: [ { port: 80 } ] }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web }
spec: { defaultBackend: { service: { name: web, port: { number: 80 } } } }
";

const CONFIG: &str = "
apiVersion: cloud.google.com/v1
kind: BackendConfig
metadata: { name: slow }
spec: { timeoutSec: 45 }
";

fn cluster() -> Cluster {
    Cluster::of(ClusterId::new("c1a2b3d4").unwrap())
}

/// How long the one config that is referred to lets its backends take.
fn time_out(snapshot: &Snapshot) -> Option<u32> {
    snapshot.backend_configs.get(&ObjectKey::new("default", "slow"))?.as_ref().ok()?.timeout_sec
}

/// Takes away everything of `deploy/crds` that is installed.
async fn uninstall(kubectl: &Kubectl) {
    for definition in gclb::custom_resource::definitions() {
        let name = definition.metadata.name.unwrap();
        kubectl.run(&["delete", "crd", &name, "--wait", "--timeout=60s"]).await.unwrap();
    }
}

#[tokio::test]
async fn a_definition_that_is_installed_later_is_picked_up_without_a_restart() {
    let Some(world) = or_skip(World::start(gclb(), Options::default()).await) else { return };
    let kubectl = world.cluster().kubectl();
    uninstall(&kubectl).await;
    kubectl.apply(MANIFESTS).await.unwrap();
    let client = world.cluster().client().await.unwrap();

    // Without the kinds there are none of their objects, and that is known.
    let source = ClusterSource::start(client.clone(), cluster(), None);
    eventually("everything to be listed", || async {
        source.snapshot(Held::default()).map(|_| ()).map_err(|error| error.to_string())
    })
    .await;
    let listed = ListedCluster::list(client.clone(), cluster(), None).await.unwrap();
    assert!(listed.snapshot(Held::default()).backend_configs.is_empty());

    kubectl.apply(DEFINITION).await.unwrap();
    let wait =
        ["wait", "--for=condition=Established", "--timeout=60s", "crd/backendconfigs.cloud.google.com"];
    kubectl.run(&wait).await.unwrap();
    eventually("the object to be taken", || async {
        // Right after the definition kubectl may not know the kind yet.
        kubectl.apply(CONFIG).await.map_err(|error| error.to_string())
    })
    .await;
    let sees = |seconds: u32| {
        let source = &source;
        eventually("the running watch to see the object", move || async move {
            let seen = source.snapshot(Held::default()).map_err(|error| error.to_string())?;
            if time_out(&seen) == Some(seconds) { Ok(()) } else { Err(format!("{:?}", seen.backend_configs)) }
        })
    };
    sees(45).await;
    // From here on it is watched like any other kind.
    kubectl.apply(&CONFIG.replace("45", "46")).await.unwrap();
    sees(46).await;
    let listed = ListedCluster::list(client, cluster(), None).await.unwrap();
    assert_eq!(time_out(&listed.snapshot(Held::default())), Some(46));
}
