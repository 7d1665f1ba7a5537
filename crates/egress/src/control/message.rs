//! The messages.

use crate::policy::EgressConfig;
use crate::reason::Reason;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// One VM's part of the network.
pub type SessionId = u64;
/// A connection that is allowed, of all sessions together.
pub type AttemptId = u64;

/// What a program connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Destination {
    /// An address and a port, captured on the way.
    Address {
        /// Made up, where it asked for a name before.
        address: IpAddr,
        /// One of the policy's.
        port: u16,
    },
    /// The guest's proxy: the first bytes say where to.
    Proxy,
}

/// What the service says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ToProxy {
    /// The operator's policies, as they were written. Values of secrets are none of it: the proxy reads them itself.
    Policies {
        /// Them.
        config: Box<EgressConfig>,
    },
    /// A VM comes.
    Begin {
        /// Chosen by the service, not used again.
        session: SessionId,
        /// One of the policies.
        policy: String,
    },
    /// A program asks for a name.
    Query {
        /// Whose.
        session: SessionId,
        /// Repeated in the answer.
        query: u32,
        /// A DNS message.
        #[serde(with = "base64_bytes")]
        message: Vec<u8>,
    },
    /// A program connected: the descriptor beside this is its other end.
    Connection {
        /// Whose.
        session: SessionId,
        /// What to.
        to: Destination,
    },
    /// The audit log has the attempt.
    Go {
        /// Which.
        attempt: AttemptId,
    },
    /// It could not be written.
    Stop {
        /// Which.
        attempt: AttemptId,
    },
    /// The VM is gone: close all of its connections.
    End {
        /// Whose.
        session: SessionId,
    },
}

/// Where something was to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// A name, as canonical as it could be made; of what has none the address.
    pub host: String,
    /// 0: it never came to one, as of a question for a name.
    pub port: u16,
}

/// What the proxy says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum FromProxy {
    /// It has read what it needs and locked itself in.
    Ready,
    /// It cannot begin.
    Failed {
        /// Why, for the operator.
        reason: String,
    },
    /// A session is open.
    Begun {
        /// Which.
        session: SessionId,
        /// Ports that the guest captures.
        ports: Vec<u16>,
        /// The CA of this session alone, PEM; `None`: the policy opens no TLS.
        authority: Option<String>,
        /// Placeholders of secrets, by the environment's name.
        placeholders: Vec<(String, String)>,
    },
    /// For a program.
    Answer {
        /// Whose.
        session: SessionId,
        /// Which question.
        query: u32,
        /// A DNS message.
        #[serde(with = "base64_bytes")]
        message: Vec<u8>,
    },
    /// A connection is allowed, and waits for `Go`.
    Attempt {
        /// Its name here.
        attempt: AttemptId,
        /// Whose.
        session: SessionId,
        /// Where to.
        place: Place,
        /// What is dialled.
        address: IpAddr,
        /// Which of the policy's rules lets it out; the first is 0.
        rule: usize,
        /// Whether its TLS is opened.
        opened: bool,
    },
    /// Something was refused, also on a connection that was allowed.
    Refused {
        /// Whose.
        session: SessionId,
        /// Where to.
        place: Place,
        /// Why.
        reason: Reason,
    },
    /// A connection that was allowed is over.
    Closed {
        /// Which.
        attempt: AttemptId,
        /// Whose.
        session: SessionId,
        /// Bytes to the outside.
        sent_bytes: u64,
        /// Bytes from there.
        received_bytes: u64,
        /// Milliseconds from its dial.
        millis: u64,
    },
    /// Nothing of a session is left.
    Ended {
        /// Which.
        session: SessionId,
    },
}

mod base64_bytes {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(from)?;
        STANDARD.decode(text.as_ref()).map_err(D::Error::custom)
    }
}
