//! What each key used: counted as it happens, and every few seconds added to the day's file in the state folder.
//!
//! | module | what |
//! |---|---|
//! | [`row`] | the numbers |
//! | [`file`] | how they are kept |
//! | [`report`] | how they are told |
//!
//! Why files of their own and not the audit log: `docs/decisions/103`.

pub mod file;
pub mod report;
pub mod row;

use crate::app::App;
use crate::auth::Viewer;
use crate::keys::file::Scope;
use crate::moment::day_of;
use crate::problem::{HttpCode, Problem};
use crate::sandboxes::extract::taken;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use file::{Day, NamedRow, add_rows};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use report::{USUAL, UsageReport};
use row::UsageRow;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use utoipa::IntoParams;

/// How long what was counted may be in memory alone: a crash loses this much.
const WRITE_EVERY: Duration = Duration::from_secs(10);

/// What is counted, and not written yet.
#[derive(Debug)]
pub struct UsageLedger {
    dir: PathBuf,
    keep_days: u32,
    // Held for a few additions, never while a file is written.
    pending: Mutex<BTreeMap<Date, Day>>,
    // One writes at a time, and who asks sees either all of a write or nothing.
    writing: tokio::sync::Mutex<()>,
}

impl UsageLedger {
    /// That of this state folder; a day's file goes after so many days.
    pub fn new(state_dir: &Path, keep_days: u32) -> UsageLedger {
        UsageLedger {
            dir: state_dir.join(file::FOLDER),
            keep_days,
            pending: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
        }
    }

    fn pending(&self) -> MutexGuard<'_, BTreeMap<Date, Day>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts this as used by the key now.
    pub fn add(&self, key: &str, name: &str, used: &UsageRow) {
        self.now(key, name, |row| row.used.add(used));
    }

    /// The key asks for something.
    pub fn seen(&self, key: &str, name: &str) {
        self.now(key, name, |row| {
            row.last_used = Some(Timestamp::now().as_second())
        });
    }

    fn now(&self, key: &str, name: &str, change: impl FnOnce(&mut NamedRow)) {
        let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
        let mut pending = self.pending();
        let day = pending.entry(today).or_default();
        if let Some(row) = day.get_mut(key) {
            return change(row);
        }
        let row = day.entry(key.to_owned()).or_default();
        name.clone_into(&mut row.name);
        change(row);
    }

    /// Writes what is pending. Where that fails it stays pending, and is in the log: no job depends on it.
    pub async fn write(&self) {
        let _writing = self.writing.lock().await;
        let days = std::mem::take(&mut *self.pending());
        if days.is_empty() {
            return;
        }
        let (dir, keep_days) = (self.dir.clone(), self.keep_days);
        let written = tokio::task::spawn_blocking(move || {
            let written = file::add(&dir, &days, keep_days);
            (days, written)
        });
        let Ok((days, Err(error))) = written.await else {
            return;
        };
        tracing::error!(%error, "usage could not be written; it is tried again");
        let mut pending = self.pending();
        for (date, rows) in &days {
            add_rows(pending.entry(*date).or_default(), rows);
        }
    }

    /// Written and pending, from this day on.
    pub async fn since(&self, since: Date) -> std::io::Result<BTreeMap<Date, Day>> {
        let _writing = self.writing.lock().await;
        let dir = self.dir.clone();
        let read = tokio::task::spawn_blocking(move || file::read_since(&dir, since)).await;
        let mut days = read.map_err(std::io::Error::other)??;
        for (date, rows) in self.pending().range(since..) {
            add_rows(days.entry(*date).or_default(), rows);
        }
        Ok(days)
    }
}

/// Writes every few seconds; never returns.
pub async fn keep_written(app: &App) {
    let mut ticks = tokio::time::interval(WRITE_EVERY);
    loop {
        ticks.tick().await;
        app.settle_usage().await;
    }
}

impl App {
    /// Counts what VMs that stay held so far, and writes what is pending.
    pub async fn settle_usage(&self) {
        for (owner, used) in self.places.take_used() {
            self.usage.add(&owner.id, &owner.name, &used);
        }
        self.usage.write().await;
    }
}

/// Whose usage is wanted, and since when.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UsageQuery {
    /// Only of the key with this id or name.
    pub key: Option<String>,
    /// So long ago (`24h`, `7d`), or a day (`2026-11-01`); days count as a whole. `30d` where it is absent.
    pub since: Option<String>,
}

/// What a key used: its own, or with the scope `admin` that of all keys.
#[utoipa::path(
    get, path = "/api/v1/usage", tag = "operation", params(UsageQuery),
    responses((status = 200, description = "Usage", body = UsageReport)),
)]
pub async fn usage(
    State(app): State<Arc<App>>,
    Viewer(who): Viewer,
    query: Result<Query<UsageQuery>, QueryRejection>,
) -> Result<Json<UsageReport>, Problem> {
    let UsageQuery { key, since } = taken(query, "since")?;
    let wrong =
        |text| Problem::with(HttpCode::FieldInvalid, format!("since: {text}")).field("since");
    let since = day_of(since.as_deref().unwrap_or(USUAL)).map_err(wrong)?;
    for (owner, used) in app.places.take_used() {
        app.usage.add(&owner.id, &owner.name, &used);
    }
    let days = app.usage.since(since).await.map_err(|error| {
        tracing::error!(%error, "usage could not be read");
        Problem::new(HttpCode::InternalError)
    })?;
    let all = who.may(Scope::Admin);
    let is_wanted = |id: &str, name: &str| {
        let named = key.as_ref().is_none_or(|key| key == id || key == name);
        named && (all || id == who.id)
    };
    Ok(Json(UsageReport::of(since, &days, is_wanted)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_disk_that_takes_nothing_loses_nothing_until_it_does() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = UsageLedger::new(dir.path(), 400);
        // A file where the folder belongs: nothing can be written.
        let folder = dir.path().join(file::FOLDER);
        std::fs::write(&folder, "").unwrap();
        let used = UsageRow {
            sandboxes: 1,
            ..UsageRow::default()
        };
        for _ in 0..3 {
            ledger.add("k", "app", &used);
            ledger.write().await;
        }
        std::fs::remove_file(&folder).unwrap();
        ledger.write().await;
        ledger.add("k", "app", &used);
        // A service that starts anew finds it.
        let again = UsageLedger::new(dir.path(), 400);
        let since = day_of(USUAL).unwrap();
        let sandboxes = |days: BTreeMap<Date, Day>| -> u64 {
            let rows = days.values().flat_map(Day::values);
            rows.map(|NamedRow { used, .. }| used.sandboxes).sum()
        };
        assert_eq!(sandboxes(again.since(since).await.unwrap()), 3);
        assert_eq!(sandboxes(ledger.since(since).await.unwrap()), 4);
    }
}
