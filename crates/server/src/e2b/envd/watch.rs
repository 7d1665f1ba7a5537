//! What changes in a folder, in the words of E2B's daemon, which are inotify's.

use super::connect::{
    ConnectCode, ConnectError, Envelope, Envelopes, end, end_with, failed_stream, message, parsed,
    stream_headers,
};
use super::event::{EventBody, EventType, describe};
use super::{cut_off, problem, user};
use crate::body::RawBody;
use crate::e2b::address::Addressed;
use crate::e2b::error::AsE2b;
use crate::memory::Held;
use crate::problem::Problem;
use crate::sandboxes::table::UsedSandbox;
use crate::sandboxes::user::UserBody;
use crate::sse::KEEP_ALIVE;
use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use protocol::supervisor::{EntryKind, WatchEvent};
use sandbox::live::{LiveError, LiveSandbox, Watch};
use serde::Deserialize;
use serde_json::json;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;
use tokio::time::timeout;

/// Levels of folders that one watch goes down.
const MAX_DEPTH: u32 = 32;
/// How long it is waited for more to be told of a new entry: a file that is written anew comes under a name of its own and
/// then takes the old one's place, and is told as one that was written.
pub const SETTLES: Duration = Duration::from_millis(20);

/// What is watched.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WatchBody {
    #[serde(default)]
    path: String,
    #[serde(default)]
    recursive: bool,
    /// Whether each change of an entry that is there tells of the entry, too.
    #[serde(default)]
    include_entry: bool,
}

/// Changes of one folder as they come.
pub struct Changes {
    watch: Watch,
    live: LiveSandbox,
    /// The folder, with a slash at its end.
    folder: String,
    /// The path of a new entry of which more may be told in a moment.
    fresh: Option<String>,
    detail: Detail,
}

/// What is told of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Detail {
    /// What happened to which name.
    Name,
    /// What is there now, besides.
    Entry,
}

impl Changes {
    /// Begins to watch.
    pub async fn begin(
        used: &UsedSandbox,
        user: UserBody,
        body: WatchBody,
    ) -> Result<Changes, ConnectError> {
        let path = user::path(used, user, &body.path).await?;
        let entry = used.live.stat(&path).await;
        let entry = entry.map_err(|error| problem(used, error))?;
        if entry.kind == EntryKind::File {
            let sentence = format!("path {} not a directory", protocol::validate::shown(&path));
            return Err(ConnectError::new(ConnectCode::InvalidArgument, sentence));
        }
        let depth = match body.recursive {
            true => MAX_DEPTH,
            false => 1,
        };
        let watch = used.live.watch(&path, depth).await;
        let mut watch = watch.map_err(|error| problem(used, error))?;
        // Whatever changes after this is told.
        let first = watch.next().await;
        first.map_err(|error| problem(used, error))?;
        Ok(Changes {
            watch,
            live: used.live.clone(),
            folder: format!("{}/", path.trim_end_matches('/')),
            fresh: None,
            detail: match body.include_entry {
                true => Detail::Entry,
                false => Detail::Name,
            },
        })
    }

    /// The next changes, which may be none; `None`: the folder is gone. Cancel-safe.
    pub async fn next(&mut self) -> Result<Option<Vec<EventBody>>, LiveError> {
        let event = match self.fresh {
            None => self.watch.next().await?,
            Some(_) => match timeout(SETTLES, self.watch.next()).await {
                Ok(event) => event?,
                Err(_) => return Ok(Some(self.settled().await)),
            },
        };
        let Some(event) = event else {
            let left = self.settled().await;
            return Ok((!left.is_empty()).then_some(left));
        };
        Ok(Some(self.told(event).await))
    }

    /// Has them tell of their entries, where that was asked for.
    pub async fn describe(&self, events: &mut [EventBody]) {
        match self.detail {
            Detail::Name => {}
            Detail::Entry => describe(events, (&self.live, &self.folder)).await,
        }
    }

    /// Whether nothing is held back.
    pub fn is_settled(&self) -> bool {
        self.fresh.is_none()
    }

    /// Of an entry that is new and has come to rest. A file that came whole, as one that was sent, is told as the daemon
    /// would have made it: created, given its permissions, written.
    async fn settled(&mut self) -> Vec<EventBody> {
        let Some(path) = self.fresh.clone() else {
            return Vec::new();
        };
        let entry = self.live.stat(&path).await;
        self.fresh = None;
        let is_whole = entry.is_ok_and(|entry| entry.kind == EntryKind::File && entry.size > 0);
        let kinds: &[EventType] = match is_whole {
            true => &[EventType::Create, EventType::Chmod, EventType::Write],
            false => &[EventType::Create],
        };
        let name = self.name(path);
        let event = |kind: &EventType| EventBody::new(name.clone(), *kind);
        kinds.iter().map(event).collect()
    }

    async fn told(&mut self, event: WatchEvent) -> Vec<EventBody> {
        let event = match (event, self.fresh.take()) {
            // It comes bit by bit, and more will be told of it.
            (WatchEvent::Modified { path }, Some(fresh)) if path == fresh => {
                let name = self.name(path);
                return [EventType::Create, EventType::Write]
                    .map(|kind| EventBody::new(name.clone(), kind))
                    .into();
            }
            // It took another's place: that one was written.
            (WatchEvent::Moved { from, path }, Some(fresh)) if from == fresh => {
                return vec![self.event(path, EventType::Write)];
            }
            (event, fresh) => {
                self.fresh = fresh;
                event
            }
        };
        let mut events = self.settled().await;
        match event {
            WatchEvent::Created { path } => self.fresh = Some(path),
            WatchEvent::Moved { from, path } => {
                events.push(self.event(from, EventType::Rename));
                events.push(self.event(path, EventType::Create));
            }
            WatchEvent::Modified { path } => events.push(self.event(path, EventType::Write)),
            WatchEvent::Removed { path } => events.push(self.event(path, EventType::Remove)),
            // The daemon tells nothing of what it misses.
            WatchEvent::Watching { .. } | WatchEvent::Overflow { .. } => {}
        }
        events
    }

    fn event(&self, path: String, kind: EventType) -> EventBody {
        EventBody::new(self.name(path), kind)
    }

    /// Relative to the folder.
    fn name(&self, path: String) -> String {
        let below = path.strip_prefix(&self.folder).map(str::to_owned);
        below.unwrap_or(path)
    }
}

/// `WatchDir`.
pub async fn stream(
    addressed: Result<Addressed, AsE2b>,
    headers: HeaderMap,
    body: Result<RawBody, Problem>,
) -> Response {
    let watched = async {
        let Addressed { used, .. } = addressed?;
        let user = user::of(&headers)?;
        user::check_files(user)?;
        let bytes = body?.bytes;
        let mut envelopes = Envelopes::default();
        envelopes.push(&bytes);
        let Ok(Some(Envelope::Message(bytes))) = envelopes.next_whole() else {
            return Err(ConnectError::new(
                ConnectCode::InvalidArgument,
                "the call has no message",
            ));
        };
        let changes = Changes::begin(&used, user, parsed(&bytes)?).await?;
        let ready = [message(&json!({"start": {}}))].into();
        Ok(Watching {
            used,
            changes,
            ready,
            stage: Stage::Told,
            held: Held::default(),
        })
    };
    let watching = match watched.await {
        Ok(watching) => watching,
        Err(error) => return failed_stream(error),
    };
    let events = futures_util::stream::unfold(watching, |mut watching| async {
        let next = watching.next().await?;
        Some((Ok::<_, Infallible>(next), watching))
    });
    (stream_headers(), Body::from_stream(events)).into_response()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// More may come.
    Told,
    /// All is told.
    Over,
}

/// An answer under way.
struct Watching {
    used: UsedSandbox,
    changes: Changes,
    ready: VecDeque<Bytes>,
    stage: Stage,
    /// The room of what was handed over last.
    held: Held,
}

impl Watching {
    async fn next(&mut self) -> Option<Bytes> {
        self.held = Held::default();
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                self.held = self.used.app.memory.answer(bytes.len() as u64).await;
                return Some(bytes);
            }
            if self.stage == Stage::Over {
                return None;
            }
            let draining = &self.used.app.draining;
            let next = draining.run_until_cancelled(self.changes.next());
            let Ok(told) = timeout(KEEP_ALIVE, next).await else {
                return Some(message(&json!({"keepalive": {}})));
            };
            match told? {
                Ok(Some(mut events)) => {
                    self.changes.describe(&mut events).await;
                    let told = events
                        .iter()
                        .map(|event| message(&json!({"filesystem": event})));
                    self.ready.extend(told);
                }
                Ok(None) => self.over(end()),
                Err(error) => self.over(end_with(&cut_off(&self.used, error))),
            }
        }
    }

    fn over(&mut self, last: Bytes) {
        self.ready.push_back(last);
        self.stage = Stage::Over;
    }
}
