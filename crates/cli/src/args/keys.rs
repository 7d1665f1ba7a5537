//! `keys`: who may use the service.

use super::Format;
use clap::Subcommand;

/// What to do with API keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make a key; it is shown once
    Add {
        /// What people call it
        name: String,
        /// Let it read metrics, events and the jobs of all keys
        #[arg(long)]
        observe: bool,
        /// Write it in the form that E2B's clients take: e2b_ and 40 hexadecimal digits
        #[arg(long)]
        e2b: bool,
        /// Requests a second that it may make, in the long run [default: as configured]
        #[arg(long, value_name = "NUMBER", value_parser = above_zero)]
        requests_per_second: Option<f64>,
        /// Jobs that it may have at one time, waiting ones included [default: as configured]
        #[arg(long, value_name = "NUMBER")]
        jobs: Option<usize>,
        /// Sessions that it may have at one time [default: as configured]
        #[arg(long, value_name = "NUMBER")]
        sessions: Option<usize>,
    },
    /// List the keys, without their secrets
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Have a key not count any more
    Revoke {
        /// Its id
        id: String,
    },
}

fn above_zero(text: &str) -> Result<f64, String> {
    let number = text.parse().ok();
    let number = number.filter(|number: &f64| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| "write a number above 0".to_owned())
}
