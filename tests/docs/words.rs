//! The words of the program, as its source has them.

use std::collections::BTreeSet;

use regex::Regex;

use super::pages::{Page, files};

/// Text literals in the form of a reason: `ChangeFailed`.
pub(crate) fn literals_like_a_reason(source: &Page) -> BTreeSet<String> {
    source.captured(r#""((?:[A-Z][a-z]+)+)""#)
}

/// Text literals in the form of a key of an annotation, a label or a finalizer.
pub(crate) fn object_keys(source: &Page) -> BTreeSet<String> {
    source.captured(r#""((?:[a-z-]+\.)*(?:gclb\.dev|kubernetes\.io|cloud\.google\.com)/[a-z][a-z.-]*)""#)
}

/// The names of all metrics as Prometheus has them, and of all labels.
pub(crate) fn metrics(source: &Page) -> (BTreeSet<String>, BTreeSet<String>) {
    let counters = source.captured(r"(\w+): Family<\w+, Counter>");
    let pattern = Regex::new(
        r#"registry\.register(?:_with_unit)?\(\s*"(?<name>\w+)",\s*"[^"]*",\s*(?:Unit::(?<unit>\w+),\s*)?(?<field>\w+)\.clone"#,
    )
    .unwrap();
    let registered = pattern.captures_iter(&source.text).map(|found| {
        let unit =
            found.name("unit").map(|unit| format!("_{}", unit.as_str().to_lowercase())).unwrap_or_default();
        let total = if counters.contains(&found["field"]) { "_total" } else { "" };
        format!("gclb_{}{unit}{total}", &found["name"])
    });
    let names: BTreeSet<String> = registered.collect();
    assert_eq!(names.len(), source.matches(r"registry\.register").len(), "a registration was not understood");
    let blocks = source.matches(r"(?s)EncodeLabelSet\)\]\s*struct \w+ \{[^}]*\}");
    let labels = blocks.iter().flat_map(|block| {
        let block = Page { name: String::new(), text: block.clone() };
        block.captured(r"(?m)^    (\w+):")
    });
    (names, labels.collect())
}

/// The flags in a command line.
pub(crate) fn flags(line: &str) -> BTreeSet<String> {
    Page { name: String::new(), text: line.to_owned() }.captured(r"\s(--[a-z][a-z-]*)")
}

/// Every message that a golden case or a snapshot shows.
pub(crate) fn real_messages() -> BTreeSet<String> {
    let mut messages = BTreeSet::new();
    for file in files("tests/golden/cases", "yaml") {
        for line in file.text.lines() {
            let text = line.trim().trim_start_matches("message: ");
            messages.extend(serde_json::from_str::<String>(text));
        }
    }
    for file in files("tests/golden/cases", "txt").into_iter().chain(files("src", "snap")) {
        messages.extend(file.text.lines().map(str::to_owned));
    }
    messages
}
