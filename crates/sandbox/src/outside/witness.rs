//! What is written down of a VM's connections: before a byte goes out, and when it is over; the first of each kind of
//! refusal.

use crate::events::{EventBus, Notice, Recorded};
use crate::quoted::quoted;
use egress::client::{Attempted, Ledger, Moved, NotRecorded, Report};
use egress::control::Place;
use egress::reason::Reason;
use protocol::event::EventType;
use protocol::job::Owner;
use protocol::result::{EgressDenied, EgressUse};
use protocol::trace_id::TraceId;
use serde_json::{Value, json};
use std::sync::Arc;

/// What is told of one VM.
pub(super) struct Witness {
    policy: String,
    trace_id: TraceId,
    owner: Option<Arc<Owner>>,
    events: EventBus,
}

impl Witness {
    pub(super) fn new(
        policy: &str,
        trace_id: TraceId,
        owner: Option<Arc<Owner>>,
        events: EventBus,
    ) -> Witness {
        Witness {
            policy: policy.to_owned(),
            trace_id,
            owner,
            events,
        }
    }

    fn tell(&self, (event, details): (EventType, String), place: &Place, more: Value) -> Recorded {
        let mut extra =
            json!({ "policy": self.policy, "host": quoted(&place.host), "port": place.port });
        if let (Some(extra), Value::Object(more)) = (extra.as_object_mut(), more) {
            extra.extend(more);
        }
        let notice = Notice::new(event, details, extra).of(self.owner.as_deref());
        self.events.emit(Some(&self.trace_id), notice)
    }
}

fn shown(place: &Place) -> String {
    let host = quoted(&place.host);
    match place.port {
        0 => host,
        port => format!("{host}:{port}"),
    }
}

impl Ledger for Witness {
    fn attempt(&self, attempted: Attempted<'_>) -> Result<(), NotRecorded> {
        let Attempted {
            place,
            address,
            rule,
            opened,
        } = attempted;
        let details = format!("a program connects to {} ({address})", shown(place));
        let more = json!({ "address": address, "rule": rule, "opened": opened });
        match self.tell((EventType::EgressOpen, details), place, more) {
            Recorded::Everywhere => Ok(()),
            Recorded::NotEverywhere => Err(NotRecorded),
        }
    }

    fn closed(&self, moved: Moved<'_>) {
        let Moved {
            place,
            sent_bytes,
            received_bytes,
            millis,
        } = moved;
        let details = format!(
            "a connection to {} is over: {sent_bytes} bytes sent, {received_bytes} received",
            shown(place)
        );
        let more = json!({ "sent_bytes": sent_bytes, "received_bytes": received_bytes, "milliseconds": millis });
        self.tell((EventType::EgressClosed, details), place, more);
    }

    fn refused(&self, place: &Place, reason: Reason) {
        let details = format!("a program did not get to {}: {reason}", shown(place));
        let more = json!({ "reason": reason });
        self.tell((EventType::EgressDenied, details), place, more);
    }
}

/// A session's report, as results have it.
pub(super) fn told(policy: String, report: Report) -> EgressUse {
    let denied = report.denied.into_iter().map(|kind| EgressDenied {
        host: quoted(&kind.place.host),
        port: kind.place.port,
        reason: kind.reason.code(),
        message: format!("{}; {}", kind.reason.sentence(), kind.reason.advice()),
        count: kind.count,
    });
    EgressUse {
        policy,
        connections: report.connections,
        sent_bytes: report.sent_bytes,
        received_bytes: report.received_bytes,
        denied: denied.collect(),
        denied_others: report.denied_others,
    }
}
