//! What is refused, in which words, at which line.

use seccomp::{Error, Profile};

/// Each profile, the line that is named, and a piece of the reason.
const REFUSED: &[(&str, usize, &str)] = &[
    (
        "{\n\"default_action\":\"trap\",\n\"filter_action\":\"allow\",\n\"filters\":[\n{\"syscall\":\"read\"},\n{\"syscall\":\"raed\"}]}",
        6,
        r#"unknown system call "raed""#,
    ),
    (
        "{\"default_action\":\"trap\",\n\"filter_action\":\"alow\",\"filters\":[]}",
        2,
        r#"unknown action "alow": use "allow", "log""#,
    ),
    (
        "{\"default_action\":{\"errno\":0},\"filter_action\":\"allow\",\"filters\":[]}",
        1,
        "errno 0 is not in 1..=4095",
    ),
    (
        "{\"default_action\":{\"trace\":1},\"filter_action\":\"allow\",\"filters\":[]}",
        1,
        r#"unknown action "trace""#,
    ),
    (
        "{\"default_action\":\"trap\",\"filter_action\":\"allow\",\"filters\":[{\"syscall\":\"read\",\n\n\"args\":[{\"index\":6,\"type\":\"dword\",\"op\":\"eq\",\"val\":1}]}]}",
        3,
        "argument index 6 is not in 0..=5",
    ),
    (
        "{\"default_action\":\"trap\",\"filter_action\":\"allow\",\"filters\":[\n{\"syscall\":\"read\",\"args\":[{\"index\":1,\"type\":\"dword\",\"op\":\"is\",\"val\":1}]}]}",
        2,
        "unknown variant `is`",
    ),
    (
        "{\"default_action\":\"trap\",\"filter_action\":\"allow\",\"filters\":[\n{\"syscall\":\"read\",\"extra\":1}]}",
        2,
        "unknown field `extra`",
    ),
    (
        "{\"default_action\":\"trap\",\"filter_action\":\"trap\",\n\"filters\":[{\"syscall\":\"read\"}]}",
        2,
        "the filter does nothing",
    ),
    (
        "{\"default_action\":\"trap\",\"filter_action\":\"allow\",\"filters\":[{\"syscall\":\"read\"},\n{\"syscall\":\"read\",\"action\":\"log\"}]}",
        2,
        "read gets log here and allow in line 1",
    ),
    (
        "{\"default_action\":\"trap\",\"filter_action\":\"allow\",\"filters\":[{\"syscall\":\"read\"},\n{\"syscall\":\"read\"}]}",
        2,
        "read is in line 1 as well",
    ),
    (
        "{\"default_action\":\"trap\",\n\"filters\":[]}",
        2,
        "missing field `filter_action`",
    ),
    ("", 1, "EOF"),
    ("[]\n", 1, "invalid"),
];

#[test]
fn a_refusal_names_the_line_and_the_reason() {
    for (json, line, reason) in REFUSED {
        match Profile::parse(json, "mine.json") {
            Err(Error::Refused {
                profile,
                line: named,
                reason: said,
            }) => {
                assert_eq!(
                    (profile.as_str(), named),
                    ("mine.json", *line),
                    "{json}\n{said}"
                );
                assert!(said.contains(reason), "{said:?} lacks {reason:?}");
            }
            other => panic!("{json}: {other:?}"),
        }
    }
}

#[test]
fn a_refusal_reads_well() {
    let error = Profile::parse(
        "{\"default_action\":\"trap\",\"filter_action\":\"allow\",\"filters\":[\n{\"syscall\":\"raed\"}]}",
        "mine.json",
    );
    assert_eq!(
        error.unwrap_err().to_string(),
        r#"seccomp profile mine.json, line 2: unknown system call "raed""#
    );
    let error = Profile::builtin("strickt").unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"no built-in seccomp profile for jobs is named "strickt": use one of default, strict, or a file"#
    );
    // The VMM's own profile is none for jobs.
    assert!(Profile::builtin("vmm").is_ok());
    for name in ["vmm", "strickt"] {
        let error = Profile::builtin_for_jobs(name).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("one of default, strict, or a file"),
            "{error}"
        );
    }
    for name in seccomp::job_names() {
        assert!(Profile::builtin_for_jobs(name).is_ok(), "{name}");
    }
}

#[test]
fn size_is_bounded_before_and_after_compiling() {
    let long = " ".repeat(seccomp::profile::MAX_PROFILE_BYTES + 1);
    assert!(matches!(
        Profile::parse(&long, "long"),
        Err(Error::TooLong { .. })
    ));

    let filter = |value: usize| {
        format!(
            r#"{{"syscall":"ioctl","args":[{{"index":1,"type":"qword","op":"eq","val":{value}}}]}}"#
        )
    };
    let many: Vec<String> = (0..2000).map(filter).collect();
    let json = format!(
        r#"{{"default_action":"trap","filter_action":"allow","filters":[{}]}}"#,
        many.join(",")
    );
    let error = Profile::parse(&json, "many")
        .unwrap()
        .compile()
        .unwrap_err();
    assert!(
        matches!(error, Error::TooLarge { instructions, max: 4096, .. } if instructions > 4096),
        "{error}"
    );
}

#[test]
fn firecrackers_own_spelling_is_read() {
    let json = r#"{"default_action":"trap","filter_action":"allow","filter":[
        {"syscall":"ioctl","comment":"tty","args":[{"index":1,"type":"dword","op":"eq","val":21505,"comment":"TCGETS"}]}]}"#;
    assert_eq!(
        Profile::parse(json, "firecracker").unwrap().filters.len(),
        1
    );
}
