//! What changes in a folder, told as it happens: server-sent events, or lines of JSON.
//!
//! | event | says |
//! |---|---|
//! | `watching` | it begins, and how many folders are watched; first |
//! | `created`, `modified`, `removed` | an entry, by its `path` |
//! | `moved` | an entry that was at `from` |
//! | `overflow` | something is not told: `events`, which came too fast, or `folders`, of which there are too many |
//! | `end` | the folder is gone; nothing comes after it |
//! | `error` | why there is no more to tell, as a problem; nothing comes after it |

use super::files::FolderQuery;
use super::table::UsedSandbox;
use super::told::{EventBody, Form};
use crate::memory::Held;
use crate::problem::{Problem, ProblemBody};
use crate::sse;
use axum::body::{Body, Bytes};
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use protocol::supervisor::{Overflow, WatchEvent};
use sandbox::live::Watch;
use serde::Serialize;
use std::convert::Infallible;
use tokio::time::timeout;
use utoipa::ToSchema;

/// What is told of a folder.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum WatchBody {
    /// It begins.
    Watching {
        /// Folders that are watched now.
        folders: u32,
    },
    /// An entry has another path.
    Moved {
        /// The old one.
        from: String,
        /// The new one.
        path: String,
    },
    /// An entry is new, changed or gone.
    Entry {
        /// Its path.
        path: String,
    },
    /// Something is not told.
    Overflow {
        /// `events` or `folders`.
        of: &'static str,
    },
    /// The folder is gone.
    End {},
    /// There is no more to tell.
    Error(ProblemBody),
}

/// Tell what changes in a folder, until the client goes, the sandbox ends or the folder is gone: server-sent events, or
/// lines of JSON with `Accept: application/x-ndjson`. Sixteen at one time, of 1024 folders each.
#[utoipa::path(
    get, path = "/api/v1/sandboxes/{id}/files/watch", tag = "sandboxes",
    params(("id" = String, Path, description = "The sandbox"), FolderQuery),
    responses((status = 200, description = "What changes, as it happens", content(
        (EventBody = "text/event-stream"), (WatchBody = "application/x-ndjson"),
    ))),
)]
pub async fn watch(
    used: UsedSandbox,
    headers: HeaderMap,
    query: Result<Query<FolderQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let (path, depth) = FolderQuery::taken(query)?;
    let watch = used.live.watch(&path, depth).await;
    let mut watch = watch.map_err(|error| used.problem(error))?;
    let first = watch.next().await;
    // What cannot be watched at all is known by now.
    let first = first.map_err(|error| used.problem(error))?;
    let form = Form::of(&headers);
    let watching = Watching {
        first: first.map(told),
        used,
        watch,
        form,
        stage: Stage::Told,
        held: Held::default(),
    };
    let events = futures_util::stream::unfold(watching, |mut watching| async {
        let next = watching.next().await?;
        Some((Ok::<_, Infallible>(next), watching))
    });
    let headers = sse::headers(form.content_type());
    Ok((headers, Body::from_stream(events)).into_response())
}

/// How far it was told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// More may come.
    Told,
    /// All is told.
    Over,
}

/// An answer under way.
struct Watching {
    used: UsedSandbox,
    watch: Watch,
    form: Form,
    /// Until it is handed over.
    first: Option<Named>,
    stage: Stage,
    /// The room of the event that was handed over last.
    held: Held,
}

/// An event and its name.
type Named = (&'static str, WatchBody);

impl Watching {
    async fn next(&mut self) -> Option<Bytes> {
        self.held = Held::default();
        let next = match self.first.take() {
            Some(first) => Some(first),
            None => match timeout(sse::KEEP_ALIVE, self.told()).await {
                Ok(told) => told,
                Err(_) => return Some(self.form.alive()),
            },
        };
        let (name, body) = next?;
        let bytes = self.form.event(name, &body)?;
        self.held = self.used.app.memory.answer(bytes.len() as u64).await;
        Some(bytes)
    }

    /// What is to be told next; `None`: nothing more, as where the service stops. Cancel-safe.
    async fn told(&mut self) -> Option<Named> {
        if self.stage == Stage::Over {
            return None;
        }
        let draining = &self.used.app.draining;
        match draining.run_until_cancelled(self.watch.next()).await? {
            Ok(Some(event)) => Some(told(event)),
            Ok(None) => {
                self.stage = Stage::Over;
                Some(("end", WatchBody::End {}))
            }
            Err(error) => {
                self.stage = Stage::Over;
                Some(("error", WatchBody::Error(self.used.problem(error).body())))
            }
        }
    }
}

/// An event by its name.
fn told(event: WatchEvent) -> Named {
    match event {
        WatchEvent::Watching { folders } => ("watching", WatchBody::Watching { folders }),
        WatchEvent::Created { path } => ("created", WatchBody::Entry { path }),
        WatchEvent::Modified { path } => ("modified", WatchBody::Entry { path }),
        WatchEvent::Removed { path } => ("removed", WatchBody::Entry { path }),
        WatchEvent::Moved { from, path } => ("moved", WatchBody::Moved { from, path }),
        WatchEvent::Overflow { of } => {
            let of = match of {
                Overflow::Events => "events",
                Overflow::Folders => "folders",
            };
            ("overflow", WatchBody::Overflow { of })
        }
    }
}
