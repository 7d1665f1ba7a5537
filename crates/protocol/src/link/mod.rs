//! Many streams on one channel, once the agent supervises a sandbox's processes (see [`crate::supervisor`]).
//!
//! ```text
//!   frame     length u32 ─ kind u8 ─ stream u32 ─ payload     big-endian, length is the payload's
//!   kinds     control   JSON, stream 0; goes before all data
//!             data      a stream's next bytes, within the credit that its receiver gave; never empty
//!             credit    u32: so many more bytes may come
//!             end       the sender's last word about the stream
//!             refuse    the receiver wants no more; the sender answers with `end`
//! ```
//!
//! A stream goes one way, is opened by the host in a control message on both ends, in every case (what the guest refuses
//! is opened and ended), and its id is not used again while it is open. Its receiver begins it with credit. Pure: [`Link`] is fed what arrived and says what is to be sent.

mod frame;
mod state;

pub use frame::{
    Frame, LinkDecoder, LinkError, MAX_CONTROL_BYTES, MAX_CONTROL_VALUES, MAX_DATA_BYTES,
    parse_control,
};
pub use state::{Event, Link, QUEUE_BYTES};

/// A stream's name on its link, chosen by the host; 0 is the control stream's.
pub type StreamId = u32;

#[cfg(test)]
mod tests;
