//! `sandbox`: a client of a service that runs, for people and scripts: VMs that stay, with processes and files.
//!
//! | module | what |
//! |---|---|
//! | [`service`], [`address`], [`upload`], [`problem`] | requests to the service, and what it says when it says no |
//! | [`create`], [`list`], [`cp`], [`logs`], [`rm`] | one verb each |
//! | [`exec`], [`feed`], [`interrupts`], [`tty`] | a program: its output, its input, signals to it, its terminal |
//! | [`told`], [`exit`], [`shown`] | what is told of a process, as a line, as an exit code, on the screen |

mod address;
mod cp;
mod create;
mod exec;
mod exit;
mod feed;
mod interrupts;
mod list;
mod logs;
mod problem;
mod rm;
mod service;
mod shown;
pub mod told;
mod tty;
mod upload;

use crate::args::{SandboxArgs, SandboxCommand};
use service::Service;
use std::process::ExitCode;

/// Carries out one of the commands.
pub async fn run(args: SandboxArgs) -> anyhow::Result<ExitCode> {
    let service = Service::of(&args.service);
    match args.command {
        SandboxCommand::Exec(args) => exec::run(service, args).await,
        SandboxCommand::Create(args) => create::run(service?, args).await,
        SandboxCommand::List { format } => list::run(service?, &format).await,
        SandboxCommand::Cp(args) => cp::run(service?, args).await,
        SandboxCommand::Logs(args) => logs::run(service?, args).await,
        SandboxCommand::Rm { ids } => rm::run(service?, ids).await,
    }
}
