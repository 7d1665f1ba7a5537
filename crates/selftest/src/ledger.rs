//! The events that an attack leaves, kept for the judge.

use protocol::event::Event;
use sandbox::events::{EventSink, Recorded};
use std::sync::{Mutex, PoisonError};

/// Keeps events until they are taken.
#[derive(Default)]
pub struct Ledger(Mutex<Vec<Event>>);

impl Ledger {
    /// What was told since the last time.
    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl EventSink for Ledger {
    fn record(&self, event: &Event) -> Recorded {
        let mut events = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        events.push(event.clone());
        Recorded::Everywhere
    }
}
