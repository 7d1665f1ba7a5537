//! What an interpreter says on its control descriptor: lines of JSON. Pure. The program runs in the same process and
//! may write there what it likes, so each line is bounded, judged, and believed no further than what a context may say
//! of itself.

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

/// The longest line, in bytes (2 MiB): the drivers show at most 1 MiB of one kind of data.
pub const MAX_LINE_BYTES: usize = 2 * 1024 * 1024;

/// Kinds of data that one value may be shown as.
const MAX_KINDS: usize = 32;

/// One of a program's two outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CellStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What a value looks like: MIME type → data, as text or base64.
pub type Bundle = BTreeMap<String, String>;

/// One line. `cell` is the key that the host gave; `None`: nobody knows whose it is.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum ContextAnswer {
    /// A cell runs from here on.
    Begun {
        cell: String,
        /// What it prints comes on this lane; `None`: no lane is its alone.
        lane: Option<u8>,
    },
    /// Printed by what a cell that is over left behind in this process.
    Output {
        cell: Option<String>,
        stream: CellStream,
        base64: String,
    },
    /// Shown while it ran.
    Display {
        cell: Option<String>,
        #[serde(deserialize_with = "bounded")]
        data: Bundle,
    },
    /// The value of its last expression.
    Result {
        cell: Option<String>,
        #[serde(deserialize_with = "bounded")]
        data: Bundle,
    },
    /// The error that it did not catch.
    Error {
        cell: String,
        name: String,
        value: String,
        traceback: String,
    },
    /// It is over.
    End { cell: String, exit_code: u8 },
}

/// A bundle of at most [`MAX_KINDS`]: a line of short texts would take many times its length.
fn bounded<'de, D: Deserializer<'de>>(from: D) -> Result<Bundle, D::Error> {
    struct Kinds;
    impl<'de> Visitor<'de> for Kinds {
        type Value = Bundle;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "at most {MAX_KINDS} kinds of data")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Bundle, A::Error> {
            let mut bundle = Bundle::new();
            while let Some((kind, data)) = map.next_entry()? {
                bundle.insert(kind, data);
                if bundle.len() > MAX_KINDS {
                    return Err(serde::de::Error::invalid_length(bundle.len(), &self));
                }
            }
            Ok(bundle)
        }
    }
    from.deserialize_map(Kinds)
}

/// Why an interpreter is of no use any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Nonsense {
    /// Longer than [`MAX_LINE_BYTES`].
    #[error("it said more than {MAX_LINE_BYTES} bytes in one line")]
    TooLong,
    /// Not the JSON of an answer.
    #[error("it said something that is no answer")]
    NoAnswer,
    /// Not what comes now, or of another cell than the one that runs.
    #[error("it said something that does not come now")]
    OutOfPlace,
}

/// Makes lines of bytes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lines {
    line: Vec<u8>,
}

impl Lines {
    /// Takes bytes in; hands each whole line to `each`.
    pub(super) fn feed(
        &mut self,
        mut bytes: &[u8],
        mut each: impl FnMut(ContextAnswer) -> Result<(), Nonsense>,
    ) -> Result<(), Nonsense> {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.take(&bytes[..end])?;
            bytes = &bytes[end + 1..];
            let line = std::mem::take(&mut self.line);
            each(serde_json::from_slice(&line).map_err(|_| Nonsense::NoAnswer)?)?;
        }
        self.take(bytes)
    }

    pub(super) fn buffered_bytes(&self) -> usize {
        self.line.len()
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Nonsense> {
        if self.line.len() + bytes.len() > MAX_LINE_BYTES {
            return Err(Nonsense::TooLong);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }
}
