//! Security events: one JSON object a line, one table of types.

use crate::trace_id::TraceId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EventType {
    /// A VM took a job; exactly one for each admitted job.
    VmStart,
    /// The job ended in any way that has no type of its own.
    VmStop,
    /// A time limit ended the job.
    VmTimeout,
    /// The memory limit ended the job.
    VmOom,
    /// A sandbox that stays is about to end by itself; once for each time that its end is near.
    SandboxExpiring,
    /// A port of a sandbox is asked for from outside for the first time.
    SandboxPort,
    /// A request was refused.
    ValidationFail,
    /// The scan found a pattern.
    DangerousPattern,
    /// A program's connection to the outside is about to be made.
    EgressOpen,
    /// A program's connection to the outside is over.
    EgressClosed,
    /// A program did not get to the outside; the first of its kind in its VM.
    EgressDenied,
    /// A running service was told to read its configuration again: what changed, or why it was refused.
    ConfigReload,
}

impl EventType {
    /// Every type.
    pub const ALL: [EventType; 12] = [
        EventType::VmStart,
        EventType::VmStop,
        EventType::VmTimeout,
        EventType::VmOom,
        EventType::SandboxExpiring,
        EventType::SandboxPort,
        EventType::ValidationFail,
        EventType::DangerousPattern,
        EventType::EgressOpen,
        EventType::EgressClosed,
        EventType::EgressDenied,
        EventType::ConfigReload,
    ];

    /// As it stands in the log.
    pub fn name(self) -> &'static str {
        match self {
            EventType::VmStart => "VM_START",
            EventType::VmStop => "VM_STOP",
            EventType::VmTimeout => "VM_TIMEOUT",
            EventType::VmOom => "VM_OOM",
            EventType::SandboxExpiring => "SANDBOX_EXPIRING",
            EventType::SandboxPort => "SANDBOX_PORT",
            EventType::ValidationFail => "VALIDATION_FAIL",
            EventType::DangerousPattern => "DANGEROUS_PATTERN",
            EventType::EgressOpen => "EGRESS_OPEN",
            EventType::EgressClosed => "EGRESS_CLOSED",
            EventType::EgressDenied => "EGRESS_DENIED",
            EventType::ConfigReload => "CONFIG_RELOAD",
        }
    }
}

/// One event, as it stands in the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// RFC 3339, UTC, with microseconds.
    pub timestamp: String,
    /// What happened.
    pub event_type: EventType,
    /// To which job; absent when a request was refused for its trace id.
    pub trace_id: Option<TraceId>,
    /// One sentence for people. What a client sent stands in it escaped.
    pub details: String,
    /// The same for machines.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_stands_in_the_log() {
        for kind in EventType::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }
}
