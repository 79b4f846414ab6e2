//! The command line: one file for each command, and the code with which the process ends.
//!
//! Reading arguments and showing results is all that happens here; what the commands do is done by the rest of the crate.

mod apply;
mod beforehand;
mod cloud;
mod completions;
mod controller;
mod drift;
#[cfg(feature = "emulator")]
mod emulator;
mod input;
mod leaks;
#[cfg(feature = "emulator")]
mod local;
mod observe;
mod plan;
mod release;
mod report;
mod stop;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::config::{LogArguments, LogFormat};

/// The process did what it was asked to.
const DONE: u8 = 0;
/// It could not, or what it was given is wrong.
const FAILED: u8 = 1;
/// `gclb plan`: there is something to do.
const CHANGES: u8 = 2;
/// `gclb apply`: the world has overtaken the plan.
const OVERTAKEN: u8 = 3;

const EXAMPLES: &str = "\
Examples:
  Try an Ingress on this machine, without a cluster and without a cloud:
      gclb local deploy/examples/walkthrough
  See what it would take in Google Cloud:
      gclb plan deploy/examples/walkthrough
  Only the cloud, for gcloud, curl and tests of your own:
      gclb emulator --listen 127.0.0.1:8787";

/// Google Cloud load balancers from Kubernetes Ingress objects.
#[derive(Debug, Parser)]
#[command(name = "gclb", version, after_help = EXAMPLES, max_term_width = 110, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch a cluster and make load balancers for its Ingresses
    Controller(Box<controller::Arguments>),
    /// Try a folder of manifests on this machine: an emulated cloud, echo servers for pods, a live table
    #[cfg(feature = "emulator")]
    Local(Box<local::Arguments>),
    /// Show what manifests, or a cluster's objects, would change in the cloud, without changing anything
    Plan(Box<plan::Arguments>),
    /// Do exactly what a saved plan shows
    Apply(Box<apply::Arguments>),
    /// Save what the cloud holds for a cluster to a file, to plan against
    Observe(Box<observe::Arguments>),
    /// Show where the cloud is not as the input says
    Drift(Box<drift::Arguments>),
    /// Show what is left over in the cloud, and delete it
    Leaks(Box<leaks::Arguments>),
    /// Give a load balancer up without deleting it
    Release(Box<release::Arguments>),
    /// Run the emulated cloud alone
    #[cfg(feature = "emulator")]
    Emulator(Box<emulator::Arguments>),
    /// Print a script that completes commands and flags in a shell
    Completions(completions::Arguments),
}

/// Reads the arguments of the process and does what they ask.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Nothing can be done about a closed terminal.
            let _ = error.print();
            // Not clap's own 2, which `gclb plan` uses for "there are changes".
            return ExitCode::from(if error.use_stderr() { FAILED } else { DONE });
        }
    };
    gce::install_crypto_provider();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("Error: the runtime could not be started: {error}");
            return ExitCode::from(FAILED);
        }
    };
    let done = runtime.block_on(async {
        match arguments.command {
            Command::Controller(arguments) => Box::pin(controller::run(*arguments)).await,
            #[cfg(feature = "emulator")]
            Command::Local(arguments) => local::run(*arguments).await,
            Command::Plan(arguments) => Box::pin(plan::run(*arguments)).await,
            Command::Apply(arguments) => Box::pin(apply::run(*arguments)).await,
            Command::Observe(arguments) => Box::pin(observe::run(*arguments)).await,
            Command::Drift(arguments) => Box::pin(drift::run(*arguments)).await,
            Command::Leaks(arguments) => Box::pin(leaks::run(*arguments)).await,
            Command::Release(arguments) => Box::pin(release::run(*arguments)).await,
            #[cfg(feature = "emulator")]
            Command::Emulator(arguments) => emulator::run(*arguments).await,
            Command::Completions(arguments) => Ok(completions::run(&arguments, &mut Arguments::command())),
        }
    });
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("{error:?}");
            ExitCode::from(FAILED)
        }
    }
}

/// The log filter that was given cannot be read.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("starting to log")]
struct LogError(#[source] crate::telemetry::TelemetryError);

/// Log lines go to the error stream, so that what a command shows can be read by itself; they are for people.
fn log(arguments: &LogArguments, default: &str) -> Result<(), LogError> {
    let filter = arguments.log.as_deref().unwrap_or(default);
    // Log lines alone: nothing is left to be sent at the end.
    crate::telemetry::Telemetry::logs(filter, Some(LogFormat::Text)).start().map(drop).map_err(LogError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }
}
