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

use crate::args::{SandboxArgs, SandboxCommand, ServiceArgs};
use service::{Service, ServiceError};
use std::process::ExitCode;
use std::time::Duration;

/// How long somebody waits who pressed Tab.
const AT_ONCE: Duration = Duration::from_millis(300);

/// The sandboxes of this key, where the service says them at once; else none.
pub fn ids_at_once(args: &ServiceArgs) -> Vec<String> {
    let asked = || -> Result<_, ServiceError> {
        Service::of_within(args, AT_ONCE)?.get::<Vec<list::Id>>(list::PATH)
    };
    asked().map_or_else(
        |_| Vec::new(),
        |all| all.into_iter().map(|one| one.id).collect(),
    )
}

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
