//! Where the programs of the control plane come from.
//!
//! Looked up in this order: the folder named by `KUBEBUILDER_ASSETS`; a cache outside the checkout, keyed by
//! everything that goes into the build; else they are built into that cache, once, from Go modules (`assets/build.rs`).
//!
//! It deliberately never takes programs from `PATH`: the versions of all four must be known, and belong together.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

mod build;

/// The release of Kubernetes that is built, as `k8s.io/kubernetes` names it. The same stands in `go/go.mod`.
pub const KUBERNETES_VERSION: &str = "v1.36.3";

/// The Go module that pins what is built. Part of this program, so that it builds anywhere.
const MODULE: [(&str, &str); 3] = [
    ("go.mod", include_str!("../go/go.mod")),
    ("go.sum", include_str!("../go/go.sum")),
    ("tools.go", include_str!("../go/tools.go")),
];

/// The four programs, all in one folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assets {
    folder: PathBuf,
}

/// One of the programs that make up the control plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// The store behind the API server.
    Etcd,
    /// The API server.
    ApiServer,
    /// The controllers: Deployments, `EndpointSlices`, garbage collection and so on.
    ControllerManager,
    /// The command line client.
    Kubectl,
}

impl Program {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Etcd, Self::ApiServer, Self::ControllerManager, Self::Kubectl];

    /// The name of its file.
    #[must_use]
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Kubectl => "kubectl",
        }
    }

    /// The Go package it is built from.
    fn go_package(self) -> &'static str {
        match self {
            Self::Etcd => "go.etcd.io/etcd/server/v3",
            Self::ApiServer => "k8s.io/kubernetes/cmd/kube-apiserver",
            Self::ControllerManager => "k8s.io/kubernetes/cmd/kube-controller-manager",
            Self::Kubectl => "k8s.io/kubernetes/cmd/kubectl",
        }
    }
}

/// Why the programs could not be had.
#[derive(Debug, thiserror::Error)]
pub enum AssetsError {
    /// A folder was named but does not hold all of them.
    #[error(
        "finding the control plane in KUBEBUILDER_ASSETS={}: it holds no {program} (setup-envtest ships none of \
         kube-controller-manager). Put one of the same release there, or unset KUBEBUILDER_ASSETS to have all \
         of them built",
        folder.display()
    )]
    Incomplete {
        /// What `KUBEBUILDER_ASSETS` names.
        folder: PathBuf,
        /// The file that is not there.
        program: &'static str,
    },
    /// No place for the cache.
    #[error(
        "choosing a cache for the control plane: neither XDG_CACHE_HOME nor HOME is set; set one of them"
    )]
    NoCache,
    /// No Go toolchain.
    #[error(
        "building the control plane: there is no 'go' on PATH. Install Go 1.26 or newer, or set KUBEBUILDER_ASSETS \
         to a folder with etcd, kube-apiserver, kube-controller-manager and kubectl"
    )]
    GoMissing,
    /// The file system refused.
    #[error("building the control plane: {action} {} failed", path.display())]
    File {
        /// What was being done.
        action: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The Go toolchain could not be run.
    #[error("building the control plane: running '{command}' failed")]
    Run {
        /// The command.
        command: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The Go toolchain refused.
    #[error("building the control plane: '{command}' ended with {status}:\n{output}")]
    Go {
        /// The command.
        command: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// The last lines it printed.
        output: String,
    },
}

impl Assets {
    /// Finds the programs, or builds them. The first build takes minutes and says how far it is on standard error.
    pub fn find_or_build() -> Result<Self, AssetsError> {
        if let Some(folder) = std::env::var_os("KUBEBUILDER_ASSETS").filter(|folder| !folder.is_empty()) {
            return Self::in_folder(PathBuf::from(folder));
        }
        let cache = cache_root()?.join("gclb/controlplane");
        let folder = cache.join(format!("{KUBERNETES_VERSION}-{}", build_key()));
        // The folder appears only when it is complete, so that its being there is enough.
        if !folder.is_dir() {
            build::into(&folder, &cache)?;
        }
        Ok(Self { folder })
    }

    fn in_folder(folder: PathBuf) -> Result<Self, AssetsError> {
        let assets = Self { folder };
        for program in Program::ALL {
            if !assets.path(program).is_file() {
                return Err(AssetsError::Incomplete { folder: assets.folder, program: program.file_name() });
            }
        }
        Ok(assets)
    }

    /// Where one of the programs is.
    #[must_use]
    pub fn path(&self, program: Program) -> PathBuf {
        self.folder.join(program.file_name())
    }

    /// The folder that holds all of them; with it in front of `PATH`, `kubectl` is ours.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

fn cache_root() -> Result<PathBuf, AssetsError> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache"))).ok_or(AssetsError::NoCache)
}

/// A name for everything that goes into the build: a change of any of it is another folder of the cache.
fn build_key() -> String {
    let mut hash = Sha256::new();
    for (name, text) in MODULE {
        hash.update(name);
        hash.update(text);
    }
    for argument in build::arguments() {
        hash.update(argument);
        hash.update([0]);
    }
    hash.update(std::env::consts::OS);
    hash.update(std::env::consts::ARCH);
    let digest = hash.finalize();
    digest.iter().take(6).fold(String::new(), |key, byte| format!("{key}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_one_in_the_go_module() {
        let (_, text) = MODULE[0];
        assert!(text.contains(&format!("k8s.io/kubernetes {KUBERNETES_VERSION}")));
    }

    #[test]
    fn a_folder_that_lacks_a_program_is_refused_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        for program in ["etcd", "kube-apiserver", "kubectl"] {
            std::fs::write(folder.path().join(program), "").unwrap();
        }
        let error = Assets::in_folder(folder.path().to_owned()).unwrap_err().to_string();
        assert!(error.contains("it holds no kube-controller-manager"), "{error}");
        std::fs::write(folder.path().join("kube-controller-manager"), "").unwrap();
        Assets::in_folder(folder.path().to_owned()).unwrap();
    }

    #[test]
    fn the_build_key_is_a_plain_folder_name() {
        let key = build_key();
        assert_eq!(key.len(), 12);
        assert!(key.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
