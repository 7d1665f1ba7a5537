//! What a client is told of a job's way out.

use protocol::result::{EgressDenied, EgressUse};
use serde::Serialize;
use utoipa::ToSchema;

/// What came of a way out.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EgressBody {
    /// The policy's name.
    pub policy: String,
    /// Connections that were made.
    pub connections: u64,
    /// Bytes to the outside.
    pub sent_bytes: u64,
    /// Bytes from there.
    pub received_bytes: u64,
    /// What was refused, by place and reason; at most 64 kinds.
    pub denied: Vec<DeniedBody>,
    /// Refusals of more kinds.
    pub denied_others: u64,
}

/// Connections, requests or questions for a name that were refused for one reason.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeniedBody {
    /// The host's name; of a connection that came by none, the address.
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

impl From<EgressUse> for EgressBody {
    fn from(told: EgressUse) -> EgressBody {
        EgressBody {
            policy: told.policy,
            connections: told.connections,
            sent_bytes: told.sent_bytes,
            received_bytes: told.received_bytes,
            denied: told.denied.into_iter().map(Into::into).collect(),
            denied_others: told.denied_others,
        }
    }
}

impl From<EgressDenied> for DeniedBody {
    fn from(denied: EgressDenied) -> DeniedBody {
        DeniedBody {
            host: denied.host,
            port: denied.port,
            reason: denied.reason,
            message: denied.message,
            count: denied.count,
        }
    }
}
