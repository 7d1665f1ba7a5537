//! The digest of what is read, and a bound on it.

use crate::oci::error::Fault;
use sha2::{Digest as _, Sha256};
use std::io::{self, Read};

/// Hashes and counts what passes.
pub(crate) struct Counted<R> {
    source: R,
    hasher: Sha256,
    /// Bytes that may still come, of all layers.
    left: u64,
    bound: u64,
}

impl<R: Read> Counted<R> {
    /// `left` bytes of all `bound` may still come.
    pub(crate) fn new(source: R, left: u64, bound: u64) -> Counted<R> {
        Counted {
            source,
            hasher: Sha256::new(),
            left,
            bound,
        }
    }

    /// The digest of all that was read, and the bytes that may still come.
    pub(crate) fn finish(self) -> (String, u64) {
        let digest = format!("sha256:{}", hex::encode(self.hasher.finalize()));
        (digest, self.left)
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        let Some(left) = self.left.checked_sub(read as u64) else {
            return Err(Fault::bound("more bytes when unpacked", self.bound).into());
        };
        self.left = left;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}
