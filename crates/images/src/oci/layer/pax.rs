//! Extended headers of POSIX (PAX): lines of `LENGTH KEY=VALUE\n`.

use crate::oci::error::Fault;
use crate::oci::layer::header::sparse;

const CAPABILITY: &[u8] = b"security.capability";
const XATTRS: [&[u8]; 2] = [b"SCHILY.xattr.", b"LIBARCHIVE.xattr."];

/// What extended headers say of the entry that follows, as far as it is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Extensions {
    pub(crate) path: Option<Vec<u8>>,
    pub(crate) link: Option<Vec<u8>>,
    pub(crate) size: Option<u64>,
    /// Extended attributes but for capabilities.
    pub(crate) xattrs: u32,
    pub(crate) capabilities: u32,
}

impl Extensions {
    /// Adds a header's records. The last of equal keys counts, an empty value is none.
    pub(crate) fn add(&mut self, mut records: &[u8]) -> Result<(), Fault> {
        while !records.is_empty() {
            let (key, value, rest) = record(records).ok_or_else(malformed)?;
            records = rest;
            let text = (!value.is_empty()).then(|| value.to_vec());
            match key {
                b"path" => self.path = text,
                b"linkpath" => self.link = text,
                b"size" if value.is_empty() => self.size = None,
                b"size" => self.size = Some(number(value).ok_or_else(malformed)?),
                _ if key.starts_with(b"GNU.sparse.") => return Err(sparse()),
                _ => self.count(key),
            }
        }
        Ok(())
    }

    fn count(&mut self, key: &[u8]) {
        let attribute = XATTRS.iter().find_map(|prefix| key.strip_prefix(*prefix));
        match attribute {
            Some(CAPABILITY) => self.capabilities = self.capabilities.saturating_add(1),
            Some(_) => self.xattrs = self.xattrs.saturating_add(1),
            None => {}
        }
    }
}

/// A header for all that follows may carry a remark. One that renames entries is read by some and passed over by others.
pub(crate) fn check_global(records: &[u8]) -> Result<(), Fault> {
    let mut all = Extensions::default();
    all.add(records)?;
    match all.path.is_some() || all.link.is_some() || all.size.is_some() {
        true => Err(Fault::Kind(
            "a global header names a path or a size, which readers understand differently"
                .to_owned(),
        )),
        false => Ok(()),
    }
}

fn malformed() -> Fault {
    Fault::Kind("its extended header (PAX) is malformed".to_owned())
}

/// Key and value of the first record, and what follows it.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().take(20).position(|byte| *byte == b' ')?;
    let length = usize::try_from(number(&bytes[..space])?).ok()?;
    let (record, rest) = bytes.split_at_checked(length)?;
    let record = record.get(space + 1..)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    (equals > 0).then(|| (&record[..equals], &record[equals + 1..], rest))
}

fn number(digits: &[u8]) -> Option<u64> {
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    plain
        .then(|| std::str::from_utf8(digits).ok()?.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(records: &[u8]) -> Result<Extensions, String> {
        let mut extensions = Extensions::default();
        extensions.add(records).map_err(|fault| fault.to_string())?;
        Ok(extensions)
    }

    #[test]
    fn records_are_read_by_their_length() {
        let seen = added(b"10 path=a\n12 path=b=\n\n9 size=7\n").unwrap();
        assert_eq!(seen.path.as_deref(), Some(&b"b=\n"[..]));
        assert_eq!(seen.size, Some(7));
        let attributes =
            b"35 SCHILY.xattr.security.selinux=a\n37 SCHILY.xattr.security.capability=\n";
        let seen = added(attributes).unwrap();
        assert_eq!((seen.xattrs, seen.capabilities), (1, 1));
    }

    #[test]
    fn what_is_malformed_or_ambiguous_is_refused() {
        for records in [
            &b"8 path=a\n"[..],
            b"99 path=a\n",
            b"path=a\n",
            b"-1 path=a\n",
            b"7 =abc\n",
            b"3 \n",
            b"18446744073709551616 path=a\n",
            b"10 size=-\n",
            b"30 size=18446744073709551616\n",
            b"22 GNU.sparse.major=1\n",
        ] {
            assert!(added(records).is_err(), "{}", records.escape_ascii());
        }
        assert!(check_global(b"13 comment=a\n").is_ok());
        assert!(check_global(b"10 path=a\n").is_err());
    }
}
