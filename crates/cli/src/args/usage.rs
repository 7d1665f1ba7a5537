//! `usage`: what each key of the service used.

use super::Format;
use clap::Args;
use jiff::civil::Date;
use server::moment::day_of;

/// Flags of `usage`.
#[derive(Debug, Args)]
pub struct UsageArgs {
    /// Only the key with this id or name
    #[arg(long, value_name = "ID|NAME")]
    pub key: Option<String>,
    /// How long ago to begin (24h, 7d, 4w), or on which day (2026-11-01); days (UTC) count as a whole
    #[arg(
        long,
        value_name = "TIME",
        default_value = server::usage::report::USUAL,
        value_parser = day_of
    )]
    pub since: Date,
    /// Print a row a day
    #[arg(long)]
    pub daily: bool,
    #[command(flatten)]
    pub format: Format,
}
