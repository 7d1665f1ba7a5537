//! A new language is one data file: an operator's folder with one, and programs in it with their endings.

use crate::damage::copied_state;
use crate::lab;
use crate::tool::{PATIENCE, Tool};
use serde_json::Value;
use tempfile::TempDir;

/// GNU awk, which the image of bash has.
const AWK: &str = r#"
name = "awk"
aliases = ["gawk"]
extensions = ["awk"]
source_file = "main.awk"
runtime = "GNU awk 5.2"
run = ["/usr/bin/awk", "-f", "{program}", "--"]
env = { OF_AWK = "always" }
drivers = ["greeting"]
warm_up = "BEGIN { print \"ready\" }"
image = "bash"

[samples]
hello = "BEGIN { print \"hello\" }"
answer = "BEGIN { print 6 * 7 }"
sleep = "BEGIN { system(\"sleep {seconds}\") }"
"#;

/// A program, flags, and what its result is looked at for.
struct Case {
    program: &'static str,
    flags: &'static [&'static str],
    stdin: &'static str,
    code: i32,
    check: fn(&Value),
}

const CASES: &[Case] = &[
    Case {
        program: "BEGIN { print 6 * 7, ENVIRON[\"OF_AWK\"], ENVIRON[\"HOME\"], ARGV[1], \"ü€\" }",
        flags: &["--", "a b"],
        stdin: "",
        code: 0,
        check: |result| assert_eq!(result["stdout"], "42 always /work a b ü€\n"),
    },
    Case {
        program: "{ print toupper($0) } END { print NR }",
        flags: &[],
        stdin: "one\ntwo\n",
        code: 0,
        check: |result| assert_eq!(result["stdout"], "ONE\nTWO\n2\n"),
    },
    Case {
        program: "BEGIN { getline line < \"/dev/zygote/awk/greeting\"; print line }",
        flags: &[],
        stdin: "",
        code: 0,
        check: |result| assert_eq!(result["stdout"], "a driver\n"),
    },
    Case {
        program: "BEGIN { print \"gone\" > \"/dev/stderr\"; exit 3 }",
        flags: &[],
        stdin: "",
        code: 3,
        check: |result| {
            assert_eq!(
                (&result["status"], &result["stderr"]),
                (&"error".into(), &"gone\n".into())
            );
        },
    },
    Case {
        program: "BEGIN { print \"x\" ( }",
        flags: &[],
        stdin: "",
        code: 1,
        check: |result| {
            let stderr = result["stderr"].as_str().unwrap();
            assert!(stderr.contains("main.awk:1:"), "{stderr}");
        },
    },
    Case {
        program: "BEGIN { system(\"kill -TERM \" PROCINFO[\"pid\"]) }",
        flags: &[],
        stdin: "",
        code: 128 + 15,
        check: |result| assert_eq!(result["signal"], 15),
    },
    Case {
        program: "BEGIN { while (1) n++ }",
        flags: &["--timeout", "1"],
        stdin: "",
        code: 124,
        check: |result| assert_eq!(result["status"], "timeout"),
    },
    Case {
        program: "BEGIN { while (n++ < 100000) print \"0123456789\" }",
        flags: &[],
        stdin: "",
        code: 0,
        check: |result| {
            assert_eq!(result["stdout"].as_str().unwrap().len(), 1024 * 1024);
            assert_eq!(result["stdout_truncated"], true);
        },
    },
];

fn folder(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("awk.toml"), text).unwrap();
    std::fs::create_dir(folder.path().join("awk")).unwrap();
    std::fs::write(folder.path().join("awk/greeting"), "a driver\n").unwrap();
    folder
}

/// A host of its own: other languages are another initramfs beside the images.
struct Host {
    languages: TempDir,
    state: TempDir,
}

impl Host {
    fn with(text: &str) -> Host {
        Host {
            languages: folder(text),
            state: copied_state(),
        }
    }

    fn tool(&self) -> Tool {
        let tool = Tool::with(self.state.path(), &lab::lab().config_aside);
        tool.arg("--languages-dir").arg(self.languages.path())
    }
}

#[test]
fn a_new_language_is_one_data_file() {
    if !lab::lab().has("bash") {
        return;
    }
    let host = Host::with(AWK);
    let listed = host
        .tool()
        .args(["languages", "--json"])
        .finish(PATIENCE)
        .json();
    let rows = listed["languages"].as_array().unwrap();
    let awk = rows.iter().find(|row| row["language"] == "awk").unwrap();
    assert_eq!(
        (&awk["runtime"], &awk["image"]),
        (&"GNU awk 5.2".into(), &true.into())
    );
    // Its image is there: it is bash's.
    let built = host
        .tool()
        .args(["images", "build", "gawk"])
        .finish(PATIENCE);
    assert_eq!(built.code(), Some(0), "{}", built.err());
    for case in CASES {
        // The language comes from the extension.
        let done = host
            .tool()
            .program("awk", case.program)
            .arg("--json")
            .args(case.flags)
            .stdin(case.stdin)
            .go();
        assert_eq!(
            done.code(),
            Some(case.code),
            "{} {} {}",
            case.program,
            done.out(),
            done.err()
        );
        let result = done.json();
        (case.check)(&result);
        println!("awk {}: {}", case.program, result["status"]);
    }
}

/// Its warm-up runs in each VM that waits, and none of them has an interpreter to load.
#[test]
fn a_new_language_has_a_pool_and_is_measured() {
    if !lab::lab().has("bash") {
        return;
    }
    let host = Host::with(AWK);
    let slot = lab::alone();
    let done = host
        .tool()
        .args(["bench", "awk", "--paths", "pool", "--runs", "2", "--json"])
        .finish(PATIENCE);
    drop(slot);
    assert_eq!(done.code(), Some(0), "{}", done.err());
    let measured = done.json();
    let row = &measured["latency"][0];
    assert_eq!(
        (&row["language"], &row["path"]),
        (&"awk".into(), &"pool".into())
    );
}

#[test]
fn a_file_that_cannot_be_meant_is_told_with_its_field() {
    let wrong = Host::with(&AWK.replace("\"GNU awk 5.2\"", "\"awk\""));
    let done = wrong.tool().program("sh", "echo never").finish(PATIENCE);
    assert_eq!((done.code(), done.out()), (Some(2), String::new()));
    let told = done.err();
    for word in ["awk.toml: runtime is \"awk\"", "write a name and a version"] {
        assert!(told.contains(word), "{told}");
    }
    let open = Host::with(AWK);
    let file = open.languages.path().join("awk.toml");
    let everybodys = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    std::fs::set_permissions(&file, everybodys).unwrap();
    let done = open.tool().arg("languages").finish(PATIENCE);
    assert_eq!(done.code(), Some(2));
    assert!(done.err().contains("awk.toml"), "{}", done.err());
}
