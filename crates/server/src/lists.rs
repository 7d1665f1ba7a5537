//! What there is: languages, root file systems, snapshots.

use crate::app::App;
use crate::auth::Caller;
use crate::problem::{HttpCode, Problem};
use axum::Json;
use axum::extract::State;
use protocol::language::{self, Language};
use sandbox::snapshots::Comparison;
use serde::Serialize;
use std::collections::HashSet;
use std::sync::Arc;
use utoipa::ToSchema;

/// A language.
#[derive(Debug, Serialize, ToSchema)]
pub struct LanguageBody {
    /// Its name in requests.
    pub name: &'static str,
    /// Names that Piston's route takes besides.
    pub aliases: &'static [String],
    /// File extensions, without the dot.
    pub extensions: &'static [String],
    /// What its image holds.
    pub runtime: &'static str,
    /// It has a compiler.
    pub compiled: bool,
    /// Its image is there.
    pub available: bool,
}

/// A root file system.
#[derive(Debug, Serialize, ToSchema)]
pub struct RootfsBody {
    /// The image's name.
    pub name: &'static str,
    /// What is in it, in a few words.
    pub about: &'static str,
    /// The languages whose programs run in it; the first is meant where a job names none.
    pub languages: Vec<&'static str>,
    /// In bytes.
    pub size_bytes: u64,
    /// Packages in it.
    pub packages: usize,
    /// When it was built.
    pub built_at: String,
    /// Its digest.
    pub sha256: String,
}

/// A snapshot that VMs are cloned from.
#[derive(Debug, Serialize, ToSchema)]
pub struct SnapshotBody {
    /// Its name.
    pub id: String,
    /// Whose interpreter is loaded.
    pub language: Option<&'static str>,
    /// RAM of the VM, in MiB.
    pub memory_mib: Option<u32>,
    /// Its virtual CPUs.
    pub vcpus: Option<u32>,
    /// When it was made.
    pub created_at: Option<String>,
    /// Its files together, in bytes.
    pub size_bytes: u64,
    /// What they take on disk, in bytes.
    pub disk_bytes: u64,
    /// It passed its check.
    pub usable: bool,
}

/// The languages that programs may be written in.
#[utoipa::path(
    get, path = "/api/v1/languages", tag = "lists",
    responses((status = 200, description = "Languages", body = Vec<LanguageBody>)),
)]
pub async fn languages(
    State(app): State<Arc<App>>,
    _: Caller,
) -> Result<Json<Vec<LanguageBody>>, Problem> {
    let available: HashSet<&str> = rootfs_rows(app)
        .await?
        .into_iter()
        .map(|row| row.name)
        .collect();
    let body = |language: Language| {
        let row = language.row();
        LanguageBody {
            name: &row.name,
            aliases: &row.aliases,
            extensions: &row.extensions,
            runtime: &row.runtime,
            compiled: row.compile.is_some(),
            available: available.contains(language.image().name()),
        }
    };
    let rows = language::all().map(body);
    Ok(Json(rows.collect()))
}

/// The images that VMs boot from.
#[utoipa::path(
    get, path = "/api/v1/rootfs", tag = "lists",
    responses((status = 200, description = "Images", body = Vec<RootfsBody>)),
)]
pub async fn rootfs(
    State(app): State<Arc<App>>,
    _: Caller,
) -> Result<Json<Vec<RootfsBody>>, Problem> {
    rootfs_rows(app).await.map(Json)
}

/// The snapshots that VMs are cloned from.
#[utoipa::path(
    get, path = "/api/v1/snapshots", tag = "lists",
    responses((status = 200, description = "Snapshots", body = Vec<SnapshotBody>)),
)]
pub async fn snapshots(
    State(app): State<Arc<App>>,
    _: Caller,
) -> Result<Json<Vec<SnapshotBody>>, Problem> {
    let sandbox = app.rooms.sandbox.clone();
    let rows = blocking(move || sandbox.supply().snapshots().list(Comparison::Changed)).await?;
    let rows = rows.into_iter().map(|row| SnapshotBody {
        id: row.id,
        language: row.key.as_ref().map(|key| key.language.name()),
        memory_mib: row.key.as_ref().map(|key| key.memory_mib),
        vcpus: row.key.as_ref().map(|key| key.vcpus),
        created_at: row.created_at,
        size_bytes: row.size_bytes,
        disk_bytes: row.disk_bytes,
        usable: row.error.is_none(),
    });
    Ok(Json(rows.collect()))
}

async fn rootfs_rows(app: Arc<App>) -> Result<Vec<RootfsBody>, Problem> {
    let images = app.rooms.images.clone();
    let rows = blocking(move || images.list()).await?;
    // What packages were asked for is nobody else's to read.
    let rows = rows.into_iter().filter(|row| !row.image.is_package_set());
    let rows = rows.map(|row| RootfsBody {
        name: row.image.name(),
        about: row.image.about(),
        languages: row
            .image
            .languages()
            .into_iter()
            .map(Language::name)
            .collect(),
        size_bytes: row.size_bytes,
        packages: row.packages,
        built_at: row.built_at,
        sha256: row.sha256,
    });
    Ok(rows.collect())
}

/// Reads folders off the runtime's threads; what fails stays in the log.
async fn blocking<T, E>(read: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, Problem>
where
    T: Send + 'static,
    E: std::error::Error + Send + Sync + 'static,
{
    match tokio::task::spawn_blocking(read).await {
        Ok(Ok(rows)) => Ok(rows),
        Ok(Err(error)) => {
            tracing::error!(reason = %sandbox::error::chain(&error), "a list could not be read");
            Err(Problem::new(HttpCode::InternalError))
        }
        Err(_) => Err(Problem::new(HttpCode::InternalError)),
    }
}
