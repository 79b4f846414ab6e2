//! Plans as a person and a pipeline have them: shown, saved, done, refused; what drifted, and what leaks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::process::{Ended, Running, gclb, gclb_reading};
use crate::{copy_of, edit, example};

/// An emulated cloud whose requests are logged.
struct Cloud {
    _emulator: Running,
    api: String,
    folder: tempfile::TempDir,
}

impl Cloud {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let mut emulator = Running::start(&[
            "emulator",
            "--listen",
            "127.0.0.1:0",
            "--address-pool",
            "127.0.98.0/24",
            "--port-offset",
            "22000",
            "--request-log",
            log.to_str().unwrap(),
        ]);
        let api = emulator.api();
        let cloud = Self { _emulator: emulator, api, folder };
        // The node that is supplied to folders which name none.
        cloud.admin(
            reqwest::Method::POST,
            "_emulator/instances",
            &serde_json::json!({
                "project": "test",
                "zone": "us-central1-a",
                "name": "local-node",
                "address": "10.128.0.2",
                "aliasRanges": ["10.4.0.0/20"],
            }),
        );
        cloud
    }

    /// A file beside the log.
    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// A command that compares with this cloud.
    fn run(&self, arguments: &[&str]) -> Ended {
        let mut all = arguments.to_vec();
        all.extend(["--project", "test", "--cloud-endpoint", &self.api]);
        gclb(&all)
    }

    /// A plan is shown and saved, and done.
    fn converge(&self, manifests: &str) {
        let plan = self.file("converge.plan");
        assert_eq!(self.run(&["plan", manifests, "--save", &plan]).code, 2);
        let applied = gclb(&["apply", "--plan", &plan]);
        assert_eq!(applied.code, 0, "{applied:?}");
    }

    /// How many calls of each method there were on each name that change something, since `from` lines of the log.
    fn mutations(&self, from: usize) -> BTreeMap<(String, String), usize> {
        let mut calls = BTreeMap::new();
        for line in self.log().into_iter().skip(from) {
            let line: Value = serde_json::from_str(&line).unwrap();
            let call = line["call"].as_str().unwrap_or_default().to_owned();
            let method = call.split('.').nth(1).unwrap_or_default();
            if line["method"] == "GET"
                || matches!(
                    method,
                    "wait"
                        | "getHealth"
                        | "listNetworkEndpoints"
                        | "listInstances"
                        | "validate"
                        | "testIamPermissions"
                )
            {
                continue;
            }
            let path = line["path"].as_str().unwrap().split('?').next().unwrap().to_owned();
            let mut parts = path.rsplit('/');
            let last = parts.next().unwrap();
            let name = match method {
                "insert" => line["body"]["name"].as_str().unwrap().to_owned(),
                "patch" | "delete" => last.to_owned(),
                _ => parts.next().unwrap().to_owned(),
            };
            *calls.entry((call, name)).or_default() += 1;
        }
        calls
    }

    fn log(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.path().join("log")).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn admin(&self, method: reqwest::Method, path: &str, body: &Value) -> Value {
        let base = self.api.trim_end_matches('/').trim_end_matches("compute/v1");
        gce::install_crypto_provider();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            let answer = client.request(method, format!("{base}{path}")).json(body).send().await.unwrap();
            assert!(answer.status().is_success(), "{path}: {answer:?}");
            answer.json().await.unwrap_or(Value::Null)
        })
    }
}

/// Two Ingresses for container-native Services.
fn manifests() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["web", "shop"] {
        let text = format!(
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: {name}}}\n\
             spec: {{defaultBackend: {{service: {{name: {name}, port: {{number: 80}}}}}}}}\n---\n\
             apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, annotations: {{cloud.google.com/neg: '{{\"ingress\": true}}'}}}}\n\
             spec: {{ports: [{{port: 80}}], selector: {{app: {name}}}}}\n"
        );
        std::fs::write(folder.path().join(format!("{name}.yaml")), text).unwrap();
    }
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// `method` and name of each change of a plan's JSON. To wait for a backend service to be healthy changes nothing.
fn planned(document: &Value) -> BTreeMap<(String, String), usize> {
    let mut calls = BTreeMap::new();
    for change in document["changes"].as_array().unwrap() {
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        if change["method"] == "getHealth" {
            continue;
        }
        let call = format!("{}.{}", word(&change["resource"]["kind"]), word(&change["method"]));
        *calls.entry((call, word(&change["resource"]["name"]))).or_default() += 1;
    }
    calls
}

#[test]
fn what_was_planned_is_what_runs() {
    let cloud = Cloud::start();
    let manifests = manifests();
    let folder = text(manifests.path());
    let plan = cloud.file("web.plan");
    let mut begun = cloud.log().len();
    // Made from nothing, then changed; pods come and go; moved, so that something is deleted; then nothing at all.
    let mut seen = BTreeMap::new();
    for round in ["made", "changed", "pods", "others", "moved", "settled"] {
        let pods = |addresses: [&str; 2]| {
            let slice = format!(
                "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\n\
                 metadata: {{name: shop-1, labels: {{kubernetes.io/service-name: shop}}}}\n\
                 ports: [{{port: 80}}]\nendpoints: [{{addresses: [{}], nodeName: local-node}}, \
                 {{addresses: [{}], nodeName: local-node}}]\n",
                addresses[0], addresses[1]
            );
            std::fs::write(manifests.path().join("pods.yaml"), slice).unwrap();
        };
        match round {
            "pods" => pods(["10.4.0.101", "10.4.0.102"]),
            "others" => pods(["10.4.0.102", "10.4.0.103"]),
            "moved" => edit(
                &manifests.path().join("web.yaml"),
                "defaultBackend: {service: {name: web,",
                "defaultBackend: {service: {name: shop,",
            ),
            _ => {}
        }
        if round == "changed" {
            edit(
                &manifests.path().join("web.yaml"),
                "spec: {defaultBackend",
                "spec: {rules: [{host: web.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}]}}], defaultBackend",
            );
        }
        let shown = cloud.run(&["plan", folder, "--save", &plan, "--output", "json"]);
        let document: Value = serde_json::from_str(&shown.stdout).unwrap();
        assert_eq!(shown.code, if round == "settled" { 0 } else { 2 }, "{shown:?}");
        let applied = gclb(&["apply", "--plan", &plan]);
        assert_eq!(applied.code, 0, "{applied:?}");
        assert_eq!(cloud.mutations(begun), planned(&document), "{round}");
        assert_eq!(document["changes"].as_array().unwrap().is_empty(), round == "settled");
        for (call, _) in planned(&document).into_keys() {
            *seen.entry(call).or_insert(0) += 1;
        }
        begun = cloud.log().len();
    }
    for call in [
        "forwardingRules.insert",
        "urlMaps.patch",
        "networkEndpointGroups.attachNetworkEndpoints",
        "networkEndpointGroups.detachNetworkEndpoints",
        "backendServices.delete",
    ] {
        assert!(seen.contains_key(call), "{call} was never planned: {seen:?}");
    }
}

#[test]
fn a_plan_that_was_overtaken_is_refused_and_says_why() {
    let cloud = Cloud::start();
    let manifests = manifests();
    let folder = text(manifests.path());
    let plan = cloud.file("web.plan");

    // The input says something else.
    assert_eq!(cloud.run(&["plan", folder, "--save", &plan]).code, 2);
    edit(
        &manifests.path().join("web.yaml"),
        "name: web, port: {number: 80}",
        "name: shop, port: {number: 80}",
    );
    let refused = gclb(&["apply", "--plan", &plan]);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.stderr.contains("input: Ingress default/web says something else"), "{}", refused.stderr);
    edit(
        &manifests.path().join("web.yaml"),
        "name: shop, port: {number: 80}",
        "name: web, port: {number: 80}",
    );
    // Put back, it is as it was.
    assert_eq!(gclb(&["apply", "--plan", &plan]).code, 0);

    // Done already: what did not exist exists.
    let refused = gclb(&["apply", "--plan", &plan]);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.stderr.contains("it did not exist, and exists now"), "{}", refused.stderr);

    // A field was changed by somebody else in between.
    edit(
        &manifests.path().join("web.yaml"),
        "ports: [{port: 80}]",
        "ports: [{port: 80, appProtocol: HTTPS}]",
    );
    let shown = cloud.run(&["plan", folder, "--save", &plan, "--output", "json"]);
    let document: Value = serde_json::from_str(&shown.stdout).unwrap();
    let changed = document["changes"].as_array().unwrap();
    let patched = changed
        .iter()
        .find(|change| change["resource"]["kind"] == "backendServices" && change["method"] == "patch");
    let name = patched.unwrap_or_else(|| panic!("{document:#}"))["resource"]["name"].as_str().unwrap();
    cloud.admin(
        reqwest::Method::PATCH,
        &format!("compute/v1/projects/test/global/backendServices/{name}"),
        &serde_json::json!({ "timeoutSec": 77 }),
    );
    let before = cloud.log().len();
    let refused = gclb(&["apply", "--plan", &plan]);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.stderr.contains(name) && refused.stderr.contains("77"), "{}", refused.stderr);
    assert_eq!(cloud.mutations(before), BTreeMap::new(), "something was done all the same");
    // What drifted is told too.
    let drift = cloud.run(&["drift", folder]);
    assert_eq!(drift.code, 2, "{drift:?}");
    assert!(drift.stdout.contains("77, should be 30"), "{}", drift.stdout);

    for wrong in ["{}", "{\"schemaVersion\": 999}", "no json"] {
        std::fs::write(&plan, wrong).unwrap();
        assert_eq!(gclb(&["apply", "--plan", &plan]).code, 1, "{wrong}");
    }
}

#[test]
fn a_plan_that_cannot_be_finished_is_not_begun_and_says_why() {
    let cloud = Cloud::start();
    let manifests = manifests();
    let folder = text(manifests.path());
    let plan = cloud.file("web.plan");
    let limit = |limit: u64| {
        let limits = serde_json::json!({"limits": {"FORWARDING_RULES": 100, "URL_MAPS": limit}});
        cloud.admin(reqwest::Method::PUT, "_emulator/quotas", &limits);
    };

    // There was room when it was planned, and there is none when it is to be done.
    assert_eq!(cloud.run(&["plan", folder, "--save", &plan]).code, 2);
    limit(0);
    let before = cloud.log().len();
    let refused = gclb(&["apply", "--plan", &plan]);
    assert_eq!(refused.code, 3, "{refused:?}");
    for part in ["could not be finished", "URL_MAPS of 0", "room for 0 more", "Raise the quota"] {
        assert!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
    }
    assert_eq!(cloud.mutations(before), BTreeMap::new(), "something was done all the same");

    // It is shown by the plan too, which has none of it among its changes.
    let shown = cloud.run(&["plan", folder, "--save", &plan, "--output", "json"]);
    assert_eq!(shown.code, 1, "{shown:?}");
    let document: Value = serde_json::from_str(&shown.stdout).unwrap();
    let blocked = &document["blocked"][0];
    assert_eq!(blocked["reason"], "QuotaTooSmall", "{document:#}");
    let applied = gclb(&["apply", "--plan", &plan]);
    assert_eq!(applied.code, 1, "{applied:?}");
    assert!(applied.stderr.contains("Not begun: "), "{}", applied.stderr);
    let calls = cloud.mutations(before);
    assert_eq!(calls, planned(&document));
    assert!(!calls.keys().any(|(call, _)| call.starts_with("urlMaps.")), "{calls:?}");

    // With room all of it is done.
    limit(10);
    cloud.converge(folder);
    assert_eq!(cloud.run(&["plan", folder]).code, 0);
}

#[test]
fn a_plan_from_nothing_or_from_the_input_stream_cannot_be_saved() {
    let cloud = Cloud::start();
    let folder = manifests();
    let plan = cloud.file("web.plan");
    let refused = gclb(&["plan", text(folder.path()), "--save", &plan]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("--project"), "{}", refused.stderr);
    let manifest = std::fs::read_to_string(folder.path().join("web.yaml")).unwrap();
    let arguments = ["plan", "-", "--save", &plan, "--project", "test", "--cloud-endpoint", &cloud.api];
    let refused = gclb_reading(&arguments, &manifest);
    assert_eq!(refused.code, 1);
    assert!(!PathBuf::from(&plan).exists());
}

#[test]
fn the_input_stream_is_read_as_a_file_is() {
    let folder = manifests();
    let manifest = std::fs::read_to_string(folder.path().join("web.yaml")).unwrap();
    let streamed = gclb_reading(&["plan", "-"], &manifest);
    let read = gclb(&["plan", text(&folder.path().join("web.yaml"))]);
    assert_eq!((streamed.code, &streamed.stdout), (2, &read.stdout));
    let wrong = gclb_reading(&["plan", "-"], &manifest.replace("number: 80", "number: eighty"));
    assert_eq!(wrong.code, 1);
    assert!(wrong.stderr.contains("<stdin>:4:"), "{}", wrong.stderr);
}

#[test]
fn an_observation_stands_in_for_the_cloud_and_holds_no_key() {
    let cloud = Cloud::start();
    let manifests = manifests();
    std::fs::copy(example("walkthrough").join("secret.yaml"), manifests.path().join("secret.yaml")).unwrap();
    edit(
        &manifests.path().join("web.yaml"),
        "spec: {defaultBackend",
        "spec: {tls: [{secretName: tls}], defaultBackend",
    );
    let folder = text(manifests.path());
    cloud.converge(folder);
    let file = cloud.file("cloud.json");
    let observed = cloud.run(&["observe", "--out", &file]);
    assert_eq!(observed.code, 0, "{observed:?}");
    let saved = std::fs::read_to_string(&file).unwrap();
    assert!(saved.contains("sslCertificates/"), "{saved}");
    assert!(!saved.contains("PRIVATE") && !saved.contains("BEGIN "), "a key or a certificate is in the file");

    let before = cloud.log().len();
    let settled = gclb(&["plan", folder, "--observed", &file]);
    assert_eq!(settled.code, 0, "{settled:?}");
    assert_eq!(gclb(&["drift", folder, "--observed", &file]).code, 0);
    edit(
        &manifests.path().join("shop.yaml"),
        "ports: [{port: 80}]",
        "ports: [{port: 80, appProtocol: HTTPS}]",
    );
    assert_eq!(gclb(&["plan", folder, "--observed", &file]).code, 2);
    assert_eq!(cloud.log().len(), before, "the cloud was asked");

    let other = gclb(&["plan", folder, "--observed", &file, "--cluster-id", "0a1b2c3d"]);
    assert_eq!(other.code, 1);
    assert!(other.stderr.contains("was observed for the cluster 10ca1000"), "{}", other.stderr);
    std::fs::write(&file, saved.replace("\"schemaVersion\": 1", "\"schemaVersion\": 2")).unwrap();
    let newer = gclb(&["plan", folder, "--observed", &file]);
    assert_eq!(newer.code, 1);
    assert!(newer.stderr.contains("schemaVersion 2"), "{}", newer.stderr);
}

#[test]
fn what_is_not_ours_is_looked_up_where_there_is_a_cloud_and_else_taken_to_exist() {
    let cloud = Cloud::start();
    let manifests = manifests();
    std::fs::remove_file(manifests.path().join("shop.yaml")).unwrap();
    edit(
        &manifests.path().join("web.yaml"),
        "metadata: {name: web}\n",
        "metadata: {name: web, annotations: {kubernetes.io/ingress.global-static-ip-name: web-ip}}\n",
    );
    let folder = text(manifests.path());
    let offline = gclb(&["plan", folder]);
    assert_eq!(offline.code, 2, "{offline:?}");
    assert!(
        offline.stderr.contains("note: Ingress default/web") && offline.stderr.contains("taken to exist")
    );
    assert!(offline.stdout.contains("IPAddress: web-ip") && !offline.stdout.contains("+ address"));

    let missing = cloud.run(&["plan", folder]);
    assert_eq!(missing.code, 0, "nothing is made: {missing:?}");
    assert!(missing.stderr.contains("StaticAddressNotFound"), "{}", missing.stderr);
    let addresses = "compute/v1/projects/test/global/addresses";
    cloud.admin(reqwest::Method::POST, addresses, &serde_json::json!({"name": "web-ip"}));
    cloud.converge(folder);
    let settled = cloud.run(&["plan", folder]);
    assert_eq!((settled.code, settled.stderr.as_str()), (0, ""));
    assert_eq!(cloud.run(&["drift", folder]).code, 0);
    // What a file tells is the number alone, which may well be that of the name.
    let file = cloud.file("cloud.json");
    assert_eq!(cloud.run(&["observe", "--out", &file]).code, 0);
    let observed = gclb(&["plan", folder, "--observed", &file]);
    assert_eq!(observed.code, 0, "{observed:?}");
}

#[test]
fn against_a_base_only_what_the_change_touches_is_planned() {
    let (base, now) = (manifests(), manifests());
    let plan = || gclb(&["plan", text(now.path()), "--base", text(base.path())]);
    let same = plan();
    assert_eq!(same.code, 0, "{same:?}");

    // One is changed, and has a problem that is new; the other has one that is not.
    for folder in [&base, &now] {
        edit(
            &folder.path().join("shop.yaml"),
            "name: shop, port: {number: 80}",
            "name: shop, port: {number: 81}",
        );
    }
    edit(&now.path().join("web.yaml"), "name: web, port: {number: 80}", "name: nobody, port: {number: 80}");
    let changed = plan();
    assert_eq!(changed.code, 2, "{changed:?}");
    assert!(
        changed.stdout.contains("ingress/default/web") && !changed.stdout.contains("ingress/default/shop")
    );
    assert!(
        changed.stderr.contains("nobody") && !changed.stderr.contains("default/shop"),
        "{}",
        changed.stderr
    );

    // One is removed: its load balancer goes.
    std::fs::remove_file(now.path().join("web.yaml")).unwrap();
    let removed = plan();
    assert_eq!(removed.code, 2, "{removed:?}");
    assert!(removed.stdout.contains("its load balancer is being deleted"), "{}", removed.stdout);
    assert!(removed.stdout.contains(" 0 to create,"), "{}", removed.stdout);
    // Without the base nobody knows that it was ever there.
    assert!(!gclb(&["plan", text(now.path())]).stdout.contains("to delete\n"));
}

#[test]
fn against_a_base_and_the_cloud_only_what_the_change_touches_is_planned() {
    let cloud = Cloud::start();
    let (base, now) = (manifests(), manifests());
    cloud.converge(text(base.path()));
    // The change is about one Ingress; another one, which it does not touch, the cloud lacks altogether.
    for folder in [&base, &now] {
        let web = std::fs::read_to_string(folder.path().join("web.yaml")).unwrap();
        std::fs::write(folder.path().join("late.yaml"), web.replace("web", "late")).unwrap();
    }
    edit(&now.path().join("web.yaml"), "name: web, port: {number: 80}", "name: shop, port: {number: 80}");
    let whole = cloud.run(&["plan", text(now.path())]);
    assert_eq!(whole.code, 2, "{whole:?}");
    assert!(whole.stdout.contains("ingress/default/late") && whole.stdout.contains("ingress/default/web"));
    let part = cloud.run(&["plan", text(now.path()), "--base", text(base.path())]);
    assert_eq!(part.code, 2, "{part:?}");
    assert!(part.stdout.contains("ingress/default/web"), "{}", part.stdout);
    assert!(!part.stdout.contains("late"), "{}", part.stdout);
    // Where both say the same there is nothing to do for this change, whatever the cloud lacks.
    let nothing = cloud.run(&["plan", text(base.path()), "--base", text(base.path())]);
    assert_eq!(nothing.code, 0, "{nothing:?}");
}

#[test]
fn what_leaks_is_shown_with_its_age_and_deleted_only_when_it_is_meant() {
    let cloud = Cloud::start();
    let manifests = manifests();
    let folder = text(manifests.path());
    cloud.converge(folder);
    assert_eq!(cloud.run(&["leaks", folder]).code, 0);

    // Its manifest vanished, which is no deletion.
    std::fs::remove_file(manifests.path().join("web.yaml")).unwrap();
    assert_eq!(cloud.run(&["plan", folder]).code, 0);
    let leaks = cloud.run(&["leaks", folder, "--output", "json"]);
    assert_eq!(leaks.code, 2, "{leaks:?}");
    let document: Value = serde_json::from_str(&leaks.stdout).unwrap();
    let found = document["leaks"].as_array().unwrap();
    assert!(found.len() >= 6, "{document:#}");
    assert!(found.iter().all(|leak| leak["ageSeconds"].as_i64().is_some_and(|age| age >= 0)), "{document:#}");
    assert!(found.iter().all(|leak| !leak["name"].as_str().unwrap().contains("shop")), "{document:#}");
    assert!(cloud.run(&["leaks", folder]).stdout.contains("ingress/default/web"));

    let before = cloud.log().len();
    // Not by manifests that may not be all; not what is too young; not without a yes.
    assert_eq!(cloud.run(&["leaks", folder, "--delete", "--yes"]).code, 1);
    assert_eq!(cloud.run(&["leaks", folder, "--delete", "--yes", "--complete"]).code, 2);
    assert_eq!(cloud.run(&["leaks", folder, "--delete", "--complete", "--min-age", "0s"]).code, 2);
    let empty = tempfile::tempdir().unwrap();
    let nobody =
        cloud.run(&["leaks", text(empty.path()), "--delete", "--yes", "--complete", "--min-age", "0s"]);
    assert_eq!(nobody.code, 1, "{nobody:?}");
    assert!(nobody.stderr.contains("--none-alive"), "{}", nobody.stderr);
    assert_eq!(cloud.mutations(before), BTreeMap::new());

    let deleted = cloud.run(&["leaks", folder, "--delete", "--yes", "--complete", "--min-age", "0s"]);
    assert_eq!(deleted.code, 0, "{deleted:?}");
    let mutations = cloud.mutations(before);
    assert!(mutations.keys().all(|(call, name)| call.ends_with(".delete") && !name.contains("shop")));
    assert_eq!(mutations.len(), found.len());
    assert_eq!(cloud.run(&["leaks", folder]).code, 0);
    assert_eq!(cloud.run(&["plan", folder]).code, 0, "what is alive was touched");
}

#[test]
fn commands_say_what_is_missing() {
    let walkthrough = copy_of("walkthrough");
    let folder = text(walkthrough.path());
    for (arguments, hint) in [
        (&["drift", folder][..], "--project"),
        (&["leaks", folder], "--project"),
        (&["plan"], "--kubeconfig"),
        (&["plan", folder, "--context", "x"], "--context"),
        (&["plan", "--kubeconfig", "does-not-exist"], "does-not-exist"),
        (&["plan", folder, "--observed", "does-not-exist"], "gclb observe"),
        (&["apply", "--plan", "does-not-exist"], "--save"),
        (&["apply"], "--plan"),
        (&["observe"], "--out"),
        (&["leaks", folder, "--yes"], "--delete"),
        (&["release"], "NAME"),
        (&["release", "web", "--context", "x"], "NAMESPACE/NAME"),
        (&["release", "default/web"], "--context"),
    ] {
        let wrong = gclb(arguments);
        assert_eq!(wrong.code, 1, "{arguments:?}: {wrong:?}");
        assert!(wrong.stderr.contains(hint), "{arguments:?}: {}", wrong.stderr);
    }
}
