//! Replays recorded Compute Engine traffic against the emulator, in order, and compares every answer.
//!
//! The folder comes from `GCLB_RECORDINGS`, or is `../shared/recordings` beside the workspace. What is normalised, and what
//! is not compared, is what the recordings' own notes say; see `replay/normal.rs`. Three reads after an update or a patch
//! were recorded from a stand-in that appended to lists where the API replaces them; the replay undoes that where it bears
//! the marks, and counts it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod replay;

use replay::{Outcome, Story};
use std::path::PathBuf;

fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("GCLB_RECORDINGS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/recordings"),
        PathBuf::from,
    );
    if folder.is_dir() {
        return Some(folder);
    }
    let message = format!("no recordings at {}; set GCLB_RECORDINGS to their folder", folder.display());
    assert!(std::env::var_os("CI").is_none(), "{message}");
    eprintln!("skipped: {message}");
    None
}

#[tokio::test]
async fn recorded_traffic_is_answered_alike() {
    let Some(folder) = folder() else { return };
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "the folder has no recordings");
    let mut total = Outcome::default();
    let mut differences = Vec::new();
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let story = Story::read(&file);
        if let Some(collection) = story.unknown_collection() {
            println!("{name}: not covered, the emulator has no {collection}");
            continue;
        }
        let outcome = story.replay().await;
        println!(
            "{name}: {} exchanges, {} compared, {} of them corrected, {} differ",
            outcome.exchanges,
            outcome.compared,
            outcome.corrected,
            outcome.differences.len()
        );
        differences.extend(outcome.differences.iter().map(|difference| format!("{name}: {difference}")));
        total.exchanges += outcome.exchanges;
        total.compared += outcome.compared;
        total.corrected += outcome.corrected;
    }
    println!(
        "in all: {} exchanges, {} compared, {} corrected",
        total.exchanges, total.compared, total.corrected
    );
    assert!(total.compared > 0, "nothing was compared");
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}
