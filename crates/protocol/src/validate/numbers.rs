//! Numbers that a client may ask for, within their bounds; a refusal tells them as people write them.

use super::Rejection;
use crate::error_code::ErrorCode;
use crate::limits::{MAX_NORMALIZE_TIME, MAX_TIMEOUT_SECONDS, MIN_NORMALIZE_TIME};
use std::ops::RangeInclusive;
use std::time::Duration;

pub(super) fn seconds(
    field: &'static str,
    asked: Option<f64>,
    default: f64,
    max: f64,
) -> Result<Duration, Rejection> {
    let value = asked.unwrap_or(default);
    let max = max.min(MAX_TIMEOUT_SECONDS);
    // Written so that NaN fails; below a millisecond nothing could even start.
    if !(value > 0.0 && value <= max) {
        return Err(Rejection::new(
            ErrorCode::TimeoutInvalid,
            field,
            format!("{field} is {value}, allowed is above 0 and at most {max} seconds"),
        ));
    }
    Ok(Duration::from_secs_f64(value).max(Duration::from_millis(1)))
}

/// Below a millisecond there is nothing to hide, and no answer waits longer than the longest job.
pub(super) fn bucket(asked: Option<Duration>) -> Result<Option<Duration>, Rejection> {
    match asked {
        Some(bucket) if !(MIN_NORMALIZE_TIME..=MAX_NORMALIZE_TIME).contains(&bucket) => {
            let seconds = bucket.as_secs_f64();
            let (min, max) = (
                MIN_NORMALIZE_TIME.as_secs_f64(),
                MAX_NORMALIZE_TIME.as_secs_f64(),
            );
            let text = format!("normalize_time is {seconds}, allowed is {min} to {max} seconds");
            Err(Rejection::new(
                ErrorCode::LimitInvalid,
                "normalize_time",
                text,
            ))
        }
        bucket => Ok(bucket),
    }
}

/// What a number counts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Unit {
    None,
    Bytes,
    Mib,
}

impl Unit {
    /// A number as people write it: in the largest unit of which it is a whole number.
    pub(super) fn shown(self, number: u64) -> String {
        const NAMES: [&str; 5] = ["bytes", "KiB", "MiB", "GiB", "TiB"];
        let mut place = match self {
            Unit::None => return number.to_string(),
            Unit::Bytes => 0,
            Unit::Mib => 2,
        };
        let mut number = number;
        while number > 0 && number.is_multiple_of(1024) && place + 1 < NAMES.len() {
            (number, place) = (number / 1024, place + 1);
        }
        format!("{number} {}", NAMES[place])
    }
}

/// A whole number that may be asked for.
pub(super) struct Whole {
    pub(super) code: ErrorCode,
    pub(super) field: &'static str,
    pub(super) unit: Unit,
    pub(super) default: u64,
    pub(super) allowed: RangeInclusive<u64>,
}

impl Whole {
    /// A limit of at least 1.
    pub(super) fn limit(field: &'static str, default: u64, max: u64) -> Whole {
        Whole {
            code: ErrorCode::LimitInvalid,
            field,
            unit: Unit::None,
            default,
            allowed: 1..=max,
        }
    }

    pub(super) fn in_unit(self, unit: Unit) -> Whole {
        Whole { unit, ..self }
    }

    pub(super) fn of(self, asked: Option<u64>) -> Result<u64, Rejection> {
        let value = asked.unwrap_or(self.default);
        if self.allowed.contains(&value) {
            return Ok(value);
        }
        let field = self.field;
        let [value, min, max] =
            [value, *self.allowed.start(), *self.allowed.end()].map(|it| self.unit.shown(it));
        let text = format!("{field} is {value}, allowed is {min} to {max}");
        Err(Rejection::new(self.code, field, text))
    }
}
