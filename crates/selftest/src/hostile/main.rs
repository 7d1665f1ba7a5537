//! An agent that was taken over: `/init` of a VM in which the attacker is everything there is.
//!
//! It boots and says its Hello like the real one, for the host must have begun to believe it, and answers what it is asked
//! (`agent`). Then a script or a program takes over:
//!
//! | what came | what happens | file |
//! |---|---|---|
//! | a program that begins with `#!talk` | each further line is one thing to say or do to the host | `script` |
//! | one that begins with `#!root` | the rest runs as root, all capabilities, no walls | `root` |
//! | a script in the place of a system-call filter | the same lines, once a live sandbox' client asked for all it wants | `script` |
//! | an interpreter's orders | it "waits": so that a snapshot of this VM can be made | `agent` |
//! | anything else | the program "ran well" | `honest` |
//!
//! Nothing here is ever part of a real guest.

mod agent;
mod boot;
mod channel;
mod collection;
mod error;
mod flood;
mod honest;
mod line;
mod machine;
mod root;
mod script;
mod words;

use error::Broken;
use line::Line;
use nix::sys::reboot::{RebootMode, reboot};

fn main() {
    if std::process::id() != 1 {
        eprintln!(
            "llm-firecracker-hostile-agent: the selftest's stand-in for a taken-over guest; it runs as a microVM's PID 1 and nowhere else"
        );
        std::process::exit(2);
    }
    if let Err(error) = serve() {
        boot::report(&error);
    }
    let _ = reboot(RebootMode::RB_AUTOBOOT);
    loop {
        nix::unistd::pause();
    }
}

fn serve() -> Result<(), Broken> {
    boot::boot()?;
    if boot::answered_probe()? {
        return Ok(());
    }
    agent::serve(&mut Line::open()?)
}
