//! Content of files on its way out, and what reading and writing have in common: whose files are meant.

use super::signature::{FilesQuery, Operation};
use super::user;
use crate::app::App;
use crate::e2b::address::{Addressed, opened};
use crate::e2b::error::AsE2b;
use crate::problem::{HttpCode, Problem};
use crate::sandboxes::download::{Download, Packing};
use crate::sandboxes::table::UsedSandbox;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use sandbox::live::LiveError;
use std::sync::Arc;

/// The sandbox of a request for files: by its address and token, or by a signature.
pub(super) async fn signed_or_addressed(
    app: &Arc<App>,
    parts: &mut Parts,
    operation: Operation,
) -> Result<(UsedSandbox, FilesQuery), AsE2b> {
    let query: Result<Query<FilesQuery>, QueryRejection> =
        Query::from_request_parts(parts, app).await;
    let Query(query) = query.map_err(|_| {
        AsE2b(Problem::with(
            HttpCode::FieldInvalid,
            "the query of the address is not valid",
        ))
    })?;
    if query.signature.is_none() {
        let Addressed { used, .. } = Addressed::from_request_parts(parts, app).await?;
        return Ok((used, query));
    }
    let signed = app
        .sandboxes
        .find_e2b(|facts| query.is_signed_by(facts, operation));
    let slot = signed.ok_or_else(|| {
        AsE2b(Problem::with(
            HttpCode::Unauthorized,
            "the signature is of no sandbox that is there",
        ))
    })?;
    query.check_time(Timestamp::now().as_second())?;
    Ok((opened(parts, app, &slot)?, query))
}

/// The user of a request for files; whoever it is, files are the sandbox's own user's.
pub(super) fn check_user(query: &FilesQuery, headers: &HeaderMap) -> Result<(), AsE2b> {
    let user = match &query.username {
        Some(name) => user::named(name),
        None => user::of(headers),
    };
    let user = user.map_err(|error| AsE2b(error.problem))?;
    user::check_files(user).map_err(|error| {
        AsE2b(Problem {
            status: StatusCode::FORBIDDEN,
            ..error.problem
        })
    })
}

pub(super) async fn resolved(used: &UsedSandbox, path: &str) -> Result<String, AsE2b> {
    let path = user::path(used, crate::sandboxes::user::UserBody::Sandbox, path).await;
    path.map_err(|error| AsE2b(error.problem))
}

/// What a client is told of a file that cannot be read or written.
pub(super) fn problem(used: &UsedSandbox, path: &str, error: LiveError) -> AsE2b {
    let is_folder = matches!(
        error,
        LiveError::File {
            errno: libc::EISDIR,
            ..
        }
    );
    let told = super::problem(used, error);
    AsE2b(match is_folder {
        true => {
            let sentence = format!("path '{}' is a directory", protocol::validate::shown(path));
            Problem::with(HttpCode::FieldInvalid, sentence)
        }
        false => Problem {
            detail: format!("{}: {}", told.detail, protocol::validate::shown(path)),
            ..told
        },
    })
}

/// `GET /files`.
pub async fn read(State(app): State<Arc<App>>, request: Request) -> Result<Response, AsE2b> {
    let (mut parts, _) = request.into_parts();
    let (used, query) = signed_or_addressed(&app, &mut parts, Operation::Read).await?;
    check_user(&query, &parts.headers)?;
    let path = resolved(&used, query.path.as_deref().unwrap_or_default()).await?;
    let file = Download::begin(&used, &path).await;
    let file = file.map_err(|error| problem(&used, &path, error))?;
    let packing = packing(&parts.headers);
    let kind = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/octet-stream"),
        ),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment"),
        ),
        (header::VARY, HeaderValue::from_static("Accept-Encoding")),
    ];
    let mut response = (kind, file.body(used, packing)).into_response();
    if packing == Packing::Gzip {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

/// Gzip for a client that asks for it and for nothing else: libraries ask for all that they know by themselves, and that
/// would cost time here where none is to be saved.
fn packing(headers: &HeaderMap) -> Packing {
    match headers.get(header::ACCEPT_ENCODING) {
        Some(value) if value.as_bytes().eq_ignore_ascii_case(b"gzip") => Packing::Gzip,
        _ => Packing::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_to_who_asks_for_it_alone() {
        for (value, expected) in [
            ("gzip", Packing::Gzip),
            ("GZIP", Packing::Gzip),
            ("gzip, deflate, br", Packing::Plain),
            ("identity", Packing::Plain),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, value.parse().unwrap());
            assert_eq!(packing(&headers), expected, "{value}");
        }
    }
}
