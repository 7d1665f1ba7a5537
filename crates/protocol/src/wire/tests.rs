//! The wire as it was frozen: one of each message, in `wire.jsonl`.

use super::*;

/// One of each message, its fields filled.
fn examples() -> Vec<serde_json::Value> {
    let data = || Bytes::from(&b"data"[..]);
    let path = || "a/b".to_owned();
    let limits = GuestLimits {
        execute_millis: 1,
        compile_millis: 2,
        cpu_seconds: 3,
        memory_bytes: 4,
        pids: 5,
        output_bytes: 6,
        file_size_bytes: 7,
        tmpfs_bytes: 8,
        open_files: 9,
        artifact_bytes: 10,
    };
    let file = || InputFile {
        path: path(),
        data: data(),
    };
    let run = RunRequest {
        trace_id: "t".to_owned(),
        language: Language::Python,
        code: data(),
        entry: "main.py".to_owned(),
        args: vec!["x".to_owned()],
        env: vec![("A".to_owned(), "1".to_owned())],
        files: vec![file()],
        limits,
        fresh_interpreter: false,
        collect_artifacts: true,
        session: true,
        seccomp_program: vec![1],
    };
    let wake = Wake {
        entropy: data(),
        unix_time_nanos: 1,
        hostname: "h".to_owned(),
        boot_id: "b".to_owned(),
    };
    let host = [
        HostMessage::Warm {
            language: Language::Node,
        },
        HostMessage::Wake(wake),
        HostMessage::Run(Box::new(run)),
        HostMessage::Stdin { data: data() },
        HostMessage::StdinEnd,
        HostMessage::Interrupt,
        HostMessage::PutFile(file()),
        HostMessage::ListFiles,
        HostMessage::GetFile { path: path() },
    ];
    let report = |ending| JobReport {
        trace_id: "t".to_owned(),
        phase: Phase::Execute,
        ending,
        exit_code: Some(1),
        signal: Some(2),
        stdout_truncated: true,
        stderr_truncated: true,
        artifacts_truncated: true,
        compile_micros: 1,
        execute_micros: 2,
        cpu_micros: 3,
        memory_peak_bytes: 4,
        pids_refused: 5,
        zygote: true,
        session: Some(SessionReport {
            results: vec![[("text/plain".to_owned(), "1".to_owned())].into()],
            error: Some(SessionError {
                name: "E".to_owned(),
                value: "v".to_owned(),
                traceback: "t".to_owned(),
            }),
            lost: false,
        }),
    };
    let limit = Ending::Limit {
        limit: LimitName::WallTime,
        value: 1,
    };
    let forbidden = Ending::ForbiddenSyscall {
        number: 1,
        name: Some("write".to_owned()),
    };
    let reason = || "r".to_owned();
    let guest = [
        GuestMessage::Hello {
            protocol: PROTOCOL_VERSION,
        },
        GuestMessage::Warmed,
        GuestMessage::Awake,
        GuestMessage::Started {
            phase: Phase::Compile,
        },
        GuestMessage::Stdout { data: data() },
        GuestMessage::Stderr { data: data() },
        GuestMessage::StdinTaken { bytes: 1 },
        GuestMessage::Artifact {
            path: path(),
            data: data(),
            last: true,
        },
        GuestMessage::Files {
            files: vec![FileEntry {
                path: path(),
                size: 1,
            }],
        },
        GuestMessage::FileDone { error: None },
        GuestMessage::Finished(Box::new(report(Ending::Exited))),
        GuestMessage::Finished(Box::new(report(limit))),
        GuestMessage::Finished(Box::new(report(forbidden))),
        GuestMessage::Refused { reason: reason() },
        GuestMessage::Failed { reason: reason() },
    ];
    let host = host.iter().map(serde_json::to_value);
    let guest = guest.iter().map(serde_json::to_value);
    host.chain(guest).map(Result::unwrap).collect()
}

#[test]
fn the_wire_is_what_it_was_under_this_version() {
    let lines: Vec<_> = examples().iter().map(ToString::to_string).collect();
    let known: Vec<_> = include_str!("../wire.jsonl").lines().collect();
    assert_eq!(lines, known, "another wire is another PROTOCOL_VERSION");
}
