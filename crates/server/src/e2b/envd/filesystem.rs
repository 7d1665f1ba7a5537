//! The filesystem service: entries and folders, as the sandbox's user.

use super::Done;
use super::connect::{ConnectCode, ConnectError};
use super::entry::{EntryInfo, ShortEntry};
use super::{problem, user};
use crate::body::JsonBody;
use crate::e2b::address::Addressed;
use crate::e2b::error::AsE2b;
use crate::problem::Problem;
use crate::sandboxes::files::MAX_DEPTH;
use crate::sandboxes::table::UsedSandbox;
use crate::sandboxes::user::UserBody;
use axum::Json;
use axum::http::{HeaderMap, header};
use protocol::supervisor::EntryKind;
use protocol::validate::shown;
use sandbox::live::LiveError;
use serde::{Deserialize, Serialize};

/// What names one path.
#[derive(Debug, Deserialize)]
pub struct PathBody {
    #[serde(default)]
    path: String,
}

/// A folder, and how far down.
#[derive(Debug, Deserialize)]
pub struct ListBody {
    #[serde(default)]
    path: String,
    #[serde(default)]
    depth: u32,
}

/// From where to where.
#[derive(Debug, Deserialize)]
pub struct MoveBody {
    #[serde(default)]
    source: String,
    #[serde(default)]
    destination: String,
}

/// One entry.
#[derive(Debug, Serialize)]
pub struct EntryAnswer {
    entry: ToldEntry,
}

/// Entries.
#[derive(Debug, Serialize)]
pub struct EntriesAnswer {
    entries: Vec<ToldEntry>,
}

/// What the Python clients of 2024 call themselves; later ones name E2B.
const OF_2024: &[u8] = b"connect-python";

/// An entry as its client can read it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum ToldEntry {
    Whole(EntryInfo),
    Short(ShortEntry),
}

impl ToldEntry {
    fn to(headers: &HeaderMap, info: EntryInfo) -> ToldEntry {
        let agent = headers.get(header::USER_AGENT);
        match agent.is_some_and(|agent| agent.as_bytes() == OF_2024) {
            true => ToldEntry::Short(info.into()),
            false => ToldEntry::Whole(info),
        }
    }
}

/// The sandbox of a call, and as whom: files are the user's.
fn called(
    addressed: Result<Addressed, AsE2b>,
    headers: &HeaderMap,
) -> Result<(UsedSandbox, UserBody), ConnectError> {
    let Addressed { used, .. } = addressed?;
    let user = user::of(headers)?;
    user::check_files(user)?;
    Ok((used, user))
}

async fn entry(used: &UsedSandbox, path: &str) -> Result<EntryInfo, ConnectError> {
    let entry = used.live.stat(path).await;
    let entry = entry.map_err(|error| problem(used, error))?;
    Ok(EntryInfo::of(&used.live, entry).await)
}

/// `Stat`.
pub async fn stat(
    addressed: Result<Addressed, AsE2b>,
    headers: HeaderMap,
    body: Result<JsonBody<PathBody>, Problem>,
) -> Result<Json<EntryAnswer>, ConnectError> {
    let (used, user) = called(addressed, &headers)?;
    let path = user::path(&used, user, &body?.value.path).await?;
    let entry = entry(&used, &path).await?;
    let entry = ToldEntry::to(&headers, entry);
    Ok(Json(EntryAnswer { entry }))
}

/// `ListDir`.
pub async fn list(
    addressed: Result<Addressed, AsE2b>,
    headers: HeaderMap,
    body: Result<JsonBody<ListBody>, Problem>,
) -> Result<Json<EntriesAnswer>, ConnectError> {
    let (used, user) = called(addressed, &headers)?;
    let ListBody { path, depth } = body?.value;
    let path = user::path(&used, user, &path).await?;
    let listing = used.live.list(&path, depth.clamp(1, MAX_DEPTH)).await;
    let listing = listing.map_err(|error| match error {
        LiveError::File {
            errno: libc::ENOTDIR,
            ..
        } => ConnectError::new(
            ConnectCode::InvalidArgument,
            format!("path is not a directory: {}", shown(&path)),
        ),
        error => problem(&used, error).into(),
    })?;
    let mut entries = Vec::with_capacity(listing.entries.len());
    for entry in listing.entries {
        let info = EntryInfo::of(&used.live, entry).await;
        entries.push(ToldEntry::to(&headers, info));
    }
    Ok(Json(EntriesAnswer { entries }))
}

/// `MakeDir`: a folder that is there already is told as such.
pub async fn make_folder(
    addressed: Result<Addressed, AsE2b>,
    headers: HeaderMap,
    body: Result<JsonBody<PathBody>, Problem>,
) -> Result<Json<EntryAnswer>, ConnectError> {
    let (used, user) = called(addressed, &headers)?;
    let path = user::path(&used, user, &body?.value.path).await?;
    match used.live.stat(&path).await {
        Ok(entry) => {
            let (code, what) = match entry.kind {
                EntryKind::Folder => (ConnectCode::AlreadyExists, "directory already exists"),
                _ => (
                    ConnectCode::InvalidArgument,
                    "path already exists but it is not a directory",
                ),
            };
            return Err(ConnectError::new(code, format!("{what}: {}", shown(&path))));
        }
        Err(LiveError::File { .. }) => {}
        Err(error) => return Err(problem(&used, error).into()),
    }
    let made = used.live.make_folder(&path).await;
    made.map_err(|error| problem(&used, error))?;
    let entry = entry(&used, &path).await?;
    let entry = ToldEntry::to(&headers, entry);
    Ok(Json(EntryAnswer { entry }))
}

/// `Move`: folders above the new path are made.
pub async fn rename(
    addressed: Result<Addressed, AsE2b>,
    headers: HeaderMap,
    body: Result<JsonBody<MoveBody>, Problem>,
) -> Result<Json<EntryAnswer>, ConnectError> {
    let (used, user) = called(addressed, &headers)?;
    let MoveBody {
        source,
        destination,
    } = body?.value;
    let from = user::path(&used, user, &source).await?;
    let to = user::path(&used, user, &destination).await?;
    // What is not there leaves no folders behind.
    let known = used.live.stat(&from).await;
    known.map_err(|error| problem(&used, error))?;
    if let Some((above, _)) = to.rsplit_once('/').filter(|(above, _)| !above.is_empty()) {
        let made = used.live.make_folder(above).await;
        made.map_err(|error| problem(&used, error))?;
    }
    let moved = used.live.rename(&from, &to).await;
    moved.map_err(|error| problem(&used, error))?;
    let entry = entry(&used, &to).await?;
    let entry = ToldEntry::to(&headers, entry);
    Ok(Json(EntryAnswer { entry }))
}

/// `Remove`: what is not there is removed already.
pub async fn remove(
    addressed: Result<Addressed, AsE2b>,
    headers: HeaderMap,
    body: Result<JsonBody<PathBody>, Problem>,
) -> Result<Json<Done>, ConnectError> {
    let (used, user) = called(addressed, &headers)?;
    let path = user::path(&used, user, &body?.value.path).await?;
    match used.live.remove(&path).await {
        Ok(())
        | Err(LiveError::File {
            errno: libc::ENOENT,
            ..
        }) => Ok(Json(Done {})),
        Err(error) => Err(problem(&used, error).into()),
    }
}
