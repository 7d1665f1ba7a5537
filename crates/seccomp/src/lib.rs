//! System-call profiles: what a process may ask of its kernel.
//!
//! A profile is JSON in the syntax of Firecracker's seccompiler, as users write it:
//!
//! ```json
//! { "default_action": "trap", "filter_action": "allow", "filters": [ { "syscall": "read" } ] }
//! ```
//!
//! In the order the data meets it: [`Profile::parse`] (or [`Profile::builtin`]) reads and refuses
//! ([`profile`], [`action`], [`condition`], [`arch`] hold the parts), [`Profile::compile`] turns it
//! into classic BPF with the `seccompiler` crate, and [`Program`] is what a kernel takes: bytes for
//! `bwrap --seccomp`, words for the guest's agent.
//!
//! Pure: reading a user's file and installing a program are the callers' work.
pub mod action;
pub mod arch;
pub mod builtin;
mod compile;
pub mod condition;
mod error;
pub mod profile;
mod program;

pub use action::Action;
pub use arch::{Arch, syscall_name};
pub use builtin::{job_names, names as builtin_names};
pub use error::{Error, Result};
pub use profile::Profile;
pub use program::Program;
