//! A program that is not there, in words that are a shell's: nothing between the user and the program reads them.

use crate::args::shell_word;

/// What only a shell does something with.
const SHELL_SYNTAX: &[char] = &[
    ' ', '\t', '\n', '|', '&', ';', '<', '>', '$', '`', '*', '?', '(', ')', '{', '}', '\'', '"',
];

/// Words that shells know and that are no programs (bash's `help`).
const BUILTINS: &[&str] = &[
    ".", ":", "alias", "bg", "cd", "command", "declare", "eval", "exec", "exit", "export", "fg",
    "for", "function", "history", "if", "jobs", "let", "local", "popd", "pushd", "read",
    "readonly", "return", "set", "shift", "shopt", "source", "trap", "type", "ulimit", "umask",
    "unalias", "unset", "until", "wait", "while",
];

/// What to write instead, to follow the sentence that the program is not there; `None`: its name is as any.
pub fn tip(argv: &[String]) -> Option<String> {
    let (program, args) = argv.split_first()?;
    let is_of_shell = BUILTINS.contains(&program.as_str())
        || program.contains(SHELL_SYNTAX)
        || program
            .split_once('=')
            .is_some_and(|(name, _)| is_variable(name));
    if !is_of_shell {
        return None;
    }
    let line = match args {
        [] => program.clone(),
        args => format!("{program} {}", args.join(" ")),
    };
    Some(format!(
        "; no shell reads these words, name one: -- bash -c {}",
        shell_word(line.as_ref())
    ))
}

fn is_variable(name: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(is_letter) && name.chars().all(|c| is_letter(c) || c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_shell_are_given_to_one() {
        for (argv, told) in [
            (&["ls -la"][..], Some("bash -c 'ls -la'")),
            (&["cd", "/work"], Some("bash -c 'cd /work'")),
            (&["a|b"], Some("bash -c 'a|b'")),
            (&["echo 'x'"], Some(r"bash -c 'echo '\''x'\'''")),
            (&["A=1", "env"], Some("bash -c 'A=1 env'")),
            (&["nosuch"], None),
            (&["./x=y"], None),
            (&[], None),
        ] {
            let argv: Vec<String> = argv.iter().map(|word| (*word).to_owned()).collect();
            let tip = tip(&argv);
            assert_eq!(tip.is_some(), told.is_some(), "{argv:?}: {tip:?}");
            assert!(tip.unwrap_or_default().contains(told.unwrap_or_default()));
        }
    }
}
