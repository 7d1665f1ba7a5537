//! `egress`: what the policies for the network allow.

use super::Format;
use clap::Subcommand;

/// Examples of `egress`.
pub const EXAMPLES: &str = "\
Examples:
  llm-firecracker egress check python-packages https://pypi.org/simple/numpy/
  llm-firecracker egress check one-api --method POST https://api.example.com/v1/messages https://example.com
  llm-firecracker run --egress python-packages install.py

Policies are in the configuration, [egress.policies.NAME]. A program without one has no network.
check resolves nothing and connects to nothing; it fails if any of the URLs is refused.";

/// Subcommands of `egress`.
#[derive(Debug, Subcommand)]
pub enum EgressCommand {
    /// List the policies
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Say what a policy allows, and which rule says so
    Check {
        /// The policy
        #[arg(value_name = "POLICY")]
        policy: String,
        /// What is to be reached: https://HOST[:PORT]/PATH, http://…, or HOST:PORT
        #[arg(value_name = "URL", required = true)]
        urls: Vec<String>,
        /// The request's method
        #[arg(long, default_value = "GET", value_name = "METHOD")]
        method: String,
        #[command(flatten)]
        format: Format,
    },
}
