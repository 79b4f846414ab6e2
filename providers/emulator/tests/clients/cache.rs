//! Where things that are expensive to make are kept between runs.

use std::env;
use std::path::PathBuf;

/// The folder of the clients in the project's cache, outside the checkout.
pub(crate) fn folder() -> PathBuf {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let root = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
    let folder = root.expect("a cache needs XDG_CACHE_HOME or HOME").join("gclb/clients");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
