//! An archive into a temporary file: counted, and digested on the way.

use crate::error::{SetupError, io};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

/// The most that an archive may have, bytes. v1.16.1 has 7 MB.
const MAX_BYTES: u64 = 64 << 20;

/// How long a connection, and how long the whole of a download, may take.
const CONNECT_DEADLINE: Duration = Duration::from_secs(15);
const DOWNLOAD_DEADLINE: Duration = Duration::from_secs(300);

/// A file without a name, at its start, and its digest.
pub(crate) struct Fetched {
    pub(crate) file: File,
    pub(crate) sha256: String,
}

/// Downloads; `into` is the folder of the temporary file.
pub(crate) fn download(url: &str, into: &Path) -> Result<Fetched, SetupError> {
    let unreachable = |e: ureq::Error| SetupError::Unreachable {
        url: url.into(),
        reason: e.to_string(),
    };
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_connect(Some(CONNECT_DEADLINE))
        .timeout_global(Some(DOWNLOAD_DEADLINE))
        .build()
        .into();
    let mut answer = agent.get(url).call().map_err(unreachable)?;
    keep(url, &mut answer.body_mut().as_reader(), into)
}

/// Copies a local file: what was digested must be what is unpacked, whatever becomes of the file.
pub(crate) fn copy(path: &Path, into: &Path) -> Result<Fetched, SetupError> {
    let mut file = File::open(path).map_err(io("opening", path))?;
    keep(&path.display().to_string(), &mut file, into)
}

fn keep(from: &str, reader: &mut dyn Read, into: &Path) -> Result<Fetched, SetupError> {
    let mut file = tempfile::tempfile_in(into).map_err(io("making a file in", into))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0u8; 64 * 1024];
    let mut total = 0;
    loop {
        let count = reader
            .read(&mut buffer)
            .map_err(|e| SetupError::Unreachable {
                url: from.into(),
                reason: e.to_string(),
            })?;
        if count == 0 {
            break;
        }
        total += count as u64;
        if total > MAX_BYTES {
            return Err(SetupError::TooLong {
                from: from.into(),
                limit: MAX_BYTES,
            });
        }
        hash.update(&buffer[..count]);
        file.write_all(&buffer[..count])
            .map_err(io("writing to", into))?;
    }
    file.rewind().map_err(io("reading from", into))?;
    Ok(Fetched {
        file,
        sha256: hex::encode(hash.finalize()),
    })
}
