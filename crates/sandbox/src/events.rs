//! Security events: made here, handed to every sink that was opened.

use protocol::event::{Event, EventType};
use protocol::job::Owner;
use protocol::trace_id::TraceId;
use serde_json::{Map, Value};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Somebody who keeps events. Must not block for long and must not fail loudly: a job's answer
/// does not depend on it; whether a connection to the outside is made does.
pub trait EventSink: Send + Sync {
    /// Takes one event.
    fn record(&self, event: &Event) -> Recorded;
}

/// Whether an event is where it belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// All sinks have it.
    Everywhere,
    /// One could not keep it; it went to standard error instead.
    NotEverywhere,
}

/// What happened, as whoever saw it tells.
#[derive(Debug)]
pub struct Notice {
    event_type: EventType,
    details: String,
    extra: Map<String, Value>,
}

impl Notice {
    /// `extra` must be an object; anything else is left out.
    pub fn new(event_type: EventType, details: impl Into<String>, extra: Value) -> Notice {
        Notice {
            event_type,
            details: details.into(),
            extra: match extra {
                Value::Object(extra) => extra,
                _ => Map::new(),
            },
        }
    }

    /// Whose it was: `key` and `key_name`, absent where nobody is asked for a key.
    #[must_use]
    pub fn of(mut self, owner: Option<&Owner>) -> Notice {
        if let Some(Owner { id, name }) = owner {
            self.extra.insert("key".into(), id.as_str().into());
            self.extra.insert("key_name".into(), name.as_str().into());
        }
        self
    }
}

/// All sinks of one sandbox.
#[derive(Clone, Default)]
pub struct EventBus {
    sinks: Vec<Arc<dyn EventSink>>,
}

impl EventBus {
    /// A bus for these sinks.
    pub fn new(sinks: Vec<Arc<dyn EventSink>>) -> EventBus {
        EventBus { sinks }
    }

    /// Says that something happened to this job.
    pub fn emit(&self, trace_id: Option<&TraceId>, notice: Notice) -> Recorded {
        let Notice {
            event_type,
            details,
            extra,
        } = notice;
        let event = Event {
            timestamp: jiff::Timestamp::now().to_string(),
            event_type,
            trace_id: trace_id.cloned(),
            details,
            extra,
        };
        tracing::debug!(?event_type, trace_id = trace_id.map(TraceId::as_str), details = %event.details);
        let mut recorded = Recorded::Everywhere;
        for sink in &self.sinks {
            if sink.record(&event) == Recorded::NotEverywhere {
                recorded = Recorded::NotEverywhere;
            }
        }
        recorded
    }
}

/// Events as JSON lines on standard error.
pub struct StderrSink;

impl EventSink for StderrSink {
    fn record(&self, event: &Event) -> Recorded {
        if let Ok(line) = serde_json::to_string(event) {
            let _ = writeln!(std::io::stderr().lock(), "{line}");
        }
        Recorded::Everywhere
    }
}

/// Events as JSON lines in a file of bounded size: at the bound it becomes `FILE.1` and a new one starts.
pub struct FileSink {
    path: PathBuf,
    max_bytes: u64,
    file: Mutex<(File, u64)>,
}

impl FileSink {
    /// Opens the file for appending, creates it 0600.
    pub fn open(path: &Path, max_bytes: u64) -> std::io::Result<FileSink> {
        Ok(FileSink {
            path: path.into(),
            max_bytes,
            file: Mutex::new(open_for_append(path)?),
        })
    }

    fn write(&self, line: &[u8]) -> std::io::Result<()> {
        let mut guard = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if guard.1 > 0 && guard.1 + line.len() as u64 > self.max_bytes {
            let mut old = self.path.clone().into_os_string();
            old.push(".1");
            std::fs::rename(&self.path, old)?;
            *guard = open_for_append(&self.path)?;
        }
        // One write a line: with O_APPEND, lines of several processes do not mix.
        guard.0.write_all(line)?;
        guard.1 += line.len() as u64;
        Ok(())
    }
}

fn open_for_append(path: &Path) -> std::io::Result<(File, u64)> {
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    let length = file.metadata()?.len();
    Ok((file, length))
}

impl EventSink for FileSink {
    fn record(&self, event: &Event) -> Recorded {
        let Ok(mut line) = serde_json::to_vec(event) else {
            return Recorded::NotEverywhere;
        };
        line.push(b'\n');
        if let Err(error) = self.write(&line) {
            // The event is not lost in silence: it goes where the operator looks next.
            tracing::error!(path = %self.path.display(), %error, "an event could not be written");
            StderrSink.record(event);
            return Recorded::NotEverywhere;
        }
        Recorded::Everywhere
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_stays_bounded_and_every_line_is_one_event() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.jsonl");
        let bus = EventBus::new(vec![Arc::new(FileSink::open(&path, 2000).unwrap())]);
        for n in 0..100 {
            bus.emit(
                None,
                Notice::new(
                    EventType::VmStart,
                    "line\nbreak",
                    serde_json::json!({ "n": n }),
                ),
            );
        }
        for name in ["events.jsonl", "events.jsonl.1"] {
            let text = std::fs::read_to_string(dir.path().join(name)).unwrap();
            assert!(text.len() <= 2000);
            for line in text.lines() {
                let event: Event = serde_json::from_str(line).unwrap();
                assert_eq!(event.details, "line\nbreak");
                assert!(event.timestamp.ends_with('Z'));
            }
        }
    }
}
