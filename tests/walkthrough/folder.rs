//! The walkthrough from the folder of manifests alone.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use controlplane::command;
use controlplane::prerequisite::{or_skip, programs};
use controlplane::process::{Process, Program};
use controlplane::wait::eventually;
use serde_json::Value;

use crate::gclb;
use crate::steps::{ECHO, INGRESS, TYPED, secret, the_address_serves};

#[tokio::test]
async fn from_the_folder_of_manifests_alone() {
    if or_skip(programs(&TYPED)).is_none() {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("manifests");
    std::fs::create_dir(&folder).unwrap();
    let certificates = scratch.path().join("certificates");
    std::fs::create_dir(&certificates).unwrap();
    std::fs::write(folder.join("echo.yaml"), ECHO).unwrap();
    std::fs::write(folder.join("secret.yaml"), secret(&certificates).await).unwrap();

    let log = scratch.path().join("local.log");
    let mut local = start(&folder, &log);
    let admin = eventually("gclb local to say where its cloud is", || async {
        let text = std::fs::read_to_string(&log).map_err(|error| error.to_string())?;
        let admin = text.lines().find_map(|line| line.strip_prefix("admin"));
        admin.map(|admin| admin.trim().to_owned()).ok_or(text)
    })
    .await;
    let before = held(&admin).await;

    // The folder is the truth: a manifest that comes is an apply, one that goes is a deletion.
    let ingress = folder.join("ingress.yaml");
    std::fs::write(&ingress, INGRESS).unwrap();
    let (address, curls) = table_and_curl_lines(&log).await;
    the_address_serves(&address).await;
    let typed = ["curl http://ADDRESS", "curl -k https://ADDRESS", "curl -Lk http://ADDRESS"];
    assert_eq!(curls, typed.map(|line| line.replace("ADDRESS", &address)));
    for line in &curls[1..] {
        let page = command::run("sh", &["-c", &format!("{line} --silent --show-error")]).await.unwrap();
        assert!(page.contains("CLIENT VALUES:"), "{line}:\n{page}");
    }
    says_what_it_made(&admin, &before, &log).await;

    std::fs::remove_file(&ingress).unwrap();
    eventually("the cloud to be as before", || async {
        let now = held(&admin).await;
        if now == before { Ok(()) } else { Err(format!("{now:?}")) }
    })
    .await;

    // Ctrl-C is no failure, and nothing goes on running.
    let status = local.terminate(Duration::from_secs(20)).await.unwrap();
    assert!(status.success(), "{status}: {}", local.log_tail());
    assert!(command::run("curl", &["--silent", &admin]).await.is_err());
    assert!(command::run("curl", &["--silent", &format!("http://{address}")]).await.is_err());
}

fn start(folder: &Path, log: &Path) -> Process {
    Process::start(&Program {
        name: "gclb local".into(),
        path: gclb().to_owned(),
        arguments: vec!["local".into(), "--listen=127.0.0.1:0".into(), folder.into()],
        environment: Vec::new(),
        log: log.to_owned(),
    })
    .unwrap()
}

/// The paths of everything the cloud holds.
async fn held(admin: &str) -> BTreeSet<String> {
    let state = command::run("curl", &["--silent", "--show-error", "--fail", admin]).await.unwrap();
    let state: Value = serde_json::from_str(&state).unwrap();
    state["resources"].as_object().unwrap().keys().cloned().collect()
}

/// Waits for the table in the manner of `kubectl get ing` to show an address, and for the lines to try.
async fn table_and_curl_lines(log: &Path) -> (String, Vec<String>) {
    eventually("the table to show an address, and lines to try", || async {
        let text = std::fs::read_to_string(log).map_err(|error| error.to_string())?;
        let columns = |line: &str| -> Vec<String> {
            line.split("  ").map(str::trim).filter(|column| !column.is_empty()).map(str::to_owned).collect()
        };
        let rows: Vec<Vec<String>> = text.lines().map(columns).collect();
        let heads = ["NAME", "CLASS", "HOSTS", "ADDRESS", "PORTS", "AGE"].map(str::to_owned);
        let headed = rows.iter().any(|row| row.starts_with(&heads));
        let address = rows.iter().rev().find_map(|row| match row.as_slice() {
            [name, class, hosts, address, ports, ..]
                if [name, class, hosts, ports] == ["test", "gclb", "*", "80, 443"] =>
            {
                Some(address.clone())
            }
            _ => None,
        });
        let lines: Vec<String> =
            text.lines().map(str::trim).filter(|line| line.starts_with("curl ")).map(str::to_owned).collect();
        // They are printed anew with each table.
        let last: Vec<String> = lines[lines.len().saturating_sub(3)..].to_vec();
        match address {
            Some(address) if headed && last.len() == 3 && text.contains("BackendsHealthy") => {
                Ok((address, last))
            }
            _ => Err(text),
        }
    })
    .await
}

/// Each thing that was made is named in what was printed.
async fn says_what_it_made(admin: &str, before: &BTreeSet<String>, log: &Path) {
    let printed = std::fs::read_to_string(log).unwrap();
    let held = held(admin).await;
    let made: Vec<&String> = held.difference(before).collect();
    for path in &made {
        let name = path.rsplit('/').next().unwrap();
        assert!(printed.contains(name), "nothing of {path} in:\n{printed}");
    }
    let rules = made.iter().filter(|path| path.contains("/forwardingRules/")).count();
    assert_eq!(rules, 2, "{made:?}");
}
