//! What is told of requests that did not become jobs.

use super::Sandbox;
use crate::events::Notice;
use protocol::error_code::ErrorCode;
use protocol::event::EventType;
use protocol::job::Owner;
use protocol::validate::Rejection;
use serde_json::json;

impl Sandbox {
    /// Leaves the event of a refusal that a front door made itself (a body that is no job). Code and field
    /// say what was wrong; the message shows what the client sent, and is the client's alone.
    pub fn note_rejection(&self, rejection: &Rejection) {
        self.metrics.refused();
        self.note_pattern(rejection, None);
        let code = rejection.code;
        self.events.emit(
            rejection.trace_id.as_ref(),
            Notice::new(
                EventType::ValidationFail,
                format!("a request was refused: {code}; {}", code.advice()),
                json!({ "code": code, "field": rejection.field }),
            ),
        );
    }

    /// Leaves the event of a pattern that a job, of this key, was refused for.
    pub fn note_pattern(&self, rejection: &Rejection, owner: Option<&Owner>) {
        if rejection.code != ErrorCode::PatternBlocked {
            return;
        }
        self.metrics.pattern();
        // It names patterns, which are the operator's.
        let notice = Notice::new(
            EventType::DangerousPattern,
            rejection.message.clone(),
            json!({ "action": "block" }),
        );
        self.events
            .emit(rejection.trace_id.as_ref(), notice.of(owner));
    }
}
