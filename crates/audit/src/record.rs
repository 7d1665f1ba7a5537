//! One line of the log: an event, its number, the hash of the record before and its own.
//!
//! ```text
//! {"seq":7,"prev":"<64 hex>","timestamp":…,"event_type":…,…,"hash":"<64 hex>"}
//! ```
//!
//! `hash` is the SHA-256 of the line's bytes before `,"hash":`; `prev` is the record before's `hash`.

use protocol::event::Event;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What the first record of a new log has as `prev`.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

const HASH_KEY: &str = ",\"hash\":\"";

/// One record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its number; the first of a log is 1, and none is left out.
    pub seq: u64,
    /// The hash of the record before, lower-case hex.
    pub prev: String,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
    /// This record's own hash, lower-case hex.
    #[serde(default)]
    pub hash: String,
}

/// The part of a record that is hashed.
#[derive(Serialize)]
struct Hashed<'a> {
    seq: u64,
    prev: &'a str,
    #[serde(flatten)]
    event: &'a Event,
}

/// Why a line is no record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLine {
    /// Not a record's JSON.
    #[error("is no record")]
    NotARecord,
    /// The line's bytes are not the ones that were hashed.
    #[error("was changed: its bytes do not have its hash")]
    Changed {
        /// The number it claims.
        seq: u64,
    },
}

/// Writes a record's line, without the newline; returns it with the record's hash.
pub fn encode(seq: u64, prev: &str, event: &Event) -> (String, String) {
    // An event's own fields never stand where the chain's stand.
    let mut event = std::borrow::Cow::Borrowed(event);
    for reserved in ["seq", "prev", "hash"] {
        if event.extra.contains_key(reserved) {
            event.to_mut().extra.remove(reserved);
        }
    }
    let event = event.as_ref();
    let hashed = Hashed { seq, prev, event };
    // An event is plain data with text keys: it always serialises.
    let mut line = serde_json::to_string(&hashed).unwrap_or_default();
    line.pop();
    let hash = hex::encode(Sha256::digest(line.as_bytes()));
    line.push_str(HASH_KEY);
    line.push_str(&hash);
    line.push_str("\"}");
    (line, hash)
}

/// Reads a line and checks its own hash.
pub fn decode(line: &str) -> Result<Record, BadLine> {
    let record: Record = serde_json::from_str(line).map_err(|_| BadLine::NotARecord)?;
    let changed = BadLine::Changed { seq: record.seq };
    // The last occurrence: an event's own text may contain the same characters, escaped or not.
    let (hashed, tail) = line.rsplit_once(HASH_KEY).ok_or(BadLine::NotARecord)?;
    let plain_tail = tail.strip_suffix("\"}") == Some(record.hash.as_str());
    if !plain_tail || hex::encode(Sha256::digest(hashed.as_bytes())) != record.hash {
        return Err(changed);
    }
    Ok(record)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use protocol::event::EventType;

    fn event(details: &str) -> Event {
        Event {
            timestamp: "2026-01-02T03:04:05.678901Z".into(),
            event_type: EventType::VmStop,
            trace_id: None,
            details: details.into(),
            extra: serde_json::Map::from_iter([(
                "n".to_owned(),
                serde_json::json!({"a": [1, null]}),
            )]),
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_back_and_any_changed_byte_shows(
            details in any::<String>(), at in any::<prop::sample::Index>(), flip in 1u8..128,
        ) {
            let (line, hash) = encode(7, GENESIS, &event(&details));
            let record = decode(&line).unwrap();
            prop_assert_eq!(&record.event, &event(&details));
            prop_assert_eq!(record.hash, hash);
            let mut bytes = line.clone().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            if let Ok(text) = String::from_utf8(bytes) {
                prop_assert!(decode(&text).is_err(), "{}", text);
            }
        }
    }

    #[test]
    fn an_event_cannot_smuggle_in_a_hash_of_its_own() {
        let mut hostile = event("x");
        hostile.extra.insert("hash".into(), "1".into());
        let (line, hash) = encode(1, GENESIS, &hostile);
        let record = decode(&line).unwrap();
        assert_eq!((record.hash, record.event), (hash, event("x")));
    }
}
