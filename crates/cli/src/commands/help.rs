//! Completions and man pages, generated from the command line's own table.

use super::candidates;
use crate::args::{self, Cli};
use crate::context;
use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::Shell;
use clap_complete::env::{CompleteEnv, Shells};
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

/// Set by a shell's completion function; it holds the shell's name, and the words so far are this process's.
const COMPLETE: &str = "LLM_FIRECRACKER_COMPLETE";
/// What is completed, and what a shell asks, which is to be in its PATH.
const NAME: &str = "llm-firecracker";

/// zsh runs a file of its folder of completions when it is first asked: then the answer is wanted at once.
const AUTOLOADED: &str = r#"if [ "$funcstack[1]" = "_llm-firecracker" ]; then
    _clap_dynamic_completer_llm_firecracker "$@"
fi
"#;

/// Ends the process with the answer where a shell asks it what may come next.
pub fn answer_shell() {
    let command = || {
        load_names();
        candidates::added_to(args::command())
    };
    CompleteEnv::with_factory(command)
        .var(COMPLETE)
        .bin(NAME)
        .completer(NAME)
        .complete();
}

/// The operator's languages and users' images, where they can be read: a shell waits, and wants no error.
fn load_names() {
    let Some(global) = candidates::global() else {
        return;
    };
    let config = context::config(&global);
    if let Ok(config) = config
        && context::state_dir(&config).join("images").exists()
    {
        let _ = context::image_store(&config);
    }
}

/// Prints the function that has a shell ask this tool for what may come next.
pub fn completions(shell: Shell) -> anyhow::Result<ExitCode> {
    let shells = Shells::builtins();
    let known = shells.completer(&shell.to_string());
    let known = known.with_context(|| format!("no completions for {shell}"))?;
    let mut script = Vec::new();
    known.write_registration(COMPLETE, NAME, NAME, NAME, &mut script)?;
    if shell == Shell::Zsh {
        script.extend_from_slice(AUTOLOADED.as_bytes());
    }
    std::io::stdout().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes a man page for the tool and for each command.
pub fn man(dir: &Path) -> anyhow::Result<ExitCode> {
    std::fs::create_dir_all(dir).with_context(|| format!("creating {}", dir.display()))?;
    clap_mangen::generate_to(Cli::command(), dir)
        .with_context(|| format!("writing man pages into {}", dir.display()))?;
    Ok(ExitCode::SUCCESS)
}
