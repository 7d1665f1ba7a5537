//! The entries of an archive, one after the other, each with the extended headers before it applied.
//!
//! Written here rather than taken from the `tar` crate, whose reader takes extended headers of any size into memory, passes
//! over what it does not understand, and goes on behind an entry of which it saw other bounds than its writer.

use crate::oci::bounds::Bounds;
use crate::oci::error::Fault;
use crate::oci::layer::header::{self, BLOCK_BYTES, Found, Raw, RawKind};
use crate::oci::layer::pax::{self, Extensions};
use std::io::{self, Read};

/// An entry, with all that is known of it before its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// As it is written.
    pub(crate) name: Vec<u8>,
    /// Of links, as it is written.
    pub(crate) link: Vec<u8>,
    pub(crate) kind: RawKind,
    pub(crate) mode: u32,
    /// Bytes of its content.
    pub(crate) size: u64,
    pub(crate) xattrs: u32,
    pub(crate) capabilities: u32,
}

/// What came before a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Entry,
    /// An entry has to follow.
    Extension,
}

/// Reads the entries of one archive.
pub(crate) struct Entries<'a, R> {
    source: R,
    bounds: &'a Bounds,
    /// Headers that may still come, in this layer and those above.
    entries_left: u64,
    /// Bytes of the last entry's content that were not read, and what fills up its last block.
    unread: u64,
    padding: u64,
}

impl<'a, R: Read> Entries<'a, R> {
    pub(crate) fn new(source: R, bounds: &'a Bounds, entries_left: u64) -> Entries<'a, R> {
        Entries {
            source,
            bounds,
            entries_left,
            unread: 0,
            padding: 0,
        }
    }

    pub(crate) fn entries_left(&self) -> u64 {
        self.entries_left
    }

    /// The next entry, or `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>, Fault> {
        self.skip_content()?;
        let (mut extensions, mut before) = (Extensions::default(), Before::Entry);
        loop {
            let Some(raw) = self.header(before)? else {
                return Ok(None);
            };
            before = Before::Extension;
            match raw.kind {
                RawKind::Pax => extensions.add(&self.extension(raw.size)?)?,
                RawKind::PaxGlobal => {
                    pax::check_global(&self.extension(raw.size)?)?;
                    before = Before::Entry;
                }
                RawKind::LongName => extensions.path = Some(self.text(raw.size)?),
                RawKind::LongLink => extensions.link = Some(self.text(raw.size)?),
                _ => return self.entry(raw, extensions).map(Some),
            }
        }
    }

    /// The content of the entry that came last.
    pub(crate) fn content(&mut self) -> Content<'_, R> {
        Content {
            source: &mut self.source,
            left: &mut self.unread,
        }
    }

    /// Passes over the rest of the last entry by moving the source that many bytes, where it can be moved.
    pub(crate) fn pass_over(&mut self, seek: impl FnOnce(&mut R, u64)) {
        let length = self.unread + self.padding;
        (self.unread, self.padding) = (0, 0);
        seek(&mut self.source, length);
    }

    /// A header; `None` for the archive's end, which is not to come after an extended header.
    fn header(&mut self, before: Before) -> Result<Option<Raw>, Fault> {
        let Some(block) = self.block()? else {
            return match before {
                Before::Extension => Err(Fault::Truncated("an extended header".to_owned())),
                // Some writers leave out the zeros at the end. Whether all came, the digest says.
                Before::Entry => Ok(None),
            };
        };
        match header::parse(&block)? {
            Found::End if before == Before::Extension => {
                Err(Fault::Truncated("an extended header".to_owned()))
            }
            Found::End => self.zeros().map(|()| None),
            Found::Header(raw) => {
                self.entries_left = self.entries_left.checked_sub(1).ok_or_else(|| {
                    Fault::bound("more entries in its layers", self.bounds.entries)
                })?;
                Ok(Some(raw))
            }
        }
    }

    fn entry(&mut self, raw: Raw, extensions: Extensions) -> Result<Entry, Fault> {
        let size = match raw.kind.has_content() {
            true => extensions.size.unwrap_or(raw.size),
            false => 0,
        };
        if size > self.bounds.unpacked_bytes {
            let what = format!("a file of {size} bytes");
            return Err(Fault::bound(what, self.bounds.unpacked_bytes));
        }
        (self.unread, self.padding) = (size, padding(size));
        Ok(Entry {
            name: extensions.path.unwrap_or(raw.name),
            link: extensions.link.unwrap_or(raw.link),
            kind: raw.kind,
            mode: raw.mode,
            size,
            xattrs: extensions.xattrs,
            capabilities: extensions.capabilities,
        })
    }

    fn skip_content(&mut self) -> Result<(), Fault> {
        let length = self.unread + self.padding;
        (self.unread, self.padding) = (0, 0);
        let skipped = io::copy(&mut (&mut self.source).take(length), &mut io::sink());
        match skipped {
            Ok(skipped) if skipped == length => Ok(()),
            Ok(_) => Err(Fault::Truncated("an entry".to_owned())),
            Err(error) => Err(Fault::of_reading(error, "an entry")),
        }
    }

    /// The content of an extended header, which is small or refused.
    fn extension(&mut self, size: u64) -> Result<Vec<u8>, Fault> {
        let bound = self.bounds.extension_bytes;
        if size > bound {
            let what = format!("an extended header of {size} bytes");
            return Err(Fault::bound(what, bound));
        }
        let failed = |error| Fault::of_reading(error, "an extended header");
        let mut bytes = Vec::new();
        let mut content = (&mut self.source).take(size);
        content.read_to_end(&mut bytes).map_err(failed)?;
        if (bytes.len() as u64) < size {
            return Err(Fault::Truncated("an extended header".to_owned()));
        }
        self.padding = padding(size);
        self.skip_content()?;
        Ok(bytes)
    }

    /// A long name of GNU's, which ends in a NUL.
    fn text(&mut self, size: u64) -> Result<Vec<u8>, Fault> {
        let mut bytes = self.extension(size)?;
        if bytes.last() == Some(&0) {
            bytes.pop();
        }
        Ok(bytes)
    }

    /// A block; `None` at the end of the stream.
    fn block(&mut self) -> Result<Option<header::Block>, Fault> {
        let failed = |error| Fault::of_reading(error, "a header");
        let mut block = [0; BLOCK_BYTES];
        let mut filled = 0;
        while filled < BLOCK_BYTES {
            match self.source.read(&mut block[filled..]).map_err(failed)? {
                0 if filled == 0 => return Ok(None),
                0 => return Err(Fault::Truncated("a header".to_owned())),
                read => filled += read,
            }
        }
        Ok(Some(block))
    }

    /// Nothing but zeros to the end: what stood behind it would be seen by other readers alone.
    fn zeros(&mut self) -> Result<(), Fault> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let failed = |error| Fault::of_reading(error, "the zeros at its end");
            let read = self.source.read(&mut buffer).map_err(failed)?;
            if read == 0 {
                return Ok(());
            }
            if buffer[..read].iter().any(|byte| *byte != 0) {
                let what = "something follows the end of its archive";
                return Err(Fault::Format(what.to_owned()));
            }
        }
    }
}

/// How many zeros fill an entry's last block.
fn padding(size: u64) -> u64 {
    size.next_multiple_of(BLOCK_BYTES as u64) - size
}

/// Ends in an error where the archive ends before the content does.
pub(crate) struct Content<'a, R> {
    source: &'a mut R,
    left: &'a mut u64,
}

impl<R: Read> Read for Content<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(*self.left).unwrap_or(usize::MAX);
        let length = buffer.len().min(most);
        if length == 0 {
            return Ok(0);
        }
        let read = self.source.read(&mut buffer[..length])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        *self.left -= read as u64;
        Ok(read)
    }
}
