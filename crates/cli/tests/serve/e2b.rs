//! E2B's own clients, unchanged, at pinned versions (`scripts/test-clients.sh` installs them): what they say of a service
//! that they take for E2B's. The tests themselves are in `tests/clients/e2b`.

use crate::behaviours::{self, Of};
use crate::lab;
use crate::service::Service;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The newest client for Python, and one of the end of each year before whose sandboxes can be named by an address of
/// one's own.
const PYTHON: &[&str] = &["2.63.0", "2.8.1"];
/// The same for JavaScript.
const JAVASCRIPT: &[&str] = &["2.51.0", "2.8.1"];
/// As many sandboxes as the tests have at one time, and requests as fast as they come.
const ROOM: &str =
    "[server.key_defaults]\nsessions = 8\nrequests_per_second = 500.0\nburst = 5000\n";

/// The checkout.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A client's folder; says so where it is missing.
pub fn client(name: &str) -> Option<PathBuf> {
    let folder = repository().join("target/test-clients").join(name);
    if folder.join("installed").exists() {
        return Some(folder);
    }
    lab::not_run(&format!("{name} is missing: scripts/test-clients.sh"));
    None
}

/// What a run of a client's tests comes to: its last line. With the newest client, all that the tables name has passed.
pub fn outcome(folder: &Path, of: Option<Of>, said: &str) -> String {
    let last = said.trim_end().lines().last().unwrap_or_default();
    match of {
        None => last.to_owned(),
        Some(of) => format!("{last}; {}", behaviours::check(folder, of, said)),
    }
}

/// Runs a program against the service as if it were E2B's; all that it says.
pub fn against(service: &Service, mut program: Command) -> String {
    program
        .env("E2B_API_KEY", format!("e2b_{}", "0".repeat(40)))
        .env("E2B_API_URL", &service.base)
        .env("E2B_SANDBOX_URL", &service.base);
    said_by(program)
}

/// All that a program says; fails where it fails.
pub fn said_by(mut program: Command) -> String {
    let done = program.output().unwrap();
    let both = [done.stdout.as_slice(), done.stderr.as_slice()].concat();
    let said = String::from_utf8_lossy(&both).into_owned();
    assert!(done.status.success(), "{program:?}\n{said}");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn e2bs_clients_take_the_service_for_e2bs() {
    let _alone = lab::alone().await;
    if !lab::can_run("agent") {
        return;
    }
    let service = Service::start("e2b", ROOM);
    let tests = repository().join("tests/clients/e2b");
    for version in PYTHON {
        let Some(folder) = client(&format!("e2b-{version}")) else {
            continue;
        };
        let mut pytest = Command::new(folder.join("bin/python"));
        pytest.args([
            "-m",
            "pytest",
            "-q",
            "-rp",
            "-p",
            "no:cacheprovider",
            "--timeout=120",
        ]);
        pytest.arg(&tests).env("PYTHONDONTWRITEBYTECODE", "1");
        let said = against(&service, pytest);
        let of = (*version == PYTHON[0]).then_some(Of::Python);
        println!("Python {version}: {}", outcome(&tests, of, &said));
    }
    for version in JAVASCRIPT {
        let Some(folder) = client(&format!("e2b-js-{version}")) else {
            continue;
        };
        let mut node = Command::new("node");
        node.arg(tests.join("client.mjs")).arg(folder);
        let said = against(&service, node);
        let of = (*version == JAVASCRIPT[0]).then_some(Of::JavaScript);
        println!("JavaScript {version}: {}", outcome(&tests, of, &said));
    }
}
