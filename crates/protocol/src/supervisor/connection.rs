//! Connections from the host to what listens on a sandbox's ports.

/// Connections at one time that the host has open; the agent keeps up to twice as many, for those that are going away.
pub const MAX_CONNECTIONS: usize = 64;
/// Bytes that a port's answer may be ahead of who takes it (64 KiB).
pub const CONNECTION_WINDOW_BYTES: u32 = 64 * 1024;
