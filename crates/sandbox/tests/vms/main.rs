//! The sandbox with real VMs: where they come from, and what happens when one does not do its part.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod full_disk;
mod host;
mod killed;
mod pooled_secrets;
mod silent_clone;
mod standby;
