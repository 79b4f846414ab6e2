//! Golden cases: manifests in, and out comes what should exist, what would change, and what the user is told.
//!
//! Each folder below `golden/cases` is one case, made to be read:
//!
//! * `input.yaml`: the manifests, with a comment on top that says what the case is about.
//! * `before.yaml`: where there was something before, its manifests. The cloud then holds what they led to, and our finalizer is on
//!   every Ingress that was ours.
//! * `desired.txt`: what should exist, and what is wrong with the input.
//! * `plan.txt`: what would change, from nothing or from what was before.
//! * `status.yaml`: what is written to each Ingress when the plan is done and every backend is healthy.
//! * `diagnostics.txt`: what the manifests themselves have wrong, where they do.
//!
//! `GCLB_GOLDEN=rewrite cargo test --test golden` writes the expected files anew. Read the difference before you commit it: it is what
//! your change means.
//!
//! Every case is also held to two rules: once its plan is done there is nothing left to do, and translating it is repeatable.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "golden/case.rs"]
mod case;
#[path = "golden/describe.rs"]
mod describe;
#[path = "golden/report.rs"]
mod report;

use std::path::{Path, PathBuf};

use case::Case;

/// Fewer than this means that cases were lost.
const LEAST: usize = 40;

fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/cases");
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

#[test]
fn every_case_is_as_expected() {
    let rewrite = std::env::var("GCLB_GOLDEN").is_ok_and(|value| value == "rewrite");
    let folders = folders();
    assert!(folders.len() >= LEAST, "only {} cases were found", folders.len());
    let mut failures = Vec::new();
    for folder in &folders {
        let case = Case::read(folder);
        let results = case.run();
        for (file, actual) in results {
            let path = folder.join(file);
            let expected = std::fs::read_to_string(&path).ok();
            if expected == actual {
                continue;
            }
            match (rewrite, actual) {
                (true, Some(actual)) => std::fs::write(&path, actual).unwrap(),
                (true, None) => std::fs::remove_file(&path).unwrap(),
                (false, actual) => failures.push(difference(&path, expected, actual)),
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{}\n{} files are not as expected; where they should be as they are now, run with GCLB_GOLDEN=rewrite and read the difference",
        failures.join("\n"),
        failures.len()
    );
}

/// The first lines that differ.
fn difference(path: &Path, expected: Option<String>, actual: Option<String>) -> String {
    let (expected, actual) = (expected.unwrap_or_default(), actual.unwrap_or_default());
    let (mut old, mut new) = (expected.lines(), actual.lines());
    for number in 1.. {
        let (was, is) = (old.next(), new.next());
        if was != is || was.is_none() {
            let text = |line: Option<&str>| line.unwrap_or("(end of file)").to_owned();
            return format!(
                "{}:{number}\n  expected: {}\n    actual: {}",
                path.display(),
                text(was),
                text(is)
            );
        }
    }
    String::new()
}

#[test]
fn every_case_says_what_it_is_about() {
    for folder in folders() {
        let text = std::fs::read_to_string(folder.join("input.yaml")).unwrap();
        assert!(text.starts_with("# "), "{}: the first line is no comment", folder.display());
        for entry in std::fs::read_dir(&folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let known =
                ["input.yaml", "before.yaml", "desired.txt", "plan.txt", "status.yaml", "diagnostics.txt"];
            assert!(known.contains(&name.as_str()), "{}: what is {name} for?", folder.display());
        }
    }
}
