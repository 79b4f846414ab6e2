//! The words of the program, as its source has them.

use std::collections::BTreeSet;

use super::pages::{Page, files};

/// Text literals in the form of a reason: `ChangeFailed`.
pub(crate) fn literals_like_a_reason(source: &Page) -> BTreeSet<String> {
    source.captured(r#""((?:[A-Z][a-z]+)+)""#)
}

/// Text literals in the form of a key of an annotation, a label or a finalizer.
pub(crate) fn object_keys(source: &Page) -> BTreeSet<String> {
    source.captured(r#""((?:[a-z-]+\.)*(?:gclb\.dev|kubernetes\.io|cloud\.google\.com)/[a-z][a-z.-]*)""#)
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
