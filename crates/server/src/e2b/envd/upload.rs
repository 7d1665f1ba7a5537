//! Content of files on its way in: bytes as they are, packed, or a form of files. It passes through and is never held.

use super::entry::{map, name};
use super::files::{check_user, problem, resolved, signed_or_addressed};
use super::metadata;
use super::multipart::{Form, FormError, PartHead, Piece};
use super::signature::{FilesQuery, Operation};
use crate::app::App;
use crate::e2b::error::AsE2b;
use crate::inflate::Coding;
use crate::problem::{HttpCode, Problem};
use crate::sandboxes::bytes::Incoming;
use crate::sandboxes::table::UsedSandbox;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use flate2::write::MultiGzDecoder;
use protocol::supervisor::Metadata;
use sandbox::live::FileWriter;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Arc;

/// Compressed bytes that are inflated at once: of each come 1032 at most (deflate's best), so some 1 MiB.
const INFLATE_STEP: usize = 1024;

/// A file that was written.
#[derive(Debug, Serialize)]
pub struct WrittenBody {
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    path: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
}

/// Where a request's files go, and what is attached to each.
struct Target {
    query: FilesQuery,
    metadata: Metadata,
}

/// `POST /files`.
pub async fn write(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Vec<WrittenBody>>, AsE2b> {
    let (mut parts, body) = request.into_parts();
    let (used, query) = signed_or_addressed(&app, &mut parts, Operation::Write).await?;
    check_user(&query, &parts.headers)?;
    let metadata = metadata::of(&parts.headers).map_err(|problem| AsE2b(problem.close()))?;
    let target = Target { query, metadata };
    let coding = Coding::of(&parts.headers)?;
    let mut body = Content {
        body: Incoming::new(body, app.config().http.body_timeout()),
        inflater: (coding == Coding::Gzip).then(|| MultiGzDecoder::new(Vec::new())),
        packed: Bytes::new(),
    };
    let form = match is_plain(&parts.headers) {
        true => None,
        false => Some(Form::of(&parts.headers).map_err(no_form)?),
    };
    // What is left of the body is not read where something is wrong.
    let written = match form {
        None => one(&used, &target, &mut body).await,
        Some(form) => many(&used, &target, (form, &mut body)).await,
    };
    written
        .map(Json)
        .map_err(|AsE2b(problem)| AsE2b(problem.close()))
}

fn is_plain(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/octet-stream"))
}

fn no_form(error: FormError) -> AsE2b {
    AsE2b(Problem::with(HttpCode::FieldInvalid, error.to_string()).close())
}

/// A body of a file's bytes.
async fn one(
    used: &UsedSandbox,
    target: &Target,
    body: &mut Content,
) -> Result<Vec<WrittenBody>, AsE2b> {
    let path = target.query.path.as_deref().filter(|path| !path.is_empty());
    let path = resolved(used, path.ok_or_else(no_path)?).await?;
    let mut writer = begin(used, target, &path).await?;
    while let Some(bytes) = body.next().await? {
        writer
            .write(&bytes)
            .await
            .map_err(|error| problem(used, &path, error))?;
    }
    finish(used, (target, path), writer)
        .await
        .map(|written| vec![written])
}

/// A form of files.
async fn many(
    used: &UsedSandbox,
    target: &Target,
    (mut form, body): (Form, &mut Content),
) -> Result<Vec<WrittenBody>, AsE2b> {
    let mut written = Vec::new();
    let mut open: Option<(String, FileWriter)> = None;
    loop {
        let Some(bytes) = body.next().await? else {
            form.finish().map_err(no_form)?;
            return Ok(written);
        };
        form.push(&bytes);
        while let Some(piece) = form.next_piece().map_err(no_form)? {
            match (piece, &mut open) {
                (Piece::Part(head), _) => {
                    let Some(path) = path_of(head, &target.query)? else {
                        continue;
                    };
                    if written.len() == MAX_FILES {
                        let sentence = format!("a form has over {MAX_FILES} files");
                        return Err(AsE2b(Problem::with(HttpCode::FieldInvalid, sentence)));
                    }
                    let path = resolved(used, &path).await?;
                    let writer = begin(used, target, &path).await?;
                    open = Some((path, writer));
                }
                (Piece::Data(data), Some((path, writer))) => {
                    writer
                        .write(&data)
                        .await
                        .map_err(|error| problem(used, path, error))?;
                }
                (Piece::PartEnd, Some(_)) => {
                    if let Some((path, writer)) = open.take() {
                        written.push(finish(used, (target, path), writer).await?);
                    }
                }
                // Of a field that is no file.
                (Piece::Data(_) | Piece::PartEnd, None) => {}
                (Piece::Over, _) => return Ok(written),
            }
        }
    }
}

/// Files of one form: as many as a job may have.
const MAX_FILES: usize = 1000;

/// Where a part goes: to the address' path, which counts for a form of one file, else to its own; a part that is no file
/// has none.
fn path_of(head: PartHead, query: &FilesQuery) -> Result<Option<String>, AsE2b> {
    if head.name != "file" {
        return Ok(None);
    }
    let asked = query.path.clone().filter(|path| !path.is_empty());
    let path = asked.or(head.filename).ok_or_else(no_path)?;
    Ok(Some(path))
}

fn no_path() -> AsE2b {
    AsE2b(Problem::with(HttpCode::FieldInvalid, "no path is named for the file").field("path"))
}

async fn begin(used: &UsedSandbox, target: &Target, path: &str) -> Result<FileWriter, AsE2b> {
    let writer = used
        .live
        .write_file_with(path, target.metadata.clone())
        .await;
    writer.map_err(|error| problem(used, path, error))
}

async fn finish(
    used: &UsedSandbox,
    (target, path): (&Target, String),
    writer: FileWriter,
) -> Result<WrittenBody, AsE2b> {
    let size = writer.finish().await;
    size.map_err(|error| problem(used, &path, error))?;
    Ok(WrittenBody {
        name: name(&path).to_owned(),
        kind: "file",
        metadata: map(&target.metadata),
        path,
    })
}

/// A body's bytes as they were before they were packed.
struct Content {
    body: Incoming,
    inflater: Option<MultiGzDecoder<Vec<u8>>>,
    /// What is still to be inflated.
    packed: Bytes,
}

impl Content {
    /// The next bytes, not empty; `None`: that was all.
    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        let Some(inflater) = &mut self.inflater else {
            return self.body.next().await;
        };
        let wrong = |_| Problem::with(HttpCode::JsonInvalid, "the body is not valid gzip").close();
        loop {
            if self.packed.is_empty() {
                let Some(bytes) = self.body.next().await? else {
                    inflater.try_finish().map_err(wrong)?;
                    let rest = std::mem::take(inflater.get_mut());
                    return Ok((!rest.is_empty()).then(|| rest.into()));
                };
                self.packed = bytes;
            }
            let step = self.packed.split_to(self.packed.len().min(INFLATE_STEP));
            inflater.write_all(&step).map_err(wrong)?;
            let out = std::mem::take(inflater.get_mut());
            if !out.is_empty() {
                return Ok(Some(out.into()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::time::Duration;

    async fn inflated(bytes: Vec<u8>) -> Result<Vec<u8>, Problem> {
        let mut content = Content {
            body: Incoming::new(Body::from(bytes), Duration::from_secs(1)),
            inflater: Some(MultiGzDecoder::new(Vec::new())),
            packed: Bytes::new(),
        };
        let mut all = Vec::new();
        while let Some(bytes) = content.next().await? {
            assert!(bytes.len() <= 2 * 1024 * 1024, "{}", bytes.len());
            all.extend_from_slice(&bytes);
        }
        Ok(all)
    }

    #[tokio::test]
    async fn a_packed_body_comes_out_in_small_pieces() {
        let plain = vec![0; 30 * 1024 * 1024];
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        packer.write_all(&plain).unwrap();
        let packed = packer.finish().unwrap();
        assert_eq!(inflated(packed.clone()).await.unwrap().len(), plain.len());
        assert_eq!(
            inflated(packed[..packed.len() / 2].to_vec())
                .await
                .unwrap_err()
                .status,
            400
        );
        assert_eq!(inflated(b"plain".to_vec()).await.unwrap_err().status, 400);
    }
}
