//! A moment as people write it: how long ago it was, its day, or its time. The command line and the API read it alike.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// Reads how long ago it was (`90s`, `1h30m`, `7d`, `4w`, `2h ago`), a day (`2026-11-01`: its first moment, UTC), or a
/// time with its zone.
pub fn moment(text: &str) -> Result<Timestamp, String> {
    let time = text.parse::<Timestamp>().ok();
    let time = time.or_else(|| day(text)).or_else(|| ago(text));
    time.ok_or_else(|| {
        "write how long ago (90s, 30m, 1h, 7d, 4w), a day (2026-01-31, UTC) or a time with its zone (2026-01-31T12:00:00Z)"
            .to_owned()
    })
}

/// The day (UTC) of a moment that is written so.
pub fn day_of(text: &str) -> Result<Date, String> {
    Ok(moment(text)?.to_zoned(TimeZone::UTC).date())
}

/// The first moment of a day.
fn day(text: &str) -> Option<Timestamp> {
    // A time without its zone is a date and more, and means nobody knows which.
    if text.contains(':') {
        return None;
    }
    let day: Date = text.parse().ok()?;
    Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

fn ago(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let span: Span = text
        .strip_suffix("ago")
        .unwrap_or(text)
        .trim_end()
        .parse()
        .ok()?;
    let now = Timestamp::now().to_zoned(TimeZone::UTC);
    let then = now.checked_sub(Some(span).filter(|span| span.is_positive())?);
    Some(then.ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_a_day_or_how_long_ago_it_was() {
        for (text, seconds) in [
            ("90s", 90),
            ("30m", 1800),
            ("1h", 3600),
            ("2h ago", 7200),
            ("2d", 172_800),
            ("1w", 604_800),
            ("4 weeks", 2_419_200),
            ("1h30m", 5400),
        ] {
            let then = moment(text).unwrap();
            let age = Timestamp::now().duration_since(then).as_secs();
            assert!((seconds - 1..seconds + 60).contains(&age), "{text}: {age}");
        }
        for (text, time) in [
            ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
            ("2026-01-31", "2026-01-31T00:00:00Z"),
        ] {
            assert_eq!(moment(text).unwrap().to_string(), time);
            assert_eq!(day_of(text).unwrap().to_string(), "2026-01-31");
        }
        for wrong in [
            "yesterday",
            "",
            "ago",
            "-7d",
            "1x",
            "99999999d",
            "7 moons",
            "2026-01-31T12:00:00",
        ] {
            assert!(moment(wrong).unwrap_err().contains("30m"), "{wrong}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_more_than_a_day_or_wrong(text in "\\PC{0,24}|[0-9]{1,9}[smhdwy]{1,2}|[0-9-]{6,12}") {
            // What is taken is a day of the calendar, however long ago.
            if let Ok(day) = day_of(&text) {
                proptest::prop_assert!(day >= Date::MIN && day <= Date::MAX);
            }
        }
    }
}
