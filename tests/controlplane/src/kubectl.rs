//! The real `kubectl`, of the same release as the API server.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Output, Stdio};

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// `kubectl` with a kubeconfig and a namespace.
#[derive(Debug, Clone)]
pub struct Kubectl {
    pub(crate) program: PathBuf,
    pub(crate) kubeconfig: PathBuf,
    /// Its discovery cache goes here and not into the user's home.
    pub(crate) home: PathBuf,
    pub(crate) namespace: String,
}

/// `kubectl` did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum KubectlError {
    /// It could not be run.
    #[error("running kubectl {arguments} failed")]
    Run {
        /// What it was asked.
        arguments: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// It refused, or the API server did.
    #[error("kubectl {arguments}: {message}")]
    Refused {
        /// What it was asked.
        arguments: String,
        /// What it printed on standard error.
        message: String,
    },
}

impl Kubectl {
    /// The same for another namespace.
    #[must_use]
    pub fn in_namespace(&self, namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), ..self.clone() }
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
        let said = || arguments.iter().map(|a| a.as_ref().to_string_lossy()).collect::<Vec<_>>().join(" ");
        let Output { status, stdout, stderr } = self
            .output(arguments, input)
            .await
            .map_err(|source| KubectlError::Run { arguments: said(), source })?;
        if !status.success() {
            let message = String::from_utf8_lossy(&stderr).trim().to_owned();
            return Err(KubectlError::Refused { arguments: said(), message });
        }
        Ok(String::from_utf8_lossy(&stdout).into_owned())
    }

    async fn output<Argument: AsRef<OsStr>>(
        &self,
        arguments: &[Argument],
        input: &str,
    ) -> std::io::Result<Output> {
        let mut child = Command::new(&self.program)
            .arg(format!("--namespace={}", self.namespace))
            .args(arguments)
            .env("KUBECONFIG", &self.kubeconfig)
            .env("HOME", &self.home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(mut pipe) = child.stdin.take() {
            // One that does not read its input closes it, which is no failure.
            let _ = pipe.write_all(input.as_bytes()).await;
        }
        child.wait_with_output().await
    }
}
