//! E2B's clients as they are in production: by domain, with a certificate for all its names, and keys. Among them the
//! clients of December 2024, which can be pointed here in no other way, and what they reach by `get_host`.
//!
//! The names and the port 443 are those of a network namespace of the test's own, where [`names`] answers for them; the
//! service runs there, too.

mod authority;
mod names;

use crate::e2b::{client, repository, said_by};
use crate::lab;
use crate::service::{Service, tool};
use names::Namespace;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// What all names are below.
const DOMAIN: &str = "sandboxes.test";
/// The newest clients, and the oldest that are tested.
const PYTHON: &[&str] = &["2.63.0", "1.0.5"];
const JAVASCRIPT: &[&str] = &["2.51.0", "1.0.5"];

/// What a client needs to be told.
struct Pointed {
    key: String,
    authority: PathBuf,
}

impl Pointed {
    /// What a client's program prints last; fails where it fails.
    fn run(&self, mut program: Command) -> String {
        program
            .env("E2B_DOMAIN", DOMAIN)
            .env("E2B_API_KEY", &self.key)
            .env("SSL_CERT_FILE", &self.authority)
            .env("NODE_EXTRA_CA_CERTS", &self.authority);
        let said = said_by(program);
        let last = said.trim_end().lines().last();
        last.unwrap_or_default().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_two_years_come_by_domain_and_reach_ports() {
    let _alone = lab::alone().await;
    if !lab::can_run("agent") {
        return;
    }
    // The namespaces are those of one thread, and of what it starts.
    let thread = std::thread::spawn(|| match Namespace::enter(DOMAIN) {
        Ok(_namespace) => by_domain(),
        Err(why) => _ = lab::not_run(&format!("there is no namespace to be had: {why}")),
    });
    thread.join().unwrap();
}

fn by_domain() {
    let dir = tempfile::tempdir().unwrap();
    let authority = authority::make(dir.path(), DOMAIN);
    let settings = settings(dir.path());
    let config = lab::config_file("e2b-domain", &settings);
    let add = ["keys", "add", "tester", "--e2b"];
    let key = tool(&config).args(add).output().unwrap().stdout;
    let key = String::from_utf8(key).unwrap().trim().to_owned();
    let service = Service::start_at("127.0.0.1:443", "e2b-domain", &settings);
    let pointed = Pointed { key, authority };
    let tests = repository().join("tests/clients/e2b");
    // All of them wait for sandboxes most of their time.
    std::thread::scope(|scope| {
        for version in PYTHON {
            for lot in lots(&tests) {
                let pointed = &pointed;
                scope.spawn(move || python(version, pointed, lot));
            }
        }
        for version in JAVASCRIPT {
            scope.spawn(|| javascript(version, &pointed, &tests));
        }
    });
    service.stop();
}

fn settings(dir: &Path) -> String {
    let file = |name: &str| dir.join(name);
    format!(
        "[server]\nkeys_file = {:?}\n[server.tls]\ncertificate = {:?}\nkey = {:?}\n\
         [server.e2b]\ndomain = \"{DOMAIN}\"\nopen_by_name = true\nports = true\n\
         [server.sessions]\nsessions = 16\n\
         [server.key_defaults]\nsessions = 16\nrequests_per_second = 500.0\nburst = 5000\n",
        file("keys.json"),
        file("cert.pem"),
        file("key.pem"),
    )
}

/// All files of tests for Python, in two lots.
fn lots(tests: &Path) -> [Vec<PathBuf>; 2] {
    let files = std::fs::read_dir(tests).unwrap();
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.retain(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("test_") && name.ends_with(".py")
    });
    files.sort();
    let of = |lot| files.iter().skip(lot).step_by(2).cloned().collect();
    [of(0), of(1)]
}

fn python(version: &str, pointed: &Pointed, lot: Vec<PathBuf>) {
    let Some(folder) = client(&format!("e2b-{version}")) else {
        return;
    };
    let begun = Instant::now();
    let mut pytest = Command::new(folder.join("bin/python"));
    pytest.args(["-m", "pytest", "-q", "-p", "no:cacheprovider"]);
    pytest.args(["--tb=short", "--timeout=120"]);
    pytest.args(lot).env("PYTHONDONTWRITEBYTECODE", "1");
    let said = pointed.run(pytest);
    let took = begun.elapsed();
    println!("Python {version} by domain: {said} ({took:.0?})");
}

fn javascript(version: &str, pointed: &Pointed, tests: &Path) {
    let Some(folder) = client(&format!("e2b-js-{version}")) else {
        return;
    };
    let begun = Instant::now();
    let mut node = Command::new("node");
    node.arg(tests.join("client.mjs")).arg(folder);
    let said = pointed.run(node);
    let took = begun.elapsed();
    println!("JavaScript {version} by domain: {said} ({took:.0?})");
}
