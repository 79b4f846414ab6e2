//! `gclb controller` as a child process, with the rights of its own service account.

use std::path::{Path, PathBuf};

use crate::control_plane::{ControlPlane, ControlPlaneError};
use crate::kubectl::KubectlError;
use crate::process::{Process, ProcessError, Program};

/// The manifests a cluster's administrator applies, except for the Deployment: the controller runs outside the cluster here.
const MANIFESTS: [&str; 7] = [
    include_str!("../../../deploy/crds/backendconfigs.cloud.google.com.yaml"),
    include_str!("../../../deploy/crds/frontendconfigs.networking.gke.io.yaml"),
    include_str!("../../../deploy/crds/managedcertificates.networking.gke.io.yaml"),
    include_str!("../../../deploy/crds/servicenetworkendpointgroups.networking.gke.io.yaml"),
    include_str!("../../../deploy/manifests/00-namespace.yaml"),
    include_str!("../../../deploy/manifests/rbac.yaml"),
    include_str!("../../../deploy/manifests/ingressclass.yaml"),
];

/// Starting the controller failed.
#[derive(Debug, thiserror::Error)]
pub enum ControllerError {
    /// Its namespace, rights and class could not be made.
    #[error("applying deploy/crds and deploy/manifests failed")]
    Manifests(#[from] KubectlError),
    /// Its credentials could not be made.
    #[error("making the controller's credentials failed")]
    Credentials(#[from] ControlPlaneError),
    /// It did not start.
    #[error("starting the controller failed")]
    Process(#[from] ProcessError),
}

/// How `gclb controller` is to be run.
#[derive(Debug, Clone)]
pub struct Controller {
    /// The `gclb` program.
    pub program: PathBuf,
    /// Whose rights it has.
    pub kubeconfig: PathBuf,
    /// The project it makes load balancers in.
    pub project: String,
    /// The cloud, as [`crate::emulator::Emulator::url`] gives it.
    pub cloud_endpoint: String,
    /// Where its log goes.
    pub log: PathBuf,
    /// More flags.
    pub arguments: Vec<String>,
}

impl Controller {
    /// Applies the manifests that the controller needs, and describes how to run it with the rights they give.
    pub async fn install(
        control_plane: &ControlPlane,
        program: &Path,
        project: &str,
        cloud_endpoint: &str,
    ) -> Result<Self, ControllerError> {
        control_plane.kubectl().apply(&MANIFESTS.join("\n---\n")).await?;
        Ok(Self {
            program: program.to_owned(),
            kubeconfig: control_plane.service_account_kubeconfig("gclb-system", "gclb").await?,
            project: project.to_owned(),
            cloud_endpoint: cloud_endpoint.to_owned(),
            log: control_plane.folder().join("controller.log"),
            arguments: Vec::new(),
        })
    }

    /// Starts it. It can be started again after it has ended; the log goes on.
    pub fn start(&self) -> Result<Process, ControllerError> {
        let Self { program, kubeconfig, project, cloud_endpoint, log, arguments } = self;
        let mut all = vec![
            "controller".into(),
            format!("--kubeconfig={}", kubeconfig.display()),
            format!("--project={project}"),
            format!("--cloud-endpoint={cloud_endpoint}"),
            "--listen=127.0.0.1:0".into(),
        ];
        all.extend(arguments.iter().cloned());
        Ok(Process::start(&Program {
            name: "gclb controller".into(),
            path: program.clone(),
            arguments: all.into_iter().map(Into::into).collect(),
            environment: Vec::new(),
            log: log.clone(),
        })?)
    }
}
