//! The generated files are what the generator makes of the pinned discovery document today.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../examples/generate/catalogue.rs"]
mod catalogue;
#[path = "../examples/generate/digest.rs"]
mod digest;
#[path = "../examples/generate/document.rs"]
mod document;
#[path = "../examples/generate/source.rs"]
mod source;

use std::path::Path;

#[test]
fn generated_files_are_current() {
    let path = match document::download() {
        Ok(path) => path,
        Err(reason) if std::env::var_os("CI").is_some_and(|ci| ci == "true") => panic!("{reason}"),
        Err(reason) => {
            println!("skipped: {reason}");
            return;
        }
    };
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = document::read(&path).unwrap();
    let files = source::files(&document, crate_folder).unwrap();
    assert!(files.len() > 20, "the catalogue is nearly empty");
    let stale: Vec<String> = files
        .into_iter()
        .map(|(name, text)| (format!("src/{name}"), text))
        .chain([(digest::FILE.to_owned(), digest::text(&document).unwrap())])
        .filter(|(name, text)| std::fs::read_to_string(crate_folder.join(name)).ok().as_ref() != Some(text))
        .map(|(name, _)| name)
        .collect();
    assert!(stale.is_empty(), "stale: {stale:?}; run `cargo run -p gce-api --example generate`");
}
