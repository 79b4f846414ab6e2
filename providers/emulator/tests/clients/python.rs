//! Python: `google-cloud-compute`, in an environment of its own.

use crate::program::{Failure, needed, run};
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};
use tokio::process::Command;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/python");

/// The interpreter of an environment with the pinned packages. Made once for each version of Python and set of pins.
async fn interpreter() -> Result<PathBuf, Failure> {
    let version = run(Command::new("python3").arg("-VV")).await?;
    let pins = std::fs::read(Path::new(FOLDER).join("requirements.txt")).unwrap();
    let key = Sha256::new().chain_update(version).chain_update(pins).finalize();
    let key = u64::from_be_bytes(key[..8].try_into().unwrap());
    let environment = crate::cache::folder().join(format!("python-{key:016x}"));
    if !environment.is_dir() {
        // It appears under its name only when it is complete, so that its being there is enough.
        let unfinished = environment.with_extension(std::process::id().to_string());
        run(Command::new("python3").args(["-m", "venv"]).arg(&unfinished)).await?;
        let install =
            ["-m", "pip", "install", "--quiet", "--require-hashes", "--only-binary=:all:", "--requirement"];
        run(Command::new(unfinished.join("bin/python"))
            .args(install)
            .arg("requirements.txt")
            .current_dir(FOLDER))
        .await?;
        // Somebody else may have been faster, and theirs is as good.
        if std::fs::rename(&unfinished, &environment).is_err() {
            std::fs::remove_dir_all(&unfinished).unwrap();
        }
    }
    Ok(environment.join("bin/python"))
}

#[tokio::test]
#[ignore = "long: the first time, installs Google's Python library"]
async fn the_python_library_builds_uses_and_takes_down_a_load_balancer() {
    let Some(python) = needed("Python 3 with pip and venv", interpreter().await) else { return };
    crate::runs(|| {
        let mut command = Command::new(&python);
        command.arg("load_balancer.py").current_dir(FOLDER);
        command
    })
    .await;
}
