//! Texts that users attach to a file. The guest keeps them as extended attributes of the file itself, so they go where it
//! goes: under another name, into a snapshot.

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// Before each key in the file's attributes, as E2B's daemon has it: what other programs attach has other names.
pub const METADATA_PREFIX: &str = "user.e2b.";
/// The longest key, in bytes: a name of an attribute has 255 at most (Linux's `XATTR_NAME_MAX`).
pub const MAX_METADATA_KEY_BYTES: usize = 255 - METADATA_PREFIX.len();
/// All of one file, in bytes: keys, with the prefix of each, and values. E2B's own bound.
pub const MAX_METADATA_BYTES: usize = 4096;

/// Keys and values of one file, within [`MAX_METADATA_BYTES`] whoever sends them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Metadata {
    pairs: Vec<(String, String)>,
}

impl Metadata {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Adds a pair. `false`, and nothing is added: it would be over a bound.
    #[must_use]
    pub fn add(&mut self, key: String, value: String) -> bool {
        let pair = (key, value);
        let fits = pair.0.len() <= MAX_METADATA_KEY_BYTES
            && self.bytes() + bytes_of(&pair) <= MAX_METADATA_BYTES;
        if fits {
            self.pairs.push(pair);
        }
        fits
    }

    /// What it counts towards [`MAX_METADATA_BYTES`].
    pub fn bytes(&self) -> usize {
        self.pairs.iter().map(bytes_of).sum()
    }

    /// Its pairs, in the order in which they were added.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.pairs.iter();
        pairs.map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

fn bytes_of((key, value): &(String, String)) -> usize {
    METADATA_PREFIX.len() + key.len() + value.len()
}

/// More than the bound is not held before it is refused.
impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Metadata, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Metadata;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("pairs of texts")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Metadata, A::Error> {
                let (mut pairs, mut bytes) = (Vec::new(), 0);
                while let Some(pair) = seq.next_element::<(String, String)>()? {
                    bytes += bytes_of(&pair);
                    if bytes > MAX_METADATA_BYTES {
                        let sentence = format!("more than {MAX_METADATA_BYTES} bytes of metadata");
                        return Err(A::Error::custom(sentence));
                    }
                    pairs.push(pair);
                }
                Ok(Metadata { pairs })
            }
        }
        deserializer.deserialize_seq(Pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: usize) -> String {
        "x".repeat(bytes)
    }

    #[test]
    fn no_more_is_taken_than_a_file_may_have() {
        let mut metadata = Metadata::default();
        assert!(!metadata.add(text(MAX_METADATA_KEY_BYTES + 1), text(0)));
        assert!(!metadata.add(text(1), text(MAX_METADATA_BYTES)));
        let most = MAX_METADATA_BYTES - METADATA_PREFIX.len() - 1;
        assert!(metadata.add(text(1), text(most)));
        assert_eq!(metadata.bytes(), MAX_METADATA_BYTES);
        assert!(!metadata.add(text(0), text(0)));
        assert_eq!(metadata.pairs().count(), 1);
    }

    #[test]
    fn a_guest_that_sends_more_is_refused() {
        let whole = serde_json::to_string(&[("k", text(MAX_METADATA_BYTES - 10))]).unwrap();
        let metadata: Metadata = serde_json::from_str(&whole).unwrap();
        assert_eq!(serde_json::to_string(&metadata).unwrap(), whole);
        for wrong in [
            serde_json::json!([["k", text(MAX_METADATA_BYTES - 9)]]),
            serde_json::json!(vec![
                ["", ""];
                MAX_METADATA_BYTES / METADATA_PREFIX.len() + 1
            ]),
            serde_json::json!([["k"]]),
            serde_json::json!({"k": "v"}),
        ] {
            assert!(serde_json::from_value::<Metadata>(wrong).is_err());
        }
    }
}
