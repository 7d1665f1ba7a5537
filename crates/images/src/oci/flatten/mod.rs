//! Layers to one tree, in a process of its own that has no network and sees a pipe and an empty folder.
//!
//! ```text
//! parent                                    child, jailed
//! ------                                    -------------
//! plan, then each layer's bytes, hashed ──► decompress, read, apply to the tree in memory
//!                                           contents to SPOOL/0, SPOOL/1, … ; the tree to SPOOL/tree
//! SPOOL/report, once it has ended       ◄── what was left behind, or what is wrong
//! SPOOL/tree, read and checked again
//! ```
//!
//! - `plan`: what the child is told, and what it reports; `child`: the child's side; `jail`: the parent's
//! - `spool`: the contents' files; `listing`: the form of the tree between both
//! - `materialise`: the tree on disk, by the parent

pub(crate) mod child;
pub(crate) mod jail;
pub(crate) mod listing;
pub(crate) mod materialise;
pub(crate) mod plan;
pub(crate) mod spool;
