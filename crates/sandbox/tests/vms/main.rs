//! The sandbox with real VMs: where they come from, and what happens when one does not do its part.
//!
//! | tests | engine, unless `LLM_FIRECRACKER_ENGINE` names one |
//! |---|---|
//! | [`killed`], [`pooled_secrets`], [`endings`]: VMs of the pool | the one that jobs get here |
//! | [`contexts`]: interpreters that stay | the one that jobs get here |
//! | [`live`], [`live_files`]: many processes in one VM, and its files | the one that jobs get here |
//! | [`full_disk`], [`silent_clone`], [`standby`]: snapshots and their clones | QEMU |
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod contexts;
mod endings;
mod full_disk;
mod host;
mod killed;
mod live;
mod live_files;
mod live_root;
mod live_watch;
mod live_writable;
mod pooled_secrets;
mod silent_clone;
mod standby;
