//! `events`: the audit log.

use super::Format;
use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use jiff::{Span, Timestamp};
use protocol::event::EventType;

/// What `query` and `tail` print.
const HOW: &str = "\
On a terminal a line an event; through a pipe, or with --json, the records of the log as JSON lines.";

/// What to do with the audit log.
#[derive(Debug, Subcommand)]
pub enum EventsCommand {
    /// Print the newest events
    #[command(after_help = HOW)]
    Tail {
        /// How many
        #[arg(short = 'n', long, default_value_t = 20)]
        count: usize,
        /// Go on with those that come
        #[arg(short, long)]
        follow: bool,
        #[command(flatten)]
        shape: Shape,
    },
    /// Print the events of a job, of a type or of a time
    #[command(after_help = HOW)]
    Query {
        /// Only this job's: its id, or the last 12 characters of it that a terminal shows
        #[arg(long)]
        trace_id: Option<String>,
        /// Only what this key did
        #[arg(long, value_name = "ID|NAME")]
        key: Option<String>,
        /// Only this type
        #[arg(long = "type", value_name = "TYPE", value_parser = event_types())]
        event_type: Option<EventType>,
        /// Not before this time: 30m, 1h, 2d ago, or e.g. 2026-01-31T12:00:00Z
        #[arg(long, value_name = "TIME", value_parser = time)]
        since: Option<Timestamp>,
        /// Before this time, likewise
        #[arg(long, value_name = "TIME", value_parser = time)]
        until: Option<Timestamp>,
        #[command(flatten)]
        shape: Shape,
    },
    /// Find what was cut, changed or reordered
    Verify {
        #[command(flatten)]
        format: Format,
    },
}

/// Lines for people or for programs.
#[derive(Debug, Clone, clap::Args)]
pub struct Shape {
    /// Print JSON lines, also on a terminal
    #[arg(long)]
    pub json: bool,
}

fn event_types() -> impl clap::builder::TypedValueParser<Value = EventType> {
    let names = EventType::ALL.map(EventType::name);
    PossibleValuesParser::new(names).try_map(|name| {
        let mut all = EventType::ALL.into_iter();
        all.find(|kind| kind.name() == name)
            .ok_or("is no type of event")
    })
}

/// A time, or how long ago it was.
fn time(text: &str) -> Result<Timestamp, String> {
    let time = text.parse::<Timestamp>().ok();
    let time = time.or_else(|| day(text)).or_else(|| ago(text));
    time.ok_or_else(|| {
        "use how long ago (90s, 30m, 1h, 2d, 1w), a day (2026-01-31, UTC) or a time with its zone (2026-01-31T12:00:00Z)"
            .into()
    })
}

/// The first moment of a day.
fn day(text: &str) -> Option<Timestamp> {
    let day: jiff::civil::Date = text.parse().ok()?;
    // A time without its zone is a date and more, and means nobody knows which.
    if text.contains(':') {
        return None;
    }
    Some(day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
}

fn ago(text: &str) -> Option<Timestamp> {
    let span: Span = text.parse().ok()?;
    let length = span
        .to_duration(jiff::SpanRelativeTo::days_are_24_hours())
        .ok()?;
    Timestamp::now().checked_sub(length.abs()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_time_or_how_long_ago_it_was() {
        for (text, seconds) in [
            ("90s", 90),
            ("30m", 1800),
            ("1h", 3600),
            ("2d", 172_800),
            ("1w", 604_800),
            ("1h30m", 5400),
        ] {
            let age = Timestamp::now()
                .duration_since(time(text).unwrap())
                .as_secs();
            assert!((seconds - 1..seconds + 60).contains(&age), "{text}: {age}");
        }
        assert_eq!(
            time("2026-01-31T12:00:00Z").unwrap().to_string(),
            "2026-01-31T12:00:00Z"
        );
        assert_eq!(
            time("2026-01-31").unwrap().to_string(),
            "2026-01-31T00:00:00Z"
        );
        for text in ["yesterday", "", "1x", "2026-01-31T12:00:00"] {
            assert!(time(text).unwrap_err().contains("30m"), "{text}");
        }
    }
}
