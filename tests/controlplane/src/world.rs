//! A cluster, a cloud and the controller between them, as one thing for tests.

use std::path::Path;

use crate::cluster::{Cluster, Options};
use crate::control_plane::ControlPlaneError;
use crate::controller::{Controller, ControllerError};
use crate::emulator::{Emulator, EmulatorError};
use crate::kubectl::{Kubectl, KubectlError};
use crate::prerequisite::Missing;
use crate::process::{self, Process, ProcessError};

/// Something of it failed.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The cluster.
    #[error("starting the cluster failed")]
    Cluster(#[from] ControlPlaneError),
    /// Load balancers could not listen.
    #[error("finding ports for load balancers failed")]
    Ports(#[source] Missing),
    /// The cloud.
    #[error("running the cloud failed")]
    Emulator(#[from] EmulatorError),
    /// The controller.
    #[error("running the controller failed")]
    Controller(#[from] ControllerError),
    /// One of its programs.
    #[error("stopping the controller failed")]
    Process(#[from] ProcessError),
    /// A namespace.
    #[error("making a namespace failed")]
    Namespace(#[from] KubectlError),
}

/// A cluster, a cloud and the controller between them. Dropping it stops all of it.
#[derive(Debug)]
pub struct World {
    // In the order in which they are stopped.
    process: Option<Process>,
    controller: Controller,
    emulator: Emulator,
    cluster: Cluster,
}

impl World {
    /// Starts the cluster and the cloud, not yet the controller. `gclb` is the program under test.
    pub async fn start(gclb: &Path, options: Options) -> Result<Self, WorldError> {
        let project = options.project.clone();
        let flags = options.cloud.clone();
        let cluster = Cluster::start(options).await?;
        if let Err(error) = std::net::TcpListener::bind((cluster.site().a_load_balancer(), 80)) {
            let advice = "run as root, or set the sysctl net.ipv4.ip_unprivileged_port_start to 80 or less";
            return Err(WorldError::Ports(Missing(format!(
                "port 80 of a loopback address is refused ({error}): {advice}"
            ))));
        }
        let emulator =
            Emulator::start(gclb, cluster.site(), cluster.control_plane().folder(), &flags).await?;
        emulator.register(cluster.nodes()).await?;
        let controller = Controller::install(cluster.control_plane(), gclb, &project, emulator.url()).await?;
        Ok(Self { process: None, controller, emulator, cluster })
    }

    /// The cluster.
    #[must_use]
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The cluster, to be changed as a whole.
    #[must_use]
    pub fn cluster_mut(&mut self) -> &mut Cluster {
        &mut self.cluster
    }

    /// The cloud.
    #[must_use]
    pub fn emulator(&self) -> &Emulator {
        &self.emulator
    }

    /// How the controller is run. What is changed counts from its next start.
    #[must_use]
    pub fn controller(&mut self) -> &mut Controller {
        &mut self.controller
    }

    /// Where the controller's log is.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.controller.log
    }

    /// Starts the controller; does nothing when it was started before.
    pub fn start_controller(&mut self) -> Result<(), WorldError> {
        if self.process.is_none() {
            self.process = Some(self.controller.start()?);
        }
        Ok(())
    }

    /// Ends the controller with SIGKILL: no code of it runs any more when this returns.
    pub fn kill_controller(&mut self) -> Result<(), WorldError> {
        if let Some(mut process) = self.process.take() {
            process.kill()?;
        }
        Ok(())
    }

    /// Whether the controller was started and still runs.
    pub fn controller_runs(&mut self) -> Result<bool, WorldError> {
        match &mut self.process {
            Some(process) => Ok(process.ended()?.is_none()),
            None => Ok(false),
        }
    }

    /// The real `kubectl`, with all rights, in a namespace that is made if need be.
    pub async fn namespace(&self, name: &str) -> Result<Kubectl, WorldError> {
        let kubectl = self.cluster.kubectl();
        let namespace = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{ name: {name} }}\n");
        kubectl.apply(&namespace).await?;
        Ok(kubectl.in_namespace(name))
    }

    /// The last lines of the controller's and the emulator's log, to be shown when something failed.
    #[must_use]
    pub fn log_tails(&self) -> String {
        let folder = self.cluster.control_plane().folder();
        let mut tails = String::new();
        for log in ["emulator.log", "controller.log"].map(|name| folder.join(name)) {
            if log.exists() {
                let tail = process::tail(&log);
                tails.extend(["--- the end of ", &log.display().to_string(), ":\n", &tail, "\n"]);
            }
        }
        tails
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log_tails());
        }
    }
}
