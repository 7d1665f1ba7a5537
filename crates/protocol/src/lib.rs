//! What every room agrees on. Pure: no I/O, no async, no VM, no HTTP.
//!
//! In the order in which a job meets it:
//!
//! 1. [`job`]: what a front door read, and what passed; [`validate`] turns the one into the other,
//!    with [`limits`], [`trace_id`], [`path`], [`language`] and the [`scan`]; a refusal carries an
//!    [`error_code`]. [`packages`]: what a program needs besides its image.
//! 2. [`supervisor`]: what host and guest say of its processes and files, on the streams of a [`link`]; bytes in JSON by
//!    [`bytes`], many files by [`collection`], bounded by [`json`]; [`wire`] is what both know besides.
//! 3. [`result`]: the one answer; [`event`]: what the log keeps.
//!
//! The guest agent builds without the `host` feature, so it carries no language and no regular expressions: it is told
//! argvs, an [`environment`] and an [`interpreter`].

pub mod bytes;
pub mod collection;
pub mod environment;
pub mod error_code;
pub mod event;
pub mod interpreter;
#[cfg(feature = "host")]
pub mod job;
pub mod json;
#[cfg(feature = "host")]
pub mod language;
pub mod limits;
pub mod link;
#[cfg(feature = "host")]
pub mod packages;
pub mod path;
pub mod result;
#[cfg(feature = "host")]
pub mod scan;
pub mod supervisor;
pub mod trace_id;
#[cfg(feature = "host")]
pub mod validate;
pub mod wire;
