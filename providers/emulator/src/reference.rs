//! The reference in `docs/emulator/reference/`: what is emulated, method by method and field by field.
//!
//! Nothing in it is written by hand. The methods are those of the discovery document, each asked of the router; the
//! fields are those of the declarations, held against the document's; whether the data plane acts on a field is found
//! out by compiling programs with and without it. It is part of the tests only: the product carries none of it.
//!
//! `make reference` writes the pages; the test below says when they are stale.

mod collection;
pub(crate) mod discovery;
mod effect;
mod overview;
mod place;
mod sample;

use self::discovery::Discovery;
use self::effect::Workbench;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The pages, by file name.
fn pages() -> BTreeMap<String, String> {
    let discovery = Discovery::read();
    let workbench = Workbench::new();
    let mut pages: BTreeMap<String, String> = crate::api::RESOURCES
        .iter()
        .map(|resource| {
            let text = collection::page(resource, &discovery, &workbench);
            (format!("{}.md", resource.collection), text)
        })
        .collect();
    pages.insert("README.md".to_owned(), overview::page(&discovery));
    pages
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/emulator/reference")
}

/// What lies in the folder now.
fn written() -> BTreeMap<String, String> {
    let Ok(files) = std::fs::read_dir(folder()) else { return BTreeMap::new() };
    files
        .map(|file| {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

#[test]
#[ignore = "long: compiles ten thousand programs"]
fn the_reference_is_current() {
    let pages = pages();
    let written = written();
    if std::env::var("GCLB_REFERENCE").is_ok_and(|wish| wish == "rewrite") {
        std::fs::create_dir_all(folder()).unwrap();
        for name in written.keys().filter(|name| !pages.contains_key(*name)) {
            std::fs::remove_file(folder().join(name)).unwrap();
        }
        for (name, text) in &pages {
            std::fs::write(folder().join(name), text).unwrap();
        }
        return;
    }
    let stale: Vec<&String> =
        pages.keys().chain(written.keys()).filter(|name| pages.get(*name) != written.get(*name)).collect();
    assert!(
        stale.is_empty(),
        "stale in docs/emulator/reference: {stale:?}; run `make reference` and look at the diff"
    );
}
