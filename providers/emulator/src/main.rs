//! The emulator as a program of its own.

use anyhow::Context as _;
use clap::Parser;
use emulator::{Config, Emulator, Options};
use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;

/// A local Compute Engine: the load-balancing API, and load balancers that serve on loopback
#[derive(Debug, Parser)]
#[command(name = "gce-emulator", version)]
struct Arguments {
    #[command(flatten)]
    options: Options,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr).init();
    let Arguments { options } = Arguments::parse();
    let running = Emulator::start(Config::from(options)).await?;
    println!("API    {}", running.endpoint());
    println!("admin  {}", running.admin());
    println!(
        "gcloud: CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE={} CLOUDSDK_AUTH_DISABLE_CREDENTIALS=true",
        running.endpoint()
    );
    stop_signal().await.context("waiting for a signal to stop")?;
    running.shutdown().await;
    Ok(())
}

/// Returns when the program is asked to stop.
async fn stop_signal() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    {
        tokio::signal::ctrl_c().await
    }
}
