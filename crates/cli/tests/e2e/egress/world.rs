//! The outside, in network namespaces that this test makes: one in which the tool runs, and one with a DNS server and web
//! servers at public addresses, joined by a pair of devices. Nothing leaves this machine.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// The tool's own address, and that of everybody else.
pub const HOST: &str = "93.184.216.1";
pub const OUTSIDE: &str = "93.184.216.2";
const START: Duration = Duration::from_secs(20);

/// Of this process: tests run beside each other.
static MADE: AtomicU32 = AtomicU32::new(0);

/// Dropped, all of it is gone.
pub struct World {
    name: String,
    server: Option<Child>,
    heard: Receiver<String>,
    folder: tempfile::TempDir,
}

impl World {
    /// Makes it; an error says what is missing here.
    pub fn new(names: &serde_json::Value) -> Result<World, String> {
        if !rustix::process::geteuid().is_root() {
            return Err("network namespaces are root's to make".into());
        }
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let (say, heard) = channel();
        let mut world = World {
            name: format!(
                "llmf-{}-{}",
                std::process::id(),
                MADE.fetch_add(1, Ordering::Relaxed)
            ),
            server: None,
            heard,
            folder,
        };
        world.certificates()?;
        std::fs::write(world.path("names.json"), names.to_string()).unwrap();
        world.namespaces()?;
        world.serve(say)?;
        Ok(world)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The namespace in which the tool runs.
    pub fn namespace(&self) -> PathBuf {
        PathBuf::from(format!("/run/netns/{}-host", self.name))
    }

    /// What the servers say they were asked for, so far.
    pub fn heard(&self) -> Vec<String> {
        self.heard.try_iter().collect()
    }

    fn certificates(&self) -> Result<(), String> {
        let names: Vec<String> = ["api", "web", "mixed"]
            .map(|it| format!("{it}.example"))
            .into();
        let ca_key = rcgen::KeyPair::generate().unwrap();
        let mut ca = rcgen::CertificateParams::new(Vec::new()).unwrap();
        ca.distinguished_name
            .push(rcgen::DnType::CommonName, "the outside's CA");
        ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        ca.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign];
        let ca = rcgen::CertifiedIssuer::self_signed(ca, ca_key).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let mut leaf = rcgen::CertificateParams::new(names).unwrap();
        leaf.use_authority_key_identifier_extension = true;
        let leaf = leaf.signed_by(&key, &ca).unwrap();
        let write = |name: &str, text: String| {
            std::fs::write(self.path(name), text).map_err(|error| error.to_string())
        };
        write("ca.pem", ca.pem())?;
        write("world.pem", leaf.pem())?;
        write("world.key", key.serialize_pem())
    }

    fn namespaces(&self) -> Result<(), String> {
        let name = &self.name;
        for line in [
            format!("netns add {name}-host"),
            format!("netns add {name}-out"),
            format!("link add eg0 netns {name}-host type veth peer name eg1 netns {name}-out"),
            format!("-n {name}-host addr add {HOST}/24 dev eg0"),
            format!("-n {name}-host link set eg0 up"),
            format!("-n {name}-host link set lo up"),
            format!("-n {name}-out addr add {OUTSIDE}/24 dev eg1"),
            format!("-n {name}-out link set eg1 up"),
            format!("-n {name}-out link set lo up"),
        ] {
            let made = Command::new("ip").args(line.split(' ')).output();
            let made = made.map_err(|error| format!("ip (package iproute2): {error}"))?;
            if !made.status.success() {
                return Err(format!(
                    "ip {line}: {}",
                    String::from_utf8_lossy(&made.stderr)
                ));
            }
        }
        Ok(())
    }

    fn serve(&mut self, say: std::sync::mpsc::Sender<String>) -> Result<(), String> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/egress/world.py");
        let mut server = Command::new("ip")
            .args([
                "netns",
                "exec",
                &format!("{}-out", self.name),
                "python3",
                script,
                OUTSIDE,
            ])
            .args(["names.json", "world.pem", "world.key"].map(|name| self.path(name)))
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("python3: {error}"))?;
        let said = BufReader::new(server.stdout.take().unwrap());
        self.server = Some(server);
        std::thread::spawn(move || {
            for line in said.lines().map_while(Result::ok) {
                if say.send(line).is_err() {
                    return;
                }
            }
        });
        match self.heard.recv_timeout(START) {
            Ok(line) if line == "ready" => Ok(()),
            other => Err(format!("the servers do not come up: {other:?}")),
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
        for side in ["host", "out"] {
            let _ = Command::new("ip")
                .args(["netns", "delete", &format!("{}-{side}", self.name)])
                .output();
        }
    }
}
