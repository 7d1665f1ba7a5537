//! The `llm-firecracker` command. Here errors become sentences and exit codes; nothing else is decided.
//!
//! [`args`] is the command line as data, [`context`] turns it and the configuration into rooms that
//! are ready to use, and each command has its file in [`commands`].

mod args;
mod audit_sink;
mod commands;
mod context;
mod progress;
mod signals;
mod table;

use args::{Cli, Command};
use clap::Parser;
use std::process::ExitCode;

/// The exit code when a command other than `run` failed.
const EXIT_FAILED: u8 = 1;

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log(cli.global.verbose);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(&anyhow::Error::new(error).context("starting the runtime")),
    };
    let outcome = runtime.block_on(dispatch(cli));
    // A read of standard input may still be blocked in its thread: do not wait for it.
    runtime.shutdown_background();
    outcome.unwrap_or_else(|error| fail(&error))
}

async fn dispatch(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Run(args) => Ok(commands::run::run(&cli.global, *args).await),
        Command::Setup(args) => commands::setup::run(&cli.global, args).await,
        Command::Images(command) => commands::images::run(&cli.global, command).await,
        Command::Snapshots(command) => commands::snapshots::run(&cli.global, command).await,
        Command::Languages { format } => commands::languages::run(&cli.global, &format),
        Command::Clean { format } => commands::clean::run(&cli.global, &format).await,
        Command::Bench(args) => commands::bench::bench(&cli.global, args).await,
        Command::Compare(args) => commands::bench::compare(&cli.global, args).await,
        Command::Selftest(args) => commands::selftest::run(&cli.global, args).await,
        Command::Doctor { format } => commands::doctor::run(&cli.global, &format).await,
        Command::Serve { listen } => commands::serve::run(&cli.global, listen).await,
        Command::Keys(command) => commands::keys::run(&cli.global, command),
        Command::Events(command) => commands::events::run(&cli.global, command),
        Command::Completions { shell } => commands::help::completions(shell),
        Command::Man { dir } => commands::help::man(&dir),
    }
}

fn start_log(verbose: u8) {
    let level = ["warn", "info", "debug"][usize::from(verbose.min(2))];
    let filter = tracing_subscriber::EnvFilter::try_from_env("LLM_FIRECRACKER_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(verbose > 0)
        .without_time()
        .init();
}

fn fail(error: &anyhow::Error) -> ExitCode {
    let broken_pipe = |cause: &(dyn std::error::Error + 'static)| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
    };
    if error.chain().any(broken_pipe) {
        return ExitCode::SUCCESS;
    }
    eprintln!("llm-firecracker: {error:#}");
    ExitCode::from(EXIT_FAILED)
}
