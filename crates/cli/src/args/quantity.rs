//! Times and sizes as people write them: `2`, `500ms`, `1m30s`; `512`, `512m`, `1g`.

use std::time::Duration;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// Letters after a number of bytes, and how many bytes each means; in any case, and each also with `b` or `ib` behind it.
const UNITS: &[(&str, u64)] = &[("k", KIB), ("m", MIB), ("g", 1 << 30), ("t", 1 << 40)];

/// Seconds, of a number or of a time with its units; whether so many are allowed is judged where other clients' are.
pub(super) fn parse_time(text: &str) -> Result<f64, String> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Ok(seconds);
    }
    let time: Result<jiff::SignedDuration, _> = text.parse();
    let time = time.map_err(|_| {
        "write seconds, or a time with its unit: 2, 0.5, 500ms, 2s, 1m30s".to_owned()
    })?;
    Ok(time.as_secs_f64())
}

/// The same above 0, where nobody else judges.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let seconds = parse_time(text)?;
    let above_zero = Some(seconds).filter(|seconds| *seconds > 0.0);
    let time = above_zero.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.ok_or_else(|| "write a time above 0, such as 2, 500ms or 1m".to_owned())
}

/// Whole seconds.
pub(super) fn parse_whole_seconds(text: &str) -> Result<u64, String> {
    let seconds = parse_time(text)?;
    match seconds >= 0.0 && seconds.fract() == 0.0 && seconds < u64::MAX as f64 {
        true => Ok(seconds as u64),
        false => Err("write whole seconds, such as 2, 10s or 1m".to_owned()),
    }
}

/// MiB: a number alone is so many of them.
pub(super) fn parse_mib(text: &str) -> Result<u64, String> {
    let what_to_write =
        || "write MiB, or a size with its unit, in whole MiB: 512, 512m, 1g".to_owned();
    let bytes = bytes(text, MIB).ok_or_else(what_to_write)?;
    match bytes % MIB {
        0 => Ok(bytes / MIB),
        _ => Err(what_to_write()),
    }
}

/// Bytes: a number alone is so many of them.
pub(super) fn parse_bytes(text: &str) -> Result<u64, String> {
    bytes(text, 1).ok_or_else(|| "write bytes, or a size with its unit: 65536, 64k, 1m".to_owned())
}

fn bytes(text: &str, of_a_number_alone: u64) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let digits_end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits_end);
    let unit = unit.trim();
    let letter = unit.strip_suffix("ib").or_else(|| unit.strip_suffix('b'));
    let factor = match unit {
        "" => of_a_number_alone,
        "b" => 1,
        _ => {
            let letter = letter.unwrap_or(unit);
            UNITS.iter().find(|(name, _)| *name == letter)?.1
        }
    };
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(factor);
    }
    let exact = number.parse::<f64>().ok()? * factor as f64;
    (exact.fract() == 0.0 && exact < u64::MAX as f64).then_some(exact as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("2", 2.0),
            ("0.5", 0.5),
            ("2s", 2.0),
            ("500ms", 0.5),
            ("1m", 60.0),
            ("1m30s", 90.0),
            ("1.5s", 1.5),
            ("1 min", 60.0),
            ("-1", -1.0),
        ] {
            assert_eq!(parse_time(text), Ok(seconds), "{text}");
        }
        for wrong in ["", "s", "soon", "2x", "1 month"] {
            assert!(parse_time(wrong).is_err(), "{wrong}");
        }
        for wrong in ["0", "-1s", "NaN", "inf", "1e300"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
        assert_eq!(parse_whole_seconds("1m"), Ok(60));
        assert!(parse_whole_seconds("500ms").is_err());
    }

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, mib) in [
            ("512", 512),
            ("512m", 512),
            ("1g", 1024),
            ("1G", 1024),
            ("0.5GiB", 512),
            ("256MB", 256),
            ("2048k", 2),
            ("1 GiB", 1024),
            ("0", 0),
        ] {
            assert_eq!(parse_mib(text), Ok(mib), "{text}");
        }
        for wrong in [
            "",
            "m",
            "1.5",
            "1k",
            "-1",
            "1x",
            "1gg",
            "1.2.3g",
            "99999999999999999t",
        ] {
            let seen = parse_mib(wrong);
            assert!(seen.is_err(), "{wrong}: {seen:?}");
        }
        assert_eq!(parse_bytes("64k"), Ok(65_536));
        assert_eq!(parse_bytes("1048576"), Ok(1_048_576));
    }
}
