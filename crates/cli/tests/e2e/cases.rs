//! One table of what a program may do and what must come of it, for all languages. The programs are
//! in `python.rs`, `node.rs`, `go.rs`, `rust.rs` and `bash.rs`, of more languages in `cases/`.

mod c;
mod cpp;
mod java;
mod lua;
mod more;
mod perl;
mod php;
mod r;
mod ruby;
mod seen;
mod sources;
mod sqlite;
mod typescript;

use crate::tool::{Done, Tool};
use crate::{bash, go, host, lab, node, python, rust};
use protocol::bytes::Bytes;
use seen::{SYSTEM_ERRORS, assert_ended, assert_limit, assert_says, brief, number, text};
use serde_json::Value;
pub use sources::Sources;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Those whose images are always built.
pub const LANGUAGES: &[&Sources] = &[
    &python::SOURCES,
    &node::SOURCES,
    &go::SOURCES,
    &rust::SOURCES,
    &bash::SOURCES,
];

/// Text, a NUL, and bytes that are no text.
const RAW: &[u8] = b"\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\0\xff\xfe\n";
const LIMIT: usize = 1024 * 1024;
/// To fill the guest's memory takes seconds; where KVM itself is emulated, minutes.
pub const MEMORY_TIMEOUT: &str = "300";
const INPUT: &str = "zwei Zeilen: \u{fc}\u{20ac}\nno newline at the end";
const ARGUMENTS: &[&str] = &[
    "a b",
    "",
    "\u{fc}\u{20ac}",
    "--flag",
    "$HOME `x` 'q' \"d\" \\",
];

/// One row.
struct Case {
    name: &'static str,
    source: fn(&Sources) -> &'static str,
    flags: &'static [&'static str],
    stdin: &'static str,
    /// The status that the result must have, and the tool's exit code where it is always the same.
    status: &'static str,
    code: Option<i32>,
    check: fn(&Sources, &Value),
    /// Runs with no other VM beside it and looks at the host afterwards.
    alone: bool,
}

const PLAIN: Case = Case {
    name: "",
    source: |sources| sources.hello,
    flags: &[],
    stdin: "",
    status: "ok",
    code: Some(0),
    check: |_, _| {},
    alone: false,
};

const CASES: &[Case] = &[
    Case {
        name: "hello",
        check: |_, result| {
            assert_eq!(
                (&result["stdout"], &result["stderr"]),
                (&"hello\n".into(), &"".into())
            );
            assert_eq!(result["exit_code"], 0);
            assert_eq!(result["phase"], "execute");
            for field in ["boot", "execute", "total"] {
                assert!(number(&result["timings"][field]) > 0.0, "timings.{field}");
            }
            assert!(number(&result["usage"]["memory_peak_mib"]) > 0.0);
            for field in ["engine", "accelerator", "jail"] {
                assert!(
                    text(&result["isolation"][field]).len() > 2,
                    "isolation.{field}"
                );
            }
        },
        ..PLAIN
    },
    Case {
        name: "exit code",
        source: |sources| sources.exit_3,
        status: "error",
        code: Some(3),
        check: |_, result| assert_eq!(result["exit_code"], 3),
        ..PLAIN
    },
    Case {
        name: "stderr",
        source: |sources| sources.stderr,
        check: |_, result| {
            assert_eq!(
                (&result["stdout"], &result["stderr"]),
                (&"out\n".into(), &"err\n".into())
            );
        },
        ..PLAIN
    },
    Case {
        name: "stdin",
        source: |sources| sources.echo,
        stdin: INPUT,
        check: |_, result| assert_eq!(result["stdout"], INPUT),
        ..PLAIN
    },
    Case {
        name: "arguments",
        source: |sources| sources.arguments,
        flags: &[
            "--",
            ARGUMENTS[0],
            ARGUMENTS[1],
            ARGUMENTS[2],
            ARGUMENTS[3],
            ARGUMENTS[4],
        ],
        check: |_, result| {
            let expected: String = ARGUMENTS.iter().map(|arg| format!("<{arg}>\n")).collect();
            assert_eq!(result["stdout"], expected);
        },
        ..PLAIN
    },
    Case {
        name: "exception",
        source: |sources| sources.exception,
        status: "error",
        code: None,
        check: |sources, result| {
            let (code, words) = sources.exception_says;
            assert_ended(result, code);
            assert_says(&result["stderr"], words);
        },
        ..PLAIN
    },
    Case {
        name: "endless loop",
        source: |sources| sources.endless,
        flags: &["--timeout", "2", "--scan", "off"],
        status: "timeout",
        code: Some(124),
        check: |_, result| {
            assert_limit(result, "wall_time", Some(2000));
            let execute = number(&result["timings"]["execute"]);
            assert!((2.0..3.0).contains(&execute), "ended after {execute} s");
            assert_says(&result["stdout"], &["begun\n"]);
        },
        ..PLAIN
    },
    Case {
        name: "memory",
        source: |sources| sources.hog,
        flags: &["--timeout", MEMORY_TIMEOUT, "--scan", "off"],
        status: "oom",
        code: Some(137),
        check: |_, result| {
            assert_limit(result, "memory", None);
            let limit = number(&result["limit"]["value"]);
            assert!((2e8..537e6).contains(&limit), "the limit was {limit} bytes");
        },
        ..PLAIN
    },
    Case {
        name: "broken program",
        source: |sources| sources.broken,
        status: "error",
        code: None,
        check: |sources, result| {
            let (phase, code, words) = sources.broken_says;
            assert_eq!(
                (&result["phase"], &result["exit_code"]),
                (&phase.into(), &code.into())
            );
            assert_says(&result["stderr"], words);
            assert_eq!(result["stdout"], "");
            let (compile, execute) = (&result["timings"]["compile"], &result["timings"]["execute"]);
            assert_eq!(
                (number(compile) > 0.0, number(execute) > 0.0),
                (phase == "compile", phase == "execute")
            );
        },
        ..PLAIN
    },
    Case {
        name: "bytes",
        source: |sources| sources.bytes,
        check: |_, result| {
            let raw: Bytes = serde_json::from_value(result["stdout_base64"].clone()).unwrap();
            assert_eq!(raw.0, RAW);
            assert_eq!(result["stdout"], String::from_utf8_lossy(RAW).as_ref());
        },
        ..PLAIN
    },
    Case {
        name: "5 MB of output",
        source: |sources| sources.flood,
        flags: &["--timeout", "60"],
        check: |_, result| {
            let stdout = text(&result["stdout"]);
            assert!(
                stdout.len() == LIMIT && stdout.bytes().all(|byte| byte == b'x'),
                "{} bytes",
                stdout.len()
            );
            assert_eq!(
                (&result["stdout_truncated"], &result["stderr_truncated"]),
                (&true.into(), &false.into())
            );
        },
        ..PLAIN
    },
    Case {
        name: "files of the system",
        source: |sources| sources.trespass,
        check: |_, result| {
            let expected = "passwd allowed\ntmp allowed\nshadow refused\nusr refused\netc refused\nroot refused\n";
            assert_eq!(result["stdout"], expected, "{}", result["stderr"]);
        },
        ..PLAIN
    },
    Case {
        name: "no network",
        source: |sources| sources.network,
        check: |_, result| {
            let lines: Vec<&str> = text(&result["stdout"]).lines().collect();
            assert_eq!(lines.len(), 3, "{lines:?} {}", result["stderr"]);
            for (line, name) in lines.iter().zip(["public", "metadata", "lookup"]) {
                let error = line
                    .strip_prefix(name)
                    .unwrap_or_else(|| panic!("{line} is not of {name}"));
                assert!(
                    SYSTEM_ERRORS.iter().any(|known| error.contains(known)),
                    "{line}"
                );
            }
            let execute = number(&result["timings"]["execute"]);
            assert!(execute < 5.0, "the errors took {execute} s");
        },
        ..PLAIN
    },
    Case {
        name: "fork bomb",
        source: |sources| sources.bomb,
        // Few enough to be there in time where each takes a second to start.
        flags: &["--timeout", "20", "--pids", "32", "--scan", "off"],
        status: "",
        code: None,
        check: |_, result| {
            let named = text(&result["limit"]["name"]) == "pids"
                || result["notes"].to_string().contains("32 processes");
            assert!(
                named,
                "the limit is not named: {} {}",
                result["limit"], result["notes"]
            );
            let contained = ["ok", "error", "timeout", "killed"];
            assert!(contained.contains(&text(&result["status"])), "{result}");
        },
        alone: true,
        ..PLAIN
    },
    Case {
        name: "daemon",
        source: |sources| sources.daemon,
        check: |_, result| assert_eq!(result["stdout"], "started\n", "{}", result["stderr"]),
        alone: true,
        ..PLAIN
    },
];

fn check(case: &Case, sources: &Sources) {
    let tool = Tool::run(sources.extension, (case.source)(sources))
        .args(["--json"])
        .args(case.flags)
        .stdin(case.stdin);
    let done: Done = if case.alone {
        let _alone = lab::alone();
        let done = tool.finish(crate::tool::PATIENCE);
        let left = host::vm_processes();
        assert!(left.is_empty(), "processes of the VM are left: {left:?}");
        done
    } else {
        tool.go()
    };
    let result = done.json();
    if !case.status.is_empty() {
        assert_eq!(
            result["status"],
            case.status,
            "{} {}",
            brief(&result),
            done.err()
        );
    }
    if let Some(code) = case.code {
        assert_eq!(done.code(), Some(code), "{}", done.err());
    }
    (case.check)(sources, &result);
    println!(
        "{} {}: {} by {} in {:.2} s",
        sources.language,
        case.name,
        result["status"],
        result["timings"]["path"],
        done.wall.as_secs_f64()
    );
}

/// Runs all rows of one language; every failure is shown, not just the first.
fn check_all(sources: &Sources) {
    if !lab::lab().has(sources.language) {
        return;
    }
    // A developer may ask for some rows only.
    let wanted = std::env::var("LLM_FIRECRACKER_CASE").unwrap_or_default();
    let failed: Vec<&str> = CASES
        .iter()
        .filter(|case| case.name.contains(&wanted))
        .filter(|case| catch_unwind(AssertUnwindSafe(|| check(case, sources))).is_err())
        .map(|case| case.name)
        .collect();
    assert!(
        failed.is_empty(),
        "{}: {}",
        sources.language,
        failed.join(", ")
    );
}

#[test]
fn python_cases() {
    check_all(&python::SOURCES);
}

#[test]
fn node_cases() {
    check_all(&node::SOURCES);
}

#[test]
fn go_cases() {
    check_all(&go::SOURCES);
}

#[test]
fn rust_cases() {
    check_all(&rust::SOURCES);
}

#[test]
fn bash_cases() {
    check_all(&bash::SOURCES);
}
