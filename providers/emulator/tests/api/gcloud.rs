//! gcloud, unmodified, against the emulator: a load balancer made, looked at and taken apart.

use super::cloud::{Cloud, certificate};
use std::path::Path;
use std::process::Stdio;
use tokio::process::Command;

struct Gcloud {
    endpoint: String,
    folder: tempfile::TempDir,
}

impl Gcloud {
    async fn run(&self, arguments: &str) -> Result<String, String> {
        let output = Command::new("gcloud")
            .arg("compute")
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path())
            .env("CLOUDSDK_CONFIG", self.folder.path().join("config"))
            .env("CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE", &self.endpoint)
            .env("CLOUDSDK_AUTH_DISABLE_CREDENTIALS", "true")
            .env("CLOUDSDK_CORE_PROJECT", "p")
            .env("CLOUDSDK_CORE_DISABLE_PROMPTS", "1")
            .env("CLOUDSDK_CORE_DISABLE_USAGE_REPORTING", "true")
            .env("CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK", "true")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|error| error.to_string())?;
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(out) } else { Err(format!("{out}{err}")) }
    }

    #[track_caller]
    fn ok<'a>(&'a self, arguments: &'a str) -> impl Future<Output = String> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            self.run(arguments)
                .await
                .unwrap_or_else(|error| panic!("{caller}: gcloud compute {arguments}\n{error}"))
        }
    }
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

#[tokio::test]
#[ignore = "long: gcloud takes a second or two for each command"]
async fn gcloud_builds_and_takes_down_a_load_balancer() {
    if Command::new("gcloud").arg("--version").output().await.is_err() {
        assert!(std::env::var_os("CI").is_none(), "gcloud is not installed, and in CI a skip is not a pass");
        eprintln!("skipped: gcloud is not installed");
        return;
    }
    let cloud = Cloud::start().await;
    cloud.instance("node", [10, 0, 0, 9]).await;
    let gcloud =
        Gcloud { endpoint: cloud.running.endpoint().to_string(), folder: tempfile::tempdir().unwrap() };
    let (chain, key) = certificate(&["example.com"]);
    write(gcloud.folder.path(), "tls.crt", &chain);
    write(gcloud.folder.path(), "tls.key", &key);

    gcloud.ok("addresses create a --global").await;
    gcloud.ok("health-checks create http h --global --port 8080 --request-path /healthz").await;
    gcloud
        .ok("backend-services create s --global --protocol HTTP --health-checks h --load-balancing-scheme EXTERNAL_MANAGED")
        .await;
    gcloud
        .ok("network-endpoint-groups create n --zone us-central1-a --network-endpoint-type gce-vm-ip-port --network default")
        .await;
    gcloud
        .ok("network-endpoint-groups update n --zone us-central1-a --add-endpoint instance=node,ip=10.1.9.5,port=8080")
        .await;
    gcloud
        .ok("backend-services add-backend s --global --network-endpoint-group n --network-endpoint-group-zone us-central1-a --balancing-mode RATE --max-rate-per-endpoint 10")
        .await;
    gcloud.ok("url-maps create m --global --default-service s").await;
    gcloud.ok("ssl-certificates create c --global --certificate tls.crt --private-key tls.key").await;
    gcloud.ok("target-https-proxies create t --global --url-map m --ssl-certificates c").await;
    gcloud
        .ok("forwarding-rules create f --global --address a --target-https-proxy t --ports 443 --load-balancing-scheme EXTERNAL_MANAGED")
        .await;

    let address = gcloud.ok("addresses describe a --global --format value(address)").await;
    let rule = gcloud.ok("forwarding-rules describe f --global --format value(IPAddress)").await;
    assert_eq!(address, rule);
    let listed = gcloud.ok("addresses list --filter=name:a --format value(name,status)").await;
    assert_eq!(listed.trim(), "a\tIN_USE");
    assert_eq!(gcloud.ok("addresses list --filter=name=zzz --format value(name)").await.trim(), "");
    let health = gcloud.ok("backend-services get-health s --global --format json").await;
    assert!(health.contains("UNHEALTHY"), "probed, and nobody is there: {health}");
    gcloud.ok("url-maps add-path-matcher m --global --path-matcher-name pm --default-service s --new-hosts x.com").await;
    gcloud.ok("backend-services update s --global --timeout 45").await;
    let refused = gcloud.run("backend-services delete s --global").await.unwrap_err();
    assert!(refused.contains("is already being used by 'projects/p/global/urlMaps/m'"), "{refused}");
    // PUT with the fingerprint it got, in the other alphabet of base64.
    gcloud
        .ok("backend-services remove-backend s --global --network-endpoint-group n --network-endpoint-group-zone us-central1-a")
        .await;
    for gone in [
        "forwarding-rules delete f --global",
        "target-https-proxies delete t --global",
        "ssl-certificates delete c --global",
        "url-maps delete m --global",
        "backend-services delete s --global",
        "health-checks delete h --global",
        "network-endpoint-groups delete n --zone us-central1-a",
        "addresses delete a --global",
    ] {
        gcloud.ok(gone).await;
    }
    let left = cloud.running.state();
    let left: Vec<&String> = left["resources"].as_object().unwrap().keys().collect();
    assert_eq!(left, ["projects/p/zones/us-central1-a/instances/node"]);
}
