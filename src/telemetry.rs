//! Log lines, and spans for whoever collects them.
//!
//! Log lines go to the error stream, as text on a terminal and as JSON elsewhere. With an endpoint given, the spans of each turn, stage,
//! change, call and attempt go to an OpenTelemetry collector as well (OTLP over HTTP, protobuf), whatever the filter of log lines is.
//!
//! No secrets get this far: types that hold keys or tokens redact them in their `Debug`.

use std::io::IsTerminal as _;
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry};
use url::Url;

use crate::config::LogFormat;

/// What is not exported within this time is given up, so that a collector that hangs does not keep the process from ending.
const EXPORT_PATIENCE: Duration = Duration::from_secs(5);

/// Why it cannot be told what goes on.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter of log lines cannot be read.
    #[error(
        "read the log filter {filter:?}: a level such as `info`, or levels by module such as `info,gclb::apply=debug`"
    )]
    BadFilter {
        /// As it was given.
        filter: String,
        /// What is wrong with it.
        #[source]
        source: ParseError,
    },
    /// The collector's address cannot be used.
    #[error(
        "prepare to send spans to {endpoint}: name the collector's OTLP address for HTTP, such as http://127.0.0.1:4318"
    )]
    BadCollector {
        /// As it was given.
        endpoint: Url,
        /// What is wrong with it.
        #[source]
        source: ExporterBuildError,
    },
}

/// What is told, and where.
#[derive(Debug, Clone, Default)]
pub struct Telemetry {
    /// Which log lines.
    pub filter: String,
    /// In which form; by default text on a terminal and JSON elsewhere.
    pub format: Option<LogFormat>,
    /// Where spans are sent: the base address of an OpenTelemetry collector.
    pub collector: Option<Url>,
}

/// What was begun. Dropped, it sends the spans that are still to be sent.
#[derive(Debug)]
#[must_use = "dropped at once, no span is ever sent"]
pub struct Telling {
    spans: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Log lines alone.
    #[must_use]
    pub fn logs(filter: &str, format: Option<LogFormat>) -> Self {
        Self { filter: filter.to_owned(), format, collector: None }
    }

    /// From now on it is told. Where something else takes the log lines already, such as in a test, it goes on doing so.
    ///
    /// # Errors
    /// When the filter or the collector's address cannot be used.
    pub fn start(self) -> Result<Telling, TelemetryError> {
        let Self { filter, format, collector } = self;
        let wanted = EnvFilter::builder()
            .parse(&filter)
            .map_err(|source| TelemetryError::BadFilter { filter, source })?;
        let spans = collector.map(exporter).transpose()?;
        let exporting = spans.as_ref().map(|spans| {
            // Attempts and calls are finer than what people want to read in a log.
            let ours = Targets::new()
                .with_target("gclb", tracing::Level::DEBUG)
                .with_target("gce", tracing::Level::DEBUG);
            tracing_opentelemetry::layer().with_tracer(spans.tracer("gclb")).with_filter(ours)
        });
        let terminal = std::io::stderr().is_terminal();
        let lines = tracing_subscriber::fmt::layer().with_ansi(terminal).with_writer(std::io::stderr);
        let default = if terminal { LogFormat::Text } else { LogFormat::Json };
        let lines = match format.unwrap_or(default) {
            LogFormat::Text => lines.with_filter(wanted).boxed(),
            LogFormat::Json => lines
                .json()
                .flatten_event(true)
                .with_current_span(true)
                .with_span_list(false)
                .with_filter(wanted)
                .boxed(),
        };
        // Failing to become the one who takes them is not a failure.
        let _ = Registry::default().with(lines).with(exporting).try_init();
        Ok(Telling { spans })
    }
}

fn exporter(endpoint: Url) -> Result<SdkTracerProvider, TelemetryError> {
    // Its HTTP client asks for one as soon as it is made.
    gce::install_crypto_provider();
    // OTLP over HTTP: spans go to this path below the collector's address.
    let address = format!("{}/v1/traces", endpoint.as_str().trim_end_matches('/'));
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(address)
        .with_timeout(EXPORT_PATIENCE)
        .build()
        .map_err(|source| TelemetryError::BadCollector { endpoint, source })?;
    let resource = Resource::builder()
        .with_service_name("gclb")
        .with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

impl Drop for Telling {
    fn drop(&mut self) {
        if let Some(spans) = &self.spans
            && let Err(error) = spans.shutdown_with_timeout(EXPORT_PATIENCE)
        {
            tracing::warn!(%error, "the last spans could not be sent");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_filter_is_named() {
        let error = Telemetry::logs("gclb=loud", None).start().unwrap_err();
        assert!(error.to_string().contains("gclb=loud"));
    }
}
