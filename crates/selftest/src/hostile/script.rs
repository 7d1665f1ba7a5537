//! The attacks on the host through the channel: one line, one thing to do, in this order. After the last one the agent
//! says nothing more and hears nothing more.
//!
//! In a job's script `$PROCESS`, `$OUTPUT`, `$STDIN` stand for its program's names, and once it was `asked`, `$REQUEST` and
//! `$LEFT` for those of what the job left. In a live sandbox' script names are numbers: `live::waiters` says what has which.
//! `$END` is a proper report. What each word does, its module says.

use crate::error::Broken;
use crate::line::Line;
use crate::{collection, flood, machine, words};
use protocol::link::StreamId;
use protocol::supervisor::{ProcessId, StartProcess};

/// What the script may name.
#[derive(Debug, Default)]
pub struct Scene {
    /// The program.
    pub process: ProcessId,
    /// Its output, which comes from the start.
    pub output: StreamId,
    /// Its standard input.
    pub stdin: StreamId,
    /// What it left, once that was asked for.
    pub left: collection::Left,
}

/// Who speaks.
pub struct Speaker<'a> {
    /// To the host.
    pub line: &'a mut Line,
    /// About this.
    pub scene: Scene,
}

/// What a word does with the rest of its line.
pub type Action = fn(&mut Speaker<'_>, &str) -> Result<(), Broken>;

impl Scene {
    /// Of a job's program.
    pub fn of(start: &StartProcess) -> Scene {
        Scene {
            process: start.process,
            output: start.output.unwrap_or_default(),
            stdin: start.stdin.unwrap_or_default(),
            left: collection::Left::default(),
        }
    }

    /// A line with its names filled in.
    fn named(&self, line: &str) -> String {
        let names: [(&str, u32); 5] = [
            ("$PROCESS", self.process),
            ("$OUTPUT", self.output),
            ("$STDIN", self.stdin),
            ("$REQUEST", self.left.request),
            ("$LEFT", self.left.stream),
        ];
        let line = line.replace("$END", &words::proper_report());
        names.iter().fold(line, |line, (name, number)| {
            line.replace(name, &number.to_string())
        })
    }
}

/// Carries out every line, and falls silent.
pub fn carry_out(script: &str, scene: Scene, line: &mut Line) -> Result<(), Broken> {
    let mut speaker = Speaker { line, scene };
    for (index, line) in script.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let named = speaker.scene.named(line);
        let (word, rest) = named.split_once(' ').unwrap_or((&named, ""));
        let action = action(word).ok_or_else(|| Broken::Script {
            number: index + 1,
            line: line.into(),
        })?;
        action(&mut speaker, rest)?;
    }
    loop {
        nix::unistd::pause();
    }
}

fn action(word: &str) -> Option<Action> {
    let tables = [
        words::WORDS,
        collection::WORDS,
        flood::WORDS,
        machine::WORDS,
    ];
    let mut rows = tables.into_iter().flatten();
    rows.find(|(own, _)| *own == word)
        .map(|(_, action)| *action)
}

/// The first number of a line, and the rest.
pub fn numbered(text: &str) -> (u32, &str) {
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    (number(first) as u32, rest)
}

/// A number; 0 for what is none.
pub fn number(text: &str) -> usize {
    text.trim().parse().unwrap_or(0)
}

/// Pairs of digits; anything else is left out, so that files can be laid out for reading.
pub fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter_map(|c| c.to_digit(16))
        .map(|digit| digit as u8)
        .collect();
    digits
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

    use super::*;
    use std::path::Path;

    #[test]
    fn every_word_of_every_script_is_known() {
        let attacks = Path::new(env!("CARGO_MANIFEST_DIR")).join("attacks");
        let mut scripts = 0;
        for (folder, ending) in [("channel", "talk"), ("sandbox", "link")] {
            for entry in std::fs::read_dir(attacks.join(folder)).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_none_or(|own| own != ending) {
                    continue;
                }
                scripts += 1;
                for line in std::fs::read_to_string(&path).unwrap().lines() {
                    let word = line.split_whitespace().next().unwrap_or("#");
                    let known = word.starts_with('#') || action(word).is_some();
                    assert!(known, "{}: {line}", path.display());
                }
            }
        }
        assert!(scripts >= 140, "{scripts}");
    }

    #[test]
    fn a_word_has_one_meaning() {
        let tables = [
            words::WORDS,
            collection::WORDS,
            flood::WORDS,
            machine::WORDS,
        ];
        let mut all: Vec<&str> = tables
            .into_iter()
            .flatten()
            .map(|(word, _)| *word)
            .collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn names_are_filled_in() {
        let scene = Scene {
            process: 7,
            output: 8,
            ..Scene::default()
        };
        let line = scene.named(r#"control {"process":$PROCESS,"stream":$OUTPUT}"#);
        assert_eq!(line, r#"control {"process":7,"stream":8}"#);
        assert_eq!(unhex("00 ff # 4"), [0, 0xff]);
    }
}
