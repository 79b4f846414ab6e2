//! The documentation says what the program does: every word that a user can meet is explained, none is explained that does not exist,
//! the messages that are quoted are real, and links lead somewhere.
//!
//! Words are taken from the program where it can be asked (its help, its reasons), and else from the source.

#![cfg(feature = "emulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "docs/commands.rs"]
mod commands;
#[path = "docs/pages.rs"]
mod pages;
#[path = "docs/words.rs"]
mod words;

use std::collections::BTreeSet;

use gclb::metrics::{Described, Metrics};
use gclb::problem::Reason;
use pages::{Page, page, pages, source, sources};

fn set<'a>(words: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    words.into_iter().map(str::to_owned).collect()
}

#[track_caller]
fn same(what: &str, in_the_code: &BTreeSet<String>, in_the_docs: &BTreeSet<String>) {
    let missing: Vec<_> = in_the_code.difference(in_the_docs).collect();
    let invented: Vec<_> = in_the_docs.difference(in_the_code).collect();
    assert!(
        missing.is_empty() && invented.is_empty(),
        "{what}: not explained {missing:?}; explained but not there {invented:?}"
    );
}

#[test]
fn every_problem_has_a_section() {
    let sections =
        page("docs/errors.md").section("## Problems with the input").captured(r"(?m)^### `(\w+)`$");
    same("reasons of problems (docs/errors.md)", &set(Reason::ALL.map(Reason::word)), &sections);
}

#[test]
fn every_event_and_every_word_of_the_status_is_explained() {
    let errors = page("docs/errors.md");
    let mut said = words::literals_like_a_reason(&source("src/status/compute.rs"));
    said.extend(words::literals_like_a_reason(&source("src/status/news.rs")));
    said.extend(words::literals_like_a_reason(&source("src/status/unlisted.rs")));
    said.extend(words::literals_like_a_reason(&source("src/preflight.rs")));
    let mut explained = errors.section("## What the cloud refused").reasons();
    explained.extend(errors.section("## What was done").reasons());
    same("Events and reasons of the status (docs/errors.md)", &said, &explained);
    let phases = source("src/status.rs").captured(r#"Self::\w+ => "(\w+)""#);
    let explained = page("docs/annotations.md").section("### `gclb.dev/status`").first_cells();
    let fields = set(["phase", "reason", "message", "healthy"]);
    same("phases (docs/annotations.md)", &phases, &explained.difference(&fields).cloned().collect());
}

#[test]
fn every_block_and_every_diagnostic_is_explained() {
    let errors = page("docs/errors.md");
    let mut blocks = words::literals_like_a_reason(&source("src/plan/json.rs"));
    blocks.extend(words::literals_like_a_reason(&source("src/preflight.rs")));
    same("blocks (docs/errors.md)", &blocks, &errors.section("## Plans that are blocked").reasons());
    let codes = source("src/snapshot/manifests/diagnostic.rs").captured(r#"Self::\w+ => "([a-z-]+)""#);
    same(
        "diagnostics (docs/errors.md)",
        &codes,
        &errors.section("## Diagnostics of manifests").first_cells(),
    );
}

#[test]
fn every_key_on_an_object_is_explained_and_none_is_invented() {
    let mut keys = BTreeSet::new();
    for source in sources("src") {
        keys.extend(words::object_keys(&source));
    }
    let settings = page("docs/annotations.md");
    for key in [
        gclb::ingress::REDIRECT,
        gclb::ingress::ALLOW_HTTP,
        gclb::ingress::GLOBAL_STATIC_IP,
        gclb::ingress::REGIONAL_STATIC_IP,
        gclb::ingress::PRE_SHARED_CERT,
        gclb::ingress::GROUP,
        gclb::ingress::GROUP_ORDER,
        gclb::ingress::GROUP_SCOPE,
        gclb::ingress::RELEASE_ADDRESS,
        gclb::ingress::CONFIRM_DELETION,
        gclb::ingress::MEMBER_OF,
        gclb::ingress::STATUS,
        gclb::ingress::RELEASED,
        gclb::snapshot::CLASS_ANNOTATION,
        gclb::ingress::FINALIZER,
        gclb::snapshot::NEG_ANNOTATION,
        gclb::snapshot::HEALTH_CHECK_PATH_ANNOTATION,
        gclb::snapshot::EXCLUDE_LABEL,
    ] {
        assert!(settings.text.contains(&format!("`{key}`")), "docs/annotations.md does not explain {key}");
    }
    let all: Vec<Page> = pages();
    let explained: String =
        ["docs/annotations.md", "docs/concepts.md", "docs/errors.md"].map(|name| page(name).text).concat();
    let missing: Vec<_> = keys.iter().filter(|key| !explained.contains(key.as_str())).collect();
    assert!(keys.len() > 5 && missing.is_empty(), "keys that no page explains: {missing:?}");
    for page in &all {
        for key in page.captured(r"(gclb\.dev/[a-z][a-z-]*)") {
            // The schema of a plan and the claim on a cluster id are named in the same way, and stand on no object.
            let is_schema =
                gclb::plan::json::SCHEMA.strip_prefix(&key).is_some_and(|rest| rest.starts_with('/'));
            let is_claim = source("src/cloud/gce/claim.rs").text.contains(&format!("\"{key}: \""));
            assert!(is_schema || is_claim || keys.contains(&key), "{}: there is no {key}", page.name);
        }
    }
}

#[test]
fn every_metric_is_explained_with_its_labels() {
    let catalogue = Metrics::default().catalogue().to_vec();
    let metrics: BTreeSet<String> = catalogue.iter().map(|described| described.name.clone()).collect();
    let table = page("docs/observability.md").section("## Metrics");
    same("metrics (docs/observability.md)", &metrics, &table.first_cells());
    for Described { name, form, help: _, labels } in &catalogue {
        let row =
            table.text.lines().find(|line| line.starts_with(&format!("| `{name}` | {} |", form.word())));
        let row = row.unwrap_or_else(|| panic!("{name} is not said to be a {}", form.word()));
        for label in *labels {
            assert!(row.contains(&format!("`{label}`")), "the label {label} of {name} is not explained");
        }
    }
    let mut stages = BTreeSet::new();
    for source in sources("src/controller") {
        stages.extend(source.captured(r#"stage_ended\("(\w+)""#));
    }
    for word in stages {
        assert!(table.text.contains(&format!("`{word}`")), "the stage {word} is not explained");
    }
    for page in pages() {
        for name in page.captured(r"\b(gclb_[a-z_]+)") {
            let known = metrics
                .iter()
                .any(|metric| name.strip_suffix("_count").unwrap_or(&name) == metric || name == *metric);
            assert!(known, "{}: there is no metric {name}", page.name);
        }
    }
}

#[test]
fn every_flag_is_explained_where_its_command_is() {
    let documented = page("docs/commands.md");
    for command in commands::all() {
        assert!(
            command.name == "completions" || !command.flags.is_empty(),
            "gclb {} has no flags",
            command.name
        );
        let section = documented.section(&format!("## gclb {}", command.name));
        same(
            &format!("flags of gclb {}", command.name),
            &command.flags,
            &section.captured(r"`(--[a-z][a-z-]*)"),
        );
        for variable in &command.variables {
            assert!(section.text.contains(&format!("`{variable}`")), "{variable} is not explained");
        }
    }
}

#[test]
fn command_lines_in_the_docs_use_flags_that_there_are() {
    let commands = commands::all();
    for page in pages() {
        for line in page.matches(
            r"gclb (?:controller|local|plan|apply|observe|drift|leaks|release|emulator|completions)\b[^`\n|#)]*",
        ) {
            let name = line.split_whitespace().nth(1).unwrap();
            let command = commands.iter().find(|command| command.name == name).unwrap();
            for flag in words::flags(&line) {
                assert!(command.flags.contains(&flag), "{}: gclb {name} has no {flag}: {line}", page.name);
            }
        }
    }
}

#[test]
fn quoted_messages_are_real() {
    let real = words::real_messages();
    let mut quoted = 0;
    for page in pages() {
        for line in page.fenced("message") {
            quoted += 1;
            assert!(
                real.contains(&line),
                "{}: no golden case and no snapshot has this message any more; quote one that there is: {line}",
                page.name
            );
        }
    }
    assert!(quoted > 10, "only {quoted} messages are quoted");
}

#[test]
fn links_lead_somewhere() {
    let broken: Vec<String> = pages().iter().flat_map(Page::broken_links).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
