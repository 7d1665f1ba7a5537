//! One header of a tar archive: 512 bytes.

use crate::oci::error::Fault;
use tar::Header;

/// The unit of tar: headers have this size, contents are filled up to it.
pub(crate) const BLOCK_BYTES: usize = 512;

pub(crate) type Block = [u8; BLOCK_BYTES];

/// What stands in a header's place.
pub(crate) enum Found {
    /// A block of zeros: the end of the archive.
    End,
    Header(Raw),
}

/// What a header says, before extensions are applied to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Raw {
    pub(crate) name: Vec<u8>,
    pub(crate) link: Vec<u8>,
    pub(crate) kind: RawKind,
    pub(crate) mode: u32,
    pub(crate) size: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RawKind {
    File,
    Folder,
    Symlink,
    HardLink,
    Device,
    Fifo,
    /// Extended headers of the next entry.
    Pax,
    /// And of all that follow.
    PaxGlobal,
    LongName,
    LongLink,
}

impl RawKind {
    /// Whether bytes follow its header.
    pub(crate) fn has_content(self) -> bool {
        use RawKind::{Device, Fifo, Folder, HardLink, Symlink};
        !matches!(self, Folder | Symlink | HardLink | Device | Fifo)
    }
}

/// What this block is.
pub(crate) fn parse(block: &Block) -> Result<Found, Fault> {
    if block.iter().all(|byte| *byte == 0) {
        return Ok(Found::End);
    }
    let header = Header::from_byte_slice(block);
    if !checksum_holds(header) {
        let what = "a header's checksum does not hold";
        return Err(Fault::Format(what.to_owned()));
    }
    let number = |field: &str| Fault::Kind(format!("its header has no number as its {field}"));
    let name = header.path_bytes().into_owned();
    let link = header.link_name_bytes().unwrap_or_default().into_owned();
    let kind = kind(block[156], &name)?;
    let size = header.entry_size().map_err(|_| number("size"))?;
    if size > 0 && !kind.has_content() {
        let what = format!("{size} bytes of content where there can be none");
        return Err(Fault::Kind(what));
    }
    Ok(Found::Header(Raw {
        mode: mode(header).ok_or_else(|| number("mode"))?,
        name,
        link,
        kind,
        size,
    }))
}

/// Writers leave it blank where it says nothing, in extended headers for one.
fn mode(header: &Header) -> Option<u32> {
    let blank = |byte: &u8| matches!(byte, 0 | b' ');
    match header.as_old().mode.iter().all(blank) {
        true => Some(0),
        false => Some(header.mode().ok()? & 0o7777),
    }
}

fn checksum_holds(header: &Header) -> bool {
    let bytes = header.as_bytes();
    let sum = |range: std::ops::Range<usize>| {
        bytes[range]
            .iter()
            .map(|byte| u32::from(*byte))
            .sum::<u32>()
    };
    // The checksum counts as spaces.
    let sum = sum(0..148) + 8 * u32::from(b' ') + sum(156..BLOCK_BYTES);
    header.cksum().is_ok_and(|promised| promised == sum)
}

fn kind(flag: u8, name: &[u8]) -> Result<RawKind, Fault> {
    Ok(match flag {
        // Before there was a kind for folders.
        0 | b'0' if name.ends_with(b"/") => RawKind::Folder,
        0 | b'0' | b'7' => RawKind::File,
        b'1' => RawKind::HardLink,
        b'2' => RawKind::Symlink,
        b'3' | b'4' => RawKind::Device,
        b'5' => RawKind::Folder,
        b'6' => RawKind::Fifo,
        b'x' => RawKind::Pax,
        b'g' => RawKind::PaxGlobal,
        b'L' => RawKind::LongName,
        b'K' => RawKind::LongLink,
        b'S' => return Err(sparse()),
        other => {
            let what = format!("its kind {:?} is none of layers", char::from(other));
            return Err(Fault::Kind(what));
        }
    })
}

/// No builder of images writes them, and every reader reads them otherwise.
pub(crate) fn sparse() -> Fault {
    Fault::Kind("it is a sparse file, which is not read: write it whole".to_owned())
}
