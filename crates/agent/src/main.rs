//! The guest's PID 1. One file an act, in the order in which they happen:
//!
//! ```text
//!  boot       mount what the kernel shows, load modules           boot, modules
//!  root       the read-only image becomes `/`, the programs' devices  root, devices, drivers
//!  harden     sysctls, loopback, the agent out of reach            harden
//!  line       bytes from and to the host                           line
//!  supervise  processes and files, on the streams of a link        supervisor
//!    resume     entropy, clock, names                              resume
//!    cgroup     shares of memory, pids, cpu                        cgroup
//!    clone      a child in its cgroup and namespaces               clone, view, overlay, pipes
//!    confine    uid, capabilities, rlimits, system calls           confine, identity, filter
//!    ending     what a wait status and counters mean               ending, audit, witnesses
//!    files      into the work folder                               files
//! ```
//!
//! The job is hostile. Nothing of the agent's is in its reach: not its process (own pid
//! namespace), not its descriptors (all close-on-exec), not its mounts (own mount namespace),
//! not its memory (not dumpable, no capability to trace). The host is trusted.

mod audit;
mod boot;
mod cgroup;
mod clone;
mod confine;
mod devices;
mod drivers;
mod ending;
mod error;
mod files;
mod filter;
mod harden;
mod identity;
mod line;
mod modules;
mod overlay;
mod pipes;
mod resume;
mod root;
mod supervisor;
mod view;
mod witnesses;

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
        error::report(&error);
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
    let drivers = drivers::Drivers::read()?;
    root::switch()?;
    devices::build(&drivers)?;
    root::mount_writable()?;
    root::mount_home()?;
    harden::restrict();
    cgroup::mount_hierarchy()?;
    resume::prepare()?;
    let Err(error) = supervisor::run(line::Line::open()?);
    Err(error)
}
