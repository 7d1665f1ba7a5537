//! Completions and man pages, generated from the command line's own table.

use crate::args::{Cli, Global};
use crate::context;
use anyhow::Context as _;
use clap::CommandFactory as _;
use std::path::Path;
use std::process::ExitCode;

/// Prints the completions of a shell, the operator's languages among them.
pub fn completions(global: &Global, shell: clap_complete::Shell) -> anyhow::Result<ExitCode> {
    context::config(global)?;
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "llm-firecracker", &mut script);
    std::io::Write::write_all(&mut std::io::stdout(), &script)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes a man page for the tool and for each command.
pub fn man(dir: &Path) -> anyhow::Result<ExitCode> {
    std::fs::create_dir_all(dir).with_context(|| format!("creating {}", dir.display()))?;
    clap_mangen::generate_to(Cli::command(), dir)
        .with_context(|| format!("writing man pages into {}", dir.display()))?;
    Ok(ExitCode::SUCCESS)
}
