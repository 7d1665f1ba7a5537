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
        /// Let it run jobs and keep sandboxes, and see its own of them [default, unless another scope is named]
        #[arg(long)]
        run: bool,
        /// Let it read metrics and other numbers of the whole service; alone it runs nothing and sees no job
        #[arg(long)]
        observe: bool,
        /// Let it see jobs, events and usage of all keys, and what --observe sees; alone it runs nothing
        #[arg(long)]
        admin: bool,
        /// Write it in the form that E2B's clients take: e2b_ and 40 hexadecimal digits
        #[arg(long)]
        e2b: bool,
        /// Requests a second that it may make, in the long run [default: as configured]
        #[arg(long, value_name = "NUMBER", value_parser = above_zero)]
        requests_per_second: Option<f64>,
        /// Requests at once on top of that [default: as configured]
        #[arg(long, value_name = "NUMBER")]
        burst: Option<u32>,
        /// Jobs that may run for it at one time; 0: as many as may run, less a quarter where there are other keys
        /// [default: as configured]
        #[arg(long, value_name = "NUMBER")]
        running: Option<usize>,
        /// Jobs that it may have at one time, waiting ones included [default: as configured]
        #[arg(long, value_name = "NUMBER", value_parser = one_or_more)]
        jobs: Option<usize>,
        /// Sessions that it may have at one time [default: as configured]
        #[arg(long, value_name = "NUMBER")]
        sessions: Option<usize>,
        #[command(flatten)]
        format: Format,
    },
    /// List the keys, without their secrets
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Have a key not count any more
    Revoke {
        /// Its id, or its name where no other key has it
        #[arg(value_name = "ID|NAME")]
        key: String,
        #[command(flatten)]
        format: Format,
    },
}

fn one_or_more(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "write a whole number of 1 or more".to_owned())
}

fn above_zero(text: &str) -> Result<f64, String> {
    let number = text.parse().ok();
    let number = number.filter(|number: &f64| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| "write a number above 0".to_owned())
}
