//! What a shell is told may come next that no table of the command line knows: programs in the place of a command, keys,
//! sandboxes of a service that answers at once. A shell waits, and wants no error: what cannot be had is left out.

use super::sandbox;
use crate::args::{Cli, Command, Global};
use crate::context;
use clap::{Arg, Parser as _};
use clap_complete::engine::{
    ArgValueCandidates, ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter,
};
use std::ffi::OsStr;
use std::path::Path;

/// The command line with what only this host knows.
pub fn added_to(command: clap::Command) -> clap::Command {
    let keys = || ArgValueCandidates::new(keys);
    let sandboxes = || ArgValueCandidates::new(sandboxes);
    command
        .arg(Arg::new("program").add(ArgValueCompleter::new(programs)))
        .mut_subcommand("keys", |own| {
            own.mut_subcommand("revoke", |own| own.mut_arg("key", |arg| arg.add(keys())))
        })
        .mut_subcommand("usage", |own| own.mut_arg("key", |arg| arg.add(keys())))
        .mut_subcommand("events", |own| {
            own.mut_subcommand("query", |own| own.mut_arg("key", |arg| arg.add(keys())))
        })
        .mut_subcommand("sandbox", |own| {
            own.mut_subcommand("exec", |own| own.mut_arg("id", |arg| arg.add(sandboxes())))
                .mut_subcommand("logs", |own| own.mut_arg("id", |arg| arg.add(sandboxes())))
                .mut_subcommand("rm", |own| own.mut_arg("ids", |arg| arg.add(sandboxes())))
        })
}

/// The flags and variables that hold for every command; a shell's own line is not read yet.
pub fn global() -> Option<Global> {
    let cli = Cli::try_parse_from(["llm-firecracker", "mcp"]).ok()?;
    Some(cli.global)
}

/// Files that are programs by their extension, and folders on the way to them; all files where a path is begun.
fn programs(current: &OsStr) -> Vec<CompletionCandidate> {
    if current.is_empty() {
        return Vec::new();
    }
    let is_path = current.to_string_lossy().contains('/');
    let is_program = move |path: &Path| {
        let extension = path.extension().and_then(OsStr::to_str);
        is_path || extension.is_some_and(|one| languages::Language::from_extension(one).is_some())
    };
    PathCompleter::any()
        .filter(move |path| path.is_dir() || is_program(path))
        .complete(current)
}

/// Keys that count, by name where no other has it.
fn keys() -> Vec<CompletionCandidate> {
    let keys = || -> Option<Vec<_>> {
        let settings = context::settings(&global()?).ok()?;
        let file = server::keys::file::read(&context::keys_file(&settings)).ok()?;
        Some(file.keys)
    };
    let keys = keys().unwrap_or_default();
    let valid: Vec<_> = keys.iter().filter(|key| key.revoked_at.is_none()).collect();
    let named = |name: &str| valid.iter().filter(|key| key.name == name).count();
    let word = |key: &&server::keys::file::KeyRecord| match named(&key.name) {
        1 => CompletionCandidate::new(&key.name).help(Some(key.id.clone().into())),
        _ => CompletionCandidate::new(&key.id).help(Some(key.name.clone().into())),
    };
    valid.iter().map(word).collect()
}

fn sandboxes() -> Vec<CompletionCandidate> {
    let Ok(cli) = Cli::try_parse_from(["llm-firecracker", "sandbox", "list"]) else {
        return Vec::new();
    };
    let Command::Sandbox(args) = cli.command else {
        return Vec::new();
    };
    let ids = sandbox::ids_at_once(&args.service);
    ids.into_iter().map(CompletionCandidate::new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_that_is_completed_is_one_of_the_command_line() {
        added_to(crate::args::command()).debug_assert();
    }

    #[test]
    fn programs_are_offered_where_a_command_could_stand() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["hello.py", "hello.txt"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let begun = dir.path().join("he").into_os_string();
        let words: Vec<_> = programs(&begun)
            .iter()
            .map(|one| one.get_value().to_owned())
            .collect();
        assert!(
            words
                .iter()
                .any(|word| word == dir.path().join("hello.py").as_os_str()),
            "{words:?}"
        );
        assert!(programs(OsStr::new("")).is_empty());
        assert!(programs(OsStr::new("Cargo.tom")).is_empty());
        assert_eq!(programs(OsStr::new("sr")).len(), 1);
    }
}
