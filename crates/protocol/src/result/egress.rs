//! What came of a job's way out, where it named a policy for the network.

use serde::Serialize;

/// What came of a job's way out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EgressUse {
    /// The policy's name.
    pub policy: String,
    /// Connections that were made.
    pub connections: u64,
    /// Bytes to the outside.
    pub sent_bytes: u64,
    /// Bytes from there.
    pub received_bytes: u64,
    /// What was refused, by place and reason, in the order of the first; at most 64 kinds.
    pub denied: Vec<EgressDenied>,
    /// Refusals of more kinds.
    pub denied_others: u64,
}

/// Connections, requests or questions for a name that were refused for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EgressDenied {
    /// The host's name, escaped; of a connection that came by none, the address.
    pub host: String,
    /// 0: it was a question for the name.
    pub port: u16,
    /// A stable word for why.
    pub reason: &'static str,
    /// Why, and what to do.
    pub message: String,
    /// How often.
    pub count: u64,
}
