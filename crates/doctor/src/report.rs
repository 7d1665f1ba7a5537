use crate::outcome::Status;
use serde::Serialize;
use std::fmt::Write;

/// One row: a check and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Stable, for scripts.
    pub id: String,
    /// The judgement.
    pub status: Status,
    /// What was seen.
    pub seen: String,
    /// Why it matters.
    pub why: String,
    /// The command that mends it.
    pub fix: String,
    /// For the table only.
    #[serde(skip)]
    pub title: String,
    /// For the table only.
    #[serde(skip)]
    pub group: &'static str,
}

/// All rows, in the table's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The rows.
    pub rows: Vec<Row>,
}

/// How a status is marked besides its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    /// Not at all.
    None,
    /// By escape sequences of a terminal.
    Ansi,
}

impl Report {
    /// `{"checks":[{"id","status","seen","why","fix"}]}`.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({ "checks": self.rows })
    }

    /// How many rows have this status.
    pub fn count(&self, status: Status) -> usize {
        self.rows.iter().filter(|row| row.status == status).count()
    }

    /// 0: nothing failed; 1: something did.
    pub fn exit_code(&self) -> u8 {
        u8::from(self.count(Status::Fail) > 0)
    }

    /// For people: a line a check, and below what is not a pass its reason and remedy.
    pub fn to_text(&self, colours: Colours) -> String {
        let mut text = String::new();
        let mut group = "";
        for row in &self.rows {
            if row.group != group {
                group = row.group;
                let _ = writeln!(text, "\n{group}");
            }
            row.write(&mut text, colours);
        }
        let _ = writeln!(
            text,
            "\n{} passed, {} warnings, {} failed",
            self.count(Status::Pass),
            self.count(Status::Warn),
            self.count(Status::Fail)
        );
        text
    }
}

impl Row {
    fn write(&self, text: &mut String, colours: Colours) {
        let (start, end) = match (colours, self.status) {
            (Colours::None, _) => ("", ""),
            (Colours::Ansi, Status::Pass) => ("\x1b[32m", "\x1b[0m"),
            (Colours::Ansi, Status::Warn) => ("\x1b[33m", "\x1b[0m"),
            (Colours::Ansi, Status::Fail) => ("\x1b[1;31m", "\x1b[0m"),
        };
        let _ = writeln!(
            text,
            "  {start}{}{end}  {}: {}",
            self.status.name(),
            self.title,
            printable(&self.seen)
        );
        if self.status != Status::Pass {
            let _ = writeln!(text, "        why: {}", self.why);
            let _ = writeln!(text, "        fix: {}", printable(&self.fix));
        }
    }
}

/// What was seen may hold a process' command line: no escape reaches the terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
