//! `gclb emulator`: the cloud alone.

use emulator::{Config, Emulator, Options, StartError};

use super::report::out;
use super::stop;
use crate::config::LogArguments;

const EXAMPLES: &str = "\
Examples:
  gclb emulator --listen 127.0.0.1:8787
  gclb emulator --operation-latency 1000        operations that take a second, as in the real cloud
  gclb emulator --port-offset 8000              where ports below 1024 are refused: 80 becomes 8080";

/// Any project id is accepted; networks, subnetworks, regions and zones are there from the start. Nothing is kept when it stops, unless
/// `--state` names a file.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    log: LogArguments,
}

/// Why it did not run.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
enum EmulatorError {
    #[error("starting the emulated cloud")]
    Start(#[source] StartError),
    #[error("waiting for the signal to stop")]
    Signal(#[source] std::io::Error),
}

pub(super) async fn run(arguments: Arguments) -> miette::Result<u8> {
    super::log(&arguments.log, "info")?;
    let asked = stop::asked().map_err(EmulatorError::Signal)?;
    let credentials = if arguments.options.tokens { Credentials::Needed } else { Credentials::None };
    let running = Emulator::start(Config::from(arguments.options)).await.map_err(EmulatorError::Start)?;
    out(&usage(&running, "my-project", credentials));
    asked.await;
    running.shutdown().await;
    Ok(super::DONE)
}

/// Whether requests need a token.
#[derive(Debug, Clone, Copy)]
pub(super) enum Credentials {
    None,
    Needed,
}

/// How to speak to it by hand.
pub(super) fn usage(running: &emulator::Running, project: &str, credentials: Credentials) -> String {
    let endpoint = running.endpoint();
    let admin = running.admin();
    let (header, setting) = match credentials {
        Credentials::None => ("", "CLOUDSDK_AUTH_DISABLE_CREDENTIALS=true"),
        Credentials::Needed => ("-H 'authorization: Bearer TOKEN' ", "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE=FILE"),
    };
    let metadata = running
        .metadata_address()
        .map_or_else(String::new, |address| format!("metadata server  GCE_METADATA_HOST={address}\n"));
    format!(
        "Compute Engine   {endpoint}\n\
         admin            {admin}state\n\
         {metadata}\
         \n\
         with curl        curl {header}{endpoint}projects/{project}/global/urlMaps\n\
         with gcloud      export CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE={endpoint} {setting} \
         CLOUDSDK_CORE_PROJECT={project}\n\
         \x20                gcloud compute url-maps list --global\n\n"
    )
}
