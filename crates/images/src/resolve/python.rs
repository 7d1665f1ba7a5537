//! Packages of PyPI: by `uv pip compile`, of wheels alone, for guests' Python.

use super::error::ResolveError;
use super::jail::{CERTIFICATES, Ended, Jail};
use super::set::{self, Resolved};
use super::{Resolver, request_folder, words, write_request};
use crate::pypi;
use protocol::packages::Registry;
use protocol::packages::python::PythonRequirement;
use std::path::Path;

const PROGRAM: &str = "/uv";
const INTERPRETER: &str = "/python3";
const ENVIRONMENT: &[(&str, &str)] = &[
    ("SSL_CERT_FILE", CERTIFICATES),
    ("UV_CACHE_DIR", "/tmp/uv"),
    ("UV_HTTP_TIMEOUT", "30"),
    ("UV_NO_PROGRESS", "1"),
    ("NO_COLOR", "1"),
];
/// In the folder of the request. The lock is there before: `uv` prefers what it has.
const REQUIRED: &str = "required.txt";
const CONSTRAINTS: &str = "constraints.txt";
const PREFERRED: &str = "lock.txt";
const CONFIG: &str = "uv.toml";
/// `uv`'s own, when nothing fits.
const NO_SOLUTION: i32 = 1;
/// Of everything that goes wrong on the way to an index; its status says only that something did.
const UNREACHABLE: [&str; 4] = [
    "Failed to fetch",
    "error sending request",
    "Failed to download",
    "dns error",
];

const ARGV: &[&str] = &[
    PROGRAM,
    "pip",
    "compile",
    "--config-file",
    CONFIG,
    "--python",
    INTERPRETER,
    "--no-python-downloads",
    // Nothing of a package is run.
    "--only-binary",
    ":all:",
    "--generate-hashes",
    "--no-header",
    "--no-annotate",
    "--no-sources",
    "--keyring-provider",
    "disabled",
    "--system-certs",
    "--constraints",
    CONSTRAINTS,
    "--output-file",
    PREFERRED,
    REQUIRED,
];

impl Resolver<'_> {
    pub(super) fn python(
        &self,
        asked: &[PythonRequirement],
        base: &[u8],
    ) -> Result<Resolved, ResolveError> {
        let index = pypi::index(self.rules.python_index.as_deref());
        let uv = self.tools.uv(&index)?;
        let folder = request_folder()?;
        let asked: Vec<String> = asked.iter().map(ToString::to_string).collect();
        let preferred = set::versions(base)?.into_iter();
        let preferred: Vec<String> = preferred
            .map(|(name, version)| format!("{name}=={version}"))
            .collect();
        // Not on a command line, which everybody on the host may read: it may have a password.
        let config = format!(
            "[[index]]\nurl = {}\ndefault = true\n",
            serde_json::Value::from(index)
        );
        for (name, text) in [
            (REQUIRED, lines(&asked)),
            (CONSTRAINTS, lines(&self.rules.python_constraints())),
            (PREFERRED, lines(&preferred)),
            (CONFIG, config),
        ] {
            write_request(folder.path(), name, &text)?;
        }
        let shown: [(&Path, &str); 2] = [(&uv.program, PROGRAM), (&uv.interpreter, INTERPRETER)];
        let jail = Jail {
            name: "uv",
            shown: &shown,
            request: folder.path(),
            env: ENVIRONMENT,
            argv: ARGV,
            deadline: self.rules.deadline(),
        };
        let ended = jail.run()?;
        match ended.status.success() {
            true => Resolved::of_python(&ended.stdout),
            false => Err(failure(&ended)),
        }
    }
}

fn lines(all: &[String]) -> String {
    all.iter().map(|line| format!("{line}\n")).collect()
}

fn failure(ended: &Ended) -> ResolveError {
    let lines = ended.lines.iter().map(String::as_str);
    // Warnings are of files that no client wrote.
    let words = words::shown(lines.filter(|line| !line.starts_with("warning: ")));
    if UNREACHABLE.iter().any(|sign| words.contains(sign)) {
        let registry = Registry::Pypi;
        return ResolveError::Unreachable { registry, words };
    }
    match ended.status.code() {
        Some(NO_SOLUTION) => ResolveError::NoSolution { words },
        _ => ResolveError::Resolver {
            tool: "uv",
            status: ended.status.to_string(),
            words,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::jail::REQUEST;
    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    #[test]
    fn failures_are_told_apart() {
        let ended = |code: i32, line: &str| Ended {
            status: ExitStatus::from_raw(code << 8),
            stdout: Vec::new(),
            lines: vec![line.to_owned()],
        };
        let none = failure(&ended(
            1,
            "Because only requests<=2.34.2 is available and you require requests>=99",
        ));
        assert!(
            matches!(&none, ResolveError::NoSolution { words } if words.contains("requests>=99")),
            "{none}"
        );
        assert!(none.is_of_request());
        let unreachable = failure(&ended(
            2,
            "cause: Failed to fetch: https://me:word@host/simple/a/",
        ));
        assert!(matches!(unreachable, ResolveError::Unreachable { .. }));
        assert!(!unreachable.to_string().contains("word"));
        let other = failure(&ended(2, "error: unexpected argument"));
        assert!(matches!(other, ResolveError::Resolver { .. }) && !other.is_of_request());
        assert!(
            ARGV.iter().all(|word| !word.starts_with(REQUEST)),
            "paths are relative to the request"
        );
    }
}
