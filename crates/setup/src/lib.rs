//! Installs Firecracker and its jailer from a release archive whose digest is known beforehand.
//!
//! In the order an archive meets them:
//!
//! | module | what |
//! |---|---|
//! | [`release`] | which releases are pinned, with their digests |
//! | `fetch` | into a temporary file, counted and digested on the way |
//! | `archive` | the two programs out of it, nothing else |
//! | [`install()`] | all of it, with the one check in the middle; whatever fails, nothing is left |
//!
//! Out of this crate: finding engines that are there already and judging their versions (`vmm`).

mod archive;
mod error;
mod fetch;
mod install;
pub mod release;

pub use error::SetupError;
pub use install::{Installed, Source, install};
pub use release::Release;
