//! One layer as a stream of bytes that anybody may have written, turned into a list of changes to a tree.
//!
//! - `stream`: decompression; `counted`: the digest of what comes out, and its bound
//! - `header`, `pax`, `entries`: the tar archive in it, a header at a time; nothing is allocated by a length that a header names
//!   before the length is held against its bound
//! - `path`: names inside the tree; `change`: what an entry does to the tree; `read`: all of it

pub(crate) mod change;
pub(crate) mod counted;
pub(crate) mod entries;
pub(crate) mod header;
pub(crate) mod path;
pub(crate) mod pax;
pub(crate) mod read;
pub(crate) mod stream;
