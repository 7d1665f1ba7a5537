//! Writes the `newc` cpio archives that Linux unpacks as its initial root file system
//! (`Documentation/driver-api/early-userspace/buffer-format.rst`).
//!
//! Inode numbers count up, times are zero, owners are root: equal entries make equal bytes.

const MAGIC: &str = "070701";
const TRAILER: &str = "TRAILER!!!";
const S_IFREG: u32 = 0o100_000;
const S_IFDIR: u32 = 0o040_000;
const S_IFCHR: u32 = 0o020_000;

/// An archive being written.
#[derive(Debug, Default)]
pub(crate) struct Archive {
    bytes: Vec<u8>,
    inodes: u32,
}

/// Why an entry does not fit the format.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CpioError {
    /// The kernel refuses such a name.
    #[error("an entry's name has 1 to 4095 bytes, none of them NUL, and does not start with '/'")]
    Name,
    /// Sizes are 32 bits wide.
    #[error("{0} bytes are more than an entry can hold")]
    Size(usize),
}

/// What stands before an entry's bytes.
struct Header<'a> {
    name: &'a str,
    mode: u32,
    /// Of a device: its major and minor number.
    device: (u32, u32),
}

impl Header<'_> {
    fn of(name: &str, mode: u32) -> Header<'_> {
        Header {
            name,
            mode,
            device: (0, 0),
        }
    }
}

impl Archive {
    /// A folder, mode 0755.
    pub(crate) fn folder(&mut self, name: &str) -> Result<(), CpioError> {
        self.entry(Header::of(name, S_IFDIR | 0o755), &[])
    }

    /// A file with the permissions of `mode`.
    pub(crate) fn file(&mut self, name: &str, mode: u32, data: &[u8]) -> Result<(), CpioError> {
        self.entry(Header::of(name, S_IFREG | (mode & 0o777)), data)
    }

    /// A character device, mode 0600.
    pub(crate) fn device(&mut self, name: &str, major: u32, minor: u32) -> Result<(), CpioError> {
        let device = (major, minor);
        let header = Header {
            device,
            ..Header::of(name, S_IFCHR | 0o600)
        };
        self.entry(header, &[])
    }

    /// The whole archive.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        // The trailer's name is a constant that fits.
        let _ = self.entry(Header::of(TRAILER, 0), &[]);
        self.bytes
    }

    fn entry(&mut self, header: Header<'_>, data: &[u8]) -> Result<(), CpioError> {
        let Header {
            name,
            mode,
            device: (major, minor),
        } = header;
        if name.is_empty() || name.len() > 4095 || name.starts_with('/') || name.contains('\0') {
            return Err(CpioError::Name);
        }
        let size = u32::try_from(data.len()).map_err(|_| CpioError::Size(data.len()))?;
        // At most 4096: checked above.
        let name_size = name.len() as u32 + 1;
        self.inodes += 1;
        let links = if mode & S_IFDIR == S_IFDIR { 2 } else { 1 };
        let fields = [
            self.inodes,
            mode,
            0,
            0,
            links,
            0,
            size,
            0,
            0,
            major,
            minor,
            name_size,
            0,
        ];
        self.bytes.extend_from_slice(MAGIC.as_bytes());
        for field in fields {
            self.bytes
                .extend_from_slice(format!("{field:08x}").as_bytes());
        }
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend_from_slice(data);
        self.pad();
        Ok(())
    }

    /// Headers and data start at multiples of four.
    fn pad(&mut self) {
        let padded = self.bytes.len().next_multiple_of(4);
        self.bytes.resize(padded, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads an archive back, by the format's own description and nothing from the writer.
    fn read(mut bytes: &[u8]) -> Vec<(String, u32, Vec<u8>)> {
        let mut entries = Vec::new();
        let total = bytes.len();
        loop {
            assert_eq!(&bytes[..6], b"070701");
            let field = |i: usize| {
                let text = std::str::from_utf8(&bytes[6 + 8 * i..14 + 8 * i]).unwrap();
                u32::from_str_radix(text, 16).unwrap()
            };
            let (mode, size, name_size) = (field(1), field(6) as usize, field(11) as usize);
            let name = String::from_utf8(bytes[110..110 + name_size - 1].to_vec()).unwrap();
            let data_at = (110 + name_size).next_multiple_of(4);
            let data = bytes[data_at..data_at + size].to_vec();
            bytes = &bytes[(data_at + size).next_multiple_of(4)..];
            assert_eq!((total - bytes.len()) % 4, 0);
            if name == TRAILER {
                assert!(bytes.is_empty());
                return entries;
            }
            entries.push((name, mode, data));
        }
    }

    #[test]
    fn the_format_is_what_the_kernel_reads() {
        let mut archive = Archive::default();
        archive.folder("dev").unwrap();
        archive.device("dev/console", 5, 1).unwrap();
        archive.file("init", 0o755, b"#!").unwrap();
        let bytes = archive.finish();
        let header = "070701000000020000218000000000000000000000000100000000000000000000000000000000\
                      00000005000000010000000c00000000dev/console\0";
        let second = &bytes[116..];
        assert_eq!(
            std::str::from_utf8(&second[..header.len()]).unwrap(),
            header
        );
        let names: Vec<_> = read(&bytes)
            .into_iter()
            .map(|(name, mode, _)| (name, mode))
            .collect();
        let expected = [
            ("dev", 0o040_755),
            ("dev/console", 0o020_600),
            ("init", 0o100_755),
        ];
        assert_eq!(names, expected.map(|(name, mode)| (name.to_owned(), mode)));
    }

    #[test]
    fn names_that_the_kernel_would_take_elsewhere_are_refused() {
        for name in ["", "/init", "a\0b", &"x".repeat(4096)] {
            assert_eq!(
                Archive::default().file(name, 0o644, b""),
                Err(CpioError::Name),
                "{name:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            files in prop::collection::vec(
                ("[a-z][a-z/.-]{0,30}", prop::collection::vec(any::<u8>(), 0..40)), 0..8)
        ) {
            let write = || {
                let mut archive = Archive::default();
                for (name, data) in &files {
                    archive.file(name, 0o644, data).unwrap();
                }
                archive.finish()
            };
            let bytes = write();
            prop_assert_eq!(&bytes, &write());
            let expected: Vec<_> =
                files.iter().map(|(n, d)| (n.clone(), 0o100_644, d.clone())).collect();
            prop_assert_eq!(read(&bytes), expected);
        }
    }
}
