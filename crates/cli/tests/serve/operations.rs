//! The commands of `docs/operations.md`, run as they stand there; and what the version before wrote, read by this one.
//! The service is real; `systemctl` is a script that starts, stops and reloads it as the unit says.

use crate::{lab, place};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const PAGE: &str = include_str!("../../../../docs/operations.md");
/// The key of the fixture, which opens nothing else.
const OLD_KEY: &str = "llmfc_bcaa31ea8162_a74CYRkeM-d1e31hpzzKQlQGwRJgReI8LZF7QrtsETo";

/// Starts what is not running, waits for its first word; ends and reloads what is.
const SYSTEMCTL: &str = r#"#!/bin/bash
set -eu
lives() { grep -qs "^State:.[^Z]" "/proc/$(cat pid)/status"; }
stop() { [ ! -e pid ] || { kill "$(cat pid)"; while lives; do sleep 0.1; done; rm pid; }; }
case $1 in
start)
  llm-firecracker -v serve --listen 0 >/dev/null 2>log </dev/null & echo $! >pid
  for _ in $(seq 1800); do
    if sed -n 's/.* listening on //p' log | grep . >address; then exit 0; fi
    lives || break
    sleep 0.1
  done
  cat log >&2; exit 1;;
stop) stop;;
reload) kill -HUP "$(cat pid)"
  for _ in $(seq 600); do
    if grep -q "configuration was read again\|is refused" log; then exit 0; fi
    sleep 0.1
  done
  exit 1;;
esac
"#;

/// The commands of the page under this heading.
fn block(heading: &str) -> &'static str {
    let (_, rest) = PAGE
        .split_once(&format!("\n## {heading}\n"))
        .unwrap_or_else(|| panic!("{heading} is not on the page"));
    let (_, rest) = rest.split_once("```sh\n").unwrap();
    rest.split_once("```").unwrap().0
}

/// A host of one's own: a folder for the state, one for the configuration, and programs.
struct Site(tempfile::TempDir);

impl Site {
    /// With what the version before left.
    fn of_before() -> Site {
        let site = Site(tempfile::tempdir().unwrap());
        let before = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/serve/before");
        for folder in [
            "etc",
            "state",
            "state/audit",
            "state/images",
            "state/images/uml",
            "bin",
        ] {
            std::fs::create_dir(site.at(folder)).unwrap();
        }
        for (from, to) in [
            ("config.toml", "etc/config.toml"),
            ("keys.json", "state/keys.json"),
            ("audit/head", "state/audit/head"),
            (
                "audit/audit-00000000000000000001.jsonl",
                "state/audit/audit-00000000000000000001.jsonl",
            ),
            ("images/uml/manifest.json", "state/images/uml/manifest.json"),
        ] {
            std::fs::copy(before.join(from), site.at(to)).unwrap();
            std::fs::set_permissions(site.at(to), std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        let tool = env!("CARGO_BIN_EXE_llm-firecracker");
        std::os::unix::fs::symlink(tool, site.at("bin/llm-firecracker")).unwrap();
        let systemctl = site.at("bin/systemctl");
        std::fs::write(&systemctl, SYSTEMCTL).unwrap();
        std::fs::set_permissions(&systemctl, std::fs::Permissions::from_mode(0o755)).unwrap();
        site
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs these commands; what they said. Fails with the first that fails.
    fn run(&self, commands: &str) -> String {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut bash = Command::new("bash");
        bash.args(["-euo", "pipefail", "-c", commands])
            .current_dir(self.0.path())
            .env("PATH", format!("{}:{path}", self.at("bin").display()))
            .env("STATE", self.at("state"))
            .env("CONFIG", self.at("etc"))
            .env("BACKUP", self.at("backup"))
            .env("LLM_FIRECRACKER_STATE_DIR", self.at("state"))
            .env("LLM_FIRECRACKER_CONFIG", self.at("etc/config.toml"));
        if let Some(agent) = place::agent() {
            bash.env("LLM_FIRECRACKER_AGENT", agent);
        }
        let done = bash.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let said = text(&done.stdout) + &text(&done.stderr);
        assert!(done.status.success(), "{commands}\n{said}");
        said
    }

    fn block(&self, name: &str) -> String {
        self.run(block(name))
    }

    /// A request that is refused and leaves a record; by the key of before.
    async fn refused(&self) -> u16 {
        let address = std::fs::read_to_string(self.at("address")).unwrap();
        let request =
            reqwest::Client::new().post(format!("http://{}/api/v1/execute", address.trim()));
        let request = request
            .bearer_auth(OLD_KEY)
            .json(&serde_json::json!({ "lang": "no", "code": "1" }));
        request.send().await.unwrap().status().as_u16()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // A test that failed may have left it running.
        let pid = std::fs::read_to_string(self.at("pid")).ok();
        let pid = pid.and_then(|pid| pid.trim().parse().ok());
        if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_version_before_left_is_read_backed_up_restored_and_reloaded_by_the_pages_commands()
 {
    if place::agent().is_none() {
        lab::not_run("the guest agent is not built: make agent");
        return;
    }
    let _alone = lab::alone().await;
    let site = Site::of_before();
    let said = site.block("Upgrade and rollback");
    for words in ["can be used", "3 records, 0 findings", "bcaa31ea8162"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(site.refused().await, 400);
    let said = site.block("Reload");
    assert!(
        said.contains("CONFIG_RELOAD") && said.contains("applied"),
        "{said}"
    );
    let said = site.block("Backup");
    assert!(said.contains("5 records, 0 findings"), "{said}");
    assert_eq!(site.refused().await, 400);
    // What came after the backup is gone with the state folder; what was before is back.
    site.run("systemctl stop; rm -rf state/keys.json state/audit etc/config.toml");
    let said = site.block("Restore");
    for words in ["can be used", "5 records, 0 findings", "bcaa31ea8162"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(site.refused().await, 400);
    let said = site.run("systemctl stop; llm-firecracker events verify");
    assert!(said.contains("6 records, 0 findings"), "{said}");
}
