//! The egress proxy: this program, started anew to be it.

use crate::exit;
use ::egress::client::Egress;
use ::egress::policy::Policy;
use anyhow::Context as _;
use sandbox::config::Config;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::process::Command;

/// The first word of its command line.
pub const CHILD_WORD: &str = "egress-proxy";

/// The operator's policies, and how their proxy is started; `None`: there are none.
pub fn of(config: &Config) -> anyhow::Result<Option<Egress>> {
    if policies(config)?.is_empty() {
        return Ok(None);
    }
    let program = std::env::current_exe().context("finding this program")?;
    // The first uid that no VMM gets.
    let uid = config.vmm.uid_base.saturating_add(config.vmm.uid_count);
    let launcher = move || {
        let mut command = Command::new(&program);
        command.arg(CHILD_WORD).arg(uid.to_string());
        command
    };
    Ok(Some(Egress::new(config.egress.clone(), Arc::new(launcher))))
}

/// All policies; an error names each fault of them.
pub fn policies(config: &Config) -> anyhow::Result<BTreeMap<String, Arc<Policy>>> {
    ::egress::policy::load_all(&config.egress).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        exit::usage(anyhow::anyhow!("{}", faults.join("\n")))
    })
}

/// What the process that was started so does.
pub fn child_main() -> std::process::ExitCode {
    let uid = std::env::args().nth(2).and_then(|word| word.parse().ok());
    match ::egress::proxy::run_child(uid) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("egress proxy: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}
