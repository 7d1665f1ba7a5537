//! What the service and the proxy say to each other: the service has jobs, keys and the audit log, the proxy has secrets,
//! names and the network, and neither has the other's.
//!
//! ```text
//!   service                                proxy
//!     | Policies ->        <- Ready          first; then the proxy locks itself in
//!     | Begin ->           <- Begun          a session for each VM: its ports, its CA, its placeholders
//!     | Query ->           <- Answer         a DNS message
//!     | Connection (+fd) ->                  a program's connection, bytes as they come
//!     | Go | Stop ->       <- Attempt        it is allowed: the audit log has it before a byte goes out
//!     |                    <- Refused        it is not, and why
//!     |                    <- Closed         what an allowed one was
//!     | End ->             <- Ended          nothing of the session is left
//! ```
//!
//! One packet a message, JSON; a connection comes with its socket. There is no file and no address: whoever was not given
//! an end cannot speak.

mod channel;
mod message;

pub use channel::{Channel, ChannelError, MAX_MESSAGE_BYTES};
pub use message::*;
