//! The event log that can be checked afterwards: append-only JSON lines, each chained to the one
//! before by SHA-256.
//!
//! | module | what |
//! |---|---|
//! | [`record`] | one line: how it is written, read and hashed |
//! | [`head`] | the small file that says where the chain begins and ends, so that a cut end shows |
//! | [`log`] | the writer: appends, turns segments over by size and age, drops what is too old |
//! | [`read`] | `tail`, `query` and following a log that grows |
//! | [`verify`] | walks the whole chain and names what is wrong |
//!
//! What it proves: that nobody changed, cut or reordered records without also rewriting every later
//! record and the head. Whoever may write the folder can do that; ship the head's hash elsewhere
//! (`events verify` prints it, the journal has it) to notice even then.

pub mod error;
pub mod head;
pub mod log;
pub mod read;
pub mod record;
mod segment;
pub mod verify;

pub use error::AuditError;
pub use log::{AuditConfig, AuditLog};
pub use read::{Filter, Follower};
pub use record::Record;
pub use verify::{Finding, Report};
