//! Reading: the newest records, those that match, and those that come.

use crate::error::{AuditError, io};
use crate::record::{Record, decode};
use crate::segment;
use protocol::event::EventType;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// A line longer than this is no record: it is reported, not held in memory.
const MAX_LINE_BYTES: usize = 1024 * 1024;

/// Which records are wanted; what is `None` does not matter.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only this type.
    pub event_type: Option<EventType>,
    /// Only this job: its id, or the end of it.
    pub trace_id: Option<String>,
    /// Only this key, by its id or its name.
    pub key: Option<String>,
    /// Not before this time (RFC 3339, UTC).
    pub since: Option<jiff::Timestamp>,
    /// Before this time.
    pub until: Option<jiff::Timestamp>,
}

impl Filter {
    /// Whether a record is wanted.
    pub fn takes(&self, record: &Record) -> bool {
        let event = &record.event;
        let time = event.timestamp.parse::<jiff::Timestamp>().ok();
        let trace_id = event.trace_id.as_ref().map(|id| id.as_str());
        self.event_type
            .is_none_or(|wanted| wanted == event.event_type)
            && self
                .trace_id
                .as_deref()
                .is_none_or(|wanted| trace_id.is_some_and(|id| id.ends_with(wanted)))
            && self.key.as_deref().is_none_or(|wanted| {
                let is =
                    |name: &str| event.extra.get(name).and_then(|key| key.as_str()) == Some(wanted);
                is("key") || is("key_name")
            })
            && self
                .since
                .is_none_or(|since| time.is_some_and(|time| time >= since))
            && self
                .until
                .is_none_or(|until| time.is_some_and(|time| time < until))
    }
}

/// The newest `count` records that the filter takes, oldest first. Lines that are no records are
/// left out: [`crate::verify`] names them.
pub fn tail(dir: &Path, filter: &Filter, count: usize) -> Result<Vec<Record>, AuditError> {
    let mut newest = VecDeque::new();
    for_each_line(dir, |_, _, text| {
        if let Ok(record) = decode(text)
            && filter.takes(&record)
        {
            newest.push_back(record);
            if newest.len() > count {
                newest.pop_front();
            }
        }
        true
    })?;
    Ok(newest.into())
}

/// Hands every record that the filter takes to `each`, oldest first, until it says `false`.
pub fn query(
    dir: &Path,
    filter: &Filter,
    mut each: impl FnMut(Record) -> bool,
) -> Result<(), AuditError> {
    for_each_line(dir, |_, _, text| match decode(text) {
        Ok(record) if filter.takes(&record) => each(record),
        _ => true,
    })
}

/// Follows a log that grows.
#[derive(Debug)]
pub struct Follower {
    dir: PathBuf,
    /// The newest record seen.
    last_seq: u64,
    segment: Option<PathBuf>,
    offset: u64,
}

impl Follower {
    /// Follows from after record `last_seq` (0: from the beginning).
    pub fn new(dir: &Path, last_seq: u64) -> Follower {
        Follower {
            dir: dir.into(),
            last_seq,
            segment: None,
            offset: 0,
        }
    }

    /// What came since the last call.
    pub fn read(&mut self) -> Result<Vec<Record>, AuditError> {
        let mut records = Vec::new();
        let segments = segment::list(&self.dir)?;
        let from = self
            .segment
            .as_ref()
            .and_then(|path| segments.iter().position(|segment| segment.path == *path));
        if from.is_none() {
            self.offset = 0;
        }
        for segment in &segments[from.unwrap_or(0)..] {
            if self.segment.as_ref() != Some(&segment.path) {
                self.segment = Some(segment.path.clone());
                self.offset = 0;
            }
            self.read_segment(&segment.path, &mut records)?;
        }
        Ok(records)
    }

    fn read_segment(&mut self, path: &Path, into: &mut Vec<Record>) -> Result<(), AuditError> {
        let mut file = File::open(path).map_err(io("opening", path))?;
        file.seek(SeekFrom::Start(self.offset))
            .map_err(io("reading", path))?;
        let mut reader = BufReader::new(file);
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = reader
                .read_until(b'\n', &mut line)
                .map_err(io("reading", path))?;
            // Half a line is read again next time.
            if read == 0 || line.last() != Some(&b'\n') {
                return Ok(());
            }
            self.offset += read as u64;
            let text = String::from_utf8_lossy(&line[..read - 1]);
            if let Ok(record) = decode(&text)
                && record.seq > self.last_seq
            {
                self.last_seq = record.seq;
                into.push(record);
            }
        }
    }
}

/// Hands every line to `each` with its file's name and its number, until it says `false`.
pub(crate) fn for_each_line(
    dir: &Path,
    mut each: impl FnMut(&str, u64, &str) -> bool,
) -> Result<(), AuditError> {
    for segment in segment::list(dir)? {
        let path = &segment.path;
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let file = match File::open(path) {
            Ok(file) => file,
            // Retention may have removed it since the folder was listed.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(io("opening", path)(error)),
        };
        let mut reader = BufReader::new(file);
        let mut line = Vec::new();
        let mut number = 0;
        while next_line(&mut reader, &mut line).map_err(io("reading", path))? {
            number += 1;
            if !each(&name, number, &String::from_utf8_lossy(&line)) {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Reads a line without its newline; of an over-long one only the beginning is kept.
fn next_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<bool> {
    line.clear();
    let mut any = false;
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(any);
        }
        any = true;
        let end = buffer.iter().position(|b| *b == b'\n');
        let part = &buffer[..end.unwrap_or(buffer.len())];
        let room = MAX_LINE_BYTES.saturating_sub(line.len());
        line.extend_from_slice(&part[..part.len().min(room)]);
        let used = part.len() + usize::from(end.is_some());
        reader.consume(used);
        if end.is_some() {
            return Ok(true);
        }
    }
}
