//! The contents of files, each in a file that its number names.

use crate::oci::error::Fault;
use crate::oci::layer::read::Spool;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// What is moved at once: most files of an image fit.
const BUFFER_BYTES: usize = 128 * 1024;

/// Files in a folder.
pub(crate) struct FolderSpool {
    folder: PathBuf,
    buffer: Vec<u8>,
}

impl FolderSpool {
    pub(crate) fn new(folder: &Path) -> FolderSpool {
        FolderSpool {
            folder: folder.to_path_buf(),
            buffer: vec![0; BUFFER_BYTES],
        }
    }
}

impl Spool for FolderSpool {
    fn keep(&mut self, number: u32, content: &mut dyn Read) -> Result<(), Fault> {
        let written = |error: std::io::Error| Fault::of_writing(&error);
        let path = self.folder.join(number.to_string());
        let mut file = File::create_new(path).map_err(written)?;
        loop {
            let read = content
                .read(&mut self.buffer)
                .map_err(|error| Fault::of_reading(error, "its content"))?;
            if read == 0 {
                return Ok(());
            }
            file.write_all(&self.buffer[..read]).map_err(written)?;
        }
    }
}
