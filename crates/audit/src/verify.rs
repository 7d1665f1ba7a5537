//! Walks the whole chain and names what is wrong with it.
//!
//! ```text
//! a line's own hash is wrong            → that record was changed
//! number as expected, `prev` is not     → the record before was replaced by another
//! number too high, found again later    → reordered;  never found → cut out
//! the walk ends before the head's end   → the end was cut off
//! it begins after the head's beginning  → the beginning was removed
//! ```

use crate::error::AuditError;
use crate::head::Head;
use crate::read::for_each_line;
use crate::record::{BadLine, decode};
use crate::segment;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The file's name.
    pub file: String,
    /// The line in it, from 1: of records that are missing that of the record after them; 0: about the file as a whole.
    pub line: u64,
    /// `changed`, `replaced`, `missing`, `reordered`, `cut` or `unreadable`.
    pub kind: &'static str,
    /// The same as a sentence, with record numbers.
    pub text: String,
}

/// What a walk found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Good records seen.
    pub records: u64,
    /// The newest record's number.
    pub last_seq: u64,
    /// The newest record's hash: compare it with one that was kept elsewhere.
    pub last_hash: String,
    /// What is wrong; empty: the log is whole.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Nothing is wrong.
    pub fn is_whole(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Where a finding is.
#[derive(Clone, Copy)]
struct At<'a> {
    file: &'a str,
    line: u64,
}

/// The same, kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Place {
    file: String,
    line: u64,
}

impl Place {
    fn of(at: At<'_>) -> Place {
        Place {
            file: at.file.to_owned(),
            line: at.line,
        }
    }

    fn at(&self) -> At<'_> {
        At {
            file: &self.file,
            line: self.line,
        }
    }
}

/// The record that the walk saw last.
struct Walk {
    next_seq: u64,
    last_hash: String,
    /// The line before could not be trusted, so this one's `prev` is not compared.
    after_bad: bool,
    /// Records that were not seen yet, and where the next one after them stands.
    missing: BTreeMap<u64, Place>,
    /// The line that was read last.
    last: Place,
    report: Report,
}

/// A gap of more records than this is reported as a whole, not searched for number by number.
const LARGEST_GAP: u64 = 100_000;

/// Verifies the log in this folder. It may be written meanwhile.
pub fn verify(dir: &Path) -> Result<Report, AuditError> {
    // The head first: records that come while we walk are beyond it, never short of it.
    let head = Head::read(dir)?;
    let begin = head.clone().unwrap_or_default();
    let mut walk = Walk {
        next_seq: begin.first_seq,
        last_hash: begin.first_prev,
        after_bad: false,
        missing: BTreeMap::new(),
        last: Place::default(),
        report: Report::default(),
    };
    for_each_line(dir, |file, line, text| {
        walk.line(At { file, line }, text);
        true
    })?;
    walk.finish(head)
}

impl Walk {
    fn found(&mut self, at: At<'_>, kind: &'static str, text: String) {
        self.report.findings.push(Finding {
            file: at.file.to_owned(),
            line: at.line,
            kind,
            text,
        });
    }

    fn line(&mut self, at: At<'_>, text: &str) {
        self.last = Place::of(at);
        let record = match decode(text) {
            Ok(record) => record,
            Err(bad) => {
                let (kind, sentence) = match bad {
                    BadLine::Changed { seq } => ("changed", format!("record {seq} {bad}")),
                    BadLine::NotARecord => ("unreadable", format!("line {} {bad}", at.line)),
                };
                self.found(at, kind, sentence);
                self.next_seq += 1;
                self.after_bad = true;
                return;
            }
        };
        let (seq, expected) = (record.seq, self.next_seq);
        self.report.records += 1;
        if seq < expected {
            let kind_of_seen = if self.missing.remove(&seq).is_some() {
                "reordered"
            } else {
                "replaced"
            };
            let text = format!("record {seq} stands after record {}", expected - 1);
            self.found(at, kind_of_seen, text);
            return;
        }
        if seq > expected {
            self.gap(at, expected, seq);
        } else if record.prev != self.last_hash && !self.after_bad {
            let before = seq - 1;
            let text = format!("record {before} is not the one that record {seq} was chained to");
            self.found(at, "replaced", text);
        }
        self.after_bad = false;
        self.next_seq = seq + 1;
        self.last_hash = record.hash;
    }

    fn gap(&mut self, at: At<'_>, expected: u64, seq: u64) {
        if seq - expected > LARGEST_GAP {
            let text = format!("records {expected} to {} are missing", seq - 1);
            self.found(at, "missing", text);
        } else {
            let places = (expected..seq).map(|seq| (seq, Place::of(at)));
            self.missing.extend(places);
        }
    }

    fn finish(mut self, head: Option<Head>) -> Result<Report, AuditError> {
        for (first, last, place) in runs(std::mem::take(&mut self.missing)) {
            let (place, text) = missing(first, last, place);
            self.found(place.at(), "missing", text);
        }
        let last = self.next_seq - 1;
        let end = self.last.clone();
        match head {
            None if self.report.records > 0 => {
                let head = At {
                    file: "head",
                    line: 0,
                };
                let text = "the head is missing or unreadable";
                self.found(head, "unreadable", text.into());
            }
            Some(head) if last < head.last_seq => {
                let text = format!(
                    "records {} to {} were cut off the end",
                    last + 1,
                    head.last_seq
                );
                self.found(end.at(), "cut", text);
            }
            Some(head)
                if last == head.last_seq && self.last_hash != head.last_hash && !self.after_bad =>
            {
                let text = format!("record {last}, the newest, is not the one that was written");
                self.found(end.at(), "replaced", text);
            }
            _ => {}
        }
        self.report.last_seq = last;
        self.report.last_hash = self.last_hash;
        Ok(self.report)
    }
}

/// Records that are missing together: the first, the last, and where the next one stands.
fn runs(missing: BTreeMap<u64, Place>) -> Vec<(u64, u64, Place)> {
    let mut runs: Vec<(u64, u64, Place)> = Vec::new();
    for (seq, place) in missing {
        match runs.last_mut() {
            Some((_, last, before)) if *last + 1 == seq && *before == place => *last = seq,
            _ => runs.push((seq, seq, place)),
        }
    }
    runs
}

/// Where records are missing, and what is said of them: of those that were a file of their own, that file's name.
fn missing(first: u64, last: u64, place: Place) -> (Place, String) {
    let records = match first == last {
        true => format!("record {first} is missing"),
        false => format!("records {first} to {last} are missing"),
    };
    let name = segment::name(first);
    if place.line > 1 || place.file == name {
        return (place, records);
    }
    let text = format!(
        "{records}: the file is not there; {} comes next",
        place.file
    );
    let file = Place {
        file: name,
        line: 0,
    };
    (file, text)
}
