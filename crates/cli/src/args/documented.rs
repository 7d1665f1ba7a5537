//! Each command line of the pages, and of the help itself, is one that the table of arguments takes.

use super::{Cli, process};
use crate::args::documented::pages::Page;
use clap::CommandFactory as _;
use clap::error::ErrorKind;
use pulldown_cmark::{Event, Parser};

#[path = "../../tests/shared/pages.rs"]
#[expect(dead_code, reason = "marks are for those that run blocks")]
mod pages;

const TOOL: &str = "llm-firecracker";
/// Words of a shell behind which another command begins, or none of this one's.
const ENDS: &[&str] = &["|", "||", "&&", "&", ";"];

/// Words behind which a command stands.
const BEFORE: &[&str] = &["--", "xargs", "env", "sudo", "time", "if", "then"];

/// How much of a command stands there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    /// Its name and what is talked of, as in a sentence.
    Named,
}

/// The command lines of the tool in a text for a shell, each as its words. A line goes on while its quotes are open.
fn commands(script: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut line = String::new();
    for next in script.lines() {
        line.push_str(next.strip_suffix('\\').unwrap_or(next));
        match (next.ends_with('\\'), shlex::split(&line)) {
            (true, _) => line.push(' '),
            (false, None) => line.push('\n'),
            (false, Some(words)) => {
                found.extend(of_tool(&words));
                line.clear();
            }
        }
    }
    assert!(line.trim().is_empty(), "a quote is open: {line}");
    found
}

/// Those of one line: `A | B`, `A && B`, `NAME=$(A)`.
fn of_tool(words: &[String]) -> Vec<Vec<String>> {
    let mut found: Vec<Vec<String>> = Vec::new();
    let mut in_command = false;
    // At the beginning of a line and of what follows a `|`, and behind the words of `BEFORE`.
    let mut may_begin = true;
    let by_xargs = words.iter().any(|word| word == "xargs");
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (word, ends) = match word.strip_suffix(';') {
            Some(word) => (word, true),
            None => (word.as_str(), false),
        };
        let substituted = word.split_once("$(").map(|(_, command)| command);
        if (word == TOOL && may_begin) || substituted == Some(TOOL) {
            found.push(vec![TOOL.to_owned()]);
            in_command = true;
        } else if ENDS.contains(&word) {
            in_command = false;
        } else if word == "<" || word == ">" {
            words.next();
        } else if let (true, Some(command)) = (in_command, found.last_mut()) {
            let last = word.ends_with(')') && !word.contains('(');
            command.push(
                word.trim_end_matches(if last { ')' } else { '\0' })
                    .to_owned(),
            );
            in_command = !last;
        }
        in_command &= !ends;
        may_begin = ends || ENDS.contains(&word) || BEFORE.contains(&word) || word.contains('=');
    }
    if let (true, Some(command)) = (by_xargs, found.last_mut()) {
        command.push("WORD-OF-XARGS".to_owned());
    }
    found
}

/// What is wrong with a command; where it stands for many (`NAME`, `…`), a value that is none is right.
fn fault(words: &[String], extent: Extent) -> Option<String> {
    let words = words.iter().filter(|word| *word != "…");
    let error = process::of_words(words.map(Into::into).collect()).err()?;
    let is_fine = match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::InvalidValue
        | ErrorKind::ValueValidation => true,
        ErrorKind::MissingRequiredArgument
        | ErrorKind::MissingSubcommand
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => extent == Extent::Named,
        _ => false,
    };
    (!is_fine).then(|| error.to_string())
}

/// Commands that stand within sentences, between backticks.
fn named(page: &Page) -> Vec<(String, Vec<String>)> {
    let events = Parser::new(&page.text).into_offset_iter();
    let spans = events.filter_map(|(event, range)| match event {
        Event::Code(code) if code.starts_with("llm-firecracker ") => {
            Some((page.at(range.start), code))
        }
        _ => None,
    });
    let commands = spans.flat_map(|(at, code)| {
        let all = commands(&code);
        all.into_iter().map(move |words| (at.clone(), words))
    });
    commands.collect()
}

#[test]
fn every_command_of_the_pages_is_one_that_the_tool_takes() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    let mut look = |at: &str, words: &[String], extent| {
        seen += 1;
        if let Some(fault) = fault(words, extent) {
            wrong.push(format!("{at}: {}: {fault}", words.join(" ")));
        }
    };
    for page in pages::all() {
        let is_shell = |language: &str| language == "sh" || language == "console";
        for block in page.blocks() {
            let at = format!("{}:{}", page.path.display(), block.line);
            if is_shell(&block.language) {
                for words in commands(&block.typed()) {
                    look(&at, &words, Extent::Whole);
                }
            }
        }
        // What was once, and is told of.
        if !page.path.starts_with("docs/decisions") && !page.path.starts_with("CHANGELOG.md") {
            for (at, words) in named(&page) {
                look(&at, &words, Extent::Named);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 100, "only {seen} commands were found");
}

#[test]
fn every_example_of_the_help_is_one_that_the_tool_takes() {
    fn look(command: &clap::Command, wrong: &mut Vec<String>) {
        let help = command.get_after_help().map(ToString::to_string);
        // What stands behind two blanks explains.
        let lines = help.iter().flat_map(|help| help.lines());
        let examples = lines.filter_map(|line| line.strip_prefix("  "));
        let examples = examples.filter(|line| line.contains(TOOL) && !line.starts_with('{'));
        for example in examples {
            let typed = example.split("  ").next().unwrap_or_default();
            for words in commands(typed) {
                let fault = fault(&words, Extent::Whole);
                wrong.extend(fault.map(|fault| format!("{typed}: {fault}")));
            }
        }
        for sub in command.get_subcommands() {
            look(sub, wrong);
        }
    }
    let mut wrong = Vec::new();
    look(&Cli::command(), &mut wrong);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn commands_are_found_where_a_shell_finds_them() {
    let found = |script: &str| -> Vec<String> {
        let all = commands(script);
        all.iter().map(|words| words[1..].join(" ")).collect()
    };
    assert_eq!(
        found("S=$(llm-firecracker sandbox create --image x)"),
        ["sandbox create --image x"]
    );
    assert_eq!(
        found(
            "tar c d | llm-firecracker run a.py < b > c   # it's\nllm-firecracker run \\\n -c 'f(1)' && llm-firecracker mcp &"
        ),
        ["run a.py", "run -c f(1)", "mcp"]
    );
    let unknown = ["llm-firecracker", "run", "--no-such-flag", "x"].map(str::to_owned);
    assert!(fault(&unknown, Extent::Named).is_some());
    let unknown = ["llm-firecracker", "no-such-command"].map(str::to_owned);
    assert!(fault(&unknown, Extent::Named).is_some());
}
