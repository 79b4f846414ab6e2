//! `controlplane up`: a cluster, the cloud and the controller, kept up for a person to try things.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use controlplane::cluster::{Cluster, Options};
use controlplane::controller::Controller;
use controlplane::emulator::Emulator;
use controlplane::process::Process;

/// How long the controller may take to stop by itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// How `up` is called.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The gclb program [default: the one beside this program]
    #[arg(long, value_name = "FILE")]
    gclb: Option<PathBuf>,
    /// The project that the instances are in
    #[arg(long, default_value = "demo")]
    project: String,
    /// The zone of each node (repeatable)
    #[arg(long = "zone", value_name = "ZONE", default_values = ["us-central1-a", "us-central1-b"])]
    zones: Vec<String>,
    /// Start no controller, to run one by hand
    #[arg(long)]
    without_controller: bool,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { gclb, project, zones, without_controller } = arguments;
    let gclb = gclb.map_or_else(beside_this_program, Ok)?;
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);

    println!("Starting etcd, the API server and the controllers …");
    let cluster = tokio::select! {
        cluster = Cluster::start(Options { project: project.clone(), zones, cloud: Vec::new() }) => cluster?,
        _ = &mut interrupted => return Ok(()),
    };
    let folder = cluster.control_plane().folder();
    let mut emulator = Emulator::start(&gclb, cluster.site(), folder, &[""; 0]).await?;
    emulator.register(cluster.nodes()).await?;
    let installed = Controller::install(cluster.control_plane(), &gclb, &project, emulator.url()).await?;
    let mut controller = if without_controller { None } else { Some(installed.start()?) };

    let environment = folder.join("environment.sh");
    std::fs::write(&environment, environment_text(&cluster, &emulator, &installed))
        .with_context(|| format!("writing {}", environment.display()))?;
    print!("{}", greeting(&cluster, &emulator, &installed, &environment));

    let ended = async {
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            for process in controller.iter_mut().chain([emulator.process()]) {
                if let Some(status) = process.ended()? {
                    anyhow::bail!(
                        "{} ended with {status}; its last lines:\n{}",
                        process.name(),
                        process.log_tail()
                    );
                }
            }
        }
    };
    let outcome = tokio::select! {
        ended = ended => ended,
        _ = &mut interrupted => Ok(()),
    };
    println!("\nStopping …");
    if let Some(controller) = &mut controller {
        stop(controller).await?;
    }
    stop(emulator.process()).await?;
    outcome
}

async fn stop(process: &mut Process) -> anyhow::Result<()> {
    if process.ended()?.is_none() {
        process.terminate(PATIENCE).await?;
    }
    Ok(())
}

fn beside_this_program() -> anyhow::Result<PathBuf> {
    let gclb = std::env::current_exe()?.with_file_name("gclb");
    anyhow::ensure!(gclb.is_file(), "there is no {}; build it, or name it with --gclb", gclb.display());
    Ok(gclb)
}

fn environment_text(cluster: &Cluster, emulator: &Emulator, controller: &Controller) -> String {
    let control_plane = cluster.control_plane();
    let mut text = String::new();
    for (name, value) in [
        ("KUBECONFIG", control_plane.admin_kubeconfig().display().to_string()),
        ("CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE", emulator.compute_endpoint()),
        ("CLOUDSDK_AUTH_DISABLE_CREDENTIALS", "true".into()),
        ("CLOUDSDK_CORE_PROJECT", controller.project.clone()),
        // Its settings and logs stay out of the user's own.
        ("CLOUDSDK_CONFIG", control_plane.folder().join("gcloud").display().to_string()),
        ("CLOUDSDK_CORE_DISABLE_USAGE_REPORTING", "true".into()),
        ("GCLB_CLOUD_ENDPOINT", emulator.url().into()),
        ("GCLB_PROJECT", controller.project.clone()),
    ] {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "export {name}='{value}'");
    }
    let _ = writeln!(text, "export PATH='{}':\"$PATH\"", control_plane.assets().folder().display());
    text
}

fn greeting(cluster: &Cluster, emulator: &Emulator, controller: &Controller, environment: &Path) -> String {
    let folder = cluster.control_plane().folder().display();
    format!(
        "
A cluster with {nodes} nodes, a cloud at {cloud}, and the controller between them.

In another terminal:

    source {environment}
    kubectl apply -f deploy/examples/walkthrough
    kubectl get ing --watch
    gcloud compute forwarding-rules list
    curl -k https://ADDRESS

    kubectl describe ing          what was made, and what is wrong
    curl {cloud}/_emulator/       what the cloud holds
    less {log}
    less {folder}/emulator.log

Ctrl-C stops everything and removes {folder}.
",
        nodes = cluster.nodes().len(),
        cloud = emulator.url(),
        environment = environment.display(),
        log = controller.log.display(),
    )
}
