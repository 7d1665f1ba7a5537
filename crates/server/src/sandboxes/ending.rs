//! Looks which sandboxes are to end, tells of it beforehand, and ends them.

use super::expiry::{ExpiringBody, Limit};
use super::slot::SandboxSlot;
use crate::app::App;
use crate::paused::pause::pause_listed;
use protocol::event::EventType;
use sandbox::events::Notice;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// How often sandboxes are looked at whose time may be up.
/// An end is told of a second before it or earlier, so some looks before it comes.
const LOOK: Duration = Duration::from_millis(250);

/// Ends sandboxes whose time is up or whose VM is gone, and tells of it beforehand; never returns.
pub async fn end_those_over(app: &Arc<App>) {
    let mut ticks = tokio::time::interval(LOOK);
    loop {
        ticks.tick().await;
        for (slot, told) in app.sandboxes.tell_of_ends() {
            leave_event(app, &slot, told);
        }
        for kept in app.sandboxes.take_those_over() {
            match kept.slot.pauses_at_its_end() {
                true => _ = app.sandboxes.tasks.spawn(pause_listed(app.clone(), kept)),
                false => {
                    let ending = async move { kept.slot.close().await };
                    app.sandboxes.tasks.spawn(ending);
                }
            }
        }
    }
}

fn leave_event(app: &App, slot: &SandboxSlot, told: ExpiringBody) {
    let ExpiringBody {
        limit,
        seconds_left,
    } = told;
    let why = match limit {
        Limit::Idle => "nobody uses it",
        Limit::Total => "its time is up",
    };
    app.rooms.sandbox.events().emit(
        Some(&slot.job.trace_id),
        Notice::new(
            EventType::SandboxExpiring,
            format!("a sandbox ends in {seconds_left:.1} s: {why}"),
            json!({ "sandbox": slot.id, "limit": limit, "seconds_left": seconds_left }),
        )
        .of(slot.job.owner.as_deref()),
    );
}
