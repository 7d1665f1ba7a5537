//! What is said of a configuration that is wrong.

use super::*;
use crate::settings::table::settings;

fn faults(text: &str) -> Vec<Fault> {
    read(text, |_| Ok(())).map(drop).unwrap_err()
}

#[test]
fn every_fault_is_told_with_its_line() {
    let text = "[limts]\n\n[server]\nlisten = \"nowhere\"\nqueue_secs = 1\n[limits.maxima]\nmemory_mib = 5\n[vmm]\nuid_base = \"x\"\n\
                [audit]\nretention_days = -1\n[pool.python]\nmin = 1\nmaks = 2\n";
    let faults = faults(text);
    let told = |line: usize, words: &[&str]| {
        let fault = faults.iter().find(|fault| fault.line == Some(line));
        let text = &fault.unwrap_or_else(|| panic!("{line}: {faults:?}")).text;
        for word in words {
            assert!(text.contains(word), "{word}: {text}");
        }
    };
    told(
        1,
        &[
            "limts is no setting",
            "did you mean limits?",
            "audit",
            "server",
            "telemetry",
            "languages",
        ],
    );
    told(4, &["server.listen", "\"nowhere\" is no address"]);
    told(
        5,
        &[
            "server.queue_secs",
            "did you mean queue_seconds?",
            "[server] has:",
        ],
    );
    told(
        7,
        &["limits.maxima.memory_mib is 5, allowed is 128 or more"],
    );
    told(9, &["vmm.uid_base", "integer"]);
    told(11, &["audit.retention_days is -1, allowed is 0 "]);
    told(14, &["pool.python.maks", "did you mean max?"]);
}

#[test]
fn a_setting_that_moved_says_where_it_is() {
    for (text, home) in [
        ("[vmm]\naccelerator = \"kvm\"", "accelerator in [engine]"),
        ("[server]\nqueued = 3", "queued in [admission]"),
    ] {
        let fault = faults(text).remove(0);
        assert_eq!(fault.line, Some(2));
        assert!(fault.text.contains(home), "{}", fault.text);
    }
}

#[test]
fn a_pool_of_a_language_that_is_not_there_and_text_that_is_no_toml_are_named() {
    let fault = faults("[pool.pyton]\nmin = 1\nmax = 1").remove(0);
    assert!(fault.text.contains("pyton"), "{fault:?}");
    let fault = faults("[server\n").remove(0);
    assert_eq!(fault.line, Some(1));
}

#[test]
fn each_setting_of_the_file_has_its_line() {
    let text = "state_dir = \"/x\"\n[server.http]\n# a comment\nconnections = 5\n[pool.bash]\nmin = 1\nmax = 2\nrehearsed = true\n";
    let (settings, lines) = read(text, |_| Ok(())).unwrap();
    assert_eq!(settings.server.http.connections, 5);
    for (name, line) in [
        ("state_dir", 1),
        ("server.http.connections", 4),
        ("server", 4),
        ("pool.bash.max", 7),
    ] {
        assert_eq!(lines.of(name), Some(line), "{name}");
    }
    assert_eq!(lines.of("serve"), None);
    assert_eq!(lines.of("audit"), None);
}

#[test]
fn what_an_older_configuration_says_of_time_is_read() {
    let text =
        "[vmm]\nwatchdog_deadline = { secs = 3, nanos = 500000000 }\nwatchdog_interval = 2.5";
    let vmm = read(text, |_| Ok(())).unwrap().0.sandbox.vmm;
    assert_eq!(vmm.watchdog_deadline.as_millis(), 3500);
    assert_eq!(vmm.watchdog_interval.as_millis(), 2500);
}

/// One fault hides no other, whatever kind each is of.
#[test]
fn all_faults_of_a_file_come_in_one_pass() {
    let rows: &[(&str, &[&str])] = &[
        ("[server]", &[]),
        (
            "listen = \"127.0.0.1:99999\"",
            &["server.listen: \"127.0.0.1:99999\" is no address"],
        ),
        ("queue_secs = 1", &["did you mean queue_seconds?"]),
        ("[server.tls]", &["[server.tls] lacks 'key'; add it"]),
        ("certificate = \"/c\"", &[]),
        ("[scan]", &[]),
        (
            "mode = \"deny\"",
            &["scan.mode is \"deny\"; it is one of: off, warn, block"],
        ),
        ("patterns = [", &[]),
        (
            "\"rm -rf\",",
            &[
                "scan.patterns, entry 1 is the text \"rm -rf\"",
                "name = text",
                "expression = text",
            ],
        ),
        (
            "{ name = \"x\", expr = \"y\" },",
            &["entry 2", "did you mean expression?"],
        ),
        ("]", &[]),
        ("[engine]", &[]),
        (
            "kind = \"quemu\"",
            &[
                "engine.kind",
                "did you mean qemu? it is one of: qemu, firecracker, uml",
            ],
        ),
        (
            "[pool.pyton]",
            &["pool.pyton: language \"pyton\" is not known"],
        ),
        ("min = 1", &[]),
        ("max = 1", &[]),
        ("[pool.python]", &[]),
        (
            "min = \"one\"",
            &["pool.python.min is the text \"one\", wanted is integer"],
        ),
        ("max = 2", &[]),
        (
            "[pool.python3]",
            &["pool.python", "pool.python3", "one language"],
        ),
        ("min = 1", &[]),
        ("max = 1", &[]),
        ("[packages]", &[]),
        (
            "python = \"all\"",
            &["packages.python: \"all\" is neither 'off' nor 'any'"],
        ),
        (
            "node = [1]",
            &["packages.node, entry 1 is the integer 1, wanted is text"],
        ),
        (
            "npm_registry = true",
            &["packages.npm_registry is true, wanted is text"],
        ),
        (
            "max_mib = 0",
            &["packages.max_mib is 0, allowed is 1 to 16384"],
        ),
        ("[vmm]", &[]),
        (
            "qemu_path = { a = 1 }",
            &["vmm.qemu_path is a table, wanted is text"],
        ),
    ];
    let lines: Vec<&str> = rows.iter().map(|(line, _)| *line).collect();
    let read = read_all(&lines.join("\n"), |_| Ok(()));
    for (place, (line, words)) in rows.iter().enumerate() {
        let here = read
            .faults
            .iter()
            .filter(|fault| fault.line == Some(place + 1));
        let said: Vec<&str> = here.map(|fault| fault.text.as_str()).collect();
        assert_eq!(
            said.is_empty(),
            words.is_empty(),
            "{line}: {:?}",
            read.faults
        );
        for word in *words {
            assert!(said.concat().contains(word), "{word}: {said:?}");
        }
    }
    let all: String = read
        .faults
        .iter()
        .map(|fault| fault.text.as_str())
        .collect();
    for name_of_code in [
        "struct",
        "PatternConfig",
        "expected",
        "variant",
        "invalid type",
        "untagged",
    ] {
        assert!(!all.contains(name_of_code), "{name_of_code}: {all}");
    }
}

#[test]
fn what_is_sound_is_read_beside_faults() {
    let text =
        "[server]\nlisten = \"no\"\nqueue_seconds = 7\n[limits.maxima]\npids = \"x\"\nvcpus = 2";
    let settings = read_all(text, |_| Ok(())).settings;
    assert_eq!(settings.server.queue_seconds, 7);
    assert_eq!(settings.sandbox.limits.maxima.vcpus, 2);
}

/// Whatever stands in the place of a value, what is said of it are the words of the reference.
#[test]
fn no_fault_speaks_of_the_codes_own_types() {
    let values = [
        "\"x\"",
        "true",
        "[]",
        "[1]",
        "{}",
        "{ x = 1 }",
        "-1",
        "0",
        "0.5",
        "1e300",
        "nan",
        "99999999999999999",
        "2026-01-01",
    ];
    let mut told = Vec::new();
    for setting in settings() {
        // What stands for any name needs one.
        let name = setting.name.replace("NAME", "python");
        let (table, key) = name.rsplit_once('.').unwrap_or(("", &name));
        for value in values {
            let head = match table {
                "" => String::new(),
                table => format!("[{table}]\n"),
            };
            let read = read_all(&format!("{head}{key} = {value}\n"), |_| Ok(()));
            let faults = read.faults.into_iter();
            told.extend(faults.map(|fault| format!("{name} = {value}: {}", fault.text)));
        }
    }
    assert!(told.len() > 500, "{}", told.len());
    let is_of_code = |fault: &&String| {
        let words = [
            "expected",
            "invalid type",
            "invalid value",
            "f64",
            "u64",
            "u32",
            "usize",
            "i64",
        ];
        words.iter().any(|word| fault.contains(word))
    };
    let wrong: Vec<_> = told.iter().filter(is_of_code).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
