//! The sandbox of resolvers: `confine`'s, with the host's network, for what they are there for is to ask registries. Of
//! the host's files they see its libraries, its certificates and how it finds names; nothing of them can be written to.
//! They are others' programs and read what anybody may publish, so what they write is read as others' words, too.

use super::error::ResolveError;
use super::words;
use crate::child::Tool;
use crate::confine;
use crate::error::ImageError;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Where the request is in the sandbox.
pub(super) const REQUEST: &str = "/request";
/// The certificates in it.
pub(super) const CERTIFICATES: &str = "/certificates.pem";
/// Where hosts have them, when the environment does not say.
const HOST_CERTIFICATES: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
];
/// Libraries of the host, where they are folders; where they are links, the links.
const LIBRARIES: [&str; 4] = ["/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/lib", "/lib64"];
/// How names of hosts are found.
const NAMES: [&str; 3] = ["/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf"];
/// Of the host's environment: how the network is reached.
const PROXIES: [&str; 8] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
];
/// Bytes of its folder for what it fetches; the index's pages of a hundred packages have a tenth.
const CACHE_BYTES: u64 = 512 << 20;
/// Bytes of what it prints.
const MAX_OUTPUT_BYTES: u64 = 16 << 20;
/// Lines of what it says of a failure.
const MAX_LINES: usize = 200;
/// In KiB: its own memory; in blocks of 512 bytes: a file. No core files.
const LIMITS: &str = r#"ulimit -d 4194304 && ulimit -f 1048576 && ulimit -c 0 && exec "$@""#;

/// A resolver and what it is run with.
pub(super) struct Jail<'a> {
    /// `uv` or `npm`.
    pub(super) name: &'static str,
    /// Of its own: the host's path, and where it is in the sandbox.
    pub(super) shown: &'a [(&'a Path, &'a str)],
    /// What is asked; it may write there.
    pub(super) request: &'a Path,
    pub(super) env: &'a [(&'a str, &'a str)],
    pub(super) argv: &'a [&'a str],
    pub(super) deadline: Duration,
}

/// What it came to.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) stdout: Vec<u8>,
    /// As it said them.
    pub(super) lines: Vec<String>,
}

impl Ended {
    pub(super) fn words(&self) -> String {
        words::shown(self.lines.iter().map(String::as_str))
    }
}

impl Jail<'_> {
    /// Runs it to its end. That it failed is no error, but that the sandbox did.
    pub(super) fn run(&self) -> Result<Ended, ResolveError> {
        let tool = Tool {
            name: confine::PROGRAM,
            doing: "resolving packages",
            deadline: self.deadline,
        };
        let lines = Mutex::new(Vec::new());
        let keep = |line: &str| {
            let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
            if lines.len() < MAX_LINES {
                lines.push(line.to_owned());
            }
        };
        let ran = tool.run_for_status(&mut self.command(), keep, |stdout| {
            let mut bytes = Vec::new();
            let read = stdout.take(MAX_OUTPUT_BYTES + 1).read_to_end(&mut bytes);
            read.map_err(ImageError::io("reading the output of", self.name.as_ref()))?;
            Ok(bytes)
        });
        let (stdout, status) = match ran {
            Ok(ran) => ran,
            Err(ImageError::Deadline { .. }) => {
                return Err(ResolveError::TooLong {
                    seconds: self.deadline.as_secs(),
                });
            }
            Err(error) => return Err(error.into()),
        };
        let lines = lines.into_inner().unwrap_or_else(PoisonError::into_inner);
        let ended = Ended {
            status,
            stdout,
            lines,
        };
        self.check(ended)
    }

    fn check(&self, ended: Ended) -> Result<Ended, ResolveError> {
        if ended.stdout.len() as u64 > MAX_OUTPUT_BYTES {
            return Err(ResolveError::Output {
                tool: self.name,
                why: format!("more than {MAX_OUTPUT_BYTES} bytes"),
            });
        }
        // It has the status of what it runs, and of its own failures one that this may have, too; those it names.
        let of_sandbox = |line: &String| line.starts_with("bwrap: ");
        match ended.lines.first().is_some_and(of_sandbox) && !ended.status.success() {
            true => Err(ResolveError::Resolver {
                tool: confine::PROGRAM,
                status: ended.status.to_string(),
                words: ended.words(),
            }),
            false => Ok(ended),
        }
    }

    fn command(&self) -> Command {
        let mut command = confine::command();
        command.arg("--share-net");
        for (name, value) in self.env {
            command.args(["--setenv", name, value]);
        }
        for name in PROXIES {
            if let Ok(value) = std::env::var(name) {
                command.args(["--setenv", name, &value]);
            }
        }
        show_host(&mut command);
        command.args(confine::FRESH_BUT_TMP);
        command.args(["--size", &CACHE_BYTES.to_string(), "--tmpfs", "/tmp"]);
        for (path, inside) in self.shown {
            command.arg("--ro-bind").arg(path).arg(inside);
        }
        command
            .arg("--bind")
            .arg(self.request)
            .args([REQUEST, "--chdir", REQUEST])
            // What is left of them is memory without a bound.
            .args(["--remount-ro", "/", "--remount-ro", "/dev"]);
        command
            .args(["--", "/bin/sh", "-c", LIMITS, "sh"])
            .args(self.argv);
        command
    }
}

fn show_host(command: &mut Command) {
    for path in LIBRARIES.iter().map(Path::new) {
        match std::fs::read_link(path) {
            Ok(target) => command.arg("--symlink").arg(target).arg(path),
            Err(_) => command.arg("--ro-bind-try").arg(path).arg(path),
        };
    }
    command.args(["--ro-bind", "/bin/sh", "/bin/sh"]);
    for path in NAMES {
        command.args(["--ro-bind-try", path, path]);
    }
    if let Some(certificates) = certificates() {
        command.arg("--ro-bind").arg(certificates).arg(CERTIFICATES);
    }
}

/// The host's, or what its environment says, as the tool's own downloads trust.
fn certificates() -> Option<PathBuf> {
    let named = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    let all = named
        .into_iter()
        .chain(HOST_CERTIFICATES.map(PathBuf::from));
    all.into_iter().find(|path| path.is_file())
}

/// The lines that a resolver wrote to a file of its request: bounded, and through no link.
pub(super) fn read_written(folder: &Path, name: &str) -> Result<Vec<u8>, ImageError> {
    use std::os::unix::fs::OpenOptionsExt;
    let path = folder.join(name);
    let mut options = std::fs::OpenOptions::new();
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    options.read(true).custom_flags(flags.bits() as i32);
    let file = options
        .open(&path)
        .map_err(ImageError::io("opening", &path))?;
    let is_file = file
        .metadata()
        .map_err(ImageError::io("looking at", &path))?
        .is_file();
    if !is_file {
        return Err(ImageError::unexpected(format!("{name} is no file")));
    }
    let mut bytes = Vec::new();
    let read = file.take(MAX_OUTPUT_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(ImageError::io("reading", &path))?;
    match bytes.len() as u64 > MAX_OUTPUT_BYTES {
        true => Err(ImageError::unexpected(format!(
            "{name} has more than {MAX_OUTPUT_BYTES} bytes"
        ))),
        false => Ok(bytes),
    }
}

#[cfg(test)]
mod tests;
