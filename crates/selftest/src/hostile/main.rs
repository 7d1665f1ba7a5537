//! An agent that was taken over: `/init` of a VM in which the attacker is everything there is.
//!
//! It boots and says its Hello like the real one, for the host must have begun to believe it. Then
//! the job's code says what to do:
//!
//! | the code's first line | what happens | file |
//! |---|---|---|
//! | `#!talk` | each further line is one thing to say or do to the host | `script` |
//! | `#!root` | the rest is a program; it runs as root, all capabilities, no walls | `root` |
//! | anything else | the job "ran well": so that a snapshot of this VM can be made | `honest` |
//!
//! Nothing here is ever part of a real guest.

mod boot;
mod channel;
mod error;
mod honest;
mod root;
mod script;

use channel::Channel;
use error::Broken;
use nix::sys::reboot::{RebootMode, reboot};
use protocol::wire::{GuestMessage, HostMessage, PROTOCOL_VERSION, RunRequest};

/// First line of a job that is a list of things to say.
const TALK: &str = "#!talk\n";
/// First line of a job that is a program for root.
const ROOT: &str = "#!root\n";

fn main() {
    if std::process::id() != 1 {
        eprintln!(
            "llm-firecracker-hostile-agent: the selftest's stand-in for a taken-over guest; it runs as a microVM's PID 1 and nowhere else"
        );
        std::process::exit(2);
    }
    if let Err(error) = serve() {
        boot::complain(&error);
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
    let mut channel = Channel::open()?;
    channel.say(&GuestMessage::Hello {
        protocol: PROTOCOL_VERSION,
    })?;
    loop {
        match channel.hear()? {
            HostMessage::Warm { .. } => channel.say(&GuestMessage::Warmed)?,
            HostMessage::Wake(_) => channel.say(&GuestMessage::Awake)?,
            HostMessage::Run(request) => run(&request, &mut channel)?,
            _ => {}
        }
    }
}

fn run(request: &RunRequest, channel: &mut Channel) -> Result<(), Broken> {
    let code = String::from_utf8_lossy(&request.code.0);
    if let Some(script) = code.strip_prefix(TALK) {
        return script::carry_out(script, request, channel);
    }
    if let Some(program) = code.strip_prefix(ROOT) {
        return root::run(program, request, channel);
    }
    honest::run(request, channel)
}
