//! The writer. One process at a time; a second one is refused.
//!
//! A record is one `write` of one line, then the head is overwritten. A crash between the two leaves
//! a record that the head does not know: opening checks that it continues the chain and takes it in.
//! A torn last line (power loss) is moved to `torn-<time>` beside the log.

use crate::error::{AuditError, io};
use crate::head::{Head, HeadFile};
use crate::record::{decode, encode};
use crate::segment::{self, Segment};
use jiff::{SignedDuration, Timestamp};
use protocol::event::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// When segments turn over and how long they are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AuditConfig {
    /// A segment of this size is closed, in bytes.
    pub segment_bytes: u64,
    /// A segment of this age is closed, in seconds.
    pub segment_seconds: u64,
    /// Closed segments older than this are removed, in days; 0: never.
    pub retention_days: u32,
    /// All segments together hold at most this, in bytes; the oldest closed ones go first.
    pub total_bytes: u64,
}

impl Default for AuditConfig {
    fn default() -> Self {
        AuditConfig {
            segment_bytes: 64 * 1024 * 1024,
            segment_seconds: 24 * 60 * 60,
            retention_days: 90,
            total_bytes: 4 * 1024 * 1024 * 1024,
        }
    }
}

/// The log, open for appending.
#[derive(Debug)]
pub struct AuditLog {
    dir: PathBuf,
    config: AuditConfig,
    writer: Mutex<Writer>,
}

#[derive(Debug)]
struct Writer {
    head_file: HeadFile,
    head: Head,
    file: File,
    path: PathBuf,
    bytes: u64,
    opened_at: Timestamp,
}

impl AuditLog {
    /// Opens the log in this folder (made 0700) and checks that its newest segment continues.
    pub fn open(dir: &Path, config: AuditConfig) -> Result<AuditLog, AuditError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(io("creating", dir))?;
        let head_file = HeadFile::lock(dir)?;
        let segments = segment::list(dir)?;
        let head = match (Head::read(dir)?, head_file.is_new()) {
            (Some(head), _) => head,
            (None, true) if segments.is_empty() => Head::default(),
            _ => return Err(broken(dir, "its head is missing or unreadable")),
        };
        let head = match segments.last() {
            Some(newest) => take_in(dir, newest, head)?,
            None if head.last_seq >= head.first_seq => {
                return Err(broken(dir, "its records are gone"));
            }
            None => head,
        };
        let path = segments
            .last()
            .map(|newest| newest.path.clone())
            .unwrap_or_else(|| segment::path(dir, head.last_seq + 1));
        head_file.write(&head)?;
        let writer = Writer::open(head_file, head, path)?;
        Ok(AuditLog {
            dir: dir.into(),
            config,
            writer: Mutex::new(writer),
        })
    }

    /// Appends one event; it is in the kernel's hands when this returns.
    pub fn append(&self, event: &Event) -> Result<(), AuditError> {
        let mut writer = self.writer();
        writer.append(event)?;
        let age = Timestamp::now().duration_since(writer.opened_at);
        let too_old = age > SignedDuration::from_secs(self.config.segment_seconds as i64);
        if writer.bytes >= self.config.segment_bytes || too_old {
            writer.turn_over(&self.dir)?;
            self.retain(&mut writer)?;
        }
        Ok(())
    }

    /// Number and hash of the newest record.
    pub fn newest(&self) -> (u64, String) {
        let writer = self.writer();
        (writer.head.last_seq, writer.head.last_hash.clone())
    }

    /// Has everything on disk when it returns.
    pub fn sync(&self) -> Result<(), AuditError> {
        let writer = self.writer();
        writer
            .file
            .sync_data()
            .map_err(io("syncing", &writer.path))?;
        writer.head_file.sync()
    }

    fn writer(&self) -> std::sync::MutexGuard<'_, Writer> {
        // A panic while appending leaves at worst a record that the head does not know yet.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes closed segments that are too old or too many; the head's beginning moves with them.
    fn retain(&self, writer: &mut Writer) -> Result<(), AuditError> {
        let mut segments = segment::list(&self.dir)?;
        segments.retain(|segment| segment.path != writer.path);
        let mut sized = Vec::new();
        for segment in segments {
            let metadata =
                std::fs::metadata(&segment.path).map_err(io("reading", &segment.path))?;
            let modified = metadata
                .modified()
                .ok()
                .and_then(|time| Timestamp::try_from(time).ok());
            sized.push((segment, metadata.len(), modified));
        }
        let mut total: u64 = writer.bytes + sized.iter().map(|(_, bytes, _)| bytes).sum::<u64>();
        let keep_for = SignedDuration::from_hours(24 * i64::from(self.config.retention_days));
        let mut next = sized
            .iter()
            .skip(1)
            .map(|(segment, ..)| segment.path.clone());
        for (segment, bytes, modified) in &sized {
            let age = modified.map(|time| Timestamp::now().duration_since(time));
            let too_old = self.config.retention_days > 0 && age.is_some_and(|age| age > keep_for);
            if !too_old && total <= self.config.total_bytes {
                break;
            }
            total -= bytes;
            let begins = next.next().unwrap_or_else(|| writer.path.clone());
            writer.begin_at(&begins)?;
            std::fs::remove_file(&segment.path).map_err(io("removing", &segment.path))?;
        }
        Ok(())
    }
}

impl Writer {
    fn open(head_file: HeadFile, head: Head, path: PathBuf) -> Result<Writer, AuditError> {
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
            .map_err(io("opening", &path))?;
        let metadata = file.metadata().map_err(io("reading", &path))?;
        let opened_at = metadata
            .created()
            .ok()
            .and_then(|time| Timestamp::try_from(time).ok())
            .unwrap_or_else(Timestamp::now);
        Ok(Writer {
            head_file,
            head,
            file,
            bytes: metadata.len(),
            path,
            opened_at,
        })
    }

    fn append(&mut self, event: &Event) -> Result<(), AuditError> {
        let seq = self.head.last_seq + 1;
        let (mut line, hash) = encode(seq, &self.head.last_hash, event);
        line.push('\n');
        if let Err(error) = self.file.write_all(line.as_bytes()) {
            // Half a line (a full disk) must not stand where the next record goes.
            let _ = self.file.set_len(self.bytes);
            return Err(io("writing", &self.path)(error));
        }
        self.bytes += line.len() as u64;
        self.head.last_seq = seq;
        self.head.last_hash = hash;
        self.head_file.write(&self.head)
    }

    fn turn_over(&mut self, dir: &Path) -> Result<(), AuditError> {
        self.file.sync_data().map_err(io("syncing", &self.path))?;
        let path = segment::path(dir, self.head.last_seq + 1);
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(io("creating", &path))?;
        tracing::info!(
            seq = self.head.last_seq,
            hash = %self.head.last_hash,
            "the audit log begins a new segment"
        );
        self.file = file;
        self.path = path;
        self.bytes = 0;
        self.opened_at = Timestamp::now();
        self.head_file.sync()
    }

    /// Makes the first record of `segment` the log's first.
    fn begin_at(&mut self, segment: &Path) -> Result<(), AuditError> {
        let first = first_record(segment)?;
        let (seq, prev) = match first {
            Some(record) => (record.seq, record.prev),
            // The newest segment, still empty: it begins where the chain ends.
            None => (self.head.last_seq + 1, self.head.last_hash.clone()),
        };
        self.head.first_seq = seq;
        self.head.first_prev = prev;
        self.head_file.write(&self.head)
    }
}

fn first_record(path: &Path) -> Result<Option<crate::Record>, AuditError> {
    use std::io::BufRead;
    let file = File::open(path).map_err(io("opening", path))?;
    let mut line = String::new();
    std::io::BufReader::new(file)
        .read_line(&mut line)
        .map_err(io("reading", path))?;
    Ok(decode(line.trim_end_matches('\n')).ok())
}

/// Compares the newest segment with the head and takes in what a crash kept from it.
fn take_in(dir: &Path, newest: &Segment, mut head: Head) -> Result<Head, AuditError> {
    let path = &newest.path;
    let text = std::fs::read(path).map_err(io("reading", path))?;
    let whole = text
        .iter()
        .rposition(|b| *b == b'\n')
        .map_or(0, |at| at + 1);
    if whole < text.len() {
        set_torn_aside(dir, path, &text[whole..], whole as u64)?;
    }
    let lines = String::from_utf8_lossy(&text[..whole]);
    // An empty newest segment is one that was just begun: the record before it is in another file.
    let mut known = lines.is_empty() && newest.first_seq == head.last_seq + 1;
    for line in lines.lines() {
        let record = decode(line).map_err(|bad| broken(dir, format!("a record {bad}")))?;
        if record.seq == head.last_seq {
            if record.hash != head.last_hash {
                return Err(broken(dir, format!("record {} was replaced", record.seq)));
            }
            known = true;
        } else if record.seq == head.last_seq + 1 && record.prev == head.last_hash {
            head.last_seq = record.seq;
            head.last_hash = record.hash;
            known = true;
        } else if record.seq > head.last_seq {
            return Err(broken(
                dir,
                format!("record {} does not follow", record.seq),
            ));
        }
    }
    if known {
        Ok(head)
    } else {
        Err(broken(dir, format!("record {} was cut off", head.last_seq)))
    }
}

fn set_torn_aside(dir: &Path, path: &Path, torn: &[u8], keep: u64) -> Result<(), AuditError> {
    let aside = dir.join(format!("torn-{}", Timestamp::now().as_microsecond()));
    std::fs::write(&aside, torn).map_err(io("writing", &aside))?;
    tracing::warn!(path = %aside.display(), bytes = torn.len(), "a torn last record was set aside");
    OpenOptions::new()
        .write(true)
        .open(path)
        .and_then(|file| file.set_len(keep))
        .map_err(io("cutting", path))
}

fn broken(dir: &Path, what: impl Into<String>) -> AuditError {
    AuditError::Broken {
        path: dir.into(),
        what: what.into(),
    }
}
