//! What this host could never give is refused before a VM is made.

use crate::lab;
use crate::tool::{PATIENCE, Tool};

#[test]
fn a_job_that_the_host_has_no_memory_for_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    // A default VM may hold 512 MiB, and its VMM 256 more.
    let text = lab::PLACE.config_text("[admission]\nmemory_mib = 767\n");
    std::fs::write(&config, text).unwrap();
    let run = |memory: &str| {
        let tool = Tool::with(&lab::lab().state, &config).program("sh", "echo never");
        tool.args(["--json", "--memory", memory, "--trace-id", "large"])
            .finish(PATIENCE)
    };
    let done = run("512");
    assert_eq!(done.code(), Some(2), "{}", done.err());
    let result = done.json();
    assert_eq!(result["failure"]["code"], "memory_invalid", "{result}");
    let message = result["failure"]["message"].as_str().unwrap();
    assert!(
        message.contains("768 MiB") && message.contains("767"),
        "{message}"
    );
}
