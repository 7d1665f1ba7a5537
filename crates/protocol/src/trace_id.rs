//! The name of a job on all its ways: events, logs, folders, results.

use serde::{Deserialize, Serialize};

/// The longest trace id, in characters (all of them ASCII).
pub const MAX_TRACE_ID_CHARS: usize = 64;

/// 1 to 64 of `[A-Za-z0-9._-]`, not starting with a dot: safe as a file name and in a log line.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TraceId(String);

/// The text is no trace id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a trace_id is 1 to 64 of the characters A-Z a-z 0-9 . _ - and does not start with a dot")]
pub struct InvalidTraceId;

impl TraceId {
    /// Accepts a client's trace id.
    pub fn parse(text: &str) -> Result<TraceId, InvalidTraceId> {
        let fits = (1..=MAX_TRACE_ID_CHARS).contains(&text.len())
            && !text.starts_with('.')
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        if fits {
            Ok(TraceId(text.to_owned()))
        } else {
            Err(InvalidTraceId)
        }
    }

    /// A new one: UUIDv7, so that ids sort by time.
    #[cfg(feature = "host")]
    pub fn generate() -> TraceId {
        TraceId(uuid::Uuid::now_v7().to_string())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TraceId {
    type Error = InvalidTraceId;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        TraceId::parse(&text)
    }
}

impl From<TraceId> for String {
    fn from(id: TraceId) -> String {
        id.0
    }
}

impl std::fmt::Display for TraceId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hostile_ids_are_refused() {
        for text in [
            "",
            ".",
            "..",
            "../../x",
            "a/b",
            "a\0",
            "a\n",
            "$(id)",
            "а",
            "a b",
            "\u{202e}x",
        ] {
            assert!(TraceId::parse(text).is_err(), "{text:?}");
        }
        assert!(TraceId::parse(&"x".repeat(64)).is_ok());
        assert!(TraceId::parse(&"x".repeat(65)).is_err());
    }

    proptest! {
        #[test]
        fn an_accepted_id_is_a_plain_file_name(text in any::<String>()) {
            if let Ok(id) = TraceId::parse(&text) {
                prop_assert_eq!(std::path::Path::new(id.as_str()).components().count(), 1);
                prop_assert!(id.as_str().is_ascii());
                prop_assert_eq!(id.as_str(), text);
            }
        }
    }
}
