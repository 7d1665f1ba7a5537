//! `events`: the audit log.

use super::Format;
use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use jiff::Timestamp;
use protocol::event::EventType;
use server::moment::moment;

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
        #[arg(long, value_name = "TIME", value_parser = moment)]
        since: Option<Timestamp>,
        /// Before this time, likewise
        #[arg(long, value_name = "TIME", value_parser = moment)]
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
