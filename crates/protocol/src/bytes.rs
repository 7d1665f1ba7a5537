//! Bytes in JSON: base64, so that a program may print what is not UTF-8.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a client sends as base64. Line breaks and blanks between the characters are let through: MIME,
/// `base64(1)` and PEM write them. Between host and guest nothing but the alphabet counts.
pub fn from_base64(text: &str) -> Result<Vec<u8>, base64::DecodeError> {
    if !text.bytes().any(|byte| byte.is_ascii_whitespace()) {
        return STANDARD.decode(text);
    }
    let plain: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    STANDARD.decode(plain)
}

/// Raw bytes that travel as a base64 string.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Bytes(pub Vec<u8>);

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bytes({} bytes)", self.0.len())
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes(bytes)
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        Bytes(bytes.to_vec())
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        STANDARD
            .decode(text.as_bytes())
            .map(Bytes)
            .map_err(serde::de::Error::custom)
    }
}

/// How many of these bytes to keep so that they do not end in the middle of a UTF-8 character; all of them where
/// the end is no UTF-8.
pub fn whole_characters(bytes: &[u8]) -> usize {
    let tail = bytes.len().saturating_sub(3);
    let begins = (tail..bytes.len())
        .rev()
        .find(|at| bytes[*at] & 0b1100_0000 != 0b1000_0000);
    let Some(start) = begins else {
        return bytes.len();
    };
    match std::str::from_utf8(&bytes[start..]) {
        // Right up to its end, which is not there.
        Err(error) if error.error_len().is_none() => start,
        _ => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn half_a_character_at_the_end_is_not_kept() {
        let text = "a\u{e9}\u{20ac}\u{1f600}".as_bytes();
        let kept = [0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10];
        for (length, kept) in kept.into_iter().enumerate() {
            assert_eq!(whole_characters(&text[..length]), kept, "{length}");
        }
        for binary in [&b"\xff"[..], b"a\x80\x80\x80\x80", b"\xc0", b"\xe2\x28"] {
            assert_eq!(whole_characters(binary), binary.len());
        }
    }

    proptest! {
        #[test]
        fn base64_may_be_broken_into_lines_anywhere(
            bytes in proptest::collection::vec(any::<u8>(), 0..100), width in 1usize..80,
            line_break in "\n|\r\n|\n\t",
        ) {
            let text = STANDARD.encode(&bytes);
            let lines: String = text
                .as_bytes()
                .chunks(width)
                .map(|line| format!("{}{line_break}", std::str::from_utf8(line).unwrap()))
                .collect();
            prop_assert_eq!(from_base64(&lines).unwrap(), bytes);
        }

        #[test]
        fn what_is_no_base64_is_refused(text in "[A-Za-z0-9+/\n]{0,20}[-_!%ü][A-Za-z0-9+/=\n]{0,20}") {
            prop_assert!(from_base64(&text).is_err());
        }
    }
}
