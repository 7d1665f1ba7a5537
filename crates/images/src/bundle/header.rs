//! One header of the file: 512 bytes in the POSIX form of tar (`ustar`), of a plain file.
//!
//! There is one way to write a header for a name and a size, and no other is read: owners, times,
//! links and extensions have no place in which to hide.

use super::error::BundleError;
use tar::{EntryType, Header};

/// The unit of tar: headers have this size, contents are filled up to it.
pub(crate) const BLOCK_BYTES: usize = 512;

/// The header of a plain file.
pub(crate) type Block = [u8; BLOCK_BYTES];

/// What a header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BundleEntry {
    pub(crate) name: String,
    pub(crate) size: u64,
}

impl BundleEntry {
    /// The header's bytes. The names of the store's own layout all fit.
    pub(crate) fn to_block(&self) -> std::io::Result<Block> {
        let mut header = Header::new_ustar();
        header.set_path(&self.name)?;
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(self.size);
        header.set_cksum();
        Ok(*header.as_bytes())
    }

    /// What this header says, if it is one that [`BundleEntry::to_block`] writes.
    pub(crate) fn of_block(block: &Block) -> Result<BundleEntry, BundleError> {
        let header = Header::from_byte_slice(block);
        let shown = shown_name(&header.path_bytes());
        let refused = |what: String| BundleError::Entry {
            entry: shown.clone(),
            what,
        };
        if header.as_ustar().is_none() && header.as_gnu().is_none() {
            return Err(refused("has no header of a tar file".to_owned()));
        }
        let kind = header.entry_type();
        if kind != EntryType::Regular {
            return Err(refused(format!("is {}, not a plain file", name_of(kind))));
        }
        let name = plain_name(&header.path_bytes()).map_err(|what| refused(what.to_owned()))?;
        let size = header
            .entry_size()
            .map_err(|_| refused("has a size that is no number".to_owned()))?;
        let entry = BundleEntry { name, size };
        // Compared whole: the checksum, and every field that nothing above looked at.
        match entry.to_block() {
            Ok(written) if written == *block => Ok(entry),
            _ => Err(refused(
                "has a header that an export does not write".to_owned(),
            )),
        }
    }
}

/// A relative name of plain parts and letters.
fn plain_name(bytes: &[u8]) -> Result<String, &'static str> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-/".contains(byte);
    let name = std::str::from_utf8(bytes).unwrap_or_default();
    if bytes.starts_with(b"/") {
        return Err("has an absolute name");
    }
    if !bytes.iter().all(plain) {
        return Err("has a name of other than plain letters");
    }
    if name.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err("has a name that leads elsewhere");
    }
    Ok(name.to_owned())
}

/// For messages: short, and moving no cursor.
fn shown_name(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars()
        .take(100)
        .flat_map(char::escape_debug)
        .collect()
}

fn name_of(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Link | EntryType::Symlink => "a link",
        EntryType::Char | EntryType::Block => "a device",
        EntryType::Directory => "a folder",
        EntryType::Fifo => "a pipe",
        _ => "an extension of tar's",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(name: &str, size: u64) -> BundleEntry {
        BundleEntry {
            name: name.to_owned(),
            size,
        }
    }

    fn refusal(change: impl FnOnce(&mut Header)) -> String {
        let block = entry("kernel/manifest.json", 7).to_block().unwrap();
        let mut header = Header::from_byte_slice(&block).clone();
        change(&mut header);
        header.set_cksum();
        BundleEntry::of_block(header.as_bytes())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn what_is_no_plain_file_is_named() {
        for (kind, expected) in [
            (
                EntryType::Symlink,
                "kernel/manifest.json is a link, not a plain file",
            ),
            (
                EntryType::Link,
                "kernel/manifest.json is a link, not a plain file",
            ),
            (
                EntryType::Char,
                "kernel/manifest.json is a device, not a plain file",
            ),
            (
                EntryType::Directory,
                "kernel/manifest.json is a folder, not a plain file",
            ),
            (
                EntryType::Fifo,
                "kernel/manifest.json is a pipe, not a plain file",
            ),
            (
                EntryType::GNULongName,
                "kernel/manifest.json is an extension of tar's, not a plain file",
            ),
            (
                EntryType::XHeader,
                "kernel/manifest.json is an extension of tar's, not a plain file",
            ),
            (
                EntryType::GNUSparse,
                "kernel/manifest.json is an extension of tar's, not a plain file",
            ),
        ] {
            assert_eq!(refusal(|header| header.set_entry_type(kind)), expected);
        }
    }

    #[test]
    fn names_that_lead_elsewhere_are_named() {
        let set = |name: &'static str| {
            move |header: &mut Header| {
                let field = &mut header.as_ustar_mut().unwrap().name;
                field.fill(0);
                field[..name.len()].copy_from_slice(name.as_bytes());
            }
        };
        let error = refusal(set("/etc/passwd"));
        assert_eq!(error, "/etc/passwd has an absolute name");
        for name in ["../kernel/x", "kernel/../x", "kernel//x", "./kernel", ""] {
            let error = refusal(set(name));
            assert_eq!(error, format!("{name} has a name that leads elsewhere"));
        }
        let error = refusal(set("kernel/\u{1b}[2J"));
        let expected = "kernel/\\u{1b}[2J has a name of other than plain letters";
        assert_eq!(error, expected);
    }

    #[test]
    fn what_an_export_does_not_write_is_refused() {
        let other = "has a header that an export does not write";
        for error in [
            refusal(|header| header.set_mode(0o4755)),
            refusal(|header| header.set_uid(10)),
            refusal(|header| header.set_mtime(1)),
            refusal(|header| header.set_username("root").unwrap()),
            refusal(|header| header.set_link_name("/etc").unwrap()),
            refusal(|header| header.as_mut_bytes()[511] = 1),
        ] {
            assert!(error.ends_with(other), "{error}");
        }
        assert!(refusal(|header| header.as_mut_bytes()[257] = 0).contains("no header"));
        assert!(BundleEntry::of_block(&[0; BLOCK_BYTES]).is_err());
    }

    proptest! {
        #[test]
        fn a_header_is_read_as_it_was_written_and_no_byte_of_it_may_differ(
            name in "[a-z]{1,20}/[a-z0-9.-]{1,60}[a-z]",
            size in any::<u64>(),
            at in 0..BLOCK_BYTES,
            to in any::<u8>(),
        ) {
            let entry = entry(&name, size);
            let block = entry.to_block().unwrap();
            prop_assert_eq!(BundleEntry::of_block(&block).unwrap(), entry.clone());
            let mut changed = block;
            changed[at] = to;
            let read = BundleEntry::of_block(&changed);
            prop_assert_eq!(read.is_ok(), changed == block);
        }

        #[test]
        fn no_bytes_make_it_panic(block in prop::collection::vec(any::<u8>(), BLOCK_BYTES)) {
            let block: Block = block.try_into().unwrap();
            prop_assert!(BundleEntry::of_block(&block).is_err());
        }
    }
}
