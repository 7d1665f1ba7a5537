//! From this process's words to a command line, with what people write instead: a program's name alone, and its
//! arguments without `--`.

use super::{Cli, config};
use clap::builder::{Resettable, StyledStr};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory, Error, FromArgMatches};
use std::ffi::{OsStr, OsString};
use std::num::{ParseFloatError, ParseIntError};
use std::path::Path;

/// The command that a program's name alone means.
const RUN: &str = "run";
/// The command that opens a terminal in a VM.
const SHELL: &str = "shell";
/// What comes after it is the program's.
const PROGRAM_ARGS: &str = "--";

impl Cli {
    /// This process's command line; a wrong one ends the process with what is wrong.
    pub fn of_process() -> Cli {
        let words: Vec<OsString> = std::env::args_os().collect();
        of_words(words).unwrap_or_else(|error| error.exit())
    }
}

/// The command line as clap reads it in this process.
pub fn command() -> Command {
    Cli::command()
        .mut_arg("firecracker", unless_empty)
        .mut_arg("jailer", unless_empty)
}

/// A variable that is there and empty is as one that is not.
fn unless_empty(arg: Arg) -> Arg {
    match arg.get_env().and_then(std::env::var_os) {
        Some(value) if value.is_empty() => arg.env(Resettable::Reset),
        _ => arg,
    }
}

/// Reads a command line; an error says what to write.
pub fn of_words(words: Vec<OsString>) -> Result<Cli, Error> {
    let read = |words: &[OsString]| {
        let matches = command().try_get_matches_from(words)?;
        let mut cli =
            Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command()))?;
        cli.global.given = config::given(&matches);
        Ok(cli)
    };
    read(&words).or_else(|error| match program_place(&error, &words) {
        Some(place) => {
            let mut words = words.clone();
            words.insert(place, RUN.into());
            read(&words).map_err(|error| with_tip(error, &words))
        }
        None => Err(with_tip(error, &words)),
    })
}

/// Where a program stands in the place of a command.
fn program_place(error: &Error, words: &[OsString]) -> Option<usize> {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return None;
    }
    let word = text(error, ContextKind::InvalidSubcommand)?;
    let path = Path::new(word);
    let extension = path.extension().and_then(OsStr::to_str);
    // Of a folder, or a file that is not there, `run` says what is wrong with it.
    let is_program = path.exists()
        || word.contains('/')
        || extension.is_some_and(|known| languages::Language::from_extension(known).is_some());
    is_program.then(|| place(words, word)).flatten()
}

fn place(words: &[OsString], word: &str) -> Option<usize> {
    let after_own_name = words.iter().enumerate().skip(1);
    let mut same = after_own_name.filter(|(_, other)| *other == word);
    same.next().map(|(place, _)| place)
}

/// Says what to write instead, as far as that can be told.
fn with_tip(error: Error, words: &[OsString]) -> Error {
    let mut error = in_plain_words(error);
    config::blame_variable(&mut error, words);
    if let Some(tip) = tip(&error, words).or_else(|| tip_for_shell(&error, words)) {
        let tip = ContextValue::StyledStrs(vec![StyledStr::from(tip)]);
        error.insert(ContextKind::Suggested, tip);
    }
    error
}

/// Says what a number is, where the library says how it reads digits.
fn in_plain_words(mut error: Error) -> Error {
    let source = std::error::Error::source(&error);
    let what = match source {
        Some(source) if source.is::<ParseIntError>() => "write a whole number",
        Some(source) if source.is::<ParseFloatError>() => "write a number",
        _ => return error,
    };
    let (arg, value) = (
        text(&error, ContextKind::InvalidArg).unwrap_or_default(),
        text(&error, ContextKind::InvalidValue).unwrap_or_default(),
    );
    let said = format!("invalid value '{value}' for '{arg}': {what}\n");
    let mut plain = Error::raw(error.kind(), said);
    for kind in [ContextKind::InvalidArg, ContextKind::InvalidValue] {
        if let Some(value) = error.remove(kind) {
            plain.insert(kind, value);
        }
    }
    plain.with_cmd(&command())
}

/// `shell` takes an image by its flag, and a program behind `--`.
fn tip_for_shell(error: &Error, words: &[OsString]) -> Option<String> {
    let shell = place(words, SHELL)?;
    let cli = command();
    // Flags of all commands, and their values, may stand before it.
    let is_command = |word: &&OsString| {
        word.to_str()
            .is_some_and(|it| cli.find_subcommand(it).is_some())
    };
    let first = words.iter().skip(1).find(is_command)?;
    let is_of_shell = first == SHELL && error.kind() == ErrorKind::UnknownArgument;
    let wrong = text(error, ContextKind::InvalidArg).filter(|_| is_of_shell)?;
    let place = place(words, wrong).filter(|place| *place > shell)?;
    if wrong.starts_with('-') {
        return None;
    }
    let is_image = languages::RootImage::meant_by(wrong).is_some();
    let before = if is_image { "--image" } else { PROGRAM_ARGS };
    let what = match is_image {
        true => format!(
            "an image is named by its flag: {}",
            line_with(words, place, before)
        ),
        false => format!(
            "a program and its arguments come after '{PROGRAM_ARGS}': {}",
            line_with(words, place, before)
        ),
    };
    Some(what)
}

/// The line with one more word at this place, as one would write it.
fn line_with(words: &[OsString], place: usize, more: &str) -> String {
    let mut meant: Vec<OsString> = words.to_vec();
    meant.insert(place, more.into());
    let own = Path::new(&meant[0]).file_name().map(OsStr::to_owned);
    let line = own.into_iter().chain(meant.into_iter().skip(1));
    let line: Vec<String> = line.map(|word| shell_word(&word)).collect();
    line.join(" ")
}

/// How a program gets its arguments, where `run` was given words that are none of its own.
fn tip(error: &Error, words: &[OsString]) -> Option<String> {
    let run = place(words, RUN)?;
    let is_of_program = error.kind() == ErrorKind::UnknownArgument
        && error.get(ContextKind::SuggestedArg).is_none()
        && !words.iter().any(|word| word == PROGRAM_ARGS);
    let wrong =
        place(words, text(error, ContextKind::InvalidArg)?).filter(|wrong| *wrong > run + 1);
    let wrong = wrong.filter(|_| is_of_program)?;
    Some(format!(
        "the program's own arguments come after '{PROGRAM_ARGS}': {}",
        line_with(words, wrong, PROGRAM_ARGS)
    ))
}

/// As one would write it in a shell.
pub fn shell_word(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let is_plain = |c: char| c.is_alphanumeric() || "-_./=:@,+%".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.into_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

fn text(error: &Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Command as Chosen;

    fn read(words: &[&str]) -> Result<Cli, String> {
        let words = ["llm-firecracker"].iter().chain(words);
        of_words(words.map(OsString::from).collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_programs_name_alone_runs_it() {
        for words in [
            &["hello.py"][..],
            &["--engine", "uml", "hello.py"],
            &["hello.py", "--timeout", "1m", "--", "x"],
            // A file that is there needs no extension; of a folder, or one that is not there, `run` says so.
            &["Cargo.toml"],
            &["/tmp"],
            &["./nosuch"],
        ] {
            let cli = read(words).unwrap();
            assert!(matches!(cli.command, Chosen::Run(_)), "{words:?}");
        }
        assert!(read(&["nosuch"]).is_err());
    }

    #[test]
    fn wrong_words_are_answered_with_the_right_ones() {
        for (words, tip) in [
            (&["imagse"][..], "'images'"),
            (&["images", "biuld"], "a similar subcommand exists: 'build'"),
            (
                &["run", "--lnag", "python", "x.py"],
                "a similar argument exists: '--lang'",
            ),
            (
                &["run", "args.py", "x", "it's"],
                r"llm-firecracker run args.py -- x 'it'\''s'",
            ),
            (&["args.py", "x", "y"], "llm-firecracker run args.py -- x y"),
            (
                &["run", "args.py", "-n", "5"],
                "llm-firecracker run args.py -- -n 5",
            ),
            (&["shell", "node"], "llm-firecracker shell --image node"),
            (&["shell", "-m", "1g", "ls", "/"], "shell -m 1g -- ls /"),
            (
                &["run", "x.py", "--vcpus", "two"],
                "invalid value 'two' for '--vcpus <N>': write a whole number",
            ),
            (
                &["events", "tail", "-n", "few"],
                "'--count <COUNT>': write a whole number",
            ),
            (
                &["run", "x.py", "--memory", "lots"],
                "for '--memory <SIZE>'",
            ),
        ] {
            let said = read(words).unwrap_err();
            assert!(said.contains(tip), "{words:?}: {said}");
        }
    }
}
