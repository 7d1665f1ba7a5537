//! Connections that a sandbox's programs open to the outside: only where the operator wrote a policy, and only as
//! streams. There is no network device.

use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// Outbound connections at one time; one more is not dialled.
pub const MAX_OUTBOUND: usize = 32;
/// Dials that the host has not answered yet, at one time.
pub const MAX_DIALS: usize = 64;
/// Bytes that one direction of an outbound connection may be ahead of who takes it (256 KiB).
pub const OUTBOUND_WINDOW_BYTES: u32 = 256 * 1024;
/// Questions to the resolver that wait for an answer, at one time.
pub const MAX_QUERIES: usize = 64;
/// The longest question to the resolver and the longest answer, in bytes (RFC 1035).
pub const MAX_QUERY_BYTES: usize = 512;
/// Ports of one policy.
pub const MAX_PORTS: usize = 64;
/// Where programs that want a proxy find one, on the sandbox's loopback address: HTTP CONNECT and SOCKS5.
pub const PROXY_PORT: u16 = 3128;

/// Where a sandbox with a network has the certificates that its programs are to believe.
pub const TRUST_FILE: &str = "/dev/ca-certificates.crt";

/// The most of them, in bytes (640 KiB): a Debian host's are 220 KB.
pub const MAX_TRUST_BYTES: usize = 640 * 1024;

/// What a program connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Destination {
    /// An address, which was captured on its way.
    Address {
        /// As the program has it; made up, where it asked for a name before.
        address: IpAddr,
        /// One of the policy's.
        port: u16,
    },
    /// The proxy at [`PROXY_PORT`]: the first bytes say where to.
    Proxy,
}
