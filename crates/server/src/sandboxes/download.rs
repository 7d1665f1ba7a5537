//! A file on its way out: it passes through piece by piece and is never held, packed where its client wants it so.

use super::table::UsedSandbox;
use crate::memory::Held;
use axum::body::{Body, Bytes};
use flate2::Compression;
use flate2::write::GzEncoder;
use sandbox::live::{FileReader, LiveError};
use std::io::{Error, Result, Write as _};
use tokio::sync::OwnedSemaphorePermit;

/// How its bytes leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// As they are.
    Plain,
    /// As gzip.
    Gzip,
}

/// A file that can be read: its first piece is here.
pub struct Download {
    reader: FileReader,
    /// The first piece, until it is handed over.
    first: Option<Vec<u8>>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Download {
    /// Begins to read it, once there is a place. What cannot be read at all is known by now, and is no answer that breaks
    /// off.
    pub async fn begin(used: &UsedSandbox, path: &str) -> std::result::Result<Download, LiveError> {
        // It is never closed.
        let place = used.slot.downloads.clone().acquire_owned().await.ok();
        let mut reader = used.live.read_file(path).await?;
        let first = reader.next().await?;
        Ok(Download {
            reader,
            first,
            _place: place,
        })
    }

    /// All of it as an answer's body, which breaks off where the file cannot be read to its end.
    pub fn body(self, used: UsedSandbox, packing: Packing) -> Body {
        let passing = Passing {
            used,
            file: self,
            packer: (packing == Packing::Gzip)
                .then(|| GzEncoder::new(Vec::new(), Compression::fast())),
            held: Held::default(),
        };
        let pieces = futures_util::stream::unfold(Some(passing), |passing| async {
            let mut passing = passing?;
            match passing.next().await {
                Ok(Some(piece)) => Some((Ok(piece), Some(passing))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        });
        Body::from_stream(pieces)
    }

    async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        match self.first.take() {
            Some(first) => Ok(Some(first)),
            None => self.reader.next().await.map_err(|error| {
                tracing::debug!(%error, "a file was not read to its end");
                Error::other(error.to_string())
            }),
        }
    }
}

struct Passing {
    used: UsedSandbox,
    file: Download,
    packer: Option<GzEncoder<Vec<u8>>>,
    /// The room of the piece that was handed over last.
    held: Held,
}

impl Passing {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        self.held = Held::default();
        loop {
            let piece = self.file.next().await?;
            let out = match (piece, &mut self.packer) {
                (piece, None) => piece,
                (Some(piece), Some(packer)) => {
                    packer.write_all(&piece)?;
                    Some(std::mem::take(packer.get_mut()))
                }
                (None, Some(_)) => match self.packer.take() {
                    Some(packer) => Some(packer.finish()?),
                    None => None,
                },
            };
            let Some(out) = out else {
                return Ok(None);
            };
            // Of little, gzip writes nothing yet; of plain bytes there are some in each piece.
            if !out.is_empty() || self.packer.is_none() {
                self.held = self.used.app.memory.answer(out.len() as u64).await;
                return Ok(Some(out.into()));
            }
        }
    }
}
