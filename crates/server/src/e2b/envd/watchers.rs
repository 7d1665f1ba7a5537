//! Watches that clients ask from time to time: what changed is kept, within a bound, until it is asked for.

use super::Done;
use super::connect::{ConnectCode, ConnectError};
use super::event::EventBody;
use super::user;
use super::watch::{Changes, SETTLES, WatchBody};
use crate::body::JsonBody;
use crate::e2b::address::Addressed;
use crate::e2b::error::AsE2b;
use crate::problem::{HttpCode, Problem};
use axum::Json;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

/// Bytes of names and entries that one watcher keeps for who asks, and what each event costs besides; the oldest go first.
const MAX_KEPT_BYTES: usize = 256 * 1024;
const EVENT_BYTES: usize = 64;
/// Watchers of one sandbox, as many as there are watches.
const MAX_WATCHERS: usize = protocol::supervisor::MAX_WATCHES;

/// How long a question waits for what changes just now to come to rest.
const PATIENCE: Duration = Duration::from_secs(1);

/// The watchers of one sandbox.
#[derive(Debug, Default)]
pub struct Watchers(Mutex<HashMap<String, Watcher>>);

/// One of them.
#[derive(Debug)]
struct Watcher {
    kept: Arc<Mutex<Kept>>,
    /// Whether nothing is held back of what came.
    settled: watch::Receiver<bool>,
    task: AbortOnDropHandle<()>,
}

/// What it has for who asks.
#[derive(Debug, Default)]
struct Kept {
    events: VecDeque<EventBody>,
    bytes: usize,
}

impl Kept {
    fn take_in(&mut self, events: Vec<EventBody>) {
        let cost = |event: &EventBody| event.bytes() + EVENT_BYTES;
        self.bytes += events.iter().map(cost).sum::<usize>();
        self.events.extend(events);
        while self.bytes > MAX_KEPT_BYTES {
            let Some(oldest) = self.events.pop_front() else {
                break;
            };
            self.bytes = self.bytes.saturating_sub(cost(&oldest));
        }
    }
}

impl Watchers {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Watcher>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts one in. Those whose folder is gone make room once there are too many.
    fn add(&self, id: String, watcher: Watcher) -> Result<(), ConnectError> {
        let mut all = self.all();
        if all.len() >= MAX_WATCHERS {
            all.retain(|_, watcher| !watcher.task.is_finished());
        }
        if all.len() >= MAX_WATCHERS {
            let sentence = format!("the sandbox has {MAX_WATCHERS} watchers already");
            return Err(ConnectError::new(ConnectCode::ResourceExhausted, sentence));
        }
        all.insert(id, watcher);
        Ok(())
    }
}

/// The name of a watcher.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NameBody {
    watcher_id: String,
}

/// What changed since the last time.
#[derive(Debug, Serialize)]
pub struct EventsBody {
    events: Vec<EventBody>,
}

/// `CreateWatcher`. The guest bounds how many there are.
pub async fn create(
    addressed: Result<Addressed, AsE2b>,
    headers: HeaderMap,
    body: Result<JsonBody<WatchBody>, Problem>,
) -> Result<Json<NameBody>, ConnectError> {
    let Addressed { used, .. } = addressed?;
    let user = user::of(&headers)?;
    user::check_files(user)?;
    let mut changes = Changes::begin(&used, user, body?.value).await?;
    let kept: Arc<Mutex<Kept>> = Arc::default();
    let keeps = kept.clone();
    let (settles, settled) = watch::channel(true);
    let task = tokio::spawn(async move {
        while let Ok(Some(mut told)) = changes.next().await {
            settles.send_replace(false);
            changes.describe(&mut told).await;
            let mut kept = keeps.lock().unwrap_or_else(PoisonError::into_inner);
            kept.take_in(told);
            settles.send_replace(changes.is_settled());
        }
        settles.send_replace(true);
    });
    let watcher_id = uuid::Uuid::now_v7().to_string();
    let watcher = Watcher {
        kept,
        settled,
        task: AbortOnDropHandle::new(task),
    };
    let facts = used.slot.e2b.as_ref();
    let facts = facts.ok_or_else(|| ConnectError::from(Problem::new(HttpCode::SandboxNotFound)))?;
    facts.watchers.add(watcher_id.clone(), watcher)?;
    Ok(Json(NameBody { watcher_id }))
}

fn none(id: &str) -> ConnectError {
    let sentence = format!(
        "watcher with id {} not found",
        protocol::validate::shown(id)
    );
    ConnectError::new(ConnectCode::NotFound, sentence)
}

/// `GetWatcherEvents`.
pub async fn events(
    addressed: Result<Addressed, AsE2b>,
    body: Result<JsonBody<NameBody>, Problem>,
) -> Result<Json<EventsBody>, ConnectError> {
    let Addressed { used, .. } = addressed?;
    let NameBody { watcher_id } = body?.value;
    let known = used.slot.e2b.as_ref().and_then(|facts| {
        let watchers = facts.watchers.all();
        let watcher = watchers.get(&watcher_id)?;
        Some((watcher.kept.clone(), watcher.settled.clone()))
    });
    let (known, mut settled) = known.ok_or_else(|| none(&watcher_id))?;
    // What changed just now is on its way: it comes before an answer that takes a child of its own does.
    let _ = used.live.stat("/").await;
    tokio::time::sleep(SETTLES).await;
    let _ = timeout(PATIENCE, settled.wait_for(|settled| *settled)).await;
    let mut kept = known.lock().unwrap_or_else(PoisonError::into_inner);
    let events = std::mem::take(&mut *kept).events.into();
    Ok(Json(EventsBody { events }))
}

/// `RemoveWatcher`.
pub async fn remove(
    addressed: Result<Addressed, AsE2b>,
    body: Result<JsonBody<NameBody>, Problem>,
) -> Result<Json<Done>, ConnectError> {
    let Addressed { used, .. } = addressed?;
    let NameBody { watcher_id } = body?.value;
    let facts = used.slot.e2b.as_ref();
    let removed = facts.and_then(|facts| facts.watchers.all().remove(&watcher_id));
    removed
        .map(|_| Json(Done {}))
        .ok_or_else(|| none(&watcher_id))
}

#[cfg(test)]
mod tests {
    use super::super::event::EventType;
    use super::*;

    #[test]
    fn what_nobody_asks_for_is_kept_within_a_bound() {
        let mut kept = Kept::default();
        for n in 0..1000 {
            kept.take_in(vec![EventBody::new(
                format!("{n:0>4000}"),
                EventType::Write,
            )]);
            assert!(kept.bytes <= MAX_KEPT_BYTES);
        }
        assert_eq!(kept.events.len(), MAX_KEPT_BYTES / (4000 + EVENT_BYTES));
    }
}
