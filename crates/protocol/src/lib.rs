//! What every room agrees on. Pure: no I/O, no async, no VM, no HTTP.
//!
//! In the order in which a job meets it:
//!
//! 1. [`job`]: what a front door read, and what passed; [`validate`] turns the one into the other,
//!    with [`limits`], [`trace_id`], [`path`], [`language`] and the [`scan`]; a refusal carries an
//!    [`error_code`].
//! 2. [`wire`]: what host and guest say about it, packed by [`frame`], bytes by [`bytes`],
//!    bounded by [`json`].
//! 3. [`result`]: the one answer; [`event`]: what the log keeps.
//!
//! The guest agent builds without the `host` feature, so it carries no regular expressions.

pub mod bytes;
pub mod error_code;
pub mod event;
pub mod frame;
pub mod job;
pub mod json;
pub mod language;
pub mod limits;
pub mod path;
pub mod result;
#[cfg(feature = "host")]
pub mod scan;
pub mod trace_id;
#[cfg(feature = "host")]
pub mod validate;
pub mod wire;
