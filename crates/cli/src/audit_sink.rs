//! Joins the sandbox's events to the audit log.

use audit::AuditLog;
use protocol::event::Event;
use sandbox::events::{EventSink, StderrSink};

/// The audit log as a sink.
pub struct AuditSink(pub AuditLog);

impl EventSink for AuditSink {
    fn record(&self, event: &Event) {
        if let Err(error) = self.0.append(event) {
            // Not lost in silence: the operator finds it in the service's own log.
            tracing::error!(%error, "an event could not be written to the audit log");
            StderrSink.record(event);
        }
    }
}
