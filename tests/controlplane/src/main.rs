//! The test control plane as a program: build it, or keep one up to try things by hand.

use clap::{Parser, Subcommand};
use controlplane::assets::Assets;
use tracing_subscriber::EnvFilter;

mod up;

#[derive(Debug, Parser)]
#[command(about = "A real Kubernetes control plane for tests and for trying gclb by hand")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build etcd, kube-apiserver, kube-controller-manager and kubectl into the cache, and print their folder.
    Build,
    /// Keep a cluster, the emulator and the controller up until Ctrl-C, and print how to use them.
    Up(up::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Build => println!("{}", Assets::find_or_build()?.folder().display()),
        Command::Up(arguments) => {
            let filter =
                EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("off,controlplane=warn"));
            tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter).init();
            tokio::runtime::Runtime::new()?.block_on(up::run(arguments))?;
        }
    }
    Ok(())
}
