//! E2B's code interpreter, which its clients ask at port 49999 of a sandbox: cells and contexts, in E2B's words, over the
//! sandbox's own contexts.
//!
//! | module | what |
//! |---|---|
//! | [`language`] | E2B's names of languages, and which of them an image has |
//! | [`request`] | what clients send |
//! | [`result`] | a value that was shown, under E2B's keys |
//! | [`line`] | one line of an answer, as the clients can read it |
//! | [`end`] | the error that a cell ended with |
//! | [`stream`] | a cell's answer as it comes |

pub mod end;
pub mod language;
pub mod line;
pub mod request;
pub mod result;
pub mod stream;

use super::address::Addressed;
use super::envd::user;
use super::error::AsE2b;
use crate::app::App;
use crate::body::JsonBody;
use crate::keys::Principal;
use crate::problem::{HttpCode, Problem};
use crate::sandboxes::cell::ContextRequest;
use crate::sandboxes::execute::Interruption;
use crate::sandboxes::follower::OnDisconnect;
use crate::sandboxes::table::UsedSandbox;
use crate::sandboxes::user::UserBody;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::{delete, post};
use axum::{Json, Router};
use language::E2bLanguage;
use protocol::environment::WORK_DIR;
use request::{CreateContext, Execute};
use sandbox::live::contexts::{ContextId, ContextInfo, ContextSpec};
use serde::Serialize;
use std::sync::Arc;

/// The routes. They stand at the root, as E2B's do, and answer no request that names no sandbox.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/execute", post(execute))
        .route("/contexts", post(create).get(list))
        .route("/contexts/{context}", delete(remove))
        .route("/contexts/{context}/restart", post(restart))
}

/// A context, in E2B's words.
#[derive(Debug, Serialize)]
struct ContextBody {
    id: String,
    language: &'static str,
    cwd: String,
}

impl From<ContextInfo> for ContextBody {
    fn from(info: ContextInfo) -> ContextBody {
        ContextBody {
            id: info.id.to_string(),
            language: E2bLanguage::of(info.language).name(),
            cwd: info.cwd,
        }
    }
}

async fn execute(
    Addressed { used, .. }: Addressed,
    body: Result<JsonBody<Execute>, Problem>,
) -> Result<Response, AsE2b> {
    let JsonBody { value, held } = body?;
    if used.app.draining.is_cancelled() {
        return Err(Problem::new(HttpCode::Overloaded).retry_after(5).into());
    }
    let info = chosen(&used, &value).await?;
    let cell = value.cell(&used, info.language)?;
    let accepted = used.contexts().execute(info.id, cell);
    drop(held);
    let accepted = accepted.map_err(|error| used.problem(error))?;
    // Whoever goes wants no more of it, and the next cell would wait.
    let interruption = Interruption::new(&used, (info.id, accepted.cell), OnDisconnect::Kill);
    Ok(stream::Answer::new(used, accepted, interruption).respond())
}

/// The context that is named, or the language's own.
async fn chosen(used: &UsedSandbox, request: &Execute) -> Result<ContextInfo, Problem> {
    match (&request.context_id, &request.language) {
        (Some(_), Some(_)) => {
            let sentence = "only one of context_id and language can be given";
            Err(Problem::with(HttpCode::FieldInvalid, sentence).field("language"))
        }
        (Some(id), None) => named(used, id),
        (None, name) => {
            let language = language::asked(name.as_deref(), &used.slot)?;
            let spec = spec(used, language, None).await?;
            let info = used.contexts().default_of(spec);
            info.map_err(|error| used.problem(error))
        }
    }
}

/// The context of this name.
fn named(used: &UsedSandbox, id: &str) -> Result<ContextInfo, Problem> {
    let none = || Problem::with(HttpCode::ContextNotFound, "the context is not found");
    let number: ContextId = id.parse().map_err(|_| none())?;
    used.contexts().get(number).map_err(|_| none())
}

/// What is wanted of a context: in the user's home, unless its client names a folder.
async fn spec(
    used: &UsedSandbox,
    language: E2bLanguage,
    cwd: Option<String>,
) -> Result<ContextSpec, Problem> {
    // A sandbox that ends meanwhile is told of with what comes next.
    let home = user::home(used, UserBody::Sandbox).await;
    let home = home.unwrap_or(WORK_DIR);
    let has_own = used.slot.job.env.iter().any(|(name, _)| name == "HOME");
    let env = (!has_own).then(|| ("HOME".to_owned(), home.to_owned()));
    let request = ContextRequest {
        language: Some(language.own().name().into()),
        cwd: Some(cwd.unwrap_or_else(|| home.to_owned())),
        env: env.into_iter().collect(),
    };
    request.spec(&used.app, &used.slot)
}

/// Those that E2B's sandboxes have from the start. Their interpreters begin with their first cell.
async fn begin(used: &UsedSandbox) {
    for language in language::from_the_start(&used.slot) {
        // A sandbox that is full has no room for one more; what is asked for says so.
        if let Ok(spec) = spec(used, language, None).await {
            let _ = used.contexts().default_of(spec);
        }
    }
}

/// Has the interpreter of a new sandbox load that its client will most likely ask first: loading takes most of a first
/// cell's time.
pub fn warm_up(app: &Arc<App>, who: &Arc<Principal>, id: &str) {
    // One that ended meanwhile needs none.
    let Ok(used) = UsedSandbox::take(app, who, id) else {
        return;
    };
    app.sandboxes.tasks.spawn(async move {
        let usual = language::asked(None, &used.slot)?;
        let info = used.contexts().default_of(spec(&used, usual, None).await?);
        let id = info.map_err(|error| used.problem(error))?.id;
        let begun = used.contexts().begin(id).await;
        begun.map_err(|error| used.problem(error))
    });
}

async fn create(
    Addressed { used, .. }: Addressed,
    body: Result<JsonBody<CreateContext>, Problem>,
) -> Result<Json<ContextBody>, AsE2b> {
    let JsonBody { value, .. } = body?;
    begin(&used).await;
    let language = language::asked(value.language.as_deref(), &used.slot)?;
    let info = used
        .contexts()
        .create(spec(&used, language, value.cwd).await?);
    let info = info.map_err(|error| used.problem(error))?;
    Ok(Json(info.into()))
}

async fn list(Addressed { used, .. }: Addressed) -> Json<Vec<ContextBody>> {
    begin(&used).await;
    let infos = used.contexts().list().into_iter();
    Json(infos.map(ContextBody::from).collect())
}

async fn restart(
    Addressed { used, .. }: Addressed,
    Path(context): Path<String>,
) -> Result<Json<()>, AsE2b> {
    let id = named(&used, &context)?.id;
    let restarted = used.contexts().restart(id).await;
    restarted.map_err(|error| used.problem(error))?;
    Ok(Json(()))
}

async fn remove(
    Addressed { used, .. }: Addressed,
    Path(context): Path<String>,
) -> Result<Json<()>, AsE2b> {
    let id = named(&used, &context)?.id;
    let deleted = used.contexts().delete(id).await;
    deleted.map_err(|error| used.problem(error))?;
    Ok(Json(()))
}
