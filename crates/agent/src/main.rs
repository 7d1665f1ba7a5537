//! The guest's PID 1. One file an act, in the order in which they happen:
//!
//! ```text
//!  boot      mount what the kernel shows, load modules          boot, modules
//!  root      the read-only image becomes `/`, the job's devices  root, devices
//!  harden    sysctls, loopback, the agent out of reach           harden
//!  channel   frames from and to the host                         channel
//!  serve     one host message after another                      serve
//!   wake       entropy, clock, names                             wake
//!   run        one job                                           job
//!     cgroup     its share of memory, pids, cpu                  cgroup
//!     cell       its namespaces and their init                   cell, view
//!     confine    uid, capabilities, rlimits, system calls        confine, filter
//!     pump       its pipes, its stdin, its deadlines             pump, stream
//!     ending     what its wait status and counters mean          ending, audit
//!   warm       interpreters that wait for a job                  waiting, zygote
//!   session    one program after another in one interpreter      session, answer
//!   files      into and out of the work folder                   transfer, files
//! ```
//!
//! The job is hostile. Nothing of the agent's is in its reach: not its process (own pid
//! namespace), not its descriptors (all close-on-exec), not its mounts (own mount namespace),
//! not its memory (not dumpable, no capability to trace). The host is trusted.

mod answer;
mod artifacts;
mod audit;
mod boot;
mod cell;
mod cgroup;
mod channel;
mod confine;
mod devices;
mod ending;
mod error;
mod files;
mod filter;
mod foreground;
mod harden;
mod job;
mod modules;
mod pump;
mod recipe;
mod report;
mod root;
mod serve;
mod session;
mod stream;
mod transfer;
mod view;
mod waiting;
mod wake;
mod witnesses;
mod zygote;

use error::AgentError;
use nix::sys::reboot::{RebootMode, reboot};

fn main() {
    if std::process::id() != 1 {
        eprintln!(
            "agent: this is a microVM's PID 1 (/init of its initramfs); it runs nowhere else"
        );
        std::process::exit(2);
    }
    if let Err(error) = run() {
        error::complain(&error);
    }
    // PID 1 must not return: the kernel would panic. `reboot` comes back only when refused.
    let _ = reboot(RebootMode::RB_AUTOBOOT);
    loop {
        nix::unistd::pause();
    }
}

/// Boots and serves; returns only when the VM is of no use any more.
fn run() -> Result<(), AgentError> {
    boot::mount_kernel_views()?;
    if boot::answered_probe()? {
        return Ok(());
    }
    modules::load_all()?;
    root::switch()?;
    devices::build()?;
    root::mount_writable()?;
    harden::tighten();
    let mut channel = channel::Channel::open()?;
    let served = serve::serve(&mut channel);
    if let Err(error) = &served {
        channel.send_last_words(error);
    }
    served
}
