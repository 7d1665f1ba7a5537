//! A duration as a number of seconds; as seconds and nanoseconds where an older configuration has it so.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize as _, Serializer};
use std::time::Duration;

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Seconds(f64),
    Parts { secs: u64, nanos: u32 },
}

pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    duration.as_secs_f64().serialize(serializer)
}

pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    match Written::deserialize(deserializer) {
        Ok(Written::Seconds(seconds)) => {
            Duration::try_from_secs_f64(seconds).map_err(D::Error::custom)
        }
        Ok(Written::Parts { secs, nanos }) => {
            let whole = Duration::from_secs(secs).checked_add(Duration::from_nanos(nanos.into()));
            whole.ok_or_else(|| D::Error::custom("is too long"))
        }
        Err(_) => Err(D::Error::custom("expected a number of seconds")),
    }
}
