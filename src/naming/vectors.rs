//! The frozen names, all of them: one line for each function and each kind of input, in `vectors.txt`.
//!
//! A line that is there may never change and never go. A new function of [`naming`](super) needs lines of its own; the test says
//! which are missing, ready to be added.

use std::collections::BTreeMap;

use super::*;
use crate::model::Origin;

const FROZEN: &str = include_str!("vectors.txt");
const NAMING: &str = include_str!("../naming.rs");

/// What objects may be called, and what they may not but cost nobody anything to name.
fn objects() -> Vec<(&'static str, ObjectKey)> {
    let long = "a".repeat(253);
    let cut = |end: char| format!("{}{end}", "same-beginning-that-is-longer-than-a-name-".repeat(3));
    vec![
        ("plain", ObjectKey::new("default", "test")),
        ("dashes, once", ObjectKey::new("a-b", "c")),
        ("dashes, twice", ObjectKey::new("a", "b-c")),
        ("dots", ObjectKey::new("shop", "www.example.com")),
        ("long", ObjectKey::new("n".repeat(63), long)),
        ("cut alike, a", ObjectKey::new("shop", cut('a'))),
        ("cut alike, b", ObjectKey::new("shop", cut('b'))),
        ("upper case", ObjectKey::new("Shop", "WEB")),
        ("lower case of the same", ObjectKey::new("shop", "web")),
        ("digits first", ObjectKey::new("1", "2")),
        ("unicode", ObjectKey::new("größe", "日本語")),
        ("other unicode", ObjectKey::new("große", "日本話")),
        ("colons and commas", ObjectKey::new("1:a,", "2:bc")),
        ("empty", ObjectKey::new("", "")),
    ]
}

fn ports() -> Vec<(&'static str, BackendPort)> {
    vec![
        ("80", BackendPort::Number(80)),
        ("named 80", BackendPort::Name("80".to_owned())),
        ("65535", BackendPort::Number(65535)),
        ("named http", BackendPort::Name("http".to_owned())),
    ]
}

fn probes() -> Vec<(&'static str, Probe)> {
    vec![
        ("http", Probe::Http { path: "/".to_owned(), host: None }),
        ("http elsewhere", Probe::Http { path: "/healthz".to_owned(), host: Some("a".to_owned()) }),
        ("https", Probe::Https { path: "/".to_owned(), host: None }),
        ("tcp", Probe::Tcp),
        ("other", Probe::Other("GRPC".to_owned())),
    ]
}

fn modes() -> [BackendMode; 2] {
    [BackendMode::InstanceGroups, BackendMode::NetworkEndpointGroups]
}

/// Every vector: what is named, and how.
fn all() -> Vec<(String, String)> {
    let mut vectors: Vec<(String, String)> = Vec::new();
    let mut add = |what: String, name: &dyn std::fmt::Display| vectors.push((what, name.to_string()));
    for cluster in ["0a1b2c3d", "ffffffff"] {
        let id = ClusterId::new(cluster).unwrap();
        add(format!("claim {cluster}"), &claim(&id));
        add(
            format!("not_found_backend_service {cluster}"),
            &not_found_backend_service(&id, Scheme::ExternalManaged),
        );
        for network in ["default", "Netz-ü", ""] {
            add(format!("firewall {cluster} {network:?}"), &firewall(&id, network));
            add(format!("instance_group {cluster} {network:?}"), &instance_group(&id, network));
        }
        for (which, object) in objects() {
            // One object is enough to show that the cluster's id is in every name.
            if cluster != "0a1b2c3d" && which != "plain" {
                continue;
            }
            for origin in Origin::ALL {
                let key = LoadBalancerKey { origin, object: object.clone() };
                let of = format!("{cluster} {} {which}", origin.word());
                add(format!("address {of}"), &address(&id, &key));
                for port in [80, 443, 8080] {
                    add(format!("forwarding_rule {of} {port}"), &forwarding_rule(&id, &key, port));
                }
                add(format!("target_http_proxy {of}"), &target_http_proxy(&id, &key));
                add(format!("target_https_proxy {of}"), &target_https_proxy(&id, &key));
                add(format!("url_map {of}"), &url_map(&id, &key));
                add(format!("redirect_url_map {of}"), &redirect_url_map(&id, &key));
            }
            for content in ["old", "new"] {
                let name = ssl_certificate(&id, &object, &CertificateFingerprint::of(content));
                add(format!("ssl_certificate {cluster} {which} {content}"), &name);
            }
            for (port, value) in ports() {
                if port != "80" && which != "plain" && which != "unicode" {
                    continue;
                }
                for (network, subnetwork) in [("default", "default"), ("a", "bc"), ("ab", "c")] {
                    let name = network_endpoint_group(&id, &object, &value, network, subnetwork);
                    add(
                        format!("network_endpoint_group {cluster} {which} {port} {network} {subnetwork}"),
                        &name,
                    );
                }
                for mode in modes() {
                    let name = backend_service(&id, &object, &value, mode, Scheme::ExternalManaged);
                    add(format!("backend_service {cluster} {which} {port} {mode:?}"), &name);
                    for (probe, value_of_probe) in probes() {
                        let name = health_check(&id, &object, &value, mode, &value_of_probe);
                        add(format!("health_check {cluster} {which} {port} {mode:?} {probe}"), &name);
                    }
                }
            }
        }
    }
    for port in [1, 30123, 65535] {
        add(format!("named_port {port}"), &named_port(port));
    }
    add("path_matcher any".to_owned(), &path_matcher(&HostPattern::Any));
    for host in ["example.com", "EXAMPLE.com", "any", "", "bücher.example", &"a.".repeat(100)] {
        add(format!("path_matcher exact {host:?}"), &path_matcher(&HostPattern::Exact(host.to_owned())));
        add(
            format!("path_matcher wildcard {host:?}"),
            &path_matcher(&HostPattern::Wildcard(host.to_owned())),
        );
    }
    vectors
}

fn frozen() -> BTreeMap<&'static str, &'static str> {
    FROZEN.lines().map(|line| line.split_once(" -> ").unwrap_or_else(|| panic!("{line:?}"))).collect()
}

/// If this fails, the change under test would replace load balancers that run somewhere.
#[test]
fn every_frozen_name_is_as_it_was() {
    let now: BTreeMap<String, String> = all().into_iter().collect();
    let frozen = frozen();
    for (what, name) in &frozen {
        assert_eq!(now.get(*what).map(String::as_str), Some(*name), "{what}");
    }
    let missing: Vec<String> = now
        .iter()
        .filter(|(what, _)| !frozen.contains_key(what.as_str()))
        .map(|(what, name)| format!("{what} -> {name}"))
        .collect();
    assert!(missing.is_empty(), "add to src/naming/vectors.txt:\n{}", missing.join("\n"));
}

/// Lines cannot be taken out unseen either: how many there are, and what they say together.
#[test]
fn no_frozen_name_is_gone() {
    assert_eq!(frozen().len(), FROZEN.lines().count(), "a line stands there twice");
    for line in FROZEN.lines() {
        let (what, _) = line.split_once(' ').unwrap();
        assert!(NAMING.contains(&format!("pub fn {what}(")), "{what} is no function any more");
    }
    assert!(FROZEN.lines().count() >= LINES, "{} lines were taken out", LINES - FROZEN.lines().count());
}

#[test]
fn every_function_has_frozen_names() {
    // `is_ours` judges names and makes none.
    let functions = NAMING
        .lines()
        .filter_map(|line| line.strip_prefix("pub fn "))
        .map(|rest| rest.split_once('(').unwrap().0)
        .filter(|function| *function != "is_ours");
    let vectors = frozen();
    let mut count = 0;
    for function in functions {
        count += 1;
        let begins = format!("{function} ");
        assert!(vectors.keys().any(|what| what.starts_with(&begins)), "{function} has no frozen name");
    }
    assert!(count >= 15, "only {count} functions were found");
}

/// Two different things never share a name, however their texts are cut or made legal.
#[test]
fn no_two_frozen_names_are_equal() {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for (what, name) in frozen() {
        // A health check's path is changed in place, so it is not in the name.
        if what.ends_with(" http elsewhere") {
            continue;
        }
        if let Some(other) = seen.insert(name, what) {
            panic!("{what} and {other} are both called {name}");
        }
        if !what.starts_with("named_port") {
            assert!(ResourceName::new(name).is_ok(), "{name}");
        }
    }
}

/// How many there were when this was last looked at.
const LINES: usize = 782;
