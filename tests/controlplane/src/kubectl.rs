//! The real `kubectl`, of the same release as the API server.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Output;

use tokio::process::Command;

use crate::command;

/// `kubectl` with a kubeconfig and a namespace.
#[derive(Debug, Clone)]
pub struct Kubectl {
    pub(crate) program: PathBuf,
    pub(crate) kubeconfig: PathBuf,
    /// Its discovery cache goes here and not into the user's home.
    pub(crate) home: PathBuf,
    /// `None`: the kubeconfig's, and manifests may name others.
    pub(crate) namespace: Option<String>,
}

/// `kubectl` did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum KubectlError {
    /// It could not be run.
    #[error("running '{command}' failed")]
    Run {
        /// What it was asked.
        command: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// It refused, or the API server did.
    #[error("{command}: {message}")]
    Refused {
        /// What it was asked.
        command: String,
        /// What it printed on standard error.
        message: String,
    },
}

impl Kubectl {
    /// The same for another namespace.
    #[must_use]
    pub fn in_namespace(&self, namespace: &str) -> Self {
        Self { namespace: Some(namespace.to_owned()), ..self.clone() }
    }

    /// Runs it and returns what it printed on standard output.
    pub async fn run<Argument: AsRef<OsStr>>(&self, arguments: &[Argument]) -> Result<String, KubectlError> {
        self.run_with_input(arguments, "").await
    }

    /// `kubectl apply -f -` with these manifests.
    pub async fn apply(&self, manifests: &str) -> Result<String, KubectlError> {
        self.run_with_input(&["apply", "-f", "-"], manifests).await
    }

    /// Runs it with something on its standard input.
    pub async fn run_with_input<Argument: AsRef<OsStr>>(
        &self,
        arguments: &[Argument],
        input: &str,
    ) -> Result<String, KubectlError> {
        let mut kubectl = Command::new(&self.program);
        kubectl
            .args(self.namespace.iter().map(|namespace| format!("--namespace={namespace}")))
            .args(arguments)
            .env("KUBECONFIG", &self.kubeconfig)
            .env("HOME", &self.home);
        let said = || command::spelled("kubectl", arguments);
        let Output { status, stdout, stderr } = command::output(&mut kubectl, input)
            .await
            .map_err(|source| KubectlError::Run { command: said(), source })?;
        if !status.success() {
            let message = String::from_utf8_lossy(&stderr).trim().to_owned();
            return Err(KubectlError::Refused { command: said(), message });
        }
        Ok(String::from_utf8_lossy(&stdout).into_owned())
    }
}
