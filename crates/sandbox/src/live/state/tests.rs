//! What may be said, after what was asked: process 1 is to start, 2 runs, 3 ended; stream 11 is asked for, 12 began,
//! 13 was refused; each file operation is asked for.

use super::*;
use crate::fixture::guest::report;
use protocol::supervisor::{Entry, EntryKind, MAX_ENTRIES, Metadata, Supervise};
use protocol::wire::LimitName;

const STAT: u32 = 1;
const LIST: u32 = 2;
const REMOVE: u32 = 3;
/// On stream 24.
const READ: u32 = 4;
const WRITE: u32 = 5;

fn staged() -> Expected {
    let mut expected = Expected::default();
    for process in 1..=3 {
        expected.start(process, Voice::Pipes);
    }
    for (process, pid) in [(2, 20), (3, 30)] {
        let begun = expected.on(GuestControl::Starting { process });
        assert_eq!(begun.unwrap(), Decision::Begun(process));
        let started = expected.on(GuestControl::Started { process, pid });
        assert_eq!(started.unwrap(), Decision::Started(process, pid));
    }
    expected.on(ended(3, report())).unwrap();
    for stream in [11, 12, 13] {
        expected.follow(stream, 2);
    }
    for stream in [12, 13] {
        expected.on(following(stream)).unwrap();
    }
    expected.refuse(13);
    let wanted = [
        Wanted::Entry,
        Wanted::Entries,
        Wanted::Done,
        Wanted::Content(24),
        Wanted::Taken,
    ];
    for (request, wanted) in (STAT..).zip(wanted) {
        expected.requests.add(request, wanted);
    }
    expected
}

fn ended(process: ProcessId, report: ProcessReport) -> GuestControl {
    GuestControl::Ended { process, report }
}

fn following(stream: StreamId) -> GuestControl {
    GuestControl::Following { stream, from: 7 }
}

fn entry() -> Entry {
    Entry {
        path: "/a".into(),
        kind: EntryKind::File,
        size: 1,
        mode: 0o644,
        uid: 0,
        gid: 0,
        modified_millis: 0,
        target: None,
        metadata: Metadata::default(),
    }
}

fn done(bytes: u64) -> FileAnswer {
    FileAnswer::Done { bytes }
}

fn failed() -> FileAnswer {
    FileAnswer::Failed {
        errno: 2,
        step: "open".into(),
    }
}

fn not_started(process: ProcessId, step: StartStep) -> GuestControl {
    GuestControl::NotStarted {
        process,
        step,
        reason: "no\n".into(),
    }
}

fn answer(request: u32, answer: FileAnswer) -> GuestControl {
    GuestControl::FileDone { request, answer }
}

#[test]
fn what_was_asked_for_is_answered_once() {
    let entries = |count| FileAnswer::Entries {
        entries: vec![entry(); count],
        truncated: false,
    };
    let one = FileAnswer::Entry { entry: entry() };
    let by_memory = ProcessReport {
        ending: Ending::Limit {
            limit: LimitName::Memory,
            value: 1,
        },
        exit_code: None,
        ..report()
    };
    let cases = [
        (GuestControl::Starting { process: 1 }, Decision::Begun(1)),
        (
            not_started(1, StartStep::Files),
            Decision::NotStarted(1, StartStep::Files, "no\\n".into()),
        ),
        (
            not_started(1, StartStep::Adopt),
            Decision::NotStarted(1, StartStep::Adopt, "no\\n".into()),
        ),
        (
            not_started(1, StartStep::Launch),
            Decision::NotStarted(1, StartStep::Launch, "no\\n".into()),
        ),
        (ended(2, report()), Decision::Ended(2, report())),
        (ended(2, by_memory.clone()), Decision::Ended(2, by_memory)),
        (following(11), Decision::Begins(11, 7)),
        (answer(STAT, one.clone()), Decision::Answered(STAT, one)),
        (
            answer(LIST, entries(MAX_ENTRIES)),
            Decision::Answered(LIST, entries(MAX_ENTRIES)),
        ),
        (answer(REMOVE, done(0)), Decision::Answered(REMOVE, done(0))),
        (
            answer(REMOVE, failed()),
            Decision::Answered(REMOVE, failed()),
        ),
        (answer(WRITE, failed()), Decision::Answered(WRITE, failed())),
    ];
    for (message, decision) in cases {
        let mut expected = staged();
        assert_eq!(expected.on(message.clone()).unwrap(), decision);
        assert!(expected.on(message).is_err(), "{decision:?} twice");
    }
}

#[test]
fn what_nobody_asked_for_is_misbehaviour() {
    let exit = |exit_code, signal| ProcessReport {
        exit_code,
        signal,
        ..report()
    };
    let long_name = ProcessReport {
        ending: Ending::ForbiddenSyscall {
            number: 1,
            name: Some("x".repeat(MAX_SYSCALL_NAME + 1)),
        },
        ..report()
    };
    let too_many = FileAnswer::Entries {
        entries: vec![entry(); MAX_ENTRIES + 1],
        truncated: true,
    };
    let started = |process| GuestControl::Started { process, pid: 1 };
    let cases = [
        (GuestControl::Ready, "was not asked"),
        (GuestControl::Cleared, "was not asked"),
        (GuestControl::Quiet, "was not asked"),
        (GuestControl::Hello { protocol: 1 }, "hello twice"),
        (GuestControl::Starting { process: 2 }, "not to start"),
        (GuestControl::Starting { process: 3 }, "not to start"),
        (GuestControl::Starting { process: 9 }, "not to start"),
        (started(1), "not to start"),
        (started(2), "not to start"),
        (started(9), "not to start"),
        (not_started(2, StartStep::Files), "not to start"),
        (not_started(2, StartStep::Launch), "not to start"),
        (not_started(9, StartStep::Launch), "not to start"),
        (ended(1, report()), "did not run"),
        (ended(3, report()), "did not run"),
        (ended(9, report()), "did not run"),
        (ended(2, exit(Some(256), None)), "no process can have"),
        (ended(2, exit(Some(0), Some(9))), "no process can have"),
        (ended(2, exit(None, Some(65))), "no process can have"),
        (ended(2, exit(None, None)), "no process can have"),
        (ended(2, long_name), "no process can have"),
        (following(12), "twice"),
        (following(13), "twice"),
        (following(99), "nobody asked for"),
        (answer(99, done(0)), "nobody asked for"),
        (answer(STAT, done(0)), "does not fit"),
        (answer(LIST, too_many), "does not fit"),
        (
            answer(REMOVE, FileAnswer::Entry { entry: entry() }),
            "does not fit",
        ),
        (answer(WRITE, done(0)), "does not fit"),
        (
            GuestControl::Failed {
                reason: "out of memory".into(),
            },
            "the agent failed: out of memory",
        ),
    ];
    for (message, expected) in cases {
        let told = format!("{message:?}");
        let error = staged().on(message).unwrap_err().to_string();
        assert!(error.contains(expected), "{told}: {error}");
    }
}

#[test]
fn data_is_of_streams_that_began() {
    let mut expected = staged();
    assert_eq!(expected.data(12, &[1, b'x']).unwrap(), Content::Record);
    assert_eq!(expected.data(24, b"x").unwrap(), Content::Bytes);
    assert_eq!(expected.end(12).unwrap(), Decision::OutputOver(12));
    for (stream, data, reason) in [
        (11, &[1, b'x'][..], "before it said where"),
        (12, &[1, b'x'], "nobody asked for"),
        (99, &[1, b'x'], "nobody asked for"),
    ] {
        let error = expected.data(stream, data).unwrap_err().to_string();
        assert!(error.contains(reason), "{stream}: {error}");
    }
    let error = staged().data(12, &[0, b'x']).unwrap_err();
    assert!(error.to_string().contains("malformed record"));
    for (stream, reason) in [(11, "before it said where"), (99, "nobody asked for")] {
        let error = staged().end(stream).unwrap_err().to_string();
        assert!(error.contains(reason), "{stream}: {error}");
    }
}

#[test]
fn a_read_is_over_when_its_answer_and_its_end_came() {
    for (told, is_answered_first) in [
        (done(3), true),
        (done(3), false),
        (failed(), true),
        (failed(), false),
    ] {
        let mut expected = staged();
        expected.data(24, b"abc").unwrap();
        let mut step = |is_answer| match is_answer {
            true => expected.on(answer(READ, told.clone())).unwrap(),
            false => expected.end(24).unwrap(),
        };
        assert_eq!(step(is_answered_first), Decision::Nothing);
        assert_eq!(step(!is_answered_first), Decision::Answered(READ, told));
    }
    let mut expected = staged();
    expected.on(answer(READ, done(2))).unwrap();
    assert!(
        expected.on(answer(READ, done(2))).is_err(),
        "answered twice"
    );
    let mut expected = staged();
    expected.on(answer(READ, done(2))).unwrap();
    expected.data(24, b"abc").unwrap();
    let error = expected.end(24).unwrap_err().to_string();
    assert!(error.contains("another number"), "{error}");
}

#[test]
fn a_write_is_done_with_all_that_was_sent_and_not_before() {
    for (sent, told, is_believed) in [
        (None, 0, false),
        (Some(3), 2, false),
        (Some(3), 3, true),
        (Some(0), 0, true),
    ] {
        let mut expected = staged();
        if let Some(bytes) = sent {
            expected.requests.sent(WRITE, bytes);
        }
        let answered = expected.on(answer(WRITE, done(told)));
        assert_eq!(answered.is_ok(), is_believed, "{sent:?} {told}");
    }
}

#[test]
fn what_is_abandoned_may_be_answered_and_means_nothing() {
    for (request, told) in [(READ, done(99)), (WRITE, done(99)), (WRITE, failed())] {
        let mut expected = staged();
        assert!(expected.requests.abandon(request));
        assert!(!expected.requests.abandon(request), "over");
        let decision = expected.on(answer(request, told)).unwrap();
        assert_eq!(decision, Decision::Nothing);
        assert!(
            expected.on(answer(WRITE + 1, done(0))).is_err(),
            "never asked for"
        );
        assert!(expected.on(answer(REMOVE, done(0))).is_ok(), "others go on");
    }
    let mut expected = staged();
    expected.requests.abandon(READ);
    assert!(expected.data(24, b"x").is_err(), "the link drops it");
    let mut expected = staged();
    expected.on(answer(READ, done(5))).unwrap();
    assert!(!expected.requests.abandon(READ), "only its end was to come");
}

#[test]
fn a_refused_output_counts_while_it_is_open() {
    let mut expected = staged();
    assert_eq!(expected.outputs(|_| true), 3);
    assert_eq!(expected.outputs(|stream| stream != 13), 2);
    assert_eq!(expected.outputs(|_| true), 2);
}

#[test]
fn a_process_writes_only_on_what_it_has() {
    let kinds = || [1, 2, 3, 4, 5, 10];
    for (voice, allowed) in [
        (Voice::Pipes, &[1, 2][..]),
        (Voice::Terminal, &[3]),
        (Voice::Interpreter, &[1, 2, 4, 5, 10]),
    ] {
        for kind in kinds() {
            let mut expected = Expected::default();
            expected.start(1, voice);
            expected.follow(7, 1);
            expected.on(following(7)).unwrap();
            let judged = expected.data(7, &[kind, b'x']);
            assert_eq!(judged.is_ok(), allowed.contains(&kind), "{voice:?} {kind}");
        }
    }
}

#[test]
fn what_is_about_to_run_can_fail_to_be_launched_and_nothing_else() {
    for (step, is_believed) in [
        (StartStep::Files, false),
        (StartStep::Adopt, false),
        (StartStep::Launch, true),
    ] {
        let mut expected = staged();
        expected.on(GuestControl::Starting { process: 1 }).unwrap();
        assert!(expected.on(ended(1, report())).is_err(), "it did not run");
        let mut expected = staged();
        expected.on(GuestControl::Starting { process: 1 }).unwrap();
        let judged = expected.on(not_started(1, step));
        assert_eq!(judged.is_ok(), is_believed, "{step:?}");
        assert_eq!(expected.phase(1), None);
    }
}

#[test]
fn answers_without_a_name_come_as_often_as_they_were_asked_for() {
    type Asked = (fn() -> HostControl, GuestControl, Decision);
    let supervise = || {
        HostControl::Supervise(Box::new(Supervise {
            pids: 1,
            tmpfs_bytes: 1,
            writable_bytes: 0,
            kept_bytes: 1,
            seccomp_program: vec![],
        }))
    };
    let cases: [Asked; 4] = [
        (supervise, GuestControl::Ready, Decision::Settled),
        (
            || HostControl::Clear,
            GuestControl::Cleared,
            Decision::Cleared,
        ),
        (|| HostControl::Hold, GuestControl::Quiet, Decision::Quiet),
        (
            || HostControl::Quiesce,
            GuestControl::Quiet,
            Decision::Quiet,
        ),
    ];
    for (asked, told, decision) in cases {
        let mut expected = Expected::default();
        assert!(expected.on(told.clone()).is_err());
        expected.told(&asked());
        assert_eq!(expected.on(told.clone()).unwrap(), decision);
        assert!(expected.on(told).is_err());
    }
}
