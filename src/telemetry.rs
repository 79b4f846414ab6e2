//! Log lines: to the error stream, as text on a terminal and as JSON elsewhere.
//!
//! No secrets get this far: types that hold keys or tokens redact them in their `Debug`.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::config::LogFormat;

/// The filter of log lines cannot be read.
#[derive(Debug, thiserror::Error)]
#[error(
    "read the log filter {filter:?}: a level such as `info`, or levels by module such as `info,gclb::apply=debug`"
)]
pub struct BadFilter {
    filter: String,
    #[source]
    source: ParseError,
}

/// From now on log lines are written. Where something else takes them already, such as in a test, it goes on doing so.
///
/// # Errors
/// When the filter cannot be read.
pub fn start(filter: &str, format: Option<LogFormat>) -> Result<(), BadFilter> {
    let wanted = EnvFilter::builder()
        .parse(filter)
        .map_err(|source| BadFilter { filter: filter.to_owned(), source })?;
    let terminal = std::io::stderr().is_terminal();
    let default = if terminal { LogFormat::Text } else { LogFormat::Json };
    let lines =
        tracing_subscriber::fmt().with_env_filter(wanted).with_ansi(terminal).with_writer(std::io::stderr);
    // Failing to become the one who takes them is not a failure.
    let _ = match format.unwrap_or(default) {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => {
            lines.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
        }
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_filter_is_named() {
        let error = start("gclb=loud", None).unwrap_err();
        assert!(error.to_string().contains("gclb=loud"));
    }
}
