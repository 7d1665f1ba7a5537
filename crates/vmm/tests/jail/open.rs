//! Many tools on a state folder that nobody used before.

use crate::host::host;
use std::process::{Command, Stdio};
use vmm::VmmConfig;
use vmm::qemu::QemuEngine;

/// One of the many; alone it does nothing.
#[tokio::test]
async fn opener() {
    let Some(state_dir) = std::env::var_os("JAIL_TEST_OPEN") else {
        return;
    };
    let config = VmmConfig {
        state_dir: state_dir.into(),
        ..VmmConfig::default()
    };
    QemuEngine::open(config).await.unwrap();
}

#[test]
fn many_tools_open_a_fresh_state_folder_at_once() {
    let Some(host) = host("open") else { return };
    let fresh = host.state.root().join("fresh");
    let tools: Vec<_> = (0..12)
        .map(|_| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "open::opener", "--nocapture"])
                .env("JAIL_TEST_OPEN", &fresh)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for tool in tools {
        let output = tool.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        if text.contains("NotInstalled") {
            println!("not run: {text}");
            return;
        }
        assert!(output.status.success(), "{text}");
    }
    let roots = fresh.join("jail").read_dir().unwrap().count();
    assert_eq!(roots, 1, "one root, and no half of one");
}
