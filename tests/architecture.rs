//! The rules of direction and purity that hold between the parts of this repository, as a test that reads the source.
//!
//! Crates are a wall: a provider that imported the controller would not compile. Modules of one crate are not, so what may not be
//! named where is checked here, in the text of every file without its comments and string literals. Each rule is shown to be able to
//! fail on planted text, in `architecture/planted.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "architecture/code.rs"]
mod code;
#[path = "architecture/planted.rs"]
mod planted;
#[path = "architecture/rules.rs"]
mod rules;

use std::path::{Path, PathBuf};

use rules::{Rule, Source};

/// Every Rust source of the repository, and every manifest of a crate.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in ["src", "providers", "tests", "deploy"] {
        collect(root, &root.join(folder), &mut found);
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<Source>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries {
        let path: PathBuf = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                collect(root, &path, found);
            }
            continue;
        }
        let is_read = path.extension().is_some_and(|extension| extension == "rs")
            || path.file_name().is_some_and(|name| name == "Cargo.toml");
        if is_read {
            let text = std::fs::read_to_string(&path).unwrap();
            let path = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            found.push(Source { path, text });
        }
    }
}

fn hold(rule: Rule) {
    let sources = sources();
    assert!(sources.len() > 100, "only {} files were found: is this the repository?", sources.len());
    let broken: Vec<String> = sources.iter().flat_map(|source| rule.check(source)).collect();
    assert!(broken.is_empty(), "{}\n\n{}", rule.why(), broken.join("\n"));
}

#[test]
fn deciding_is_pure() {
    hold(Rule::Purity);
}

#[test]
fn nothing_behind_the_description_says_ingress() {
    hold(Rule::FrontEndStaysInFront);
}

#[test]
fn the_controller_does_not_know_the_emulator() {
    hold(Rule::EmulatorOnlyInItsCommands);
}

#[test]
fn providers_are_leaves() {
    hold(Rule::ProvidersAreLeaves);
}

#[test]
fn files_are_small_enough_to_read() {
    hold(Rule::FileSize);
}

#[test]
fn files_are_named_for_what_they_hold() {
    hold(Rule::FileNames);
}
