//! What the Grafana dashboard and the alert rules ask for is held against the metrics that there are. (The table in the docs is held
//! against them by tests/docs.rs.)

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use gclb::metrics::{Described, Form, Metrics};
use regex::Regex;
use serde_json::Value;

/// Labels that Prometheus itself adds, and what aggregations work with.
const OF_PROMETHEUS: [&str; 3] = ["job", "instance", "le"];

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn catalogue() -> BTreeMap<String, Described> {
    let metrics = Metrics::default();
    metrics.catalogue().iter().map(|described| (described.name.clone(), described.clone())).collect()
}

#[test]
fn the_dashboard_asks_for_what_there_is() {
    let dashboard: Value = serde_json::from_str(&read("deploy/observability/dashboard.json")).unwrap();
    let mut expressions = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        if panel["type"] == "row" {
            continue;
        }
        let title = panel["title"].as_str().unwrap();
        assert!(!panel["description"].as_str().unwrap_or_default().is_empty(), "{title} is not explained");
        for target in panel["targets"].as_array().unwrap() {
            expressions.push((title.to_owned(), target["expr"].as_str().unwrap().to_owned()));
        }
    }
    assert!(expressions.len() > 15, "only {} expressions were found", expressions.len());
    let asked = check(&expressions);
    let shown: BTreeSet<String> = catalogue().into_keys().collect();
    let not_shown: Vec<_> = shown.difference(&asked).collect();
    assert!(not_shown.is_empty(), "the dashboard does not show {not_shown:?}");
}

#[test]
fn the_alerts_ask_for_what_there_is() {
    let alerts: Value = serde_saphyr::from_str(&read("deploy/observability/alerts.yaml")).unwrap();
    let rules = alerts["groups"][0]["rules"].as_array().unwrap();
    assert!(rules.len() >= 8, "only {} rules were found", rules.len());
    let expressions: Vec<_> = rules
        .iter()
        .map(|rule| {
            let name = rule["alert"].as_str().unwrap().to_owned();
            for said in ["summary", "description"] {
                let text = rule["annotations"][said].as_str().unwrap_or_default();
                assert!(!text.is_empty(), "{name} has no {said}");
            }
            assert!(rule["labels"]["severity"].is_string(), "{name} has no severity");
            (name, rule["expr"].as_str().unwrap().to_owned())
        })
        .collect();
    check(&expressions);
}

/// Panics where an expression asks for a metric or a label that is not there. Yields the metrics asked for.
fn check(expressions: &[(String, String)]) -> BTreeSet<String> {
    let catalogue = catalogue();
    let names = Regex::new(r"gclb_[a-z_]+").unwrap();
    let matchers = Regex::new(r"(gclb_[a-z_]+)\{([^}]*)\}").unwrap();
    let matcher = Regex::new(r#"([a-z_]+)\s*(?:=~|!~|!=|=)\s*""#).unwrap();
    let grouping = Regex::new(r"\b(?:by|on|without)\s*\(([^)]*)\)").unwrap();
    let mut asked = BTreeSet::new();
    for (place, expression) in expressions {
        let mut labels: BTreeSet<&str> = OF_PROMETHEUS.into();
        for found in names.find_iter(expression) {
            let described = described(&catalogue, found.as_str())
                .unwrap_or_else(|| panic!("{place}: there is no metric {}", found.as_str()));
            labels.extend(described.labels);
            asked.insert(described.name.clone());
        }
        for found in matchers.captures_iter(expression) {
            let described = described(&catalogue, &found[1]).unwrap();
            for label in matcher.captures_iter(&found[2]) {
                let known = described.labels.contains(&&label[1]) || OF_PROMETHEUS.contains(&&label[1]);
                assert!(known, "{place}: {} has no label {}", described.name, &label[1]);
            }
        }
        for found in grouping.captures_iter(expression) {
            for label in found[1].split(',').map(str::trim).filter(|label| !label.is_empty()) {
                assert!(labels.contains(label), "{place}: nothing in {expression} has the label {label}");
            }
        }
    }
    asked
}

fn described<'a>(catalogue: &'a BTreeMap<String, Described>, asked: &str) -> Option<&'a Described> {
    let of_histogram = || {
        let name = ["_bucket", "_sum", "_count"].iter().find_map(|ending| asked.strip_suffix(ending))?;
        catalogue.get(name).filter(|described| described.form == Form::Histogram)
    };
    catalogue.get(asked).filter(|described| described.form != Form::Histogram).or_else(of_histogram)
}
