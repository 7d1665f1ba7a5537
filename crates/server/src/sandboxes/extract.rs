//! The sandbox, the process and the path that a request names, before anything of its body is read.

use super::path;
use super::table::UsedSandbox;
use crate::app::App;
use crate::auth::Executor;
use crate::inflate::Coding;
use crate::keys::Principal;
use crate::problem::{HttpCode, Problem};
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Query, RawPathParams};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use protocol::supervisor::{ProcessId, ProcessReport};
use sandbox::live::ProcessInfo;
use sandbox::live::contexts::ContextId;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use utoipa::IntoParams;

/// Who asks, and the name of a sandbox that may be theirs.
pub struct Named {
    /// May run jobs.
    pub who: Arc<Principal>,
    /// As the address has it.
    pub id: String,
}

impl FromRequestParts<Arc<App>> for Named {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let Executor(who) = Executor::from_request_parts(parts, app).await?;
        // What is no text names none.
        let id = param(parts, app, "id").await.unwrap_or_default();
        Ok(Named { who, id })
    }
}

impl FromRequestParts<Arc<App>> for UsedSandbox {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let Named { who, id } = Named::from_request_parts(parts, app).await?;
        UsedSandbox::take(app, &who, &id)
    }
}

/// A process of a sandbox.
pub struct InProcess {
    /// Its sandbox.
    pub used: UsedSandbox,
    /// Its name there.
    pub id: ProcessId,
}

impl FromRequestParts<Arc<App>> for InProcess {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let used = UsedSandbox::from_request_parts(parts, app).await?;
        let id = param(parts, app, "process").await;
        let id = id.and_then(|text| text.parse().ok());
        let id = id.ok_or_else(|| Problem::new(HttpCode::ProcessNotFound))?;
        let process = InProcess { used, id };
        process.info()?;
        Ok(process)
    }
}

impl InProcess {
    /// What is known of it now.
    pub fn info(&self) -> Result<ProcessInfo, Problem> {
        let info = self.used.live.process(self.id);
        info.map_err(|error| self.used.problem(error))
    }

    /// Refuses what only a process that runs can be asked for.
    pub fn check_runs(&self) -> Result<(), Problem> {
        match self.info()?.report {
            None => Ok(()),
            Some(ProcessReport { .. }) => Err(Problem::new(HttpCode::ProcessEnded)),
        }
    }
}

/// A context of a sandbox.
pub struct InContext {
    /// Its sandbox.
    pub used: UsedSandbox,
    /// Its name there.
    pub id: ContextId,
}

impl FromRequestParts<Arc<App>> for InContext {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let used = UsedSandbox::from_request_parts(parts, app).await?;
        let id = param(parts, app, "context").await;
        let id = id.and_then(|text| text.parse().ok());
        let id = id.ok_or_else(|| Problem::new(HttpCode::ContextNotFound))?;
        used.contexts()
            .get(id)
            .map_err(|error| used.problem(error))?;
        Ok(InContext { used, id })
    }
}

/// A part of the address.
async fn param(parts: &mut Parts, app: &Arc<App>, name: &str) -> Option<String> {
    let params = RawPathParams::from_request_parts(parts, app).await.ok()?;
    let value = params.iter().find(|(own, _)| *own == name);
    value.map(|(_, value)| value.to_owned())
}

/// A query that names a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PathQuery {
    /// Absolute, at most 4096 bytes.
    #[param(example = "/work/hello.txt")]
    pub path: String,
}

impl PathQuery {
    /// The path.
    pub fn taken(query: Result<Query<PathQuery>, QueryRejection>) -> Result<String, Problem> {
        let PathQuery { path } = taken(query, "path")?;
        path::check("path", &path)?;
        Ok(path)
    }
}

/// A query's values; one that is missing or wrong is blamed on this field.
pub fn taken<T: DeserializeOwned>(
    query: Result<Query<T>, QueryRejection>,
    field: &'static str,
) -> Result<T, Problem> {
    let Query(query) = query.map_err(|_| {
        let sentence = format!("{field} of the address is missing or not valid");
        Problem::with(HttpCode::FieldInvalid, sentence).field(field)
    })?;
    Ok(query)
}

/// Refuses bytes that are coded: what is sent on as it comes is not undone here.
pub fn check_plain(headers: &HeaderMap) -> Result<(), Problem> {
    match Coding::of(headers)? {
        Coding::Identity => Ok(()),
        Coding::Gzip => {
            let sentence =
                "here a body's bytes are taken as they are: send them without Content-Encoding";
            Err(Problem::with(HttpCode::ContentEncodingUnsupported, sentence).close())
        }
    }
}
