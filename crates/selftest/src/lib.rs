//! The attack battery: hostile programs, run in real VMs, judged by what the host shows afterwards.
//!
//! In the order in which an attack meets them:
//!
//! | module | what |
//! |---|---|
//! | [`table`] | `attacks/table.toml`: every attack, what it is and what must hold |
//! | [`request`] | an attack's file as a request to the sandbox |
//! | [`battery`] | one attack after another; start reading here |
//! | `bench`, `fixture` | the two sandboxes that are attacked: the real agent's and the hostile one's |
//! | `live` | attacks on live sandboxes, by their client and by their agent |
//! | [`host`] | what the host shows before and after: processes, files, mounts, sockets, cgroups, memory |
//! | [`judge`] | what must hold of a result, pure |
//! | [`report`] | the table and the JSON |
//! | [`document`] | `docs/attacks.md`, made from the table |
//!
//! Compiles to nothing without the `host` feature: the hostile agent is a program of its own
//! (`src/hostile`), which stands in the guest where the real agent would.
#![cfg(feature = "host")]

pub mod battery;
mod bench;
pub mod document;
pub mod error;
mod fixture;
pub mod host;
pub mod judge;
mod ledger;
mod live;
pub mod report;
pub mod request;
pub mod table;
pub mod within;

pub use battery::{Options, run};
pub use error::SelftestError;
pub use report::{Report, Skipped, Verdict};
pub use table::{Attack, Kind, Standing, attacks};
