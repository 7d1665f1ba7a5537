//! The `llm-firecracker` command. Here errors become sentences and exit codes; nothing else is decided.
//!
//! [`args`] is the command line as data, [`context`] turns it and the configuration into rooms that
//! are ready to use, and each command has its file in [`commands`].

mod args;
mod artifacts;
mod audit_sink;
mod commands;
mod context;
mod exit;
mod progress;
mod raw_terminal;
mod settings;
mod signals;
mod table;
mod telemetry;
mod terminal;

use args::{BenchCommand, Cli, Command};
use std::process::ExitCode;
use telemetry::{Telemetry, TelemetryConfig};

fn main() -> ExitCode {
    if let Some(code) = ended_as_child() {
        return code;
    }
    commands::help::answer_shell();
    let cli = Cli::of_process();
    cli.global.color.set();
    // Dropped last: it sends what is still to be sent.
    let _telemetry = match start_log(&cli) {
        Ok(telemetry) => telemetry,
        Err(error) => return exit::of_command(&error),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            let error = anyhow::Error::new(error).context("starting the runtime");
            return exit::of_command(&error);
        }
    };
    let outcome = runtime.block_on(dispatch(cli));
    // A read of standard input may still be blocked in its thread: do not wait for it.
    runtime.shutdown_background();
    outcome.unwrap_or_else(|error| exit::of_command(&error))
}

/// What this program does where it was started anew, to be less than itself: in a jail, to read an image that nobody
/// vouches for, or to be the egress proxy.
fn ended_as_child() -> Option<ExitCode> {
    match std::env::args_os().nth(1)?.to_str()? {
        images::oci::CHILD_WORD => Some(images::oci::child_main()),
        context::egress::CHILD_WORD => Some(context::egress::child_main()),
        _ => None,
    }
}

async fn dispatch(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Run(args) => Ok(commands::run::run(&cli.global, *args).await),
        Command::Shell(args) => Ok(commands::shell::run(&cli.global, args).await),
        Command::Sandbox(args) => commands::sandbox::run(*args).await,
        Command::Setup(args) => commands::setup::run(&cli.global, args).await,
        Command::Images(command) => commands::images::run(&cli.global, command).await,
        Command::Snapshots(command) => commands::snapshots::run(&cli.global, command).await,
        Command::Languages { format } => commands::languages::run(&cli.global, &format),
        Command::Clean { format } => commands::clean::run(&cli.global, &format).await,
        Command::Bench(args) => match args.command {
            Some(BenchCommand::Http(args)) => commands::bench_http::run(&cli.global, args).await,
            Some(BenchCommand::Data(args)) => commands::bench_data::run(&cli.global, args).await,
            Some(BenchCommand::Native(args)) => {
                commands::bench_native::run(&cli.global, args).await
            }
            Some(BenchCommand::Packages(args)) => {
                commands::bench_packages::run(&cli.global, args).await
            }
            Some(BenchCommand::Sandbox(args)) => {
                commands::bench_sandbox::run(&cli.global, args).await
            }
            None => commands::bench::bench(&cli.global, args).await,
        },
        Command::Compare(args) => commands::bench::compare(&cli.global, args).await,
        Command::Selftest(args) => commands::selftest::run(&cli.global, args).await,
        Command::Doctor { format } => commands::doctor::run(&cli.global, &format).await,
        Command::Serve { listen } => commands::serve::run(&cli.global, listen).await,
        Command::Mcp => commands::mcp::run(&cli.global).await,
        Command::Keys(command) => commands::keys::run(&cli.global, command),
        Command::Usage(args) => commands::usage::run(&cli.global, &args),
        Command::Config(command) => commands::config::run(&cli.global, command),
        Command::Egress(command) => commands::egress::run(&cli.global, command),
        Command::Events(command) => commands::events::run(&cli.global, command),
        Command::Completions { shell } => commands::help::completions(shell),
        Command::Man { dir } => commands::help::man(&dir),
    }
}

/// The service's log goes where its configuration says; every other command's to standard error.
fn start_log(cli: &Cli) -> anyhow::Result<Telemetry> {
    let config = match &cli.command {
        Command::Serve { .. } => context::settings(&cli.global)?.telemetry,
        _ => TelemetryConfig::default(),
    };
    Ok(telemetry::start(cli.global.verbose, &config)?)
}
