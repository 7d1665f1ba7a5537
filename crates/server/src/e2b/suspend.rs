//! Pauses, snapshots and forks, in E2B's words.

use super::body::ConnectedBody;
use super::control::{Named, Owned};
use super::create::{DEFAULT_SECONDS, total_time};
use super::error::{AsE2b, E2bErrorBody};
use super::facts::E2bFacts;
use super::list::{MAX_PAGE, NEXT_TOKEN, page_limit, pairs};
use super::template::{is_own_template, untagged};
use crate::app::App;
use crate::auth::{Caller, Executor};
use crate::body::{RawBody, parse};
use crate::paused::about::SavedKind;
use crate::paused::copies::{self, Row};
use crate::paused::table::Entry;
use crate::paused::{busy, pause};
use crate::problem::{HttpCode, Problem};
use crate::sandboxes::slot::SandboxSlot;
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use protocol::validate::shown;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Sandboxes that one call forks at most, as E2B has it.
const MAX_FORKS: usize = 100;
/// Bytes of a snapshot's name.
const MAX_NAME_BYTES: usize = 64;

/// How a sandbox is to be paused.
#[derive(Debug, Default, Deserialize)]
pub struct PauseBody {
    /// With what is in its memory; absent: yes.
    #[serde(default)]
    memory: Option<bool>,
}

/// `POST /sandboxes/{id}/pause`.
pub async fn pause(
    State(app): State<Arc<App>>,
    named: Named,
    body: Result<RawBody, Problem>,
) -> Result<StatusCode, AsE2b> {
    if app.paused.of(named.who(), named.id()).is_some() {
        return Err(AsE2b(busy(named.id())));
    }
    let used = named.owned(&app)?;
    let body: PauseBody = optional(body)?;
    if body.memory == Some(false) {
        return Err(AsE2b(no_disk("memory")));
    }
    let slot = used.slot.clone();
    // This request is none that the pause would have to wait for.
    drop(used);
    pause::pause(&app, &slot).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is refused of a sandbox that keeps its files without its memory.
pub fn no_disk(field: &str) -> Problem {
    let sentence = format!(
        "{field} cannot be false here: a sandbox's disk is its memory, so its files are kept with it"
    );
    Problem::with(HttpCode::FieldInvalid, sentence).field(field)
}

/// A snapshot that is wanted.
#[derive(Debug, Default, Deserialize)]
pub struct SnapshotRequest {
    /// What it is called.
    #[serde(default)]
    name: Option<String>,
}

/// A snapshot, as it is told of.
#[derive(Debug, Clone, Serialize)]
pub struct SnapshotBody {
    #[serde(rename = "snapshotID")]
    snapshot_id: String,
    names: Vec<String>,
}

impl SnapshotBody {
    fn of(entry: &Entry) -> SnapshotBody {
        let names = match &entry.about.kind {
            SavedKind::Snapshot { name, .. } => name.iter().cloned().collect(),
            SavedKind::Sandbox | SavedKind::Forking => Vec::new(),
        };
        SnapshotBody {
            snapshot_id: entry.id.clone(),
            names,
        }
    }
}

/// `POST /sandboxes/{id}/snapshots`.
pub async fn snapshot(
    State(app): State<Arc<App>>,
    Executor(who): Executor,
    Owned(used): Owned,
    body: Result<RawBody, Problem>,
) -> Result<(StatusCode, Json<SnapshotBody>), AsE2b> {
    let SnapshotRequest { name } = optional(body)?;
    if let Some(name) = &name {
        check_name(name)?;
    }
    let slot = used.slot.clone();
    drop(used);
    let entry = copies::snapshot(&app, &who, &slot, name).await?;
    Ok((StatusCode::CREATED, Json(SnapshotBody::of(&entry))))
}

/// Refuses a name that says something else already, or that nobody could type.
fn check_name(name: &str) -> Result<(), Problem> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_plain = !name.is_empty() && name.len() <= MAX_NAME_BYTES && name.bytes().all(plain);
    let is_image = || protocol::language::asked_for(None, Some(name)).is_ok();
    let why = match () {
        () if !is_plain => format!("is not 1 to {MAX_NAME_BYTES} of A-Z a-z 0-9 - _ ."),
        () if is_own_template(name) || is_image() => "is the name of a template already".to_owned(),
        () => return Ok(()),
    };
    let sentence = format!("name {} {why}", shown(name));
    Err(Problem::with(HttpCode::FieldInvalid, sentence).field("name"))
}

/// `GET /snapshots`.
pub async fn list(
    State(app): State<Arc<App>>,
    who: Result<Caller, Problem>,
    RawQuery(query): RawQuery,
) -> Result<(HeaderMap, Json<Vec<SnapshotBody>>), AsE2b> {
    let Caller(who) = who?;
    let filters: BTreeMap<String, String> = pairs(&query.unwrap_or_default()).into_iter().collect();
    let filter = |name: &str| filters.get(name).map(String::as_str);
    let limit = filter("limit").map_or(Ok(MAX_PAGE), page_limit)?;
    let by_name = filter("name").map(untagged);
    let is_wanted = |entry: &Arc<Entry>| {
        let SavedKind::Snapshot { of, name } = &entry.about.kind else {
            return false;
        };
        let own = [name.as_deref(), Some(entry.id.as_str())];
        by_name.is_none_or(|wanted| own.contains(&Some(wanted)))
            && filter("sandboxID").is_none_or(|wanted| wanted == of)
            && filter("nextToken").is_none_or(|after| entry.id.as_str() < after)
    };
    let mut page = app.paused.snapshots_of(&who);
    page.retain(is_wanted);
    // The newest first.
    page.reverse();
    let more = page.len() > limit;
    page.truncate(limit);
    let last = page.last().filter(|_| more);
    let next = last.and_then(|entry| HeaderValue::from_str(&entry.id).ok());
    let headers = next.map(|next| (NEXT_TOKEN, next)).into_iter().collect();
    let bodies = page.iter().map(|entry| SnapshotBody::of(entry));
    Ok((headers, Json(bodies.collect())))
}

/// A body that may be left out.
fn optional<T: DeserializeOwned + Default>(body: Result<RawBody, Problem>) -> Result<T, Problem> {
    match body?.bytes.as_slice() {
        [] => Ok(T::default()),
        bytes => parse(bytes),
    }
}

/// `DELETE /templates/{id}`: of a snapshot.
pub async fn delete(
    State(app): State<Arc<App>>,
    Executor(who): Executor,
    Path(id): Path<String>,
) -> Result<StatusCode, AsE2b> {
    let none = || {
        let sentence = format!(
            "there is no snapshot {}; images are removed by llm-firecracker images rm",
            shown(&id)
        );
        AsE2b(Problem::with(HttpCode::NotFound, sentence))
    };
    let entry = app.paused.snapshot(&who, untagged(&id)).ok_or_else(none)?;
    match app.paused.end(&entry).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(none()),
    }
}

/// Sandboxes that are to be forked.
#[derive(Debug, Default, Deserialize)]
pub struct ForkBody {
    /// Seconds that each has.
    #[serde(default)]
    timeout: Option<u64>,
    #[serde(default)]
    count: Option<usize>,
}

/// What came of one.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ForkedBody {
    /// It runs.
    Sandbox(Box<ConnectedBody>),
    /// Why it does not.
    Error(E2bErrorBody),
}

/// `POST /sandboxes/{id}/fork`.
pub async fn fork(
    State(app): State<Arc<App>>,
    Executor(who): Executor,
    Owned(used): Owned,
    body: Result<RawBody, Problem>,
) -> Result<(StatusCode, Json<Vec<ForkedBody>>), AsE2b> {
    let ForkBody { timeout, count } = optional(body)?;
    let count = count.unwrap_or(1);
    if !(1..=MAX_FORKS).contains(&count) {
        let sentence = format!("count is {count}, allowed are 1 to {MAX_FORKS}");
        return Err(AsE2b(
            Problem::with(HttpCode::FieldInvalid, sentence).field("count"),
        ));
    }
    let longest = app.config().sessions.total_seconds;
    let total = total_time(timeout.unwrap_or(DEFAULT_SECONDS.min(longest)), longest)?;
    let slot = used.slot.clone();
    drop(used);
    let none = || AsE2b(Problem::new(HttpCode::SandboxNotFound));
    // Before it is stopped: what is known of its processes goes with it.
    let held = slot.e2b.as_ref().map(E2bFacts::held).ok_or_else(none)?;
    let (owner, metadata) = (who.clone(), slot.metadata().clone());
    let idle = Duration::from_secs(longest);
    let row: Row = Arc::new(move |job| {
        let facts = E2bFacts::fresh(held.template.clone(), held.guard)?;
        let facts = facts.with_processes(held.processes.clone());
        let facts = facts.with_lifecycle(held.lifecycle.clone());
        Ok(SandboxSlot::new(&owner, job, metadata.clone(), (total, idle)).of_e2b(facts))
    });
    let forks = copies::fork(&app, &who, &slot, (count, row)).await?;
    let config = app.config();
    let domain = config.e2b.told_domain();
    let told = forks.into_iter().map(|fork| {
        let body = fork.and_then(|slot| {
            ConnectedBody::of(&slot, domain).ok_or_else(|| Problem::new(HttpCode::SandboxNotFound))
        });
        match body {
            Ok(body) => ForkedBody::Sandbox(Box::new(body)),
            Err(problem) => ForkedBody::Error(AsE2b(problem).body()),
        }
    });
    Ok((StatusCode::CREATED, Json(told.collect())))
}
