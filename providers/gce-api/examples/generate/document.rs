//! Where the discovery document comes from.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The Go module that carries the document. The version pins the revision of the API that the types describe.
pub(crate) const MODULE: &str = "google.golang.org/api@v0.293.0";

/// The document's path inside the module.
pub(crate) const FILE: &str = "compute/v1/compute-api.json";

/// Fetches the module through Go's own cache and returns the path of the document in it.
pub(crate) fn download() -> Result<PathBuf, String> {
    let output = Command::new("go")
        .args(["mod", "download", "-json", MODULE])
        // Outside a module, so that no go.mod of the caller is read or changed.
        .current_dir(std::env::temp_dir())
        .output()
        .map_err(|error| format!("run `go mod download` (is Go installed?): {error}"))?;
    let answer: Value = serde_json::from_slice(&output.stdout).map_err(|error| {
        format!(
            "`go mod download {MODULE}` gave no JSON: {error}; {}",
            String::from_utf8_lossy(&output.stderr)
        )
    })?;
    match answer.get("Dir").and_then(Value::as_str) {
        Some(folder) => Ok(Path::new(folder).join(FILE)),
        None => Err(format!("`go mod download {MODULE}` failed: {answer}")),
    }
}

/// Reads the document.
pub(crate) fn read(path: &Path) -> Result<Value, String> {
    let text = std::fs::read(path).map_err(|error| format!("read {}: {error}", path.display()))?;
    serde_json::from_slice(&text).map_err(|error| format!("parse {}: {error}", path.display()))
}
