//! Joins the sandbox's events to the audit log.

use audit::AuditLog;
use prometheus_client::metrics::counter::Counter;
use protocol::event::Event;
use sandbox::events::{EventSink, Recorded, StderrSink};

/// The audit log as a sink.
pub struct AuditSink {
    /// The log.
    pub log: AuditLog,
    /// Events that it did not take.
    pub failures: Counter,
}

impl EventSink for AuditSink {
    fn record(&self, event: &Event) -> Recorded {
        if let Err(error) = self.log.append(event) {
            self.failures.inc();
            // Not lost in silence: the operator finds it in the service's own log.
            tracing::error!(%error, "an event could not be written to the audit log");
            StderrSink.record(event);
            return Recorded::NotEverywhere;
        }
        Recorded::Everywhere
    }
}
