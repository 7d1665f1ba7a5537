//! `events`: the audit log.

use super::Format;
use clap::Subcommand;

/// What to do with the audit log.
#[derive(Debug, Subcommand)]
pub enum EventsCommand {
    /// Print the newest events
    Tail {
        /// How many
        #[arg(short = 'n', long, default_value_t = 20)]
        count: usize,
        /// Go on with those that come
        #[arg(short, long)]
        follow: bool,
    },
    /// Print the events of a job, of a type or of a time
    Query {
        /// Only this job's
        #[arg(long)]
        trace_id: Option<String>,
        /// Only this type
        #[arg(long = "type", value_name = "TYPE")]
        event_type: Option<String>,
        /// Not before this time, e.g. 2026-01-31T12:00:00Z
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// Before this time
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
    },
    /// Find what was cut, changed or reordered
    Verify {
        #[command(flatten)]
        format: Format,
    },
}
