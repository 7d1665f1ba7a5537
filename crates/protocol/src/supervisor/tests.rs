//! The control messages as they were frozen: one of each, in `supervisor.jsonl`.

use super::*;
use crate::wire::{Ending, LimitName};

fn examples() -> Vec<serde_json::Value> {
    let path = || "/work/a".to_owned();
    let attached = || {
        let mut metadata = Metadata::default();
        assert!(metadata.add("k".to_owned(), "v".to_owned()));
        metadata
    };
    let size = TerminalSize {
        rows: 24,
        columns: 80,
    };
    let limits = ProcessLimits {
        wall_millis: 1,
        cpu_seconds: 2,
        memory_bytes: 3,
        pids: 4,
        file_size_bytes: 5,
        open_files: 6,
    };
    let start = StartProcess {
        process: 1,
        argv: vec!["cat".to_owned()],
        env: vec![("A".to_owned(), "1".to_owned())],
        cwd: "/work".to_owned(),
        user: ProcessUser::Root,
        stdin: Some(2),
        orders: Some(3),
        lanes: 1,
        terminal: Some(size),
        files: vec![StartFile {
            path: "a".to_owned(),
            stream: 4,
        }],
        output: Some(5),
        output_bytes: 6,
        kept_bytes: 7,
        limits: limits.clone(),
    };
    let adopt = AdoptProcess {
        orders: Some(8),
        process: 1,
        order: "o".to_owned(),
        absent: vec![path()],
        stdin: Some(2),
        files: vec![],
        output: 3,
        output_bytes: 4,
        limits,
    };
    let resume = Resume {
        entropy: Bytes(vec![1, 2]),
        unix_time_nanos: 3,
        hostname: "h".to_owned(),
        boot_id: "b".to_owned(),
    };
    let bounds = Supervise {
        pids: 1,
        tmpfs_bytes: 2,
        writable_bytes: 5,
        kept_bytes: 3,
        seccomp_program: vec![4],
    };
    let file = |operation| HostControl::File {
        request: 1,
        operation,
    };
    let host = [
        HostControl::Resume(Box::new(resume)),
        HostControl::Supervise(Box::new(bounds)),
        HostControl::Start(Box::new(start)),
        HostControl::Adopt(Box::new(adopt)),
        HostControl::Dismiss { except: None },
        HostControl::Dismiss { except: Some(7) },
        HostControl::Clear,
        HostControl::Quiesce,
        HostControl::Hold,
        HostControl::Attach {
            process: 1,
            stdin: Some(2),
            orders: Some(3),
        },
        HostControl::Follow {
            process: 1,
            from: 2,
            stream: 3,
        },
        HostControl::Signal {
            process: 1,
            signal: 2,
            to: SignalTarget::Group,
        },
        HostControl::Resize { process: 1, size },
        HostControl::Forget { process: 1 },
        file(FileOperation::Stat { path: path() }),
        file(FileOperation::List {
            path: path(),
            depth: 1,
        }),
        file(FileOperation::MakeFolder { path: path() }),
        file(FileOperation::Move {
            from: path(),
            to: path(),
        }),
        file(FileOperation::Remove { path: path() }),
        file(FileOperation::Read {
            path: path(),
            stream: 1,
        }),
        file(FileOperation::Collect {
            path: path(),
            max_bytes: 1,
            max_files: 2,
            stream: 3,
        }),
        file(FileOperation::Write {
            path: path(),
            stream: 1,
            metadata: Metadata::default(),
        }),
        file(FileOperation::Write {
            path: path(),
            stream: 1,
            metadata: attached(),
        }),
        file(FileOperation::Watch {
            path: path(),
            depth: 2,
            stream: 1,
        }),
        HostControl::AbortFile { request: 1 },
        HostControl::Connect {
            port: 8000,
            to_guest: 1,
            to_host: 2,
        },
        HostControl::OpenNetwork {
            ports: vec![443],
            trust: Bytes(vec![1]),
        },
        HostControl::Dialled {
            dial: 1,
            to_guest: 2,
            to_host: 3,
        },
        HostControl::NotDialled { dial: 1 },
        HostControl::Answer {
            query: 1,
            message: Bytes(vec![1, 2]),
        },
    ];
    let report = ProcessReport {
        ending: Ending::Limit {
            limit: LimitName::WallTime,
            value: 1,
        },
        exit_code: Some(1),
        signal: Some(2),
        wall_micros: 3,
        cpu_micros: 4,
        memory_peak_bytes: 5,
        pids_refused: 6,
        written_bytes: 7,
        stdout_truncated: true,
        stderr_truncated: false,
    };
    let entry = Entry {
        path: path(),
        kind: EntryKind::Link,
        size: 1,
        mode: 0o644,
        uid: 0,
        gid: 0,
        modified_millis: -1,
        target: Some("b".to_owned()),
        metadata: Metadata::default(),
    };
    let described = Entry {
        metadata: attached(),
        ..entry.clone()
    };
    let done = |answer| GuestControl::FileDone { request: 1, answer };
    let guest = [
        GuestControl::Hello { protocol: 1 },
        GuestControl::Ready,
        GuestControl::Cleared,
        GuestControl::Quiet,
        GuestControl::Starting { process: 1 },
        GuestControl::Started { process: 1, pid: 2 },
        GuestControl::NotStarted {
            process: 1,
            step: StartStep::Files,
            reason: "r".to_owned(),
        },
        GuestControl::Following { stream: 1, from: 2 },
        GuestControl::Ended { process: 1, report },
        done(FileAnswer::Done { bytes: 1 }),
        done(FileAnswer::Entry {
            entry: entry.clone(),
        }),
        done(FileAnswer::Entries {
            entries: vec![entry, described],
            truncated: true,
        }),
        done(FileAnswer::Failed {
            errno: 2,
            step: "open".to_owned(),
        }),
        GuestControl::Connected { to_host: 2 },
        GuestControl::NotConnected {
            to_host: 2,
            errno: 111,
        },
        GuestControl::Dial {
            dial: 1,
            to: Destination::Address {
                address: [198, 18, 0, 1].into(),
                port: 443,
            },
        },
        GuestControl::Dial {
            dial: 2,
            to: Destination::Proxy,
        },
        GuestControl::Query {
            query: 1,
            message: Bytes(vec![1, 2]),
        },
        GuestControl::Failed {
            reason: "r".to_owned(),
        },
    ];
    let watch = [
        WatchEvent::Watching { folders: 1 },
        WatchEvent::Created { path: path() },
        WatchEvent::Modified { path: path() },
        WatchEvent::Removed { path: path() },
        WatchEvent::Moved {
            from: path(),
            path: path(),
        },
        WatchEvent::Overflow {
            of: Overflow::Events,
        },
        WatchEvent::Overflow {
            of: Overflow::Folders,
        },
    ];
    let host = host.iter().map(serde_json::to_value);
    let guest = guest.iter().map(serde_json::to_value);
    let watch = watch.iter().map(serde_json::to_value);
    host.chain(guest).chain(watch).map(Result::unwrap).collect()
}

#[test]
fn the_control_messages_are_what_they_were_under_this_version() {
    let lines: Vec<_> = examples().iter().map(ToString::to_string).collect();
    if std::env::var_os("UPDATE_WIRE").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/supervisor.jsonl");
        std::fs::write(path, lines.join("\n") + "\n").unwrap();
        return;
    }
    let known: Vec<_> = include_str!("../supervisor.jsonl").lines().collect();
    assert_eq!(lines, known, "another wire is another PROTOCOL_VERSION");
}

#[test]
fn a_record_says_of_which_output_it_is() {
    use OutputKind::{Control, Stderr, Stdout, Terminal};
    let fixed = [Stdout, Stderr, Terminal, Control];
    for (kind, byte) in fixed.into_iter().chain(OutputKind::lanes(LANES)).zip(1..) {
        assert_eq!(record(&[byte, 7]), Some((kind, &[7][..])));
        assert_eq!(kind.byte(), byte);
    }
    for none in [&[][..], &[1], &[0, 1], &[11, 1]] {
        assert_eq!(record(none), None, "{none:?}");
    }
}
