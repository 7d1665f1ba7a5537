//! The sandbox with real VMs: where they come from, and what happens when one does not do its part.
//!
//! | tests | engine, unless `LLM_FIRECRACKER_ENGINE` names one |
//! |---|---|
//! | [`killed`], [`pooled_secrets`], [`endings`]: VMs of the pool | the one that jobs get here |
//! | [`full_disk`], [`silent_clone`], [`standby`]: snapshots and their clones | QEMU |
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod endings;
mod full_disk;
mod host;
mod killed;
mod pooled_secrets;
mod silent_clone;
mod standby;
