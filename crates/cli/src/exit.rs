//! What this tool exits with: one table, which `docs/exit-codes.md` is made of, and what of an error decides.

use crate::signals::{self, EXIT_PIPE_CLOSED};
use crate::terminal;
use protocol::result::{EXIT_INTERNAL, EXIT_REJECTED};
#[cfg(test)]
use protocol::result::{EXIT_OOM, EXIT_TIMEOUT};
#[cfg(test)]
use sandbox::live::NoProgram;
use std::process::ExitCode;
use thiserror::Error;

/// What a command did not succeed in that runs no program of a user's.
pub const EXIT_FAILED: u8 = 1;
/// A wrong command line, configuration or file, or a refused job: the user mends it.
pub const EXIT_USAGE: u8 = EXIT_REJECTED;

/// What the user wrote is wrong: a configuration, a word, a file that a flag names. Nothing was begun.
#[derive(Debug, Error)]
#[error(transparent)]
pub struct UsageError(anyhow::Error);

/// The same error, as one that the user mends.
pub fn usage(error: impl Into<anyhow::Error>) -> anyhow::Error {
    UsageError(error.into()).into()
}

/// What an error exits with; `otherwise` where nobody's words are to blame.
pub fn code(error: &anyhow::Error, otherwise: u8) -> u8 {
    match error.downcast_ref::<UsageError>() {
        Some(_) => EXIT_USAGE,
        None => otherwise,
    }
}

/// Says what failed where a program of the user's was to run: its exit codes are the program's.
pub fn of_program(error: &anyhow::Error) -> ExitCode {
    if signals::is_pipe_closed(error) {
        return ExitCode::from(EXIT_PIPE_CLOSED);
    }
    terminal::say(format_args!("{error:#}"));
    ExitCode::from(code(error, EXIT_INTERNAL))
}

/// Says what failed of any other command.
pub fn of_command(error: &anyhow::Error) -> ExitCode {
    if signals::is_pipe_closed(error) {
        return ExitCode::SUCCESS;
    }
    terminal::say(format_args!("{error:#}"));
    ExitCode::from(code(error, EXIT_FAILED))
}

/// Codes, of which commands, and what each means; `N` counts signals.
#[cfg(test)]
fn table() -> Vec<(String, &'static str, &'static str)> {
    const ALL: &str = "all";
    const PROGRAMS: &str = "`run`, `shell`, `sandbox exec`";
    let rows = [
        (0, ALL, "done; of a program: it ended with 0"),
        (
            EXIT_FAILED,
            "all but those that run a program",
            "it failed, or what was looked at is not in order (`doctor`, `selftest`, `setup`, `images verify`, `events verify`)",
        ),
        (
            EXIT_USAGE,
            ALL,
            "the command line, the configuration or a file that it names is wrong, or the job was refused; nothing was run",
        ),
        (
            EXIT_TIMEOUT,
            PROGRAMS,
            "the program ran into its time limit",
        ),
        (
            EXIT_INTERNAL,
            PROGRAMS,
            "the sandbox itself failed, the service or the way to it did, or the image is not built (`image_missing`); `selftest`: nothing was attacked",
        ),
        (
            NoProgram::Forbidden.exit_code(),
            "`shell`, `sandbox exec`, `run --image` without a program",
            "the program is there and may not be executed",
        ),
        (
            NoProgram::Absent.exit_code(),
            "`shell`, `sandbox exec`, `run --image` without a program",
            "there is no such program, or it could not be begun",
        ),
        (EXIT_OOM, PROGRAMS, "the program's memory ran out"),
        (
            EXIT_PIPE_CLOSED,
            PROGRAMS,
            "nobody read the output any more, as behind `head`",
        ),
    ];
    let mut table: Vec<_> = rows
        .into_iter()
        .map(|(code, commands, meaning)| (code.to_string(), commands, meaning))
        .collect();
    table.push((
        "128+N".to_owned(),
        ALL,
        "ended by signal N: the program, or this command (Ctrl-C is 130)",
    ));
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;
    use std::path::Path;

    #[test]
    fn what_the_user_mends_is_told_by_its_code_whatever_is_said_around_it() {
        let inner = anyhow::anyhow!("inner").context("outer");
        let error = usage(inner);
        assert_eq!(format!("{error:#}"), "outer: inner");
        assert_eq!(code(&error, EXIT_FAILED), EXIT_USAGE);
        let around = Err::<(), _>(error).context("around").unwrap_err();
        assert_eq!(format!("{around:#}"), "around: outer: inner");
        assert_eq!(code(&around, EXIT_INTERNAL), EXIT_USAGE);
        assert_eq!(code(&anyhow::anyhow!("x"), EXIT_INTERNAL), EXIT_INTERNAL);
    }

    /// `UPDATE_DOCS=1` writes it.
    #[test]
    fn the_page_of_exit_codes_is_the_table() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/exit-codes.md");
        let written = std::fs::read_to_string(&path).unwrap();
        let head = written.split("| code |").next().unwrap();
        let mut page = format!("{head}| code | of | means |\n|---|---|---|\n");
        for (code, commands, meaning) in table() {
            page += &format!("| {code} | {commands} | {meaning} |\n");
        }
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, &page).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap();
        assert!(
            written == page,
            "docs/exit-codes.md differs; UPDATE_DOCS=1 writes it"
        );
    }
}
