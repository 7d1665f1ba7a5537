//! What is counted and told of a port's use.

use super::body::Traffic;
use crate::sandboxes::table::UsedSandbox;
use protocol::event::EventType;
use sandbox::events::Notice;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Ports of one sandbox whose first use is told: a client that tries all of them fills no log.
const MAX_TOLD: usize = 64;

/// The ports of a sandbox that were asked for.
#[derive(Debug, Default)]
pub struct UsedPorts(Mutex<BTreeSet<u16>>);

impl UsedPorts {
    /// Whether this is a port's first use, and to be told.
    fn is_news(&self, port: u16) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.len() < MAX_TOLD && told.insert(port)
    }
}

/// Counts a request, leaves an event of a port's first; where its bytes are to be counted.
pub fn traffic(used: &UsedSandbox, port: u16) -> Traffic {
    let http = &used.app.http;
    http.port_requests.inc();
    let is_news = |ports: &UsedPorts| ports.is_news(port);
    if used
        .slot
        .e2b
        .as_ref()
        .is_some_and(|facts| is_news(&facts.ports))
    {
        used.app.rooms.sandbox.events().emit(
            Some(&used.slot.job.trace_id),
            Notice::new(
                EventType::SandboxPort,
                format!("port {port} of a sandbox is asked for from outside"),
                json!({ "sandbox": used.slot.id, "port": port }),
            )
            .of(used.slot.job.owner.as_deref()),
        );
    }
    Traffic {
        to_guest: http.port_bytes_in.clone(),
        to_client: http.port_bytes_out.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_port_is_news_once_and_not_all_of_them_are() {
        let ports = UsedPorts::default();
        assert!(ports.is_news(8000) && !ports.is_news(8000) && ports.is_news(3000));
        let told = (1..=u16::MAX).filter(|port| ports.is_news(*port)).count();
        assert_eq!(told, MAX_TOLD - 2);
    }
}
