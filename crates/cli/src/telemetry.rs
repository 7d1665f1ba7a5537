//! Where the tool's own log goes: standard error always; for the service, when it is configured,
//! also the journal, and a collector that gets traces and logs by OTLP.

mod client;

use crate::progress::status;
use crate::terminal::has_colours;
use client::Client;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{
    ExporterBuildError, LogExporter, SpanExporter, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use protocol::event::Event;
use protocol::trace_id::TraceId;
use sandbox::events::{EventSink, Recorded};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::io::IsTerminal as _;
use std::time::Instant;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// The service's name at the collector, and its identifier in the journal.
const NAME: &str = "llm-firecracker";

/// `[telemetry]` of the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetryConfig {
    /// Log and events also to the journal, with their fields.
    pub journald: bool,
    /// Traces, log and events also to the collector here, by OTLP over HTTP: `http://127.0.0.1:4318`.
    pub otlp_endpoint: Option<String>,
}

impl TelemetryConfig {
    /// Somebody besides standard error listens.
    pub fn is_on(&self) -> bool {
        self.journald || self.otlp_endpoint.is_some()
    }
}

/// Why the log cannot go where it should.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The journal's socket is not there.
    #[error("telemetry.journald: the journal cannot be reached")]
    Journal(#[source] std::io::Error),
    /// The endpoint is no URL, or what sends to it cannot be made.
    #[error("telemetry.otlp_endpoint {endpoint:?} cannot be used")]
    Otlp {
        /// As configured.
        endpoint: String,
        /// What is wrong with it.
        #[source]
        source: ExporterBuildError,
    },
}

/// What is still to be sent; sent when dropped.
#[derive(Default)]
pub struct Telemetry {
    collector: Option<Collector>,
}

struct Collector {
    traces: SdkTracerProvider,
    logs: SdkLoggerProvider,
}

/// Starts the log. Must run outside the runtime: what sends to a collector has threads of its own.
pub fn start(verbose: u8, config: &TelemetryConfig) -> Result<Telemetry, TelemetryError> {
    // What the library of a protocol says of each request is a client's word, as often as it likes to have it said.
    let level =
        ["warn,rmcp=off", "info,rmcp=warn,step=debug", "debug"][usize::from(verbose.min(2))];
    let filter =
        EnvFilter::try_from_env("LLM_FIRECRACKER_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let stderr = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(has_colours(&std::io::stderr()))
        .with_target(verbose > 1);
    // Of what takes long one wants to see where the time goes.
    let stderr = match verbose {
        0 => stderr.without_time().boxed(),
        _ => stderr.with_timer(SinceStart(Instant::now())).boxed(),
    };
    let stderr = stderr.with_filter(filter);
    let journal = match config.journald {
        true => Some(tracing_journald::layer().map_err(TelemetryError::Journal)?),
        false => None,
    };
    let journal = journal.map(|layer| layer.with_syslog_identifier(NAME.to_owned()));
    let collector = match &config.otlp_endpoint {
        Some(endpoint) => Some(Collector::new(endpoint)?),
        None => None,
    };
    let traces = collector.as_ref().map(|own| {
        let tracer = own.traces.tracer(NAME);
        tracing_opentelemetry::layer().with_tracer(tracer)
    });
    let logs = collector
        .as_ref()
        .map(|own| OpenTelemetryTracingBridge::new(&own.logs));
    // Whoever has each step in lines needs none that comes and goes.
    let steps = (verbose == 0 && std::io::stderr().is_terminal()).then_some(status::Steps);
    tracing_subscriber::registry()
        .with(stderr)
        .with(steps.with_filter(filter_fn(status::is_step)))
        .with(journal.with_filter(filter_fn(is_told)))
        .with(traces.with_filter(filter_fn(is_told)))
        .with(logs.with_filter(filter_fn(is_told)))
        .init();
    Ok(Telemetry { collector })
}

/// Seconds since this process began to log, to the millisecond: nobody reads more digits.
struct SinceStart(Instant);

impl FormatTime for SinceStart {
    fn format_time(&self, writer: &mut Writer<'_>) -> std::fmt::Result {
        write!(writer, "{:>8.3}s", self.0.elapsed().as_secs_f64())
    }
}

/// What others than standard error get. What the exporter says of itself must not be exported again, and what clients have
/// the library of a protocol say is not for a log that is kept.
fn is_told(metadata: &Metadata<'_>) -> bool {
    let is_of = |name: &str| metadata.target().starts_with(name);
    *metadata.level() <= Level::INFO && !is_of("opentelemetry") && !is_of("rmcp")
}

impl Collector {
    fn new(endpoint: &str) -> Result<Collector, TelemetryError> {
        let failed = |source| TelemetryError::Otlp {
            endpoint: endpoint.to_owned(),
            source,
        };
        let signal = |name: &str| format!("{}/v1/{name}", endpoint.trim_end_matches('/'));
        let spans = SpanExporter::builder()
            .with_http()
            .with_http_client(Client::new())
            .with_endpoint(signal("traces"))
            .build()
            .map_err(failed)?;
        let records = LogExporter::builder()
            .with_http()
            .with_http_client(Client::new())
            .with_endpoint(signal("logs"))
            .build()
            .map_err(failed)?;
        let resource = Resource::builder()
            .with_service_name(NAME)
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Collector {
            traces: SdkTracerProvider::builder()
                .with_resource(resource.clone())
                .with_batch_exporter(spans)
                .build(),
            logs: SdkLoggerProvider::builder()
                .with_resource(resource)
                .with_batch_exporter(records)
                .build(),
        })
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(Collector { traces, logs }) = self.collector.take() {
            for (what, sent) in [("traces", traces.shutdown()), ("logs", logs.shutdown())] {
                if let Err(error) = sent {
                    eprintln!(
                        "llm-firecracker: the last {what} did not reach the collector: {error}"
                    );
                }
            }
        }
    }
}

/// Security events as records of the log.
pub struct EventLog;

impl EventSink for EventLog {
    fn record(&self, event: &Event) -> Recorded {
        let event_type = serde_json::to_value(event.event_type).unwrap_or_default();
        tracing::info!(
            target: "event",
            event_type = event_type.as_str(),
            job = event.trace_id.as_ref().map(TraceId::as_str),
            key = event.extra.get("key").and_then(serde_json::Value::as_str),
            "{}", event.details
        );
        Recorded::Everywhere
    }
}
