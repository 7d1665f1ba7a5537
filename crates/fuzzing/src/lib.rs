//! What is fuzzed: one function a parser whose bytes somebody hostile wrote.
//!
//! | module | whose bytes |
//! |---|---|
//! | `channel` | on a guest's channel, and a VMM's |
//! | `egress` | a guest's, on its way to a host that a policy lists |
//! | `guest` | a guest's that was taken over, to a host that runs a job or keeps it |
//! | `files` | of a file that was damaged, or written by a user or an operator |
//! | `requests` | a client's |
//!
//! [`TARGETS`] is the only list of them: `fuzz/` gives each to libFuzzer (`cargo fuzz run NAME`), the
//! test of this crate gives each generated and mutated inputs for a bounded time on a stable compiler.
//! A function panics when a property does not hold; surviving is not enough.

mod channel;
mod egress;
mod files;
mod guest;
mod requests;

pub use channel::{collection, interpreter, link, qmp};
pub use egress::{connect, decide, dns, http1, socks5, tls_hello};
pub use files::{
    config, image_bundle, image_manifest, oci_layer, saved_record, seccomp_profile,
    snapshot_manifest,
};
pub use guest::{attended, guest, job, result_of};
pub use requests::{envelopes, execute, form, piston, sessions};

/// One parser under attack.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its function here, its file in `fuzz/fuzz_targets`, its folder in `fuzz/seeds`.
    pub name: &'static str,
    /// Takes any bytes.
    pub run: fn(&[u8]),
}

/// Bytes of memory that any input may cost: error texts, the patterns of a configuration.
pub const MEMORY_FLOOR: usize = 1 << 20;

/// Bytes that one byte of input may cost besides: a map of one empty string costs 75 a byte, and bounds
/// on the number of values (`protocol::json`) keep large inputs far below.
pub const MEMORY_GROWTH: usize = 128;

/// Every target.
pub const TARGETS: &[Target] = &[
    target("link", link),
    target("collection", collection),
    target("interpreter", interpreter),
    target("job", job),
    target("guest", guest),
    target("qmp", qmp),
    target("seccomp_profile", seccomp_profile),
    target("image_manifest", image_manifest),
    target("image_bundle", image_bundle),
    target("oci_layer", oci_layer),
    target("snapshot_manifest", snapshot_manifest),
    target("saved_record", saved_record),
    target("config", config),
    target("execute", execute),
    target("piston", piston),
    target("sessions", sessions),
    target("envelopes", envelopes),
    target("form", form),
    target("tls_hello", tls_hello),
    target("socks5", socks5),
    target("connect", connect),
    target("http1", http1),
    target("dns", dns),
    target("decide", decide),
];

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run }
}
