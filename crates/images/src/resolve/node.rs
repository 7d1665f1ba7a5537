//! Packages of npm's registry: by `npm install --package-lock-only`, which runs and unpacks nothing.

use super::error::ResolveError;
use super::jail::{CERTIFICATES, Ended, Jail, read_written};
use super::set::Resolved;
use super::{Resolver, request_folder, words, write_request};
use crate::npm;
use protocol::packages::Registry;
use protocol::packages::node::NodeRequirement;
use serde_json::{Map, Value, json};
use std::path::Path;

const NODE: &str = "/node";
const NPM: &str = "/npm";
const BUNDLES: &str = "/bundles.cjs";
const ENVIRONMENT: &[(&str, &str)] = &[("NODE_EXTRA_CA_CERTS", CERTIFICATES)];
const LOCK: &str = "package-lock.json";

const ARGV: &[&str] = &[
    NODE,
    "--max-old-space-size=2048",
    "--require",
    BUNDLES,
    "/npm/bin/npm-cli.js",
    "install",
    "--package-lock-only",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--no-update-notifier",
    "--omit=dev",
    "--os=linux",
    "--cpu=x64",
    "--libc=glibc",
    // What a package depends on comes from the registry as well, and from nowhere else.
    "--allow-git=none",
    "--allow-remote=none",
    "--allow-file=none",
    "--allow-directory=none",
    "--omit-lockfile-registry-resolved",
    "--fetch-retries=2",
    "--fetch-retry-mintimeout=1000",
    "--fetch-retry-maxtimeout=5000",
    "--cache=/tmp/npm",
    "--logs-max=0",
    "--loglevel=error",
    "--color=false",
];

/// npm's codes of what is wrong with what is asked for.
const NO_SOLUTION: [&str; 9] = [
    "E404",
    "ETARGET",
    "ERESOLVE",
    "ENOVERSIONS",
    "EBADENGINE",
    "EALLOWGIT",
    "EALLOWREMOTE",
    "EALLOWFILE",
    "EUNSUPPORTEDPROTOCOL",
];
/// Of what is wrong with the way to the registry, or with that.
const UNREACHABLE: [&str; 12] = [
    "ECONNREFUSED",
    "ECONNRESET",
    "ENOTFOUND",
    "ETIMEDOUT",
    "EAI_AGAIN",
    "ENETUNREACH",
    "EHOSTUNREACH",
    "ERR_SOCKET_TIMEOUT",
    "E401",
    "E403",
    "E500",
    "E503",
];

/// What its lines begin with, besides `npm error`.
const LABELS: [&str; 3] = ["404", "notarget", "ERESOLVE"];
/// Beginnings of lines on a folder that is gone, and on what to type instead.
const NO_USE: [&str; 8] = [
    "code ",
    "A complete log of this run",
    "Log files were not written",
    "For a full report see",
    "/tmp/npm/",
    "Note that you can also install",
    "tarball, folder, http url",
    "Fix the upstream dependency conflict",
];

impl Resolver<'_> {
    pub(super) fn node(&self, asked: &[NodeRequirement]) -> Result<Resolved, ResolveError> {
        let registry = npm::registry(self.rules.npm_registry.as_deref());
        let tool = self.tools.npm(&registry)?;
        let folder = request_folder()?;
        let dependencies = asked
            .iter()
            .map(|one| (one.name.clone(), Value::from(one.range.as_str())));
        let dependencies: Map<String, Value> = dependencies.collect();
        let package = json!({"name": "program", "private": true, "dependencies": dependencies});
        write_request(folder.path(), "package.json", &package.to_string())?;
        // Not on a command line, which everybody on the host may read.
        write_request(folder.path(), ".npmrc", &format!("registry={registry}\n"))?;
        let shown: [(&Path, &str); 3] = [
            (&tool.node, NODE),
            (&tool.folder, NPM),
            (&tool.bundles, BUNDLES),
        ];
        let jail = Jail {
            name: "npm",
            shown: &shown,
            request: folder.path(),
            env: ENVIRONMENT,
            argv: ARGV,
            deadline: self.rules.deadline(),
        };
        let ended = jail.run()?;
        match ended.status.success() {
            true => Resolved::of_node(&read_written(folder.path(), LOCK)?),
            false => Err(failure(&ended)),
        }
    }
}

fn failure(ended: &Ended) -> ResolveError {
    let own: Vec<&str> = ended
        .lines
        .iter()
        .filter_map(|line| Some(line.strip_prefix("npm error")?.trim_start()))
        .collect();
    let code = own
        .iter()
        .find_map(|line| line.strip_prefix("code "))
        .unwrap_or_default();
    let plain = own.iter().map(|line| {
        let word = LABELS.iter().find_map(|label| line.strip_prefix(label));
        word.unwrap_or(line).trim_start()
    });
    let words = match own.is_empty() {
        true => ended.words(),
        false => {
            words::shown(plain.filter(|line| !NO_USE.iter().any(|start| line.starts_with(start))))
        }
    };
    if NO_SOLUTION.contains(&code) {
        return ResolveError::NoSolution { words };
    }
    if UNREACHABLE.contains(&code) {
        let registry = Registry::Npm;
        return ResolveError::Unreachable { registry, words };
    }
    ResolveError::Resolver {
        tool: "npm",
        status: ended.status.to_string(),
        words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    #[test]
    fn failures_are_told_apart_by_npms_codes() {
        let ended = |lines: &[&str]| Ended {
            status: ExitStatus::from_raw(1 << 8),
            stdout: Vec::new(),
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        };
        let none = failure(&ended(&[
            "npm error code ETARGET",
            "npm error notarget No matching version found for lodash@>=99.",
            "npm error A complete log of this run can be found in: /tmp/npm/_logs/x.log",
        ]));
        assert_eq!(
            none.to_string(),
            "the packages that are asked for cannot be had: No matching version found for lodash@>=99."
        );
        for (code, of_request) in [
            ("E404", true),
            ("ERESOLVE", true),
            ("EALLOWGIT", true),
            ("ECONNREFUSED", false),
            ("EWHAT", false),
        ] {
            let error = failure(&ended(&[&format!("npm error code {code}")]));
            assert_eq!(error.is_of_request(), of_request, "{code}");
        }
        let silent = failure(&ended(&["Killed"]));
        assert!(silent.to_string().ends_with("Killed"), "{silent}");
    }
}
