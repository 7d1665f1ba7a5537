//! What every room agrees on. Pure: no I/O, no async, no VM, no HTTP.
pub mod bytes;
pub mod frame;
pub mod language;
pub mod path;
pub mod wire;
