//! The address of a file: `sandbox://SESSION/work/out/a.csv`, also of a run that had a VM of its own.

/// What every address begins with.
pub const SCHEME: &str = "sandbox://";

/// A file's address taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileUri {
    /// The session, or the run.
    pub id: String,
    /// Absolute.
    pub path: String,
}

impl FileUri {
    /// The address of this path there.
    pub fn new(id: &str, path: &str) -> FileUri {
        FileUri {
            id: id.to_owned(),
            path: path.to_owned(),
        }
    }

    /// Reads one; `None`: it is none.
    pub fn parse(text: &str) -> Option<FileUri> {
        let (id, path) = text.strip_prefix(SCHEME)?.split_once('/')?;
        Some(FileUri {
            id: decoded(id)?,
            path: format!("/{}", decoded(path)?),
        })
    }
}

impl std::fmt::Display for FileUri {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (id, path) = (encoded(&self.id, b""), encoded(&self.path, b"/"));
        write!(f, "{SCHEME}{id}{path}")
    }
}

/// Percent-encodes what is not unreserved (RFC 3986, section 2.3) nor of `besides`.
fn encoded(text: &str, besides: &[u8]) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            _ if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => out.push(byte.into()),
            _ if besides.contains(&byte) => out.push(byte.into()),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn decoded(text: &str) -> Option<String> {
    let mut out = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let byte = match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                let digits = digits.map(|digit| char::from(digit).to_digit(16));
                let [Some(high), Some(low)] = digits else {
                    return None;
                };
                u8::try_from(high * 16 + low).ok()?
            }
            byte => byte,
        };
        out.push(byte);
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_address_of_ours_is_none() {
        for wrong in [
            "",
            "sandbox://",
            "sandbox://a",
            "file:///work/a",
            "Sandbox://a/b",
            "sandbox://a/%",
            "sandbox://a/%4",
            "sandbox://a/%zz",
            "sandbox://a/%ff",
        ] {
            assert_eq!(FileUri::parse(wrong), None, "{wrong}");
        }
        let uri = FileUri::new("s-1", "/work/out/a b#ü.csv");
        assert_eq!(uri.to_string(), "sandbox://s-1/work/out/a%20b%23%C3%BC.csv");
    }

    proptest! {
        #[test]
        fn an_address_is_read_as_it_was_written(id in "[a-z0-9/-]{1,40}", path in "(/\\PC{0,12}){1,4}") {
            let uri = FileUri::new(&id, &path);
            let text = uri.to_string();
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert_eq!(FileUri::parse(&text), Some(uri));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,60}") {
            let _ = FileUri::parse(&format!("{SCHEME}{text}"));
        }
    }
}
