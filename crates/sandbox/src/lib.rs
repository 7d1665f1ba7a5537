//! The life of a job: admitted, given a VM, talked to, judged, and its VM destroyed.
//!
//! In the order in which a job meets it:
//!
//! | module | what |
//! |---|---|
//! | [`config`] | everything an operator may set |
//! | [`sandbox`] | the way of a job; start reading here |
//! | [`admission`] | so many run, so many wait, one more is refused |
//! | [`packages`] | the language in an image with what its program asks for |
//! | [`supply`] | pool, else clone, else boot: with [`pool`], [`snapshots`], [`materials`] |
//! | [`lease`] | a VM whose agent listens, and [`talk`], the bytes to and from it; [`warm_up`] |
//! | [`live`] | many processes and files in one VM: what is asked of a guest, and what it may say |
//! | [`drive`] | the job on its VM: a sandbox with one program |
//! | [`outside`] | what its programs connect to, where the operator wrote a policy |
//! | [`saved`] | VMs that were saved at work, on disk |
//! | [`session`] | a VM that stays between programs |
//! | `destroy` | the end of a VM, without waiting for it |
//! | `ending` | what is told of each job, whatever way it ends |
//! | [`error`] | why there is no report, and the code that clients match on |
//! | [`outcome`] | how an ending becomes a result; [`normalize`] hides its time |
//! | [`events`], [`metrics`] | what is told and counted; [`step`] is told to who waits |
//!
//! Out of this crate: HTTP, flags, and how a VM boots.

pub mod admission;
pub mod config;
pub mod current;
mod destroy;
pub mod drive;
mod ending;
pub mod error;
pub mod events;
#[cfg(test)]
mod fixture;
pub mod lease;
pub mod live;
pub mod materials;
pub mod metrics;
pub mod missing_module;
pub mod normalize;
pub mod outcome;
pub mod outside;
pub mod packages;
pub mod pool;
mod quoted;
pub mod sandbox;
pub mod saved;
pub mod session;
pub mod snapshots;
pub mod standby;
pub mod step;
pub mod supply;
pub mod talk;
mod waiting;
pub mod warm_up;
