//! `gclb local`: a folder of manifests, served on this machine.
//!
//! The same controller as in a cluster runs here, between two stand-ins: the [folder](crate::controller::folder) for the API server and
//! the emulator for Compute Engine, both in this process. What runs in a cluster beside them is here too: [`machines`].

mod curl;
mod demo;
mod display;
mod machines;
mod network;
mod screen;
mod source;
mod table;

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use emulator::{Config, Emulator, Latency, Running, StartError};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::emulator::Credentials;
use super::report::out;
use super::stop;
use crate::cloud::Ownership;
use crate::cloud::gce::Gce;
use crate::config::LogArguments;
use crate::controller::folder::FolderSource;
use crate::controller::{self, Progress};
use crate::metrics::Metrics;
use crate::model::{ClusterId, Zone};
use crate::snapshot::Cluster;
use crate::snapshot::manifests::{self, Supplies};
use display::{Display, State};
use machines::Machines;
use network::Network;
use screen::Screen;
use source::LocalSource;

/// Where the API of the cloud listens, if nobody else does.
const API_PORT: u16 = 8787;
/// Added to ports where the usual ones are refused: 80 becomes 8080, 443 becomes 8443.
const FALLBACK_OFFSET: u16 = 8000;
/// Health checks are this much faster than in the real cloud: there, a backend takes the better part of a minute to be healthy.
const HEALTH_TIME_SCALE: f64 = 0.05;

const EXAMPLES: &str = "\
Examples:
  gclb local deploy/examples/walkthrough
      serves it, and prints the curl lines to try; edit the files and watch what happens
  gclb local deploy/examples/walkthrough --demo
      tries those lines itself, shows the answers, and ends: 0 if they are as they should be
  gclb local . --operation-latency 1000
      with a cloud that takes as long as the real one

Ports below 1024 need root or the setting net.ipv4.ip_unprivileged_port_start; where they are refused, 8000 is added to every port.";

/// Everything runs in this process and on loopback addresses: nothing is sent to a cloud or a cluster, and nothing is left running.
/// The folder is the truth: what is removed from it is deleted.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Folders and files of manifests (.yaml, .yml, .json); they are watched for edits
    #[arg(required = true, value_name = "DIR")]
    paths: Vec<PathBuf>,
    /// Wait until everything is ready, try the curl lines, show the answers, and end
    #[arg(long, visible_alias = "once")]
    demo: bool,
    /// How long --demo waits
    #[arg(long, value_name = "SECONDS", default_value_t = 60, env = "GCLB_DEMO_TIMEOUT")]
    timeout: u64,
    /// Where the API of the cloud listens, for gcloud and curl [default: 127.0.0.1:8787, or any port if that is taken]
    #[arg(long, value_name = "ADDR:PORT", env = "GCE_EMULATOR_LISTEN")]
    listen: Option<SocketAddr>,
    /// Added to the ports of load balancers [default: 0, or 8000 where ports below 1024 are refused]
    #[arg(long, value_name = "N", env = "GCE_EMULATOR_PORT_OFFSET")]
    port_offset: Option<u16>,
    /// How long an operation of the cloud takes, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 20, env = "GCE_EMULATOR_OPERATION_LATENCY")]
    operation_latency: u64,
    /// The project that is made up for it
    #[arg(long, value_name = "ID", default_value = "local", env = "GCLB_PROJECT")]
    project: String,
    /// The VPC network of the nodes
    #[arg(long, value_name = "NAME", default_value = "default", env = "GCLB_NETWORK")]
    network: String,
    /// The nodes' subnetwork
    #[arg(long, value_name = "NAME", default_value = "default", env = "GCLB_SUBNETWORK")]
    subnetwork: String,
    /// Where nodes are that do not say where they are
    #[arg(long, value_name = "NAME", default_value = "us-central1-a", env = "GCLB_ZONE")]
    zone: String,
    /// The cluster that the folder stands for: eight hexadecimal digits [default: always the same]
    #[arg(long, value_name = "ID", env = "GCLB_CLUSTER_ID", value_parser = crate::config::cluster_id)]
    cluster_id: Option<ClusterId>,
    #[command(flatten)]
    log: LogArguments,
}

/// Why it did not run.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
enum LocalError {
    #[error("starting the emulated cloud")]
    Emulator(#[source] StartError),
    #[error("preparing to call the emulated cloud")]
    Client(#[source] gce::BuildError),
    #[error("waiting for the signal to stop")]
    Signal(#[source] std::io::Error),
}

/// What the controller tells.
enum Told {
    Troubled(String),
}

/// Everything that runs.
struct Stage {
    folder: Arc<FolderSource>,
    cloud: Arc<Running>,
    port_offset: u16,
    stop: CancellationToken,
    controller: JoinHandle<()>,
    machines: JoinHandle<Machines>,
    /// Whether the controller has nothing to do at present.
    settled: watch::Receiver<bool>,
    told: mpsc::UnboundedReceiver<Told>,
}

pub(super) async fn run(arguments: Arguments) -> miette::Result<u8> {
    super::log(&arguments.log, "error")?;
    let asked = stop::asked().map_err(LocalError::Signal)?;
    tokio::pin!(asked);
    let (demo, timeout) = (arguments.demo, Duration::from_secs(arguments.timeout));
    let project = arguments.project.clone();
    let mut stage = Stage::set(arguments).await?;
    out(&super::emulator::usage(&stage.cloud, &project, Credentials::None));
    if stage.port_offset != 0 {
        out(&format!(
            "Ports of load balancers have {} added: 80 is {}, 443 is {}.\n\n",
            stage.port_offset,
            80_u16.saturating_add(stage.port_offset),
            443_u16.saturating_add(stage.port_offset)
        ));
    }
    let mut screen = Screen::new(!demo);
    let mut display = Display::new(Arc::clone(&stage.folder), stage.port_offset, screen.colours());
    let result = if demo {
        tokio::select! {
            result = perform(&mut stage, &mut display, &mut screen, timeout) => result,
            () = &mut asked => Ok(super::FAILED),
        }
    } else {
        tokio::select! {
            never = watch_on(&mut stage, &mut display, &mut screen) => never,
            () = &mut asked => Ok(super::DONE),
        }
    };
    screen.leave();
    stage.strike().await;
    result
}

impl Stage {
    async fn set(arguments: Arguments) -> miette::Result<Self> {
        let Arguments {
            paths,
            demo: _,
            timeout: _,
            listen,
            port_offset,
            operation_latency,
            project,
            network: vpc,
            subnetwork,
            zone,
            cluster_id,
            log: _,
        } = arguments;
        let network = Arc::new(Network::reserve()?);
        let cluster = Cluster {
            network: vpc.clone(),
            subnetwork,
            ..Cluster::of(cluster_id.unwrap_or_else(manifests::cluster_id))
        };
        let ownership = Ownership::new(cluster.id.clone());
        let folder = Arc::new(FolderSource::open(&paths, cluster, Supplies { zone: Zone(zone) })?);
        let config = Config {
            address_pool: network.pool,
            dial: network.dial.clone(),
            latency: Latency::of(Duration::from_millis(operation_latency)),
            health_time_scale: HEALTH_TIME_SCALE,
            user: "gclb-local@example.com".to_owned(),
            ..Config::default()
        };
        let (cloud, port_offset) = start(config, listen, port_offset).await.map_err(LocalError::Emulator)?;
        let cloud = Arc::new(cloud);
        let client =
            gce::Client::builder(&project).endpoint(cloud.endpoint()).build().map_err(LocalError::Client)?;
        let metrics = Arc::new(Metrics::default());
        let gce = Arc::new(Gce::new(client, ownership, Arc::clone(&metrics)));

        let stop = CancellationToken::new();
        let (tell, told) = mpsc::unbounded_channel();
        let prepared = Arc::new(Notify::new());
        let mut machines = Machines::new(network, Arc::clone(&cloud), project, vpc);
        report_troubles(&tell, machines.follow(&folder.view(0).world).await);
        let machines = tokio::spawn(follow(
            machines,
            Arc::clone(&folder),
            Arc::clone(&prepared),
            tell.clone(),
            stop.clone(),
        ));
        let (settle, settled) = watch::channel(false);
        let observer = move |progress: Progress<'_>| match progress {
            Progress::Planned(plan) => {
                settle.send_if_modified(|settled| {
                    std::mem::replace(settled, plan.is_empty()) != plan.is_empty()
                });
            }
            Progress::Settled(None) => {
                settle.send_if_modified(|settled| !std::mem::replace(settled, true));
            }
            Progress::Troubled(trouble) => {
                // Nobody listens any more only when all of this is ending.
                let _ = tell.send(Told::Troubled(trouble.to_owned()));
            }
            Progress::Settled(Some(_))
            | Progress::Ended(_)
            | Progress::Reported(..)
            | Progress::Released(_) => {}
        };
        let source = Arc::new(LocalSource { folder: Arc::clone(&folder), prepared });
        let options = controller::Options { metrics, ..controller::Options::default() };
        let controller = tokio::spawn(controller::run(source, gce, options, observer, stop.clone()));
        Ok(Self { folder, cloud, port_offset, stop, controller, machines, settled, told })
    }

    /// Ends everything, in the order that leaves nothing behind.
    async fn strike(self) {
        self.stop.cancel();
        // A panic has been printed already; the rest is ended all the same.
        let _ = self.controller.await;
        if let Ok(machines) = self.machines.await {
            machines.shutdown().await;
        }
        drop(self.folder);
        if let Some(cloud) = Arc::into_inner(self.cloud) {
            cloud.shutdown().await;
        }
    }
}

/// The cloud, at the usual port if it is free and with the usual ports for load balancers if they are allowed, unless the flags say
/// otherwise.
async fn start(
    mut config: Config,
    listen: Option<SocketAddr>,
    port_offset: Option<u16>,
) -> Result<(Running, u16), StartError> {
    config.listen = listen.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, API_PORT)));
    config.port_offset = port_offset.unwrap_or(0);
    loop {
        match Emulator::start(config.clone()).await {
            Err(StartError::LoadBalancerPort { source, .. })
                if source.kind() == ErrorKind::PermissionDenied
                    && port_offset.is_none()
                    && config.port_offset == 0 =>
            {
                config.port_offset = FALLBACK_OFFSET;
            }
            Err(StartError::Listen { source, .. })
                if source.kind() == ErrorKind::AddrInUse && listen.is_none() && config.listen.port() != 0 =>
            {
                config.listen.set_port(0);
            }
            result => return result.map(|running| (running, config.port_offset)),
        }
    }
}

/// Lets the machines agree with the folder, and only then the controller know of it.
async fn follow(
    mut machines: Machines,
    folder: Arc<FolderSource>,
    prepared: Arc<Notify>,
    tell: mpsc::UnboundedSender<Told>,
    stop: CancellationToken,
) -> Machines {
    use crate::controller::source::Source as _;
    while stop.run_until_cancelled(folder.changed()).await.is_some() {
        report_troubles(&tell, machines.follow(&folder.view(0).world).await);
        prepared.notify_one();
    }
    machines
}

fn report_troubles(tell: &mpsc::UnboundedSender<Told>, troubles: Vec<String>) {
    for trouble in troubles {
        // Nobody listens any more only when all of this is ending.
        let _ = tell.send(Told::Troubled(trouble));
    }
}

/// Shows everything, for as long as it is let.
async fn watch_on(stage: &mut Stage, display: &mut Display, screen: &mut Screen) -> miette::Result<u8> {
    let mut changes = stage.folder.watch();
    let mut clock = tokio::time::interval(Duration::from_secs(1));
    let mut troubles = Vec::new();
    loop {
        let mut shown = display.look();
        shown.lines.append(&mut troubles);
        screen.show(&shown.lines, &shown.block);
        tokio::select! {
            // The folder lives as long as the stage.
            _ = changes.changed() => {}
            Some(Told::Troubled(trouble)) = stage.told.recv() => troubles.push(format!("! {trouble}")),
            _ = clock.tick(), if screen.is_live() => {}
        }
    }
}

/// Waits until everything is ready, then types the lines.
async fn perform(
    stage: &mut Stage,
    display: &mut Display,
    screen: &mut Screen,
    timeout: Duration,
) -> miette::Result<u8> {
    let mut last = String::from("nothing has been said yet");
    let ready = tokio::time::timeout(timeout, wait_until_ready(stage, display, screen, &mut last)).await;
    match ready {
        Ok(true) => {}
        Ok(false) => {
            out("\nThere is no Ingress of a class of ours in the folder: nothing to show.\n");
            return Ok(super::FAILED);
        }
        Err(_) => {
            out(&format!("\nNot everything became ready within {} seconds. {last}\n", timeout.as_secs()));
            return Ok(super::FAILED);
        }
    }
    let mut wrong = 0_usize;
    let mut asked = 0_usize;
    for (key, lines) in display.commands_now() {
        out(&format!("\n{key}\n"));
        for line in lines {
            out(&format!("\n  $ {line}\n"));
            let answer = demo::ask(&line).await?;
            asked += 1;
            out(&answer.text);
            match answer.wrong {
                None => out("    as it should be\n"),
                Some(why) => {
                    wrong += 1;
                    out(&format!("    WRONG: {why}\n"));
                }
            }
        }
    }
    out(&format!("\n{} of {asked} answers are as they should be.\n", asked - wrong));
    Ok(if wrong == 0 && asked > 0 { super::DONE } else { super::FAILED })
}

/// False where there is nothing to wait for.
async fn wait_until_ready(
    stage: &mut Stage,
    display: &mut Display,
    screen: &mut Screen,
    last: &mut String,
) -> bool {
    let mut changes = stage.folder.watch();
    let mut troubles = Vec::new();
    loop {
        let mut shown = display.look();
        shown.lines.append(&mut troubles);
        // The lines to try are tried at the end.
        shown.block.hints.clear();
        screen.show(&shown.lines, &shown.block);
        let settled = *stage.settled.borrow_and_update();
        match shown.state {
            State::Nothing => return false,
            State::Ready if settled => return true,
            State::Ready => "the controller is still at work".clone_into(last),
            State::NotReady(why) => *last = why,
        }
        tokio::select! {
            _ = changes.changed() => {}
            _ = stage.settled.changed() => {}
            Some(Told::Troubled(trouble)) = stage.told.recv() => troubles.push(format!("! {trouble}")),
        }
    }
}
