//! The command line as a user has it: the program itself, run as a process.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cli {
    mod plans;
    pub(crate) mod process;
}

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use cli::process::{Running, curl, gclb, has_curl, shell};

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/examples").join(name)
}

/// A folder of one's own with an example's manifests.
fn copy_of(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(example(name)).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    folder
}

fn local(folder: &Path) -> Running {
    Running::start(&["local", folder.to_str().unwrap(), "--listen", "127.0.0.1:0"])
}

fn edit(file: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(file, text.replace(from, to)).unwrap();
}

#[test]
fn plan_tells_by_its_exit_code_what_there_is_to_do() {
    let walkthrough = example("walkthrough");
    let walkthrough = walkthrough.to_str().unwrap();
    let changes = gclb(&["plan", walkthrough]);
    assert_eq!(changes.code, 2, "{changes:?}");
    assert!(changes.stdout.contains("Plan: 12 to create, 0 to change, 0 to delete."), "{}", changes.stdout);
    assert!(!changes.stdout.contains('\x1b'), "colours into a pipe");

    let json = gclb(&["plan", walkthrough, "--output", "json"]);
    assert_eq!(json.code, 2);
    let document: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(document["summary"]["create"], 12);
    assert_eq!(document["problems"], serde_json::json!([]));

    let foreign = tempfile::tempdir().unwrap();
    std::fs::write(
        foreign.path().join("web.yaml"),
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web}\n\
         spec: {ingressClassName: nginx, defaultBackend: {service: {name: web, port: {number: 80}}}}\n",
    )
    .unwrap();
    let nothing = gclb(&["plan", foreign.path().to_str().unwrap()]);
    assert_eq!((nothing.code, nothing.stderr.as_str()), (0, ""), "{nothing:?}");
    assert!(nothing.stdout.contains("nothing to do"), "{}", nothing.stdout);

    for arguments in
        [&["plan"][..], &["plan", "does/not/exist"], &["plan", walkthrough, "--output", "xml"], &["plam"]]
    {
        let wrong = gclb(arguments);
        assert_eq!(wrong.code, 1, "{arguments:?}: {wrong:?}");
        assert!(!wrong.stderr.is_empty());
    }
    assert_eq!(gclb(&["plan", "--help"]).code, 0);
    assert_eq!(gclb(&["--version"]).code, 0);
}

#[test]
fn plan_names_the_line_of_what_is_wrong_and_plans_the_rest() {
    let folder = copy_of("walkthrough");
    std::fs::write(
        folder.path().join("bad.yaml"),
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: bad\nspec:\n  rules:\n  - host: Bad.example.com\n",
    )
    .unwrap();
    edit(&folder.path().join("ingress.yaml"), "name: echoheaders", "name: nobody");
    let planned = gclb(&["plan", folder.path().to_str().unwrap()]);
    assert_eq!(planned.code, 1, "{planned:?}");
    assert!(planned.stderr.contains("bad.yaml:7:11"), "{}", planned.stderr);
    assert!(planned.stderr.contains("write it in lower case: bad.example.com"), "{}", planned.stderr);
    assert!(
        planned.stderr.contains("ingress.yaml:11:13: degraded: Ingress default/test:"),
        "{}",
        planned.stderr
    );
    assert!(planned.stderr.contains("ServiceNotFound"), "{}", planned.stderr);
    assert!(planned.stdout.contains("Load balancer ingress/default/test"), "{}", planned.stdout);
    assert!(!planned.stderr.contains("LS0tLS1CRUdJTiBQUklWQVRFIEtFWS"), "a private key is shown");

    let json = gclb(&["plan", folder.path().to_str().unwrap(), "--output", "json"]);
    let document: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((json.code, &document["diagnostics"][0]["field"]), (1, &"spec.rules[0].host".into()));
    assert_eq!(document["problems"][0]["reason"], "ServiceNotFound");
}

#[test]
fn the_walkthrough_is_served_from_its_folder_and_taken_away_again() {
    if !has_curl() {
        return;
    }
    let folder = copy_of("walkthrough");
    let mut local = local(folder.path());
    let api = local.api();
    let lines = local.lines_to_try_when("Ready 1/1");
    assert_eq!(lines.len(), 3, "{lines:?}");

    let redirect = curl(&lines[0]);
    assert!(redirect.headers.starts_with("HTTP/1.1 301"), "{redirect:?}");
    let secure = lines[1].trim_start_matches("curl -k ");
    assert!(redirect.headers.to_lowercase().contains(&format!("location: {secure}/")), "{redirect:?}");
    for line in &lines[1..] {
        let page = curl(line);
        assert!(page.body.contains("CLIENT VALUES:") && page.body.contains("pod=echoheaders-0"), "{page:?}");
        assert!(page.talk.contains("subject: CN=echoheaders; O=echoheaders"), "{page:?}");
    }

    // What was made is what is planned: there is nothing left to do, until something is edited.
    let path = folder.path().to_str().unwrap();
    let plan = || gclb(&["plan", path, "--project", "local", "--cloud-endpoint", &api]);
    let settled = plan();
    assert_eq!(settled.code, 0, "{settled:?}");

    // A slip takes nothing away.
    let ingress = folder.path().join("ingress.yaml");
    edit(&ingress, "number: 8080", "number: eighty");
    local.wait_for("found the string \"eighty\"");
    assert!(curl(&lines[2]).body.contains("CLIENT VALUES:"));
    edit(&ingress, "number: eighty", "number: 8080");
    local.wait_for("in order again");

    std::fs::remove_file(&ingress).unwrap();
    local.wait_for("No Ingress in the folder.");
    assert!(!shell(&lines[0]).status.success(), "the load balancer still answers");
    let left = shell(&format!(
        "curl -sS {api}projects/local/aggregated/backendServices {api}projects/local/global/forwardingRules"
    ));
    assert!(!String::from_utf8_lossy(&left.stdout).contains("gclb1-"), "{left:?}");

    assert_eq!(local.stop("INT"), Some(0));
    assert!(!answers(&api), "the cloud still listens");
}

#[test]
fn a_certificate_that_comes_late_is_served_from_then_on() {
    if !has_curl() {
        return;
    }
    let folder = copy_of("walkthrough");
    let secret = folder.path().join("secret.yaml");
    let text = std::fs::read_to_string(&secret).unwrap();
    std::fs::remove_file(&secret).unwrap();
    let mut local = local(folder.path());
    local.wait_for("SecretNotFound");
    let lines = local.lines_to_try_when("Degraded 1/1");
    assert_eq!(lines.len(), 1, "{lines:?}");
    let page = curl(&lines[0]);
    assert!(page.headers.starts_with("HTTP/1.1 200") && page.body.contains("CLIENT VALUES:"), "{page:?}");

    std::fs::write(&secret, text).unwrap();
    let lines = local.lines_to_try_when("Ready 1/1");
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(curl(&lines[0]).headers.starts_with("HTTP/1.1 301"));
    assert!(curl(&lines[1]).talk.contains("subject: CN=echoheaders"));

    // Lost again, the certificate that was uploaded stays.
    std::fs::remove_file(&secret).unwrap();
    local.wait_for("- Secret default/tls");
    local.wait_for("Degraded 1/1");
    assert!(curl(&lines[1]).talk.contains("subject: CN=echoheaders"));
    assert_eq!(local.stop("TERM"), Some(0));
    assert!(!shell(&lines[1]).status.success(), "the load balancer outlives the program");
}

#[test]
fn the_demonstration_judges_what_it_shows() {
    if !has_curl() {
        return;
    }
    for name in ["walkthrough", "plain-http", "hosts-and-paths", "two-certificates"] {
        let shown = gclb(&["local", "--demo", example(name).to_str().unwrap(), "--listen", "127.0.0.1:0"]);
        assert_eq!(shown.code, 0, "{name}: {}\n{}", shown.stdout, shown.stderr);
        assert!(shown.stdout.contains("answers are as they should be"), "{}", shown.stdout);
        assert!(!shown.stdout.contains("WRONG"), "{}", shown.stdout);
    }

    let broken = copy_of("walkthrough");
    edit(&broken.path().join("ingress.yaml"), "name: echoheaders", "name: nobody");
    let demo = |folder: &Path| {
        gclb(&["local", "--demo", "--timeout", "3", folder.to_str().unwrap(), "--listen", "127.0.0.1:0"])
    };
    let shown = demo(broken.path());
    assert_eq!(shown.code, 1, "{}", shown.stdout);
    assert!(shown.stdout.contains("Not everything became ready within 3 seconds"), "{}", shown.stdout);
    assert!(shown.stdout.contains("ServiceNotFound"), "{}", shown.stdout);

    let empty = tempfile::tempdir().unwrap();
    assert_eq!(demo(empty.path()).code, 1);
}

#[test]
fn several_can_run_at_once_on_one_machine() {
    if !has_curl() {
        return;
    }
    let (one, two) = (copy_of("plain-http"), copy_of("plain-http"));
    let (mut first, mut second) = (local(one.path()), local(two.path()));
    let lines = [&mut first, &mut second].map(|local| local.lines_to_try_when("Ready 1/1").remove(0));
    assert_ne!(lines[0], lines[1]);
    assert!(lines.iter().all(|line| curl(line).body.contains("pod=web-0")));
    assert_eq!(first.stop("INT"), Some(0));
    assert!(!shell(&lines[0]).status.success());
    assert!(curl(&lines[1]).body.contains("pod=web-0"));
    assert_eq!(second.stop("INT"), Some(0));
}

#[test]
fn the_emulator_runs_alone_until_it_is_told_to_stop() {
    let mut emulator = Running::start(&[
        "emulator",
        "--listen",
        "127.0.0.1:0",
        "--address-pool",
        "127.0.99.0/24",
        "--port-offset",
        "20000",
    ]);
    let api = emulator.api();
    emulator.wait_for("gcloud compute url-maps list");
    assert!(answers(&api));
    assert_eq!(emulator.stop("TERM"), Some(0));
    assert!(!answers(&api));
}

#[test]
fn shells_are_told_how_to_complete() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = gclb(&["completions", shell]);
        assert_eq!(script.code, 0);
        for word in
            ["local", "plan", "apply", "observe", "drift", "leaks", "release", "emulator", "cloud-endpoint"]
        {
            assert!(script.stdout.contains(word), "{shell} does not know {word}");
        }
    }
}

/// Whether somebody listens at the API's address.
fn answers(api: &str) -> bool {
    let authority = api.trim_start_matches("http://").split('/').next().unwrap();
    let address: SocketAddr = authority.parse().unwrap();
    TcpStream::connect_timeout(&address, Duration::from_secs(5)).is_ok()
}
