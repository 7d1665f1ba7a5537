//! What came of a program: the facts, once. The text that a model reads and the structured content that a program reads are
//! both made of them, so they say the same and are cut alike.

use super::clip::{Clipped, clip_all, on_one_line, readable};
use super::file_facts::{FileFacts, bounded};
use super::picture::Pictures;
use rmcp::model::{CallToolResult, ContentBlock};
use rmcp::schemars;
use schemars::JsonSchema;
use serde::Serialize;

/// Notes that one result has, and bytes of each: some are about what a guest did.
const MAX_NOTES: usize = 12;
const MAX_NOTE_BYTES: usize = 400;

/// What came of a program.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub struct RunFacts {
    /// `ok`, `error` (it failed by itself), `timeout`, `oom` or `killed`.
    pub status: &'static str,
    /// Its exit code, where it exited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// Why it is not `ok`, in one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Seconds that it ran.
    pub seconds: f64,
    /// What it printed; its middle is left out where it is long.
    pub stdout: String,
    /// What it printed to standard error; its middle is left out where it is long.
    pub stderr: String,
    /// The values that it showed, and that of its last expression.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub value: String,
    /// The error that it did not catch, with its traceback.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub exception: String,
    /// Bytes of all these that are not here.
    pub left_out_bytes: usize,
    /// Pictures that come with this result.
    pub pictures: usize,
    /// Files that it left in /work/out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileFacts>,
    /// How many more it left.
    pub more_files: usize,
    /// The session that it ran in; absent: it had a VM of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Where its files are while they are kept: a session_id for read_file and list_files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// What else there is to know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Seconds, as far as anybody reads them.
pub fn thousandths(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

/// All that a program said.
#[derive(Debug, Clone, Default)]
pub struct Texts<'a> {
    /// On its outputs.
    pub stdout: &'a [u8],
    /// The other one.
    pub stderr: &'a [u8],
    /// What it showed.
    pub value: &'a str,
    /// What it did not catch.
    pub exception: &'a str,
}

impl RunFacts {
    /// These facts with as much of the texts as a result has room for.
    pub fn with_texts(self, texts: Texts<'_>) -> RunFacts {
        let [stdout, stderr, value, exception] = clip_all([
            readable(texts.stdout),
            readable(texts.stderr),
            readable(texts.value.as_bytes()),
            readable(texts.exception.as_bytes()),
        ]);
        let all = [&stdout, &stderr, &value, &exception];
        let left_out_bytes = all.into_iter().map(|clipped| clipped.left_out).sum();
        let text = |clipped: Clipped| clipped.text;
        RunFacts {
            stdout: text(stdout),
            stderr: text(stderr),
            value: text(value),
            exception: text(exception),
            left_out_bytes,
            ..self
        }
    }

    /// These facts with as many of the files as a result has room for.
    pub fn with_files(self, files: Vec<FileFacts>) -> RunFacts {
        let (files, more_files) = bounded(files);
        RunFacts {
            files,
            more_files,
            ..self
        }
    }

    /// One more thing to know.
    pub fn note(&mut self, note: &str) {
        if self.notes.len() < MAX_NOTES {
            let short: String = on_one_line(note).chars().take(MAX_NOTE_BYTES).collect();
            self.notes.push(short);
        }
    }

    /// All of it as text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let parts = [
            ("", &self.stdout),
            ("[stderr]\n", &self.stderr),
            ("[value]\n", &self.value),
            ("[exception]\n", &self.exception),
        ];
        for (head, part) in parts {
            if part.is_empty() {
                continue;
            }
            text.push_str(head);
            text.push_str(part);
            if !part.ends_with('\n') {
                text.push('\n');
            }
        }
        if text.is_empty() {
            text.push_str("[no output]\n");
        }
        text.push_str(&self.ending());
        self.tell_of_files(&mut text);
        for note in &self.notes {
            text.push_str(&format!("\n[note] {note}"));
        }
        text
    }

    /// How it ended, in one line.
    fn ending(&self) -> String {
        let how = match (self.exit_code, self.signal) {
            (Some(code), _) => format!("exit code {code}"),
            (None, Some(signal)) => format!("ended by signal {signal}"),
            (None, None) => "no exit code".to_owned(),
        };
        let why = self.error.as_ref().map(|why| format!(": {why}"));
        format!(
            "[{}, {how}, {:.2} s{}]",
            self.status,
            self.seconds,
            why.unwrap_or_default()
        )
    }

    fn tell_of_files(&self, text: &mut String) {
        if self.files.is_empty() && self.more_files == 0 {
            return;
        }
        text.push_str("\n[files; read_file takes the sandbox:// address as path]");
        for file in &self.files {
            text.push('\n');
            text.push_str(&file.line());
        }
        if self.more_files > 0 {
            text.push_str(&format!("\nand {} more: list_files", self.more_files));
        }
    }

    /// As a tool's result. A program that failed is no failed call: what it said is the answer.
    pub fn result(self, pictures: Pictures) -> CallToolResult {
        let mut content = vec![ContentBlock::text(self.text())];
        content.extend(pictures.content());
        content.extend(self.files.iter().map(FileFacts::link));
        let mut result = CallToolResult::success(content);
        result.structured_content = serde_json::to_value(&self).ok();
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::clip::MAX_TEXT_BYTES;

    fn facts() -> RunFacts {
        RunFacts {
            status: "error",
            exit_code: Some(3),
            error: Some("the program exited with code 3".into()),
            seconds: 0.256,
            ..RunFacts::default()
        }
    }

    #[test]
    fn text_and_structured_content_say_the_same_and_a_failed_program_is_no_error() {
        let files = vec![FileFacts::new("r", "/work/out/a.csv", 12)];
        let texts = Texts {
            stdout: b"out\n",
            stderr: b"err",
            ..Texts::default()
        };
        let result = facts()
            .with_texts(texts)
            .with_files(files)
            .result(Pictures::default());
        assert_eq!(result.is_error, Some(false));
        let text = result.content[0].as_text().unwrap().text.as_str();
        assert_eq!(
            text,
            "out\n[stderr]\nerr\n[error, exit code 3, 0.26 s: the program exited with code 3]\n\
             [files; read_file takes the sandbox:// address as path]\n\
             /work/out/a.csv (12 bytes, text/csv) sandbox://r/work/out/a.csv"
        );
        let facts = result.structured_content.unwrap();
        for (field, value) in [("stdout", "out\n"), ("stderr", "err"), ("status", "error")] {
            assert_eq!(facts[field], value);
        }
        assert_eq!(facts["files"][0]["uri"], "sandbox://r/work/out/a.csv");
        let link = serde_json::to_value(&result.content[1]).unwrap();
        assert_eq!(link["type"], "resource_link");
        assert_eq!(link["uri"], "sandbox://r/work/out/a.csv");
    }

    #[test]
    fn a_flood_keeps_its_head_and_its_tail_in_both() {
        let flood: String = (0..100_000).map(|n| format!("{n}\n")).collect();
        let texts = Texts {
            stdout: flood.as_bytes(),
            stderr: flood.as_bytes(),
            ..Texts::default()
        };
        let mut facts = facts().with_texts(texts);
        for n in 0..100 {
            facts.note(&format!("{n} {}", "note\n".repeat(1000)));
        }
        assert!(facts.stdout.starts_with("0\n") && facts.stdout.ends_with("99999\n"));
        assert!(facts.left_out_bytes > flood.len());
        let more = MAX_NOTES * (MAX_NOTE_BYTES * 3 + 10) + 1024;
        assert!(facts.text().len() <= MAX_TEXT_BYTES + more);
        let structured = serde_json::to_string(&facts).unwrap();
        assert!(
            structured.len() <= 2 * (MAX_TEXT_BYTES + more),
            "{}",
            structured.len()
        );
    }

    #[test]
    fn nothing_printed_is_said() {
        let text = RunFacts {
            status: "ok",
            exit_code: Some(0),
            ..RunFacts::default()
        };
        assert_eq!(text.text(), "[no output]\n[ok, exit code 0, 0.00 s]");
    }
}
