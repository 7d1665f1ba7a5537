//! One change in a folder that is watched, in the words of E2B's daemon.

use super::entry::EntryInfo;
use sandbox::live::LiveSandbox;
use serde::Serialize;

/// A change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventBody {
    /// Relative to the folder.
    name: String,
    #[serde(rename = "type")]
    kind: EventType,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<EntryInfo>,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum EventType {
    /// There is a new entry.
    #[serde(rename = "EVENT_TYPE_CREATE")]
    Create,
    /// A file's content changed.
    #[serde(rename = "EVENT_TYPE_WRITE")]
    Write,
    /// An entry is gone.
    #[serde(rename = "EVENT_TYPE_REMOVE")]
    Remove,
    /// It is gone under this name.
    #[serde(rename = "EVENT_TYPE_RENAME")]
    Rename,
    /// Its permissions changed.
    #[serde(rename = "EVENT_TYPE_CHMOD")]
    Chmod,
}

impl EventType {
    /// Whether an entry of that name is there after it. What has another name, or is gone, has none to tell of: one that
    /// took its place meanwhile would be told in its stead.
    fn leaves_an_entry(self) -> bool {
        match self {
            EventType::Create | EventType::Write | EventType::Chmod => true,
            EventType::Remove | EventType::Rename => false,
        }
    }
}

impl EventBody {
    /// A change of the entry of this name.
    pub fn new(name: String, kind: EventType) -> EventBody {
        EventBody {
            name,
            kind,
            entry: None,
        }
    }

    /// How long its name is, and what it tells of the entry, in bytes.
    pub fn bytes(&self) -> usize {
        self.name.len() + self.entry.as_ref().map_or(0, EntryInfo::bytes)
    }
}

/// Has each event tell of its entry, as far as it is there still.
pub async fn describe(events: &mut [EventBody], (live, folder): (&LiveSandbox, &str)) {
    let mut last: Option<(String, Option<EntryInfo>)> = None;
    let told = events.iter_mut();
    for event in told.filter(|event| event.kind.leaves_an_entry()) {
        event.entry = match last.take() {
            Some((name, entry)) if name == event.name => entry,
            _ => entry(live, folder, &event.name).await,
        };
        last = Some((event.name.clone(), event.entry.clone()));
    }
}

async fn entry(live: &LiveSandbox, folder: &str, name: &str) -> Option<EntryInfo> {
    // One that is not below the folder goes by its whole path.
    let path = match name.starts_with('/') {
        true => name.to_owned(),
        false => format!("{folder}{name}"),
    };
    let entry = live.stat(&path).await.ok()?;
    Some(EntryInfo::of(live, entry).await)
}
