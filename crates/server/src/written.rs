//! Bytes as JSON has them, written from where they lie: a job's output may be many MiB, and a text made of
//! it, and that text's JSON, would each be as much again.

use axum::body::Bytes;
use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};
use std::fmt::{Display, Formatter, Write as _};

/// Text; bytes that are no UTF-8 replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text(pub Bytes);

/// Base64.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Base64(pub Bytes);

impl Text {
    /// The same as base64, where the text cannot say them.
    pub fn as_base64(&self) -> Option<Base64> {
        match std::str::from_utf8(&self.0) {
            Ok(_) => None,
            Err(_) => Some(Base64(self.0.clone())),
        }
    }
}

impl Display for Text {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        for chunk in self.0.utf8_chunks() {
            f.write_str(chunk.valid())?;
            if !chunk.invalid().is_empty() {
                f.write_char(char::REPLACEMENT_CHARACTER)?;
            }
        }
        Ok(())
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => serializer.collect_str(self),
        }
    }
}

impl Serialize for Base64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Base64Display::new(&self.0, &STANDARD))
    }
}

impl From<Vec<u8>> for Text {
    fn from(mut bytes: Vec<u8>) -> Text {
        // It grew in steps of double size, and is kept for as long as its client takes over it.
        bytes.shrink_to_fit();
        Text(bytes.into())
    }
}

impl From<Vec<u8>> for Base64 {
    fn from(mut bytes: Vec<u8>) -> Base64 {
        bytes.shrink_to_fit();
        Base64(bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_what_a_copy_would_be(bytes: Vec<u8>) {
            let text = Text::from(bytes.clone());
            let lossy = String::from_utf8_lossy(&bytes);
            prop_assert_eq!(serde_json::to_value(&text).unwrap(), lossy.as_ref());
            prop_assert_eq!(serde_json::to_string(&text).unwrap(), serde_json::to_string(&lossy).unwrap());
            let base64 = Base64::from(bytes.clone());
            prop_assert_eq!(serde_json::to_value(&base64).unwrap(), STANDARD.encode(&bytes));
            prop_assert_eq!(text.as_base64().is_some(), std::str::from_utf8(&bytes).is_err());
        }
    }
}
