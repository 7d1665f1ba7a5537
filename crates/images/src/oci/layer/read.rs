//! One layer, read to its end: its changes in order, the contents of its files in a spool.

use crate::oci::bounds::Bounds;
use crate::oci::error::{Fault, shown};
use crate::oci::layer::change::{Change, What, of_entry};
use crate::oci::layer::counted::Counted;
use crate::oci::layer::entries::{Entries, Entry};
use crate::oci::layer::header::RawKind;
use crate::oci::layer::stream::decompressed;
use std::io::{self, BufRead, Read};

/// Takes the contents of files, by number.
pub(crate) trait Spool {
    /// Writes down all that `content` gives; empty files are not given.
    fn keep(&mut self, number: u32, content: &mut dyn Read) -> Result<(), Fault>;
}

/// What may still come, over all layers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    pub(crate) bytes: u64,
    pub(crate) entries: u64,
    /// The next file's number in the spool.
    pub(crate) number: u32,
    /// Of names and targets.
    pub(crate) text_bytes: u64,
}

impl Budget {
    pub(crate) fn of(bounds: &Bounds) -> Budget {
        Budget {
            bytes: bounds.unpacked_bytes,
            entries: bounds.entries,
            number: 0,
            text_bytes: bounds.text_bytes,
        }
    }
}

/// What is wrong, and in which entry.
pub(crate) type Located = (Option<String>, Fault);

/// Reads layers, one after the other, within one budget.
pub(crate) struct Layers<'a, S> {
    pub(crate) bounds: &'a Bounds,
    pub(crate) budget: Budget,
    pub(crate) spool: S,
}

impl<S: Spool> Layers<'_, S> {
    /// Reads a layer as it is stored; its content is to have the digest `diff_id`.
    pub(crate) fn read(
        &mut self,
        stored: impl BufRead,
        diff_id: &str,
    ) -> Result<Vec<Change>, Located> {
        let stream = decompressed(stored).map_err(|error| (None, start_of(error)))?;
        let mut counted = Counted::new(stream, self.budget.bytes, self.bounds.unpacked_bytes);
        let changes = self.archive(&mut counted)?;
        let (found, left) = counted.finish();
        self.budget.bytes = left;
        if found != diff_id {
            let expected = diff_id.to_owned();
            return Err((None, Fault::DiffId { expected, found }));
        }
        Ok(changes)
    }

    /// Reads an archive that is not compressed.
    pub(crate) fn archive(&mut self, source: &mut impl Read) -> Result<Vec<Change>, Located> {
        let mut entries = Entries::new(source, self.bounds, self.budget.entries);
        let (mut changes, mut last) = (Vec::new(), None);
        loop {
            let next = entries.next().map_err(|fault| (behind(&last), fault))?;
            let Some(entry) = next else {
                break;
            };
            let change = self.entry(&entry, &mut entries);
            let located = |fault| (Some(shown(&entry.name)), fault);
            changes.extend(change.map_err(located)?);
            last = Some(entry.name);
        }
        self.budget.entries = entries.entries_left();
        Ok(changes)
    }

    fn entry<R: Read>(
        &mut self,
        entry: &Entry,
        entries: &mut Entries<'_, R>,
    ) -> Result<Option<Change>, Fault> {
        let number = self.budget.number;
        let change = of_entry(entry, number, self.bounds)?;
        let text = entry.name.len() + entry.link.len();
        let left = self.budget.text_bytes.checked_sub(text as u64);
        self.budget.text_bytes =
            left.ok_or_else(|| Fault::bound("more bytes of names", self.bounds.text_bytes))?;
        let is_file = matches!(
            change.as_ref().map(|change| &change.what),
            Some(What::File(_))
        );
        if is_file && entry.kind == RawKind::File {
            // There are fewer entries than numbers.
            self.budget.number += 1;
            if entry.size > 0 {
                self.spool.keep(number, &mut entries.content())?;
            }
        }
        Ok(change)
    }
}

fn start_of(error: io::Error) -> Fault {
    Fault::of_reading(error, "its first bytes")
}

fn behind(last: &Option<Vec<u8>>) -> Option<String> {
    last.as_ref().map(|name| format!("behind {}", shown(name)))
}
