//! A program's first line, where it names what runs it: `#!/usr/bin/env python3`.

use crate::table::Language;

/// As many bytes of a first line as Linux looks at (`BINPRM_BUF_SIZE`).
const MAX_LINE: usize = 256;

impl Language {
    /// The language of a program that begins with `#!` and an interpreter.
    pub fn from_shebang(program: &[u8]) -> Option<Language> {
        Language::from_interpreter(&interpreter(program)?)
    }

    /// By a program's name, with its version or without: `python3.13`, `node`, `bash`.
    fn from_interpreter(name: &str) -> Option<Language> {
        let plain = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        Language::from_alias(name).or_else(|| Language::from_alias(plain.trim_end_matches('-')))
    }
}

/// The last part of the interpreter's path; behind `env`, of its first word that is neither a flag nor a variable.
fn interpreter(program: &[u8]) -> Option<String> {
    let line = program.strip_prefix(b"#!")?;
    let line = &line[..line.len().min(MAX_LINE)];
    let line = line.split(|byte| *byte == b'\n').next()?;
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_whitespace();
    let first = file_name(words.next()?);
    if first != "env" {
        return Some(first);
    }
    let named = words.find(|word| !word.starts_with('-') && !word.contains('='));
    named.map(file_name)
}

fn file_name(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interpreter_is_found_as_scripts_name_it() {
        for (first, language) in [
            ("#!/usr/bin/env python3\n", Some("python")),
            ("#!/usr/bin/env -S python3.13 -u\n", Some("python")),
            ("#!/usr/bin/env -S A=1 node --harmony\r\n", Some("node")),
            ("#! /bin/bash -e\n", Some("bash")),
            ("#!/bin/sh", Some("bash")),
            ("#!/usr/bin/perl -w\n", Some("perl")),
            ("#!/usr/bin/lua5.4\n", Some("lua")),
            ("#!/usr/bin/Rscript\n", Some("r")),
            ("#!/usr/bin/env\n", None),
            ("#!\n", None),
            ("#!/usr/bin/cobol\n", None),
            ("print(1)\n", None),
            ("\n#!/bin/sh\n", None),
        ] {
            let seen = Language::from_shebang(first.as_bytes()).map(Language::name);
            assert_eq!(seen, language, "{first:?}");
        }
    }
}
